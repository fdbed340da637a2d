"""Figures as files, and as inline SVG that follows the colours and text sizes of its page."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

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
_NAME_OF = {colour: name for name, colour in PALETTE.items()}
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
_SVG = "http://www.w3.org/2000/svg"
_HREF = "{http://www.w3.org/1999/xlink}href"
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_COLOUR = re.compile(r"#[0-9a-f]{6}")


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


def svg(figure: "Figure", *, label: str = "", prefix: str = "") -> str:
    """Give a figure as an SVG element in the page's colours and font, its ids under a `prefix`."""
    buffer = io.StringIO()
    with style():
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    root = ElementTree.fromstring(buffer.getvalue())
    used = {
        ref
        for node in root.iter()
        for value in node.attrib.values()
        for ref in re.findall(r"#([\w-]+)", value)
    }
    _clean(root, used, prefix)
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.set("role", "img")
    root.set("aria-label", words.clean(label))
    ElementTree.register_namespace("", _SVG)
    text = ElementTree.tostring(root, encoding="unicode")
    return re.sub(r">\s+<", "><", text)


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


def _clean(node: ElementTree.Element, used: set[str], prefix: str) -> None:
    """Leave what is drawn: no metadata, no style rules that would reach into the page."""
    children: list[ElementTree.Element] = []
    for child in node:
        # A comment's tag is a function.
        tag = child.tag.rpartition("}")[2] if isinstance(child.tag, str) else ""
        if tag in ("", "metadata", "style"):
            continue
        _clean(child, used, prefix)
        if tag in ("g", "defs") and len(child) == 0:
            continue
        if tag == "g" and not child.attrib:
            children.extend(child)
        else:
            children.append(child)
    node[:] = children
    attributes = dict(node.attrib)
    node.attrib.clear()
    for name, value in attributes.items():
        if name == "id":
            if value in used:
                node.set("id", prefix + value)
        elif name == _HREF:
            node.set("href", f"#{prefix}{value[1:]}")
        elif name == "style":
            _restyle(node, value)
        elif name in ("d", "transform", "x", "y", "points"):
            short = _rounded(value)
            if not short.startswith("rotate(0 "):
                node.set(name, short)
        else:
            node.set(name, value.replace("url(#", f"url(#{prefix}"))


def _restyle(node: ElementTree.Element, value: str) -> None:
    rules = []
    for rule in filter(None, (part.strip() for part in value.split(";"))):
        name, _, setting = (part.strip() for part in rule.partition(":"))
        if name == "font":
            size = re.search(r"([\d.]+)px", setting)
            # As an attribute, so that the page can set larger letters on a narrow screen.
            node.set("font-size", size[1] if size else "12")
            if "bold" in setting or re.search(r"\b[67]00\b", setting):
                node.set("font-weight", "600")
        elif name == "font-size":
            node.set("font-size", setting.removesuffix("px"))
        elif name == "font-family":
            continue
        else:
            rules.append(f"{name}:{_COLOUR.sub(_variable, setting)}")
    if rules:
        node.set("style", ";".join(rules))


def _variable(match: re.Match[str]) -> str:
    name = _NAME_OF.get(match[0])
    return f"var(--{name},{match[0]})" if name else match[0]


def _rounded(value: str) -> str:
    short = _NUMBER.sub(lambda match: f"{float(match[0]):.1f}".removesuffix(".0"), value)
    return re.sub(r"\s+", " ", short).strip().replace(" L ", "L").replace("-0 ", "0 ")
