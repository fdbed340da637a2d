"""What moved a probability: the share of each story and of the passing of time, adding up.

A story is what happened or was reported once, however many items tell it. Its effect is the mean,
over all orders in which the stories could have arrived, of what it adds to the log-odds (Shapley);
so the effects add up to the whole change and no order matters.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forecasting.domain.evidence import Evidence
from forecasting.domain.question import Question
from forecasting.evidence.shapley import shapley
from forecasting.inference.fit import array_hash
from forecasting.models.encoding.answer import LEVELS

if TYPE_CHECKING:
    from forecasting.app.predict import Predictor

FloatArray = NDArray[np.float64]
TIME, HISTORY = "time", "history"
#: Log-odds are cut here (a probability of 1e-9), so that 0 and 1 have a place on the scale.
EDGE = 1e-9


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause of a change: a story with its items, the class's history, or time."""

    key: str
    items: tuple[Evidence, ...] = ()


def on_scale(question: Question, numbers: Sequence[float]) -> FloatArray:
    """Put an answer on the scale on which effects add: log-odds, or the median of a number.

    Returns
    -------
    ndarray, shape (1,) or (K,)
        One log-odds of yes, one for each option, or the median in the question's unit.
    """
    if question.type == "numeric":
        return np.array([numbers[LEVELS.index(50.0)]])
    p = np.clip(np.asarray(numbers, dtype=np.float64), EDGE, 1 - EDGE)
    return np.asarray(np.log(p) - np.log1p(-p))


class Effects:
    """Shares what evidence did to one question's model as of one moment."""

    def __init__(
        self, predictor: "Predictor", question: Question, as_of: dt.datetime, *, seed: int = 0
    ) -> None:
        self.predictor = predictor
        self.question = question
        self.as_of = as_of
        self.seed = seed

    def value(self, facts: Sequence[Evidence], *, timed: bool = True) -> FloatArray:
        """Give the model's answer from some of the facts, on the scale on which effects add."""
        ordered = tuple(sorted(facts, key=lambda item: (item.known_at, item.key)))
        answer = self.predictor.answer(self.question, ordered, self.as_of, timed=timed)
        return on_scale(self.question, answer.numbers)

    def causes(self, facts: Sequence[Evidence], base: Sequence[Evidence] = ()) -> list[Cause]:
        """Give the stories among some facts that matter to the question, by first arrival.

        What was known before the opening is one cause, the class's history. A story matters if
        the model's inputs change when it is taken from all facts, or added to the base alone.
        """
        old = tuple(item for item in facts if item.known_at < self.question.opens)
        stories: dict[str, list[Evidence]] = {}
        for item in facts:
            if item.known_at >= self.question.opens:
                stories.setdefault(story_of(item), []).append(item)
        known = (*base, *facts)
        whole, alone = self._signature(known), self._signature(base)

        def matter(items: Sequence[Evidence]) -> bool:
            if all(effect.form == "bears" for item in items for effect in item.effects):
                return False
            mine = {item.key for item in items}
            without = self._signature([item for item in known if item.key not in mine])
            return without != whole or self._signature((*base, *items)) != alone

        kept = [Cause(HISTORY, old)] if old and matter(old) else []
        for key, told in stories.items():
            if matter(told):
                # Items that change nothing by themselves are shown only where all are such.
                telling = [item for item in told if len(told) == 1 or matter([item])]
                kept.append(Cause(key, tuple(telling or told)))
        return kept

    def share(
        self, causes: Sequence[Cause], base: Sequence[Evidence] = (), *, time: bool = True
    ) -> FloatArray:
        """Share the change from the base to everything among the causes (and time, last row).

        Parameters
        ----------
        causes : sequence of Cause
            The players; `base` is known throughout.
        time : bool
            Whether the passing of time is a cause too, or counts throughout.

        Returns
        -------
        ndarray, shape (n [+ 1], K)
            Adds up to v(everything) - v(base).
        """
        clock = len(causes) if time else None

        def value(coalition: frozenset[int]) -> FloatArray:
            facts = [*base, *(item for i in coalition if i != clock for item in causes[i].items)]
            return self.value(facts, timed=clock is None or clock in coalition)

        return shapley(len(causes) + time, value, seed=self.seed)

    def within(
        self, cause: Cause, total: FloatArray, others: Sequence[Evidence]
    ) -> list[FloatArray]:
        """Split a story's effect among its items: their shares given everything else.

        What the shares given everything else leave of `total` is spread evenly, so that they add
        up to it.
        """
        if len(cause.items) == 1:
            return [total]

        def value(coalition: frozenset[int]) -> FloatArray:
            return self.value([*others, *(cause.items[i] for i in coalition)])

        shares = shapley(len(cause.items), value, seed=self.seed)
        return list(shares + (total - shares.sum(axis=0)) / len(cause.items))

    def _signature(self, facts: Sequence[Evidence]) -> str:
        ordered = tuple(sorted(facts, key=lambda item: (item.known_at, item.key)))
        inputs, reports = self.predictor.inputs(self.question, ordered, self.as_of)
        return f"{array_hash(inputs)} {reports}"


def story_of(item: Evidence) -> str:
    """Name the story of an item: as entered, else the case that it is a fact of, else its key."""
    if item.story:
        return item.story
    cases = [effect.target for effect in item.effects if effect.form == "datum"]
    return cases[0] if cases and item.stream != "news" else item.key


def moved(
    predictor: "Predictor",
    question: Question,
    as_of: dt.datetime,
    old: Sequence[Evidence],
    facts: Sequence[Evidence],
    before: Sequence[float],
) -> list[tuple[str, list[float]]]:
    """Say what moved a model's forecast since its last one: each new story, then the rest.

    Parameters
    ----------
    old, facts : sequence of Evidence
        What the earlier forecast knew of what stands, and what stands now.
    before : sequence of float
        The earlier forecast's numbers.

    Returns
    -------
    list of (key of an item, change)
        One change for each number on the scale; they add up to the whole change. The last row is
        the passing of time, with corrections of what was known. Empty where no new item matters.
    """
    stood = {item.key for item in old}
    new = [item for item in facts if item.key not in stood]
    if not any(effect.form != "bears" for item in new for effect in item.effects):
        return []
    effects = Effects(predictor, question, as_of)
    causes = effects.causes(new, old)
    if not causes:
        return []
    shares = effects.share(causes, old, time=False)
    rows: list[tuple[str, list[float]]] = []
    for cause, share in zip(causes, shares, strict=True):
        others = [*old, *(item for other in causes if other is not cause for item in other.items)]
        parts = effects.within(cause, share, others)
        rows += [(item.key, part.tolist()) for item, part in zip(cause.items, parts, strict=True)]
    waited = effects.value(old) - on_scale(question, before)
    return [*rows, (TIME, waited.tolist())]
