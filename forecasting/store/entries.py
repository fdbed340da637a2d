"""An entry of the ledger: made of a domain value, as the bytes that are hashed, and back.

How a value lies in its table is read off the value's fields and the table's columns, once for both
directions. The same bytes serve the writer, from the row that it is about to insert, and the
verifier, from the row that it finds: there is no second copy of an entry that could disagree.
"""

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum, auto
from functools import lru_cache, partial
from json.encoder import encode_basestring
from math import fsum
from types import NoneType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from sqlalchemy import REAL, Column, Integer, Table

from forecasting.domain import (
    Effect,
    Evidence,
    Forecast,
    Imported,
    OutcomeSpace,
    Question,
    Redaction,
    Resolution,
    Reveal,
    Sealed,
    Value,
    Withdrawal,
)
from forecasting.domain.forecast import STORED_KINDS, SUM_TOLERANCE, kind_named
from forecasting.domain.instants import utc
from forecasting.domain.provenance import ModelRun, ReplayMark, plain
from forecasting.domain.setup import Setup
from forecasting.domain.watch import Watch
from forecasting.errors import InvalidInput
from forecasting.store.canonical import (
    VERSION,
    clean,
    clean_data,
    commitment,
    dumps,
    instant_text,
    number_text,
)
from forecasting.store.tables import DETAILS, HASHED, Data, Instant, evidence_effect

#: What the ledger gives back, in the order of its tables; a reveal is recorded as the forecast that
#: it shows.
type Stored = (
    Question
    | ModelRun
    | ReplayMark
    | Sealed
    | Forecast
    | Evidence
    | Resolution
    | Withdrawal
    | Redaction
    | Watch
    | Setup
)
type Draft = Stored | Reveal | Imported
type Row = Mapping[str, Any]

_CLASSES: dict[str, type] = dict(zip(DETAILS, get_args(Stored.__value__), strict=True))
_KINDS = {of: kind for kind, of in _CLASSES.items()}
#: Fields whose values are the entry's own and stand in no column of its row.
_OF_THE_ENTRY = {"seq", "recorded_at", "hash"}
_RENAMED: dict[tuple[type, str], str] = {(Question, "id"): "question"}
_OF_THE_SEAL = {"sealed", "seal_salt"}
_DECIMAL = re.compile(r"-?(\d+(\.\d*)?|\.\d+)")
# RFC 8785 in pure Python takes about 100 microseconds for an entry. All that varies in an entry
# are texts, whole numbers and data, so it is put together here from parts in their sorted order; a
# test holds it to what RFC 8785 says.
_quote: Callable[[str], str] = encode_basestring


class _How(Enum):
    TEXT = auto()
    #: A whole number kept as text, because it may be wider than any integer column.
    DIGITS = auto()
    INSTANT = auto()
    NUMBER = auto()
    WHOLE = auto()
    DATA = auto()
    #: Kept beside the entry's form, not in it.
    APART = auto()
    EFFECTS = auto()


class _Part(NamedTuple):
    """A column in the form that is hashed."""

    name: str
    position: int
    label: str
    how: _How


