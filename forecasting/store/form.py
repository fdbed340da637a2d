"""A row to the body that is hashed.

The same functions serve the writer, from the rows that it is about to insert, and the verifier,
from the rows that it finds: there is no second copy of an entry that could disagree.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from json.encoder import encode_basestring
from typing import Any, NamedTuple

from sqlalchemy import REAL, Column, Table, Text

from forecasting.store.canonical import VERSION, dumps, instant_text, number_text
from forecasting.store.tables import DETAILS, Data, Instant, evidence_effect

type Body = dict[str, Any]
type Row = Mapping[str, Any]

# RFC 8785 in pure Python takes about 100 microseconds for an entry. All that varies in an entry
# are texts, whole numbers and data, so it is put together here from parts in their sorted order; a
# test holds it to what RFC 8785 says.
_quote: Callable[[str], str] = encode_basestring


class _How(Enum):
    TEXT = auto()
    INSTANT = auto()
    NUMBER = auto()
    WHOLE = auto()
    DATA = auto()
    #: Kept beside the entry's form, not in it.
    APART = auto()
    EFFECTS = auto()


_ORDER = (_How.TEXT, _How.APART, _How.INSTANT, _How.DATA, _How.NUMBER, _How.WHOLE)


class _Part(NamedTuple):
    name: str
    position: int
    label: str
    how: _How


class Written(NamedTuple):
    """A row as it is hashed and as SQLite stores it."""

    body: str
    bound: list[Any]
    effects: list[list[Any]]


def _how(column: Column[Any]) -> _How:
    if column.name in {"seq", "position"} or column.info.get("derived"):
        return _How.EFFECTS if column.name == "effects" else _How.APART
    if isinstance(column.type, Instant):
        return _How.INSTANT
    if isinstance(column.type, Data):
        return _How.DATA
    if isinstance(column.type, REAL):
        return _How.NUMBER
    return _How.TEXT if isinstance(column.type, Text) else _How.WHOLE


def _parts(table: Table) -> list[_Part]:
    """Give the columns in the order of the canonical form."""
    return sorted(
        _Part(column.name, position, f'"{column.name}":', _how(column))
        for position, column in enumerate(table.columns)
    )


_PARTS = {kind: _parts(table) for kind, table in DETAILS.items()}
_EFFECT = _parts(evidence_effect)
#: What a forecast has only once it is revealed.
_OF_THE_SEAL = {"sealed", "seal_salt"}


def body(kind: str, row: Row, effects: Sequence[Row] = ()) -> Body:
    """Give the hashed fields of an entry of a kind; what is NULL is left out."""
    form = _fields(_PARTS[kind], row)
    if kind == "evidence":
        form["effects"] = [_fields(_EFFECT, effect) for effect in effects]
    return form


def _fields(parts: list[_Part], row: Row) -> Body:
    convert: dict[_How, Callable[[Any], str]] = {
        _How.INSTANT: instant_text,
        _How.NUMBER: number_text,
    }
    return {
        name: convert[how](value) if how in convert else value
        for name, _, _, how in parts
        if how not in {_How.APART, _How.EFFECTS} and (value := row[name]) is not None
    }


def write(kind: str, row: Row, effects: Sequence[Row] = ()) -> Written:
    """Write the body of an entry canonically, and the row's values as SQLite binds them."""
    if not effects:
        return Written(*_write(_PARTS[kind], row), [])
    below = [_write(_EFFECT, effect) for effect in effects]
    listed = ",".join([f"{{{form}}}" for form, _ in below])
    form, bound = _write(_PARTS[kind], row, listed)
    return Written(form, bound, [values for _, values in below])


def _write(parts: list[_Part], row: Row, listed: str = "") -> tuple[str, list[Any]]:
    bound: list[Any] = [None] * len(parts)
    written: list[str] = []
    # Bound to local names, for this loop is a third of what recording an entry costs.
    text, apart, instant, data, number, whole = _ORDER
    quote, add = _quote, written.append
    for name, position, label, how in parts:
        value = row[name]
        if value is None:
            continue
        if how is text:
            add(label + quote(value))
        elif how is instant:
            value = instant_text(value)
            add(f'{label}"{value}"')
        elif how is data:
            value = dumps(value).decode()
            add(label + value)
        elif how is number:
            add(f'{label}"{number_text(value)}"')
        elif how is whole:
            add(f"{label}{value:d}")
        elif how is not apart:
            add(f"{label}[{listed}]")
        bound[position] = value
    return ",".join(written), bound


def around(body: str, *, kind: str, seq: int, recorded_at: str, tool: str) -> bytes:
    """Put the entry around a written body: the bytes whose hash is the leaf."""
    return (
        f'{{"body":{{{body}}},"kind":"{kind}","recorded_at":"{recorded_at}",'
        f'"seq":{seq},"tool":{_quote(tool)},"v":{VERSION}}}'
    ).encode()


def seal_commitment(salt: str, body: Body) -> str:
    r"""Commit to a forecast before it is shown, in hexadecimal.

    .. math:: \mathrm{SHA256}(00 \,\|\, salt \,\|\, body),

    with 32 random bytes of salt, since a probability has about a hundred likely values and could
    else be found by trying them. The body is that of the forecast's entry, without the number and
    the salt of the seal; of the rationale it holds the commitment, so a seal can be checked after
    the rationale was redacted.

    Examples
    --------
    >>> one = seal_commitment("00" * 32, {"entered": ["0.9"], "sealed": 7, "seal_salt": "00" * 32})
    >>> one == seal_commitment("00" * 32, {"entered": ["0.9"]})
    True
    >>> one == seal_commitment("00" * 32, {"entered": ["0.1"]})
    False
    """
    fixed = {name: value for name, value in body.items() if name not in _OF_THE_SEAL}
    return hashlib.sha256(b"\x00" + bytes.fromhex(salt) + dumps(fixed)).hexdigest()


def canonical_entry(
    kind: str,
    row: Row,
    effects: Sequence[Row] = (),
    *,
    seq: int,
    recorded_at: str,
    tool: str,
) -> bytes:
    """Write the entry of a row canonically: the bytes whose hash is the leaf."""
    written = write(kind, row, effects)
    return around(written.body, kind=kind, seq=seq, recorded_at=recorded_at, tool=tool)
