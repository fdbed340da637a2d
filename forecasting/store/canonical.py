r"""The form of an entry: canonical bytes, leaf, link and commitment.

An entry is the JSON object ``{"body", "kind", "recorded_at", "seq", "tool", "v"}``, written by RFC
8785. The body holds every stored field of the entry's kind that is not NULL, so that a column
added later leaves older entries as they are. Times are text with microseconds and ``Z``; numbers
of numeric columns are the shortest decimal text that reads back as the same double; numbers
inside free data are JSON numbers. With the leaf and node prefixes of RFC 6962:

.. math:: h_n = \mathrm{SHA256}(01 \,\|\, h_{n-1} \,\|\, \mathrm{SHA256}(00 \,\|\, entry_n)),

and :math:`h_0` is 32 zero bytes.
"""

import datetime as dt
import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

import rfc8785

from forecasting.domain.forecast import decimal_text
from forecasting.domain.instants import utc
from forecasting.errors import InvalidInput

VERSION = 1
FIRST = bytes(32)
_SAFE_INTEGER = 2**53
# For lists of text, where RFC 8785 in pure Python takes ten times as long and writes the same.
_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


def clean(text: str, *, name: str) -> str:
    """Give text in NFC; refuse what no database and no canonical form can hold."""
    if text.isascii():
        if "\0" in text:
            raise InvalidInput(f"{name}: must not hold a NUL character")
        return text
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidInput(f"{name}: must not hold a NUL character or half of a surrogate pair")
    return unicodedata.normalize("NFC", text)


def clean_data(value: Any, *, name: str) -> Any:
    """Give plain data with its text in NFC, sequences as lists."""
    if isinstance(value, str):
        return clean(value, name=name)
    if isinstance(value, Mapping):
        return {clean(key, name=name): clean_data(item, name=name) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [clean_data(item, name=name) for item in value]
    return value


def dumps(value: Any) -> bytes:
    """Write plain data by RFC 8785; a number that is not finite is refused."""
    if not value and type(value) is dict:
        return b"{}"
    if type(value) is list:
        if len(value) == 1 and type(value[0]) is str:
            return b"[%b]" % encode_basestring(value[0]).encode()
        if all(type(item) is str for item in value):
            return _texts(tuple(value))
    if type(value) is dict and _plain(value):
        return _encode(value).encode()
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as refused:
        raise InvalidInput(f"data ({refused}): must be plain, finite JSON") from refused


def _plain(value: Any) -> bool:
    """Whether data holds only small whole numbers and ASCII keys, written alike by all."""
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return True
    if kind is int:
        return bool(-_SAFE_INTEGER < value < _SAFE_INTEGER)
    if kind is list or kind is tuple:
        return all(map(_plain, value))
    if kind is dict:
        return all(type(key) is str and key.isascii() for key in value) and all(
            map(_plain, value.values())
        )
    return False


@lru_cache(maxsize=4096)
def _texts(values: tuple[str, ...]) -> bytes:
    return _encode(values).encode()


def _integer(digits: str) -> int | float:
    number = int(digits)
    return number if abs(number) < _SAFE_INTEGER else float(digits)


_decoder = json.JSONDecoder(parse_int=_integer)
_scan = _decoder.scan_once  # type: ignore[attr-defined]


def loads(text: str) -> Any:
    """Read what :func:`dumps` wrote; integers past 2^53 come back as the floats they were."""
    # What was written here has no outer space to look for, which is most of a decoder's time.
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        return _decoder.decode(text)
    return value if end == len(text) else _decoder.decode(text)


def instant_text(moment: dt.datetime) -> str:
    """Write a moment as fixed-width UTC text, which sorts as time does."""
    moment = moment if moment.tzinfo is dt.UTC else utc(moment)
    # Without a word on how many digits it takes half the time.
    written = moment.replace(tzinfo=None).isoformat()
    return f"{written}.000000Z" if len(written) == 19 else f"{written}Z"


def read_instant(stored: str | dt.datetime) -> dt.datetime:
    """Read a stored moment: the text of SQLite or the ``timestamptz`` of PostgreSQL."""
    if isinstance(stored, str):
        moment = dt.datetime.fromisoformat(stored)
        return moment if moment.tzinfo is dt.UTC else moment.replace(tzinfo=dt.UTC)
    return stored.astimezone(dt.UTC)


def number_text(number: float) -> str:
    """Write a double as its shortest decimal, without an exponent."""
    text = repr(float(number))
    if "e" in text or text.endswith(".0"):
        return decimal_text(number)
    return text


def leaf(entry: bytes) -> bytes:
    """Hash an entry: SHA-256 of a zero byte and its canonical form."""
    return hashlib.sha256(b"\x00" + entry).digest()


def link(previous: bytes, entry_leaf: bytes) -> bytes:
    """Chain a leaf to the hash before it."""
    return hashlib.sha256(b"\x01" + previous + entry_leaf).digest()


def commitment(salt: bytes, text: str) -> str:
    """Commit to a text without showing it: SHA-256 of salt and text, in hexadecimal."""
    return hashlib.sha256(salt + text.encode()).hexdigest()
