"""What is due as a calendar (RFC 5545), and as a mail (RFC 5322)."""

import datetime as dt
import hashlib
import re
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from forecasting.review.due import to_record

#: Octets of a line of a calendar, without its end.
LINE = 75
PRODUCT = "-//scenario-forecasting//forecast due//EN"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def calendar(rows: Sequence[Mapping[str, Any]], now: dt.datetime) -> str:
    """Write the rows of `due` as a calendar, an event a question with an alarm a day before."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}"]
    for row in rows:
        unique = hashlib.sha256(str(row["question"]).encode()).hexdigest()[:32]
        lines += [
            "BEGIN:VEVENT",
            f"UID:{unique}@scenario-forecasting",
            f"DTSTAMP:{_utc(now)}",
            f"DTSTART:{_utc(row['deadline'])}",
            f"SUMMARY:{_text(row['title'])}",
            f"DESCRIPTION:{_text(_summary(row))}",
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            f"DESCRIPTION:{_text(row['title'])}",
            "TRIGGER:-P1D",
            "END:VALARM",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(text: str) -> str:
    """Escape a value of type TEXT; control characters have no place in one."""
    plain = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    for mark in ("\\", ";", ","):
        plain = plain.replace(mark, f"\\{mark}")
    return plain.replace("\n", "\\n")


def _folded(line: str) -> str:
    """Fold a line at 75 octets, never inside a character; a space begins each further line."""
    parts, room = [""], LINE
    for letter in line:
        size = len(letter.encode("utf-8", "replace"))
        if size > room:
            parts.append("")
            room = LINE - 1
        parts[-1] += letter
        room -= size
    return "\r\n ".join(parts)


def _number(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_number(each)}" for name, each in value.items())
    return "none" if value is None else f"{value:.3g}"


def _summary(row: Mapping[str, Any]) -> str:
    """Say in a few lines why a question is listed, and where the numbers stand."""
    lines = [f"{row['question']}: {row['reason']}"]
    if "mine" in row:
        lines.append(f"yours {_number(row['mine'])}, the model's {_number(row['model'])}")
    if row.get("value") is not None:
        lines.append(f"a fresh look is worth {row['value']:.4f} (expected drop of the Brier score)")
    return "\n".join(lines)


def mail(rows: Sequence[Mapping[str, Any]], *, forecaster: str, now: dt.datetime) -> bytes:
    """Write the rows of `due` as a mail to oneself, for ``sendmail -t`` or a file."""
    waiting = sum(map(to_record, rows))
    looks = len(rows) - waiting
    parts = [
        f"{n} {what}{'s' * (n != 1)}"
        for n, what in ((waiting, "outcome"), (looks, "forecast"))
        if n
    ]
    name = "".join(re.findall(r"[\w.-]", forecaster, re.ASCII)) or "forecaster"
    message = EmailMessage()
    message["Subject"] = f"Forecasts: {' and '.join(parts) or 'nothing is'} due"
    message["From"] = message["To"] = f"{name}@localhost"
    message["Date"] = format_datetime(now)
    blocks = [
        f"{_CONTROL.sub('', str(row['title']))}\n{_summary(row)}\ndeadline: {row['ends']}"
        for row in rows
    ]
    message.set_content("\n\n".join(blocks) or "Nothing is due.")
    return message.as_bytes()
