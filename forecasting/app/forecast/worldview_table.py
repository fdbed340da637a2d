"""The table of worldviews: weight, record, claims, where they differ now, and side by side."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.app.forecast.in_force import latest
from forecasting.app.forecast.worldviews import (
    PREFIX,
    Ensemble,
    Spoken,
    counted,
    spot_of,
    weights_at,
)
from forecasting.app.frames import Selection, latest_run, scoring_frame, select
from forecasting.bank import Bank, text_speaks_at
from forecasting.domain.commentary import Claim, Text
from forecasting.domain.forecast import Forecast
from forecasting.domain.forecasters import MODEL, POOL, family, ordered
from forecasting.domain.instants import iso, parse_instant
from forecasting.domain.question import ANNULLED
from forecasting.errors import InvalidInput
from forecasting.store import Ledger

__all__ = ["worldview_rows", "worldview_steps"]

#: A flat denial is coded .03; its score is shown beside at these too.
FLAT_DENIAL = (0.01, 0.10, 0.20)
#: What differs by less is said alike.
DIFFERS = 0.005


def worldview_rows(
    ledger: Ledger,
    bank: Bank,
    *,
    now: dt.datetime,
    kind: str = "",
    run: str = "",
    at: dt.datetime | None = None,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Give one row a worldview, as of a moment.

    Parameters
    ----------
    ledger : Ledger
        Forecasts and outcomes.
    bank : Bank
        Worldviews and texts.
    now : datetime
        The moment of live forecasts.
    kind : {"", "live", "replay"}
        Default: live, or the latest complete replay where no worldview has spoken live.
    run : str
        A replay run.
    at : datetime, optional
        As of then; default: now, or the end of the replay.

    Returns
    -------
    rows : list of dict
        worldview, title, weight, n_resolved, n_events, brier, n_scored, claims (with scores and
        ranges), differs (what it says now otherwise than the model).
    notes : list of str
        What was chosen, and how much it means.
    """
    chosen, notes = _choose(ledger, kind, run)
    moment = at or _moment(ledger, chosen, now)
    catalog, forecasts = _read(ledger, chosen, moment)
    spoken = Spoken(forecasts)
    ensemble = weights_at(catalog, spoken, moment, spoken.worldviews)
    brier = _brier(ledger, catalog, forecasts, moment)
    claimed = _claims(catalog, bank, forecasts, moment)
    titles = {worldview.forecaster: worldview for worldview in bank.worldviews}
    last = latest(forecasts)
    rows = []
    for name in spoken.worldviews:
        worldview = titles.get(name)
        claims = claimed.get(worldview.text, []) if worldview else []
        mean, n = brier.get(name, (None, 0))
        rows.append(
            {
                "worldview": name.removeprefix(PREFIX),
                "title": worldview.title if worldview else "",
                "weight": ensemble.weights[name],
                **_resolved(catalog, spoken, ensemble, name),
                "brier": mean,
                "n_scored": n,
                **_scorecard(claims),
                "claims": claims,
                "differs": _differs(catalog, last, name, moment),
                "as_of": moment,
                "kind": chosen.kind,
                "run": chosen.run,
            }
        )
    return rows, [*notes, f"as of {iso(moment)}: {ensemble.reading}"]


