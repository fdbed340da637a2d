"""Faults beside their fields: what the book refused, as somebody at a form reads it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from forecasting.errors import ForecastingError

#: What a message of the book begins with, and the field of a form that it speaks of.
FIELDS: Mapping[str, str] = {
    "forecast": "p",
    "probability": "p",
    "probabilities": "p",
    "quantiles": "p",
    "quantile": "p",
    "quantile values": "p",
    "quantile levels": "p",
    "ladder": "p",
    "level": "p",
    "options": "p",
    "rung": "p",
    "closes": "by",
    "deadline": "by",
    "slug": "slug",
    "time": "at",
    "instant": "at",
    "range": "span",
    "known_at": "known_at",
    "known-at": "known_at",
}
#: Switches that messages name as Python does, and the words of the box that ticks each.
BOXES: Mapping[str, str] = {
    "confirmed=True": "tick “I vouch for it”",
    "early_no=True": "tick “a yes has become impossible before the deadline”",
}
#: A way out that is a command line helps nobody at a form.
_COMMAND = re.compile(r"^(forecast |--|pip |no time\b)")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: the field that it stands beside (empty: the form), and the words."""

    field: str
    words: str


def fault_of(raised: ForecastingError) -> Fault:
    """Read a refusal of the book for a form."""
    head, colon, rule = raised.message.partition(": ")
    name, _, value = head.partition(" (")
    value = value.removesuffix(")")
    field = FIELDS.get(name.strip().lower(), name.strip().lower()) if colon else ""
    if not re.fullmatch(r"[a-z_]{1,20}", field):
        field = ""
    words = f"{value}: {rule}" if colon and field and value else raised.message
    if raised.hint and not _COMMAND.match(raised.hint):
        words = f"{words.rstrip('.')}. For example: {raised.hint}"
    for named, box in BOXES.items():
        words = words.replace(f"For example: {named}", f"Try: {box}").replace(named, box)
    return Fault(field, words)
