"""From phrases, pasts and fits to the numbers of every move and link, one value a parameter point.

Every rate has a prior (pooled, stated, or that of a reference class) and is learned from its own
past. All draws are inverse cdfs at keyed uniforms, so that an answer is a smooth function of the
moment at which it is asked, and a process added disturbs no other. Links are learned from the past
of their child: the exposure is sum of T exp(beta x), each point weighs by the marginal likelihood
of the child's moves, and points are taken from those weights by a comb.
"""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray, IntArray, Recent, by_value
from forecasting.domain.process import LinkSpec, MoveSpec, Phrase, ProcessSpec, stated_moves
from forecasting.errors import GateRefused, InvalidInput
from forecasting.evidence.history import Past, links_on
from forecasting.inference.alike import comb, stratified
from forecasting.inference.fit import array_hash
from forecasting.inference.fits import FitCache
from forecasting.inference.poisson_lognormal import (
    log_marginal,
    numpy_mathematics,
    posterior_quantiles,
)
from forecasting.models.spells import SpellDraws
from forecasting.models.world.assembly import Hazard
from forecasting.models.world.chance import uniforms
from forecasting.models.world.own_past import OwnPast
from forecasting.models.world.pooled import Pooled, pooled_rates
from forecasting.models.world.stated import MovePrior, prior_betas, prior_of

Key = tuple[str, str]
type _Drawn = tuple[dict[str, Hazard], dict[str, FloatArray]]

#: What leaves a process and the questions that rest on it without an answer, and no others.
FAULTS = (InvalidInput, GateRefused, ArithmeticError, ValueError, LookupError)
#: Proposals where points are weighed: so many that a comb over them is fine.
PROPOSALS = 4096
#: Proposals that are weighed at once.
PART = 512


def parameters(
    processes: Mapping[str, ProcessSpec],
    pasts: Mapping[Key, Past],
    *,
    points: int,
    seed: int,
    links: Sequence[LinkSpec] = (),
    fits: FitCache | None = None,
    classes: Mapping[Key, SpellDraws] = MappingProxyType({}),
    pool: Collection[Key] | None = None,
    pooled: bool = True,
    history: bool = True,
    multipliers: Mapping[Key, ArrayLike] = MappingProxyType({}),
    shifts: Mapping[Key, float] = MappingProxyType({}),
    cache: Recent[str, _Drawn] | None = None,
    faults: dict[str, str] | None = None,
) -> "Parameters":
    """Read the pasts and fit the pool; give what draws the parameters of every move and link.

    `classes` are reference classes by process and name; `multipliers` what reports multiplied the
    hazard by in each piece of a past; `faults` are processes that cannot be drawn, and why.
    """
    timed = {n: replace(p, moves=moves) for n, p in processes.items() if (moves := _timed(p))}
    faults = {} if faults is None else faults
    seen: dict[Key, OwnPast] = {}
    rows: dict[Key, tuple[float, float]] = {}
    for name, process in timed.items():
        with _noting_faults([name], faults):
            for move in process.moves:
                key = (name, move.name)
                acting = [link for link in links if links_on(link, move, process)]
                past, factor = (pasts.get(key), multipliers.get(key)) if history else (None, None)
                seen[key] = OwnPast.of(past, acting, factor)
                if move.phrase.form == "history":
                    middle = np.log([[link.median] for link in acting]).reshape(-1, 1)
                    rows[key] = (seen[key].count, float(seen[key].exposure(middle)[0]))
    joined = None
    if rows and pooled:
        chosen = {key: row for key, row in rows.items() if pool is None or key in pool}
        with _noting_faults({name for name, _ in rows}, faults):
            joined = pooled_rates(chosen if history else None, pasts, fits)
    drawn = Recent[str, _Drawn](len(timed)) if cache is None else cache
    return Parameters(
        timed, links, seen, joined, rows, classes, shifts, points, seed, faults, drawn
    )


@contextlib.contextmanager
def _noting_faults(names: Iterable[str], faults: dict[str, str]) -> Iterator[None]:
    """Note a fault under the processes that it stops: all others are drawn."""
    try:
        yield
    except FAULTS as fault:
        for name in names:
            faults.setdefault(name, f"process ({name}): {fault}")


def _timed(process: ProcessSpec) -> tuple[MoveSpec, ...]:
    """Give the moves whose hazard a phrase states; one with a date has no parameter."""
    if process.kind == "scheduled":
        return ()
    moves = stated_moves(process) if process.kind == "delivery" else process.moves
    return tuple(move for move in moves if move.phrase.form != "date")