def worldview_steps(
    ledger: Ledger,
    *,
    now: dt.datetime,
    kind: str = "",
    run: str = "",
    at: dt.datetime | None = None,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Give one row for each time that questions of an event came to count, with the weights after.

    Parameters
    ----------
    ledger, now, kind, run, at
        As in `worldview_rows`.

    Returns
    -------
    rows : list of dict
        at, event, questions, n_resolved, n_events, weights.
    notes : list of str
        As in `worldview_rows`.
    """
    chosen, notes = _choose(ledger, kind, run)
    moment = at or _moment(ledger, chosen, now)
    catalog, forecasts = _read(ledger, chosen, moment)
    spoken = Spoken(forecasts)
    groups: dict[tuple[dt.datetime, str], list[str]] = {}
    for item in counted(catalog, moment):
        key = (item.entered_at, item.question.event)
        groups.setdefault(key, []).append(item.question.id)
    rows: list[dict[str, Any]] = []
    for (when, event), questions in groups.items():
        # What is known at a moment counts just after it.
        after = when + dt.timedelta.resolution
        here = [name for name in spoken.worldviews if spoken.entered(name, when)]
        found = weights_at(catalog, spoken, after, here)
        new = [name for name in questions if name in found.questions]
        if not new:
            continue
        rows.append(
            {
                "at": when,
                "event": event,
                "questions": new,
                "n_resolved": len(found.questions),
                "n_events": found.n_events,
                "weights": {
                    name.removeprefix(PREFIX): weight for name, weight in found.weights.items()
                },
            }
        )
    final = weights_at(catalog, spoken, moment, spoken.worldviews)
    return rows, [*notes, f"as of {iso(moment)}: {final.reading}"]


def _choose(ledger: Ledger, kind: str, run: str) -> tuple[Selection, list[str]]:
    if kind not in {"", "live", "replay"}:
        msg = f"kind ({kind}): must be live or replay"
        raise InvalidInput(msg, hint="forecast worldviews --kind replay")
    if run and kind == "live":
        msg = f"run ({run}): belongs to a replay"
        raise InvalidInput(msg, hint="forecast worldviews --kind replay")
    if run or kind == "replay":
        return Selection("replay", run or latest_run(ledger)), []
    live = any(f.forecaster.startswith(PREFIX) for f in ledger.forecasts(kind="live"))
    if kind == "live" or live:
        return Selection("live"), []
    newest = latest_run(ledger)
    if not newest:
        return Selection("live"), [
            "no worldview has a forecast yet: run forecast update or forecast replay"
        ]
    return Selection("replay", newest), [
        f"no worldview has a live forecast; shown is replay run {newest}"
    ]


def _moment(ledger: Ledger, chosen: Selection, now: dt.datetime) -> dt.datetime:
    for mark in ledger.replay_runs(run=chosen.run) if chosen.run else ():
        if mark.event == "started" and "to" in mark.config:
            return parse_instant(str(mark.config["to"]))
    return now


def _read(ledger: Ledger, chosen: Selection, moment: dt.datetime) -> tuple[Catalog, list[Forecast]]:
    catalog = Catalog.of(ledger, recorded_by=moment)
    wanted = Selection(chosen.kind, chosen.run, as_of=moment)
    return catalog, select(ledger, catalog, wanted)


def _brier(
    ledger: Ledger, catalog: Catalog, forecasts: Sequence[Forecast], moment: dt.datetime
) -> dict[str, tuple[float, int]]:
    """Give each worldview's mean scheduled half Brier score of yes-no questions, and their n."""
    from forecasting.scoring import lifetime

    frame = scoring_frame(ledger, catalog, forecasts, as_of=moment)
    mine = frame["forecaster"].str.startswith(PREFIX) & (frame["type"] == "binary")
    frame = frame[mine & ~frame["too_soon"]]
    if frame.empty:
        return {}
    scored = lifetime.score(frame, rule="brier", convention="half")
    return {
        str(name): (float(group["score"].mean()), int(group["question"].nunique()))
        for name, group in scored.groupby("forecaster")
    }


def _resolved(catalog: Catalog, spoken: Spoken, ensemble: Ensemble, name: str) -> dict[str, int]:
    """Count the questions, and their events, that bear on one worldview's weight."""
    mine = [catalog.questions[question] for question in ensemble.questions]
    mine = [question for question in mine if spoken.entered(name, spot_of(question))]
    return {"n_resolved": len(mine), "n_events": len({question.event for question in mine})}


def _differs(
    catalog: Catalog, last: dict[tuple[str, str], Forecast], name: str, moment: dt.datetime
) -> list[dict[str, Any]]:
    found = []
    for question in catalog.open_at(moment):
        mine, model = last.get((question.id, name)), last.get((question.id, MODEL))
        if mine is None or model is None:
            continue
        pairs = zip(mine.value.numbers, model.value.numbers, strict=True)
        width = (question.space.upper or 1.0) - (question.space.lower or 0.0)
        if max(abs(a - b) for a, b in pairs) > DIFFERS * width:
            said = {"question": question.id, "says": mine.value.plain, "model": model.value.plain}
            found.append(said)
    return found


def _claims(
    catalog: Catalog, bank: Bank, forecasts: Sequence[Forecast], moment: dt.datetime
) -> dict[str, list[dict[str, Any]]]:
    """Give, by text, its claims of questions resolved by a moment, scored at the text's date."""
    spoken: dict[str, list[Forecast]] = {}
    for forecast in forecasts:
        if forecast.forecaster == MODEL:
            spoken.setdefault(forecast.question, []).append(forecast)
    found: dict[str, list[dict[str, Any]]] = {}
    for text in bank.texts:
        said_at = text_speaks_at(text)
        for claim in text.claims:
            outcome = catalog.outcomes.get(claim.question)
            known = outcome is not None and outcome.resolved_at <= moment
            if claim.shown_only or outcome is None or not known or outcome.outcome == ANNULLED:
                continue
            model = [f for f in spoken.get(claim.question, []) if f.issued_at <= said_at]
            p = model[-1].value.probability if model else None
            row = _claim(claim, text, float(outcome.outcome == "yes"), p)
            found.setdefault(text.id, []).append(row)
    return found


def _claim(claim: Claim, text: Text, outcome: float, model: float | None) -> dict[str, Any]:
    band = claim.scored
    ends = [(p - outcome) ** 2 for p in (band.low, band.high)]
    return {
        "claim": claim.id,
        "question": claim.question,
        "text": text.id,
        "says": band.middle,
        "band": band.name,
        "outcome": outcome,
        "score": (band.middle - outcome) ** 2,
        "score_low": min(ends),
        "score_high": max(ends),
        "flat_denial": {str(p): (p - outcome) ** 2 for p in FLAT_DENIAL}
        if claim.flat_denial
        else {},
        "model": model,
        "model_score": None if model is None else (model - outcome) ** 2,
    }


def _scorecard(claims: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Average the claims' scores; the model's over the claims that it had spoken on by then."""
    n = len(claims)
    both = [claim for claim in claims if claim["model_score"] is not None]

    def mean(rows: Sequence[dict[str, Any]], key: str) -> float | None:
        return sum(row[key] for row in rows) / len(rows) if rows else None

    return {
        "n_claims": n,
        "claims_score": mean(claims, "score"),
        "claims_low": mean(claims, "score_low"),
        "claims_high": mean(claims, "score_high"),
        "n_claims_model": len(both),
        "claims_score_there": mean(both, "score"),
        "claims_model": mean(both, "model_score"),
    }


def beside(ledger: Ledger, *, now: dt.datetime, kind: str, run: str = "") -> dict[str, Any]:
    """List open questions and options that a worldview has spoken on, one row each.

    Returns
    -------
    dict
        ``forecasters`` in the fixed order; ``rows``: ``question, title, outcome, type, unit`` and
        ``says``, a number by forecaster (of quantiles the median); ``apart``: the largest
        difference between two worldviews, None for numbers.
    """
    catalog = Catalog.of(ledger)
    latest: dict[tuple[str, str], Forecast] = {}
    for forecast in select(ledger, catalog, Selection(kind, run)):
        if forecast.forecaster in (MODEL, POOL) or family(forecast.forecaster) == "worldview":
            latest[forecast.question, forecast.forecaster] = forecast
    names = ordered({name for _, name in latest})
    rows = []
    for question in catalog.open_at(now):
        mine = [name for name in names if (question.id, name) in latest]
        spoken = {name: latest[question.id, name] for name in mine}
        views = [name for name in spoken if family(name) == "worldview"]
        if not views:
            continue
        for outcome, says in _numbers(question.type, spoken):
            among = [says[name] for name in views if name in says]
            numeric = question.type == "numeric"
            rows.append(
                {
                    "question": question.id,
                    "title": question.title,
                    "outcome": outcome,
                    "type": question.type,
                    "unit": question.space.unit if numeric else "",
                    "says": says,
                    "apart": None if numeric or not among else max(among) - min(among),
                }
            )
    return {"forecasters": names, "rows": rows, "kind": kind}


def _numbers(kind: str, spoken: dict[str, Forecast]) -> list[tuple[str, dict[str, float]]]:
    if kind == "binary":
        return [("", {name: said.value.numbers[0] for name, said in spoken.items()})]
    if kind == "numeric":
        middle = {}
        for name, said in spoken.items():
            levels = [abs(float(label) - 50.0) for label in said.value.labels]
            middle[name] = said.value.numbers[levels.index(min(levels))]
        return [("median", middle)]
    options = next(iter(spoken.values())).value.labels
    return [
        (option, {name: said.value.numbers[k] for name, said in spoken.items()})
        for k, option in enumerate(options)
    ]
