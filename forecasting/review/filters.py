"""The filters of every template, of the static page and of the app alike."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting.review import words
from forecasting.review.markup import markup

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def environment(*packages: str) -> "Environment":
    """Give an environment with our filters: all is cleaned and escaped, what is missing a fault."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    env = Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=printed,
        # The templates travel with the package: they are not looked at again for every page.
        auto_reload=False,
    )
    named = (
        *(
            words.score,
            words.signed,
            words.percent,
            words.between,
            words.interval,
            words.exact,
            words.said,
        ),
        *(words.whole, words.points, words.count, words.amount, anchor, weblink, markup),
    )
    env.filters.update({each.__name__: each for each in named}, figure=words.percent_figure)
    return env


def anchor(name: str) -> str:
    """Turn an id into a fragment that needs no quoting in an address."""
    return re.sub(r"[^A-Za-z0-9._@-]+", "-", name)


def weblink(address: str) -> str:
    """Give an address that may be followed; anything but a web page is none."""
    address = (address or "").strip()
    return address if re.match(r"https?://[^\s<>\"]+$", address) else ""


def printed(value: Any) -> Any:
    """Clean text; what this package wrote itself is Markup and stays as it is."""
    return words.clean(value) if type(value) is str else value
