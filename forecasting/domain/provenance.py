"""Provenance: the model fit behind a forecast, and the marks of a replay run."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Literal

from forecasting.errors import InvalidInput

type Plain = bool | int | float | str | Sequence["Plain"] | Mapping[str, "Plain"] | None

_GATE = re.compile(r"passed|refused: \S.*|overridden: \S.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ModelRun:
    """One fit of one model: what went in, how it was computed, what the gate said.

    Attributes
    ----------
    family, fitted
        The family that was asked for and the one that was fitted.
    worldview
        The worldview whose priors were used; empty for the shared priors.
    priors_hash, evidence_hash
        SHA-256 of the priors and of the evidence that entered, in hexadecimal.
    as_of
        The moment that the fit knows the world at.
    seed
        The random seed, as an integer of 0 or more.
    method
        ``conjugate``, ``psis``, ``nuts``, ...
    gate
        ``passed``, ``refused: REASONS`` or ``overridden: REASON``.
    diagnostics, versions
        Plain data; a number that is not finite is kept as the word ``nan``, ``inf`` or ``-inf``.
        How long the fit took is no part of either, so that the same fit gives the same entry.
    run
        The replay run that it belongs to; empty outside a replay.
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
        if not _GATE.fullmatch(self.gate):
            msg = f"gate ({self.gate}): must be passed, refused: REASONS or overridden: REASON"
            raise InvalidInput(msg)
        if self.seed < 0:
            msg = f"seed ({self.seed}): must be an integer of 0 or more"
            raise InvalidInput(msg)
        object.__setattr__(self, "diagnostics", _plain_mapping(self.diagnostics))
        object.__setattr__(self, "versions", _plain_mapping(self.versions))

    @property
    def passed(self) -> bool:
        """Whether a forecast may rest on this fit: passed, or overridden with a reason."""
        return not self.gate.startswith("refused")


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
            msg = f"event ({self.event}): must be started or finished"
            raise InvalidInput(msg)
        if self.evidence_head < 0:
            msg = f"evidence_head ({self.evidence_head}): must be 0 or the number of an entry"
            raise InvalidInput(msg)
        object.__setattr__(self, "config", _plain_mapping(self.config))


def in_batch(position: int) -> int:
    """Name the draft at `position` (from 0) of the same append, where a number is wanted.

    An entry has no number before it is recorded. A forecast whose model run is recorded in the
    same append carries ``in_batch(i)``, a negative number, which no entry has; the ledger
    replaces it.

    Examples
    --------
    >>> in_batch(0), in_batch(3)
    (-1, -4)
    """
    if position < 0:
        msg = f"position ({position}): must be 0 or more"
        raise InvalidInput(msg)
    return -1 - position


def plain(value: object) -> Plain:
    """Give a value as plain data that a canonical text can hold.

    NumPy scalars and arrays become Python numbers and tuples, sequences become tuples, and
    numbers that are not finite become words, because no JSON number can say them.

    Examples
    --------
    >>> plain({"r_hat": float("nan"), "ess": [400, 512.5]})
    {'r_hat': 'nan', 'ess': (400, 512.5)}
    """
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
    msg = f"value ({value!r}): must be plain data (numbers, text, lists, mappings)"
    raise InvalidInput(msg)


def _plain_mapping(value: Mapping[str, object]) -> dict[str, Plain]:
    if bad := [key for key in value if not isinstance(key, str)]:
        msg = f"key ({bad[0]!r}): must be text"
        raise InvalidInput(msg)
    return {key: plain(item) for key, item in value.items()}
