"""Graphs and their fits: no fit is made twice, in one process or in the next.

A fit's seed follows from the cache's seed and from what the fit is made of, so it does not matter
where, when and in which order it was made: a fit that is read back is the one that would be made.
"""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Hashable, Mapping
from contextlib import suppress
from dataclasses import asdict, fields, is_dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from forecasting import config
from forecasting.arrays import FloatArray, Recent
from forecasting.domain.prior import PriorSpec
from forecasting.errors import GateRefused, InvalidInput
from forecasting.files import drafted
from forecasting.inference.compile import Compilable, library_versions
from forecasting.inference.fit import Fit, array_hash
from forecasting.inference.fit import fit as sample
from forecasting.inference.gate import GateReport
from forecasting.inference.prior import from_standard, prior_arrays

#: Fits in memory; those of a few neighbouring moments are asked for again.
CACHE = 64
FORMAT = 2
KEEP = 200
# Hexadecimal digits of each hash in a file's name: 128 bits, as many as a name should hold.
DIGITS = 32
#: What is kept of a fit beside its draws and its report.
PLAIN = ("chains", "seed", "data_hash", "priors_hash")
#: Earlier versions wrote further numbers beside these.
REPORTED = {field.name for field in fields(GateReport)}


class FitStore:
    """A folder of fits, so that a new process need neither compile nor sample them again.

    A cache and nothing more: a damaged, foreign or older file counts as absent, and a folder that
    cannot be written is left alone. Each is one ``.npz`` with a hash of its content inside.
    """

    def __init__(self, folder: Path, *, keep: int = KEEP) -> None:
        self.folder = folder
        self.keep = keep

    def save(self, group: str, key: str, fit: Fit) -> None:
        """Keep a sampled fit that passed; a folder that cannot be written is no fault."""
        if fit.method != "nuts" or not fit.report.passed:
            verdict = "passed" if fit.report.passed else "refused"
            message = f"fit ({fit.method}, {verdict}): only a sampled fit that passed is kept."
            raise InvalidInput(message)
        arrays = {f"draws/{name}": values for name, values in fit.draws.items()}
        header = {
            "format": FORMAT,
            "group": group,
            "key": key,
            **{name: getattr(fit, name) for name in PLAIN},
            "report": asdict(fit.report),
        }
        text = json.dumps(header, sort_keys=True).encode()
        seal = _seal(text, arrays).encode()
        # A fit that cannot be kept is made again the next time.
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            with drafted(self._path(group, key)) as draft, draft.open("wb") as file:
                np.savez(
                    file,
                    said=np.frombuffer(text, dtype=np.uint8),
                    seal=np.frombuffer(seal, dtype=np.uint8),
                    allow_pickle=False,
                    **arrays,
                )
            self._prune()

    def exact(self, group: str, key: str) -> Fit | None:
        """Return the fit that exactly these numbers made, as in `save`; None if it is not kept."""
        return _read(self._path(group, key), group)

    def _path(self, group: str, key: str) -> Path:
        return self.folder / f"{group[:DIGITS]}-{key[:DIGITS]}.npz"

    def _prune(self) -> None:
        dated = []
        # What cannot be listed or removed stays: the fits are kept for speed alone.
        with suppress(OSError):
            for path in self.folder.glob("*.npz"):
                # Another process may have pruned it in between.
                with suppress(OSError):
                    dated.append((path.stat().st_mtime_ns, path.name, path))
        for _, _, path in sorted(dated, reverse=True)[self.keep :]:
            with suppress(OSError):
                path.unlink()


def _seal(text: bytes, arrays: Mapping[str, ArrayLike]) -> str:
    return hashlib.sha256(text + array_hash(arrays).encode()).hexdigest()


def _read(path: Path, group: str) -> Fit | None:
    """Return what a file holds; None for anything but a sound file of this group."""
    try:
        # Given a path, the library leaves a damaged archive open.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        text, seal = arrays.pop("said").tobytes(), arrays.pop("seal").tobytes()
        header: dict[str, Any] = json.loads(text)
        if seal.decode() != _seal(text, arrays) or header["format"] != FORMAT:
            return None
        if header["group"] != group or path.stem != f"{group[:DIGITS]}-{header['key'][:DIGITS]}":
            return None
        reported = {name: value for name, value in header["report"].items() if name in REPORTED}
        report = GateReport(**{**reported, "reasons": tuple(reported["reasons"])})
        draws = {name.removeprefix("draws/"): array for name, array in arrays.items()}
        for array in draws.values():
            array.flags.writeable = False
        return Fit(
            draws=MappingProxyType(draws),
            report=report,
            method="nuts",
            **{name: header[name] for name in PLAIN},
        )
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error):
        return None


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
        self, seed: int, *, store: FitStore | None = None, wanted: dict[str, Wanted] | None = None
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
                raise GateRefused(f"{model.family}: is yet to be sampled")
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
