"""A track record written out: as tables, as the whole ledger, as another platform reads it."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.app.ledger.undone import undone
from forecasting.errors import InvalidInput
from forecasting.exchange.csv_write import write_csv
from forecasting.exchange.fatebook_write import Left, write_fatebook
from forecasting.exchange.layout import schema
from forecasting.exchange.parquet import write_parquet
from forecasting.store import Ledger, transfer

#: The formats that a track record is written in.
WRITTEN = ("csv", "jsonl", "parquet", "fatebook", "schema")


def export_record(
    ledger: Ledger,
    format: str,
    *,
    out: Path | None = None,
    force: bool = False,
    forecaster: str = "",
) -> tuple[Iterator[str], dict[str, Any]]:
    """Give the lines of a track record (none where a file took them), and what is said of them.

    ``jsonl`` is the whole ledger, from which an empty database becomes the same one; ``csv`` and
    ``parquet`` the tidy table of all but replays, with the outcomes that stand; ``fatebook`` the
    sheet that Fatebook imports, of yes-no questions and one account; ``schema`` that of the table.
    """
    if format not in WRITTEN:
        msg = f"format ({format}): must be one of {', '.join(WRITTEN)}"
        raise InvalidInput(msg)
    if format == "parquet" and out is None:
        msg = "out: a Parquet table needs a file"
        raise InvalidInput(msg, hint="out=record.parquet")
    head = ledger.head()
    about: dict[str, Any] = {"format": format, "entries": head.seq, "head": head.hash}
    left = Left()
    lines: Iterator[str]
    match format:
        case "jsonl":
            lines = (f"{line}\n" for line in transfer.export(ledger))
        case "fatebook":
            lines = write_fatebook(_csv(ledger), forecaster, left)
        case "schema":
            lines = iter([json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"])
        case _:
            lines = _csv(ledger)
    if out is None:
        return lines, about
    wrote = _write(lines, out, force=force, parquet=format == "parquet")
    about |= {"file": str(out), "lines": wrote}
    return iter(()), about | ({"left_out": left.count} if format == "fatebook" else {})


def _csv(ledger: Ledger) -> Iterator[str]:
    catalog = Catalog.of(ledger)
    gone = undone(ledger)
    at = {
        (one.question, one.forecaster, one.issued_at)
        for one in (ledger.forecasts(kind="imported") if gone.forecasts else ())
        if one.seq in gone.forecasts
    }
    spoken = (
        one
        for one in transfer.spoken(ledger)
        if not at
        or one.kind != "imported"
        or (one.question, one.forecaster, one.issued_at) not in at
    )
    return write_csv(spoken, gone.withdrawals, catalog.questions, catalog.outcomes)


def _write(lines: Iterable[str], out: Path, *, force: bool, parquet: bool) -> int:
    if out.exists() and not force:
        msg = f"file ({out}): already exists"
        raise InvalidInput(msg, hint="another name, or force=True")
    made = out.with_name(f".{out.name}.{os.getpid()}.partial")
    count = 0
    try:
        if parquet:
            count = write_parquet(lines, made)
        else:
            with made.open("w", encoding="utf-8", newline="") as file:
                for line in lines:
                    file.write(line)
                    count += 1
        with made.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(made, out)
    except OSError as fault:
        msg = f"file ({out}): cannot be written ({fault.strerror or fault})"
        raise InvalidInput(msg, hint="a folder that you can write to, with free space") from fault
    finally:
        made.unlink(missing_ok=True)
    return count
