"""A calibration drawn: a matplotlib figure, and as a file a picture, a table, or a page of both."""

import base64
import csv
import html
import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting.errors import InvalidInput
from forecasting.files import written
from forecasting.review import words
from forecasting.review.filters import without_command

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

type Cloud = tuple[list[float], list[float], list[float | None], list[float | None], list[float]]
#: The number and the hash of the ledger's last entry.
type Head = tuple[int, str]
ENDINGS = (".svg", ".png", ".csv", ".html")
#: As on the review page: styles and pictures of its own, nothing else.
_ALLOWED = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">"
)
#: Colours by their names in the style sheet; in a file they are what stands here.
PALETTE = {
    "ink": "#1b1f24",
    "soft": "#57606a",
    "line": "#d4dae1",
    "page": "#ffffff",
    "model": "#0072b2",
    "base": "#c24e00",
    "prior": "#00785a",
    "pool": "#a8457f",
    "faint": "#8b949e",
}
# Any: matplotlib types the keys of its settings one by one.
_STYLE: Any = {
    "axes.edgecolor": PALETTE["faint"],
    "axes.labelcolor": PALETTE["ink"],
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 13,
    "figure.dpi": 72,
    "font.family": "sans-serif",
    "font.size": 12,
    "svg.fonttype": "none",
    # The ids in an SVG are hashed with this salt, so that equal figures are equal files.
    "svg.hashsalt": "forecasting",
    "text.color": PALETTE["ink"],
    # A title may hold dollar signs.
    "text.parse_math": False,
    "xtick.color": PALETTE["faint"],
    "xtick.labelcolor": PALETTE["ink"],
    "ytick.color": PALETTE["faint"],
    "ytick.labelcolor": PALETTE["ink"],
    "xtick.major.size": 3,
    "ytick.major.size": 0,
}


def reliability(calibration: Mapping[str, Any], *, title: str = "") -> "Figure":
    """Draw the reliability curve of ``forecast calibration --json``, its band and the counts."""
    from matplotlib.figure import Figure

    forecasts, seen, lower, upper, n = _columns(calibration.get("curve") or ())
    height = 470 + (24 if title else 0)
    with style():
        figure = Figure(figsize=(420 / 72, height / 72))
        axes = figure.add_axes((0.15, 122 / height, 0.79, 320 / height))
        below = figure.add_axes((0.15, 48 / height, 0.79, 46 / height))
        axes.plot([0, 1], [0, 1], color=PALETTE["faint"], lw=1, dashes=(4, 3))
        legend = [("line: what happened", "model", 0.0, "left")]
        if not forecasts:
            axes.text(
                0.5, 0.6, "Nothing that counts has resolved yet", ha="center", color=PALETTE["soft"]
            )
        elif _band(axes, forecasts, lower, upper):
            level = words.whole(calibration.get("level") or 0.9)
            legend.append((f"shade: {level} if calibrated", "soft", 1.0, "right"))
        if forecasts:
            axes.plot(forecasts, seen, color=PALETTE["model"], lw=2)
            if len(forecasts) <= 40:
                axes.plot(forecasts, seen, "o", color=PALETTE["model"], ms=4.5)
            for text, colour, x, side in legend:
                axes.text(x, 1.03, text, color=PALETTE[colour], ha=side, fontsize=11)
        axes.set(xlim=(0, 1), ylim=(0, 1), ylabel="happened")
        percent_axis(axes.yaxis)
        percent_axis(axes.xaxis)
        axes.tick_params(axis="x", labelbottom=False)
        axes.grid(color=PALETTE["line"], lw=0.7)
        axes.set_axisbelow(True)
        _counts(below, forecasts, n)
        if title:
            place = 1 - 8 / height
            figure.text(0.15, place, words.clean(title), va="top", fontsize=13, weight="bold")
        unclip(axes)
        unclip(below)
    return figure


def unclip(axes: "Axes") -> None:
    """Let no mark be cut at the frame."""
    for artist in axes.get_children():
        artist.set_clip_on(False)
    for line in (*axes.get_xgridlines(), *axes.get_ygridlines()):
        line.set_clip_on(False)


