"""Questions here and elsewhere that somebody found to ask the same; never matched silently.

A match names a question here and an address there. Once that platform's question is in the ledger,
the series of its crowd or market stands beside one's own forecasts on the review page; it is scored
beside them only where the criteria agree. Where they differ, the match says how.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from forecasting.domain.catalog import Catalog
from forecasting.domain.setup import Setup
from forecasting.errors import InvalidInput

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


def standing(folder: Path | None, setups: Iterable[Setup], catalog: Catalog) -> list[Match]:
    """Give the matches that stand: those of a bank's folder, and those that were recorded."""
    by_pair: dict[tuple[str, str], Match] = {}
    for one in _of_bank(folder):
        if one.question in catalog.questions:
            by_pair[one.question, plain_address(one.url)] = one
    for setup in setups:
        if setup.subject != "same-as":
            continue
        detail = setup.detail
        key = (detail["question"], plain_address(detail["url"]))
        if detail.get("undone"):
            by_pair.pop(key, None)
        else:
            by_pair[key] = Match(
                detail["question"],
                detail["url"],
                complement=detail.get("complement") == "yes",
                differs=detail.get("differs", ""),
                said_by=setup.said_by,
            )
    at = by_address(catalog)
    result = []
    for (_, address), one in sorted(by_pair.items()):
        there = [one.url] if one.url in catalog.questions else at.get(address, [])
        # An address that several questions have names none of them.
        result.append(replace(one, other=there[0] if len(there) == 1 else ""))
    return result


def by_address(catalog: Catalog) -> dict[str, list[str]]:
    """Give the ids of the questions of yes or no of each address: a group has one for several."""
    ids: dict[str, list[str]] = {}
    for one in catalog.questions.values():
        if one.source and one.type == "binary":
            ids.setdefault(plain_address(one.source), []).append(one.id)
    return ids


def _of_bank(folder: Path | None) -> Iterable[Match]:
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


def plain_address(url: str) -> str:
    """Give an address without what changes: scheme, closing slash, words after a number."""
    text = url.strip().partition("//")[2] or url.strip()
    host, slash, path = text.partition("?")[0].partition("#")[0].rstrip("/").partition("/")
    parts = [host.lower().removeprefix("www."), *path.split("/")] if slash else [text]
    if parts[0] == "polymarket.com" and len(parts) == 4 and parts[1] == "event":
        parts = [parts[0], "market", parts[3]]
    if len(parts) > 2 and parts[1] == "questions" and parts[2].isdigit():
        parts = parts[:3]
    return "/".join(parts)