@dataclass(frozen=True, slots=True, eq=False)
class Parameters:
    """What one simulation takes of the moves that a phrase states, and of links.

    A process is drawn, its moves and the links on it jointly, when one of its parameters is asked
    for: one at fault raises then, and no other. `pool` is the fit behind moves without a phrase,
    and `rows` what it learns from them: counts, and exposures with every link at its median.
    `fixed` are links at a known log hazard ratio.
    """

    processes: Mapping[str, ProcessSpec]
    links: Sequence[LinkSpec]
    pasts: Mapping[Key, OwnPast]
    pool: Pooled | None
    rows: Mapping[Key, tuple[float, float]]
    classes: Mapping[Key, SpellDraws]
    shifts: Mapping[Key, float]
    points: int
    seed: int
    faults: dict[str, str]
    cache: Recent[str, _Drawn]
    fixed: Mapping[str, float] = MappingProxyType({})
    _drawn: dict[str, _Drawn] = field(default_factory=dict, init=False)

    def hazard(self, process: str, move: str) -> Hazard:
        """Give the parameters of a move."""
        return self._of(process)[0][move]

    def beta(self, link: LinkSpec) -> FloatArray:
        """Give a link's log hazard ratio, (points,)."""
        if link.child in self.processes:
            return self._of(link.child)[1][link.name]
        return self._beta(link, self.points)

    def _of(self, name: str) -> _Drawn:
        if name not in self._drawn and name not in self.faults:
            process = self.processes[name]
            with _noting_faults([name], self.faults):
                key = self._key(process)
                self._drawn[name] = self.cache.of(key, lambda: self._draw(process))
        if name in self.faults:
            raise InvalidInput(self.faults[name])
        return self._drawn[name]

    def _links(self, process: ProcessSpec) -> list[LinkSpec]:
        return [link for link in self.links if link.child == process.name]

    def _beta(self, link: LinkSpec, size: int) -> FloatArray:
        """Draw a link's log hazard ratio, or hold it where that is asked for."""
        if link.name in self.fixed:
            return np.full(size, self.fixed[link.name])
        return prior_betas(link, size, self.seed)

    def _key(self, process: ProcessSpec) -> str:
        """Give the key of a draw: everything that it follows from."""
        links, moves, pool = self._links(process), process.moves, self.pool
        keys = [(process.name, move.name) for move in moves]
        parts = (
            (process.name, moves, links, self.points, self.seed),
            [self.fixed.get(link.name) for link in links],
            [(self.rows.get(key), self.shifts.get(key)) for key in keys],
            [pool is not None and key in pool.moves for key in keys],
        )
        arrays = [array for key in keys for array in self.pasts[key].arrays]
        if pool is not None and any(move.phrase.form == "history" for move in moves):
            arrays += [pool.mu, pool.sigma, pool.weight]
        for move in moves:
            if move.phrase.form == "class":
                arrays += self.classes[process.name, move.phrase.reference].arrays
        return f"{parts!r} {array_hash({str(k): array for k, array in enumerate(arrays)})}"

    def _draw(self, process: ProcessSpec) -> _Drawn:
        """Give the parameters of a process's moves, and the log ratios of the links on it."""
        links, key = self._links(process), (self.seed, "parameter", process.name)
        weighed = [self._weighs((process.name, move.name), move.phrase) for move in process.moves]
        size = max(self.points, PROPOSALS) if any(weighed) else self.points
        betas = {link.name: self._beta(link, size) for link in links}
        cases = [self._case(process, move, size) for move in process.moves]
        order = uniforms(self.points, *key, "order")
        if any(weighed):
            each = [case.log_evidence(betas) for case in cases]
            along = cases[weighed.index(True)].prior.order
            if links:  # as the link was drawn: one that is held puts nothing in order
                along = prior_betas(links[0], size, self.seed)
            if along is None:
                along = np.arange(size, dtype=np.float64)
            chosen = comb(sum(each, np.zeros(size)), np.argsort(along, kind="stable"), order)
        else:
            chosen = np.arange(self.points)
            order = next((c.prior.order for c in cases if c.prior.order is not None), order)
        taken = {name: beta[chosen] for name, beta in betas.items()}
        return {case.key[-1]: case.hazard(chosen, taken, order) for case in cases}, taken

    def _pooled(self, key: Key) -> tuple[float, float] | None:
        """Give what the pool has learned of a move's past, if it has."""
        return self.rows[key] if self.pool is not None and key in self.pool.moves else None

    def _weighs(self, key: Key, phrase: Phrase) -> bool:
        """Say whether a move's past informs more than its rate: links, a shape, a class."""
        borrows = phrase.form == "history" and self.pool is not None and self._pooled(key) is None
        more = borrows or phrase.form == "class" or phrase.shape_high > phrase.shape_low
        past = self.pasts[key]
        return past.speaks and (more or bool(np.any(past.on > 0.0)))

    def _case(self, process: ProcessSpec, move: MoveSpec, size: int) -> "_Case":
        name, chance = (process.name, move.name), (self.seed, "parameter", process.name, move.name)
        prior = prior_of(
            move.phrase,
            size,
            chance,
            joined=self.pool,
            drawn=self.classes.get((process.name, move.phrase.reference)),
            exposure=self.rows.get(name, (0.0, 0.0))[1],
        )
        links = [link.name for link in self._links(process) if links_on(link, move, process)]
        shifted = prior.shifted(self.shifts.get(name, 0.0))
        return _Case(chance, self.pasts[name], shifted, links, self._pooled(name))


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    """One move with its past and its prior, the names of the links on it, the key of its chance."""

    key: tuple[int, str, str, str]
    past: OwnPast
    prior: MovePrior
    links: list[str]
    pooled: tuple[float, float] | None

    def _beta(self, betas: Mapping[str, FloatArray], size: int) -> FloatArray:
        rows = [betas[name] for name in self.links]
        return np.array(rows, dtype=np.float64).reshape(len(rows), size)

    def log_evidence(self, betas: Mapping[str, FloatArray]) -> FloatArray:
        """Give the log marginal likelihood of the past in each proposal."""
        past, prior = self.past, self.prior
        if not past.speaks:
            return np.zeros(prior.size)
        beta = self._beta(betas, prior.size)
        log_p = past.log_events(beta, prior.shape)
        count, exposure = past.count + prior.count, past.exposure(beta, prior.shape)
        if np.any(np.asarray(prior.for_good) > 0.0):
            return log_p + _quantiles(np.full(prior.size, 0.5), prior, past, beta)[1]
        log_p = log_p + _marginal(prior.loc, prior.scale, count, exposure + prior.exposure)
        if self.pooled is not None:
            # The pool has learned from this past, as it was with every link at its median.
            log_p = log_p - _marginal(prior.loc, prior.scale, *self.pooled)
        return np.asarray(log_p, dtype=np.float64)

    def hazard(
        self, chosen: IntArray, betas: Mapping[str, FloatArray], order: FloatArray
    ) -> Hazard:
        """Draw the rate in the chosen points from its prior and its past."""
        past, prior, points = self.past, self.prior.at(chosen), len(chosen)
        beta = self._beta(betas, points)
        u = stratified(uniforms(points, *self.key, "rate"), order)
        if prior.flat and not np.any(np.asarray(prior.for_good) > 0.0):
            seen = past.exposure(beta, prior.shape) + prior.exposure
            rate = np.exp(prior.loc) * _gamma_quantiles(past.count + prior.count, u) / seen
        else:
            rate = np.exp(_quantiles(u, prior, past, beta)[0])

        def each(value: FloatArray | float) -> FloatArray:
            return np.array(np.broadcast_to(value, (points,)), dtype=np.float64)

        return Hazard(each(rate), each(prior.shape), each(prior.at_once), each(prior.for_good))


