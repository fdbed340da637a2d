"""Our own stream of records, one JSON object a line; see the README of the package."""

from collections.abc import Iterator

from forecasting.exchange import jsonl_read
from forecasting.exchange.format import Format
from forecasting.exchange.record import Record
from forecasting.exchange.source import Head, Source
from forecasting.exchange.stated import Reading


def looks_like(head: Head) -> bool:
    """Recognise records that say their kind, an object a line."""
    first = head.start.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0]
    return first.startswith(b"{") and "kind" in head.keys and bool(
        {"question", "ledger", "entries", "title"} & head.keys
    )  # fmt: skip


def read(source: Source, reading: Reading) -> Iterator[Record]:
    """Give what each record states."""
    return jsonl_read.stated(source.content, name=source.name, reading=reading)


FORMAT = Format(
    name="jsonl", what="JSON lines of this tool", looks_like=looks_like, read=read, own=True
)
