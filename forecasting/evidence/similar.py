"""Items that may report one story: proposed to the analyst, never merged.

Two items are alike when they have the same address, or when they became known within two days of
each other and their titles are nearly the same: of the words of both titles (case and punctuation
aside), at least three quarters are shared (Dice coefficient of the sets of words), and the
numbers in them do not differ (205 freed and 307 freed are two events).
"""

import datetime as dt
import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from math import floor, log, sqrt
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

    A title of n words shares at least .6 n with its like: one of its rarest .4 n + 1 is among them.
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


#: Letters that are left of a word.
STEM = 6
#: Words shorter than this say little in any language that we met.
SHORTEST = 3
#: Below this two texts have nothing in common that would be worth a look.
LEAST = 0.06
#: Texts that are named, the most like first.
MOST = 5


def stems(text: str) -> frozenset[str]:
    """Give the cut words of a text; numbers say nothing of what it is about."""
    return frozenset(
        word[:STEM] for word in words(text) if len(word) >= SHORTEST and not word[0].isdigit()
    )


class Likeness:
    """Texts by name as weighted sets of words: it orders an inbox, and decides nothing."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = {name: stems(text) for name, text in texts.items()}
        have = Counter(stem for text_stems in self._texts.values() for stem in text_stems)
        n = len(self._texts)
        self._weight = {stem: log((1 + n) / (1 + k)) for stem, k in have.items()}
        self._size = {name: self._length(text_stems) for name, text_stems in self._texts.items()}
        self._where: dict[str, list[str]] = {}
        for name, text_stems in self._texts.items():
            for stem in text_stems:
                self._where.setdefault(stem, []).append(name)

    def rank(self, text: str) -> list[tuple[str, float]]:
        """Give what a text is most like, with the cosine from 0 to 1; nothing below `LEAST`."""
        mine = stems(text)
        length = self._length(mine)
        if not length:
            return []
        shared: dict[str, float] = {}
        for stem in mine:
            for name in self._where.get(stem, ()):
                shared[name] = shared.get(name, 0.0) + self._weight[stem] ** 2
        cosines = [
            (name, size / (length * self._size[name]))
            for name, size in shared.items()
            if self._size[name]
        ]
        near = [(name, like) for name, like in cosines if like >= LEAST]
        return sorted(near, key=lambda pair: (-pair[1], pair[0]))[:MOST]

    def _length(self, text_stems: frozenset[str]) -> float:
        # A word that no text has counts as one that a single text has.
        rare = log((1 + len(self._texts)) / 2)
        return sqrt(sum(self._weight.get(stem, rare) ** 2 for stem in text_stems))


Same = Literal["guid", "address", "title"]
_PREFIX = "feed-"


def key_of(guid: str, source: str) -> str:
    """Give the key of an item whose feed names it: the same whatever else of it changes."""
    unique = f"{_plain(source)}\0{guid.strip()}"
    return f"{_PREFIX}{hashlib.sha256(unique.encode()).hexdigest()[:16]}"


class Items:
    """Items by what does not change in a feed: guid, else address, else title within two days."""

    def __init__(self, items: Iterable[Evidence] = ()) -> None:
        self._keys: dict[str, Evidence] = {}
        self._addresses: dict[str, list[Evidence]] = {}
        self._titles: dict[tuple[str, str], list[Evidence]] = {}
        for item in items:
            self.add(item)

    def add(self, item: Evidence) -> None:
        """Take an item in."""
        self._keys[item.key] = item
        if place := address(item.url):
            self._addresses.setdefault(place, []).append(item)
        self._titles.setdefault((_plain(item.title), _plain(item.source)), []).append(item)

    def same(
        self, *, guid: str, url: str, title: str, source: str, known_at: dt.datetime
    ) -> tuple[Evidence, Same] | None:
        """Give the item that one of a feed is, and by what: guid, address, or title and source."""
        if guid and (match := self._keys.get(key_of(guid, source))) is not None:
            return match, "guid"
        place = address(url)
        for item in self._addresses.get(place, ()) if place else ():
            if not (guid and item.key.startswith(_PREFIX)):
                return item, "address"
        for item in self._titles.get((_plain(title), _plain(source)), ()):
            named = guid and item.key.startswith(_PREFIX)
            placed = place and address(item.url)
            if not named and not placed and abs(item.known_at - known_at) <= WITHIN:
                return item, "title"
        return None


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
