"""Worldviews by their record: weights as of a moment, the pool that they make, and the table.

Which questions count towards the weights as of t, for live forecasts and for a replay alike:

* read once, at the middle of the scheduled window, if the question was open then;
* known: the outcome was known before t; due: the scheduled close has passed, so that early yeses
  do not come in ahead of the noes of the same batch;
* on which every worldview that had entered by that middle had spoken: a silence counts for
  no weight. Numbers are left out, because a density has no probability.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from forecasting.app.catalog import Catalog
from forecasting.arrays import FloatArray
from forecasting.domain.forecast import Forecast
from forecasting.domain.question import ANNULLED, Question
from forecasting.models.worldview_weights import (
    RECALIBRATED_FROM,
    SPOT,
    ensemble_weights,
    log_likelihood_of,
    mixture_quantiles,
)

__all__ = ["Ensemble", "Spoken", "counted", "spot_of", "weights_at"]

PREFIX, POOL = "worldview:", "pool:worldviews"


@dataclass(frozen=True, slots=True)
class Ensemble:
    """The worldviews' weights as of a moment, and how their pool is read.

    Attributes
    ----------
    weights
        By forecaster name; they sum to one.
    questions
        The resolved questions that they rest on, by the time from which they count.
    n_events
        How many events those are about.
    recalibrated
        From the pool's probability of yes to the one that is said; the identity below 20 events.
    """

    weights: Mapping[str, float]
    questions: tuple[str, ...] = ()
    n_events: int = 0
    recalibrated: Callable[[float], float] = field(default=float, compare=False, repr=False)

    def pool(
        self,
        question: Question,
        said: Mapping[str, Sequence[float]],
        levels: Sequence[float] = (),
    ) -> list[float]:
        """Combine what the worldviews say of one question.

        Parameters
        ----------
        question : Question
            Its type says how: a mean of probabilities, or a mixture of distributions.
        said : mapping of str to sequence of float
            Each forecaster's numbers; those whose fit was refused are missing.
        levels : sequence of float
            In percent, of a numeric question.

        Returns
        -------
        list of float
            One probability, one an option, or one quantile a level.
        """
        w = np.array([self.weights[name] for name in said])
        numbers = np.array([list(values) for values in said.values()], dtype=np.float64)
        if question.type == "numeric":
            return [float(x) for x in mixture_quantiles(numbers, np.asarray(levels) / 100, w)]
        # Members that agree to the last digit keep it.
        agreed = np.all(numbers == numbers[0], axis=0)
        pooled = np.where(agreed, numbers[0], (w / w.sum()) @ numbers)
        if question.type == "binary":
            return [self.recalibrated(float(pooled[0]))]
        return [float(x) for x in pooled / pooled.sum()]

    @property
    def reading(self) -> str:
        """How much the weights mean, in words."""
        if not self.weights:
            return "no worldview has a forecast yet"
        largest = max(self.weights.values()) * len(self.weights)
        told = (
            f"resolved questions {len(self.questions)}, events {self.n_events}: the largest "
            f"weight is {largest:.2f} times an equal share"
        )
        if self.n_events < RECALIBRATED_FROM:
            told += f"; with fewer than {RECALIBRATED_FROM} events this says little"
        return told


class Spoken:
    """What the worldviews and their pool had said, by forecaster and question, in time.

    Parameters
    ----------
    forecasts : iterable of Forecast
        Those of others are passed over; of one kind, and of one run.
    """

    def __init__(self, forecasts: Iterable[Forecast] = ()) -> None:
        self._said: dict[tuple[str, str], list[tuple[dt.datetime, tuple[float, ...]]]] = {}
        self._entered: dict[str, dt.datetime] = {}
        self.add(forecasts)

    def add(self, entries: Iterable[object]) -> None:
        """Add what was said since; entries that are no forecast of a worldview are passed over."""
        touched = set()
        for entry in entries:
            if not isinstance(entry, Forecast):
                continue
            who = entry.forecaster
            # None of these seals: a number shown later was not there to be learnt from.
            if entry.sealed is not None or not (who.startswith(PREFIX) or who == POOL):
                continue
            key = (who, entry.question)
            self._said.setdefault(key, []).append((entry.issued_at, entry.value.numbers))
            touched.add(key)
            first = self._entered.get(who, entry.issued_at)
            self._entered[who] = min(first, entry.issued_at)
        for key in touched:
            # Stable: of two in one instant the later entry stands.
            self._said[key].sort(key=lambda row: row[0])

    def at(self, who: str, question: str, moment: dt.datetime) -> tuple[float, ...] | None:
        """Give a forecaster's numbers in force on a question at a moment; None if he was silent."""
        rows = self._said.get((who, question), [])
        place = bisect_right([row[0] for row in rows], moment)
        return rows[place - 1][1] if place else None

    def entered(self, who: str, moment: dt.datetime) -> bool:
        """Say whether a forecaster had spoken of anything by a moment."""
        first = self._entered.get(who)
        return first is not None and first <= moment

    @property
    def worldviews(self) -> tuple[str, ...]:
        """The worldviews that ever spoke, by name."""
        return tuple(sorted(name for name in self._entered if name != POOL))


