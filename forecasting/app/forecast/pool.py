"""Pools: the forecasters in force combined, logged on request, and scored as forecasters."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from forecasting.app.ledger.log import form_of
from forecasting.app.scores.frame import Selection, resolved, shown
from forecasting.domain.catalog import Catalog, latest
from forecasting.domain.forecast import DENSE, SHOWN, Forecast, model_value
from forecasting.domain.forecasters import family, ordered
from forecasting.domain.instants import iso
from forecasting.domain.pools import METHODS
from forecasting.domain.question import Question
from forecasting.errors import InvalidInput, NotFound, nearest
from forecasting.pooling import linear, linear_quantiles, log_linear
from forecasting.pooling.methods import SHARES, Crowd, Past, Solved, combine, method_of, rising
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd

#: Forecasters that are no judgement of their own stay out of a pool unless named.
NO_JUDGEMENT = ("pool", "uniform", "climatology", "prior")
#: The model with a part taken out: beside people, these would give the model four voices.
OF_THE_MODEL = ("without-links", "without-news", "base-rate")
#: Half Brier score of the uniform forecast.
_UNIFORM = 0.25
#: What can be pooled without a probability of yes.
FOR_OPTIONS = ("linear", "geometric-odds")


def pool(
    ledger: Ledger,
    name: str,
    *,
    now: dt.datetime,
    method: str = "geometric-odds",
    members: Sequence[str] = (),
    selection: Selection | None = None,
    log: bool = False,
) -> list[dict[str, Any]]:
    """Combine the forecasts in force on a question, or on each rung of a ladder."""
    wanted = selection or Selection()
    method = method_of(method)
    if log and (wanted.as_of is not None or wanted.kind != "live"):
        msg = "log: only live forecasts pooled now are logged"
        raise InvalidInput(msg, hint=f"forecast pool {name} --method {method} --log")
    moment = wanted.as_of or now
    head = None if wanted.as_of is None or wanted.kind != "live" else ledger.head_at(moment)
    catalog = Catalog.of(ledger)
    if head is not None:
        # The name is looked up among all questions; an outcome recorded later ended none by then.
        catalog = replace(catalog, outcomes=Catalog.of(ledger, head=head).outcomes)
    questions = catalog.find(name)
    is_open = [q for q in questions if q.opens <= moment < catalog.ends(q)]
    if not is_open:
        msg = f"question ({name}): is not open at {iso(moment)}, so no forecast is in force"
        raise InvalidInput(msg, hint="as_of=TIME")
    chosen = Selection(wanted.kind, wanted.run, question=name, as_of=moment)
    forecasts, withdrawals = shown(ledger, catalog, chosen, head=head)
    ends = sorted((w.withdrawn_at, w.question, w.forecaster) for w in withdrawals)
    withdrawn = {(question, who): at for at, question, who in ends if at <= moment}
    if wanted.kind == "replay":
        withdrawn = {}
    past = None
    if any(question.type == "binary" for question in is_open):
        record = Selection(wanted.kind, wanted.run, as_of=moment)
        past = _past(resolved(ledger, record, seals="shown"), ())
    pooled = []
    for q in is_open:
        inside = _in_force(forecasts, q, withdrawn)
        row, draft = _pooled(q, inside, members, method, moment, past)
        every = ledger.forecasts(question=q.id, head=head) if wanted.kind == "live" else []
        others = {f.forecaster: f.kind for f in every if f.issued_at <= moment and not f.run}
        row["left_out"] = _left_out(inside, row["members"], others)
        pooled.append((row, draft))
    monotone = monotone_ladders(is_open, [draft for _, draft in pooled])
    drafts = [draft for draft, _ in monotone]
    rows = [
        {**row, "forecast": draft.value.plain_of(q.space), "note": note, "kind": wanted.kind}
        for q, (row, _), (draft, note) in zip(is_open, pooled, monotone, strict=True)
    ]
    if log:
        recorded = ledger.append(drafts, recorded_at=now)
        rows = [
            {**row, "seq": entry.seq, "id": entry.id, "hash": entry.hash}
            for row, entry in zip(rows, recorded, strict=True)
        ]
    return rows


def pool_scores(
    ledger: Ledger,
    *,
    methods: Sequence[str] = (),
    members: Sequence[str] = (),
    selection: Selection | None = None,
    resamples: int = 4999,
) -> list[dict[str, Any]]:
    """Score every pool as a forecaster, at 25, 50 and 75 % of each question's window.

    Where fewer than two members spoke it scores as the uniform forecast: were such moments left
    out, early answers would weigh more because of what they were, and the score would not be
    proper.
    """
    wanted = selection or Selection()
    used = list(dict.fromkeys(method_of(method) for method in methods or METHODS))
    record = Selection(wanted.kind, wanted.run, as_of=wanted.as_of)
    past = _past(resolved(ledger, record, seals="shown"), members)
    solved = past.solved
    if wanted.question or wanted.tag:
        asked = resolved(ledger, wanted)
        solved = [item for item in solved if item.crowd.question in set(asked["question"])]
    crowds = sorted(
        (item for item in solved if len(item.crowd.forecasts) >= 2),
        key=lambda item: (item.crowd.at, item.crowd.question),
    )
    if not crowds:
        return []
    scores = {
        f"pool:{method}": [
            (combine(method, item.crowd, past) - item.outcome) ** 2 for item in crowds
        ]
        for method in dict.fromkeys([*used, "geometric-odds"])
    }
    scores["members"] = [
        float(((item.crowd.forecasts - item.outcome) ** 2).mean()) for item in crowds
    ]
    names = [*(f"pool:{method}" for method in used), "members"]
    return _score_rows(crowds, scores, names, wanted.kind, resamples)


def _score_rows(
    crowds: Sequence[Solved],
    scores: dict[str, list[float]],
    names: Sequence[str],
    kind: str,
    resamples: int,
) -> list[dict[str, Any]]:
    import pandas as pd

    from forecasting.comparison import level_interval, paired_bootstrap

    table = pd.DataFrame(
        {
            "question": [item.crowd.question for item in crowds],
            "event": [item.event for item in crowds],
            "spot": [item.spot for item in crowds],
            **scores,
        }
    )
    grouped = table.groupby("question", sort=True)
    spoken = grouped.size()
    sums = grouped[list(scores)].sum()
    means = sums.add(_UNIFORM * (len(SHARES) - spoken), axis=0) / len(SHARES)
    means["event"] = grouped["event"].first()
    still_open = {item.crowd.question: item.spots_open for item in crowds}
    spots = len(SHARES) * len(means)
    by_spot = table.groupby("spot")[list(scores)].mean()
    plain, cluster = means["pool:geometric-odds"], means["event"].tolist()
    rows = []
    for name in names:
        interval = level_interval(means[name], cluster, bounds=(0, 1), resamples=resamples)
        gap = paired_bootstrap(means[name], plain, cluster=cluster, resamples=resamples)
        rows.append(
            {
                "forecaster": name,
                "type": "binary",
                "rule": "brier",
                "convention": "half",
                "orientation": "smaller",
                "kind": kind,
                "window": "spots at 25, 50, 75 %",
                "proper": True,
                "n_questions": len(means),
                "n_forecasts": len(table),
                "n_events": int(means["event"].nunique()),
                "coverage": len(table) / spots,
                "possible_coverage": sum(still_open.values()) / spots,
                "mean": interval.mean,
                "lower": interval.lower,
                "upper": interval.upper,
                "skill": _UNIFORM - interval.mean,
                "reference": _UNIFORM,
                **{
                    f"mean_{spot}": float(by_spot[name][spot])
                    for spot in sorted(set(table["spot"]))
                },
                **{f"n_{spot}": int(n) for spot, n in table.groupby("spot").size().items()},
                "against": "pool:geometric-odds",
                "difference": None if name == "pool:geometric-odds" else gap.difference,
                "difference_lower": gap.lower,
                "difference_upper": gap.upper,
                "note": interval.note,
            }
        )
    return rows


def _members(present: Iterable[str], wanted: Sequence[str]) -> list[str]:
    names = ordered(present)
    for name in wanted:
        if name not in names:
            msg = f"member ({name}): has no forecast here"
            near = nearest(name, dict.fromkeys(names))
            raise NotFound(msg, hint=near or ", ".join(names) or "forecast history")
    excluded: tuple[str, ...] = NO_JUDGEMENT
    if any(family(name) in ("person", "crowd") for name in names):
        excluded += OF_THE_MODEL
    return list(dict.fromkeys(wanted)) or [n for n in names if family(n) not in excluded]


def _left_out(
    inside: Iterable[str], members: Sequence[str], others: Mapping[str, str]
) -> dict[str, str]:
    """Give the reason for each forecaster of a question who is no member of its pool."""
    reasons = {}
    for name in ordered({*inside, *others} - {*members}):
        what = family(name)
        if name not in inside and others[name] != "live":
            reasons[name] = others[name]
        elif name not in inside:
            reasons[name] = "withdrawn"
        elif what in OF_THE_MODEL:
            reasons[name] = "the model without a part"
        else:
            reasons[name] = "no judgement of its own" if what in NO_JUDGEMENT else "not named"
    return reasons


def _in_force(
    forecasts: Sequence[Forecast], question: Question, withdrawn: dict[tuple[str, str], dt.datetime]
) -> dict[str, Forecast]:
    """Give each forecaster's last forecast of a question, unless taken back since."""
    return {
        name: forecast
        for (_, name), forecast in latest(f for f in forecasts if f.question == question.id).items()
        if not (withdrawn_at := withdrawn.get((question.id, name)))
        or withdrawn_at < forecast.issued_at
    }


