"""Outcomes: yes and no in their forms, an option in any case, a number, ``annulled``."""

from decimal import Decimal

from forecasting.domain.instants import DAYS
from forecasting.domain.outcome import NO, YES, OutcomeSpace, beyond
from forecasting.domain.question import ANNULLED
from forecasting.domain.reading.manner import Manner, plainly, refused
from forecasting.domain.reading.names import option
from forecasting.domain.reading.numbers import tidied
from forecasting.domain.reading.quantities import quantity
from forecasting.errors import InvalidInput

_BINARY = dict.fromkeys(("yes", "y", "true", "t", "1", "1.0"), YES) | dict.fromkeys(
    ("no", "n", "false", "f", "0", "0.0"), NO
)
_ANNULLED = frozenset({ANNULLED, "annul", "void", "voided", "n/a"})


def outcome(space: OutcomeSpace, text: str, *, manner: Manner | None = None) -> str:
    """Read an outcome of a question as it is recorded.

    A number beyond a bound is recorded as beyond it (``>5000``): a forecast says no more than
    that of such numbers, and is scored at the bound.

    Raises
    ------
    InvalidInput
        No outcome of this question.

    Examples
    --------
    >>> binary = OutcomeSpace.binary()
    >>> outcome(binary, "TRUE"), outcome(binary, "n"), outcome(binary, "Annulled")
    ('yes', 'no', 'annulled')
    >>> outcome(OutcomeSpace("numeric", (), 0.0, 5000.0), "6,200.5")
    '>5000'
    """
    cell = tidied(text)
    folded = cell.casefold()
    if folded in _ANNULLED and not (space.options and cell in space.options):
        return ANNULLED
    if not cell:
        raise InvalidInput("outcome: is empty", hint=_way_out(space))
    if space.type == "numeric":
        return _number(space, cell, manner)
    if space.type == "binary" and folded in _BINARY:
        return _BINARY[folded]
    try:
        return option(space.options, text, name="outcome")
    except InvalidInput as wrong:
        shown = plainly(", ".join((*space.options, ANNULLED)))
        raise refused("outcome", cell, f"must be one of {shown}", wrong.hint) from None


def _way_out(space: OutcomeSpace) -> str:
    if space.type == "numeric":
        return "2027-01-31" if space.unit == DAYS else "12.5"
    return plainly(", ".join(space.options))


def _number(space: OutcomeSpace, cell: str, manner: Manner | None) -> str:
    low, high = beyond(space)
    if cell.casefold() in ("above", "below"):
        return high if cell.casefold() == "above" else low
    bare = cell[1:].strip() if cell[:1] in "<>" else ""
    plain = quantity(
        bare or cell, unit=space.unit, name="outcome", manner=manner, within=space.bounds
    )
    value = Decimal(plain)
    below, above = Decimal(repr(space.lower)), Decimal(repr(space.upper))
    if bare and not (value >= above if cell[0] == ">" else value <= below):
        rule = f"must be a number, {space.shown(low)} or {space.shown(high)}"
        raise refused("outcome", cell, rule, _way_out(space))
    if bare:
        return high if cell[0] == ">" else low
    if below <= value <= above:
        return plain
    return high if value > above else low
