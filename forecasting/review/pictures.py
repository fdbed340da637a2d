"""A calibration as a file: a picture, a table, or a page of both."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting.errors import InvalidInput
from forecasting.files import neutral, written

if TYPE_CHECKING:
    import pandas as pd

#: The number and the hash of the ledger's last entry.
type Head = tuple[int, str]
ENDINGS = (".svg", ".png", ".csv", ".html")
#: As on the review page: styles and pictures of its own, nothing else.
_ALLOWED = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">"
)


def save_calibration(result: Mapping[str, Any], path: Path, *, title: str, head: Head) -> None:
    """Write a calibration as .svg, .png, .csv or .html; a page may load and run nothing."""
    import html

    from forecasting.review import draw

    rows, ending = result["curve"], file_ending(path)
    if ending == ".csv":
        _save_csv(path, rows, ("forecast", "event_rate", "n", "events", "lower", "upper"))
        return
    drawn = draw.reliability(result, title=title)
    if ending != ".html":
        draw.save(drawn, path)
        return
    heads = "".join(f"<th>{html.escape(str(name))}</th>" for name in (rows[0] if rows else ()))
    lines = "".join(
        "<tr>" + "".join(f"<td>{html.escape(_cell(v))}</td>" for v in row.values()) + "</tr>"
        for row in rows
    )
    name = html.escape(title)
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8">{_ALLOWED}<title>{name}</title>'
        f"<h1>{name}</h1><pre>{html.escape(str(result['reading']))}</pre>"
        f"{draw.image(drawn, label=title)}<table><tr>{heads}</tr>{lines}</table>"
        f"<p>Ledger head: entry {head[0]}, hash <code>{head[1]}</code></p></html>\n"
    )
    with written(path):
        path.write_text(page, encoding="utf-8")


def file_ending(path: Path) -> str:
    """Give the ending of a file to be written; anything but the four is bad input."""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        msg = f"file ({path.name}): must end in {', '.join(ENDINGS)}"
        raise InvalidInput(msg, hint=f"out={path.stem or 'picture'}.svg")
    return ending


def _save_csv(path: Path, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Write a table so that no spreadsheet runs a name in it."""
    with written(path), path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, columns)
        writer.writeheader()
        writer.writerows(
            {
                name: neutral(value) if isinstance(value, str) else value
                for name, value in row.items()
            }
            for row in rows
        )


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def histogram(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    """Count what was said of the yes-no questions that count, in 20 bins, and what came true."""
    import numpy as np

    frame = frame[frame["type"] == "binary"]
    if frame.empty:
        return []
    frame = frame[~frame["too_soon"]]
    forecasts = frame["forecast"].to_numpy(dtype=np.float64)
    happened = frame["outcome"].to_numpy(dtype=np.float64)
    place = np.minimum((forecasts * 20).astype(int), 19)
    return [
        {
            "from": bin_ / 20,
            "to": (bin_ + 1) / 20,
            "n": int((place == bin_).sum()),
            "n_yes": int(happened[place == bin_].sum()),
            "n_questions": int(frame["question"][place == bin_].nunique()),
        }
        for bin_ in range(20)
    ]
