"""An answer: what a world says of one question, read off its paths, with its provenance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, inf
from typing import Any, NamedTuple, cast

import numpy as np

from forecasting.arrays import BoolArray, FloatArray
from forecasting.domain.forecast import Spread
from forecasting.domain.predicate import Choice, Predicate, Total, Truth
from forecasting.domain.provenance import SIMULATED, Fitted
from forecasting.domain.question import Question
from forecasting.inference.estimate import (
    effective,
    estimate,
    log_odds,
    logged,
    logged_options,
    number_error,
    number_gate,
    pulls,
    quantiles,
)
from forecasting.models.world.paths import Paths

#: Below so many effective paths on which a conditional question counts, nothing is said.
FEWEST = 100
#: Levels, in percent, at which a numeric question is answered.
LEVELS = tuple(float(level) for level in range(1, 100))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a world says of one question.

    `numbers`: the probability of yes; one per option; or the quantiles at `LEVELS` of a number.
    `spread`: of P(yes | parameters), None for options and numbers; `intervals`: per option the 5
    and 95 % of P(option | parameters). `gate`: ``passed`` or ``refused: ...``. `fit`: empty, or
    that the model does not fit its own class. `decided`: the outcome that known facts give every
    path, else None. `errors`: the Monte Carlo error of each probability, or that of the level of a
    quantile.
    """

    numbers: tuple[float, ...]
    spread: Spread | None
    seed: int
    priors_hash: str
    evidence_hash: str
    draws: int
    fits: Mapping[str, Fitted]
    method: str = SIMULATED
    gate: str = "passed"
    fit: str = ""
    intervals: tuple[tuple[float, float], ...] = ()
    decided: str | None = None
    errors: tuple[float, ...] = ()
    versions: Mapping[str, Any] = field(default_factory=dict)

    def moved_from(self, numbers: Sequence[float], *, errors: float) -> bool:
        """Say whether a number is further from an earlier one than its errors explain."""
        if len(self.numbers) != len(numbers):
            return True
        if len(self.numbers) == len(LEVELS):
            apart = ceil(100.0 * errors * self.errors[0])
            low = (-inf,) * apart + self.numbers[: len(LEVELS) - apart]
            high = self.numbers[apart:] + (inf,) * apart
            return any(not a <= old <= b for a, old, b in zip(low, numbers, high, strict=True))
        return any(
            abs(new - old) > max(errors * off, 1e-9)
            for new, old, off in zip(self.numbers, numbers, self.errors, strict=True)
        )

    def plain(self, question: Question) -> Any:
        """Give the answer in the contract's shape; a number as its median, None for nothing."""
        if not self.numbers:
            return None
        if question.type == "binary":
            return self.numbers[0]
        if question.type == "numeric":
            return self.numbers[LEVELS.index(50.0)]
        return dict(zip(question.space.options, self.numbers, strict=True))


class Reading(NamedTuple):
    """What is read off the paths: of an `Answer` what the paths say."""

    numbers: tuple[float, ...] = ()
    spread: Spread | None = None
    intervals: tuple[tuple[float, float], ...] = ()
    gate: str = "passed"
    decided: str | None = None
    errors: tuple[float, ...] = ()


def truths(paths: Paths, predicate: Predicate, question: Question) -> dict[str, BoolArray]:
    """Say which paths answer a question so, by outcome; a number has none."""
    window, options = (question.opens, question.closes), question.space.options
    if question.type == "binary":
        truth = paths.truth(cast("Truth", predicate.event), *window)
        return {"yes": truth, "no": ~truth}
    if question.type == "numeric":
        return {}
    chosen = paths.choice(cast("Choice", predicate.event), options, *window)
    return {option: chosen == place for place, option in enumerate(options)}


def values(paths: Paths, predicate: Predicate, question: Question) -> FloatArray:
    """Give the number that a question asks for in each path, within its bounds."""
    x = paths.number(cast("Total", predicate.event), question.opens, question.closes)
    return np.asarray(np.clip(x, question.space.lower, question.space.upper), dtype=np.float64)


def counting(paths: Paths, predicate: Predicate, question: Question) -> BoolArray | None:
    """Say on which paths a conditional question counts; None: on all."""
    given = predicate.given
    return None if given is None else paths.truth(given, question.opens, question.closes)


def read(paths: Paths, predicate: Predicate, question: Question) -> Reading:
    """Read a question off the paths."""
    given = counting(paths, predicate, question)
    weights, repeats = paths.weights(given), paths.world.repeats
    if not weights.any():
        return Reading(gate="refused: no path meets the condition of the question")
    if given is not None and effective(weights) < FEWEST:
        return Reading(gate="refused: too few paths meet the condition of the question")
    if question.type == "numeric":
        x = values(paths, predicate, question)
        off = number_error(x, weights, repeats)
        return Reading(quantiles(x, weights, LEVELS), gate=number_gate(off), errors=(off,))
    of = truths(paths, predicate, question)
    if question.type == "binary":
        chance = estimate(of["yes"], weights, repeats)
        asked = of["yes"] if given is None else of["yes"][weights > 0.0]
        decided = "yes" if asked.all() else "no" if not asked.any() and chance.p == 0.0 else None
        p, errors = (logged(chance.p),), (chance.mcse,)
        return Reading(p, chance.spread(), (), chance.gate, decided, errors)
    each = [estimate(hit, weights, repeats) for hit in of.values()]
    gate = next((one.gate for one in each if one.gate != "passed"), "passed")
    ends = tuple((one.quantiles[0], one.quantiles[-1]) for one in each)
    numbers = logged_options([one.p for one in each])
    return Reading(numbers, None, ends, gate, errors=tuple(one.mcse for one in each))


def pull(paths: Paths, predicate: Predicate, question: Question) -> FloatArray:
    """Give how far each parameter point pulls an answer on the scale of effects, (points, K).

    Of a change between two runs on the same points the error is the root of its summed squares.
    """
    weights = paths.weights(counting(paths, predicate, question))
    if question.type == "numeric":
        x = values(paths, predicate, question)
        low, middle, high = quantiles(x, weights, (40.0, 50.0, 60.0))
        hits, slope = [x <= middle], np.array([low - high]) / 0.2
    else:
        hits = list(truths(paths, predicate, question).values())
        hits = hits[:1] if question.type == "binary" else hits
        p = np.array([logged(float(weights @ hit)) for hit in hits])
        slope = 1.0 / (p * (1.0 - p))
    columns = [pulls(hit, weights, paths.world.repeats) for hit in hits]
    return np.asarray(np.stack(columns, axis=1) * slope, dtype=np.float64)


def on_scale(question: Question, numbers: Sequence[float]) -> FloatArray:
    """Put an answer on the scale on which effects add: log-odds, or the median of a number."""
    if question.type == "numeric":
        return np.array([numbers[LEVELS.index(50.0)]])
    return log_odds(numbers)
