"""Write the spreadsheet form that Fatebook imports: a row a forecast, in percent."""

import csv
from collections.abc import Iterable, Iterator
from decimal import Decimal

from forecasting.domain.question import ANNULLED
from forecasting.exchange.cells import restored

COLUMNS = (
    *("questionTitle", "forecast", "qCreatedAt", "resolution", "resolvedAt", "resolveBy"),
    *("fCreatedAt", "tags", "notes"),
)
_RESOLVED = {"yes": "YES", "no": "NO", ANNULLED: "AMBIGUOUS", "": ""}


class Left:
    """How many rows the form has no place for."""

    def __init__(self) -> None:
        self.count = 0


def write_fatebook(lines: Iterable[str], forecaster: str, left: Left) -> Iterator[str]:
    """Give the lines of the form, which imports into one account: a `forecaster`, or everybody."""
    out: list[str] = []

    class _Lines:
        def write(self, line: str) -> int:
            out.append(line)
            return len(line)

    writer = csv.writer(_Lines(), lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in csv.DictReader(lines):
        if forecaster and restored(row["forecaster"]) != forecaster:
            continue
        if row["type"] != "binary" or row["forecast"] == "withdrawn":
            left.count += 1
            continue
        writer.writerow(
            (
                row["title"],
                _percent(row["forecast"]),
                row["opens"],
                _RESOLVED.get(row["outcome"], ""),
                row["resolved_at"],
                row["closes"],
                row["issued_at"],
                ",".join(row["tags"].split(";")),
                row["criteria"],
            )
        )
        yield from out
        out.clear()
    yield from out


def _percent(cell: str) -> str:
    from forecasting.domain.reading import probability

    share = Decimal(probability(cell)[0]) * 100
    text = format(share.normalize(), "f")
    return f"{text}%"
