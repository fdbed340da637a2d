"""Cells: probabilities, times, names and outcomes as a track record may write them.

Two ways to fail. :class:`Damaged` is a cell that a lenient reader would have taken for a number
(nan, 1e999, 1_0, other scripts' digits): the program that wrote it wrote others too, so the import
stops. InvalidInput is a cell that says something clear that cannot be kept: its row is refused.
"""

import datetime as dt
import hashlib
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from forecasting.bank.schema import QUESTION_ID
from forecasting.domain.instants import day_begins, day_ends, parse_day, parse_instant
from forecasting.domain.outcome import NO, YES, OutcomeSpace
from forecasting.domain.question import ANNULLED
from forecasting.errors import InvalidInput

MOST_DIGITS = 40
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
_PROBABILITY = re.compile(r"0(\.\d+)?|1(\.0+)?", re.ASCII)
_PERCENT = re.compile(r"(100(?:\.0+)?|\d{1,2}(?:\.\d+)?)\s?%", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_EXPONENT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)[eE][+-]?\d+", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_ID = re.compile(QUESTION_ID)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_UTC = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{6})?)?Z", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
#: A spreadsheet runs a cell that begins so; an apostrophe before it makes it text.
_FORMULA = re.compile(r"'*[=+\-@\t\r\0]")
_WAY_OUT = "0.35 or 35%"


class Damaged(InvalidInput):
    """A cell that shows that the file is not what its writer meant."""


def neutral(text: str) -> str:
    """Write a text so that no spreadsheet runs it; :func:`restored` undoes it exactly.

    Examples
    --------
    >>> neutral("=1+1"), neutral("'=1+1"), neutral("'Twas")
    ("'=1+1", "''=1+1", "'Twas")
    """
    return f"'{text}" if _FORMULA.match(text) else text


def restored(cell: str) -> str:
    """Read a text that :func:`neutral` wrote.

    Examples
    --------
    >>> restored("'=1+1"), restored("''=1+1"), restored("'Twas"), restored("=1")
    ('=1+1', "'=1+1", "'Twas", '=1')
    """
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def number(cell: str, *, name: str) -> str:
    """Read a plain decimal; what only looks like one is refused.

    Raises
    ------
    Damaged
        Not a finite number, or written with more than ASCII digits.
    InvalidInput
        No plain decimal.
    """
    if len(cell) <= MOST_DIGITS and _NUMBER.fullmatch(cell):
        return cell
    raise _no_number(cell, name, "12.5")


@lru_cache(maxsize=65536)
def probability(cell: str) -> str:
    """Read a probability or a percentage as a decimal from 0 to 1, its digits kept.

    Examples
    --------
    >>> probability("0.350"), probability("35 %"), probability("1")
    ('0.350', '0.35', '1')
    """
    if len(cell) <= MOST_DIGITS:
        if _PROBABILITY.fullmatch(cell):
            return cell
        if percent := _PERCENT.fullmatch(cell):
            share = format((Decimal(percent[1]) / 100).normalize(), "f")
            return share if share != "-0" else "0"
        if _NUMBER.fullmatch(cell):
            msg = f"forecast ({cell}): must lie from 0 to 1, or end in %"
            raise InvalidInput(msg, hint=_WAY_OUT)
    raise _no_number(cell, "forecast", _WAY_OUT)


def _no_number(cell: str, name: str, hint: str) -> InvalidInput:
    shown = plainly(cell)
    overflows = _EXPONENT.fullmatch(cell) is not None and float(cell) in {
        float("inf"),
        -float("inf"),
    }
    if _NOT_FINITE.fullmatch(cell) or overflows:
        return Damaged(f"{name} ({shown}): is no finite number", hint=hint)
    if any(letter.isnumeric() and not letter.isascii() for letter in cell):
        return Damaged(f"{name} ({shown}): is not in the digits 0 to 9", hint=hint)
    if re.fullmatch(r"[+-]?[\d_.]*\d_[\d_.]*", cell, re.ASCII):
        return Damaged(f"{name} ({shown}): has an underscore in it", hint=hint)
    if len(cell) > MOST_DIGITS and re.fullmatch(r"[+-]?[\d.]+%?", cell, re.ASCII):
        return Damaged(f"{name} ({shown}): has more than {MOST_DIGITS} digits", hint=hint)
    if not cell:
        return InvalidInput(f"{name}: is empty", hint=hint)
    return InvalidInput(f"{name} ({shown}): must be a plain decimal number", hint=hint)


