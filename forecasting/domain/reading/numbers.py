"""Numbers as people and programs write them, with either decimal mark and any thousands mark."""

import re
from decimal import Decimal
from functools import lru_cache

from forecasting.domain.reading.manner import Ambiguous, Damaged, Manner, Mark, plainly, refused
from forecasting.errors import InvalidInput

#: Significant digits of a number; no measurement has more.
MOST_DIGITS = 40
_SPACES = re.compile(r"[\s\u00a0\u2000-\u200a\u202f\u205f\u3000]+")
_PLAIN = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?", re.ASCII)
_EXPONENT = re.compile(r"([+-]?(?:\d+[.,]?\d*|[.,]\d+))[eE]([+-]?\d{1,6})", re.ASCII)
_BODY = re.compile(r"([+-]?)([\d.,' ]*\d[\d.,' ]*)", re.ASCII)
_TWO_WAYS = re.compile(r"[1-9]\d{0,2},\d{3}", re.ASCII)
_POINTED = re.compile(r"-?[1-9]\d{0,2}\.\d{3}", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity|∞)", re.IGNORECASE)
_SAME = str.maketrans({"\u2212": "-", "\u2019": "'", "\u02bc": "'"})
_LEAST_EXPONENT = -330
_FIXED = Manner()


def tidied(text: str) -> str:
    r"""Give a text with every kind of space, also those that do not break, as one plain space.

    Examples
    --------
    >>> tidied(" 35\u00a0% "), tidied("31\u202fJan  2027")
    ('35 %', '31 Jan 2027')
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    return _SPACES.sub(" ", text).strip()


def number(
    text: str,
    *,
    name: str = "number",
    hint: str = "12.5",
    shown: str = "",
    manner: Manner | None = None,
) -> str:
    r"""Read a number; give it as a plain decimal: digits, at most one point, a minus sign.

    Understood are both decimal marks, thousands marked by space, apostrophe, point or comma, bare
    points (``.35``), exponents (``1e-5``) and the typographic minus. ``1,234`` is 1.234 or 1234
    and is refused unless `manner` names the decimal mark.

    Raises
    ------
    Ambiguous
        Two numbers are written so.
    Damaged
        Not finite, beyond every double, more than 40 digits, an underscore or other scripts'
        digits: what a lenient reader would have taken for a number.
    InvalidInput
        No number.

    Examples
    --------
    >>> number(".35"), number("1e-05"), number("1\u00a0234,5"), number("-0,5"), number("+3")
    ('0.35', '0.00001', '1234.5', '-0.5', '3')
    >>> number("1,234", manner=Manner(decimal="point"))
    '1234'
    """
    how = manner or _FIXED
    plain, mark = _read(text, how.decimal, name, hint, shown or text)
    if manner is not None:
        manner.met(mark, text)
    return plain


@lru_cache(maxsize=65536)
def _read(text: str, decimal: Mark, name: str, hint: str, shown: str) -> tuple[str, Mark]:
    """Give the plain decimal and the decimal mark that it shows, if it shows one."""
    cell = tidied(text).translate(_SAME)
    if decimal != "comma" and _PLAIN.fullmatch(cell) and len(cell) <= MOST_DIGITS:
        return cell.removeprefix("+"), "point" if "." in cell else ""
    if scaled := _EXPONENT.fullmatch(cell):
        return _scaled(scaled[1], int(scaled[2]), decimal, shown, name, hint)
    body = _BODY.fullmatch(cell)
    if body is None or sum(map(str.isdigit, cell)) > MOST_DIGITS:
        raise _no_number(shown, cell, name, hint)
    whole, mark = _split(body[2], decimal, shown, name, hint)
    sign = "-" if body[1] == "-" else ""
    return sign + whole, mark


def _split(body: str, decimal: Mark, text: str, name: str, hint: str) -> tuple[str, Mark]:
    points, commas = body.count("."), body.count(",")
    mark: Mark = decimal
    if not decimal:
        if points and commas:
            mark = "point" if body.rindex(".") > body.rindex(",") else "comma"
        elif commas == 1:
            if _TWO_WAYS.fullmatch(body):
                without = body.replace(",", "")
                shown = plainly(text.strip())
                msg = f"{name} ({shown}): is {body.replace(',', '.')} or {without}"
                way_out = f"{without} or {unmistakable(body.replace(',', '.'))}"
                raise Ambiguous(msg, hint=way_out, whole="decimal=point or decimal=comma")
            mark = "comma"
        elif points > 1:
            mark = "comma"
        else:
            mark = "point"
    point, groups = (",", ". '") if mark == "comma" else (".", ", '")
    whole, separator, rest = body.partition(point)
    used = {letter for letter in whole if not letter.isdigit()}
    grouped = re.compile(r"\d{1,3}(?:[" + re.escape(groups) + r"]\d{3})+", re.ASCII)
    if (
        (separator and not (rest or whole))
        or (rest and not rest.isdigit())
        or not used <= set(groups)
        or len(used) > 1
        or (used and not grouped.fullmatch(whole))
    ):
        rule = f"is not a number with a decimal {decimal}" if decimal else "is not a number"
        raise refused(name, text.strip(), rule, hint)
    digits = "".join(filter(str.isdigit, whole)) or "0"
    shown_mark: Mark = mark if separator or (used & {",", "."}) else ""
    return (f"{digits}.{rest}" if rest else digits), shown_mark


def unmistakable(plain: str) -> str:
    """Write a decimal so that its point is not taken for a mark of thousands.

    Examples
    --------
    >>> unmistakable("1.200"), unmistakable("1.234"), unmistakable("0.125"), unmistakable("1200")
    ('1.2', '1.2340', '0.125', '1200')
    """
    if not _POINTED.fullmatch(plain):
        return plain
    short = plain.rstrip("0")
    return f"{plain}0" if short == plain else short.removesuffix(".") + ".0" * short.endswith(".")


def _scaled(
    body: str, exponent: int, decimal: Mark, text: str, name: str, hint: str
) -> tuple[str, Mark]:
    point = "," if decimal == "comma" else "."
    if ("," if point == "." else ".") in body or len(body) > MOST_DIGITS:
        raise _no_number(text, text.strip(), name, hint)
    value = Decimal(body.replace(",", ".")).scaleb(exponent) if abs(exponent) < 10_000 else None
    if value is None or not value:
        return ("0", "") if value is not None or exponent < 0 else _beyond(text, name, hint)
    if value.adjusted() > 308 or float(value) in (float("inf"), -float("inf")):
        return _beyond(text, name, hint)
    if value.adjusted() < _LEAST_EXPONENT:
        raise refused(name, text, "is too small to distinguish from 0", hint)
    plain = format(value, "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return plain.removeprefix("+"), ""


def _beyond(text: str, name: str, hint: str) -> tuple[str, Mark]:
    raise Damaged(f"{name} ({plainly(text)}): is not a finite number", hint=hint)


def _no_number(text: str, cell: str, name: str, hint: str) -> InvalidInput:
    shown = plainly(text.strip())
    if not cell:
        return InvalidInput(f"{name}: is empty", hint=hint)
    if _NOT_FINITE.fullmatch(cell):
        return Damaged(f"{name} ({shown}): is not a finite number", hint=hint)
    if any(letter.isnumeric() and not letter.isascii() for letter in cell):
        return Damaged(f"{name} ({shown}): must use the digits 0 to 9", hint=hint)
    if re.fullmatch(r"[+-]?[\d_.]*\d_[\d_.]*", cell, re.ASCII):
        return Damaged(f"{name} ({shown}): must not contain an underscore", hint=hint)
    if re.fullmatch(r"[+-]?[\d.,' ]+", cell, re.ASCII) and any(map(str.isdigit, cell)):
        return Damaged(f"{name} ({shown}): has more than {MOST_DIGITS} digits", hint=hint)
    return InvalidInput(f"{name} ({shown}): is not a number", hint=hint)
