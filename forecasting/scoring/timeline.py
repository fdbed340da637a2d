"""When each forecast stood: from an event-sourced frame to whole microseconds of UTC.

Instants are integers from here on, so that no change of the clocks alters a duration and equal
times compare as equal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forecasting.arrays import FloatArray, IntArray
from forecasting.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

DAY = 86_400_000_000
NEVER = np.iinfo(np.int64).max

COLUMNS = (
    *("question", "forecaster", "forecast", "issued_at", "withdrawn_at"),
    *("opens", "closes", "closed_at", "outcome"),
)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Rows of a frame on the time axis; all instants in microseconds since 1970, UTC.

    Of shape (n,): codes of each row's question and of its (question, forecaster) pair; a forecast
    stands in [issued, stop); `end` is the earlier of the close and the known resolution. `first`,
    of shape (m,), is the first row of each pair.
    """

    question: IntArray
    pair: IntArray
    first: IntArray
    issued: IntArray
    stop: IntArray
    opens: IntArray
    closes: IntArray
    end: IntArray

    def durations(self) -> IntArray:
        """Time that each forecast stood while its question was open."""
        started = np.maximum(self.issued, self.opens)
        stood: IntArray = np.maximum(np.minimum(self.stop, self.end) - started, 0)
        return stood

    def is_open(self, moment: IntArray) -> NDArray[np.bool_]:
        """Whether each row's question was open, its answer not yet known, at its moment."""
        is_open: NDArray[np.bool_] = (self.opens <= moment) & (moment < self.end)
        return is_open

    def standing(self, moment: IntArray) -> NDArray[np.bool_]:
        """Whether each row's forecast stood at its moment: at most one row of a pair does."""
        return (self.issued <= moment) & (moment < self.stop) & self.is_open(moment)

    def moments(self, at: Any, questions: "pd.Series[Any]") -> IntArray:
        """Turn `at`, a share of the window or an instant, into a moment for each row."""
        import pandas as pd

        if isinstance(at, pd.Series | Mapping):
            series = pd.Series(at)
            unknown = ~questions.isin(list(series.index))
            if unknown.any():
                raise InvalidInput(f"at (question {questions[unknown].iloc[0]!r}): has no instant")
            return instants(questions.map(series), "at")
        if isinstance(at, datetime | np.datetime64):
            moment = instants(pd.Series([at]), "at")[0]
            return np.full(len(self.pair), moment)
        if not (isinstance(at, float | int | np.number) and 0 <= at < 1):
            message = f"at ({at!r}): must be a share in [0, 1) of the window, or aware instants"
            raise InvalidInput(message)
        length: FloatArray = (self.closes - self.opens).astype(np.float64)
        return self.opens + np.rint(at * length).astype(np.int64)


def read(frame: "pd.DataFrame") -> Timeline:
    """Read and check the time columns of a frame with one row per issued forecast."""
    import pandas as pd

    missing = [column for column in COLUMNS if column not in frame.columns]
    if missing:
        message = f"frame (without {', '.join(missing)}): needs the columns {', '.join(COLUMNS)}"
        raise InvalidInput(message)
    if frame.empty:
        raise InvalidInput("frame (empty): at least one forecast is needed")
    question = _codes(frame["question"], "question")
    forecaster = _codes(frame["forecaster"], "forecaster")
    pair, _ = pd.factorize(question * (int(forecaster.max()) + 1) + forecaster)
    pair = pair.astype(np.int64)
    first = first_rows(pair)

    issued = instants(frame["issued_at"], "issued_at")
    withdrawn = instants(frame["withdrawn_at"], "withdrawn_at", missing=NEVER)
    opens = instants(frame["opens"], "opens")
    closes = instants(frame["closes"], "closes")
    closed = instants(frame["closed_at"], "closed_at", missing=NEVER)
    for name, values in (("opens", opens), ("closes", closes), ("closed_at", closed)):
        constant(question, values, frame, name)
    _in_order(frame, opens, closes, "closes", "must be after opens", strict=True)
    _in_order(frame, issued, withdrawn, "withdrawn_at", "must not be before issued_at")
    return Timeline(
        question=question,
        pair=pair,
        first=first,
        issued=issued,
        stop=np.minimum(_replaced(pair, issued, frame), withdrawn),
        opens=opens,
        closes=closes,
        # A resolution that was known before the opening leaves no time to score.
        end=np.clip(closed, opens, closes),
    )


