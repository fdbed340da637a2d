"""Items that may report one story: proposed to the analyst, never merged.

Two items are alike when they have the same address, or when they became known within two days of
each other and their titles are nearly the same: of the words of both titles (case and punctuation
aside), at least three quarters are shared (Dice coefficient of the sets of words), and the
numbers in them do not differ (205 freed and 307 freed are two events).
"""

import datetime as dt
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from math import floor
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from forecasting.domain.evidence import Evidence

WITHIN = dt.timedelta(days=2)
SHARED = 0.75
_WORD = re.compile(r"\w+(?:[.,]\d+)*")
_TRACKING = re.compile(r"utm_\w+|fbclid|gclid|ref|source")

type _Place = tuple[str, int, frozenset[str] | None]
Why = Literal["same address", "nearly the same title"]


@dataclass(frozen=True, slots=True)
class Alike:
    """An item that may report the same story, and why."""

    item: Evidence
    why: Why


def address(url: str) -> str:
    """Give an address in the form that is compared: no scheme, no tracking, no trailing slash."""
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
    except ValueError:
        return ""
    if not host:
        return ""
    pairs = [(key, value) for key, value in parse_qsl(parts.query) if not _TRACKING.fullmatch(key)]
    query = f"?{urlencode(sorted(pairs))}" if pairs else ""
    return f"{host}{parts.path.rstrip('/')}{query}"


def words(title: str) -> frozenset[str]:
    """Give the words of a title: case folded, without punctuation."""
    return frozenset(_WORD.findall(unicodedata.normalize("NFKC", title).casefold()))


def numbers(title: frozenset[str]) -> frozenset[str]:
    """Give the words that are numbers."""
    return frozenset(word for word in title if word[0].isdigit())


def same_title(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two titles, as sets of words, are nearly the same."""
    mine, theirs = numbers(one), numbers(other)
    if mine and theirs and mine != theirs:
        return False
    return bool(one) and 2 * len(one & other) >= SHARED * (len(one) + len(other))


class Index:
    """Items by address and by title, so that each new one finds its like without reading all.

    A title with n words shares at least .6 n of them with one that is nearly the same, so that one
    of its rarest .4 n + 1 words is among them: only these are looked up.
    """

    def __init__(self, items: Iterable[Evidence] = ()) -> None:
        self._addresses: dict[str, list[Evidence]] = {}
        # By word, day and numbers: those three narrow most, and titles with other numbers differ.
        self._words: dict[_Place, list[tuple[Evidence, frozenset[str]]]] = {}
        self._count: Counter[str] = Counter()
        for item in items:
            self.add(item)

    def add(self, item: Evidence) -> None:
        """Take an item in."""
        if place := address(item.url):
            self._addresses.setdefault(place, []).append(item)
        mine = words(item.title)
        self._count.update(mine)
        day = item.known_at.toordinal()
        for word in mine:
            for figures in {None, numbers(mine)}:
                self._words.setdefault((word, day, figures), []).append((item, mine))

    def like(self, title: str, *, url: str, known_at: dt.datetime, story: str = "") -> list[Alike]:
        """Give the items that may report the same story, without those that already share it."""
        by_key: dict[str, Alike] = {}
        for item in self._addresses.get(address(url), ()) if url else ():
            by_key[item.key] = Alike(item, "same address")
        mine = words(title)
        rarest = sorted(mine, key=lambda word: (self._count[word], word))
        share = SHARED / (2.0 - SHARED)
        figures = numbers(mine)
        wanted = {figures, frozenset[str]()} if figures else {None}
        day, reach = known_at.toordinal(), WITHIN.days + 1
        for word, other_day, theirs_figures in product(
            rarest[: floor((1.0 - share) * len(mine)) + 1],
            range(day - reach, day + reach + 1),
            wanted,
        ):
            for item, theirs in self._words.get((word, other_day, theirs_figures), ()):
                near = abs(item.known_at - known_at) <= WITHIN
                if item.key not in by_key and near and same_title(mine, theirs):
                    by_key[item.key] = Alike(item, "nearly the same title")
        event = story.partition("/")[0]
        return sorted(
            (alike for alike in by_key.values() if not event or alike.item.told_event != event),
            key=lambda alike: (alike.why != "same address", alike.item.known_at, alike.item.key),
        )
