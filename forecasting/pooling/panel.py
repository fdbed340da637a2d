"""From sorted forecasts to what the learned pool sees: members in force at moments of questions."""

from dataclasses import dataclass

import numpy as np

from forecasting.pooling import features
from forecasting.pooling.events import Events, ends_of_instants, visits
from forecasting.pooling.records import Records
from forecasting.scoring.checks import FloatArray, IntArray

# Departures in log-odds beyond this tell no more.
FAR = 4.0


@dataclass(frozen=True, slots=True)
class Panel:
    """Members in force, contiguous by moment, with the features of each.

    Attributes
    ----------
    start, number : ndarray of int, shape (M,)
        First member of each moment, and how many there are.
    event : ndarray of int, shape (n,)
        Each member's event.
    log_odds : ndarray, shape (n,)
    weight, correction : ndarray, shape (n, features)
    factor, shift, rival : ndarray, shape (M, features)
    """

    start: IntArray
    number: IntArray
    event: IntArray
    log_odds: FloatArray
    weight: FloatArray
    correction: FloatArray
    factor: FloatArray
    shift: FloatArray
    rival: FloatArray


@dataclass(frozen=True, slots=True)
class Books:
    """The forecasters' records as they stood at several times, and where to find them.

    Attributes
    ----------
    books : sequence of Records
    moment : ndarray of int, shape (M,)
        Which of the books holds at each moment.
    forecaster : ndarray of int, shape (forecasters,)
        Each forecaster's row in them, -1 for one without a record.
    """

    books: list[Records]
    moment: IntArray
    forecaster: IntArray


def moments(events: Events, kept: IntArray, count: int) -> tuple[IntArray, FloatArray]:
    """Choose moments of the questions `kept`: after the last forecast, and `count` before it.

    The earlier ones lie at equal steps of the question's forecasts, and each takes its share of
    half of the question's weight; the last one takes the other half.

    Returns
    -------
    event : ndarray of int
        The event after which the question is looked at, by question and time.
    weight : ndarray
        Sums to 1 over each question.
    """
    size = events.last[kept] - events.first[kept] + 1
    steps = np.ceil(size[:, None] * np.arange(1, count + 1) / (count + 1)).astype(np.int64)
    early = events.first[kept][:, None] + steps - 1
    pair = np.column_stack([early, events.last[kept]])
    weight = np.full(pair.shape, 0.5 / max(count, 1))
    weight[:, -1] = 0.5 if count else 1.0
    event, place = np.unique(ends_of_instants(events)[pair.ravel()], return_inverse=True)
    return event, np.bincount(place, weights=weight.ravel())


def panel(events: Events, at: IntArray, books: Books) -> Panel:
    """Lay out the members in force after each event of `at`, with their features."""
    question = events.question[at]
    seen = at - events.first[question] + 1
    moment = np.repeat(np.arange(len(at)), seen)
    event = np.arange(seen.sum()) - np.repeat(np.cumsum(seen) - seen, seen)
    event += events.first[question][moment]
    in_force = events.next[event] > at[moment]
    return _features(events, at, moment[in_force], event[in_force], books)


