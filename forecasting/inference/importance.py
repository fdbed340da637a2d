"""Draws of priors where a likelihood has its mass: adaptive importance sampling, block by block.

Each parameter is the inverse cdf of a standard normal number. Round by round a normal distribution
of each block's numbers moves to where prior times likelihood has its mass, however unlike the
prior's own it is.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from forecasting.arrays import FloatArray
from forecasting.domain.prior import PriorSpec

#: The share of the draws that stay as the prior has them.
PLAIN = 1 / 8
#: Rounds in which draws go to where the likelihood is high, each so far that a tenth of them is the
#: effective number; and how much wider than the last round's they are spread.
ROUNDS, LEAST_EFFECTIVE, WIDER, BISECTIONS = 4, 0.1, 1.3, 20


def likely_draws(
    priors: Mapping[str, PriorSpec],
    blocks: Sequence[Sequence[str]],
    levels: Mapping[str, FloatArray],
    log_likelihood: Callable[[Mapping[str, FloatArray]], FloatArray] | None,
) -> tuple[dict[str, FloatArray], FloatArray]:
    """Draw priors where a likelihood is high, which gives that of each block, (S, blocks).

    `levels` are evenly spread uniforms by parameter, (S,) each. Also gives by how much the log
    density of each block is above that with which it was drawn, (S, blocks).
    """
    from scipy.special import ndtri

    plain = [np.stack([ndtri(levels[name]) for name in names], axis=1) for names in blocks]
    near = [(np.zeros(z.shape[1]), np.eye(z.shape[1])) for z in plain]
    few = round(PLAIN * len(plain[0]))
    for rest in reversed(range(ROUNDS if log_likelihood is not None else 1)):
        placed = [
            np.concatenate([z[:few], middle + z[few:] @ np.linalg.cholesky(spread).T])
            for z, (middle, spread) in zip(plain, near, strict=True)
        ]
        draws = {
            name: _by_normal(priors[name], z[:, k])
            for names, z in zip(blocks, placed, strict=True)
            for k, name in enumerate(names)
        }
        due = np.stack([_due(z, *each) for z, each in zip(placed, near, strict=True)], axis=1)
        if log_likelihood is not None and rest:
            log_p = log_likelihood(draws)
            near = [_next_proposal(z, due[:, k], log_p[:, k]) for k, z in enumerate(placed)]
    return draws, due


def _by_normal(prior: PriorSpec, z: FloatArray) -> FloatArray:
    """Give the value of a prior at standard normal numbers."""
    from scipy.special import betaincinv, gammaincinv, ndtr

    a, b = prior.values
    if prior.distribution == "beta":
        return np.asarray(np.clip(betaincinv(a, b, ndtr(z)), 1e-300, 1.0 - 1e-12))
    if prior.distribution == "gamma":
        return np.asarray(np.maximum(gammaincinv(a, ndtr(z)) / b, 1e-300))
    return np.exp(a + b * z) if prior.distribution == "lognormal" else a + b * z


def _due(z: FloatArray, middle: FloatArray, spread: FloatArray) -> FloatArray:
    """Give log N(z; 0, I) less the log density of the mixture that z is drawn from."""
    root = np.linalg.cholesky(spread)
    near = np.linalg.solve(root, (z - middle).T)
    prior = -0.5 * np.sum(z * z, axis=1)
    there = -0.5 * np.sum(near * near, axis=0) - np.log(np.diag(root)).sum()
    return np.asarray(prior - np.logaddexp(np.log(PLAIN) + prior, np.log1p(-PLAIN) + there))


def _next_proposal(
    z: FloatArray, due: FloatArray, log_likelihood: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Give the mean and the covariance of a block's next draws, by a tempered likelihood."""

    def weights(share: float) -> FloatArray:
        log_weight = due + share * log_likelihood
        relative = np.exp(log_weight - log_weight.max())
        return np.asarray(relative / relative.sum())

    def enough(share: float) -> bool:
        return bool(1.0 / np.sum(weights(share) ** 2) >= LEAST_EFFECTIVE * len(z))

    low, high = (1.0, 1.0) if enough(1.0) else (0.0, 1.0)
    for _ in range(BISECTIONS if low < high else 0):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if enough(middle) else (low, middle)
    weight = weights(low)
    mean = weight @ z
    apart = z - mean
    return mean, WIDER * (apart * weight[:, None]).T @ apart + 1e-9 * np.eye(z.shape[1])
