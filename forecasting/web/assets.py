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
    """Give the content and type of each asset; the colours are those of the review page."""
    found = {
        path.name: (TYPES[path.suffix], path.read_bytes())
        for path in sorted(FOLDER.iterdir())
        if path.suffix in TYPES
    }
    colours = (TEMPLATES / "colours.css").read_bytes()
    found["app.css"] = (TYPES[".css"], colours + found["app.css"][1])
    return found


@cache
def digest() -> str:
    """Digest every asset."""
    sums = hashlib.sha256()
    for name, (_, content) in assets().items():
        sums.update(name.encode() + b"\x00" + content)
    return sums.hexdigest()[:12]
