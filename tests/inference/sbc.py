"""Simulation-based calibration: a fit finds again what made its data, as often as it says.

Parameters are drawn from the prior, data from the parameters, and the fit is asked for its
posterior. Over many repetitions the rank of the true value among L posterior draws is then
uniform on 0..L, for every parameter and for every function of them, the probability of an outcome
included (Talts, Betancourt, Simpson, Vehtari, Gelman 2018, arXiv:1804.06788). Uniformity is
judged by the whole empirical distribution of the ranks at once, with simultaneous bands
(Säilynoja, Bürkner, Vehtari 2022, Statistics and Computing 32, doi:10.1007/s11222-022-10090-6).

The harness knows no model: it takes two callables.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray, IntArray
from forecasting.errors import InvalidInput

__all__ = [
    "Bands",
    "Calibration",
    "calibrate",
    "draw_ranks",
    "draw_summary",
    "rank_bands",
    "rank_of",
    "uniformity",
]

Quantities = Mapping[str, ArrayLike]

LEVELS = 99
#: So many that a verdict on a dozen quantities can fall below .001.
REPLICATES = 20_000
#: Panels beside each other.
ACROSS = 4


@dataclass(frozen=True, slots=True)
class Calibration:
    """Ranks of true values among posterior draws.

    Attributes
    ----------
    name
        What was calibrated.
    ranks
        Quantity -> (N,) ranks from 0 to `levels`; a vector parameter is one quantity an element.
    levels
        L: how many nearly independent posterior draws each true value was ranked among.
    refused
        How many of the N fits the gate refused; their ranks count all the same.
    """

    name: str
    ranks: Mapping[str, IntArray]
    levels: int
    refused: int = 0

    @property
    def p_values(self) -> dict[str, float]:
        """Probability of ranks less uniform than these, by quantity, see `uniformity`."""
        return {name: uniformity(ranks, self.levels) for name, ranks in self.ranks.items()}

    @property
    def p(self) -> float:
        """Smallest of the p-values, times their number (Bonferroni): one verdict for all."""
        found = self.p_values.values()
        return min(1.0, len(self.ranks) * min(found)) if self.ranks else 1.0


@dataclass(frozen=True, slots=True)
class Bands:
    """How far an empirical distribution of ranks lies from uniform, and how far it may.

    Attributes
    ----------
    x
        (L,) shares of the range of ranks.
    difference
        (L,) empirical distribution at `x`, less `x`.
    lower, upper
        (L,) simultaneous bands of that difference under uniform ranks.
    """

    x: FloatArray
    difference: FloatArray
    lower: FloatArray
    upper: FloatArray


def calibrate(
    name: str,
    simulate: Callable[
        [np.random.Generator], tuple[Mapping[str, ArrayLike], Mapping[str, ArrayLike]]
    ],
    fit: Callable[[Mapping[str, ArrayLike], int], tuple[Quantities, bool]],
    *,
    n: int,
    seed: int,
    quantities: Callable[[Mapping[str, ArrayLike], Mapping[str, ArrayLike]], Quantities]
    | None = None,
    levels: int = LEVELS,
) -> Calibration:
    """Repeat simulation and fit, and rank the truth among the draws each time.

    Parameters
    ----------
    name : str
        For reports.
    simulate : callable
        From a generator to (truth, data): one value of each parameter, and data made by them.
    fit : callable
        From data and a seed to the posterior draws, (S,) or (S, K) each, and whether the gate
        passed.
    n : int
        Repetitions.
    seed : int
        Of everything.
    quantities : callable, optional
        From draws and data to further quantities, (S,) or (S, K), such as P(yes); also asked of
        the truth as a single draw.
    levels : int
        L; the draws are thinned to as many, which must leave them nearly independent.

    Returns
    -------
    Calibration
        A quantity that is the truth in every draw, a constant or a certainty, is not ranked there.

    Examples
    --------
    >>> def simulate(rng):
    ...     p = rng.beta(2, 2)
    ...     return {"p": p}, {"yes": rng.binomial(10, p)}
    >>> def fit(data, seed):
    ...     draws = np.random.default_rng(seed).beta(2 + data["yes"], 12 - data["yes"], 99)
    ...     return {"p": draws}, True
    >>> calibrate("share", simulate, fit, n=50, seed=1).p > 0.01
    True
    """
    rng = np.random.default_rng(seed)
    found: dict[str, list[int]] = {}
    refused = 0
    for _ in range(n):
        truth, data = simulate(rng)
        draws, passed = fit(data, int(rng.integers(2**31)))
        refused += not passed
        true = {key: np.asarray(value, dtype=np.float64)[None] for key, value in truth.items()}
        posterior = {key: np.asarray(values) for key, values in draws.items() if key in truth}
        if set(posterior) != set(true):
            message = f"{name}: the truth has {sorted(true)}, the draws {sorted(draws)}."
            raise InvalidInput(message)
        if quantities is not None:
            whole = {**draws}
            posterior |= {k: np.asarray(v) for k, v in quantities(whole, data).items()}
            true |= {k: np.asarray(v) for k, v in quantities(true, data).items()}
        for key, values in posterior.items():
            columns, points = values.reshape(len(values), -1), true[key].reshape(1, -1)
            for index in range(columns.shape[1]):
                if np.all(columns[:, index] == points[0, index]):
                    continue
                label = key if columns.shape[1] == 1 else f"{key}[{index}]"
                rank = rank_of(float(points[0, index]), columns[:, index], levels, rng)
                found.setdefault(label, []).append(rank)
    return Calibration(
        name, {key: np.asarray(ranks) for key, ranks in found.items()}, levels, refused
    )


def rank_of(truth: float, draws: ArrayLike, levels: int, rng: np.random.Generator) -> int:
    """Return how many of L evenly spaced draws lie below the truth, ties broken at random.

    Parameters
    ----------
    truth : float
        True value.
    draws : array_like, shape (S,)
        Chain-major posterior draws, S >= levels.
    levels : int
        L.
    rng : Generator
        Of the ties.

    Returns
    -------
    int
        0 to L.

    Raises
    ------
    InvalidInput
        If there are fewer draws than levels.

    Examples
    --------
    >>> rank_of(0.75, [0.1, 0.5, 0.9], 3, np.random.default_rng(0))
    2
    """
    values = np.asarray(draws, dtype=np.float64)
    if values.size < levels:
        message = f"draws ({values.size}): at least as many as the {levels} levels."
        raise InvalidInput(message)
    chosen = values[np.linspace(0, values.size - 1, levels).round().astype(int)]
    ties = int(np.sum(chosen == truth))
    return int(np.sum(chosen < truth)) + (int(rng.integers(ties + 1)) if ties else 0)


def uniformity(ranks: ArrayLike, levels: int) -> float:
    """Return the p-value of uniform ranks: all points of their distribution at once.

    At each rank j the count of ranks up to j is Binomial(N, (j + 1) / (L + 1)); the statistic is
    the smallest two-sided tail probability over j, its distribution simulated.

    Parameters
    ----------
    ranks : array_like, shape (N,)
        From 0 to L.
    levels : int
        L.

    Returns
    -------
    float
        At least 1 / (simulations + 1), never 0.

    Examples
    --------
    >>> uniformity(np.arange(100), 99)
    1.0
    >>> uniformity(np.zeros(100), 99) < 0.001
    True
    """
    counted = _counts(ranks, levels)
    statistic = _smallest_tail(counted[None, :], int(counted[-1]))[0]
    reference = _reference(int(counted[-1]), levels)
    at_most = np.searchsorted(reference, statistic * (1 + 1e-9), side="right")
    return float((1 + at_most) / (1 + reference.size))


def rank_bands(ranks: ArrayLike, levels: int, *, coverage: float = 0.95) -> Bands:
    """Return the empirical distribution of ranks less the uniform one, with its bands.

    Parameters
    ----------
    ranks : array_like, shape (N,)
        From 0 to L.
    levels : int
        L.
    coverage : float, default 0.95
        Probability that uniform ranks stay within the bands everywhere.

    Returns
    -------
    Bands
        For `draw_ranks`, or any other picture.

    Examples
    --------
    >>> found = rank_bands(np.arange(100), 99)
    >>> bool(np.all((found.lower <= found.difference) & (found.difference <= found.upper)))
    True
    """
    from scipy.stats import binom

    counted = _counts(ranks, levels)
    n = int(counted[-1])
    x = np.arange(1, levels + 1) / (levels + 1)
    tail = float(np.quantile(_reference(n, levels), 1.0 - coverage)) / 2.0
    low, high = binom.ppf(tail, n, x), binom.ppf(1.0 - tail, n, x)
    return Bands(x, counted[:-1] / n - x, low / n - x, high / n - x)


def draw_ranks(calibrations: Sequence[Calibration], file: Path) -> None:
    """Draw the difference from uniform of every quantity, one panel each, with its band.

    Parameters
    ----------
    calibrations : sequence of Calibration
        Each begins a new line of panels; a line that leaves its 95 % band is drawn in red.
    file : Path
        Where the picture goes; its ending names the format.
    """
    found = [(each, name) for each in calibrations for name in each.ranks]
    across = min(ACROSS, max(len(each.ranks) for each in calibrations))
    places, line = [], 0
    for each in calibrations:
        places += [line * across + k for k in range(len(each.ranks))]
        line += -(-len(each.ranks) // across)
    figure, panels = _panels(line, across)
    for place, (each, name) in zip(places, found, strict=True):
        first = name == next(iter(each.ranks))
        said = f"{each.name}: {name}" if first else name
        _draw(panels[place], each, [name], f"{said}, {_p_text(each.p_values[name])}")
    _save(figure, panels, file)


def draw_summary(calibrations: Sequence[Calibration], file: Path) -> None:
    """Draw one panel for each calibration, all of its quantities in it.

    Parameters
    ----------
    calibrations : sequence of Calibration
        Their verdicts stand above the panels; of the quantities in red, one in twenty leaves its
        band where all is well.
    file : Path
        Where the picture goes; its ending names the format.
    """
    across = min(ACROSS, len(calibrations))
    figure, panels = _panels(-(-len(calibrations) // across), across)
    for panel, each in zip(panels, calibrations, strict=False):
        n = max(len(ranks) for ranks in each.ranks.values())
        _draw(panel, each, list(each.ranks), f"{each.name}\nN = {n}, {_p_text(each.p)}")
    _save(figure, panels, file)


def _panels(lines: int, across: int) -> tuple[Any, list[Any]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2.5 * across, 2.0 * lines + 0.3), layout="constrained", dpi=120)
    FigureCanvasAgg(figure)
    axes = figure.subplots(lines, across, squeeze=False)
    return figure, list(axes.ravel())


def _draw(panel: Any, found: Calibration, names: Sequence[str], title: str) -> None:
    outside, highest = [], 0.0
    for name in names:
        bands = rank_bands(found.ranks[name], found.levels)
        if name == names[0]:
            panel.fill_between(bands.x, bands.lower, bands.upper, step="mid", alpha=0.25)
        left = np.any((bands.difference < bands.lower) | (bands.difference > bands.upper))
        if left:
            outside.append(name)
        style = {"color": "tab:red" if left else "tab:blue", "zorder": 3 if left else 2}
        panel.step(bands.x, bands.difference, where="mid", linewidth=0.9, **style)
        highest = max(highest, float(np.abs(bands.difference).max()), float(bands.upper.max()))
    panel.axhline(0.0, linewidth=0.5, color="black")
    panel.set_title(title, fontsize=8)
    panel.tick_params(labelsize=6)
    panel.set_xlim(0.0, 1.0)
    panel.set_ylim(-1.15 * highest, 1.15 * highest)
    if outside and len(names) > 1:
        shown = ", ".join(outside[:4]) + (" ..." if len(outside) > 4 else "")
        panel.text(0.5, -1.08 * highest, shown, fontsize=6, color="tab:red", ha="center")


def _p_text(p: float) -> str:
    return "p < .001" if p < 0.001 else f"p = {p:.3f}"


def _save(figure: Any, panels: Sequence[Any], file: Path) -> None:
    for panel in panels:
        if not panel.has_data():
            panel.set_axis_off()
    figure.supxlabel("rank of the truth, as a share of all draws", fontsize=8)
    figure.supylabel("share of ranks below, less uniform", fontsize=8)
    figure.savefig(file)


def _counts(ranks: ArrayLike, levels: int) -> IntArray:
    """Return how many ranks are at most j, for j from 0 to L."""
    values = np.asarray(ranks)
    if values.ndim != 1 or values.size == 0 or np.any((values < 0) | (values > levels)):
        message = f"ranks ({values.shape}): one-dimensional, from 0 to {levels}."
        raise InvalidInput(message)
    return np.cumsum(np.bincount(values.astype(np.int64), minlength=levels + 1))


def _smallest_tail(counted: IntArray, n: int) -> FloatArray:
    table = _tails(n, counted.shape[1] - 1)
    each = table[np.arange(counted.shape[1] - 1), counted[:, :-1]]
    return np.asarray(each.min(axis=1), dtype=np.float64)


@cache
def _tails(n: int, levels: int) -> FloatArray:
    """Return the two-sided tail probability of every count at every rank, (L, N + 1)."""
    from scipy.stats import binom

    share = (np.arange(1, levels + 1) / (levels + 1))[:, None]
    counts = np.arange(n + 1)[None, :]
    both = np.minimum(binom.cdf(counts, n, share), binom.sf(counts - 1, n, share))
    return np.asarray(np.minimum(1.0, 2.0 * both), dtype=np.float64)


@cache
def _reference(n: int, levels: int) -> FloatArray:
    """Return the statistic of uniform ranks, simulated and in order."""
    rng = np.random.default_rng(n * 1000 + levels)
    share = np.full(levels + 1, 1.0 / (levels + 1))
    counted = np.cumsum(rng.multinomial(n, share, REPLICATES), axis=1)
    return np.sort(_smallest_tail(counted, n))