class _Put(NamedTuple):
    """An attribute of a value and the column that it goes into."""

    column: str
    attribute: str
    how: _How
    or_null: bool


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the values of one class lie in the columns of a table."""

    #: The class; one space for all questions with the same options, for a ledger may hold 10,000.
    of: Callable[..., Any]
    puts: tuple[_Put, ...]
    #: The field, its column and how the column's value becomes the field's, where it is not as is.
    takes: tuple[tuple[str, str, Callable[[Any], Any] | None], ...]
    #: Fields whose own fields are columns of the same table; None is NULL in all of them.
    below: tuple[tuple[str, "_Layout"], ...]
    columns: tuple[str, ...]

    def row(self, value: object, into: dict[str, Any]) -> None:
        """Put a value into a row; what no row may hold is refused."""
        for column, attribute, how, or_null in self.puts:
            cell: Any = getattr(value, attribute)
            if cell is None:
                pass
            elif how is _How.TEXT:
                # What `clean` gives back as it is, without a call for each of it.
                if not cell.isascii() or "\0" in cell:
                    cell = clean(cell, name=column)
                cell = cell or None if or_null else cell
            elif how is _How.INSTANT:
                cell = utc(cell)
            elif how is _How.NUMBER:
                cell = float(cell)
                if cell - cell != 0.0:  # NaN and both infinities; a NaN would be stored as NULL
                    raise InvalidInput(f"{column} ({cell}): must be a finite number")
            elif how is _How.WHOLE:
                cell = int(cell)
            elif how is _How.DIGITS:
                cell = str(int(cell))
            else:
                if type(cell) is not tuple:
                    cell = clean_data(_plain(cell), name=column) if cell else {}
                elif (joined := "".join(cell)).isascii() and "\0" not in joined:
                    cell = [*cell]
                else:
                    cell = clean_data(cell, name=column)
            into[column] = cell
        for name, part in self.below:
            inner = getattr(value, name)
            if inner is None:
                into.update(dict.fromkeys(part.columns))
            else:
                part.row(inner, into)

    def value(self, row: Row, **more: Any) -> Any:
        """Give the value that a row holds; `more` are fields that are not in the row."""
        for name, column, take in self.takes:
            cell = row[column]
            if take is str:  # An empty text is NULL where the column may be.
                more[name] = cell or ""
            else:
                more[name] = cell if take is None else take(cell)
        for name, part in self.below:
            more[name] = None
            for column in part.columns:
                if row[column] is not None:
                    more[name] = part.value(row)
                    break
        return self.of(**more)


def _layout(of: type, table: Table, prefix: str = "") -> _Layout:
    hints = get_type_hints(of)
    puts, takes, below = [], [], []
    for one in fields(of):
        bare: Any = _bare(hints[one.name])
        names = (prefix + one.name, _RENAMED.get((of, one.name), one.name))
        column = next((table.c[name] for name in names if name in table.c), None)
        if one.name in _OF_THE_ENTRY:
            continue
        if column is not None and not column.info.get("derived"):
            how = _how(column, bare)
            # A text that may be empty: any text, or one of some words and none.
            empty = hints[one.name] is str or "" in get_args(hints[one.name])
            or_null = bool(column.nullable) and empty
            puts.append(_Put(column.name, one.name, how, or_null))
            take = str if or_null else _converter(bare, how)
            stored = of is Forecast and one.name == "kind"
            takes.append((one.name, column.name, kind_named if stored else take))
        elif isinstance(bare, type) and is_dataclass(bare):
            below.append((one.name, _layout(bare, table, f"{one.name}_")))
    of_fields = {put.column for put in puts} | {name for _, part in below for name in part.columns}
    puts += [
        # Derived from the fields, and kept for whoever asks the database.
        _Put(column.name, column.name, _how(column, str), or_null=False)
        for column in table.columns
        if column.name not in of_fields and isinstance(getattr(of, column.name, None), property)
    ]
    own = [put.column for put in puts]
    columns = (*own, *(column for _, part in below for column in part.columns))
    make = lru_cache(4096)(of) if of is OutcomeSpace else of
    return _Layout(make, tuple(puts), tuple(takes), tuple(below), columns)


def _bare(hint: Any) -> Any:
    """Give a hint without its None."""
    rest = [part for part in get_args(hint) if part is not NoneType]
    return rest[0] if len(rest) == 1 and NoneType in get_args(hint) else hint


def _how(column: Column[Any], hint: Any) -> _How:
    if isinstance(column.type, Instant):
        return _How.INSTANT
    if isinstance(column.type, Data):
        return _How.DATA
    if isinstance(column.type, REAL):
        return _How.NUMBER
    if isinstance(column.type, Integer):
        return _How.WHOLE
    return _How.DIGITS if hint is int else _How.TEXT


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        value = {one.name: getattr(value, one.name) for one in fields(value)}
    return plain(value)


def _converter(hint: Any, how: _How) -> Callable[[Any], Any] | None:
    """Give what turns decoded data into the value of a field; None where it is that already."""
    if how is _How.DIGITS:
        return int
    if how is not _How.DATA:
        return None
    if isinstance(hint, type) and is_dataclass(hint):
        inner = [(name, name, _converter(each, how)) for name, each in get_type_hints(hint).items()]
        return _Layout(hint, (), tuple(inner), (), ()).value
    if get_origin(hint) is tuple:
        return tuple
    values_hint = next(iter(get_args(hint)[1:]), None)
    if get_origin(values_hint) is tuple:
        return _tuples
    return partial(_tuples, whole=False) if float in get_args(values_hint) else None


def _tuples(data: Mapping[str, Any], *, whole: bool = True) -> dict[str, Any]:
    """Give decoded data as the domain types it: lists as tuples; whole numbers as floats or so."""
    return {
        name: tuple(value)
        if isinstance(value, list)
        else float(value)
        if not whole and isinstance(value, int) and not isinstance(value, bool)
        else value
        for name, value in data.items()
    }


def _parts(table: Table) -> list[_Part]:
    """Give the columns in the order of the canonical form."""
    parts = []
    for position, column in enumerate(table.columns):
        how = _how(column, str)
        if column.name in {"seq", "position"} or column.info.get("derived"):
            how = _How.EFFECTS if column.name == "effects" else _How.APART
        parts.append(_Part(column.name, position, f'"{column.name}":', how))
    return sorted(parts)


_LAYOUTS = {kind: _layout(of, DETAILS[kind]) for kind, of in _CLASSES.items()}
_EFFECT = _layout(Effect, evidence_effect)
_PARTS = {table.name: _parts(table) for table in HASHED}
_BESIDE = {
    kind: [one.name for one in fields(of) if one.name in _OF_THE_ENTRY]
    for kind, of in _CLASSES.items()
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: what it holds as a row, and once it is recorded its place in the chain.

    `because` and `salt`, the rationale and what hides it, are None where none is kept; number,
    time, tool and hashes are empty before; `line` is that of the file it was read from, or 0.
    """

    kind: str
    row: Row = field(repr=False, compare=False)
    effects: Sequence[Row] = field(default=(), repr=False, compare=False)
    because: str | None = field(default=None, repr=False, compare=False)
    salt: str | None = field(default=None, repr=False, compare=False)
    seq: int = 0
    recorded_at: dt.datetime = dt.datetime.min
    tool: str = ""
    leaf: str = field(default="", repr=False, compare=False)
    hash: str = ""
    line: int = field(default=0, repr=False, compare=False)

    @property
    def id(self) -> str:
        """The first twelve digits of the hash: the entry's short name."""
        return self.hash[:12]

    @property
    def value(self) -> Stored:
        """The domain value, with its number and time; built anew at each call."""
        more: dict[str, Any] = {name: getattr(self, name) for name in _BESIDE[self.kind]}
        if self.kind == "forecast":
            more["because"] = self.because or ""
        elif self.kind == "evidence":
            more["effects"] = tuple(_EFFECT.value(effect) for effect in self.effects)
        value: Stored = _LAYOUTS[self.kind].value(self.row, **more)
        return value

    @property
    def body(self) -> dict[str, Any]:
        """The hashed fields; what is NULL is left out."""
        form = _fields(_PARTS[self.kind], self.row)
        if self.kind == "evidence":
            form["effects"] = [
                _fields(_PARTS[evidence_effect.name], effect) for effect in self.effects
            ]
        return form

    @property
    def canonical(self) -> bytes:
        """The bytes whose hash is the leaf."""
        written = write(self.kind, self.row, self.effects)
        moment = instant_text(self.recorded_at)
        return around(written.body, self.kind, self.seq, moment, self.tool)


