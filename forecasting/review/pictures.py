"""The pictures of scores and of a calibration review: each as a table first, then drawn from it."""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from forecasting.calibration import frame as calibrate
from forecasting.domain.forecasters import ordered
from forecasting.errors import InvalidInput
from forecasting.files import neutral, written
from forecasting.review.filters import without_command

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: The number and the hash of the ledger's last entry.
type Head = tuple[int, str]
PICTURES = {
    "reliability": "Reliability",
    "mcb-dsc": "Miscalibration and discrimination",
    "histogram": "What was said",
    "pit": "PIT of numbers and dates",
}
ENDINGS = (".svg", ".png", ".csv", ".html")
#: As on the review page: styles and pictures of its own, nothing else.
_ALLOWED = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">"
)


def seals_of(picture: str) -> Literal["worst", "missing"]:
    """Say how a picture reads a seal that is not opened: as the worst where scores are compared."""
    if picture not in PICTURES:
        msg = f"picture ({picture}): must be one of {', '.join(PICTURES)}"
        raise InvalidInput(msg)
    return "worst" if picture == "mcb-dsc" else "missing"


def table(frame: "pd.DataFrame", picture: str, *, share: float = 0.5) -> list[dict[str, Any]]:
    """Give the rows that a picture of a scoring frame draws; none where nothing has resolved."""
    if picture == "pit":
        return list(calibrate.numbers(frame, share=share)["pit"])
    frame = frame[frame["type"] == "binary"]
    if frame.empty:
        return []
    if picture == "reliability":
        return list(calibrate.from_frame(frame, share=share)["curve"])
    if picture == "histogram":
        return _histogram(frame[~frame["too_soon"]])
    by_name = {
        str(name): calibrate.picked(part, calibrate.at_share(share))
        for name, part in frame.groupby("forecaster")
    }
    by_name = {name: picked for name, picked in by_name.items() if picked.picks}
    # Curves over different questions cannot be compared: each row says how many are shared.
    questions = [set(picked.rows["question"]) for picked in by_name.values()]
    shared = set.intersection(*questions) if questions else set()
    rows: list[dict[str, Any]] = []
    for name in ordered(by_name):
        part = by_name[name]
        rows.append({**_parts(name, part), "n_questions": len(part.rows), "n_shared": len(shared)})
    return rows


def draw(
    picture: str, rows: Sequence[Mapping[str, Any]], path: Path, *, title: str, head: Head
) -> None:
    """Write a picture to a file by its ending, or its table as .csv; a page has the head."""
    from forecasting.review import draw as pen

    file_ending(path)
    if not rows:
        msg = f"picture ({picture}): nothing that counts has resolved, so there is nothing to draw"
        raise InvalidInput(msg, hint="forecast questions list --status resolved")
    pictures = {
        "reliability": lambda: pen.reliability({"n": len(rows), "curve": rows}, title=title),
        "mcb-dsc": lambda: pen.mcb_dsc(rows, title=title),
        "histogram": lambda: pen.histogram(rows, title=title),
        "pit": lambda: pen.pit(rows, title=title),
    }
    _save(path, rows, list(rows[0]), pictures[picture], title=title, head=head)


def save_calibration(result: Mapping[str, Any], path: Path, *, title: str, head: Head) -> None:
    """Write a calibration as .svg, .png, .csv or .html; anything else is bad input."""
    from forecasting.review import draw as pen

    _save(
        path,
        result["curve"],
        ("forecast", "event_rate", "n", "events", "lower", "upper"),
        lambda: pen.reliability(result, title=title),
        title=title,
        head=head,
        reading="\n".join(map(without_command, str(result["reading"]).splitlines())),
    )


def _save(
    path: Path,
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    picture: "Callable[[], Figure]",
    *,
    title: str,
    head: Head,
    reading: str = "",
) -> None:
    """Write rows as .csv, or their picture; a page of both may load and run nothing."""
    import html

    from forecasting.review import draw as pen

    ending = file_ending(path)
    if ending == ".csv":
        _save_csv(path, rows, columns)
        return
    drawn = picture()
    if ending != ".html":
        pen.save(drawn, path)
        return
    heads = "".join(f"<th>{html.escape(str(name))}</th>" for name in (rows[0] if rows else ()))
    lines = "".join(
        "<tr>" + "".join(f"<td>{html.escape(_cell(v))}</td>" for v in row.values()) + "</tr>"
        for row in rows
    )
    reading_html = f"<pre>{html.escape(reading)}</pre>" if reading else ""
    name = html.escape(title)
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8">{_ALLOWED}<title>{name}</title>'
        f"<h1>{name}</h1>{reading_html}{pen.image(drawn, label=title)}"
        f"<table><tr>{heads}</tr>{lines}</table>"
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


def _parts(name: str, picked: calibrate.Picked) -> dict[str, Any]:
    from forecasting.calibration import corp

    result = corp(picked.forecast, picked.outcome, picks=picked.picks, cluster=picked.events)
    parts = {part: getattr(result, part) for part in calibrate.PARTS if part != "p_value"}
    return {"forecaster": name, "n": round(picked.n), **parts}


def _histogram(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    import numpy as np

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
