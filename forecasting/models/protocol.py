"""What every model family offers, and how a prior is written down."""

from collections.abc import Hashable, Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.inference.fit import Fit
from forecasting.models.prior import PriorSpec, from_standard, prior_arrays, prior_table

__all__ = ["PriorSpec", "QuestionModel", "from_standard", "prior_arrays", "prior_table"]

FloatArray = NDArray[np.float64]


@runtime_checkable
class QuestionModel(Protocol):
    """A family of models: arrays and priors in, draws and probabilities out.

    ``predict`` differs by family, because questions do; each returns P(outcome | parameters)
    for every draw, draws first, so that ladders are monotone and categories sum to one in each.
    """

    family: ClassVar[str]
    version: ClassVar[str]
    outcome_types: ClassVar[frozenset[str]]

    @property
    def structure(self) -> tuple[Hashable, ...]:
        """Options that change the graph: part of the key of the compiled model."""
        ...

    def build_model(self) -> Any:
        """Build the ``pm.Model``; every number that can change is ``pm.Data``."""
        ...

    def default_priors(self) -> dict[str, PriorSpec]:
        """Return the priors by parameter."""
        ...

    def fit(self, data: Mapping[str, ArrayLike], priors: Mapping[str, PriorSpec], seed: int) -> Fit:
        """Return posterior draws given all evidence, never chained on an earlier posterior."""
        ...

    def log_likelihood(
        self, draws: Mapping[str, ArrayLike], data: Mapping[str, ArrayLike]
    ) -> FloatArray:
        """Return log p(row | draw), shape (S, n)."""
        ...
