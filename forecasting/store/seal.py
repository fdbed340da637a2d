"""Sealing: the commitment to a forecast, what is kept to open it, and the check that it does."""

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
    """Commit to a forecast without showing it.

    Parameters
    ----------
    draft : Forecast
        As it would be logged openly.

    Returns
    -------
    tuple of Sealed and dict
        The draft of the entry, and what opens it: plain data with the number and both salts in
        it, to be kept outside the ledger until then.

    Raises
    ------
    InvalidInput
        What no forecast may hold.

    Examples
    --------
    >>> from forecasting.domain.forecast import binary_value
    >>> now = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    >>> draft = Forecast("q", "ab" * 32, "ana", binary_value("0.9"), now, "live", because="a hunch")
    >>> sealed, kept = seal(draft)
    >>> reveal(kept, Sealed("q", "ab" * 32, "ana", now, sealed.commitment, seq=7)).forecast == draft
    True
    """
    made = prepare(draft)
    form = made.body
    salt = secrets.token_hex(32)
    commitment = seal_commitment(salt, form)
    kept = {
        "v": VERSION,
        "commitment": commitment,
        "salt": salt,
        "forecast": form,
        "because": {"salt": made.salt, "text": made.because} if made.because else None,
    }
    row = made.row
    sealed = Sealed(
        row["question"], row["question_hash"], row["forecaster"], row["issued_at"], commitment
    )
    return sealed, kept


def reveal(kept: Mapping[str, Any], sealed: Sealed) -> Reveal:
    """Open a seal with what was kept; the whole forecast must be the one that was committed to.

    Raises
    ------
    InvalidInput
        What was kept is no opening, or is not that of this seal.
    """
    try:
        opening = _opening(kept, sealed.seq or 0)
        made = prepare(opening)
        opens = seal_commitment(opening.salt, made.body)
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


def _opening(kept: Mapping[str, Any], seq: int) -> Reveal:
    because = kept["because"] or {"salt": "", "text": ""}
    given = dict(kept["forecast"])
    given["issued_at"] = dt.datetime.fromisoformat(given["issued_at"])
    row = dict.fromkeys(DETAILS["forecast"].columns.keys()) | given
    draft = Entry("forecast", row, because=str(because["text"])).value
    assert isinstance(draft, Forecast)
    bare = replace(draft, seq=None, recorded_at=None, hash="")
    return Reveal(bare, seq, str(kept["salt"]), str(because["salt"]))
