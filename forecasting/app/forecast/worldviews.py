"""Worldviews by their record: weights as of a moment, the pool that they make, and the table.

Which questions count towards the weights as of t, for live forecasts and for a replay alike:

* read once, at the middle of the scheduled window, if the question was open then;
* known: the outcome was known before t; due: the scheduled close has passed, so that early yeses
  do not come in ahead of the noes of the same batch;
* on which every worldview that had entered by that middle had spoken: a silence counts for
  no weight. Numbers are left out, because a density has no probability.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from forecasting.app.scores.frame import Selection, latest_run, scoring_frame, select
from forecasting.app.upkeep.banks import bank_of
from forecasting.arrays import FloatArray
from forecasting.bank import Bank, text_speaks_at
from forecasting.domain.catalog import Catalog, latest
from forecasting.domain.commentary import claim_scores
from forecasting.domain.forecast import Forecast
from forecasting.domain.forecasters import MODEL, POOL, family, ordered
from forecasting.domain.instants import iso, parse_instant
from forecasting.domain.question import ANNULLED
from forecasting.errors import InvalidInput
from forecasting.pooling.worldview_weights import (
    PREFIX,
    RECALIBRATED_FROM,
    Counted,
    Ensemble,
    Spoken,
    counted,
    ensemble_weights,
    log_likelihood_of,
    spot_of,
)
from forecasting.store import Ledger

#: A smaller difference from the model, as a share of the range, is not listed.
DIFFERS = 0.005
#: The columns of the table, also of one without rows.
WORLDVIEW_COLUMNS = (
    *("worldview", "title", "weight", "n_resolved", "n_events", "brier", "n_scored", "n_claims"),
    *("claims_score", "claims_low", "claims_high", "n_claims_model", "claims_score_there"),
    *("claims_model", "claims", "differs", "as_of", "kind", "run"),
)


def spoken_live(ledger: Ledger) -> Spoken:
    """Give what the worldviews and their pool said live, without reading what others did."""
    names = sorted(one for one in ledger.forecasters() if one == POOL or one.startswith(PREFIX))
    return Spoken(one for name in names for one in ledger.forecasts(kind="live", forecaster=name))


def weights_at(
    catalog: Catalog, spoken: Spoken, as_of: dt.datetime, worldviews: Sequence[str]
) -> Ensemble:
    """Give the weights of worldviews by what they had said; a new one has an equal share."""
    names = sorted(set(worldviews))
    if not names:
        return Ensemble({})
    used, rows = [], []
    for item in counted(catalog, as_of):
        entered = [name for name in names if spoken.entered(name, item.spot)]
        by_name = {name: spoken.at(name, item.question.id, item.spot) for name in entered}
        if entered and all(numbers is not None for numbers in by_name.values()):
            used.append(item)
            rows.append([_chance(by_name.get(name), item.label) for name in names])
    chance: FloatArray = np.array(rows, dtype=np.float64).reshape(len(rows), len(names))
    spoke = ~np.isnan(chance)
    chance[spoke] = log_likelihood_of(chance[spoke])
    events = [item.question.event for item in used]
    weights = dict(zip(names, map(float, ensemble_weights(chance, events)), strict=True))
    n_events = len(set(events))
    recalibrated = _recalibration(used, spoken) if n_events >= RECALIBRATED_FROM else float
    return Ensemble(weights, tuple(item.question.id for item in used), n_events, recalibrated)


def _chance(numbers: tuple[float, ...] | None, label: int) -> float:
    """Give the probability of what happened; NaN where nothing was said."""
    if numbers is None:
        return float("nan")
    p = numbers[label] if len(numbers) > 1 else (numbers[0] if label == 1 else 1 - numbers[0])
    return min(max(p, 0.0), 1.0)


def _recalibration(used: Sequence[Counted], spoken: Spoken) -> Callable[[float], float]:
    """Learn from the pool's own earlier forecasts how its probabilities should be read."""
    import pandas as pd

    from forecasting.calibration.recalibration import recalibrate_rows

    pooled = [
        (item, numbers)
        for item in used
        if item.question.type == "binary"
        and (numbers := spoken.at(POOL, item.question.id, item.spot)) is not None
    ]
    events = [item.question.event for item, _ in pooled]
    if len(set(events)) < RECALIBRATED_FROM:
        return float
    frame = pd.DataFrame(
        {
            "question": [item.question.id for item, _ in pooled],
            "forecaster": POOL,
            "forecast": [numbers[0] for _, numbers in pooled],
            "outcome": [float(item.label) for item, _ in pooled],
            "event": events,
            "weight": [1 / events.count(event) for event in events],
        }
    )
    line = recalibrate_rows(frame).line(POOL)
    return lambda p: float(line.predict(p))


