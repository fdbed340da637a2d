"""The filters of every template, of the static page and of the app alike."""

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting.domain.instants import DAYS
from forecasting.review import words

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup
    from nh3 import Cleaner

#: No img, media or style: whoever wrote a text shall not learn that it was read. No headings and
#: no ids either, for the outline of the page is ours.
TAGS = frozenset({
    "a", "b", "blockquote", "br", "cite", "code", "dd", "dl", "dt", "em", "i", "li", "ol", "p",
    "pre", "q", "s", "small", "strong", "sub", "sup", "u", "ul",
})  # fmt: skip
#: Elements that go with what is inside them.
SILENCED = frozenset({
    "iframe", "math", "noembed", "noframes", "noscript", "object", "plaintext", "script", "select",
    "style", "svg", "template", "textarea", "title", "xmp",
})  # fmt: skip
_WEB = re.compile(r"https?://[^\s<>\"]+", re.ASCII)


def markup(text: str) -> "Markup":
    """Give HTML of unknown hands as HTML that runs, loads and imitates nothing.

    Cleaned each time it is shown, so that a mistake found here later is mended for every item.
    """
    from markupsafe import Markup

    # After nh3, which resolves character references: they may hide marks that turn a line around.
    # A byte order mark that is left at the start is no text.
    return Markup(words.clean(_cleaner().clean(text)).lstrip("\ufeff"))


def without_command(text: str) -> str:
    """Leave out the way out that is a command or an argument: on a page it helps nobody."""
    text = re.sub(r": (forecast [a-z]+|--[a-z-]+).*$", "", text)
    return re.sub(r"\s*\([a-z_]+=[A-Za-z]+ [^)]*\)", "", text)


def _attribute(_: str, name: str, value: str) -> str | None:
    """Keep an address of the web; one without a scheme would lead into our page or its folder."""
    return value if name != "href" or _WEB.fullmatch(value.strip()) else None


@lru_cache(maxsize=1)
def _cleaner() -> "Cleaner":
    import nh3

    settings: dict[str, Any] = {
        "tags": set(TAGS),
        "clean_content_tags": set(SILENCED),
        # For every tag, since nh3 otherwise leaves a title and a language on each.
        "attributes": {"*": set(), "a": {"href"}},
        "attribute_filter": _attribute,
        "url_schemes": {"http", "https"},
        "link_rel": "noopener noreferrer",
        "strip_comments": True,
        "generic_attribute_prefixes": set(),
    }
    return nh3.Cleaner(**settings)


TEMPLATES = Path(__file__).parent / "templates"


def environment(*packages: str) -> "Environment":
    """Give an environment with our filters: all is cleaned and escaped, what is missing a fault."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
    from jinja2.ext import Extension

    class Unbroken(Extension):
        """Keeps a figure and its per cent sign on one line; ``5 %}`` closes a tag and stays."""

        def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
            return re.sub(r"(?<=\d) %(?!\})", "\u00a0%", source)

    env = Environment(
        extensions=[Unbroken],
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
        *(
            words.whole,
            words.points,
            words.count,
            words.amount,
            words.bare,
            anchor,
            weblink,
            markup,
            without_command,
        ),
    )
    env.filters.update({each.__name__: each for each in named}, figure=words.percent_figure)
    env.tests["days"] = lambda unit: unit == DAYS
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
