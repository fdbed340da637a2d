"""The ensemble of worldviews: which thesis is right, judged by what each has said before.

Its weights are those of `worldview_weights`, and its pool is their linear pool: the mean over the
posterior of what the true worldview, whichever it is, says.

Data arrays: ``log_likelihood`` (n, K), NaN where a worldview had not entered; ``event`` (n,),
the cluster of each question as a number. Prior: ``share`` (K,). Draws: ``worldview`` (S,), the
index of the true one.
"""

import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from forecasting.errors import InvalidInput
from forecasting.inference.fit import Fit, exact_fit
from forecasting.inference.inputs import Layout, inputs
from forecasting.models.protocol import PriorSpec, prior_arrays
from forecasting.models.worldview_weights import FLOOR, TEMPERING, FloatArray, ensemble_weights

__all__ = ["WorldviewEnsemble", "ensemble_weights"]


@dataclass(frozen=True, slots=True)
class WorldviewEnsemble:
    """Which of several worldviews is right, judged by their record; exact, nothing sampled.

    Attributes
    ----------
    worldviews
        Their names, in the order of every array.
    tempering
        Power of each event's likelihood.
    """

    family: ClassVar[str] = "worldview-ensemble"
    version: ClassVar[str] = "1"
    outcome_types: ClassVar[frozenset[str]] = frozenset(
        {"binary", "categorical", "ordered", "numeric"}
    )

    worldviews: tuple[str, ...] = ("first", "second")
    tempering: float = TEMPERING

    def __post_init__(self) -> None:
        """Check the names."""
        if not self.worldviews or len(set(self.worldviews)) < len(self.worldviews):
            message = f"worldviews ({self.worldviews}): one or more different names."
            raise InvalidInput(message)

    @property
    def structure(self) -> tuple[Hashable, ...]:
        """The number of worldviews changes the graph."""
        return (len(self.worldviews),)

    @property
    def layout(self) -> Layout:
        """The prior shares, and each worldview's tempered record over all events."""
        return {"share_value": len(self.worldviews), "record": len(self.worldviews)}

    def default_priors(self) -> dict[str, PriorSpec]:
        """Return the prior shares: equal.

        Returns
        -------
        dict of str to PriorSpec
            ``share``.

        Examples
        --------
        >>> WorldviewEnsemble(("a", "b")).default_priors()["share"].text
        'Constant(0.5, 0.5)'
        """
        k = len(self.worldviews)
        share = PriorSpec.of(
            "share",
            "constant",
            (1 / k,) * k,
            source="equal shares: no thesis is preferred before its record",
            known_by=date(2025, 1, 1),
        )
        return {"share": share}

    def build_model(self) -> Any:
        """Build the graph: the index of the true worldview, and its record as a potential.

        Returns
        -------
        pymc.Model
            One discrete variable, ``worldview``; an oracle for `fit`, which enumerates it.
        """
        import pymc as pm

        k = len(self.worldviews)
        with pm.Model() as model:
            given = inputs(self.layout, {"share_value": np.full(k, 1 / k), "record": np.zeros(k)})
            index = pm.Categorical("worldview", p=given["share_value"])
            pm.Potential("said", given["record"][index])
        return model

    def weights(
        self, data: Mapping[str, ArrayLike], priors: Mapping[str, PriorSpec], floor: float = FLOOR
    ) -> FloatArray:
        """Return `ensemble_weights` of the record.

        Parameters
        ----------
        data : mapping
            ``log_likelihood`` (n, K) and ``event`` (n,).
        priors : mapping of str to PriorSpec
            As `default_priors` returns, or other shares.
        floor : float, default 0.02
            Least weight after normalising.

        Returns
        -------
        ndarray, shape (K,)
            Sums to one.
        """
        share = prior_arrays(priors, self.default_priors())["share_value"]
        return ensemble_weights(
            data["log_likelihood"],
            data["event"],
            prior=share,
            tempering=self.tempering,
            floor=floor,
        )

    def fit(
        self,
        data: Mapping[str, ArrayLike],
        priors: Mapping[str, PriorSpec],
        seed: int,
        *,
        draws: int = 1000,
        chains: int = 4,
    ) -> Fit:
        """Return independent draws of the index of the true worldview.

        Parameters
        ----------
        data, priors
            As in `weights`.
        seed : int
            Seed of the draws.
        draws, chains : int
            Kept draws a chain, and chains.

        Returns
        -------
        Fit
            With ``method="conjugate"``: the weights are exact.
        """
        started = time.perf_counter()
        w = self.weights(data, priors)
        rng = np.random.default_rng(seed)
        found = {"worldview": rng.choice(len(w), chains * draws, p=w).astype(np.float64)}
        seconds = time.perf_counter() - started
        arrays = prior_arrays(priors, self.default_priors())
        return exact_fit(found, data, arrays, seed=seed, seconds=seconds, chains=chains)

    def predict(self, draws: Mapping[str, ArrayLike], probability: ArrayLike) -> FloatArray:
        """Return what the drawn worldview says, for every draw.

        Parameters
        ----------
        draws : mapping
            From `fit`.
        probability : array_like, shape (K,) or (K, C)
            Each worldview's probability of yes, or of each option.

        Returns
        -------
        ndarray, shape (S,) or (S, C)
            Its mean is the linear pool with the posterior weights.
        """
        said = np.asarray(probability, dtype=np.float64)
        found: FloatArray = said[np.asarray(draws["worldview"]).astype(np.int64)]
        return found

    def log_likelihood(
        self, draws: Mapping[str, ArrayLike], data: Mapping[str, ArrayLike]
    ) -> FloatArray:
        """Return log p(outcome of a question | worldview), untempered.

        Parameters
        ----------
        draws, data : mapping
            As in `fit`.

        Returns
        -------
        ndarray, shape (S, n)
            NaN where the drawn worldview had not entered.
        """
        scores = np.asarray(data["log_likelihood"], dtype=np.float64)
        found: FloatArray = scores[:, np.asarray(draws["worldview"]).astype(np.int64)].T
        return found
