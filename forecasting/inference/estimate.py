"""Numbers from paths: means with their error, spread over parameters, the gate, quantiles."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import BoolArray, FloatArray
from forecasting.domain.forecast import Spread

#: Levels, in percent, of a spread.
SPREAD = (5.0, 25.0, 50.0, 75.0, 95.0)
#: The lowest and highest probability that is recorded.
LEAST, MOST = 0.0001, 0.9999
#: The largest Monte Carlo error of a probability that is shown.
LARGEST = 0.01


@dataclass(frozen=True, slots=True)
class Estimate:
    """A probability out of paths: weighted mean, Monte Carlo standard error, and spread.

    The error is that of the means of the parameter points; `sd` and `quantiles` (at `SPREAD`) are
    those of P(yes | parameters).
    """

    p: float
    mcse: float
    sd: float
    quantiles: tuple[float, ...]

    @property
    def gate(self) -> str:
        """``passed``, or ``refused: ...`` with the reason."""
        return gate(self.p, self.mcse)

    def spread(self) -> Spread:
        """Give it as it is recorded beside a forecast."""
        low, _, middle, _, high = self.quantiles
        # What is recorded of the probability is held off 0 and 1, and lies in its interval.
        p = min(max(self.p, LEAST), MOST)
        return Spread(self.sd, min(low, p), middle, max(high, p), self.mcse, "simulated")


def estimate(truth: BoolArray, weights: FloatArray, repeats: int) -> Estimate:
    """Give the probability of an event, its Monte Carlo error and its spread over parameters."""
    happened, every = np.asarray(truth, dtype=np.bool_), weights.reshape(-1, repeats)
    hit = np.where(happened.reshape(-1, repeats), every, 0.0)
    yes, mass = hit.sum(axis=1), every.sum(axis=1)
    p = float(np.clip(yes.sum(), 0.0, 1.0))
    alike = bool(happened.all() or not happened.any())
    sd, levels = spread(p, _between(hit, every, yes, mass))
    return Estimate(p, _error(yes - p * mass, mass, alike=alike), sd, levels)


def effective(weights: FloatArray) -> float:
    """Give how many equal draws weighted ones are worth; 0 without any weight."""
    # Not weights @ weights, which starts the threads of a BLAS for a few thousand numbers.
    total = float(np.sum(weights * weights))
    return 1.0 / total if total > 0.0 else 0.0


def error(x: FloatArray, weights: FloatArray, repeats: int) -> float:
    """Give the standard error of a weighted mean by the delta method, a parameter point a unit."""
    mass = weights.reshape(-1, repeats).sum(axis=1)
    return _error(pulls(x, weights, repeats), mass, alike=bool(np.ptp(x) == 0))


def pulls(x: FloatArray | BoolArray, weights: FloatArray, repeats: int) -> FloatArray:
    """Give how far each parameter point pulls a weighted mean from what it is, (points,)."""
    mass = weights.reshape(-1, repeats).sum(axis=1)
    parts = (weights * x).reshape(-1, repeats).sum(axis=1)
    return np.asarray(parts - parts.sum() * mass, dtype=np.float64)


def _error(parts: FloatArray, mass: FloatArray, *, alike: bool) -> float:
    points = int(np.count_nonzero(mass))
    if points < 2:
        return 0.0 if alike else float("inf")
    return float(np.sqrt(np.sum(parts * parts) * points / (points - 1)))


def influence(
    x: FloatArray | BoolArray, weights: FloatArray, repeats: int, raked: Sequence[FloatArray] = ()
) -> FloatArray:
    """Give what each parameter point adds to the error of a weighted mean, (points,).

    Weights that were fitted so that the means of `raked` are given numbers (raking) leave only what
    these do not explain: the residual of the regression on them (Deville & Sarndal 1992,
    doi:10.1080/01621459.1992.10475217).
    """
    rest = np.asarray(x, dtype=np.float64) - np.sum(weights * x)
    if raked:
        root = np.sqrt(weights)
        known = np.array([each - np.sum(weights * each) for each in raked]).T
        rest = rest - known @ np.linalg.lstsq(known * root[:, None], rest * root, rcond=None)[0]
    return np.asarray((weights * rest).reshape(-1, repeats).sum(axis=1), dtype=np.float64)


def change_error(
    before: tuple[BoolArray, FloatArray, int],
    after: tuple[BoolArray, FloatArray, int],
    raked: Sequence[FloatArray] = (),
) -> float:
    """Give the standard error of the difference of two shares of paths.

    The paths that a condition keeps are part of all paths, so that the two shares err together: the
    error is that of the difference of what each parameter point adds to both (delta method). Of two
    simulations with other parameter points the errors add up in squares. A share of none or of
    all paths errs too: 3 out of n paths is as much as it may be off (rule of three), half of which
    counts as its standard error. `before, after`: (truth, weights, repeats), weights 0 where a
    condition is not met; the weights of `after` were fitted to the numbers of the `raked` truths.
    """
    old, new = influence(*before), influence(*after, raked)
    points = [int(np.count_nonzero(w.reshape(-1, n).sum(axis=1))) for _, w, n in (before, after)]
    if min(points) < 2:
        return float("inf")
    paired = np.sum((new - old) ** 2) if len(old) == len(new) else np.sum(new**2) + np.sum(old**2)
    variance = float(paired) * min(points) / (min(points) - 1)
    for truth, weights, _ in (before, after):
        if np.ptp(truth[weights > 0].astype(np.int8)) == 0:
            variance += (1.5 / effective(weights)) ** 2
    return float(np.sqrt(variance))


def _between(hit: FloatArray, every: FloatArray, yes: FloatArray, mass: FloatArray) -> float:
    """Give the variance of P(yes | parameters) without the chance within a point.

    Two different draws of a point share nothing but its parameters, so the mean product of their
    outcomes is the mean square of the probability.
    """
    live = mass > 0
    if not live.any() or every.shape[1] == 1:
        return 0.0
    square_mass = mass[live] ** 2
    pairs = 1.0 - (every * every).sum(axis=1)[live] / square_mass
    alone = (hit * hit).sum(axis=1)[live] / square_mass
    more = pairs > 1e-9
    if not more.any():
        return 0.0
    mean, mass = (yes[live] / mass[live])[more], mass[live][more] / mass[live][more].sum()
    square = (mean**2 - alone[more]) / pairs[more]
    middle = float(np.sum(mass * mean))
    variance = float(np.sum(mass * square) - middle**2)
    # Where few paths say yes, a variance within its error of 0 is not printed as 0.
    parts = square - 2.0 * middle * mean
    unsure = float(np.sqrt(np.sum(mass**2 * (parts - np.sum(mass * parts)) ** 2)))
    return max(variance, unsure)


def spread(p: float, variance: float) -> tuple[float, tuple[float, ...]]:
    """Give sd and quantiles of the Beta distribution with a mean and a variance."""
    from scipy.special import betaincinv

    room = p * (1.0 - p)
    variance = min(variance, room * 0.999)
    if room <= 0.0 or variance < 1e-6 * room:
        return 0.0, (p,) * len(SPREAD)
    size = room / variance - 1.0
    raw = betaincinv(p * size, (1.0 - p) * size, np.array(SPREAD) / 100.0)
    levels = np.maximum.accumulate(np.clip(np.nan_to_num(raw, nan=p), 0.0, 1.0))
    return float(np.sqrt(variance)), tuple(float(level) for level in levels)


def gate(p: float, mcse: float) -> str:
    """Refuse a probability whose Monte Carlo error is too large for it.

    >>> gate(0.3, 0.004), gate(0.01, 0.005)
    ('passed', 'refused: Monte Carlo error .0050 of .0100: at most .0033')
    """
    most = max(0.0005, min(LARGEST, p / 3, (1.0 - p) / 3))
    if mcse <= most:
        return "passed"
    return f"refused: Monte Carlo error {_short(mcse)} of {_short(p)}: at most {_short(most)}"


def _short(value: float) -> str:
    return f"{value:.4f}".lstrip("0")


def logged(p: float) -> float:
    """Give the probability as it is recorded: never 0 or 1."""
    return min(max(p, LEAST), MOST)


def logged_options(p: ArrayLike) -> tuple[float, ...]:
    """Give the probabilities of options as they are recorded: never 0, summing to 1."""
    clipped = np.clip(np.asarray(p, dtype=np.float64), LEAST, MOST)
    return tuple(float(value) for value in clipped / clipped.sum())


def quantiles(
    x: FloatArray, weights: FloatArray, levels: Sequence[float] = tuple(range(1, 100))
) -> tuple[float, ...]:
    """Give weighted quantiles as order statistics, so that atoms stay atoms."""
    order = np.argsort(x, kind="stable")
    order = order[weights[order] > 0]
    below = np.cumsum(weights[order])
    at = np.searchsorted(below, np.asarray(levels) / 100.0 * below[-1] - 1e-12)
    return tuple(float(value) for value in x[order][np.minimum(at, len(order) - 1)])


def number_error(x: FloatArray, weights: FloatArray, repeats: int) -> float:
    """Give the largest Monte Carlo error of the shares below the 5, 50 and 95 % quantiles."""
    cuts = quantiles(x, weights, (5.0, 50.0, 95.0))
    return max(error((x <= cut).astype(np.float64), weights, repeats) for cut in cuts)


def number_gate(mcse: float, most: float = LARGEST) -> str:
    """Refuse quantiles whose levels are more uncertain than that."""
    if mcse <= most:
        return "passed"
    return (
        f"refused: Monte Carlo error {_short(mcse)} of a quantile's level: at most {_short(most)}"
    )


def value_of_information(
    target: BoolArray, answer: BoolArray, weights: FloatArray, counts: BoolArray | None = None
) -> float:
    """Give how much an answer would lower the target's Brier uncertainty p(1 - p), on average.

    `answer` (outcomes, draws): the outcomes exclude each other and leave no draw out, so the drop
    is the variance of the target's mean over them. A conditional target has a score only on the
    draws that `counts` names.
    """
    w = weights if counts is None else weights * counts
    shares = np.asarray(answer, dtype=np.float64)
    p, both = shares @ w, shares @ (w * target)
    means = np.divide(both, p, out=np.zeros_like(p), where=p > 0)
    return float(p @ (means - both.sum() / max(p.sum(), 1e-300)) ** 2)


def log_odds(p: ArrayLike) -> FloatArray:
    """Give log-odds of probabilities as they are recorded."""
    q = np.clip(np.asarray(p, dtype=np.float64), LEAST, MOST)
    return np.asarray(np.log(q) - np.log1p(-q), dtype=np.float64)
