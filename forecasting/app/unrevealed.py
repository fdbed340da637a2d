"""Seals that are not opened, as the tables read them.

A forecaster who may choose, once the outcome is known, between showing a number and being counted
as silent gains by choosing: with a fair coin, .1 shown only after a no has an expected Brier score
of .13, and an honest .5 has .25. So where scores are compared, a seal that is not opened counts
as the worst number that it could have held, until its forecaster speaks again. Then opening it is
never worse than not, whatever is in it, and what is left is the score of what was said.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Literal

from forecasting.app.catalog import Catalog
from forecasting.app.seal import hidden
from forecasting.domain import ANNULLED, Forecast, Question, Sealed, Value, Withdrawal
from forecasting.domain.forecast import LIVE_WITHIN
from forecasting.domain.sealed import as_shown, placed
from forecasting.store import Ledger

#: How a table reads seals: what is hidden is missing, or counts as the worst; or every number
#: stands from when it was shown, as for whoever learns from it.
Seals = Literal["missing", "worst", "shown"]
#: Levels in percent that leave next to nothing beyond them.
_EDGES = ("0.0000001", "99.9999999")


def read_seals(
    ledger: Ledger,
    catalog: Catalog,
    forecasts: Iterable[Forecast],
    *,
    among: Sequence[Sealed],
    seals: Seals,
    head: int | None = None,
) -> tuple[list[Forecast], list[Withdrawal]]:
    """Give the live forecasts of a table, in order, and what was taken back.

    Parameters
    ----------
    forecasts : iterable of Forecast
        The revealed ones count from when they were sealed.
    among : sequence of Sealed
        The seals that the table asks for, opened or not.
    seals : {"missing", "worst", "shown"}
        See :data:`Seals`.
    head : int, optional
        What the ledger held up to that entry.

    Returns
    -------
    tuple
        For ``missing`` each hidden seal is a withdrawal; for ``worst`` it is a forecast, made of
        the outcome that stands.
    """
    chosen, taken = list(forecasts), ledger.withdrawals(head=head)
    if seals == "shown":
        return as_shown(chosen, among, taken)
    closed = {seal.seq for seal in hidden(ledger, head=head)}
    for seal in among:
        if seal.seq not in closed:
            continue
        worst = _as_worst(catalog, seal) if seals == "worst" else None
        if worst is None:
            taken.append(Withdrawal(seal.question, seal.forecaster, seal.issued_at))
        else:
            chosen.append(worst)
    return sorted(chosen, key=placed), taken


def count_worst(
    ledger: Ledger, catalog: Catalog, among: Iterable[Sealed], *, head: int | None = None
) -> int:
    """Count the hidden seals that a table reads as the worst that they could hold."""
    closed = {seal.seq for seal in hidden(ledger, head=head)}
    return sum(seal.seq in closed and _as_worst(catalog, seal) is not None for seal in among)


def counts_from(taken: Withdrawal) -> dt.datetime:
    """Give when a withdrawal begins to count for what was logged live.

    One that is recorded more than 15 minutes after its time counts from its recording: else what
    went wrong could be taken back from before it did.
    """
    recorded = taken.recorded_at
    if recorded is None or recorded - taken.withdrawn_at <= LIVE_WITHIN:
        return taken.withdrawn_at
    return recorded


def _as_worst(catalog: Catalog, seal: Sealed) -> Forecast | None:
    """Give the forecast that a hidden seal counts as; None where nobody could have opened it."""
    question = catalog.questions[seal.question]
    standing = catalog.outcomes.get(question.id)
    reworded = question.wording_hash != seal.question_hash
    if standing is None or standing.outcome == ANNULLED or reworded:
        return None
    return Forecast(
        question=seal.question,
        question_hash=seal.question_hash,
        forecaster=seal.forecaster,
        value=worst_value(question, standing.outcome),
        issued_at=seal.issued_at,
        kind="live",
        recorded_at=seal.recorded_at,
        seq=seal.seq,
    )


def worst_value(question: Question, outcome: str) -> Value:
    """Give the forecast that no other could score worse than, once the outcome is known.

    Certainty of what did not happen; of ordered options the farthest, of numbers the farther
    bound.
    """
    space = question.space
    label = space.label(outcome)
    if space.type == "binary":
        return Value("binary", ("yes",), ("0" if label else "1",))
    if space.type == "numeric":
        low, high = space.lower or 0.0, space.upper or 0.0
        bound = low if label - low > high - label else high
        return Value("quantiles", _EDGES, (repr(bound),) * 2)
    last = len(space.options) - 1
    wrong = 0 if label > last - label else last
    entered = tuple("1" if i == wrong else "0" for i in range(last + 1))
    return Value("options", space.options, entered)
