"""Answers from closed forms: no sampler, so no Monte Carlo error and nothing for the gate."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from forecasting.domain.forecast import Spread
from forecasting.inference.compile import library_versions
from forecasting.inference.fit import array_hash
from forecasting.inference.summary import Summary
from forecasting.models.encoding.answer import Answer
from forecasting.models.protocol import PriorSpec, prior_arrays

QUANTILES = (0.05, 0.5, 0.95)


def exact(
    family: str,
    numbers: Sequence[float],
    spread: Summary | None,
    data: Mapping[str, NDArray[np.float64]],
    priors: Mapping[str, PriorSpec],
    draw: Callable[[], NDArray[np.float64]] | None = None,
) -> Answer:
    """Wrap exact numbers: one probability, or one per option (they sum to 1)."""
    single = len(numbers) == 1
    return Answer(
        numbers=tuple(numbers) if single else normalised(np.array(numbers)),
        spread=spread_of(spread) if single and spread is not None else None,
        family=family,
        method="conjugate",
        seed=0,
        priors_hash=array_hash(prior_arrays(priors, priors)),
        evidence_hash=array_hash(data),
        versions=dict(library_versions()),
        draw=draw,
    )


def spread_of(found: Summary) -> Spread:
    """Give a summary as the spread that is logged."""
    return Spread(found.sd, found.p05, found.p50, found.p95, found.mcse, "conjugate")


def spread_of_draws(p: NDArray[np.float64]) -> Spread:
    """Give the spread of independent draws of a probability, with its Monte Carlo error."""
    low, middle, high = np.quantile(p, QUANTILES)
    sd = float(p.std(ddof=1))
    return Spread(sd, float(low), float(middle), float(high), sd / len(p) ** 0.5, "conjugate")


def normalised(numbers: NDArray[np.float64]) -> tuple[float, ...]:
    """Give probabilities whose sum is 1 to the last digit that is kept (15 decimals).

    Examples
    --------
    >>> sum(normalised(np.array([1, 1, 1]) / 3))
    1.0
    """
    kept = [round(float(p), 15) for p in numbers]
    largest = max(range(len(kept)), key=kept.__getitem__)
    kept[largest] = round(1.0 - sum(p for i, p in enumerate(kept) if i != largest), 15)
    return tuple(kept)


def quantiles_of(samples: NDArray[np.float64], levels: Sequence[float]) -> tuple[float, ...]:
    """Give the quantiles of a sample at levels in percent."""
    return tuple(float(x) for x in np.quantile(samples, np.asarray(levels) / 100))
