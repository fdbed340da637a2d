"""Fits by what went into them: made once, reweighted where that is allowed, else sampled.

A cache has one of two policies. Under ``"nuts"`` (a replay) every fit is made from its own data,
priors and seed, whatever was fitted before: its answers are repeatable to the last digit. Under
``"auto"`` (a live update, an explanation, a what-if) new data under the same priors first reweight
the last full fit by importance sampling, and are sampled anew only where the weights, the gate or
the answer's own Monte Carlo error refuse. Other priors are always sampled: weights by a ratio of
priors fail too often.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting import config
from forecasting.inference.compile import library_versions
from forecasting.inference.fit import Fit, array_hash
from forecasting.inference.psis import reweighted
from forecasting.inference.stored import FitStore
from forecasting.models.encoding.answer import Answer
from forecasting.models.protocol import PriorSpec, QuestionModel, prior_arrays

__all__ = ["FitCache", "Policy", "live_fits"]

CACHE = 256
Policy = Literal["nuts", "auto"]


@dataclass(frozen=True, slots=True)
class _Full:
    """The last full fit of a group, with the log-likelihood of its own data."""

    fit: Fit
    log_likelihood: NDArray[np.float64]


class FitCache:
    """Fits by what went into them, so that none is made twice.

    Parameters
    ----------
    seed : int
        Every fit's seed follows from it and from what the fit is made of, not from the order.
    policy : {"nuts", "auto"}
        See the module.
    store : FitStore, optional
        Where full fits outlive the process; used by ``"auto"`` alone.
    ahead : mapping, optional
        Fits of the same seed that others have made, by their keys.
    keep_all : bool
        Keep everything made, for `made`, and not only the latest.
    """

    def __init__(
        self,
        seed: int,
        *,
        policy: Policy = "nuts",
        store: FitStore | None = None,
        ahead: Mapping[tuple[str, ...], Any] = MappingProxyType({}),
        keep_all: bool = False,
    ) -> None:
        self.seed = seed
        self.policy = policy
        self._ahead = ahead
        self._most = None if keep_all else CACHE
        # A replay that read earlier fits would depend on what was fitted before it.
        self._store = store if policy == "auto" else None
        self._fits: OrderedDict[tuple[str, ...], Any] = OrderedDict()
        self._full: dict[str, _Full] = {}

    @property
    def made(self) -> Mapping[tuple[str, ...], Any]:
        """What the cache holds, by key."""
        return dict(self._fits)

    def of(self, key: tuple[str, ...], make: Callable[[int], Any]) -> Any:
        """Give what a key stands for, made with a seed that depends on the key and not the order.

        What `make` raises passes through and nothing is kept.
        """
        if key not in self._fits:
            self._keep(key, self._ahead[key] if key in self._ahead else make(self._seed(key)))
        self._fits.move_to_end(key)
        return self._fits[key]

    def answer(
        self,
        model: QuestionModel,
        data: Mapping[str, ArrayLike],
        priors: Mapping[str, PriorSpec],
        of: Callable[[Fit], Answer],
        **options: Any,
    ) -> Answer:
        """Give an answer from a fit; a reweighted one that the gate refuses is sampled anew.

        Parameters
        ----------
        model : QuestionModel
            The family with its settings.
        data, priors : mapping
            As its ``fit`` takes them.
        of : callable
            From a fit to the answer, its weights respected.
        **options
            Further arguments of ``fit``.

        Returns
        -------
        Answer
            With the method of the fit that it rests on.
        """
        found = self.fit(model, data, priors, **options)
        answer = of(found)
        if found.method == "psis" and answer.gate != "passed":
            answer = of(self.fit(model, data, priors, anew=True, **options))
        return answer

    def fit(
        self,
        model: QuestionModel,
        data: Mapping[str, ArrayLike],
        priors: Mapping[str, PriorSpec],
        *,
        anew: bool = False,
        **options: Any,
    ) -> Fit:
        """Give the fit of a model to data under priors, by the cheapest path that the policy has.

        Parameters
        ----------
        model : QuestionModel
            Its ``log_likelihood`` must hold everything that the data say, up to constants; a
            family that cannot offer that says so by ``reweights = False``.
        data, priors : mapping
            As its ``fit`` takes them.
        anew : bool
            Refuse a reweighted fit: read or sample a full one.
        **options
            Further arguments of ``fit``, part of what the fit is.

        Returns
        -------
        Fit
            Its ``data_hash`` is that of `data`; its ``method`` says which path it took.
        """
        data_hash = array_hash(data)
        prior_hash = array_hash(prior_arrays(priors, model.default_priors()))
        group = _digest(_identity(model), prior_hash, repr(sorted(options.items())))
        key = ("fit", model.family, group, data_hash)

        def make(seed: int) -> Fit:
            return replace(model.fit(data, priors, seed, **options), data_hash=data_hash)

        if self.policy == "nuts":
            return cast("Fit", self.of(key, make))
        if key in self._fits and not (anew and self._fits[key].method == "psis"):
            return cast("Fit", self.of(key, make))
        shared = _digest(group, str(self.seed), repr(library_versions()))
        exact = _digest(shared, data_hash)
        found = self._stored(shared, exact, model)
        if found is None and not anew:
            found = self._reweighted(shared, model, data, data_hash)
        if found is None:
            found = make(self._seed(key))
            self._remember(shared, exact, model, data, found)
        self._keep(key, found)
        return found

    def _reweighted(
        self, shared: str, model: QuestionModel, data: Mapping[str, ArrayLike], data_hash: str
    ) -> Fit | None:
        """Give the last full fit with weights for new data; None without one, or if refused."""
        if not getattr(model, "reweights", True):
            return None
        if shared not in self._full and self._store is not None:
            stored = self._store.latest(shared)
            if stored is not None:
                self._full[shared] = _full(model, stored.fit, stored.data)
        if shared not in self._full:
            return None
        last = self._full[shared]
        ratio = _total(model, last.fit, data) - last.log_likelihood
        found = reweighted(last.fit, ratio, data_hash=data_hash)
        return found if found.report.passed else None

    def _stored(self, shared: str, exact: str, model: QuestionModel) -> Fit | None:
        stored = None if self._store is None else self._store.exact(shared, exact)
        if stored is None:
            return None
        self._full[shared] = _full(model, stored.fit, stored.data)
        return stored.fit

    def _remember(
        self,
        shared: str,
        exact: str,
        model: QuestionModel,
        data: Mapping[str, ArrayLike],
        fit: Fit,
    ) -> None:
        """Keep a full fit as the one to reweight; never one that was refused."""
        if fit.method != "nuts" or not fit.report.passed or not getattr(model, "reweights", True):
            return
        self._full[shared] = _full(model, fit, data)
        if self._store is not None:
            self._store.save(shared, exact, fit, data)

    def _keep(self, key: tuple[str, ...], found: Any) -> None:
        self._fits[key] = found
        self._fits.move_to_end(key)
        if self._most is not None and len(self._fits) > self._most:
            self._fits.popitem(last=False)

    def _seed(self, key: tuple[str, ...]) -> int:
        digest = hashlib.sha256("\0".join([str(self.seed), *key]).encode()).digest()
        return int.from_bytes(digest[:4], "big") >> 1


def live_fits(seed: int) -> FitCache:
    """Give the cache of a live update: automatic, with full fits that outlive the process.

    Parameters
    ----------
    seed : int
        As in `FitCache`.

    Returns
    -------
    FitCache
    """
    return FitCache(seed, policy="auto", store=FitStore(config.cache_folder() / "fits"))


def _full(model: QuestionModel, fit: Fit, data: Mapping[str, ArrayLike]) -> _Full:
    return _Full(fit, _total(model, fit, data))


def _total(model: QuestionModel, fit: Fit, data: Mapping[str, ArrayLike]) -> NDArray[np.float64]:
    each = model.log_likelihood(fit.draws, data)
    return np.asarray(each.reshape(len(each), -1).sum(axis=1), dtype=np.float64)


def _identity(model: QuestionModel) -> str:
    """Give everything that a model is, as text: the structure leaves out what is only numbers."""
    plain: object = model
    if is_dataclass(plain):
        settings = [(field.name, getattr(model, field.name)) for field in fields(plain)]
    else:
        # A plug-in may be any class.
        settings = sorted(vars(plain).items())
    return repr((model.family, model.version, model.structure, settings))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
