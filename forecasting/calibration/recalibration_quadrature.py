"""The posterior of a hierarchical recalibration by sums over grids: exact, and nothing sampled.

Given the four shared numbers the forecasters are independent, and the prior of a forecaster's two
is a product. So with L the likelihood of one forecaster on a grid of (alpha, b), and A and B the
normal densities of alpha and of b on that grid for every pair of shared numbers, the marginal
likelihood of all pairs at once is A L B^T: two small matrix products a forecaster.
"""

import numpy as np

from forecasting.arrays import FloatArray
from forecasting.calibration.recalibration_lines import Shared

Rows = tuple[FloatArray, FloatArray, FloatArray]
#: alpha, log slope and weight of each point.
Cloud = tuple[FloatArray, FloatArray, FloatArray]

NODES, REACH = 61, 6.0
MEANS, SCALES, SHARED_REACH = 33, 15, 4.0
#: Keep the grid fine enough for a narrow population: at least this many of its points a unit.
WIDEST = 0.5


def by_quadrature(records: list[Rows], shared: Shared) -> list[Cloud]:
    """Return the posterior of each forecaster, from (x, y, w), and last that of a stranger."""
    mean_a, scale_a, prior_a = _shared_grid(shared.intercept_sd, shared.intercept_scale)
    mean_b, scale_b, prior_b = _shared_grid(shared.slope_sd, shared.slope_scale)
    log_post = prior_a[:, None] + prior_b[None, :]
    each = []
    for x, y, w in records:
        alpha, log_slope = _grids(x, y, w)
        log_likelihood = _log_likelihood(alpha, log_slope, x, y, w)
        top = float(log_likelihood.max())
        likelihood = np.exp(log_likelihood - top)
        a = _normal(alpha, mean_a, scale_a) * (alpha[1] - alpha[0])
        b = _normal(log_slope, mean_b, scale_b) * (log_slope[1] - log_slope[0])
        marginal = np.maximum(a @ likelihood @ b.T, 1e-300)
        log_post += np.log(marginal) + top
        each.append((alpha, log_slope, likelihood, a, b, marginal))
    posterior = np.exp(log_post - log_post.max())
    posterior /= posterior.sum()
    clouds = [
        _cloud(alpha, log_slope, likelihood * (a.T @ (posterior / marginal) @ b))
        for alpha, log_slope, likelihood, a, b, marginal in each
    ]
    alpha, log_slope = (np.linspace(-2.5, 2.5, 101), np.linspace(-1.6, 1.6, 101))
    a = _normal(alpha, mean_a, scale_a)
    b = _normal(log_slope, mean_b, scale_b)
    return [*clouds, _cloud(alpha, log_slope, a.T @ posterior @ b)]


def _shared_grid(
    mean_sd: float, scale: tuple[float, float]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return means, scales and log prior weights of every pair."""
    z = np.linspace(-SHARED_REACH, SHARED_REACH, MEANS)
    u = np.linspace(-SHARED_REACH, SHARED_REACH, SCALES)
    grid_z, grid_u = (grid.ravel() for grid in np.meshgrid(z, u, indexing="ij"))
    median, log_sd = scale
    return mean_sd * grid_z, median * np.exp(log_sd * grid_u), -(grid_z**2 + grid_u**2) / 2


def _grids(x: FloatArray, y: FloatArray, w: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return grids around the mode under wide priors, a few standard deviations to each side."""
    from scipy.special import expit

    point = np.zeros(2)
    precision = np.array([WIDEST**-2, 0.3**-2])
    information = np.diag(precision)
    for _ in range(50):
        steep = np.exp(point[1]) * x
        rate = expit(point[0] + steep)
        excess, spread = w * (rate - y), w * rate * (1 - rate)
        gradient = np.array([excess.sum(), excess @ steep]) + precision * point
        cross = float(spread @ steep)
        information = np.array([[spread.sum(), cross], [cross, spread @ steep**2]])
        information = information + np.diag(precision)
        step = np.linalg.solve(information, gradient)
        point = point - np.clip(step, -0.5, 0.5)
        if np.abs(step).max() < 1e-8:
            break
    sd = np.sqrt(np.diag(np.linalg.inv(information)))
    alpha, log_slope = (
        np.linspace(centre - REACH * width, centre + REACH * width, NODES)
        for centre, width in zip(point, sd, strict=True)
    )
    return alpha, log_slope


def _log_likelihood(
    alpha: FloatArray, log_slope: FloatArray, x: FloatArray, y: FloatArray, w: FloatArray
) -> FloatArray:
    log_likelihood = np.zeros((len(alpha), len(log_slope)))
    slope = np.exp(log_slope)
    # Equal forecasts are one row: a person says 5, 10, 20 % again and again.
    distinct, row = np.unique(x, return_inverse=True)
    total = np.bincount(row, weights=w, minlength=len(distinct))
    yes = np.bincount(row, weights=w * y, minlength=len(distinct))
    for value, n, events in zip(distinct, total, yes, strict=True):
        eta = alpha[:, None] + slope[None, :] * value
        log_likelihood += events * eta - n * np.logaddexp(0.0, eta)
    return log_likelihood


def _normal(points: FloatArray, mean: FloatArray, scale: FloatArray) -> FloatArray:
    z = (points[None, :] - mean[:, None]) / scale[:, None]
    density: FloatArray = np.exp(-(z**2) / 2) / (scale[:, None] * np.sqrt(2 * np.pi))
    return density


def _cloud(alpha: FloatArray, log_slope: FloatArray, weight: FloatArray) -> Cloud:
    grid_a, grid_b = (grid.ravel() for grid in np.meshgrid(alpha, log_slope, indexing="ij"))
    return grid_a, grid_b, weight.ravel() / weight.sum()