def prepare(draft: Draft) -> Entry:
    """Turn a draft into an entry without a number; what no row may hold is refused."""
    if isinstance(draft, Reveal):
        revealed = _forecast(draft.forecast, because_salt=bytes.fromhex(draft.because_salt))
        opens = {"sealed": int(draft.sealed), "seal_salt": draft.salt}
        return Entry(
            "forecast", {**revealed.row, **opens}, because=revealed.because, salt=revealed.salt
        )
    if isinstance(draft, Forecast | Imported):
        return _forecast(draft if isinstance(draft, Forecast) else draft.forecast)
    kind = _KINDS[type(draft)]
    row: dict[str, Any] = {}
    effects: list[dict[str, Any]] = []
    _LAYOUTS[kind].row(draft, row)
    if isinstance(draft, Question) and clean_data(draft.wording, name="wording") != draft.wording:
        # It would hash otherwise once it is stored.
        msg = f"question ({draft.id}): its options, unit and condition must be Unicode in NFC"
        raise InvalidInput(msg)
    if isinstance(draft, Evidence):
        row["effects"] = len(draft.effects)
        for position, effect in enumerate(draft.effects):
            effects.append({"position": position})
            _EFFECT.row(effect, effects[-1])
    return Entry(kind, row, effects)


def _forecast(draft: Forecast, *, because_salt: bytes = b"") -> Entry:
    check_value(draft.value)
    row: dict[str, Any] = {}
    _LAYOUTS["forecast"].row(draft, row)
    # A forecast opens a seal as a reveal alone.
    row["kind"] = STORED_KINDS.get(draft.kind, draft.kind)
    row |= {"sealed": None, "seal_salt": None, "commitment": None}
    if not draft.because:
        return Entry("forecast", row)
    salt, because = because_salt or secrets.token_bytes(32), clean(draft.because, name="because")
    row["commitment"] = commitment(salt, because)
    return Entry("forecast", row, because=because, salt=salt.hex())


