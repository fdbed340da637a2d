"""Forecasts as scores need them: who said how much of what and when, in columns, nothing else.

A million forecasts as values with all their fields take minutes and gigabytes; a table of scores
asks for six columns.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import batched
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Text, and_, func, select, type_coerce

from forecasting.domain import Forecast
from forecasting.domain.forecast import STORED_KINDS
from forecasting.store.canonical import loads
from forecasting.store.ledger import Ledger
from forecasting.store.read import without_dropped
from forecasting.store.tables import forecast

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BATCH = 20_000
type Answer = float | list[float] | dict[float, float]


@dataclass(frozen=True, slots=True)
class ForecastColumns:
    """Forecasts by moment, then entry (0: not recorded); equal names are one object."""

    seq: "NDArray[np.int64]"
    question: list[str]
    forecaster: list[str]
    kind: list[str]
    answers: list[Answer]
    issued_at: "NDArray[np.datetime64]"

    def __len__(self) -> int:
        """Count the forecasts."""
        return len(self.question)

    def only(self, mask: "NDArray[np.bool_]") -> "ForecastColumns":
        """Give those for which a mask is true."""
        if mask.all():
            return self
        places = np.flatnonzero(mask).tolist()
        return ForecastColumns(
            self.seq[mask],
            [self.question[place] for place in places],
            [self.forecaster[place] for place in places],
            [self.kind[place] for place in places],
            [self.answers[place] for place in places],
            self.issued_at[mask],
        )


def columns_of(forecasts: Iterable[Forecast]) -> ForecastColumns:
    """Give the columns of forecasts that are at hand."""
    every = list(forecasts)
    return ForecastColumns(
        np.array([one.seq or 0 for one in every], dtype=np.int64),
        [one.question for one in every],
        [one.forecaster for one in every],
        [one.kind for one in every],
        [_answer(one.value.shape, one.value.labels, one.value.entered) for one in every],
        _moments([one.issued_at for one in every]),
    )


def read_columns(
    ledger: Ledger,
    *,
    kind: str,
    run: str | None = None,
    forecaster: str | None = None,
    question: Collection[str] | None = None,
    head: int | None = None,
) -> ForecastColumns:
    """Read the forecasts of a kind from a ledger, or those of some questions alone."""
    columns = (
        *(forecast.c[name] for name in ("seq", "question", "forecaster", "shape")),
        *(type_coerce(forecast.c[name], Text) for name in ("labels", "entered", "issued_at")),
    )
    equal = {"kind": STORED_KINDS.get(kind, kind), "run": run, "forecaster": forecaster}
    where = [forecast.c[name] == value for name, value in equal.items() if value is not None]
    if question is not None:
        where.append(forecast.c.question.in_(question))
    place = func.coalesce(forecast.c.sealed, forecast.c.seq)
    names: dict[str, str] = {}
    seqs: list[NDArray[np.int64]] = []
    questions: list[str] = []
    people: list[str] = []
    answers: list[Answer] = []
    moments: list[NDArray[np.datetime64]] = []
    with ledger.reading() as connection:
        where += without_dropped(forecast, head)
        statement = select(*columns).where(and_(True, *where)).order_by(forecast.c.issued_at, place)
        rows = connection.execution_options(yield_per=_BATCH).execute(statement)
        for batch in batched(rows, _BATCH):
            seq, question, who, shape, labels, entered, issued = zip(*batch, strict=True)
            seqs.append(np.array(seq, dtype=np.int64))
            questions += [names.setdefault(name, name) for name in question]
            people += [names.setdefault(name, name) for name in who]
            answers += map(_read, shape, labels, entered)
            moments.append(_moments(issued))
    return ForecastColumns(
        np.concatenate(seqs) if seqs else np.array([], dtype=np.int64),
        questions,
        people,
        [kind] * len(questions),
        answers,
        np.concatenate(moments) if moments else _moments([]),
    )


@lru_cache(maxsize=65536)
def _read(shape: str, labels: str, entered: str) -> Answer:
    return _answer(shape, loads(labels), loads(entered))


def _answer(shape: str, labels: Iterable[str], entered: Iterable[str]) -> Answer:
    numbers = [float(text) for text in entered]
    if shape == "binary":
        return numbers[0]
    if shape == "options":
        return numbers
    return {float(level) / 100: number for level, number in zip(labels, numbers, strict=True)}


def _moments(times: Iterable[Any]) -> "NDArray[np.datetime64]":
    """Give moments of UTC, from the text of SQLite or from aware datetimes."""
    plain = [
        one[:-1] if isinstance(one, str) else one.astimezone(dt.UTC).replace(tzinfo=None)
        for one in times
    ]
    return np.array(plain, dtype="datetime64[us]")