def _pooled(
    question: Question,
    inside: dict[str, Forecast],
    wanted: Sequence[str],
    method: str,
    moment: dt.datetime,
    past: Past | None,
) -> tuple[dict[str, Any], Forecast]:
    names = _members(inside, wanted)
    if not names:
        msg = f"question ({question.id}): no forecast is in force at {iso(moment)}"
        raise NotFound(msg, hint=f"forecast log {question.id} {' '.join(form_of([question]))}")
    values = [inside[name].value for name in names]
    if question.type == "binary" and past is not None:
        crowd = Crowd(
            question.id,
            tuple(names),
            np.array([value.numbers[0] for value in values]),
            tuple(max(inside[name].issued_at, question.opens) for name in names),
            moment,
            question.opens,
            question.closes,
        )
        pooled = model_value(question.space, [combine(method, crowd, past)])
    elif question.type == "numeric":
        if method != "linear":
            msg = f"method ({method}): numbers are pooled by linear"
            raise InvalidInput(msg, hint="method=linear")
        alike = len({value.labels for value in values}) == 1 and len(values[0].labels) <= DENSE
        # Quantiles at other levels are interpolated linearly at these.
        levels = [float(label) for label in values[0].labels] if alike else list(SHOWN)
        quantiles = [list(value.at(levels).values()) for value in values]
        mixture = linear_quantiles(quantiles, [level / 100 for level in levels])
        pooled = model_value(question.space, mixture.tolist(), levels)
    else:
        if method not in FOR_OPTIONS:
            msg = f"method ({method}): options are pooled by {' or '.join(FOR_OPTIONS)}"
            raise InvalidInput(msg, hint="method=linear")
        vectors = np.array([value.numbers for value in values])
        mixed = linear(vectors, axis=0) if method == "linear" else log_linear(vectors)
        pooled = model_value(question.space, mixed.tolist())
    draft = Forecast(
        question=question.id,
        question_hash=question.wording_hash,
        forecaster=f"pool:{method}",
        value=pooled,
        issued_at=moment,
        kind="live",
        because=f"{method} of {', '.join(names)}",
    )
    row = {
        "question": question.id,
        "method": method,
        "forecast": pooled.plain_of(question.space),
        "members": names,
        "said": {name: inside[name].value.plain_of(question.space) for name in names},
        "as_of": moment,
    }
    return row, draft


