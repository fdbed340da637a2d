"""Reading what was sent: bounded in bytes, in fields and in time, and text only."""

import hashlib
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import anyio
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from forecasting.web.gate import Refusal

#: Seconds within which a whole body must arrive.
SECONDS = 20.0
MOST_FIELDS = 2_000
#: Of one field, in characters; a rationale is the longest.
MOST_LETTERS = 100_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a form; its name is for showing, never for a path."""

    name: str
    content: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """Digest the content."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Sent:
    """The fields of a form or of an address, in order, and its files."""

    fields: tuple[tuple[str, str], ...] = ()
    files: dict[str, Upload] = field(default_factory=dict)

    def get(self, name: str, default: str = "") -> str:
        """Give the last value of a field, without the space around it."""
        values = [value for key, value in self.fields if key == name]
        return values[-1].strip() if values else default

    def all(self, name: str) -> list[str]:
        """Give every value of a field that is not empty."""
        return [value.strip() for key, value in self.fields if key == name and value.strip()]

    def under(self, prefix: str) -> dict[str, str]:
        """Give the fields ``prefix[key]`` that are filled, by their key, in order."""
        values = {}
        for name, value in self.fields:
            if name.startswith(f"{prefix}[") and name.endswith("]") and value.strip():
                values[name[len(prefix) + 1 : -1]] = value.strip()
        return values

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self.fields)


def pairs(text: bytes) -> Sent:
    """Read ``a=b&c=d``; odd encodings and control characters are refused."""
    try:
        fields = parse_qsl(
            text.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except (UnicodeDecodeError, ValueError):
        raise Refusal(400, "The form is not readable: it must be text in UTF-8.") from None
    return Sent(tuple((_text(name), _text(value)) for name, value in fields))


def _text(value: str) -> str:
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    if len(value) > MOST_LETTERS:
        raise Refusal(413, f"A field holds at most {MOST_LETTERS:,} characters.")
    if _CONTROL.search(value):
        raise Refusal(400, "The form holds control characters.")
    return value


async def read(request: Request, most: int) -> Sent:
    """Read a form, or refuse it: 400, 408, 413 or 415."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise Refusal(415, "A form is sent as a form.")
    stated = request.headers.get("content-length", "0")
    if not stated.isdecimal() or int(stated) > most:
        raise Refusal(413, f"A form here holds at most {most:,} bytes.")
    body = bytearray()
    try:
        with anyio.fail_after(SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise Refusal(413, f"A form here holds at most {most:,} bytes.")
    except TimeoutError:
        raise Refusal(408, "The form came too slowly.") from None
    if kind == "application/x-www-form-urlencoded":
        return pairs(bytes(body))
    return await _parts(request, bytes(body), most)


async def _parts(request: Request, body: bytes, most: int) -> Sent:
    async def whole() -> AsyncGenerator[bytes]:
        yield body

    parser = MultiPartParser(
        request.headers, whole(), max_files=4, max_fields=MOST_FIELDS, max_part_size=most
    )
    try:
        form = await parser.parse()
    except (MultiPartException, UnicodeDecodeError, ValueError, KeyError):
        raise Refusal(400, "The form is not readable.") from None
    fields: list[tuple[str, str]] = []
    files: dict[str, Upload] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            fields.append((_text(name), _text(value)))
        elif value.filename:
            files[_text(name)] = Upload(_text(value.filename)[:200], await value.read())
        else:
            files.pop(name, None)
    await form.close()
    return Sent(tuple(fields), files)
