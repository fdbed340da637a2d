"""Provenance: the fit or simulation behind a forecast, and the marks of a replay run."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Literal

from forecasting.errors import InvalidInput

type Plain = bool | int | float | str | Sequence["Plain"] | Mapping[str, "Plain"] | None

_GATE = re.compile(r"passed|refused: \S.*|overridden: \S.*", re.DOTALL)
#: The family and the method of a run that simulated a world.
WORLD, SIMULATED = "world", "simulated"


@dataclass(frozen=True, slots=True)
class ModelRun:
    """One fit of one model, or one simulation of a world: what went in, how, what the gate said.

    `family` was asked for and `fitted` is what was fitted (both ``world`` of a world, whose gate
    and Monte Carlo errors stand with its forecasts). `priors_hash` and `evidence_hash` are SHA-256
    in hexadecimal. `gate` is ``passed``, ``refused: REASONS`` or ``overridden: REASON``. How long a
    fit took is no part of `diagnostics`, so that the same fit gives the same entry.
    """

    family: str
    fitted: str
    priors_hash: str
    evidence_hash: str
    as_of: dt.datetime
    seed: int
    method: str
    gate: str
    worldview: str = ""
    diagnostics: Mapping[str, Plain] = field(default_factory=dict)
    versions: Mapping[str, Plain] = field(default_factory=dict)
    run: str = ""
    recorded_at: dt.datetime | None = None
    seq: int | None = None

    def __post_init__(self) -> None:
        _check_gate(self.gate)
        if self.seed < 0:
            raise InvalidInput(f"seed ({self.seed}): must be an integer of 0 or more")
        object.__setattr__(self, "diagnostics", _plain_mapping(self.diagnostics))
        object.__setattr__(self, "versions", _plain_mapping(self.versions))

    @property
    def passed(self) -> bool:
        """Whether a forecast may rest on this fit: passed, or overridden with a reason."""
        return not self.gate.startswith("refused")


@dataclass(frozen=True, slots=True)
class Fitted:
    """One graph's fit behind a world: the digest of what it was fitted to, and its gate."""

    digest: str
    gate: str = "passed"

    def __post_init__(self) -> None:
        _check_gate(self.gate)


def world_run(
    *,
    bank_hash: str,
    evidence_hash: str,
    as_of: dt.datetime,
    seed: int,
    draws: int,
    fits: Mapping[str, Fitted],
    worldview: str = "",
    diagnostics: Mapping[str, object] | None = None,
    versions: Mapping[str, Plain] | None = None,
    run: str = "",
) -> ModelRun:
    """Give the run of one simulated world, to be recorded once before its forecasts."""
    if draws < 1:
        raise InvalidInput(f"draws ({draws}): must be 1 or more")
    details = {
        "draws": draws,
        "fits": {n: {"digest": f.digest, "gate": f.gate} for n, f in fits.items()},
    }
    return ModelRun(
        family=WORLD,
        fitted=WORLD,
        priors_hash=bank_hash,
        evidence_hash=evidence_hash,
        as_of=as_of,
        seed=seed,
        method=SIMULATED,
        gate=_gate_of(fits),
        worldview=worldview,
        diagnostics=_plain_mapping({**(diagnostics or {}), **details}),
        versions=versions or {},
        run=run,
    )


def fits_of(run: ModelRun) -> dict[str, Fitted]:
    """Give the fits behind the run of a world, by graph; nothing for a run of another family."""
    fits = run.diagnostics.get("fits")
    if run.family != WORLD or not isinstance(fits, Mapping):
        return {}
    return {
        name: Fitted(str(fit["digest"]), str(fit["gate"]))
        for name, fit in fits.items()
        if isinstance(fit, Mapping)
    }


def _gate_of(fits: Mapping[str, Fitted]) -> str:
    for verdict in ("refused: ", "overridden: "):
        reasons = [
            f"{name}: {fit.gate.removeprefix(verdict)}"
            for name, fit in fits.items()
            if fit.gate.startswith(verdict)
        ]
        if reasons:
            return verdict + "; ".join(reasons)
    return "passed"


def _check_gate(gate: str) -> None:
    if not _GATE.fullmatch(gate):
        raise InvalidInput(f"gate ({gate}): must be passed, refused: REASONS or overridden: REASON")


@dataclass(frozen=True, slots=True)
class ReplayMark:
    """The start or the end of a replay run; its evidence cut is the ledger head it started at."""

    run: str
    event: Literal["started", "finished"]
    evidence_head: int
    config: Mapping[str, Plain] = field(default_factory=dict)
    recorded_at: dt.datetime | None = None
    seq: int | None = None

    def __post_init__(self) -> None:
        if self.event not in {"started", "finished"}:
            raise InvalidInput(f"event ({self.event}): must be started or finished")
        if self.evidence_head < 0:
            msg = f"evidence_head ({self.evidence_head}): must be 0 or the number of an entry"
            raise InvalidInput(msg)
        object.__setattr__(self, "config", _plain_mapping(self.config))


def in_batch(position: int) -> int:
    """Name the draft at `position` (from 0) of the same append, which has no number yet."""
    if position < 0:
        raise InvalidInput(f"position ({position}): must be 0 or more")
    return -1 - position


def plain(value: object) -> Plain:
    """Give a value as data for a canonical text; numbers that are not finite become words."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if isfinite(value) else str(float(value))
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return _plain_mapping(value)
    if isinstance(value, Sequence):
        return tuple(plain(item) for item in value)
    for name in ("tolist", "item"):
        if callable(convert := getattr(value, name, None)):
            return plain(convert())
    raise InvalidInput(f"value ({value!r}): must be plain data (numbers, text, lists, mappings)")


def _plain_mapping(value: Mapping[str, object]) -> dict[str, Plain]:
    if bad := [key for key in value if not isinstance(key, str)]:
        raise InvalidInput(f"key ({bad[0]!r}): must be text")
    return {key: plain(item) for key, item in value.items()}
