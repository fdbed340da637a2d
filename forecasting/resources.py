"""Find the folders that travel with the package: the question bank and the schema's history.

The wheel carries both under ``forecasting/_bundled``; a checkout has them beside the package. The
bundle is looked at first, because a folder beside an installed package may belong to another
distribution: ``db`` and ``questions`` are both taken on the package index.
"""

from pathlib import Path
from typing import Literal

from forecasting.errors import ForecastingError

type Resource = Literal["migrations", "questions"]

_IN_CHECKOUT: dict[str, str] = {"migrations": "db/migrations", "questions": "questions"}


def locate(name: Resource, *, package: Path | None = None) -> Path:
    """Return the folder of a resource, from the wheel's bundle or from the checkout."""
    here = (package or Path(__file__).parent).resolve()
    bundled = here / "_bundled" / name
    if bundled.is_dir():
        return bundled
    checkout = here.parent
    folder = checkout / _IN_CHECKOUT[name]
    # site-packages/questions may be somebody else's; only a checkout has pyproject.toml beside it.
    if folder.is_dir() and (checkout / "pyproject.toml").is_file():
        return folder
    message = f"resource ({name}): must be at {bundled} (a wheel) or {folder} (a checkout)"
    raise ForecastingError(message, hint="pip install --force-reinstall scenario-forecasting")