def _features(
    events: Events, at: IntArray, moment: IntArray, event: IntArray, books: Books
) -> Panel:
    from scipy.special import expit, logit

    number = np.bincount(moment, minlength=len(at))
    start = np.cumsum(number) - number
    question = events.question[at]
    x, p, time = events.log_odds[event], events.forecast[event], events.time[event]

    def mean(values: FloatArray) -> FloatArray:
        averaged: FloatArray = np.add.reduceat(values, start) / number
        return averaged

    table = {
        name: np.stack([getattr(book, name) for book in books.books])
        for name in ("worth", "relative", "slope", "bias", "questions", "fine", "apart")
    }
    place = books.moment[moment], books.forecaster[events.forecaster[event]]
    # The last row, which -1 finds too, is the forecaster nobody knows.
    record = {name: each[place] - each[place[0], -1] for name, each in table.items()}
    worth, relative = record["worth"] / 0.3, record["relative"] / 0.05
    known = np.log1p(record["questions"]) / np.log(101)

    now, opened = events.time[at], events.time[events.first[question]]
    age, span = now[moment] - time, now - opened
    rank = _newer(time, moment, start)
    middle, values = _median(x, moment, start, number)
    plain = mean(x)
    dispersion = np.sqrt(np.maximum(mean(x**2) - plain**2, 0.0))
    newest = (rank == 0).astype(np.float64)
    latest = mean(newest * x) / mean(newest)
    elapsed, stale = _place_in_window(events, question, now, age, moment)
    before = events.previous[event]
    movement = np.where(before >= 0, x - events.log_odds[before], 0.0)

    weight = {
        "newer": np.log1p(rank),
        "age": np.log1p(age),
        "hours": np.log1p(24 * age),
        "lag": age / np.where(span > 0, span, 1.0)[moment],
        "stale": stale,
        "newest": newest,
        "surge": np.abs(x) / (1 + rank),
        "moved": np.minimum(np.abs(movement), FAR),
        "worth": worth,
        "relative": relative,
        "slope": record["slope"] / 0.3,
        "record": known,
        "fine": record["fine"] / 0.3,
        "apart": record["apart"] / 0.5,
        "updates": np.log1p(visits(events)[event]),
        "distance": np.minimum(np.abs(x - middle[moment]), FAR),
        "extremity": np.abs(x),
        "half": np.abs(p - 0.5) < 1e-9,
        "opener": event == events.first[question][moment],
        "tenth": np.abs(p * 10 - np.round(p * 10)) < 1e-6,
    }
    correction = {
        "slope": record["slope"] * x,
        "bias": record["bias"],
        "curvature": x * np.abs(x),
        "movement": movement,
    }
    moments_of = {
        "constant": np.ones(len(at)),
        # Bounded, so that no number of members carries the pool to certainty.
        "number": 0.5 - 1 / number,
        "dispersion": dispersion - 0.7,
        "variety": values / number - 1,
        "extremity": np.abs(plain) - 1.2,
        "worth": mean(worth),
        "relative": mean(relative),
        "record": mean(known),
        "span": np.log1p(span) - 3,
        "elapsed": elapsed,
        "age": mean(np.log1p(age)) - 1.5,
        "newest": np.abs(latest) - np.abs(plain),
    }
    share = np.clip(mean(expit(x)), 1e-12, 1 - 1e-12)
    rival = {"mean": plain, "median": middle, "linear": logit(share), "newest": latest}
    return Panel(
        start,
        number,
        event,
        x,
        features.columns(features.WEIGHT, weight),
        features.columns(features.CORRECTION, correction),
        features.columns(features.FACTOR, moments_of),
        features.columns(features.SHIFT, moments_of),
        features.columns(features.RIVAL, rival),
    )


def _place_in_window(
    events: Events, question: IntArray, now: FloatArray, age: FloatArray, moment: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Share of the window gone by, less 1/2, and members' ages in windows; 0 without a window."""
    length = events.closes[question] - events.opens[question]
    given = length > 0
    whole = np.where(given, length, 1.0)
    gone = np.clip((now - events.opens[question]) / whole, 0, 1) - 0.5
    stale = np.clip(age / whole[moment], 0, 1)
    return np.where(given, gone, 0.0), np.where(given[moment], stale, 0.0)


def _newer(time: FloatArray, moment: IntArray, start: IntArray) -> FloatArray:
    """Count the members of the same moment whose forecast is later."""
    order = np.lexsort((-time, moment))
    t, m = time[order], moment[order]
    fresh = np.ones(len(t), dtype=bool)
    fresh[1:] = (np.diff(m) != 0) | (np.diff(t) != 0)
    position = np.arange(len(t)) - start[m]
    rank = np.empty(len(t))
    rank[order] = position[np.flatnonzero(fresh)[np.cumsum(fresh) - 1]]
    return rank


def _median(
    x: FloatArray, moment: IntArray, start: IntArray, number: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Median of each moment's log-odds, and how many of them differ."""
    order = np.lexsort((x, moment))
    value = x[order]
    middle = (value[start + (number - 1) // 2] + value[start + number // 2]) / 2
    fresh = np.ones(len(x))
    fresh[1:] = (np.diff(moment[order]) != 0) | (np.diff(value) > 1e-9)
    return middle, np.asarray(np.add.reduceat(fresh, start), dtype=np.float64)
