"""Questions here and elsewhere that somebody found to ask the same; never matched silently.

A match names a question here and an address there. Once that platform's question is in the ledger,
the series of its crowd or market stands beside one's own forecasts on the review page; it is scored
beside them only where the criteria agree. Where they differ, the match says how.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from forecasting.app.upkeep import banks
from forecasting.domain.catalog import Catalog
from forecasting.errors import InvalidInput
from forecasting.store import Ledger

FILE = "same-as.json"
#: What stands behind the name of a crowd whose question has other criteria.
DIFFERS = " (other criteria)"


@dataclass(frozen=True, slots=True)
class Match:
    """A question here and one elsewhere.

    `other` is the id of the other in the ledger (empty: not imported); with `complement` it asks
    the opposite; `differs` says where the criteria do; `said_by` who found so (empty: the bank).
    """

    question: str
    url: str
    other: str = ""
    complement: bool = False
    differs: str = ""
    said_by: str = ""


def _by_address(catalog: Catalog) -> dict[str, list[str]]:
    """Give the ids of the questions of yes or no of each address: a group has one for several."""
    ids: dict[str, list[str]] = {}
    for one in catalog.questions.values():
        if one.source and one.type == "binary":
            ids.setdefault(_plain(one.source), []).append(one.id)
    return ids


def _only(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ""


def _bank_matches(ledger: Ledger) -> Iterable[Match]:
    folder = banks.folder_of(ledger)
    place = None if folder is None else folder / FILE
    if place is None or not place.is_file():
        return []
    try:
        rows = json.loads(place.read_text(encoding="utf-8"))
        return [
            Match(row["question"], row["url"], complement=bool(row.get("complement")),
                  differs=row["differs"])
            for row in rows
        ]  # fmt: skip
    except (ValueError, KeyError, TypeError) as broken:
        msg = f"file ({place}): must be a list of question, url and differs ({broken})"
        raise InvalidInput(
            msg, hint='[{"question": "q", "url": "https://...", "differs": ""}]'
        ) from (broken)


def _plain(url: str) -> str:
    """Give an address without what changes: its scheme, a closing slash, words after a number.

    Polymarket shows a market under its event, and links to it by its own name.
    """
    text = url.strip().partition("//")[2] or url.strip()
    host, slash, path = text.partition("?")[0].partition("#")[0].rstrip("/").partition("/")
    parts = [host.lower().removeprefix("www."), *path.split("/")] if slash else [text]
    if parts[0] == "polymarket.com" and len(parts) == 4 and parts[1] == "event":
        parts = [parts[0], "market", parts[3]]
    if len(parts) > 2 and parts[1] == "questions" and parts[2].isdigit():
        parts = parts[:3]
    return "/".join(parts)
