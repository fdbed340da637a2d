"""Sealing: the commitment to a forecast, the opener that is kept, and the check that it opens."""

import datetime as dt
import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from forecasting.config import data_folder
from forecasting.domain import Forecast, Reveal, Sealed
from forecasting.errors import InvalidInput, NotFound
from forecasting.files import drafted, read_plain
from forecasting.store.entries import Entry, prepare, seal_commitment
from forecasting.store.tables import DETAILS

VERSION = 1
#: Of a kept file: a long rationale and some hundred quantiles.
MOST_BYTES = 1_000_000


def seal(draft: Forecast) -> tuple[Sealed, dict[str, Any]]:
    """Commit to a forecast without showing it; give the draft, and what opens it later."""
    entry = prepare(draft)
    form = entry.body
    salt = secrets.token_hex(32)
    commitment = seal_commitment(salt, form)
    opener = {
        "v": VERSION,
        "commitment": commitment,
        "salt": salt,
        "forecast": form,
        "because": {"salt": entry.salt, "text": entry.because} if entry.because else None,
    }
    row = entry.row
    sealed = Sealed(
        row["question"], row["question_hash"], row["forecaster"], row["issued_at"], commitment
    )
    return sealed, opener


def reveal(opener: Mapping[str, Any], sealed: Sealed) -> Reveal:
    """Open a seal with its opener; the whole forecast must be the one that was committed to."""
    try:
        opening = _opening(opener, sealed.seq or 0)
        entry = prepare(opening)
        opens = seal_commitment(opening.salt, entry.body)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as broken:
        msg = "sealed file: does not hold what opens a seal"
        raise InvalidInput(msg, hint="file=COPY") from broken
    if opens != sealed.commitment:
        msg = (
            f"sealed entry ({sealed.seq}): the kept file does not open it; "
            "it belongs to another seal, or was changed"
        )
        raise InvalidInput(msg, hint="file=COPY")
    return opening


def _opening(opener: Mapping[str, Any], seq: int) -> Reveal:
    because = opener["because"] or {"salt": "", "text": ""}
    form = dict(opener["forecast"])
    form["issued_at"] = dt.datetime.fromisoformat(form["issued_at"])
    row = dict.fromkeys(DETAILS["forecast"].columns.keys()) | form
    draft = Entry("forecast", row, because=str(because["text"])).value
    assert isinstance(draft, Forecast)
    bare = replace(draft, seq=None, recorded_at=None, hash="")
    return Reveal(bare, seq, str(opener["salt"]), str(because["salt"]))


def folder() -> Path:
    """Return where the numbers of sealed forecasts are kept; it need not exist."""
    return data_folder() / "sealed"


def kept_at(commitment: str) -> Path:
    """Return the file in which what opens a seal is kept; it need not exist."""
    return folder() / f"{commitment[:12]}.json"


def _write_opening(opening: dict[str, Any]) -> Path:
    """Write what opens a seal, for its owner alone, and have it on the disk."""
    target = kept_at(opening["commitment"])
    text = json.dumps(opening, indent=1, ensure_ascii=False) + "\n"
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with drafted(target, private=True) as draft:
            draft.write_text(text, encoding="utf-8", newline="\n")
    except OSError as fault:
        msg = f"file ({target}): cannot be written ({fault.strerror or fault})"
        raise InvalidInput(msg, hint="FORECASTING_HOME=FOLDER that you can write to") from fault
    return target


def _read_opening(file: Path) -> dict[str, Any]:
    try:
        opening = json.loads(read_plain(file, most=MOST_BYTES).decode("utf-8"))
    except FileNotFoundError:
        msg = f"file ({file}): does not exist, and without it the number cannot be known"
        raise NotFound(msg, hint="file=COPY") from None
    except OSError as fault:
        msg = f"file ({file}): cannot be read ({fault.strerror})"
        raise InvalidInput(msg, hint="file=COPY") from fault
    except (ValueError, RecursionError):
        opening = None
    if not isinstance(opening, dict):
        raise InvalidInput(f"file ({file}): does not hold a sealed forecast", hint="file=COPY")
    return opening
