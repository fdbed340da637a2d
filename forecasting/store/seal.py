"""Sealing: the commitment to a forecast, the opener that is kept, and the check that it opens."""

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from forecasting.domain import Forecast, Reveal, Sealed
from forecasting.errors import InvalidInput
from forecasting.store.entries import Entry, prepare, seal_commitment
from forecasting.store.tables import DETAILS

VERSION = 1


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
