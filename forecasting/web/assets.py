"""Style, script and pictures: read once, served under an address that changes with them."""

import hashlib
from functools import cache
from pathlib import Path

from forecasting.review.filters import TEMPLATES

FOLDER = Path(__file__).parent / "assets"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}


@cache
def assets() -> dict[str, tuple[str, bytes]]:
    """Give the content and type of each asset; colours and charts are those of the review page."""
    files = {
        path.name: (TYPES[path.suffix], path.read_bytes())
        for path in sorted(FOLDER.iterdir())
        if path.suffix in TYPES
    }
    shared = [(TEMPLATES / name).read_bytes() for name in ("colours.css", "chart.css", "graph.css")]
    colours, chart, graph = shared
    parts = [colours, chart, files["app.css"][1], graph, files.pop("figures.css")[1]]
    files["app.css"] = (TYPES[".css"], b"".join(parts))
    return files


@cache
def digest() -> str:
    """Digest every asset."""
    sums = hashlib.sha256()
    for name, (_, content) in assets().items():
        sums.update(name.encode() + b"\x00" + content)
    return sums.hexdigest()[:12]
