"""From phrases, pasts and fits to the numbers of every move and link, one value a parameter point.

Every rate has a prior (pooled, stated, or that of a reference class) and is learned from its own
past. All draws are inverse cdfs at keyed uniforms, so that an answer is a smooth function of the
moment at which it is asked, and a process added disturbs no other. Links are learned from the past
of their child: the exposure is sum of T exp(beta x), each point weighs by the marginal likelihood
of the child's moves, and points are taken from those weights by a comb.
"""

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray, Recent, by_value
from forecasting.domain.process import LinkSpec, MoveSpec, ProcessSpec, stated_moves
from forecasting.errors import GateRefused, InvalidInput
from forecasting.evidence.history import Past, links_on
from forecasting.inference.fit import Fit, array_hash
from forecasting.inference.fits import FitCache
from forecasting.models.poisson_lognormal import (
    log_marginal,
    numpy_mathematics,
    posterior_quantiles,
)
from forecasting.models.spells import SpellDraws
from forecasting.models.world.assembly import Hazard
from forecasting.models.world.chance import comb, uniforms
from forecasting.models.world.own_past import OwnPast
from forecasting.models.world.pooled import Pooled, pooled_rates
from forecasting.models.world.stated import MovePrior, prior_betas, prior_of

Key = tuple[str, str]

#: What leaves a process and the questions that rest on it without an answer, and no others.
FAULTS = (InvalidInput, GateRefused, ArithmeticError, ValueError, LookupError)
#: Proposals where points are weighed: so many that a comb over them is fine.
PROPOSALS = 4096
#: Points in a row, by the order of their weighed parameters, that share out a rate's octiles.
BLOCK = 8
#: Proposals that are weighed at once.
PART = 512


@dataclass(frozen=True, slots=True, eq=False)
class Parameters:
    """What one simulation takes.

    `moves` are drawn when they are asked for: a process at fault raises then, and no other; `betas`
    are log hazard ratios by link, (points,). `rates` is the pooled fit behind moves without a
    phrase. `holding` draws again with some links at a known log hazard ratio.
    """

    moves: Mapping[Key, Hazard]
    betas: Mapping[str, FloatArray]
    rates: Fit | None
    holding: Callable[[Mapping[str, float]], "Parameters"]


def parameters(
    processes: Mapping[str, ProcessSpec],
    pasts: Mapping[Key, Past],
    *,
    points: int,
    seed: int,
    links: Sequence[LinkSpec] = (),
    fits: FitCache | None = None,
    classes: Mapping[str, SpellDraws] = MappingProxyType({}),
    pool: Collection[Key] | None = None,
    pooled: bool = True,
    history: bool = True,
    multipliers: Mapping[Key, ArrayLike] = MappingProxyType({}),
    shifts: Mapping[Key, float] = MappingProxyType({}),
    cache: "Recent[str, _Drawn] | None" = None,
) -> Parameters:
    """Draw the parameters of every move and link."""
    timed = {name: process for name, process in processes.items() if _timed(process)}
    faults: dict[str, str] = {}
    seen: dict[Key, OwnPast] = {}
    pool_of: dict[Key, tuple[float, float]] = {}
    for name, process in timed.items():
        with _noting_faults(name, faults):
            for move in _timed(process):
                key, acting = (name, move.name), _links_on(links, move, process)
                past, factor = (pasts.get(key), multipliers.get(key)) if history else (None, None)
                seen[key] = OwnPast.of(past, acting, factor)
                if move.phrase.form == "history":
                    middle = np.log([[link.median] for link in acting]).reshape(-1, 1)
                    pool_of[key] = (seen[key].count, float(seen[key].exposure(middle)[0]))
    joined = None
    if pool_of and pooled:
        chosen = [key for key in pool_of if pool is None or key in pool]
        rows = {key: pool_of[key] for key in chosen} if history else None
        with _noting_faults(sorted({name for name, _ in pool_of}), faults):
            joined = pooled_rates(rows, pasts, fits)
    child = {link.name: link for link in links}
    moves = [(name, move.name) for name, process in timed.items() for move in _timed(process)]

    def holding(betas: Mapping[str, float]) -> Parameters:
        drawn: dict[str, _Drawn] = {}

        def of(name: str) -> _Drawn:
            if name in faults:
                raise InvalidInput(faults[name])
            if name not in drawn:
                own = [link for link in links if link.child == name]
                fixed = {link.name: betas[link.name] for link in own if link.name in betas}
                each = _Drawing(
                    timed[name], own, fixed, seen, joined, pool_of, classes, shifts, points, seed
                )
                with _noting_faults(name, faults):
                    drawn[name] = each.draw() if cache is None else cache.of(each.key(), each.draw)
                if name in faults:
                    raise InvalidInput(faults[name])
            return drawn[name]

        def beta(name: str) -> FloatArray:
            if child[name].child in timed:
                return of(child[name].child)[1][name]
            return _betas(child[name], betas, points, seed)

        return Parameters(
            Lazily(moves, lambda key: of(key[0])[0][key[1]]),
            Lazily(child, beta),
            None if joined is None else joined.fit,
            holding,
        )

    return holding({})


