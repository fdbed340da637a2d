"""A rate whose logarithm is normal, seen through counts: its marginal likelihood and its quantiles.

log rate = l ~ Normal(loc, scale), and the data say exp(n l - e exp(l)): n events in an exposure e.
The density of l is log-concave with one mode, which Lambert's function gives; around it the
integral is a sum over nodes that are spread by sinh, dense at the mode and far enough on the left,
where without events the prior alone decides. Both sides take their mathematics as an argument, so
that the sampled graph and the NumPy side cannot differ.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput

#: Nodes of the integral, and of a table that is inverted.
NODES, TABLE = 21, 129
NEWTON = 2
#: How far the nodes reach, in standard deviations.
REACH = 6.0
#: Used for no exposure: its logarithm is finite, and with any rate it gives no events.
NO_EXPOSURE = 1e-30
LOG_ROOT_TWO_PI = 0.5 * float(np.log(2.0 * np.pi))


#: What the formulas need of NumPy and of a graph alike.
_OF_ONE = ("log", "log1p", "exp", "expm1", "sqrt", "sinh", "cosh", "arcsinh")
_OF_MORE = ("maximum", "minimum", "logaddexp", "concatenate")


def numpy_mathematics() -> SimpleNamespace:
    """Return what the formulas need, for arrays; `fixed` stops derivatives in a graph."""
    from scipy.special import gammaln

    def logsumexp(x: FloatArray, axis: int) -> FloatArray:
        peak = x.max(axis=axis, keepdims=True)  # no row is -inf throughout
        total = np.log(np.exp(x - peak).sum(axis=axis, keepdims=True)) + peak
        return np.asarray(total.squeeze(axis), dtype=np.float64)

    return SimpleNamespace(
        **{name: getattr(np, name) for name in (*_OF_ONE, *_OF_MORE)},
        softplus=lambda y: np.logaddexp(0.0, y),
        gammaln=gammaln,
        logsumexp=logsumexp,
        fixed=lambda value: value,
    )


def graph_mathematics() -> SimpleNamespace:
    """Return what the formulas need, for a graph."""
    import pytensor.tensor as pt
    from pytensor.gradient import disconnected_grad

    names = [name for name in vars(numpy_mathematics()) if name != "fixed"]
    return SimpleNamespace(**{name: getattr(pt, name) for name in names}, fixed=disconnected_grad)


def mode(loc: Any, scale: Any, count: Any, exposure: Any, xp: Any) -> tuple[Any, Any]:
    """Return the mode of the log rate and its standard deviation there; all broadcast.

    With w = scale^2 e exp(l) the mode solves w + log w = log(scale^2 e) + loc + scale^2 n; two
    Newton steps from softplus come within a hundredth, which is enough for placing nodes.
    """
    variance = scale * scale
    y = xp.log(variance * xp.maximum(exposure, NO_EXPOSURE)) + loc + variance * count
    # Not log(1 + exp(y)), which is 0 where there is no exposure and would lose the mode.
    w = xp.maximum(xp.softplus(y), 1e-300)
    for _ in range(NEWTON):
        w = xp.maximum(w * (1.0 + y - xp.log(w)) / (1.0 + w), 1e-300)
    # log w - log(scale^2 e), not loc + scale^2 n - w: no difference of near equals where n > 0.
    from_data = xp.log(w) - xp.log(variance * xp.maximum(exposure, NO_EXPOSURE))
    return from_data, scale / xp.sqrt(1.0 + w)


def log_marginal(loc: Any, scale: Any, count: Any, exposure: Any, xp: Any) -> Any:
    """Return log of the mean of exp(n l - e exp(l)) over l ~ Normal(loc, scale).

    The arguments broadcast to (..., 1): the nodes are a last axis, over which the result sums.
    """
    place, sd = mode(loc, scale, count, exposure, xp)
    right = float(np.arcsinh(REACH))
    left = -xp.arcsinh(xp.maximum((place - loc + REACH * scale) / sd, REACH))
    t = left + (right - left) * np.linspace(0.0, 1.0, NODES)
    # The integral does not depend on where its nodes are, so neither does its derivative.
    x = xp.fixed(place + sd * xp.sinh(t))
    weight = xp.fixed(xp.log(xp.cosh(t) * sd * (right - left) / (NODES - 1)) - LOG_ROOT_TWO_PI)
    likelihood = xp.fixed(count * x - exposure * xp.exp(x) + weight)
    z = (x - loc) / scale
    return xp.logsumexp(likelihood - 0.5 * z * z, axis=-1) - xp.log(scale)[..., 0]


def posterior_quantiles(
    u: ArrayLike,
    loc: ArrayLike,
    scale: ArrayLike,
    count: float,
    exposure: ArrayLike,
    *,
    log_weight: Callable[[FloatArray], FloatArray] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Return a quantile of the log rate for each point, and the log marginal likelihood, (G,).

    `u` (G,) are the levels; loc, scale (300 is flat) and exposure are (G,) or (). `log_weight` is
    a further factor of the likelihood, from log rates (G, nodes) to its logarithm: the table then
    reaches over the whole prior on both sides. Smooth in every argument.

    >>> log_rates, _ = posterior_quantiles([0.5], 0.0, 300.0, 1.0, 8.0)
    >>> round(float(np.exp(log_rates[0])), 4)  # log 2 / 8
    0.0866
    """
    level = np.asarray(u, dtype=np.float64)
    if level.ndim != 1 or np.any((level <= 0) | (level >= 1)):
        raise InvalidInput(f"u ({level.shape}): one-dimensional, between 0 and 1.")
    xp = numpy_mathematics()
    centre, width, seen = (np.asarray(value, dtype=np.float64) for value in (loc, scale, exposure))
    place, sd = mode(centre, width, count, seen, xp)
    # A flat prior has no far side that is worth a node.
    far = np.minimum(REACH * width, 40.0)
    left = -np.arcsinh(np.minimum(np.maximum((place - centre + far) / sd, REACH), 1e3))
    right = np.full_like(left, np.arcsinh(REACH))
    if log_weight is not None:
        right = np.arcsinh(np.minimum(np.maximum((centre - place + far) / sd, REACH), 1e3))
    # One column a point, or one for all: what is the same in all points is tabulated once. In
    # place, for making room for so many numbers takes longer than to compute them.
    t = left + (right - left) * np.linspace(0.0, 1.0, TABLE)[:, None]
    x = np.sinh(t)
    x *= sd
    x += place
    work = np.minimum(x, 700.0)
    np.exp(work, out=work)
    work *= seen
    log_density = count * x
    log_density -= work
    further = None if log_weight is None else log_weight(x)
    x -= centre
    x /= width
    x *= x
    x *= -0.5
    x += np.log(np.cosh(t, out=work), out=work)
    log_density += x
    if further is not None:
        log_density = log_density + further
    peak = log_density.max(axis=0)
    log_density -= peak
    density = np.exp(log_density, out=log_density)
    step = (right - left) / (TABLE - 1)
    piece = density[1:] + density[:-1]
    piece *= 0.5
    cumulative = np.zeros_like(density)
    for k in range(TABLE - 1):  # NumPy's own cumsum down the columns is slow
        np.add(cumulative[k], piece[k], out=cumulative[k + 1])
    total = cumulative[-1]
    target = level * total
    above = np.clip((cumulative < target).sum(axis=0), 1, TABLE - 1)
    column = np.arange(level.size) if density.shape[1] > 1 else 0
    # Within a step the density is a line, its integral a parabola, whose root this is.
    before, after = density[above - 1, column], density[above, column]
    due = target - cumulative[above - 1, column]
    root = np.sqrt(np.maximum(before**2 + 2.0 * (after - before) * due, 0.0))
    share = 2.0 * due / np.maximum(before + root, 1e-300)
    at = t[above - 1, column if t.shape[1] > 1 else 0] + share * step
    log_rate = place + sd * np.sinh(at)
    log_norm = np.log(sd / width) - LOG_ROOT_TWO_PI + np.log(step)
    log_evidence = np.broadcast_to(peak + np.log(total) + log_norm, level.shape)
    return log_rate, log_evidence
