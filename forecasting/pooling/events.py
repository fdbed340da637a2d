"""The edge of the learned pool: from tables of forecasts to sorted arrays without hindsight."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forecasting.arrays import FloatArray, IntArray
from forecasting.errors import InvalidInput
from forecasting.scoring import checks

if TYPE_CHECKING:
    import pandas as pd

# More extreme forecasts are clipped to this: no record supports them, and the Brier score at
# stake beyond it is .000025.
CLIP = 0.005
DAY = 86_400.0

CURRENT = ("question", "forecaster", "forecast", "issued_at")
HISTORY = (*CURRENT, "outcome", "resolved_at")


@dataclass(frozen=True, slots=True)
class Events:
    """Forecasts sorted by question, time and forecaster; one for each of the three.

    Of shape (n,): `question` and `forecaster`, codes into the sorted names, questions contiguous
    and rising; the probability given and its log-odds after clipping; `time` in days (or the unit
    of numeric times); `previous` and `next`, the same forecaster's events on the question (-1, n if
    none). Of shape (Q,): each question's `first` and `last` event, `outcome` and `resolved_at` (NaN
    where not known by `as_of`).
    """

    question: IntArray
    forecaster: IntArray
    forecast: FloatArray
    log_odds: FloatArray
    time: FloatArray
    first: IntArray
    last: IntArray
    previous: IntArray
    next: IntArray
    outcome: FloatArray
    resolved_at: FloatArray
    questions: NDArray[np.object_]
    forecasters: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.time)


def ends_of_instants(events: Events) -> IntArray:
    """Find the last event of the same question and instant as each event."""
    end = np.ones(len(events), dtype=bool)
    end[:-1] = (np.diff(events.question) != 0) | (np.diff(events.time) != 0)
    last: IntArray = np.flatnonzero(end)[np.cumsum(end) - end]
    return last


def current_events(current: "pd.DataFrame") -> Events:
    """Read forecasts that are to be pooled: no outcome is looked at."""
    table = _table(current, "current", CURRENT)
    if not len(table):
        raise InvalidInput("current (empty): at least one forecast is needed")
    return _events(table, "current", None)


def history_events(history: "pd.DataFrame", as_of: object) -> Events:
    """Read forecasts issued by `as_of` alone, with the outcomes that were known by then."""
    import pandas as pd

    table = _table(history, "history", HISTORY)
    now = _days(pd.Series([as_of]), "as_of")[0]
    if np.isnan(now):
        raise InvalidInput(f"as_of ({as_of}): must be a time")
    issued = _issued(table, "history")
    if len(table) and _numeric(pd.Series([as_of])) != _numeric(table["issued_at"]):
        message = f"as_of ({as_of!r}): must be of the kind of issued_at, numbers or instants"
        raise InvalidInput(message)
    return _events(table.loc[issued <= now].reset_index(drop=True), "history", float(now))


def _table(table: object, name: str, columns: tuple[str, ...]) -> "pd.DataFrame":
    import pandas as pd

    if not isinstance(table, pd.DataFrame):
        message = f"{name} ({type(table).__name__}): must be a DataFrame"
        raise InvalidInput(message, hint=f"its columns are {', '.join(columns)}")
    missing = [column for column in columns if column not in table.columns]
    if missing:
        message = f"{name} (without {', '.join(missing)}): needs the columns {', '.join(columns)}"
        raise InvalidInput(message)
    return table[list(columns)].reset_index(drop=True)


def _issued(table: "pd.DataFrame", name: str) -> FloatArray:
    time = _days(table["issued_at"], f"{name}: issued_at")
    if not np.isfinite(time).all():
        place = int(np.argmax(~np.isfinite(time)))
        raise InvalidInput(f"{name}: issued_at (missing at row {place}): every forecast has a time")
    return time


def _numeric(times: "pd.Series[Any]") -> bool:
    import pandas as pd

    kind = times.infer_objects().dtype
    return bool(pd.api.types.is_numeric_dtype(kind)) and kind.kind != "b"


def _days(times: "pd.Series[Any]", name: str) -> FloatArray:
    """Turn instants into days since 1970 (naive ones are UTC); numbers stay; missing is NaN."""
    import pandas as pd

    if _numeric(times):
        return times.to_numpy(dtype=np.float64, na_value=np.nan)
    try:
        instants = pd.to_datetime(times, utc=True, format=None if _typed(times) else "ISO8601")
    except (ValueError, TypeError) as error:
        message = f"{name} ({times.iloc[0]!r}...): must be times, ISO 8601 text or numbers"
        raise InvalidInput(message) from error
    seconds = instants.astype("datetime64[us, UTC]").astype("int64").to_numpy() / 1e6
    return np.where(instants.isna().to_numpy(), np.nan, seconds / DAY)


def _typed(times: "pd.Series[Any]") -> bool:
    return times.dtype.kind == "M" or not any(isinstance(value, str) for value in times)


def _codes(names: "pd.Series[Any]", what: str) -> tuple[IntArray, NDArray[np.object_]]:
    import pandas as pd

    missing = names.isna().to_numpy()
    if missing.any():
        message = f"{what} (missing at row {int(np.argmax(missing))}): every forecast has one"
        raise InvalidInput(message)
    codes, unique = pd.factorize(names.astype(object))
    labels = np.asarray(unique, dtype=object)
    try:
        order = np.argsort(labels, kind="stable")
    except TypeError:
        # Names of several types have no order of their own.
        order = np.argsort([f"{type(label)} {label}" for label in labels], kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[codes] if len(codes) else codes.astype(np.int64), labels[order]


def _events(table: "pd.DataFrame", name: str, now: float | None) -> Events:
    if len(table):
        forecast = checks.floats(table["forecast"].to_numpy(), f"{name}: forecast")
    else:
        forecast = np.zeros(0)
    outside = forecast[(forecast < 0) | (forecast > 1)]
    if outside.size:
        message = f"{name}: forecast ({outside[0]}): must lie in [0, 1]"
        raise InvalidInput(message, hint="divide percentages by 100" if outside[0] > 1 else "")
    time = _issued(table, name)
    question, questions = _codes(table["question"], f"{name}: question")
    forecaster, forecasters = _codes(table["forecaster"], f"{name}: forecaster")
    outcome = resolved = np.full(len(questions), np.nan)
    if now is not None:
        outcome, resolved = _resolutions(table, question, len(questions), now)
    return _sorted(question, forecaster, forecast, time, outcome, resolved, questions, forecasters)


def _resolutions(
    table: "pd.DataFrame", question: IntArray, count: int, now: float
) -> tuple[FloatArray, FloatArray]:
    """Outcome and time by question, from the rows resolved by `now` alone."""
    import pandas as pd

    resolved = _days(table["resolved_at"], "history: resolved_at")
    known = resolved <= now
    raw = pd.to_numeric(table["outcome"].where(known), errors="coerce")
    numbers = raw.to_numpy(dtype=np.float64, na_value=np.nan)
    spelled = known & table["outcome"].notna().to_numpy()
    wrong = spelled & (numbers != 0) & (numbers != 1)
    if wrong.any():
        value = table["outcome"].iloc[int(np.argmax(wrong))]
        message = f"history: outcome ({value}): must be 0 or 1, or missing"
        raise InvalidInput(message, hint="leave annulled questions out")
    low = np.full(count, np.inf)
    high = np.full(count, -np.inf)
    np.minimum.at(low, question[spelled], numbers[spelled])
    np.maximum.at(high, question[spelled], numbers[spelled])
    if (low < high).any():
        row = int(np.flatnonzero(np.isin(question, np.flatnonzero(low < high)))[0])
        message = f"history: outcome (0 and 1 for {table['question'].iloc[row]!r}): must be one"
        raise InvalidInput(message)
    outcome = np.where(np.isfinite(low), low, np.nan)
    resolved = np.where(spelled, resolved, np.nan)
    return outcome, _by_question(resolved, question, count)


def _by_question(values: FloatArray, question: IntArray, count: int) -> FloatArray:
    """Take each question's latest value, NaN where it has none."""
    latest = np.full(count, -np.inf)
    present = np.isfinite(values)
    np.maximum.at(latest, question[present], values[present])
    return np.where(np.isfinite(latest), latest, np.nan)


