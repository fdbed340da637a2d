"""What the ledger holds back: a forecast sealed until it is revealed, a rationale taken out."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

from forecasting.domain.forecast import LIVE_WITHIN, BriefForecast, Forecast, Value
from forecasting.domain.question import Question
from forecasting.domain.resolution import Withdrawal


@dataclass(frozen=True, slots=True)
class Sealed:
    """A forecast that is fixed and not yet shown: who, on what, when, and its commitment.

    `commitment` is SHA-256 in hexadecimal over a random salt and everything that the ledger hashes
    of the forecast, so the number can neither be read from it nor chosen afterwards.
    """

    question: str
    question_hash: str
    forecaster: str
    issued_at: dt.datetime
    commitment: str
    recorded_at: dt.datetime | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Reveal:
    """What opens a seal: the forecast, the number of the sealed entry, and both salts.

    `salt` is that of the seal, `because_salt` that of the rationale, in hexadecimal; without a
    rationale the latter is empty.
    """

    forecast: Forecast
    sealed: int
    salt: str
    because_salt: str = ""


@dataclass(frozen=True, slots=True)
class Redaction:
    """The text of a forecast's rationale was taken out of the ledger, and why."""

    forecast: int
    reason: str
    recorded_at: dt.datetime | None = None
    seq: int | None = None


#: When somebody spoke or withdrew, as which entry, and when that was recorded.
type _Spoken = tuple[dt.datetime, int, dt.datetime | None]


def placed(entry: Forecast | BriefForecast | Sealed) -> tuple[dt.datetime, int]:
    """Give the place of a forecast in its forecaster's record; a revealed one has its seal's."""
    place = entry.seq if isinstance(entry, Sealed) else entry.sealed or entry.seq
    return entry.issued_at, place or 0


def as_shown(
    forecasts: Iterable[Forecast], seals: Iterable[Sealed], withdrawals: Iterable[Withdrawal] = ()
) -> tuple[list[Forecast], list[Withdrawal]]:
    """Give forecasts and withdrawals as others could see them at each moment.

    A seal takes back what was said before it; its number is in force from when it was revealed.
    """
    listed, taken = list(forecasts), list(withdrawals)
    by_seal = [
        Withdrawal(s.question, s.forecaster, s.issued_at, s.recorded_at, s.seq) for s in seals
    ]
    later: dict[tuple[str, str], list[_Spoken]] = {}
    for f in listed:
        if f.sealed is None:
            later.setdefault((f.question, f.forecaster), []).append(
                (f.issued_at, f.seq or 0, f.recorded_at)
            )
    for w in (*taken, *by_seal):
        later.setdefault((w.question, w.forecaster), []).append(
            (w.withdrawn_at, w.seq or 0, w.recorded_at)
        )
    shown = []
    for f in listed:
        if f.sealed is None:
            shown.append(f)
            continue
        until = f.recorded_at or f.issued_at
        again = any(
            (f.issued_at, f.sealed) < (moment, seq)
            and moment <= until
            and (known or until) <= until
            for moment, seq, known in later.get((f.question, f.forecaster), ())
        )
        if not again:
            shown.append(replace(f, issued_at=until))
    shown.sort(key=lambda f: (f.issued_at, f.seq or 0))
    return shown, [*taken, *by_seal]


#: Levels in percent that leave next to nothing beyond them.
_EDGES = ("0.0000001", "99.9999999")


def counts_from(withdrawal: Withdrawal) -> dt.datetime:
    """Give when a live withdrawal counts: a late one from its recording, or it undoes losses."""
    recorded = withdrawal.recorded_at
    if recorded is None or recorded - withdrawal.withdrawn_at <= LIVE_WITHIN:
        return withdrawal.withdrawn_at
    return recorded


def worst_value(question: Question, outcome: str) -> Value:
    """Give the forecast that no other could score worse than, once the outcome is known."""
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
