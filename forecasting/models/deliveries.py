"""Deliveries: what was agreed arrives in parts, until the parts add up.

A share `w` of what is agreed is begun at all. The first part comes with a hazard that rises from
the announcement, because lists, transport and third parties take days: cumulative
exp(theta) (t / t0)^first. Each further part comes (delta g)^later after the one before it, g days
on; with probability `stall` none comes. Of each part, `whole` is the chance that it brings all that
is open; else it brings a share of WHAT WAS AGREED, Beta(mean, precision), cut at what is open. The
part that reaches the sum completes the delivery, so the nearer the end, the likelier is the end.
Days are whole days, and the likelihood integrates over the day.

Data arrays, from `delivery_data`: ``wait_low, wait_high`` (packages that began), ``unbegun`` (days
that others have waited), ``gap_low, gap_high`` (between parts), ``quiet`` (days since the last part
of one that is not complete), ``shares`` (parts that left something open), ``finals`` (what was open
before a part that completed, below 1), ``whole`` () packages that came in one part. Draws: ``w,
theta, first, delta, later, stall, whole, mean, precision``, each (S,).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.domain.prior import DELIVERY_PRIORS, PriorSpec
from forecasting.errors import InvalidInput
from forecasting.evidence.cases import Package
from forecasting.inference.fits import Graph
from forecasting.inference.inputs import COLUMN, Layout, inputs
from forecasting.inference.poisson_lognormal import numpy_mathematics
from forecasting.inference.prior import from_standard, prior_arrays
from forecasting.models.priors import DELIVERIES

# Parameters by the distribution of their prior: sampled as blocks, which halves compilation.
BETAS = tuple(name for name, kind in DELIVERY_PRIORS.items() if kind == "beta")
GAMMAS = tuple(name for name, kind in DELIVERY_PRIORS.items() if kind == "gamma")
STANDARD = tuple(name for name in DELIVERY_PRIORS if name not in BETAS + GAMMAS)
#: Reference age in days, at which theta is the log cumulative hazard of a first part.
T0 = 14.0
COLUMNS = ("wait_low", "wait_high", "unbegun", "gap_low", "gap_high", "quiet", "shares", "finals")
#: What the graph takes of them: logarithms of ages, and sums over the shares.
LOGS = ("wait_low", "wait_high", "unbegun", "gap_low", "gap_high", "quiet", "finals")
SUMS = ("shares", "shares_log", "shares_log1m", "whole")
#: Stands for the logarithm of no time at all.
LOG_OF_ZERO = -1e4
#: A part leaves at least so much open, or it completed: shares stay inside (0, 1).
LEAST_SHARE = 1e-4
NODES = 24
#: Parameters by block: each has kinds of evidence that depend on its parameters alone.
BLOCKS = (
    (("w", "theta", "first"), slice(0, 2)),
    (("delta", "later", "stall"), slice(2, 4)),
    (("mean", "precision", "whole"), slice(4, 7)),
)


@dataclass(frozen=True, slots=True)
class Deliveries(Graph):
    """A class of agreed deliveries."""

    family: ClassVar[str] = "deliveries"
    version: ClassVar[str] = "1"
    sampling: ClassVar[Mapping[str, int]] = {"draws": 1000, "tune": 400}

    @property
    def layout(self) -> Layout:
        """Priors in blocks of one distribution, then the columns."""
        blocks = {f"{kind}_{key}": len(names) for kind, names, keys in _BLOCKS for key in keys}
        return blocks | {"sums": len(SUMS)} | dict.fromkeys(LOGS, COLUMN)

    def default_priors(self) -> dict[str, PriorSpec]:
        """Return the priors by parameter: wide, for a class of which its bank states nothing."""
        return {prior.name: prior for prior in DELIVERIES}

    def prepared(self, data: Mapping[str, ArrayLike]) -> dict[str, FloatArray]:
        """Return the arrays of the graph: it takes no logarithm of data."""
        rows = {name: np.asarray(data[name], dtype=np.float64) for name in COLUMNS}
        logs = {
            name: np.where(ages > 0, np.log(np.where(ages > 0, ages, 1)), LOG_OF_ZERO)
            for name, ages in rows.items()
            if name in LOGS and name != "finals"
        }
        shares, whole = rows["shares"], np.asarray(data["whole"])
        sums = [shares.size, np.log(shares).sum(), np.log1p(-shares).sum(), whole]
        return {**logs, "finals": rows["finals"], "sums": np.asarray(sums, dtype=np.float64)}

    def prior_arrays(self, priors: Mapping[str, PriorSpec]) -> dict[str, FloatArray]:
        """Return the priors stacked by distribution."""
        arrays = prior_arrays(priors, self.default_priors())
        return {
            f"{kind}_{key}": np.stack([arrays[f"{name}_{key}"] for name in names])
            for kind, names, keys in _BLOCKS
            for key in keys
        }

    def named(
        self, draws: Mapping[str, FloatArray], priors: Mapping[str, PriorSpec]
    ) -> dict[str, FloatArray]:
        """Take the blocks apart, in their order."""
        named = {f"{name}_z": draws["z"][:, k] for k, name in enumerate(STANDARD)}
        for block, names in (("betas", BETAS), ("gammas", GAMMAS)):
            named |= {name: draws[block][:, k] for k, name in enumerate(names)}
        return from_standard(named, priors)

    def build_model(self) -> Any:
        """Build the graph; every number in it is data. Free variables ``betas, gammas, z``."""
        import pymc as pm
        import pytensor.tensor as pt

        with pm.Model() as model:
            data = inputs(self.layout, self.prior_arrays(self.default_priors()))
            betas = pm.Beta("betas", data["betas_a"], data["betas_b"])
            gammas = pm.Gamma("gammas", alpha=data["gammas_shape"], beta=data["gammas_rate"])
            z = pm.Normal("z", shape=len(STANDARD))
            standard = data["z_mu"] + data["z_sd"] * z
            p: dict[str, Any] = {name: betas[k] for k, name in enumerate(BETAS)}
            p |= {name: gammas[k] for k, name in enumerate(GAMMAS)}
            p |= {
                name: standard[k] if name == "theta" else pt.exp(standard[k])
                for k, name in enumerate(STANDARD)
            }
            terms = _terms(p, data, pt)
            pm.Potential("evidence", sum(pt.sum(term) for term in terms))
        return model

    def log_likelihood(
        self, draws: Mapping[str, ArrayLike], data: Mapping[str, ArrayLike]
    ) -> FloatArray:
        """Return log p(evidence | draw) of each kind of evidence, shape (S, 7), up to constants."""
        p = {name: np.asarray(values, dtype=np.float64)[:, None] for name, values in draws.items()}
        terms = _terms(p, self.prepared(data), numpy_mathematics())
        return np.column_stack([np.asarray(term).sum(axis=-1) for term in terms])


_BLOCKS = (
    ("betas", BETAS, ("a", "b")),
    ("gammas", GAMMAS, ("shape", "rate")),
    ("z", STANDARD, ("mu", "sd")),
)


def _terms(p: Mapping[str, Any], rows: Mapping[str, Any], xp: Any) -> list[Any]:
    """Return the log-likelihood of each row, kind by kind; the rows stand on the last axis."""
    begun, gaps = rows["wait_low"].shape[0], rows["gap_low"].shape[0]
    # One vector for each hazard: a compiled graph costs by the number of its operations.
    waits = xp.concatenate([rows["wait_low"], rows["wait_high"], rows["unbegun"]])
    first = xp.exp(xp.minimum(p["theta"] + p["first"] * (waits - float(np.log(T0))), 200.0))
    pauses = xp.concatenate([rows["gap_low"], rows["gap_high"], rows["quiet"]])
    later = xp.exp(xp.minimum(p["later"] * (xp.log(p["delta"]) + pauses), 200.0))

    def log_within(hazard: Any, n: Any) -> Any:
        low, high = hazard[..., :n], hazard[..., n : 2 * n]
        return -low + xp.log(-xp.expm1(-xp.maximum(high - low, 1e-300)))

    log_w, log_stalls = xp.log(p["w"]), xp.log(p["stall"])
    log_goes, log_part = xp.log1p(-p["stall"]), xp.log1p(-p["whole"])
    log_whole = xp.log(p["whole"])
    a = p["mean"] * p["precision"]
    b = p["precision"] - a
    log_beta = xp.gammaln(a) + xp.gammaln(b) - xp.gammaln(p["precision"])
    n, log_share, log_rest, whole = (rows["sums"][k : k + 1] for k in range(len(SUMS)))
    return [
        log_w + log_within(first, begun),
        xp.logaddexp(xp.log1p(-p["w"]), log_w - first[..., 2 * begun :]),
        log_goes + log_within(later, gaps),
        xp.logaddexp(log_stalls, log_goes - later[..., 2 * gaps :]),
        n * (log_part - log_beta) + (a - 1.0) * log_share + (b - 1.0) * log_rest,
        xp.logaddexp(log_whole, log_part + _log_above(rows["finals"], a, b, xp) - log_beta),
        log_whole * whole,
    ]


def _log_above(share: Any, a: Any, b: Any, xp: Any) -> Any:
    """Return log of the integral of y^(a-1) (1-y)^(b-1) from a share to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    s = 0.5 * (nodes + 1.0)
    # What the nodes alone say is data; b multiplies 3 log s and log(1 - share).
    fixed, cube = np.log(1.5 * weights) - np.log(s), 3.0 * np.log(s)
    log_y = xp.log1p(-(1.0 - share)[..., None] * s**3)
    term = (a - 1.0)[..., None] * log_y + b[..., None] * cube + fixed
    return xp.logsumexp(term, axis=-1) + b * xp.log1p(-share)