@by_value(64)
def _gamma_quantiles(count: float, u: FloatArray) -> FloatArray:
    """Give the quantiles of a unit Gamma."""
    from scipy.special import gammaincinv

    return np.asarray(gammaincinv(count, u), dtype=np.float64)


_posterior = by_value(48)(posterior_quantiles)


@by_value(32)
def _marginal(
    loc: FloatArray | float, scale: FloatArray | float, count: float, exposure: FloatArray | float
) -> FloatArray:
    """Give the log marginal likelihood of counts in each point; in parts that the cache holds."""
    each = np.broadcast_arrays(np.atleast_1d(loc), scale, exposure)
    xp, size = numpy_mathematics(), each[0].size
    log_likelihood = np.empty(size)
    for i in range(0, size, PART):
        its, wide, seen = (x[i : i + PART, None] for x in each)
        log_likelihood[i : i + PART] = log_marginal(its, wide, count, seen, xp)
    return log_likelihood


def _quantiles(
    u: FloatArray, prior: MovePrior, past: OwnPast, beta: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Invert the posterior of each point's log rate; also give its log marginal likelihood."""
    count = past.count + prior.count
    good = np.asarray(prior.for_good, dtype=np.float64)
    if not np.any(good > 0.0) or not past.speaks:
        exposure = past.exposure(beta, prior.shape) + prior.exposure
        return _posterior(u, prior.loc, prior.scale, count, exposure)
    # Of a stay that has not ended, either the rate is low or it is one for good.
    open_, (first, place) = past.unended(), np.unique(past.stay, return_inverse=True)
    each = past.exposures(beta, prior.shape, place.astype(np.int64), first.size)
    lasting = np.isin(first, open_)
    share = np.clip(good / (1.0 - np.asarray(prior.at_once)), 1e-12, 1.0 - 1e-12)

    def log_weight(x: FloatArray) -> FloatArray:
        hazard = np.exp(np.minimum(x, 700.0))
        total = past.count * np.log1p(-share)
        for row in each[lasting]:
            total = total + np.logaddexp(np.log(share), np.log1p(-share) - row * hazard)
        return np.asarray(total, dtype=np.float64)

    exposure = each[~lasting].sum(axis=0) + prior.exposure
    return posterior_quantiles(u, prior.loc, prior.scale, count, exposure, log_weight=log_weight)
