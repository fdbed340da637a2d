r"""Worldviews weighed by their record: tempered Bayesian model averaging over event clusters.

Each worldview k has said p_k(y_q) of the outcome of question q, at one fixed spot of its window.
With the questions of one event averaged, because they resolve together,

.. math:: w_k \propto \pi_k \prod_e \Bigl[\prod_{q \in e} p_k(y_q)^{1/n_e}\Bigr]^{\lambda},

lambda = 1/2 for the dependence that is left between events, p clipped at .01 so that no single
surprise decides, and no weight below 2 % once they sum to one. Hoeting, Madigan, Raftery and
Volinsky (1999), Bayesian model averaging, Statistical Science 14, doi:10.1214/ss/1009212519;
tempering as in Bissiri, Holmes and Walker (2016), J. R. Stat. Soc. B 78, doi:10.1111/rssb.12158.

A worldview that enters later has no score on earlier questions. It enters with its prior share
and the others keep, among themselves, the proportions that they had earned: to be absent neither
wins nor loses anything, as for the sleeping experts of Freund, Schapire, Singer and Warmuth
(1997), doi:10.1145/258533.258616. A question on which one that had entered stayed silent counts
for no worldview (`app.forecast.worldviews` leaves it out).
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.arrays import FloatArray
from forecasting.domain.catalog import Catalog
from forecasting.domain.forecast import Forecast
from forecasting.domain.forecasters import POOL
from forecasting.domain.question import ANNULLED, Question
from forecasting.errors import InvalidInput
from forecasting.pooling.linear import linear_quantiles

#: Forecasts are read once, at this share of each question's scheduled window.
SPOT = 0.5
CLIP = 0.01
TEMPERING = 0.5
FLOOR = 0.02
#: Event clusters from which on the pool is recalibrated; below, it is left as it is.
RECALIBRATED_FROM = 20
PREFIX = "worldview:"


def log_likelihood_of(probability: ArrayLike) -> FloatArray:
    """Return the log of the probability of what happened, drawn into [.01, .99]."""
    p = np.asarray(probability, dtype=np.float64)
    # Written so that a NaN refuses.
    if not np.all((p >= 0) & (p <= 1)):
        raise InvalidInput(f"probability ({p}): must lie in [0, 1].")
    return np.asarray(np.log(np.clip(p, CLIP, 1 - CLIP)), dtype=np.float64)


def floored(weights: ArrayLike, floor: float = FLOOR) -> FloatArray:
    """Return weights (K,) that sum to one, none below a floor, the others in proportion."""
    w = np.asarray(weights, dtype=np.float64)
    if not 0 <= floor * w.size <= 1:
        raise InvalidInput(f"floor ({floor}): must be at least 0 and at most 1 / {w.size}.")
    w = w / w.sum()
    low = w < floor
    while True:
        rest = w[~low].sum()
        raised = np.where(low, floor, w * (1 - floor * low.sum()) / rest if rest else floor)
        # Raising some to the floor takes from the others, which may then lie below it.
        below = ~low & (raised < floor)
        if not below.any():
            return np.asarray(raised, dtype=np.float64)
        low |= below


def ensemble_weights(
    log_likelihood: ArrayLike,
    event: ArrayLike,
    *,
    tempering: float = TEMPERING,
    floor: float = FLOOR,
) -> FloatArray:
    """Return the weight (K,) of each worldview given its record.

    `log_likelihood` (n, K) is from `log_likelihood_of`, one row a question, NaN where the
    worldview had not entered; one that is silent after it had entered is refused. `event` (n,)
    labels the event clusters. A `tempering` of 1 is plain Bayes.
    """
    scores, clusters = _checked(log_likelihood, event)
    logs = _log_weights(scores, clusters, tempering)
    return floored(np.exp(logs - logs.max()), floor)


def _checked(log_likelihood: ArrayLike, event: ArrayLike) -> tuple[FloatArray, NDArray[np.int64]]:
    scores = np.asarray(log_likelihood, dtype=np.float64)
    labels = np.asarray(event)
    if scores.ndim != 2 or not scores.shape[1] or labels.shape != scores.shape[:1]:
        message = (
            f"log_likelihood {scores.shape} and event {labels.shape}: must be (n, K) and (n,)."
        )
        raise InvalidInput(message)
    if np.any(np.isinf(scores)) or np.any(scores > 0):
        raise InvalidInput("log_likelihood: must be finite and at most 0; clip the probabilities.")
    return scores, np.unique(labels, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _log_weights(scores: FloatArray, clusters: NDArray[np.int64], tempering: float) -> FloatArray:
    """Go through the stages between two entries; within one the order does not matter."""
    per_question = tempering / np.bincount(clusters)[clusters] if clusters.size else np.empty(0)
    spoke = ~np.isnan(scores)
    present = np.zeros(scores.shape[1], dtype=bool)
    logs = np.full(scores.shape[1], -np.inf)
    patterns = np.unique(spoke[spoke.any(axis=1)], axis=0)
    everybody = np.ones(scores.shape[1], dtype=bool)
    stages = sorted(patterns, key=lambda row: int(row.sum()))
    for pattern in [*(row for row in stages if not row.all()), everybody]:
        if np.any(present & ~pattern):
            silent = int(np.flatnonzero(present & ~pattern)[0])
            message = (
                f"log_likelihood: worldview {silent} has no forecast on a question after an "
                "earlier one."
            )
            raise InvalidInput(message, hint="leave the question out for all")
        entered = logs.copy()
        entered[pattern & ~present] = -np.log(pattern.sum())
        if present.any():
            entered[present] += np.log(present.sum() / pattern.sum())
        logs, present = entered, pattern.copy()
        rows = np.all(spoke == pattern, axis=1)
        gained = per_question[rows] @ scores[np.ix_(rows, pattern)]
        after = logs[pattern] + gained
        most = float(after.max())
        logs[pattern] += gained - (most + float(np.log(np.exp(after - most).sum())))
    return logs


@dataclass(frozen=True, slots=True)
class Ensemble:
    """The worldviews' weights as of a moment (they sum to one), and how their pool is read.

    `questions`, of so many events, are those that the weights rest on, by the time from which they
    count; `recalibrated` reads the pool's probability of yes (below 20 events as it is).
    """

    weights: Mapping[str, float]
    questions: tuple[str, ...] = ()
    n_events: int = 0
    recalibrated: Callable[[float], float] = field(default=float, compare=False, repr=False)

    def pool(
        self,
        question: Question,
        by_forecaster: Mapping[str, Sequence[float]],
        levels: Sequence[float] = (),
    ) -> list[float]:
        """Combine what the worldviews say: a mean of probabilities, a mixture of distributions."""
        w = np.array([self.weights[name] for name in by_forecaster])
        numbers = np.array([list(values) for values in by_forecaster.values()], dtype=np.float64)
        if question.type == "numeric":
            return [float(x) for x in linear_quantiles(numbers, np.asarray(levels) / 100, w)]
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
        text = (
            f"resolved questions {len(self.questions)}, events {self.n_events}: the largest "
            f"weight is {largest:.2f} times an equal share"
        )
        if self.n_events < RECALIBRATED_FROM:
            text += f"; with fewer than {RECALIBRATED_FROM} events this says little"
        return text


class Spoken:
    """What the worldviews and their pool had said, by forecaster and question, in time."""

    def __init__(self, forecasts: Iterable[Forecast] = ()) -> None:
        self._numbers: dict[tuple[str, str], list[tuple[dt.datetime, tuple[float, ...]]]] = {}
        self._entered: dict[str, dt.datetime] = {}
        self.add(forecasts)

    def add(self, entries: Iterable[object]) -> None:
        """Add what was said since; entries that are no forecast of a worldview are passed over."""
        touched = set()
        for entry in entries:
            if not isinstance(entry, Forecast):
                continue
            who = entry.forecaster
            # A sealed number was not known at its time, so nothing could be learnt from it.
            if entry.sealed is not None or not (who.startswith(PREFIX) or who == POOL):
                continue
            key = (who, entry.question)
            self._numbers.setdefault(key, []).append((entry.issued_at, entry.value.numbers))
            touched.add(key)
            first = self._entered.get(who, entry.issued_at)
            self._entered[who] = min(first, entry.issued_at)
        for key in touched:
            # Stable: of two in one instant the later entry stands.
            self._numbers[key].sort(key=lambda row: row[0])

    def at(self, who: str, question: str, moment: dt.datetime) -> tuple[float, ...] | None:
        """Give a forecaster's numbers in force on a question at a moment; None if he was silent."""
        rows = self._numbers.get((who, question), [])
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
    """Give the questions that count towards the weights as of a moment, in the order they came."""
    items = []
    for name, outcome in catalog.outcomes.items():
        question = catalog.questions.get(name)
        if question is None or question.type == "numeric" or outcome.outcome == ANNULLED:
            continue
        spot = spot_of(question)
        if outcome.resolved_at < as_of and question.closes <= as_of and spot < outcome.resolved_at:
            label = int(question.space.label(outcome.outcome))
            begins = max(question.closes, outcome.resolved_at)
            items.append(Counted(question, label, spot, begins))
    return sorted(items, key=lambda item: (item.entered_at, item.question.id))