@dataclass(frozen=True, slots=True)
class Counted:
    """One question that counts: its cluster, what happened, and when it came to count."""

    question: Question
    label: int
    spot: dt.datetime
    entered_at: dt.datetime


def spot_of(question: Question) -> dt.datetime:
    """Give the moment at which a question's forecasts are read: the middle of its window."""
    return question.opens + SPOT * (question.closes - question.opens)


def counted(catalog: Catalog, as_of: dt.datetime) -> list[Counted]:
    """Give the questions whose outcome counts towards the weights as of a moment.

    Parameters
    ----------
    catalog : Catalog
        Questions and standing outcomes.
    as_of : datetime
        Outcomes known before it, of windows that are over.

    Returns
    -------
    list of Counted
        By the moment from which they count, and id.
    """
    found = []
    for name, outcome in catalog.outcomes.items():
        question = catalog.questions.get(name)
        if question is None or question.type == "numeric" or outcome.outcome == ANNULLED:
            continue
        spot = spot_of(question)
        if outcome.resolved_at < as_of and question.closes <= as_of and spot < outcome.resolved_at:
            label = int(question.space.label(outcome.outcome))
            begins = max(question.closes, outcome.resolved_at)
            found.append(Counted(question, label, spot, begins))
    return sorted(found, key=lambda item: (item.entered_at, item.question.id))


def weights_at(
    catalog: Catalog, spoken: Spoken, as_of: dt.datetime, worldviews: Sequence[str]
) -> Ensemble:
    """Give the weights of some worldviews from what they had said of questions now resolved.

    Parameters
    ----------
    catalog : Catalog
        Questions and standing outcomes; filtered by `as_of` here.
    spoken : Spoken
        Their earlier forecasts, of one kind (a replay: of the run at hand).
    as_of : datetime
        Nothing known later counts.
    worldviews : sequence of str
        Forecaster names of those that speak now, ``worldview:003``; one that never spoke before
        enters with an equal share.

    Returns
    -------
    Ensemble
        Equal weights where nothing counts.
    """
    names = sorted(set(worldviews))
    rows, events, used = _rows(counted(catalog, as_of), spoken, names)
    if not names:
        return Ensemble({})
    weights = ensemble_weights(rows, events)
    found = dict(zip(names, (float(w) for w in weights), strict=True))
    n_events = len(set(events))
    recalibrated = _recalibration(used, spoken) if n_events >= RECALIBRATED_FROM else float
    questions = tuple(item.question.id for item in used)
    return Ensemble(found, questions, n_events, recalibrated)


def _rows(
    items: Sequence[Counted], spoken: Spoken, names: Sequence[str]
) -> tuple[FloatArray, list[str], list[Counted]]:
    rows, events, used = [], [], []
    for item in items:
        entered = [name for name in names if spoken.entered(name, item.spot)]
        said = {name: spoken.at(name, item.question.id, item.spot) for name in entered}
        if not entered or any(numbers is None for numbers in said.values()):
            continue
        row = [_chance(said[name], item.label) if name in said else np.nan for name in names]
        rows.append(row)
        events.append(item.question.event)
        used.append(item)
    array = np.array(rows, dtype=np.float64).reshape(len(rows), len(names))
    spoke = ~np.isnan(array)
    array[spoke] = log_likelihood_of(array[spoke])
    return array, events, used


def _chance(numbers: tuple[float, ...] | None, label: int) -> float:
    if numbers is None:
        return float("nan")
    p = numbers[label] if len(numbers) > 1 else (numbers[0] if label == 1 else 1 - numbers[0])
    return min(max(p, 0.0), 1.0)


def _recalibration(used: Sequence[Counted], spoken: Spoken) -> Callable[[float], float]:
    """Learn from what the pool itself had said how its probabilities should be read."""
    import pandas as pd

    from forecasting.calibration.recalibration import recalibrate_rows

    said = [
        (item, numbers)
        for item in used
        if item.question.type == "binary"
        and (numbers := spoken.at(POOL, item.question.id, item.spot)) is not None
    ]
    events = [item.question.event for item, _ in said]
    if len(set(events)) < RECALIBRATED_FROM:
        return float
    frame = pd.DataFrame(
        {
            "question": [item.question.id for item, _ in said],
            "forecaster": POOL,
            "forecast": [numbers[0] for _, numbers in said],
            "outcome": [float(item.label) for item, _ in said],
            "event": events,
            "weight": [1 / events.count(event) for event in events],
        }
    )
    line = recalibrate_rows(frame).line(POOL)
    return lambda p: float(line.predict(p))
