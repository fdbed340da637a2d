"""When two items of feeds are one: by guid, else by address, else by title within two days.

A date that a feed bumps, a comma that it mends, a summary that grows make no second item.
"""

import datetime as dt
import hashlib
import unicodedata
from collections.abc import Iterable
from typing import Literal

from forecasting.domain.evidence import Evidence
from forecasting.evidence.similar import WITHIN, address

Same = Literal["guid", "address", "title"]
_PREFIX = "feed-"


def key_of(guid: str, source: str) -> str:
    """Give the key of an item whose feed names it: the same whatever else of it changes."""
    unique = f"{_plain(source)}\0{guid.strip()}"
    return f"{_PREFIX}{hashlib.sha256(unique.encode()).hexdigest()[:16]}"


class Items:
    """Items that are recorded, or about to be, looked up by what does not change."""

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
        """Give the item that one of a feed is, and by what; None for a new one.

        Two guids decide; where one has none, two addresses; where one has none either, the title
        and the source within two days.
        """
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