def constant(question: IntArray, values: NDArray[Any], frame: "pd.DataFrame", name: str) -> None:
    """Refuse a column that says two things of one question."""
    differs = values != values[first_rows(question)][question]
    if differs.any():
        row = int(np.argmax(differs))
        message = (
            f"{name} ({frame[name].iloc[row]} in row {row}): must be the same in every row of "
            f"question {frame['question'].iloc[row]!r}"
        )
        raise InvalidInput(message)


def first_rows(code: IntArray) -> IntArray:
    """Give the first row of each code, for codes 0..m-1 that all occur."""
    first = np.empty(int(code.max()) + 1, dtype=np.int64)
    # Of several values for one place NumPy keeps the last: backwards, that is the first row.
    first[code[::-1]] = np.arange(len(code))[::-1]
    return first


def instants(column: "pd.Series[Any]", name: str, *, missing: int | None = None) -> IntArray:
    """Aware datetimes as microseconds of UTC; `missing` stands for an absent one."""
    import pandas as pd

    absent = column.isna().to_numpy()
    if absent.any() and missing is None:
        raise InvalidInput(f"{name} (missing in row {int(np.argmax(absent))}): every row needs one")
    result = np.full(len(column), NEVER if missing is None else missing, dtype=np.int64)
    present = column[~absent]
    if len(present) == 0:
        return result
    if not isinstance(present.dtype, pd.DatetimeTZDtype):
        present = present.astype(object)
        for value in present:
            if not isinstance(value, datetime) or value.tzinfo is None:
                message = f"{name} ({value!r}): must be a datetime with its time zone"
                raise InvalidInput(message, hint=f"pandas.to_datetime({name}, utc=True)")
    # Microseconds reach past the year 9999; pandas' nanoseconds end in 2262.
    utc = pd.to_datetime(present, utc=True).dt.as_unit("us")
    result[~absent] = utc.to_numpy(dtype="datetime64[us]").astype(np.int64)
    return result


def _replaced(pair: IntArray, issued: IntArray, frame: "pd.DataFrame") -> IntArray:
    """When the same forecaster's next forecast began; two in one instant are refused."""
    following = np.full(len(pair), NEVER)
    # Who spoke once is replaced by nothing: only the others need sorting.
    several = np.flatnonzero(np.bincount(pair)[pair] > 1)
    by_time = several[np.argsort(issued[several], kind="stable")]
    order = by_time[np.argsort(pair[by_time], kind="stable")]
    same = pair[order][1:] == pair[order][:-1]
    later = issued[order[1:][same]]
    twice = later == issued[order[:-1][same]]
    if twice.any():
        row = int(order[1:][same][np.argmax(twice)])
        who, asked = frame["forecaster"].iloc[row], frame["question"].iloc[row]
        message = (
            f"issued_at ({frame['issued_at'].iloc[row]} in row {row}): {who!r} has two forecasts "
            "on "
            f"question {asked!r} at that instant, and rows have no order"
        )
        raise InvalidInput(message, hint="keep the later one")
    following[order[:-1][same]] = later
    return following


def _codes(column: "pd.Series[Any]", name: str) -> IntArray:
    import pandas as pd

    codes, _ = pd.factorize(column)
    if (codes < 0).any():
        raise InvalidInput(f"{name} (missing in row {int(np.argmin(codes))}): every row needs one")
    return codes.astype(np.int64)


def _in_order(
    frame: "pd.DataFrame",
    early: IntArray,
    late: IntArray,
    name: str,
    rule: str,
    *,
    strict: bool = False,
) -> None:
    wrong = late <= early if strict else late < early
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InvalidInput(f"{name} ({frame[name].iloc[row]} in row {row}): {rule}")