def check_value(value: Value) -> None:
    """Refuse a value that is no forecast: not decimals, outside [0, 1], or not summing to 1."""
    entered = value.entered
    if not entered or None in map(_DECIMAL.fullmatch, entered):
        msg = f"forecast ({', '.join(entered)}): must be plain decimal numbers"
        raise InvalidInput(msg, hint="0.35")
    binary = value.shape == "binary"
    if len(entered) != len(value.labels) or binary != (len(entered) == 1):
        msg = (
            f"forecast ({', '.join(entered)}): needs one number for each of "
            f"{', '.join(value.labels)}"
        )
        raise InvalidInput(msg)
    if value.shape == "quantiles":
        return
    numbers = [float(text) for text in entered]
    if min(numbers) < 0.0 or max(numbers) > 1.0:
        msg = f"forecast ({', '.join(entered)}): a probability must lie from 0 to 1"
        raise InvalidInput(msg, hint="0.35")
    if not binary and abs(fsum(numbers) - 1.0) > SUM_TOLERANCE:
        msg = f"forecast ({', '.join(entered)}): the probabilities of the options must sum to 1"
        raise InvalidInput(msg)


_ORDER = (_How.TEXT, _How.APART, _How.INSTANT, _How.DATA, _How.NUMBER, _How.WHOLE)


class Written(NamedTuple):
    """A row as it is hashed and as SQLite stores it."""

    body: str
    bound: list[Any]
    effects: list[list[Any]]


def write(kind: str, row: Row, effects: Sequence[Row] = ()) -> Written:
    """Write the body of an entry canonically, and the row's values as SQLite binds them."""
    below = [write(evidence_effect.name, effect) for effect in effects]
    parts = _PARTS[kind]
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
            add(f"{label}[{','.join([f'{{{one.body}}}' for one in below])}]")
        bound[position] = value
    return Written(",".join(written), bound, [one.bound for one in below])


def around(body: str, kind: str, seq: int, recorded_at: str, tool: str) -> bytes:
    """Put the entry around a written body: the bytes whose hash is the leaf."""
    return (
        f'{{"body":{{{body}}},"kind":"{kind}","recorded_at":"{recorded_at}",'
        f'"seq":{seq},"tool":{_quote(tool)},"v":{VERSION}}}'
    ).encode()


def _fields(parts: list[_Part], row: Row) -> dict[str, Any]:
    convert: dict[_How, Callable[[Any], str]] = {
        _How.INSTANT: instant_text,
        _How.NUMBER: number_text,
    }
    return {
        name: convert[how](value) if how in convert else value
        for name, _, _, how in parts
        if how not in {_How.APART, _How.EFFECTS} and (value := row[name]) is not None
    }


def seal_commitment(salt: str, body: Mapping[str, Any]) -> str:
    """Commit to a forecast: SHA-256 of 00, the salt (or it could be guessed) and the body."""
    fixed = {name: value for name, value in body.items() if name not in _OF_THE_SEAL}
    return hashlib.sha256(b"\x00" + bytes.fromhex(salt) + dumps(fixed)).hexdigest()
