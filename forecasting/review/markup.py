"""Text that somebody else marked up, made fit to stand on our page.

What is stored is what was sent; it is cleaned each time it is shown, so a mistake found here later
is mended for every item that was ever recorded.
"""

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from forecasting.review import words

if TYPE_CHECKING:
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

    Links are left only to http and https, without a referrer and without a hold on our page.
    """
    from markupsafe import Markup

    # After nh3, which resolves character references: they may hide marks that turn a line around.
    # A byte order mark that is left at the start is no text.
    return Markup(words.clean(_cleaner().clean(text)).lstrip("\ufeff"))


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
