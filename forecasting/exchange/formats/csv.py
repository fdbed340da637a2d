"""Our own table, or any spreadsheet with a row a forecast; see the README of the package."""

from collections.abc import Iterator

from forecasting.errors import InvalidInput
from forecasting.exchange import csv_read
from forecasting.exchange.columns import recognised
from forecasting.exchange.format import Format
from forecasting.exchange.record import Record
from forecasting.exchange.source import Head, Source
from forecasting.exchange.stated import Reading


def looks_like(head: Head) -> bool:
    """Recognise a table with a column of forecasts and one of their moments."""
    if len(head.columns) < 2:
        return False
    try:
        names = recognised(head.columns, {}).names
    except InvalidInput:
        return False
    return {"forecast", "issued_at"} <= set(names) and bool({"question", "title"} & set(names))


def read(source: Source, reading: Reading) -> Iterator[Record]:
    """Give what each row states."""
    return csv_read.records(source.content, name=source.name, reading=reading)


FORMAT = Format(
    name="csv", what="a table with a row a forecast", looks_like=looks_like, read=read, own=True
)