def plainly(cell: str) -> str:
    """Show a cell in one short line."""
    flat = _CONTROL.sub(" ", cell)
    return flat if len(flat) <= 60 else f"{flat[:57]}..."


@lru_cache(maxsize=65536)
def moment(cell: str, *, name: str, zone: str, zoned: bool, day_means: str) -> dt.datetime:
    """Read a time: ISO 8601 with an offset, or a day, which is a day of the zone.

    Parameters
    ----------
    zoned : bool
        Whether the user named the zone; only then a time without an offset is read in it.
    day_means : {"begins", "noon", "ends"}
        Openings begin with their day; a forecast known only to the day stands at its noon, as a
        text does; deadlines and outcomes end with it.
    """
    try:
        if _UTC.fullmatch(cell):
            # What an export writes, read without the detours that other spellings take.
            return dt.datetime.fromisoformat(cell)
        if _DAY.fullmatch(cell):
            day = parse_day(cell)
            if day_means == "ends":
                return day_ends(day, zone)
            if day_means == "noon":
                return parse_instant(f"{cell}T12:00", zone_name=zone)
            return day_begins(day, zone)
        return parse_instant(cell, zone_name=zone if zoned else None)
    except (ValueError, OverflowError) as wrong:
        rule = f" ({plainly(cell)}): is no time with its zone, and no day" if cell else ": is empty"
        hint = getattr(wrong, "hint", "") or "2026-05-09T12:00Z"
        msg = f"{name}{rule}"
        raise InvalidInput(msg, hint=hint) from wrong


def text(cell: str, *, name: str, one_line: bool = True) -> str:
    """Give text in NFC; refuse what is too long and, in one line, control characters."""
    if len(cell) > LIMITS.get(name, 500):
        msg = f"{name} ({len(cell):,} characters): at most {LIMITS.get(name, 500):,}"
        raise InvalidInput(msg)
    if one_line and _CONTROL.search(cell):
        msg = f"{name} ({plainly(cell)}): must be one line without control characters"
        raise InvalidInput(msg)
    return cell if cell.isascii() else unicodedata.normalize("NFC", cell)


def question_id(cell: str) -> str:
    """Give the id of a question: the cell where it is one, else one made from it for good.

    Examples
    --------
    >>> question_id("truce-2026"), question_id("truce@2026-12-31")
    ('truce-2026', 'truce@2026-12-31')
    >>> question_id("Will the truce hold?")
    'will-the-truce-hold-d86398d0'
    """
    named = text(cell, name="question")
    if _ID.fullmatch(named) and len(named) <= 80:
        return named
    plain = unicodedata.normalize("NFKD", named).encode("ascii", "ignore").decode().lower()
    words = "-".join(re.findall(r"[a-z0-9]+", plain))[:40].strip("-")
    unique = hashlib.sha256(named.encode()).hexdigest()[:8]
    return f"{words}-{unique}" if words else unique


_YES_NO: dict[str, str] = dict.fromkeys(("yes", "1", "1.0", "true"), YES) | dict.fromkeys(
    ("no", "0", "0.0", "false"), NO
)


def outcome(space: OutcomeSpace, stated: str) -> str:
    """Read an outcome of a question: ``annulled``, yes or no in their forms, an option, a number.

    Examples
    --------
    >>> outcome(OutcomeSpace.binary(), "1"), outcome(OutcomeSpace.binary(), "Annulled")
    ('yes', 'annulled')
    """
    if stated.casefold() == ANNULLED:
        return ANNULLED
    if space.type == "binary":
        stated = _YES_NO.get(stated.casefold(), stated)
    elif space.type == "numeric":
        stated = number(stated, name="outcome")
    try:
        space.label(stated)
    except InvalidInput:
        if space.type == "numeric":
            raise
        shown = plainly(", ".join(space.options))
        msg = f"outcome ({plainly(stated)}): must be one of {shown}, {ANNULLED}"
        raise InvalidInput(msg) from None
    return stated


def listed(cell: str, *, name: str, read: Callable[[str], object]) -> tuple[str, ...]:
    """Read a list: parts between semicolons, or a JSON list where a part holds one itself."""
    if not cell.startswith("["):
        parts = [part.strip() for part in cell.split(";") if part.strip()]
    else:
        found = read(cell)
        if not isinstance(found, list) or not all(type(part) is str for part in found):
            msg = f"{name} ({plainly(cell)}): must be a list of texts"
            raise InvalidInput(msg, hint="one;two;three")
        parts = [str(part) for part in found]
    return tuple(text(part, name=name) for part in parts)