def _past(frame: "pd.DataFrame", members: Sequence[str]) -> Past:
    """Give the members' forecasts of the yes-no questions of a frame, and their crowds."""
    frame = frame[(frame["type"] == "binary") & ~frame["too_soon"]]
    frame = frame[frame["forecaster"].isin(_members(frame["forecaster"], members))]
    columns = ["question", "forecaster", "forecast", "issued_at", "outcome", "resolved_at"]
    history = frame[columns].assign(counts_from=frame[["resolved_at", "closes"]].max(axis=1))
    return Past(_solved(frame), history.astype({"forecast": float, "outcome": float}))


def _solved(frame: "pd.DataFrame") -> list[Solved]:
    """Give the crowds at each share of each resolved question's window while it was open."""
    from forecasting.scoring import lifetime

    solved: list[Solved] = []
    for share in SHARES if len(frame) else ():
        standing = lifetime.standing(frame, at=share)
        standing["since"] = standing[["issued_at", "opens"]].max(axis=1)
        for question, rows in standing.groupby("question", sort=False):
            first = rows.iloc[0]
            crowd = Crowd(
                str(question),
                tuple(rows["forecaster"]),
                rows["forecast"].to_numpy(dtype=np.float64),
                tuple(rows["since"]),
                first["at"],
                first["opens"],
                first["closes"],
            )
            outcome, event = float(first["outcome"]), str(first["event"])
            solved.append(Solved(crowd, round(100 * share), outcome, event, first["resolved_at"]))
    return solved


def monotone_ladders(
    questions: Sequence[Question], values: Sequence[Forecast]
) -> list[tuple[Forecast, str]]:
    """Give each pooled forecast with a note; the rungs of a ladder are made to rise by deadline."""
    noted = [(value, "") for value in values]
    ladders: dict[str, list[int]] = {}
    for place, question in enumerate(questions):
        if question.ladder and question.type == "binary":
            ladders.setdefault(question.ladder, []).append(place)
    for places in ladders.values():
        order = sorted(places, key=lambda place: questions[place].closes)
        before = [values[place].value.numbers[0] for place in order]
        for place, was, now in zip(order, before, rising(before), strict=True):
            if now != was:
                note = f"pooled to {was:.3g}; set to {now:.3g}, because a ladder cannot fall"
                value = model_value(questions[place].space, [float(now)])
                because = f"{values[place].because}; {note}"
                noted[place] = replace(values[place], value=value, because=because), note
    return noted
