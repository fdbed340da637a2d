"""Our own table as Parquet, or another with its columns; see the README of the package."""

from collections.abc import Iterator

from forecasting.errors import InvalidInput
from forecasting.exchange import csv_read
from forecasting.exchange.format import Format
from forecasting.exchange.parquet import MAGIC, as_csv
from forecasting.exchange.record import Record
from forecasting.exchange.source import Head, Source
from forecasting.exchange.stated import Reading


def looks_like(head: Head) -> bool:
    """Recognise Parquet."""
    return head.start.startswith(MAGIC)


def read(source: Source, reading: Reading) -> Iterator[Record]:
    """Give what each row states; the first row of the table is line 2, as in CSV."""
    if not source.content.startswith(MAGIC):
        msg = f"file ({source.name}): is no Parquet file"
        raise InvalidInput(msg, hint=f"forecast import {source.name}")
    yield from csv_read.records(
        as_csv(source.content, source.name), name=source.name, reading=reading
    )


FORMAT = Format(
    name="parquet",
    what="a Parquet table with a row a forecast",
    looks_like=looks_like,
    read=read,
    own=True,
)
