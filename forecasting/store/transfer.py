"""Whole ledgers as lines of text and back, and many drafts in one transaction.

A line holds an entry exactly as it is hashed, and beside it the hash and what the form leaves out:
the salt and the text of a rationale. Whoever has the lines can work the chain out without this
program. Into an empty ledger, or one that holds their beginning, they go as they are.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import batched, groupby
from json.encoder import encode_basestring
from typing import Any, NamedTuple, cast

from sqlalchemy import REAL, Column, Connection, Integer, Table, Text, select, type_coerce

from forecasting.domain import Imported, Value
from forecasting.domain.forecast import ForecastRow, kind_named
from forecasting.domain.instants import parse_instant, utc
from forecasting.errors import DatabaseUnusable, InvalidInput
from forecasting.store import migrate
from forecasting.store.canonical import (
    FIRST,
    VERSION,
    clean,
    dumps,
    instant_text,
    leaf,
    link,
    loads,
)
from forecasting.store.entries import Draft, Entry, check_value, prepare, write
from forecasting.store.ledger import Ledger, append
from forecasting.store.ledger import record as record_entries
from forecasting.store.read import Head, read_head, without_dropped
from forecasting.store.tables import DETAILS, Data, Instant, evidence_effect, forecast, rationale
from forecasting.store.verify import _Bad, _walk, verify

#: Numbers of a ledger's own, which mean nothing in another.
_OWN_NUMBERS = ("model_run", "sealed", "evidence_head", "seal_salt", "commitment")
_BATCH = 5000
_BESIDE = ("hash", "salt", "because")


class Whole(NamedTuple):
    """What the first line of an exported ledger says of the rest."""

    entries: int
    head: str


def export(ledger: Ledger) -> Iterator[str]:
    """Give a whole ledger as lines of canonical JSON: what it is, then every entry."""
    with ledger.reading() as connection:
        head = read_head(connection)[0]
        first = {
            "kind": "ledger",
            "v": VERSION,
            "entries": head.seq,
            "head": head.hash,
            "schema": migrate.HEAD,
            "tool": ledger.tool,
        }
        yield dumps(first).decode()
        yield from map(_as_line, _every(connection, head.seq))


def _every(connection: Connection, last: int) -> Iterator[Entry]:
    try:
        yield from _walk(connection, last)
    except _Bad as bad:
        raise DatabaseUnusable(f"entry ({bad.seq}): {bad.reason}", hint="forecast verify") from bad


def _as_line(entry: Entry) -> str:
    form = entry.canonical.decode()
    beside: dict[str, str] = {"hash": entry.hash}
    if entry.because is not None and entry.salt is not None:
        beside |= {"salt": entry.salt, "because": entry.because}
    return f"{form[:-1]},{dumps(beside).decode()[1:]}"


def whole(record: Mapping[str, Any], where: str) -> Whole:
    """Read the first line of an exported ledger."""
    entries, head = record.get("entries"), record.get("head")
    if record.get("v") != VERSION:
        msg = f"ledger (version {str(record.get('v'))[:20]}): this program reads {VERSION}"
        raise InvalidInput(msg, hint="a newer version of this program", where=where)
    if type(entries) is not int or entries < 0 or not isinstance(head, str):
        msg = "ledger: must say its entries and its head"
        raise InvalidInput(msg, hint="forecast export jsonl", where=where)
    return Whole(entries, head)


def chained(
    records: Iterable[tuple[int, Mapping[str, Any]]], declared: Whole, name: str
) -> Iterator[Entry]:
    """Give the entries of an exported ledger, each held to its hash and to the one before it."""
    previous, seq, number = FIRST, 0, 1
    for number, record in records:
        try:
            entry = _entry_of_line(record, number)
            form = entry.canonical
        except (KeyError, ValueError, TypeError, AttributeError, ArithmeticError) as broken:
            cause = f"{broken.args[0]}" if broken.args else type(broken).__name__
            msg = (
                f"entry ({str(record.get('seq'))[:20]}): was not written by this program "
                f"({cause[:80]})"
            )
            hint = "a whole export, by a version of this program no newer than this one"
            raise InvalidInput(msg, hint=hint, where=f"{name}:{number}") from broken
        seq += 1
        entry_leaf = leaf(form)
        previous = link(previous, entry_leaf)
        if entry.seq != seq or entry.hash != previous.hex():
            msg = f"entry ({entry.seq}): its hash does not follow from the lines before it"
            raise InvalidInput(msg, hint="the export as it was written", where=f"{name}:{number}")
        yield replace(entry, leaf=entry_leaf.hex())
    if Whole(seq, previous.hex()) != declared:
        msg = f"ledger: {declared.entries} entries were written, and {seq} are here"
        raise InvalidInput(msg, hint="the export as it was written", where=f"{name}:{number}")


def _entry_of_line(record: Mapping[str, Any], number: int) -> Entry:
    kind, stored = record["kind"], dict(record["body"])
    more = set(record) - {"body", "kind", "recorded_at", "seq", "tool", "v", *_BESIDE}
    if kind not in DETAILS or record["v"] != VERSION or more:
        raise ValueError(f"kind {kind}")
    seq, recorded_at = _whole_number(record["seq"]), parse_instant(record["recorded_at"])
    if instant_text(recorded_at) != record["recorded_at"]:
        raise ValueError(f"time {record['recorded_at']}")
    effects: list[dict[str, Any]] = []
    if kind == "evidence":
        effects = [
            _row(evidence_effect, effect) | {"seq": seq, "position": position}
            for position, effect in enumerate(stored.pop("effects"))
        ]
    row = _row(DETAILS[kind], stored) | {"seq": seq}
    if kind == "forecast" and row["shape"] == "binary":
        row["probability"] = float(row["entered"][0])
    if kind == "evidence":
        row["effects"] = len(effects)
    return Entry(
        line=number,
        seq=seq,
        kind=kind,
        recorded_at=recorded_at,
        tool=record["tool"],
        hash=record["hash"],
        row=row,
        effects=effects,
        salt=_text(record["salt"]) if "salt" in record else None,
        because=_text(record["because"]) if "because" in record else None,
    )


def _row(table: Table, stored: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := set(stored) - set(table.columns.keys()):
        raise ValueError(f"{table.name} has no {min(unknown)}")
    return {
        column.name: None if (value := stored.get(column.name)) is None else _value(column, value)
        for column in table.columns
    }


def _value(column: Column[Any], value: Any) -> Any:
    if isinstance(column.type, Instant):
        return parse_instant(value)
    if isinstance(column.type, Data):
        return value
    if isinstance(column.type, Integer):
        return _whole_number(value)
    return float(_text(value)) if isinstance(column.type, REAL) else _text(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("something else where a text stands")
    return value


def _whole_number(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("a number that is not whole")
    return value


def restore_lines(ledger: Ledger, lines: Iterable[Entry], *, after: int) -> int:
    """Record entries after the first `after` as they are; give how many."""
    added = 0
    with ledger.writing() as connection:
        here = read_head(connection)[0]
        if here.seq != after:
            msg = f"database ({ledger.where}): another program wrote to it meanwhile"
            raise InvalidInput(msg, hint="the same command again")
        for batch in batched((one for one in lines if one.seq > after), _BATCH):
            record_entries(
                connection, [(one, write(one.kind, one.row, one.effects)) for one in batch]
            )
            added += len(batch)
        verification = verify(connection)
        if not verification.ok:
            msg = f"entry ({verification.first_bad}): {verification.reason}; nothing was written"
            raise InvalidInput(msg, hint="the export as it was written")
    return added


def record(
    ledger: Ledger,
    drafts: Iterable[Draft],
    *,
    recorded_at: dt.datetime,
    head: Head,
    progress: Callable[[int], object] = bool,
) -> bool:
    """Record drafts in one transaction; False, and nothing, where the ledger has grown."""
    with ledger.writing() as connection:
        here, last = read_head(connection)
        if here != head:
            return False
        moment = max(utc(recorded_at), last or utc(recorded_at))
        plain = Plain() if connection.dialect.paramstyle == "qmark" else None
        # The kinds of a track record come one after the other; most of it is plain forecasts.
        for simple, some in groupby(drafts, plain.takes if plain else lambda _: False):
            for batch in batched(some, _BATCH):
                progress(here.seq - head.seq)
                if simple and plain:
                    here = plain.append(
                        connection,
                        cast("tuple[Imported, ...]", batch),
                        head=here,
                        moment=moment,
                        tool=ledger.tool,
                    )
                    continue
                prepared = [prepare(draft) for draft in batch]
                done = append(connection, prepared, recorded_at=moment, tool=ledger.tool)
                here = Head(done[-1].seq, done[-1].hash)
    return True


def forecast_rows(ledger: Ledger, *, without: Collection[int] = ()) -> Iterator[ForecastRow]:
    """Give every forecast but replays and `without`, by question, time and forecaster."""
    columns = [getattr(forecast.c, name) for name in ForecastRow._fields[:-1]]
    statement = (
        select(*columns, rationale.c.text, forecast.c.seq)
        .select_from(forecast.outerjoin(rationale, rationale.c.seq == forecast.c.seq))
        .where(forecast.c.kind != "replay", *without_dropped(forecast, None))
        .order_by(forecast.c.question, forecast.c.issued_at, forecast.c.forecaster, forecast.c.seq)
    )
    with ledger.reading() as connection:
        for row in connection.execution_options(yield_per=_BATCH).execute(statement):
            if row[8] in without:
                continue
            labels, entered = tuple(row[3]), tuple(row[4])
            yield ForecastRow(
                *row[:2], kind_named(row[2]), labels, entered, *row[5:7], row[7] or ""
            )


def values_by_moment(ledger: Ledger) -> dict[tuple[str, str, dt.datetime], tuple[Any, Any]]:
    """Give labels and decimals of what :func:`forecast_rows` gives, by question, who and when."""
    names = ("question", "forecaster", "issued_at")
    written = (type_coerce(forecast.c[name], Text) for name in ("labels", "entered"))
    statement = select(*(forecast.c[name] for name in names), *written)
    same: dict[str, str] = {}
    with ledger.reading() as connection:
        rows = connection.execution_options(yield_per=_BATCH).execute(
            statement.where(forecast.c.kind != "replay", *without_dropped(forecast, None))
        )
        return {
            (same.setdefault(question, question), same.setdefault(who, who), at): _read(
                labels, entered
            )
            for question, who, at, labels, entered in rows
        }


@lru_cache(maxsize=65536)
def _read(labels: str, entered: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(loads(labels)), tuple(loads(entered))


def record_digest(ledger: Ledger) -> str:
    """Digest what entries say, without their numbers: SHA-256 over their sorted digests."""
    digests = []
    with ledger.reading() as connection:
        for entry in _every(connection, read_head(connection)[0].seq):
            form = entry.body
            if form.get("subject") == "import":
                # In which parts a record was imported is no part of its content.
                continue
            if form.get("commitment") is not None:
                form["because"] = entry.because
            for name in _OWN_NUMBERS:
                form.pop(name, None)
            content = dumps({"kind": entry.kind, "body": form})
            digests.append(hashlib.sha256(content).digest())
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()


_ENTRIES = (
    "INSERT INTO entry (seq, leaf, hash, kind, recorded_at, tool)"
    " VALUES (?, ?, ?, 'forecast', '{}', '{}')"
)
_FORECASTS = (
    "INSERT INTO forecast (seq, question, question_hash, forecaster, shape, labels, entered,"
    " probability, stated, issued_at, kind, run, claim, gate, meta)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'imported', '', '', '', '{}')"
)
#: How many different values are remembered at once.
_MOST = 50_000


class Plain:
    """A writer of many plain forecasts: the same entries as :mod:`.ledger` records, sooner."""

    def __init__(self) -> None:
        self._values: dict[int, tuple[str, str, str, tuple[Any, ...]]] = {}
        self._alive: list[Value] = []

    def takes(self, draft: object) -> bool:
        """Whether a draft is a forecast with nothing about it but who, what, when and how much."""
        return type(draft) is Imported and not draft.because

    def append(
        self,
        connection: Connection,
        drafts: Sequence[Imported],
        *,
        head: Head,
        moment: dt.datetime,
        tool: str,
    ) -> Head:
        """Insert forecasts after a head, in the caller's write transaction; give the new head."""
        written = instant_text(moment)
        begins = '\0{"body":{"claim":"","entered":'
        middle = f'}},"kind":"forecast","recorded_at":"{written}","seq":'
        ends = f',"tool":{encode_basestring(tool)},"v":{VERSION}}}'
        sha, previous, seq = hashlib.sha256, bytes.fromhex(head.hash), head.seq
        entries: list[tuple[Any, ...]] = []
        rows: list[tuple[Any, ...]] = []
        text, known = _quoted, self._values
        for question, digest, forecaster, value, issued_at, _ in drafts:
            seq += 1
            # Equal forecasts of an import are one object, so its place in memory finds it.
            entered, labels, shape, bound = known.get(id(value)) or self._value(value)
            question, quoted_question = text(question)
            forecaster, quoted_forecaster = text(forecaster)
            at = instant_text(issued_at)
            leaf = sha(
                f'{begins}{entered},"forecaster":{quoted_forecaster},"gate":"","issued_at":"{at}"'
                f'{labels}{quoted_question},"question_hash":"{digest}"{shape}{middle}{seq}{ends}'
                .encode()
            ).digest()  # fmt: skip
            previous = sha(b"\x01" + previous + leaf).digest()
            entries.append((seq, leaf.hex(), previous.hex()))
            rows.append((seq, question, digest, forecaster, *bound, at))
        plain = (text.replace("'", "''") for text in (written, tool))
        connection.exec_driver_sql(_ENTRIES.format(*plain), entries)
        connection.exec_driver_sql(_FORECASTS, rows)
        return Head(seq, previous.hex())

    def _value(self, value: Value) -> tuple[str, str, str, tuple[Any, ...]]:
        """Give a value as it is written in the form that is hashed, in its parts, and as bound."""
        check_value(value)
        labels = dumps([clean(label, name="label") for label in value.labels]).decode()
        entered = dumps(list(value.entered)).decode()
        stated = clean(value.stated, name="stated")
        if len(self._values) > _MOST:
            self._values.clear()
            self._alive.clear()
        # Kept alive, so that no other value takes its place.
        self._alive.append(value)
        written = self._values[id(value)] = (
            entered,
            f',"kind":"imported","labels":{labels},"meta":{{}},"question":',
            f',"run":"","shape":"{value.shape}","stated":{encode_basestring(stated)}',
            (value.shape, labels, entered, value.probability, stated),
        )
        return written


@lru_cache(maxsize=65536)
def _quoted(text: str) -> tuple[str, str]:
    """Give a text as it is stored, and as it is written in the form that is hashed."""
    stored = clean(text, name="forecast")
    return stored, encode_basestring(stored)
