"""The tidy table as Parquet: the same rows and columns as CSV, times and bounds typed."""

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting.domain.forecast import decimal_text
from forecasting.domain.instants import iso, utc
from forecasting.errors import InvalidInput
from forecasting.exchange.cells import Reading
from forecasting.exchange.columns import COLUMNS, NUMBERS, NUMERIC, TIMES
from forecasting.exchange.format import Format
from forecasting.exchange.formats.csv import MOST_IN_A_CELL
from forecasting.exchange.formats.csv import read as read_csv
from forecasting.exchange.record import Record
from forecasting.exchange.source import Head, Source
from forecasting.exchange.text_file import MOST_ROWS
from forecasting.files import neutral, restored

if TYPE_CHECKING:
    import pyarrow as pa

MAGIC = b"PAR1"
_ROWS = 50_000


def looks_like(head: Head) -> bool:
    """Recognise Parquet."""
    return head.start.startswith(MAGIC)


def read(source: Source, reading: Reading) -> Iterator[Record]:
    """Give what each row states; the first row of the table is line 2, as in CSV."""
    if not source.content.startswith(MAGIC):
        msg = f"file ({source.name}): is no Parquet file"
        raise InvalidInput(msg, hint=f"forecast import {source.name}")
    table = Source(source.name, as_csv(source.content, source.name))
    yield from read_csv(table, reading)


def _schema() -> "pa.Schema":
    import pyarrow as pa

    kinds = dict.fromkeys(COLUMNS, pa.string())
    kinds |= dict.fromkeys(TIMES, pa.timestamp("us", tz="UTC"))
    kinds |= dict.fromkeys(NUMBERS, pa.float64())
    return pa.schema(list(kinds.items()))


def write_parquet(lines: Iterable[str], out: Path) -> int:
    """Write the lines of :func:`.csv.write_csv` as Parquet; give how many rows there are."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    csv.field_size_limit(MOST_IN_A_CELL)
    rows = csv.reader(lines)
    next(rows)
    schema, count = _schema(), 0
    with pq.ParquetWriter(str(out), schema, compression="zstd") as writer:
        for some in batched(rows, _ROWS):
            count += len(some)
            columns = [
                pa.array([_typed(name, cell) for cell in cells], type=schema.field(name).type)
                for name, cells in zip(COLUMNS, zip(*some, strict=True), strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
    return count


def _typed(name: str, cell: str) -> Any:
    if not cell:
        return None
    if name in TIMES:
        return dt.datetime.fromisoformat(cell)
    if name in NUMBERS:
        return float(cell)
    # No spreadsheet reads it: text stands as it is.
    return cell if name in NUMERIC else restored(cell)


def as_csv(content: bytes, name: str) -> bytes:
    """Give a Parquet table as the bytes of a CSV table, times and numbers written exactly."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        if file.metadata.num_rows > MOST_ROWS:
            raise InvalidInput(f"file ({name}): more than {MOST_ROWS:,} rows", hint="split it")
        names = file.schema_arrow.names
        writer.writerow(names)
        for batch in file.iter_batches(batch_size=_ROWS):
            columns = [batch.column(place).to_pylist() for place in range(len(names))]
            for row in zip(*columns, strict=True):
                writer.writerow(list(map(_cell, names, row)))
    except (pa.ArrowException, OSError, ValueError, TypeError) as broken:
        msg = f"file ({name}): is a Parquet file that is damaged or cut off"
        raise InvalidInput(msg, hint="write it again") from broken
    return out.getvalue().encode()


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return iso(utc(value)) if value.tzinfo else value.isoformat()
    if isinstance(value, bool | dt.date):
        return str(value)
    if isinstance(value, float | int):
        return decimal_text(value)
    if not isinstance(value, str):
        raise TypeError(f"column ({name}): holds no plain values")
    return value if name in NUMERIC else neutral(value)


FORMAT = Format(
    name="parquet",
    what="a Parquet table with a row a forecast",
    looks_like=looks_like,
    read=read,
    own=True,
)