def _columns(points: Sequence[Mapping[str, Any]]) -> Cloud:
    complete = [
        p for p in points if None not in map(words.number, (p["forecast"], p["event_rate"]))
    ]
    return (
        [float(point["forecast"]) for point in complete],
        [float(point["event_rate"]) for point in complete],
        [words.number(point.get("lower")) for point in complete],
        [words.number(point.get("upper")) for point in complete],
        [words.number(point.get("n")) or 0.0 for point in complete],
    )


def _band(
    axes: "Axes",
    forecasts: Sequence[float],
    low: Sequence[float | None],
    high: Sequence[float | None],
) -> bool:
    """Shade the band; say whether there is one."""
    known = [
        (x, a, b)
        for x, a, b in zip(forecasts, low, high, strict=True)
        if a is not None and b is not None
    ]
    if not known:
        return False
    x, a, b = (list(column) for column in zip(*known, strict=True))
    axes.fill_between(x, a, b, color=PALETTE["faint"], alpha=0.28, lw=0)
    if len(x) <= 3:
        # A shade between so few points is too thin to see.
        axes.vlines(x, a, b, color=PALETTE["faint"], lw=3, alpha=0.5)
    return True


def _counts(axes: "Axes", forecasts: Sequence[float], n: Sequence[float]) -> None:
    bins = [0.0] * 10
    for value, number in zip(forecasts, n, strict=True):
        bins[min(9, int(value * 10))] += number
    tallest = max(bins) or 1.0
    middles = [(i + 0.5) / 10 for i in range(10)]
    axes.bar(middles, bins, width=0.086, color=PALETTE["model"], alpha=0.55)
    for middle, number in zip(middles, bins, strict=True):
        if number:
            top = number + 0.08 * tallest
            axes.text(middle, top, words.count(round(number, 1)), ha="center", fontsize=11)
    axes.set(xlim=(0, 1), ylim=(0, 1.1 * tallest), xlabel="said; the bars count forecasts")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    percent_axis(axes.xaxis)


def percent_axis(axis: Any) -> None:
    """Mark an axis from 0 to 100 % in quarters."""
    axis.set_ticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])


@contextmanager
def style() -> Iterator[None]:
    """Draw by the tool's own settings, whatever the user's matplotlibrc says."""
    import matplotlib as mpl

    with mpl.rc_context(), warnings.catch_warnings():
        # In SVG text stays text, and the reader's fonts have the letters that ours lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def image(figure: "Figure", *, label: str = "") -> str:
    """Give a figure as an image that stands inside a page; equal figures give equal strings."""
    buffer = io.BytesIO()
    with style():
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="{html.escape(words.clean(label))}" src="data:image/svg+xml;base64,{data}">'


def save(figure: "Figure", path: Path) -> None:
    """Write a figure to a file by its ending: .svg (text stays text) or .png."""
    ending = file_ending(path)
    date = {"Date": None} if ending == ".svg" else None
    with style(), written(path):
        figure.savefig(path, format=ending[1:], dpi=200, facecolor=PALETTE["page"], metadata=date)


def save_calibration(result: Mapping[str, Any], path: Path, *, title: str, head: Head) -> None:
    """Write a calibration as .svg, .png, .csv or .html; a page may load and run nothing."""
    rows, ending = result["curve"], file_ending(path)
    reading = "\n".join(map(without_command, str(result["reading"]).splitlines()))
    if ending == ".csv":
        columns = ("forecast", "event_rate", "n", "events", "lower", "upper")
        with written(path), path.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, columns)
            writer.writeheader()
            writer.writerows(rows)
        return
    drawn = reliability(result, title=title)
    if ending != ".html":
        save(drawn, path)
        return
    heads = "".join(f"<th>{html.escape(str(name))}</th>" for name in (rows[0] if rows else ()))
    lines = "".join(
        "<tr>" + "".join(f"<td>{html.escape(_cell(v))}</td>" for v in row.values()) + "</tr>"
        for row in rows
    )
    name = html.escape(title)
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8">{_ALLOWED}<title>{name}</title>'
        f"<h1>{name}</h1><pre>{html.escape(reading)}</pre>"
        f"{image(drawn, label=title)}<table><tr>{heads}</tr>{lines}</table>"
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


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
