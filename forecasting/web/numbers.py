"""Numbers as they are typed into a field that has a percent sign beside it."""

import re

from forecasting.errors import InvalidInput

_BARE = re.compile(r"\d+([.,]\d+)?", re.ASCII)


def percent_typed(text: str, *, name: str = "probability") -> str:
    """Spell out what was typed beside a percent sign: bare numbers are per cent.

    A bare number below 1 with a point may be a share that was meant as it is: neither is taken.
    """
    typed = text.strip()
    if not typed:
        msg = f"{name}: type a number from 0 to 100, odds such as 1:3, or a word such as likely"
        raise InvalidInput(msg)
    if not _BARE.fullmatch(typed):
        return typed
    value = float(typed.replace(",", "."))
    if 0 < value < 1:
        share = f"{100 * value:g}%"
        msg = f"{name} ({typed}): is {typed} % meant, or {share}"
        raise InvalidInput(msg, hint=f"{share}, or {typed}%")
    return f"{typed}%"
