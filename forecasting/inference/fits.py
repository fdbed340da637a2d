"""Graphs and their fits: no fit is made twice, in one process or in the next.

A fit's seed follows from the cache's seed and from what the fit is made of, so it does not matter
where, when and in which order it was made: a fit that is read back is the one that would be made.
"""

import hashlib
from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, ClassVar, NamedTuple

from numpy.typing import ArrayLike

from forecasting import config
from forecasting.arrays import FloatArray, Recent
from forecasting.domain.prior import PriorSpec
from forecasting.errors import GateRefused
from forecasting.inference.compile import Compilable, library_versions
from forecasting.inference.fit import Fit, array_hash
from forecasting.inference.fit import fit as sample
from forecasting.inference.prior import from_standard, prior_arrays
from forecasting.inference.stored import FitStore

#: Fits in memory; those of a few neighbouring moments are asked for again.
CACHE = 64


class Graph(Compilable):
    """What the three graphs have in common; every number in a graph is data."""

    __slots__ = ()
    #: Draws and warm-up of one chain.
    sampling: ClassVar[Mapping[str, int]]

    @property
    def structure(self) -> tuple[Hashable, ...]:
        """Every option that changes the graph; the rest is numbers."""
        return ()

    def default_priors(self) -> dict[str, PriorSpec]:
        """Return the priors by parameter."""
        raise NotImplementedError

    def prepared(self, data: Mapping[str, ArrayLike]) -> Mapping[str, ArrayLike]:
        """Return data as the arrays of the graph."""
        return data

    def prior_arrays(self, priors: Mapping[str, PriorSpec]) -> dict[str, FloatArray]:
        """Return priors as the arrays of the graph."""
        return prior_arrays(priors, self.default_priors())

    def named(
        self, draws: Mapping[str, FloatArray], priors: Mapping[str, PriorSpec]
    ) -> dict[str, FloatArray]:
        """Turn draws of the graph's free variables into those of its parameters."""
        return from_standard(draws, priors)

    def fit(
        self,
        data: Mapping[str, ArrayLike],
        priors: Mapping[str, PriorSpec],
        seed: int,
        **options: Any,
    ) -> Fit:
        """Sample the parameters given data and priors; `options` as `inference.fit` takes them."""
        return sample(
            self,
            self.prepared(data),
            self.prior_arrays(priors),
            seed=seed,
            parameters=lambda draws: self.named(draws, priors),
            **{**self.sampling, **options},
        )


class Wanted(NamedTuple):
    """What a fit is made of."""

    model: Any
    data: Mapping[str, ArrayLike]
    priors: Mapping[str, PriorSpec]
    options: Mapping[str, Any]


class FitCache:
    """Fits of the graphs, kept by what went into them; `store` is where they outlive the process.

    Every fit's seed follows from `seed` and from what the fit is made of. Given `wanted`, a dict,
    no fit is made: what it would be made of is noted there by its hash, and the fit is refused.
    """

    def __init__(
        self,
        seed: int,
        *,
        store: FitStore | None = None,
        wanted: dict[str, Wanted] | None = None,
    ) -> None:
        self.seed = seed
        self.wanted = wanted
        self._store = store
        self._fits = Recent[str, tuple[Fit, Mapping[str, ArrayLike]]](CACHE)

    def fit(
        self,
        model: Any,
        data: Mapping[str, ArrayLike],
        priors: Mapping[str, PriorSpec],
        **options: Any,
    ) -> Fit:
        """Give the fit of a graph to data under priors: kept, read back, or sampled."""
        data_hash = array_hash(data)
        group = _digest(
            _identity(model),
            array_hash(prior_arrays(priors, model.default_priors())),
            repr(sorted(options.items())),
            str(self.seed),
            repr(library_versions()),
        )
        key = _digest(group, data_hash)

        def fit_and_data() -> tuple[Fit, Mapping[str, ArrayLike]]:
            stored = None if self._store is None else self._store.exact(group, key)
            if stored is not None:
                return stored, data
            if self.wanted is not None:
                self.wanted[key] = Wanted(model, data, priors, options)
                message = f"{model.family}: is yet to be sampled"
                raise GateRefused(message)
            seed = int(key[:8], 16) >> 1
            fitted = replace(model.fit(data, priors, seed, **options), data_hash=data_hash)
            if self._store is not None and fitted.report.passed and fitted.method == "nuts":
                self._store.save(group, key, fitted)
            return fitted, data

        return self._fits.of(key, fit_and_data)[0]

    def data_of(self, fit: Fit) -> Mapping[str, ArrayLike]:
        """Give the data that a kept fit learned from; empty for a fit made elsewhere."""
        return next((data for cached, data in self._fits if cached.data_hash == fit.data_hash), {})


def stored_fits(seed: int, wanted: dict[str, Wanted] | None = None) -> FitCache:
    """Give a cache whose fits outlive the process, in the cache folder; `wanted` as `FitCache`."""
    return FitCache(seed, store=FitStore(config.cache_folder() / "fits", keep=2_000), wanted=wanted)


def _identity(model: Any) -> str:
    """Give everything that a graph is, as text: the structure leaves out what is only numbers."""
    settings = (
        [(field.name, getattr(model, field.name)) for field in fields(model)]
        if is_dataclass(model)
        else []
    )
    return f"{model.family} {model.version} {model.structure!r} {settings!r}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
