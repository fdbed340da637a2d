"""Figures of matplotlib as files, and as images of a page."""

import base64
import html
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting.errors import InvalidInput
from forecasting.files import check_folder, written
from forecasting.review import words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
FORMATS = (".svg", ".png", ".pdf")
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


def check_target(path: Path | str) -> Path:
    """Refuse what cannot be the file of a picture, before anything is computed for it."""
    target = Path(path)
    if target.suffix.lower() not in FORMATS:
        msg = f"file ({target.name}): a picture ends in {', '.join(FORMATS)}"
        raise InvalidInput(msg, hint=f"{target.stem}.svg")
    check_folder(target)
    return target


def save(figure: "Figure", path: Path | str) -> Path:
    """Write a figure to a file by its ending: .svg (text stays text), .png or .pdf."""
    target = check_target(path)
    ending = target.suffix.lower()
    date = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(ending)
    with style(), written(target):
        figure.savefig(target, format=ending[1:], dpi=200, facecolor=PALETTE["page"], metadata=date)
    return target