def _sorted(
    question: IntArray,
    forecaster: IntArray,
    forecast: FloatArray,
    time: FloatArray,
    outcome: FloatArray,
    resolved: FloatArray,
    questions: NDArray[np.object_],
    forecasters: NDArray[np.object_],
) -> Events:
    # The forecast itself is the last key, so that no order of rows shows through.
    order = np.lexsort((forecast, forecaster, time, question))
    question, forecaster = question[order], forecaster[order]
    forecast, time = forecast[order], time[order]
    clipped = np.clip(forecast, CLIP, 1 - CLIP)
    log_odds = np.log(clipped) - np.log1p(-clipped)
    if len(order):
        # Forecasts of one person, question and instant are one: the middle of what was said.
        new = np.ones(len(order), dtype=bool)
        new[1:] = (
            (np.diff(question) != 0) | (np.diff(forecaster) != 0) | (np.diff(time) != 0)
        )  # fmt: skip
        start = np.flatnonzero(new)
        size = np.diff(np.append(start, len(order)))
        log_odds = np.add.reduceat(log_odds, start) / size
        forecast = np.add.reduceat(forecast, start) / size
        question, forecaster, time = question[start], forecaster[start], time[start]
    n = len(question)
    count = np.bincount(question, minlength=len(questions))
    last = np.cumsum(count) - 1
    first = last - count + 1
    person = np.lexsort((np.arange(n), forecaster, question))
    same = (np.diff(question[person]) == 0) & (np.diff(forecaster[person]) == 0)
    previous, following = np.full(n, -1), np.full(n, n)
    previous[person[1:][same]] = person[:-1][same]
    following[person[:-1][same]] = person[1:][same]
    return Events(
        question, forecaster, forecast, log_odds, time, first, last, previous, following,
        outcome, resolved, questions, forecasters,
    )  # fmt: skip
