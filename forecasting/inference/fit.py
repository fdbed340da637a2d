"""One fit: arrays in, posterior draws and a diagnostics report out."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.errors import GateRefused, InvalidInput
from forecasting.inference.compile import Compilable, CompiledModel, compiled
from forecasting.inference.gate import GateReport, judge_sampler
from forecasting.inference.inputs import pack

Method = Literal["nuts", "conjugate"]

# Small steps follow narrow posteriors that large ones leave: what a rerun is tuned to.
CAREFUL = 0.99


@dataclass(frozen=True, slots=True)
class Fit:
    """Posterior draws with everything needed to judge and to repeat them.

    `draws`: parameter name -> (S,) or (S, K), chain-major: the first S / chains rows are chain 0.
    `method` is ``"conjugate"`` where they are independent and exact. `data_hash, priors_hash`:
    SHA-256 of the two sets of arrays that went in.
    """

    draws: Mapping[str, FloatArray]
    chains: int
    report: GateReport
    method: Method
    seed: int
    data_hash: str
    priors_hash: str


def array_hash(arrays: Mapping[str, ArrayLike]) -> str:
    """Return the SHA-256 of named float64 arrays with their shapes, whatever the order of names.

    Examples
    --------
    >>> array_hash({"a": [1, 2], "b": 3}) == array_hash({"b": 3.0, "a": [1.0, 2.0]})
    True
    >>> array_hash({"a": [1, 2]}) == array_hash({"a": [[1, 2]]})
    False
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name], dtype="<f8").reshape(np.shape(arrays[name]))
        digest.update(f"{name}{array.shape};".encode())
        # Adding zero turns -0.0 into 0.0: equal numbers must have equal hashes.
        digest.update((array + 0.0).tobytes())
    return digest.hexdigest()


def exact_fit(
    draws: Mapping[str, ArrayLike],
    data: Mapping[str, ArrayLike],
    priors: Mapping[str, ArrayLike],
    *,
    seed: int,
) -> Fit:
    """Wrap independent draws of a closed-form posterior, (S,) or (S, K), as a `Fit` that passes.

    `data` and `priors`, what it was computed from, are only hashed; the draws count as four
    equal chains.
    """
    return Fit(
        draws=_frozen(draws),
        chains=4,
        report=GateReport(passed=True),
        method="conjugate",
        seed=seed,
        data_hash=array_hash(data),
        priors_hash=array_hash(priors),
    )


def fit(
    model: Compilable,
    data: Mapping[str, ArrayLike],
    priors: Mapping[str, ArrayLike],
    *,
    seed: int,
    draws: int = 2000,
    tune: int = 500,
    chains: int = 4,
    target_accept: float = 0.9,
    cores: int | None = None,
    parameters: Callable[[dict[str, FloatArray]], Mapping[str, ArrayLike]] | None = None,
) -> Fit:
    """Sample the posterior of a model given its data and its priors, both as arrays.

    The same seed gives bitwise the same draws, on any number of cores. Nothing is chained on an
    earlier posterior: data and priors are the whole of what enters. Chains that diverge are
    sampled once more with smaller steps before the gate refuses them; the report says so.

    Parameters
    ----------
    model : Compilable
        Compiled at its first use, then taken from the cache.
    data, priors : mapping of str to array_like
        Together they must name every array of the model's layout exactly once.
    seed : int
        Non-negative.
    draws, tune : int
        Kept and warm-up draws per chain.
    chains : int, default 4
        At least 2, or R-hat says nothing.
    target_accept : float, default 0.9
        Mean acceptance that the step size is tuned to, in (0, 1).
    cores : int, optional
        Threads; default those available, at most one a chain.
    parameters : callable, optional
        From the draws of the graph's free variables to those of the model's parameters, where
        the graph samples standardised ones.

    Raises
    ------
    InvalidInput
        If a name is missing, unknown, of the wrong shape or not finite.
    GateRefused
        If the sampler finds no point to start from, or breaks down.
    """
    if seed < 0:
        raise InvalidInput(f"seed ({seed}): must be a whole number of at least 0.")
    if chains < 2:
        raise InvalidInput(f"chains ({chains}): at least 2, because R-hat compares chains.")
    both = sorted(set(data) & set(priors))
    if both:
        message = f"{model.family}: {', '.join(both)} given as data and as prior; give each once."
        raise InvalidInput(message)
    flat = pack(model.layout, {**data, **priors}, owner=model.family)
    program = compiled(model)

    def run(target: float) -> tuple[dict[str, FloatArray], GateReport]:
        options = {"draws": draws, "tune": tune, "chains": chains, "target_accept": target}
        cored = cores or min(chains, os.cpu_count() or 1)
        sampled, energy, divergences = _sampled(program, flat, seed=seed, cores=cored, **options)
        if parameters is not None:
            sampled = {name: np.asarray(values) for name, values in parameters(sampled).items()}
        return sampled, judge_sampler(sampled, chains, energy=energy, divergences=divergences)

    posterior, report = run(target_accept)
    if report.divergences and target_accept < CAREFUL:
        first = report.divergences
        posterior, report = run(CAREFUL)
        report = replace(report, rerun=first)
    return Fit(
        draws=_frozen(posterior),
        chains=chains,
        report=report,
        method="nuts",
        seed=seed,
        data_hash=array_hash(data),
        priors_hash=array_hash(priors),
    )


def _sampled(
    program: CompiledModel, flat: FloatArray, *, seed: int, cores: int, **options: Any
) -> tuple[dict[str, FloatArray], FloatArray, int]:
    """Return chain-major draws by name, the energies (chains, draws) and the divergences."""
    import nutpie

    sampler = nutpie.sample(
        program.program.with_data(inputs=flat),
        cores=cores,
        seed=seed,
        progress_bar=False,
        save_warmup=False,
        # A labelled tree takes as long to build as the draws to sample.
        return_raw_trace=True,
        blocking=False,
        **options,
    )
    try:
        trace = sampler.wait()
    except BaseException as error:
        # Left to itself the library answers an interruption with the draws made so far.
        sampler.cancel()
        if isinstance(error, RuntimeError):
            message = f"sampler ({str(error).splitlines()[0]}): the model could not be fitted"
            raise GateRefused(message) from error
        raise
    draws, statistics = trace.get_arrow_trace()
    masks = [~_column(chain, "tuning").astype(bool) for chain in statistics]
    posterior = {
        name: np.concatenate(
            [_column(chain, name)[keep] for chain, keep in zip(draws, masks, strict=True)]
        )
        for name in program.parameters
    }
    energy = np.stack([_column(c, "energy")[k] for c, k in zip(statistics, masks, strict=True)])
    divergences = sum(
        int(_column(c, "diverging")[k].sum()) for c, k in zip(statistics, masks, strict=True)
    )
    return posterior, energy, divergences


def _column(batch: Any, name: str) -> Any:
    """Return one column of an Arrow batch as an array, (draws,) or (draws, K)."""
    import pyarrow

    column = batch.column(name)
    shape = (column.field.metadata or {}).get(b"shape", b"").decode()
    values = pyarrow.array(column)
    flat = values.flatten() if hasattr(values, "flatten") else values
    sizes = [int(n) for n in shape.split(",")] if shape else []
    return flat.to_numpy(zero_copy_only=False).reshape(batch.num_rows, *sizes)


def _frozen(draws: Mapping[str, ArrayLike]) -> Mapping[str, FloatArray]:
    arrays: dict[str, FloatArray] = {}
    for name, values in draws.items():
        array = np.array(values, dtype=np.float64)
        array.flags.writeable = False
        arrays[name] = array
    return MappingProxyType(arrays)
