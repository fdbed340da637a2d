"""Which rule scores which type of question, and what the uniform forecast would have scored."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray, IntArray
from forecasting.errors import InvalidInput
from forecasting.scoring.checks import one_of
from forecasting.scoring.crps import crps_piecewise
from forecasting.scoring.logarithmic import log_score
from forecasting.scoring.quadratic import CONVENTIONS, brier
from forecasting.scoring.ranked import rps
from forecasting.scoring.spherical import spherical

QUESTION_TYPES = ("binary", "categorical", "ordered", "numeric")
BASELINE_POINTS = "100 x gain over chance"


@dataclass(frozen=True, slots=True)
class Rule:
    """One scoring rule for one type of question.

    ``score(forecast, outcome)`` gives one score per forecast, smaller is better unless
    `larger_is_better`; a numeric rule also takes ``levels``, ``lower`` and ``upper``. `proper`:
    honesty is the best policy when a single forecast is scored once.
    """

    name: str
    question_type: str
    convention: str
    score: Callable[..., FloatArray]
    proper: bool = True
    larger_is_better: bool = False

    def reference(self, outcome: IntArray | FloatArray, options: int) -> FloatArray:
        """Score of the uniform forecast over `options` options, for each outcome (s0)."""
        labels = np.arange(options)
        if self.question_type == "binary":
            by_label = self.score(np.full(2, 0.5), labels)
        else:
            by_label = self.score(np.full((options, options), 1 / options), labels)
        scores: FloatArray = by_label[np.asarray(outcome).astype(np.int64)]
        return scores

    def numeric_reference(
        self, outcome: FloatArray, lower: FloatArray, upper: FloatArray
    ) -> FloatArray:
        """Score of the uniform distribution over the bounds, for each outcome (s0)."""
        middle = (lower + upper)[:, None] / 2
        return self.score(middle, outcome, levels=[0.5], lower=lower, upper=upper)


def _over_chance(forecast: ArrayLike, outcome: ArrayLike) -> FloatArray:
    """Score of the options as Metaculus prints it: 0 for the uniform forecast, 100 at best."""
    options = np.shape(forecast)[1] if np.ndim(forecast) == 2 else 2
    points: FloatArray = 100 * (1 - log_score(forecast, outcome) / np.log(options))
    return points


def _rules() -> dict[tuple[str, str, str], Rule]:
    of_options = ("binary", "categorical", "ordered")
    table = [
        *(
            Rule("brier", kind, convention, partial(brier, convention=convention))
            for kind in of_options
            for convention in CONVENTIONS
        ),
        *(Rule("log", kind, "nats", log_score) for kind in of_options),
        *(Rule("spherical", kind, "1 - p / length", spherical) for kind in of_options),
        *(
            Rule("baseline", kind, BASELINE_POINTS, _over_chance, larger_is_better=True)
            for kind in of_options
        ),
        Rule("rps", "ordered", "sum over cuts", rps),
        Rule("crps", "numeric", "linear between quantiles", crps_piecewise),
    ]
    return {(rule.name, rule.question_type, rule.convention): rule for rule in table}


RULES = _rules()


def names(question_type: str) -> tuple[str, ...]:
    """Names of the rules that fit a type of question, the usual one first."""
    one_of(question_type, QUESTION_TYPES, "question_type")
    fitting = {name for name, kind, _ in RULES if kind == question_type}
    usual = ("rps", "crps", "brier", "log")
    return tuple(name for name in usual if name in fitting) + tuple(sorted(fitting - set(usual)))


def get(name: str, question_type: str, convention: str = "half") -> Rule:
    """Look up a rule for a type of question; the convention is the Brier score's alone."""
    one_of(question_type, QUESTION_TYPES, "question_type")
    one_of(convention, CONVENTIONS, "convention")
    one_of(name, tuple(dict.fromkeys(key[0] for key in RULES)), "rule")
    for rule in RULES.values():
        if rule.name == name and rule.question_type == question_type:
            if name == "brier" and rule.convention != convention:
                continue
            return rule
    message = f"rule ({name!r}): does not score {question_type} questions"
    raise InvalidInput(message, hint=" or ".join(names(question_type)))
