"""Faults beside their fields: what the book refused, as somebody at a form reads it."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from forecasting.errors import ForecastingError
from forecasting.review.words import Days, day_names

#: What a message of the book begins with, and the field of a form that it speaks of.
FIELDS: Mapping[str, str] = {
    **dict.fromkeys(("forecast", "probability", "probabilities", "options", "ladder", "rung"), "p"),
    **dict.fromkeys(("quantiles", "quantile", "quantile values", "quantile levels", "level"), "p"),
    **dict.fromkeys(("closes", "deadline"), "by"),
    **dict.fromkeys(("time", "instant"), "at"),
    **dict.fromkeys(("range", "bounds", "lower", "upper"), "span"),
    "part": "amount",
    "known-at": "known_at",
}
#: Arguments that messages name as Python does, and the label of the field that takes each.
LABELS: Mapping[str, str] = {
    "at": "When",
    "by": "By the end of",
    "columns": "Columns of a table with other names",
    "dates": "Days are written",
    "decimal": "Decimal mark",
    "known_at": "Known since",
    "me": "Your name here",
    "slug": "Its id",
    "source": "Who says so",
    "unit": "Bare numbers are",
    "user": "Your name in the file",
    "zone": "Zone of its times",
}
#: Switches, and the words of the box that ticks each.
BOXES: Mapping[str, str] = {
    "confirmed=True": "tick “I vouch for it”",
    "sure=True": "tick “it is final”",
}
#: Values of fields that show other words.
_CHOICES = {
    "percent": "per cent",
    "probability": "from 0 to 1",
    "dmy": "31.12.2026",
    "mdy": "12/31/2026",
}
#: A way out that is a command line helps nobody at a form.
_COMMAND = re.compile(r"(^|[;,] (or |then )?)(forecast |--|pip |no time\b|too_soon=).*$")
_ARGUMENT = re.compile(rf"\b({'|'.join(LABELS)})=([\w/.:-]+)")
_INSTANT = re.compile(r"\b(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?Z")
_PART = re.compile(r"^(\w+)\.\d+: \w+ \((.*?)\): ")
_SECONDS = re.compile(r"T\d\d:\d\d:\d\d")
#: A form is filled in per cent; the book tells sums of shares.
_SUM = re.compile(r"^sum ([\d.]+): the options must sum to 1$")
_ADD = re.compile(r"^add ([+-][\d.]+) somewhere$")
_RUNG = re.compile(r"(?:\S+@)?(\d{4}-\d\d-\d\d)=(\d*\.?\d+) or more(, both at once)?")
_RUNGS = re.compile(r"(?:[\w-]+@)?(\d{4}-\d\d-\d\d)=(\d*\.?\d+)")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: the field that it stands beside (empty: the form), and the words."""

    field: str
    words: str


def fault_of(raised: ForecastingError, zone: str = "") -> Fault:
    """Read a refusal of the book for a form, whose page is in a zone."""
    # A fault in a list is named by its place in the list, and then by its value.
    message = _PART.sub(r"\1 (\2): ", raised.message)
    head, colon, rule = message.partition(": ")
    name, _, value = head.partition(" (")
    value = value.removesuffix(")")
    field = FIELDS.get(name.strip().lower(), name.strip().lower()) if colon else ""
    if not re.fullmatch(r"[a-z_]{1,20}", field):
        # The hint begins with the argument to change, which names the field.
        named = _ARGUMENT.match(raised.hint)
        field = FIELDS.get(named[1], named[1]) if named else ""
        value = ""
    if name == "question" and not value:
        message = rule
    words = f"{value}: {rule}" if colon and field and value else message
    if value in ("", "..") and rule == "must be two numbers":
        words = "fill both, From and To"
    hint = raised.hint
    if (match := _SUM.match(words)) and (add := _ADD.match(hint)):
        words = f"they sum to {100 * float(match[1]):g} %, and must sum to 100 %"
        rest = 100 * float(add[1])
        hint = f"take {-rest:g} away somewhere" if rest < 0 else f"add {rest:g} somewhere"
    if raised.where:
        words = f"{raised.where}: {words}"
    words = day_names(_moments(at_form(words), zone))
    # A hint's moment with seconds comes from the record; one to be typed stays as it is.
    hint = _moments(hint, zone) if _SECONDS.search(hint) else hint
    if hint := at_form(_COMMAND.sub("", hint)):
        begin = "For example" if hint == raised.hint else "Try"
        words = f"{words.rstrip('.')}{'' if words.endswith('?') else '.'} {begin}: {hint}"
    return Fault(field, words)


def _moments(text: str, zone: str) -> str:
    """Write the moments of a message as the page does; a page without a zone, in UTC."""
    if not zone:
        return _INSTANT.sub(r"\1, \2 UTC", text)
    days = Days(zone)
    return _INSTANT.sub(
        lambda match: days.moment(dt.datetime.fromisoformat(f"{match[1]}T{match[2]}+00:00")), text
    )


def at_form(text: str) -> str:
    """Write what names arguments as somebody at a form takes it: with its fields and its boxes.

    >>> at_form("zone=Europe/London, or where it was exported")
    '“Zone of its times” Europe/London, or where it was exported'
    >>> at_form("leave out at=TIME")
    'leave “When” empty'
    """
    for named, box in BOXES.items():
        text = text.replace(named, box)
    text = re.sub(r"\bleave out (\w+=TIME)", r"leave \1 empty", text)
    text = _RUNG.sub(lambda match: f"{in_percent(match[2])} or more by {day_names(match[1])}", text)
    text = _RUNGS.sub(lambda match: f"by {match[1]} {in_percent(match[2])} %", text)
    text = text.replace("`", "")
    return _ARGUMENT.sub(_label_of, text)


def in_percent(share: str) -> str:
    """Write a share in percent, with every digit that was entered."""
    return f"{(100 * Decimal(share)).normalize():f}"


def _label_of(match: "re.Match[str]") -> str:
    value = _CHOICES.get(match[2], match[2])
    return f"“{LABELS[match[1]]}”" + ("" if value.isupper() else f" {value}")
