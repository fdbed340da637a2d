"""Cells: texts and lists of a track record, and what a spreadsheet must not run.

Numbers, probabilities, times, outcomes and names are read by :mod:`forecasting.domain.reading`.
"""

import re
import unicodedata
from collections.abc import Callable

from forecasting.domain.reading import plainly
from forecasting.errors import InvalidInput

LIMITS = {
    "question": 200,
    "title": 2000,
    "forecaster": 200,
    "because": 20_000,
    "source": 2000,
    "note": 20_000,
    "criteria": 20_000,
    "background": 50_000,
    "options": 20_000,
    "tags": 2000,
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def text(cell: str, *, name: str, one_line: bool = True) -> str:
    """Give text in NFC; refuse what is too long and, in one line, control characters."""
    if len(cell) > LIMITS.get(name, 500):
        msg = f"{name} ({len(cell):,} characters): at most {LIMITS.get(name, 500):,}"
        raise InvalidInput(msg)
    if one_line and _CONTROL.search(cell):
        msg = f"{name} ({plainly(cell)}): must be one line without control characters"
        raise InvalidInput(msg)
    return cell if cell.isascii() else unicodedata.normalize("NFC", cell)


def one_line(words: str, *, name: str) -> str:
    """Give a platform's text as :func:`text` takes it: in one line, cut where it is too long."""
    plain = " ".join(_CONTROL.sub(" ", unicodedata.normalize("NFC", words)).split())
    return plain if len(plain) <= LIMITS[name] else f"{plain[: LIMITS[name] - 1].rstrip()}…"


def listed(cell: str, *, name: str, read: Callable[[str], object]) -> tuple[str, ...]:
    """Read a list: parts between semicolons, or a JSON list where a part holds one itself."""
    if name == "options" and ";" not in cell and not cell.startswith("["):
        # There are two at least, so another mark between them is one.
        if "|" in cell:
            cell = cell.replace("|", ";")
        elif "," in cell:
            msg = f"options ({plainly(cell)}): are separated by ; in a table"
            raise InvalidInput(msg, hint=";".join(part.strip() for part in cell.split(",")))
    if not cell.startswith("["):
        parts = [part.strip() for part in cell.split(";") if part.strip()]
    else:
        items = read(cell)
        if not isinstance(items, list) or not all(type(part) is str for part in items):
            msg = f"{name} ({plainly(cell)}): must be a list of texts"
            raise InvalidInput(msg, hint="one;two;three")
        parts = [str(part) for part in items]
    return tuple(text(part, name=name) for part in parts)
