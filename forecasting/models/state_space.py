"""A random walk seen through biased reports: every Gaussian integrated out, given the scales.

Report i of source s and story c on day t_i says

    y_i = a_s z(t_i) + bias + house_s + story_c + noise_i,

with z a two-sided random walk about the opening (day 0): z(0) ~ N(0, level^2) and
z(t) - z(0) of variance tau^2 |t|, independent before and after. All terms are Gaussian, so that
y ~ N(0, K) with

    K_ij = a_i a_j (level^2 + tau^2 m(t_i, t_j)) + bias^2 + house^2 [same source]
           + story^2 [same story] + noise^2 [i = j],

m(s, t) = min(|s|, |t|) on the same side of the opening, else 0. The bias is shared: agreement of
any number of sources leaves sd(z) at level bias / sqrt(level^2 + bias^2). Reports from before the
opening tell the level and the houses and say nothing of z(t) - z(0) for t > 0.

Linzer (2013), Dynamic Bayesian forecasting of presidential elections in the states, JASA 108,
doi:10.1080/01621459.2012.737735, for the walk; Jackman (2005), Pooling the polls over an election
campaign, Australian Journal of Political Science 40, doi:10.1080/10361140500302472, for houses;
Heidemanns, Gelman, Morris (2020), An updated dynamic Bayesian forecasting model for the US
presidential election, HDSR 2(4), doi:10.1162/99608f92.fc62f1e1, for the shared error.

Scales are (S,), one a draw; reports are (n,).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.errors import InvalidInput

__all__ = ["Reports", "Scales", "level_at", "movement", "one_by_one", "others_say"]

FloatArray = NDArray[np.float64]
LOG_TWO_PI = float(np.log(2.0 * np.pi))
# Against rounding in the factor of a covariance without noise, relative to its diagonal.
JITTER = 1e-10
CORNER = 1e12
#: Numbers in the matrices of one block.
BLOCK = 2**17


@dataclass(frozen=True, slots=True)
class Reports:
    """Coded stances.

    Attributes
    ----------
    said
        (n,) log-odds relative to the base rate at the time.
    day
        (n,) days since the opening, negative before it.
    source, story
        (n,) labels as numbers; equal numbers share a house or story effect.
    gain_of
        (n,) 0 where the source's gain is fixed to 1, else k for column k - 1 of the gains.
    """

    said: FloatArray
    day: FloatArray
    source: FloatArray
    story: FloatArray
    gain_of: FloatArray

    @classmethod
    def of(
        cls,
        said: ArrayLike,
        day: ArrayLike,
        source: ArrayLike | None = None,
        story: ArrayLike | None = None,
        gain_of: ArrayLike | None = None,
    ) -> "Reports":
        """Check and keep reports; without labels each is of its own source and its own story.

        Raises
        ------
        InvalidInput
            If lengths differ or a number is not finite.

        Examples
        --------
        >>> Reports.of([0.5, -0.5], [1.0, 2.0]).source.tolist()
        [0.0, 1.0]
        """
        first = np.atleast_1d(np.asarray(said, dtype=np.float64))
        own = np.arange(first.size, dtype=np.float64)
        columns = {
            "said": first,
            "day": np.asarray(day, dtype=np.float64),
            "source": own if source is None else np.asarray(source, dtype=np.float64),
            "story": own if story is None else np.asarray(story, dtype=np.float64),
            "gain_of": 0 * own if gain_of is None else np.asarray(gain_of, dtype=np.float64),
        }
        for name, column in columns.items():
            if column.shape != (first.size,) or not np.all(np.isfinite(column)):
                message = f"{name} ({column}): must be {first.size} finite numbers, one a report."
                raise InvalidInput(message)
        return cls(**columns)

    @property
    def n(self) -> int:
        """Number of reports."""
        return int(self.said.size)


@dataclass(frozen=True, slots=True)
class Scales:
    """Standard deviations of the parts, one a draw.

    Attributes
    ----------
    tau
        (S,) of the walk, per square root of a day.
    house, story, noise
        (S,) of a source, of a story, of one report.
    level, bias
        Of z at the opening, and of the error that all sources share: fixed.
    gain
        (S, G), each column the gain of one source with many reports; G may be 0.
    """

    tau: FloatArray
    house: FloatArray
    story: FloatArray
    noise: FloatArray
    level: float = 1.0
    bias: float = 0.5
    gain: FloatArray | None = None

    @classmethod
    def of(
        cls, draws: Mapping[str, ArrayLike], *, level: float = 1.0, bias: float = 0.5
    ) -> "Scales":
        """Keep the scales among draws of the model.

        Examples
        --------
        >>> one = {"tau": 0.07, "house": 0.5, "story": 0.5, "noise": 0.6}
        >>> Scales.of(one).size
        1
        """
        found = {
            name: np.atleast_1d(np.asarray(draws[name], dtype=np.float64))
            for name in ("tau", "house", "story", "noise")
        }
        gain = np.asarray(draws["gain"], dtype=np.float64) if "gain" in draws else None
        return cls(**found, level=float(level), bias=float(bias), gain=gain)

    @property
    def size(self) -> int:
        """Number of draws."""
        return int(self.tau.size)

    def at(self, rows: NDArray[np.intp]) -> "Scales":
        """Give the scales of some draws."""
        gain = None if self.gain is None else self.gain[rows]
        parts = (self.tau[rows], self.house[rows], self.story[rows], self.noise[rows])
        return Scales(*parts, level=self.level, bias=self.bias, gain=gain)

    def gains(self, reports: Reports) -> FloatArray:
        """Give each report's gain, (S, n)."""
        fixed = np.ones((self.size, 1))
        columns = fixed if self.gain is None else np.hstack([fixed, self.gain])
        return columns[:, reports.gain_of.astype(np.intp)]


