"""A row to the body that is hashed.

The same function serves the writer, from the rows that it is about to insert, and the verifier,
from the rows that it finds: there is no second copy of an entry that could disagree.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import REAL, Table

from forecasting.store.canonical import entry_bytes, instant_text, number_text
from forecasting.store.tables import DETAILS, Instant, evidence_effect

type Body = dict[str, Any]


def _writers(table: Table) -> list[tuple[str, Callable[[Any], Any] | None]]:
    columns = [
        column
        for column in table.columns
        if column.name not in {"seq", "position"} and not column.info.get("derived")
    ]
    return [
        (
            column.name,
            instant_text
            if isinstance(column.type, Instant)
            else number_text
            if isinstance(column.type, REAL)
            else None,
        )
        # In the order of the canonical form, so that its sort has nothing to do.
        for column in sorted(columns, key=lambda column: column.name)
    ]


_BODY = {kind: _writers(table) for kind, table in DETAILS.items()}
_EFFECT = _writers(evidence_effect)


def body(kind: str, row: Mapping[str, Any], effects: Sequence[Mapping[str, Any]] = ()) -> Body:
    """Give the hashed fields of an entry of a kind; what is NULL is left out."""
    form = _written(_BODY[kind], row)
    if kind == "evidence":
        form["effects"] = [_written(_EFFECT, effect) for effect in effects]
    return form


def canonical_entry(
    kind: str,
    row: Mapping[str, Any],
    effects: Sequence[Mapping[str, Any]] = (),
    *,
    seq: int,
    recorded_at: str,
    tool: str,
) -> bytes:
    """Write the entry of a row canonically: the bytes whose hash is the leaf."""
    return entry_bytes(
        body(kind, row, effects),
        kind=kind,
        seq=seq,
        recorded_at=recorded_at,
        tool=tool,
        # Neither floats nor keys of free text in these bodies, so the C encoder may write them.
        fast=kind in {"resolution", "withdrawal"} or (kind == "forecast" and not row["meta"]),
    )


def _written(
    writers: list[tuple[str, Callable[[Any], Any] | None]], row: Mapping[str, Any]
) -> Body:
    return {
        name: value if write is None else write(value)
        for name, write in writers
        if (value := row[name]) is not None
    }
