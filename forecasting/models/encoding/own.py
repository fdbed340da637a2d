"""Answers of a family that a user adds: one class in one file, found by its entry point.

Beside what `QuestionModel` asks of it the class has two methods: ``encode(case)`` gives the data
known as of the moment, as arrays, and ``predict(draws, case)`` gives P(outcome | parameters) for
every draw, shape (S,) or (S, K). The case holds the question, the facts that passed the as-of
filter, and the priors of the question's reference class.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.inference.fit import Fit
from forecasting.models.encoding import closed, rates
from forecasting.models.encoding.answer import Answer
from forecasting.models.encoding.rates import Case, Inputs
from forecasting.models.encoding.truces import answer_of_draws
from forecasting.models.protocol import PriorSpec, QuestionModel, prior_arrays

FloatArray = NDArray[np.float64]


class OwnFamily(QuestionModel):
    """What a family in one file offers beside the protocol."""

    def encode(self, case: Case) -> Mapping[str, ArrayLike]:
        """Give the data known as of the moment; none of it where ``case.timed`` is False."""
        raise NotImplementedError

    def predict(self, draws: Mapping[str, FloatArray], case: Case) -> FloatArray:
        """Give P(outcome | parameters) for every draw."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Own:
    """Answers questions for a family of a user's own."""

    family: OwnFamily

    def model(self, case: Case) -> Answer:
        """Answer with everything known."""
        return self._answer(case, self._data(case))

    def prior(self, case: Case) -> Answer:
        """Answer from the prior alone: no facts, no time passed."""
        return self._answer(case, self._data(replace(case, facts=(), timed=False)))

    def base_rate(self, case: Case) -> Answer | None:
        """Answer from the reference class, where it has a rate or a share."""
        kind = case.book.reference(case.reference).kind
        return rates.base_rate(case) if kind in {"rate", "share", "dirichlet"} else None

    def inputs(self, case: Case) -> Inputs:
        """Give what the answer is computed from, as arrays."""
        priors = self._priors(case)
        left = {"weeks_left": np.array(case.weeks_left)}
        return {**self._data(case), **prior_arrays(priors, priors), **left}

    def _data(self, case: Case) -> Inputs:
        return {
            name: np.asarray(values, dtype=np.float64)
            for name, values in self.family.encode(case).items()
        }

    def _priors(self, case: Case) -> dict[str, PriorSpec]:
        """Take each parameter's prior from the class where it has one under that name."""
        given = case.priors[case.reference]
        return {
            name: found
            if (found := given.get(name)) is not None and found.distribution == spec.distribution
            else spec
            for name, spec in self.family.default_priors().items()
        }

    def _answer(self, case: Case, data: Inputs) -> Answer:
        def of(fit: Fit) -> Answer:
            p = np.asarray(self.family.predict(fit.draws, case), dtype=np.float64)
            if p.ndim == 1 or p.shape[1] == 1:
                return answer_of_draws(p.reshape(-1), fit, self.family.family)
            answer = answer_of_draws(p[:, 0], fit, self.family.family)
            mean = np.average(p, axis=0, weights=fit.weights)
            return replace(answer, numbers=closed.normalised(mean), spread=None, draw=lambda: p)

        return case.fits.answer(self.family, data, self._priors(case), of)


def answers_of(family: Any) -> Own | None:
    """Give what answers for a user's family; None where it lacks a method."""
    if not all(callable(getattr(family, name, None)) for name in ("encode", "predict")):
        return None
    return Own(family())