@contextlib.contextmanager
def _noting_faults(names: str | Sequence[str], faults: dict[str, str]) -> Iterator[None]:
    """Note a fault under the processes that it stops: all others are drawn."""
    try:
        yield
    except FAULTS as fault:
        for name in [names] if isinstance(names, str) else names:
            faults.setdefault(name, f"process ({name}): {fault}")


class Lazily[K, V](Mapping[K, V]):
    """A mapping whose values are made when they are asked for, once.

    >>> Lazily(["a"], str.upper)["a"]
    'A'
    """

    def __init__(self, keys: Iterable[K], make: Callable[[K], V]) -> None:
        self._made: dict[K, V] = {}
        self._keys = dict.fromkeys(keys)
        self._make = make

    def __getitem__(self, key: K) -> V:
        if key not in self._keys:
            raise KeyError(key)
        if key not in self._made:
            self._made[key] = self._make(key)
        return self._made[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def _timed(process: ProcessSpec) -> tuple[MoveSpec, ...]:
    """Give the moves whose hazard a phrase states; one with a date has no parameter."""
    if process.kind == "scheduled":
        return ()
    moves = stated_moves(process) if process.kind == "delivery" else process.moves
    return tuple(move for move in moves if move.phrase.form != "date")


def _links_on(
    links: Sequence[LinkSpec], move: MoveSpec, process: ProcessSpec
) -> tuple[LinkSpec, ...]:
    return tuple(link for link in links if links_on(link, move, process))


def _betas(link: LinkSpec, fixed: Mapping[str, float], points: int, seed: int) -> FloatArray:
    """Draw a link's log hazard ratio, or hold it where that is asked for."""
    if link.name in fixed:
        return np.full(points, fixed[link.name])
    return prior_betas(link, points, seed)


type _Drawn = tuple[dict[str, Hazard], dict[str, FloatArray]]


@dataclass(frozen=True, slots=True, eq=False)
class _Drawing:
    """The draw of one process: its moves and the links on it, jointly."""

    process: ProcessSpec
    links: list[LinkSpec]
    fixed: Mapping[str, float]
    seen: Mapping[Key, OwnPast]
    joined: Pooled | None
    pool_of: Mapping[Key, tuple[float, float]]
    classes: Mapping[str, SpellDraws]
    shifts: Mapping[Key, float]
    points: int
    seed: int

    def key(self) -> str:
        """Give the key of the draw: everything that it follows from."""
        moves, pool = _timed(self.process), self.joined
        keys = [self._key(move) for move in moves]
        parts = (
            (self.process.name, moves, self.links, self.fixed, self.points, self.seed),
            [(self.pool_of.get(key), self.shifts.get(key)) for key in keys],
            [pool is not None and key in pool.moves for key in keys],
        )
        arrays = [array for key in keys for array in self.seen[key].arrays]
        if pool is not None and any(move.phrase.form == "history" for move in moves):
            arrays += [pool.mu, pool.sigma, pool.weight]
        for move in moves:
            if move.phrase.form == "class" and move.phrase.reference in self.classes:
                arrays += self.classes[move.phrase.reference].arrays
        return f"{parts!r} {array_hash({str(k): array for k, array in enumerate(arrays)})}"

    def draw(self) -> _Drawn:
        """Give the moves' parameters and the links' log ratios."""
        moves = _timed(self.process)
        weighed = [move.name for move in moves if self._weighs(move)]
        size = max(self.points, PROPOSALS) if weighed else self.points
        betas = {link.name: _betas(link, self.fixed, size, self.seed) for link in self.links}
        priors = {move.name: self._prior(move, size) for move in moves}
        order = uniforms(self.points, self.seed, "parameter", self.process.name, "order")
        if weighed:
            each = [self._log_evidence(move, priors[move.name], betas) for move in moves]
            along = priors[weighed[0]].order
            if self.links:  # as the link was drawn: one that is held puts nothing in order
                along = prior_betas(self.links[0], size, self.seed)
            if along is None:
                along = np.arange(size, dtype=np.float64)
            chosen = comb(sum(each, np.zeros(size)), np.argsort(along, kind="stable"), order)
        else:
            chosen = np.arange(self.points)
            order = next((p.order for p in priors.values() if p.order is not None), order)
        taken = {name: beta[chosen] for name, beta in betas.items()}
        drawn = {
            move.name: self._rate(move, priors[move.name].at(chosen), taken, order)
            for move in moves
        }
        return drawn, taken

    def _key(self, move: MoveSpec) -> Key:
        return self.process.name, move.name

    def _past(self, move: MoveSpec) -> OwnPast:
        return self.seen[self._key(move)]

    def _weighs(self, move: MoveSpec) -> bool:
        """Say whether a move's past informs more than its rate: links, a shape, a class."""
        if not self._past(move).speaks:
            return False
        phrase = move.phrase
        more = phrase.form == "class" or phrase.shape_high > phrase.shape_low
        if phrase.form == "history" and self.joined is not None:
            more = self._key(move) not in self.joined.moves
        return more or bool(np.any(self._past(move).on > 0.0))

    def _prior(self, move: MoveSpec, size: int) -> MovePrior:
        prior = prior_of(
            move.phrase,
            size,
            (self.seed, "parameter", self.process.name, move.name),
            joined=self.joined,
            classes=self.classes,
            exposure=self.pool_of.get(self._key(move), (0.0, 0.0))[1],
        )
        return prior.shifted(self.shifts.get(self._key(move), 0.0))

    def _beta(self, move: MoveSpec, betas: Mapping[str, FloatArray], size: int) -> FloatArray:
        rows = [betas[link.name] for link in _links_on(self.links, move, self.process)]
        return np.array(rows, dtype=np.float64).reshape(len(rows), size)

    def _log_evidence(
        self, move: MoveSpec, prior: MovePrior, betas: Mapping[str, FloatArray]
    ) -> FloatArray:
        """Give the log marginal likelihood of a move's past in each proposal."""
        past = self._past(move)
        if not past.speaks:
            return np.zeros(prior.size)
        beta = self._beta(move, betas, prior.size)
        log_p = past.log_events(beta, prior.shape)
        count, exposure = past.count + prior.count, past.exposure(beta, prior.shape)
        if np.any(np.asarray(prior.for_good) > 0.0):
            return log_p + _quantiles(np.full(prior.size, 0.5), prior, past, beta)[1]
        log_p = log_p + _marginal(prior.loc, prior.scale, count, exposure + prior.exposure)
        if prior.pooled and self.joined is not None and self._key(move) in self.joined.moves:
            # The pool has learned from this past, as it was with every link at its median.
            log_p = log_p - _marginal(prior.loc, prior.scale, *self.pool_of[self._key(move)])
        return np.asarray(log_p, dtype=np.float64)

    def _rate(
        self, move: MoveSpec, prior: MovePrior, betas: Mapping[str, FloatArray], order: FloatArray
    ) -> Hazard:
        past = self._past(move)
        beta = self._beta(move, betas, self.points)
        key = (self.seed, "parameter", self.process.name, move.name, "rate")
        u = stratified(uniforms(self.points, *key), order)
        if prior.flat and not np.any(np.asarray(prior.for_good) > 0.0):
            seen = past.exposure(beta, prior.shape) + prior.exposure
            rate = np.exp(prior.loc) * _gamma_quantiles(past.count + prior.count, u) / seen
        else:
            rate = np.exp(_quantiles(u, prior, past, beta)[0])

        def each(value: FloatArray | float) -> FloatArray:
            return np.array(np.broadcast_to(value, (self.points,)), dtype=np.float64)

        return Hazard(each(rate), each(prior.shape), each(prior.at_once), each(prior.for_good))


@by_value(64)
def _gamma_quantiles(count: float, u: FloatArray) -> FloatArray:
    """Give the quantiles of a unit Gamma."""
    from scipy.special import gammaincinv

    return np.asarray(gammaincinv(count, u), dtype=np.float64)


_posterior = by_value(48)(posterior_quantiles)


@by_value(32)
def _marginal(
    loc: FloatArray | float,
    scale: FloatArray | float,
    count: float,
    exposure: FloatArray | float,
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


@by_value(96)
def stratified(u: FloatArray, order: FloatArray) -> FloatArray:
    """Spread uniforms so that points near each other in an order share out the octiles."""
    size = u.size
    if size % BLOCK:
        return u
    by = np.argsort(order, kind="stable").reshape(-1, BLOCK)
    ranks = np.argsort(np.argsort(u[by], axis=1), axis=1)
    spread = np.empty(size)
    within = (u * size) % 1.0
    for octile in range(BLOCK):
        who = by[ranks == octile]
        place = np.argsort(np.argsort(u[who]))
        spread[who] = (octile * who.size + place + within[who]) / size
    return np.clip(spread, 2.0**-53, 1.0 - 2.0**-53)
