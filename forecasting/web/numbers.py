"""Numbers as they are typed into a field that has a percent sign beside it."""

import re

from forecasting.errors import InvalidInput

_BARE = re.compile(r"\d+([.,]\d+)?", re.ASCII)


def percent_typed(text: str, *, name: str = "probability") -> str:
    """Spell out what was typed beside a percent sign: bare numbers are per cent.

    Odds, words and numbers with a sign of their own stay as they are. A bare number below 1 with a
    point may be a share that was meant as it is, so both readings are named and neither is taken.

    Raises
    ------
    InvalidInput
        Nothing was typed, or it may mean two things.

    Examples
    --------
    >>> percent_typed("35"), percent_typed("2.5"), percent_typed("1:3"), percent_typed("likely")
    ('35%', '2.5%', '1:3', 'likely')
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
