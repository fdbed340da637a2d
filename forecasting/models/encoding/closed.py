"""Closed-form answers: the posterior mean exactly, its spread from the posterior's quantiles."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from forecasting.domain.forecast import Spread
from forecasting.errors import InvalidInput
from forecasting.inference.compile import library_versions
from forecasting.inference.fit import array_hash
from forecasting.inference.summary import Summary
from forecasting.models.conjugate import beta_share, gamma_poisson, highest_rung
from forecasting.models.encoding.answer import Answer

QUANTILES = (0.05, 0.5, 0.95)


def rate(shape: float, exposure: float, weeks: float) -> Answer:
    """Answer P(event within `weeks`) for a weekly rate ~ Gamma(shape, exposure).

    Examples
    --------
    >>> round(rate(1.0, 100.0, 100.0).numbers[0], 6)
    0.5
    """
    found = gamma_poisson(shape, exposure, weeks)
    return exact(
        (found.mean,), _spread(found), {"shape": shape, "exposure": exposure}, {"weeks": weeks}
    )


def share(a: float, b: float) -> Answer:
    """Answer the next trial's probability for a share ~ Beta(a, b).

    Examples
    --------
    >>> share(0.5, 1.5).numbers
    (0.25,)
    """
    found = beta_share(a, b)
    return exact((found.mean,), _spread(found), {"a": a, "b": b}, {})


def dirichlet(counts: Sequence[float]) -> Answer:
    """Answer the next case's options for shares ~ Dirichlet(counts): counts / sum."""
    shares = np.asarray(counts, dtype=np.float64) / float(sum(counts))
    return exact(normalised(shares), None, {"counts": list(counts)}, {})


def rungs(
    posteriors: Sequence[tuple[float, float]], weeks: float, *, floor: int, options: int
) -> Answer:
    """Answer the highest rung reached: each rung above the floor at a rate of its own."""
    missing = options - 1 - floor - len(posteriors)
    if missing:
        msg = f"rungs ({len(posteriors)}): must be one class for each of the {options - 1 - floor}"
        raise InvalidInput(msg)
    shapes, exposures = zip(*posteriors, strict=True)
    above = highest_rung(shapes, exposures, 0, weeks)
    numbers = (*(0.0,) * floor, *(float(p) for p in above))
    posterior = {f"rung {i}": list(p) for i, p in enumerate(posteriors)}
    return exact(normalised(np.array(numbers)), None, posterior, {"weeks": weeks})


def normalised(numbers: NDArray[np.float64]) -> tuple[float, ...]:
    """Give probabilities whose sum is 1 to the last digit that is kept (15 decimals)."""
    kept = [round(float(p), 15) for p in numbers]
    largest = max(range(len(kept)), key=kept.__getitem__)
    kept[largest] = round(1.0 - sum(p for i, p in enumerate(kept) if i != largest), 15)
    return tuple(kept)


def _spread(found: Summary) -> Spread:
    return Spread(found.sd, found.p05, found.p50, found.p95, found.mcse, "conjugate")


def exact(
    numbers: tuple[float, ...],
    spread: Spread | None,
    posterior: Mapping[str, float | Sequence[float]],
    data: Mapping[str, float | Sequence[float]],
    *,
    family: str = "base-rate",
) -> Answer:
    """Wrap numbers that have no Monte Carlo error."""
    return Answer(
        numbers=numbers,
        spread=spread,
        family=family,
        method="conjugate",
        seed=0,
        priors_hash=array_hash({k: np.asarray(v, dtype=float) for k, v in posterior.items()}),
        evidence_hash=array_hash({k: np.asarray(v, dtype=float) for k, v in data.items()}),
        versions=dict(library_versions()),
    )


def quantiles_of(samples: NDArray[np.float64], levels: Sequence[float]) -> tuple[float, ...]:
    """Give the quantiles of a sample at levels in percent."""
    return tuple(float(x) for x in np.quantile(samples, np.asarray(levels) / 100))


def spread_of(p: NDArray[np.float64]) -> Spread:
    """Give the spread of independent draws of a probability, with its Monte Carlo error."""
    low, middle, high = np.quantile(p, QUANTILES)
    sd = float(p.std(ddof=1))
    return Spread(sd, float(low), float(middle), float(high), sd / len(p) ** 0.5, "conjugate")