def _shared_days(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return m(s, t) for every pair."""
    same_side = np.sign(first)[:, None] * np.sign(second)[None, :] > 0
    return np.where(same_side, np.minimum.outer(np.abs(first), np.abs(second)), 0.0)


def covariance(reports: Reports, scales: Scales) -> FloatArray:
    """Return K for every draw, (S, n, n)."""
    n = reports.n
    same_source = np.equal.outer(reports.source, reports.source)
    same_story = np.equal.outer(reports.story, reports.story)
    # One product of (S, parts) with (parts, n n): temporaries of full size cost more than it does.
    walk = np.stack([np.ones((n, n)), _shared_days(reports.day, reports.day)]).reshape(2, -1)
    rest = np.stack([np.ones((n, n)), same_source, same_story, np.eye(n)]).reshape(4, -1)
    fixed = np.ones(scales.size)
    of_walk = np.stack([scales.level**2 * fixed, scales.tau**2], axis=1)
    of_rest = np.stack(
        [scales.bias**2 * fixed, scales.house**2, scales.story**2, scales.noise**2], axis=1
    )
    if not np.any(reports.gain_of):
        both = np.hstack([of_walk, of_rest]) @ np.vstack([walk, rest])
        return np.asarray(both.reshape(scales.size, n, n))
    gain = scales.gains(reports)
    seen = (of_walk @ walk).reshape(scales.size, n, n)
    seen *= gain[:, :, None]
    seen *= gain[:, None, :]
    return np.asarray(seen + (of_rest @ rest).reshape(scales.size, n, n))


def _blocks(size: int, n: int) -> list[NDArray[np.intp]]:
    """Split draws so that the matrices of a block stay in the processor's cache."""
    each = max(1, BLOCK // (n + 1) ** 2)
    return [np.arange(start, min(start + each, size)) for start in range(0, size, each)]


def _bordered_factor(k: FloatArray, said: FloatArray) -> FloatArray:
    """Factor K = L L' with the reports as one more row: its entries are L^-1 y.

    One factorisation of n + 1 rows costs less than a factorisation and a solution.
    """
    size, m = k.shape[0], k.shape[1]
    bordered = np.zeros((size, m + 1, m + 1))
    bordered[:, :m, :m] = k
    bordered[:, -1, : said.size] = said
    # Any number that keeps it positive definite: y' K^-1 y is at most |y|^2 / (least eigenvalue).
    bordered[:, -1, -1] = CORNER
    return np.asarray(np.linalg.cholesky(bordered))


def one_by_one(reports: Reports, scales: Scales) -> FloatArray:
    """Return log p(report i | reports before it, scales): rows that sum to log N(y; 0, K).

    Parameters
    ----------
    reports : Reports
        In the order in which they count one after another; the sum does not depend on it.
    scales : Scales
        One set a draw.

    Returns
    -------
    ndarray, shape (S, n)
        From K = L L', L u = y: -u_i^2 / 2 - log L_ii - log(2 pi) / 2.

    Examples
    --------
    One report of variance 1 + .25 + .25 + .25 + .25 = 2:

    >>> scales = Scales.of({"tau": 0.1, "house": 0.5, "story": 0.5, "noise": 0.5})
    >>> float(one_by_one(Reports.of([1.0], [0.0]), scales)[0, 0])
    -1.5155...
    """
    if reports.n == 0:
        return np.zeros((scales.size, 0))
    found = np.empty((scales.size, reports.n))
    for rows in _blocks(scales.size, reports.n):
        lower = _bordered_factor(covariance(reports, scales.at(rows)), reports.said)
        diagonal = np.diagonal(lower, axis1=1, axis2=2)[:, :-1]
        found[rows] = -0.5 * lower[:, -1, :-1] ** 2 - np.log(diagonal) - 0.5 * LOG_TWO_PI
    return found


def level_at(reports: Reports, scales: Scales, day: float) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of z on a day given the reports, for every draw.

    cov(z(T), y_i) = a_i (level^2 + tau^2 m(t_i, T)).

    Parameters
    ----------
    reports, scales
        See the classes.
    day : float
        Days since the opening.

    Returns
    -------
    mean, sd : ndarray, shape (S,)
        Of the Gaussian z(day).

    Examples
    --------
    Many sources agree, and share their bias: sd tends to 1 x .5 / sqrt(1 + .25).

    >>> scales = Scales.of({"tau": 1e-9, "house": 0.5, "story": 0.5, "noise": 0.6})
    >>> mean, sd = level_at(Reports.of([1.0] * 500, [0.0] * 500), scales, 0.0)
    >>> float(sd[0])
    0.448...
    """
    point = np.array([float(day)])
    prior = scales.level**2 + scales.tau**2 * abs(float(day))
    if reports.n == 0:
        return np.zeros(scales.size), np.sqrt(prior)
    shared = scales.level**2 + scales.tau[:, None] ** 2 * _shared_days(reports.day, point)[:, 0]
    cross = scales.gains(reports) * shared
    solved = np.linalg.solve(covariance(reports, scales), cross[..., None])[..., 0]
    return solved @ reports.said, np.sqrt(np.maximum(prior - np.sum(cross * solved, axis=1), 0.0))


def movement(reports: Reports, scales: Scales, days: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return mean and Cholesky factor of z(t) - z(0) on some days, for every draw.

    Opinion identifies movement, not level: what is handed over to a hazard is the movement since
    the opening, cov(z(t) - z(0), y_i) = a_i tau^2 m(t_i, t).

    Parameters
    ----------
    reports, scales
        See the classes.
    days : array_like, shape (M,)
        Rising, above 0.

    Returns
    -------
    mean : ndarray, shape (S, M)
    factor : ndarray, shape (S, M, M)
        Lower triangular; mean + factor e with e ~ N(0, 1) is one path.

    Examples
    --------
    Without reports it is the walk: sd tau sqrt(t).

    >>> scales = Scales.of({"tau": 0.1, "house": 0.5, "story": 0.5, "noise": 0.6})
    >>> movement(Reports.of([], []), scales, [25.0, 100.0])[1][0].round(6).tolist()
    [[0.5, 0.0], [0.5, 0.866025]]
    """
    times = np.asarray(days, dtype=np.float64)
    if times.ndim != 1 or np.any(np.diff(times, prepend=0.0) <= 0):
        message = f"days ({times}): must rise and lie above 0."
        raise InvalidInput(message)
    # In units of tau, so that rounding is relative to the walk and not to the level.
    walk = np.minimum.outer(times, times)
    if reports.n == 0:
        factor = scales.tau[:, None, None] * np.linalg.cholesky(walk)
        return np.zeros((scales.size, times.size)), factor
    n, m = reports.n, times.size
    mean, factor = np.empty((scales.size, m)), np.empty((scales.size, m, m))
    shared, nudged = _shared_days(reports.day, times), walk + JITTER * times[-1] * np.eye(m)
    for rows in _blocks(scales.size, n + m):
        # Reports first, then the path: the factor of the two together holds L, then
        # V' = (L^-1 C)' and the factor of what the reports leave open.
        part = scales.at(rows)
        both = np.empty((rows.size, n + m, n + m))
        both[:, :n, :n] = covariance(reports, part)
        cross = part.tau[:, None, None] * part.gains(reports)[..., None] * shared
        both[:, :n, n:], both[:, n:, :n] = cross, np.swapaxes(cross, 1, 2)
        both[:, n:, n:] = nudged
        lower = _bordered_factor(both, reports.said)
        told = np.matmul(lower[:, n : n + m, :n], lower[:, -1, :n, None])[..., 0]
        mean[rows] = part.tau[:, None] * told
        factor[rows] = part.tau[:, None, None] * lower[:, n : n + m, n : n + m]
    return mean, factor


def others_say(reports: Reports, scales: Scales) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of each report given all the others, for every draw.

    With P = K^-1: mean y_i - (P y)_i / P_ii, variance 1 / P_ii.

    Parameters
    ----------
    reports, scales
        See the classes.

    Returns
    -------
    mean, sd : ndarray, shape (S, n)
        Of the report's own predictive distribution.

    Examples
    --------
    >>> scales = Scales.of({"tau": 0.1, "house": 0.5, "story": 0.5, "noise": 0.5})
    >>> mean, sd = others_say(Reports.of([9.0], [0.0]), scales)
    >>> float(mean[0, 0].round(9)), float(sd[0, 0])
    (0.0, 1.4142...)
    """
    precision = np.linalg.inv(covariance(reports, scales))
    diagonal = np.diagonal(precision, axis1=1, axis2=2)
    return reports.said - (precision @ reports.said) / diagonal, 1.0 / np.sqrt(diagonal)