def delivery_data(packages: Sequence[Package]) -> dict[str, FloatArray]:
    """Return packages as the arrays of the graph; parts of one day count as one.

    Refused: a part not above 0, more than was agreed.

    >>> may = Package(1000, ((7, 390), (8, 307), (9, 303)), 9)
    >>> data = delivery_data([may])
    >>> data["shares"].tolist(), data["finals"].round(3).tolist(), data["wait_high"].tolist()
    ([0.39, 0.307], [0.303], [7.0])
    """
    columns: dict[str, list[float]] = {name: [] for name in COLUMNS}
    whole = 0.0
    for package in packages:
        parts = _by_day(package)
        if not parts:
            if package.watched > 0.0:
                columns["unbegun"].append(package.watched)
            continue
        days = [day for day, _ in parts]
        columns["wait_low"].append(max(0.0, np.ceil(days[0]) - 1.0))
        columns["wait_high"].append(max(1.0, np.ceil(days[0])))
        for before, after in pairwise(days):
            gap = max(1.0, round(after - before))
            columns["gap_low"].append(gap - 1.0)
            columns["gap_high"].append(gap)
        counted = package.agreed > 0.0 and all(number is not None for _, number in parts)
        if not counted:
            # Parts without numbers do not show whether anything was left to come.
            continue
        left, complete = package.agreed - package.before, False
        for _, number in parts:
            assert number is not None  # for the type checker
            open_share = left / package.agreed
            left -= number
            complete = left <= LEAST_SHARE * package.agreed
            if not complete:
                columns["shares"].append(max(number / package.agreed, LEAST_SHARE))
            elif open_share >= 1.0 - LEAST_SHARE:
                whole += 1.0
            else:
                columns["finals"].append(open_share)
        if not complete and package.watched > days[-1]:
            columns["quiet"].append(package.watched - days[-1])
    return {
        **{name: np.asarray(values, dtype=np.float64) for name, values in columns.items()},
        "whole": np.asarray(whole),
    }


def _by_day(package: Package) -> list[tuple[float, float | None]]:
    """Check a package's parts and join those of one day."""
    joined: list[tuple[float, float | None]] = []
    total = package.before
    for day, number in package.parts:
        if number is not None and not number > 0.0:
            raise InvalidInput(f"part ({number:g}): above 0.")
        total += number or 0.0
        if joined and day - joined[-1][0] < 0.5:
            known = joined[-1][1]
            both = None if known is None or number is None else known + number
            joined[-1] = (joined[-1][0], both)
        else:
            joined.append((day, number))
    if package.agreed > 0.0 and total > package.agreed * (1.0 + LEAST_SHARE):
        raise InvalidInput(f"parts ({total:g}): at most the {package.agreed:g} that were agreed.")
    return joined
