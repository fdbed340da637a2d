"""Fits kept on disk, so that a new process need neither compile nor sample them again.

A cache and nothing more: one ``.npz`` file a fit, named by the hash of everything that made it,
put in place by one rename, with a hash of its content inside. A file that is damaged, foreign or
of another version counts as absent; a folder that cannot be written is left alone. A fit's seed
follows from what it is made of, so one that is read back is the one that would be made.
"""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from forecasting.errors import InvalidInput
from forecasting.files import drafted
from forecasting.inference.fit import Fit, array_hash
from forecasting.inference.gate import GateReport

FORMAT = 2
KEEP = 200
# Hexadecimal digits of each hash in a file's name: 128 bits, as many as a name should hold.
DIGITS = 32
#: What is kept of a fit beside its draws and its report.
PLAIN = ("chains", "seed", "data_hash", "priors_hash")
#: Earlier versions wrote further numbers beside these.
REPORTED = {field.name for field in fields(GateReport)}


class FitStore:
    """A folder of fits, made when the first is saved; the newest `keep` stay."""

    def __init__(self, folder: Path, *, keep: int = KEEP) -> None:
        self.folder = folder
        self.keep = keep

    def save(self, group: str, key: str, fit: Fit) -> None:
        """Keep a sampled fit that passed; a folder that cannot be written is no fault.

        `group` and `key`: SHA-256 of all that made it but the data, and of everything that made it.
        """
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
