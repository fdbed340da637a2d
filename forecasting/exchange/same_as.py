"""Questions here and elsewhere that somebody found to ask the same; never matched silently.

A match names a question here and an address there. Once that platform's question is in the ledger,
the series of its crowd or market stands beside one's own forecasts on the review page; it is scored
beside them only where the criteria agree. Where they differ, the match says how.
"""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, cast

from forecasting.app.upkeep import banks
from forecasting.domain import Forecast, Value
from forecasting.domain.catalog import Catalog
from forecasting.domain.forecast import Kind
from forecasting.domain.instants import local_day
from forecasting.domain.reading import plainly
from forecasting.domain.reading.probabilities import decimal
from forecasting.domain.setup import Setup
from forecasting.errors import InvalidInput, NotFound
from forecasting.exchange.people import NOBODY
from forecasting.store import Ledger
from forecasting.store.undone import undone

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


def matches(ledger: Ledger, catalog: Catalog) -> list[Match]:
    """Give the matches that stand: those of the bank, and those that were recorded."""
    by_pair: dict[tuple[str, str], Match] = {}
    for one in _bank_matches(ledger):
        if one.question in catalog.questions:
            by_pair[one.question, _plain(one.url)] = one
    for setup in ledger.setups():
        if setup.subject != "same-as":
            continue
        detail = setup.detail
        key = (detail["question"], _plain(detail["url"]))
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
    at = _by_address(catalog)
    return [
        replace(one, other=one.url if one.url in catalog.questions else _only(at.get(key[1], ())))
        for key, one in sorted(by_pair.items())
    ]


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


def same_as(
    ledger: Ledger,
    question: str,
    url: str,
    *,
    differs: str = "",
    complement: bool = False,
    undo: bool = False,
    forecaster: str,
    now: dt.datetime,
) -> Match:
    """Record that a question here asks what one elsewhere asks, or take that back.

    `url` is the other's address, or its id where it was imported. Where the criteria differ, its
    series is shown and not scored.
    """
    catalog = Catalog.of(ledger)
    if question not in catalog.questions:
        msg = f"no question {plainly(question)}"
        raise NotFound(msg, hint="forecast questions list")
    if not (url in catalog.questions or (url.startswith(("http://", "https://")) and "." in url)):
        msg = f"url ({plainly(url)}): must be an address, or the id of an imported question"
        raise InvalidInput(msg, hint="https://www.metaculus.com/questions/12345")
    if url == question or _plain(url) == _plain(catalog.questions[question].source):
        msg = f"url ({plainly(url)}): is the question itself"
        raise InvalidInput(msg)
    if catalog.questions[question].type != "binary":
        msg = f"question ({question}): only questions of yes or no are matched"
        raise InvalidInput(msg)
    several = _by_address(catalog).get(_plain(url), [])
    if len(several) > 1 and not undo:
        msg = f"url ({plainly(url)}): {len(several)} imported questions have it"
        ids = " or ".join(several[:3])
        raise InvalidInput(msg, hint=f"the id of the one that is meant: {ids}")
    stand = {(one.question, _plain(one.url)) for one in matches(ledger, catalog)}
    if undo and (question, _plain(url)) not in stand:
        msg = f"no match of {question} and {plainly(url)}"
        raise NotFound(msg, hint="forecast questions same-as")
    detail = {"question": question, "url": url}
    detail |= {"differs": differs} if differs else {}
    detail |= {"complement": "yes"} if complement else {}
    detail |= {"undone": "yes"} if undo else {}
    entry = Setup("same-as", f"{question} {_plain(url)}", detail, said_by=forecaster)
    ledger.append([entry], recorded_at=now)
    if undo:
        return Match(question, url, differs=differs, complement=complement, said_by=forecaster)
    current = matches(ledger, catalog)
    return next(one for one in current if (one.question, one.url) == (question, url))


def beside(ledger: Ledger, catalog: Catalog, *, kind: str) -> list[Forecast]:
    """Give the crowds' and markets' forecasts of matched questions, as ours of a `kind`.

    The last of each day within the window; of an opposite question the complement. Where the
    criteria differ the name says so.
    """
    by_other: dict[str, list[Match]] = {}
    for one in matches(ledger, catalog):
        if one.other:
            by_other.setdefault(one.other, []).append(one)
    if not by_other:
        return []
    last: dict[tuple[Any, ...], Forecast] = {}
    for forecast in undone(ledger).left(
        each for name in by_other for each in ledger.forecasts(question=name, kind="imported")
    ):
        if not forecast.forecaster.startswith(NOBODY) or forecast.value.shape != "binary":
            continue
        for one in by_other[forecast.question]:
            mine = catalog.questions[one.question]
            if not mine.opens <= forecast.issued_at < mine.closes:
                continue
            p = forecast.value.entered[0]
            value = Value("binary", ("yes",), (decimal(1 - Decimal(p)) if one.complement else p,))
            name = f"{forecast.forecaster}{DIFFERS}" if one.differs else forecast.forecaster
            key = (mine.id, name, local_day(forecast.issued_at, mine.zone))
            last[key] = replace(
                forecast,
                question=mine.id,
                question_hash=mine.wording_hash,
                forecaster=name,
                value=value,
                kind=cast("Kind", kind),
            )
    return sorted(
        last.values(),
        key=lambda forecast: (forecast.issued_at, forecast.question, forecast.forecaster),
    )