def worldview_rows(
    ledger: Ledger,
    bank: Bank,
    *,
    now: dt.datetime,
    kind: str = "",
    run: str = "",
    at: dt.datetime | None = None,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Give one row a worldview: its weight, its record, its claims, and where it differs now."""
    chosen, notes, moment, catalog, forecasts = _choose(ledger, kind, run, at, now)
    spoken = Spoken(forecasts)
    ensemble = weights_at(catalog, spoken, moment, spoken.worldviews)
    brier = _brier(ledger, catalog, forecasts, moment)
    claims_by_text = _claims(catalog, bank, forecasts, moment)
    by_forecaster = {worldview.forecaster: worldview for worldview in bank.worldviews}
    last = latest(forecasts)
    rows = []
    for name in spoken.worldviews:
        worldview = by_forecaster.get(name)
        claims = claims_by_text.get(worldview.text, []) if worldview else []
        mean, n = brier.get(name, (None, 0))
        # A question bears on a worldview's weight if it had entered by the middle of the window.
        bearing = [catalog.questions[question] for question in ensemble.questions]
        bearing = [question for question in bearing if spoken.entered(name, spot_of(question))]
        rows.append(
            {
                "worldview": name.removeprefix(PREFIX),
                "title": worldview.title if worldview else "",
                "weight": ensemble.weights[name],
                "n_resolved": len(bearing),
                "n_events": len({question.event for question in bearing}),
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
    return rows, _with_reading(notes, moment, ensemble)


def _with_reading(notes: list[str], moment: dt.datetime, ensemble: Ensemble) -> list[str]:
    """Add what the weights mean; that there are none yet is enough once."""
    return (
        notes
        if notes and not ensemble.weights
        else [*notes, f"as of {iso(moment)}: {ensemble.reading}"]
    )


def _choose(
    ledger: Ledger, kind: str, run: str, at: dt.datetime | None, now: dt.datetime
) -> tuple[Selection, list[str], dt.datetime, Catalog, list[Forecast]]:
    """Give what a table is about: its forecasts, what to say of the choice, and its moment."""
    if kind not in {"", "live", "replay"}:
        msg = f"kind ({kind}): must be live or replay"
        raise InvalidInput(msg, hint="forecast worldviews --kind replay")
    if run and kind == "live":
        msg = f"run ({run}): belongs to a replay"
        raise InvalidInput(msg, hint="forecast worldviews --kind replay")
    chosen, notes = Selection("live"), []
    if run or kind == "replay":
        chosen = Selection("replay", run or latest_run(ledger))
    elif not kind and not spoken_live(ledger).worldviews:
        if newest := latest_run(ledger):
            chosen = Selection("replay", newest)
            notes.append(f"no worldview has a live forecast; shown is replay run {newest}")
        else:
            bank = bank_of(ledger)
            notes.append(
                "no worldview has a forecast yet: run forecast update or forecast replay"
                if bank.worldviews
                else "the bank has no worldview: a file of worldviews/ in it makes one"
            )
    ends = [
        parse_instant(str(mark.config["to"]))
        for mark in (ledger.replay_runs(run=chosen.run) if chosen.run else ())
        if mark.event == "started" and "to" in mark.config
    ]
    moment = at or next(iter(ends), now)
    catalog = Catalog.of(ledger, recorded_by=moment)
    wanted = Selection(chosen.kind, chosen.run, as_of=moment)
    return chosen, notes, moment, catalog, select(ledger, catalog, wanted)


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


def _differs(
    catalog: Catalog, last: dict[tuple[str, str], Forecast], name: str, moment: dt.datetime
) -> list[dict[str, Any]]:
    rows = []
    for question in catalog.open_at(moment):
        mine, model = last.get((question.id, name)), last.get((question.id, MODEL))
        if mine is None or model is None:
            continue
        pairs = zip(mine.value.numbers, model.value.numbers, strict=True)
        width = (question.space.upper or 1.0) - (question.space.lower or 0.0)
        if max(abs(a - b) for a, b in pairs) > DIFFERS * width:
            row = {"question": question.id, "says": mine.value.plain, "model": model.value.plain}
            rows.append(row)
    return rows


def _claims(
    catalog: Catalog, bank: Bank, forecasts: Sequence[Forecast], moment: dt.datetime
) -> dict[str, list[dict[str, Any]]]:
    """Give, by text, its claims of questions resolved by a moment, scored at the text's date."""
    model_forecasts: dict[str, list[Forecast]] = {}
    for forecast in forecasts:
        if forecast.forecaster == MODEL:
            model_forecasts.setdefault(forecast.question, []).append(forecast)
    by_text: dict[str, list[dict[str, Any]]] = {}
    for text in bank.texts:
        text_at = text_speaks_at(text)
        for claim in text.claims:
            outcome = catalog.outcomes.get(claim.question)
            known = outcome is not None and outcome.resolved_at <= moment
            if claim.shown_only or outcome is None or not known or outcome.outcome == ANNULLED:
                continue
            model = [f for f in model_forecasts.get(claim.question, []) if f.issued_at <= text_at]
            p = model[-1].value.probability if model else None
            seen = float(outcome.outcome == "yes")
            score, low, high, others = claim_scores(claim, seen)
            by_text.setdefault(text.id, []).append(
                {
                    "claim": claim.id,
                    "question": claim.question,
                    "text": text.id,
                    "says": claim.scored.middle,
                    "band": claim.scored.name,
                    "outcome": seen,
                    "score": score,
                    "score_low": low,
                    "score_high": high,
                    "flat_denial": {str(p): other for p, other in others.items()},
                    "model": p,
                    "model_score": None if p is None else (p - seen) ** 2,
                }
            )
    return by_text


def _scorecard(claims: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Average the claims' scores; the model's over the claims that it had spoken on by then."""
    both = [claim for claim in claims if claim["model_score"] is not None]

    def mean(rows: Sequence[Mapping[str, Any]], key: str) -> float | None:
        return sum(row[key] for row in rows) / len(rows) if rows else None

    return {
        "n_claims": len(claims),
        "claims_score": mean(claims, "score"),
        "claims_low": mean(claims, "score_low"),
        "claims_high": mean(claims, "score_high"),
        "n_claims_model": len(both),
        "claims_score_there": mean(both, "score"),
        "claims_model": mean(both, "model_score"),
    }


def beside(ledger: Ledger, *, now: dt.datetime, kind: str, run: str = "") -> dict[str, Any]:
    """List open questions and options that a worldview has spoken on, one row each."""
    catalog = Catalog.of(ledger)
    last = {
        (forecast.question, forecast.forecaster): forecast
        for forecast in select(ledger, catalog, Selection(kind, run))
        if forecast.forecaster in (MODEL, POOL) or family(forecast.forecaster) == "worldview"
    }
    names = ordered({name for _, name in last})
    rows = []
    for question in catalog.open_at(now):
        spoken = {name: last[question.id, name] for name in names if (question.id, name) in last}
        views = [name for name in spoken if family(name) == "worldview"]
        if not views:
            continue
        numeric = question.type == "numeric"
        for outcome, says in _numbers(question.type, spoken):
            among = [says[name] for name in views]
            rows.append(
                {
                    "question": question.id,
                    "title": question.title,
                    "outcome": outcome,
                    "type": question.type,
                    "unit": question.space.unit if numeric else "",
                    "says": says,
                    "apart": None if numeric else max(among) - min(among),
                }
            )
    return {"forecasters": names, "rows": rows, "kind": kind}


def _numbers(kind: str, spoken: Mapping[str, Forecast]) -> list[tuple[str, dict[str, float]]]:
    """Give what each said of each outcome; of quantiles the one nearest to the median."""
    if kind == "numeric":
        middle = {}
        for name, forecast in spoken.items():
            levels = [abs(float(label) - 50.0) for label in forecast.value.labels]
            middle[name] = forecast.value.numbers[levels.index(min(levels))]
        return [("median", middle)]
    options = [""] if kind == "binary" else next(iter(spoken.values())).value.labels
    return [
        (option, {name: forecast.value.numbers[k] for name, forecast in spoken.items()})
        for k, option in enumerate(options)
    ]
