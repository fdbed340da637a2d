"""Judgements: what people had said by a moment, with what came of it where that was known."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from forecasting.domain.forecast import Forecast
from forecasting.domain.question import ANNULLED, Question
from forecasting.domain.resolution import Resolution, Withdrawal

__all__ = ["MACHINES", "SPOT", "Judgement", "judgements_known"]

#: A record is read once a question, at this share of its scheduled window.
SPOT = 0.5
#: Who never judges: the tool's own forecasters, and whatever begins with ``worldview:``, ``pool:``.
MACHINES = frozenset(
    {"model", "prior", "base-rate", "climatology", "uniform", "always-0.5", "worldview", "pool"}
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One person's probability of yes on one question.

    Attributes
    ----------
    question, event
        The question and its cluster.
    probability
        As said.
    outcome
        0 or 1, known and due by the moment asked about; None where the judgement is in force now.
    """

    question: str
    event: str
    forecaster: str
    probability: float
    issued_at: dt.datetime
    outcome: float | None = None


def judgements_known(
    forecasts: Iterable[Forecast],
    withdrawals: Iterable[Withdrawal],
    questions: Mapping[str, Question],
    outcomes: Mapping[str, Resolution],
    as_of: dt.datetime,
    *,
    recorded: bool = False,
) -> tuple[Judgement, ...]:
    """Give every person's record, and the judgements in force, as of a moment.

    The record: one judgement a question, the one in force in the middle of the scheduled window,
    if the question was open then; it counts once the window is over and the outcome known before
    `as_of`, so that early yeses do not come in ahead of the noes. In force: the latest of each
    person on each question still open.

    Parameters
    ----------
    forecasts : iterable of Forecast
        Of any kind; those of the tool's own forecasters and of replays are left out.
    withdrawals : iterable of Withdrawal
        What was taken back.
    questions, outcomes : mapping
        By question id.
    as_of : datetime
        Nothing issued, taken back or known later counts.
    recorded : bool
        Also require that the ledger had recorded the forecast by then (a live forecast).

    Returns
    -------
    tuple of Judgement
        In an order of their own.

    Examples
    --------
    >>> judgements_known([], [], {}, {}, dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    ()
    """
    mine: dict[tuple[str, str], list[Forecast]] = {}
    for forecast in forecasts:
        if _judges(forecast) and forecast.issued_at <= as_of and forecast.question in questions:
            late = forecast.recorded_at is None or forecast.recorded_at > as_of
            if not (recorded and late):
                mine.setdefault((forecast.question, forecast.forecaster), []).append(forecast)
    taken: dict[tuple[str, str], list[dt.datetime]] = {}
    for withdrawal in withdrawals:
        key = (withdrawal.question, withdrawal.forecaster)
        taken.setdefault(key, []).append(withdrawal.withdrawn_at)
    found: list[Judgement] = []
    for (name, who), said in sorted(mine.items()):
        question, outcome = questions[name], outcomes.get(name)
        known_at = None if outcome is None else outcome.resolved_at
        gone = taken.get((name, who), [])
        if known_at is None or known_at > as_of:
            moment = min(as_of, question.closes)
            known = None
        else:
            moment = question.opens + SPOT * (question.closes - question.opens)
            due = known_at < as_of and question.closes <= as_of and moment < known_at
            if outcome is None or outcome.outcome == ANNULLED or not due:
                continue
            known = question.space.label(outcome.outcome)
        standing = _in_force(said, gone, moment)
        if standing is not None:
            found.append(
                Judgement(
                    name, question.event, who, standing.value.numbers[0], standing.issued_at, known
                )
            )
    return tuple(found)


def _judges(forecast: Forecast) -> bool:
    own = forecast.forecaster.partition(":")[0] in MACHINES
    return forecast.kind != "replay" and forecast.value.shape == "binary" and not own


def _in_force(
    said: list[Forecast], gone: list[dt.datetime], moment: dt.datetime
) -> Forecast | None:
    before = [forecast for forecast in said if forecast.issued_at <= moment]
    if not before:
        return None
    latest = max(before, key=lambda forecast: (forecast.issued_at, forecast.seq or 0))
    withdrawn = any(latest.issued_at <= when <= moment for when in gone)
    return None if withdrawn else latest
