"""Drawing a page: templates of this folder and of the review page, one environment."""

import datetime as dt
import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from forecasting.domain.forecast import Quantiles
from forecasting.domain.forecasters import family
from forecasting.review import cast, filters, words
from forecasting.review.filters import markup
from forecasting.web.faults import Fault, at_form

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


def render(template: str, **context: Any) -> str:
    """Draw a template."""
    return environment().get_template(template).render(**context)


def shows(text: str, fault: Fault) -> bool:
    """Say whether a page has a fault in its words, beside a field or at the foot of a form."""
    from markupsafe import escape

    return f'role="alert">{escape(fault.words)}</p>' in text


_FOLD = re.compile(r'<details\b([^>]*)>|</details>|<p class="fault"')


def unfolded(text: str) -> str:
    """Open every fold of a page that holds a fault, also one within another.

    >>> unfolded('<details><details class="b"><p class="fault">no</p></details></details>')
    '<details open><details class="b" open><p class="fault">no</p></details></details>'
    """
    around: list[re.Match[str]] = []
    to_open: dict[int, int] = {}
    for tag in _FOLD.finditer(text):
        if tag[0] == "</details>":
            if around:
                around.pop()
        elif tag[1] is not None:
            around.append(tag)
        else:
            shut = (fold for fold in around if " open" not in fold[1])
            to_open |= {fold.end() - 1: fold.start() for fold in shut}
    for place in sorted(to_open, reverse=True):
        text = f"{text[:place]} open{text[place:]}"
    return text


@lru_cache(maxsize=1)
def environment() -> "Environment":
    """Give the environment of the app's templates and the review's."""
    env = filters.environment("forecasting.web", "forecasting.review")
    named = (family, ago, until, flowing, host, capitalize_first, dated, at_form)
    env.filters.update({each.__name__: each for each in named})
    env.filters.update({name: _in_zone(name) for name in ("day", "known", "moment")})
    env.filters.update(ends=_in_zone("end"), forecaster=cast.label, day_names=words.day_names)
    env.tests["quantiles"] = lambda value: isinstance(value, Quantiles)
    env.globals.update(words=words)
    return env


def flowing(text: str) -> "Markup":
    """Give text whose lines were broken to fit a file as paragraphs; lists keep their lines."""
    from markupsafe import Markup

    parts = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    flowed = [re.sub(r"\n(?!\s*[-*•])", " ", part) for part in parts]
    cleaned = [markup(part).replace("\n", Markup("<br>")) for part in flowed]
    return Markup("").join(Markup("<p>{}</p>").format(part) for part in cleaned)


_DAY = re.compile(r"(?:\(by )?\b\d{1,2} [A-Z][a-z]{2} \d{4}\b\)?")


def dated(title: str) -> "Markup":
    """Give a title whose days are written as everywhere, and stay whole where its line is broken.

    >>> str(dated("Will it & will it not? (by 2026-12-31)"))
    'Will it &amp; will it not? <span class="when">(by 31 Dec 2026)</span>'
    """
    from markupsafe import Markup, escape

    spoken = words.day_names(str(escape(title)))
    return Markup(_DAY.sub(r'<span class="when">\g<0></span>', spoken))


def host(address: str) -> str:
    """Name the place of an address, for a button that fetches it."""
    parts = urlsplit(address)
    return f"{(parts.hostname or '').removeprefix('www.')}{parts.path}"[:60] or address[:60]


def capitalize_first(text: str) -> str:
    """Begin a sentence with a capital, and leave the rest as it is."""
    return text[:1].upper() + text[1:]


def ago(moment: dt.datetime, now: dt.datetime) -> str:
    """Say how long ago."""
    return "just now" if now - moment < _MINUTE else f"{_span(now - moment)} ago"


def until(moment: dt.datetime, now: dt.datetime) -> str:
    """Say how long still, or how long ago."""
    return f"in {_span(moment - now)}" if moment > now else ago(moment, now)


_MINUTE = dt.timedelta(minutes=1)


def _span(span: dt.timedelta) -> str:
    seconds = span.total_seconds()
    if seconds < 3600:
        return words.plural(max(1, int(seconds // 60)), "minute")
    if seconds < 86400:
        return words.plural(int(seconds // 3600), "hour")
    days = int(seconds // 86400)
    return words.plural(days, "day") if days < 730 else words.plural(int(days / 365.25), "year")


_days = lru_cache(maxsize=64)(words.Days)


def _in_zone(name: str) -> Callable[[Any, str], str]:
    """Give a way in which `words.Days` names a moment, as a filter that takes the zone."""
    return lambda moment, zone: str(getattr(_days(zone), name)(moment))
