"""Polymarket: markets of its Gamma API and price histories of its CLOB API, in one JSON or a zip.

A market is known by its `conditionId`; `outcomes`, `outcomePrices` and `clobTokenIds` are JSON
within a text. A price history, ``{"history": [{"t": seconds, "p": price}]}``, does not say whose it
is: it stands in its market's object, beside a key `market`, `conditionId` or `token`, or in a file
that is named by the token, the condition or the slug; its market may have come before, whose tokens
stand in the background of its question. A token is one outcome, and the price of the second is
turned over. The first outcome is yes; where it is not called so, the title
names it.

Prices are the forecasts of ``market:polymarket``. An outcome stands once the oracle has resolved
(``umaResolutionStatus``); half and half is annulled; a market that is merely closed is open. The
oracle pays 1, 0 or half: within a cent of 1 or 0, as markets of the first years state it, is that.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from forecasting.domain.question import Question
from forecasting.domain.reading import plainly, question_id
from forecasting.domain.reading.probabilities import decimal
from forecasting.errors import InvalidInput
from forecasting.exchange.cells import Reading
from forecasting.exchange.format import Format
from forecasting.exchange.record import (
    Facts,
    Record,
    Refused,
    StatedForecast,
    StatedOutcome,
    Statements,
)
from forecasting.exchange.source import Head, Source
from forecasting.exchange.values import epoch, faulty, instant, number, probability, required

NAME = "polymarket"
MARKET = f"market:{NAME}"
#: Before the name by which a history calls a market that its file does not hold.
_NAMED = f"{NAME}?"
#: Before the tokens of a market, in the background of its question.
_TOKENS = "Tokens of its outcomes, the first being yes: "
_NAMED_BY = ("market", "conditionId", "condition_id", "token", "token_id", "tokenId", "asset_id")


def looks_like(head: Head) -> bool:
    """Recognise markets or price histories."""
    return any(
        {"conditionId", "clobTokenIds"} <= one.keys or {"history", "t", "p"} <= one.keys
        for one in (head, *head.parts)
    )


def read(source: Source, reading: Reading) -> Iterator[Record]:
    """Give each market with its outcome, then every price."""
    markets: dict[str, tuple[int, dict[str, Any]]] = {}
    histories: list[tuple[str, Any]] = []
    line = 0
    for part, one in source.objects("markets", "data", "events"):
        line += 1
        if "outcomePrices" in one or "clobTokenIds" in one:
            number_of = str(one.get("conditionId") or "")
            markets.setdefault(number_of, (line, one))
            if "history" in one:
                histories.append((number_of, one["history"]))
        elif "history" in one:
            stem = PurePosixPath(part.name).stem
            named = next((str(one[key]) for key in _NAMED_BY if one.get(key)), stem)
            histories.append((named, one["history"]))
        else:
            yield Refused(line, "item: is neither a market nor a price history")
    names: dict[str, tuple[str, bool]] = {}
    for number_of, (place, market) in markets.items():
        with faulty() as fault:
            yield from _market(place, market)
            question = _question(number_of)
            names |= {number_of: (question, False), str(market.get("slug")): (question, False)}
            tokens = _within(market, "clobTokenIds")
            names |= {str(one): (question, i == 1) for i, one in enumerate(tokens)}
        yield from fault.refused(place)
    for named, points in histories:
        known = names.get(named)
        if known is None and named.startswith("0x"):
            known = (_question(named), False)
        for point in points if isinstance(points, list) else ():
            line += 1
            with faulty() as fault:
                yield _price(line, point, *(known or (f"{_NAMED}{named}", False)))
            yield from fault.refused(line)


def place(statements: Statements, questions: Mapping[str, Question]) -> None:
    """Give the prices of a token or slug to its market, where that came in an earlier file."""
    waiting = {one.question for one in statements.forecasts if one.question.startswith(_NAMED)}
    if not waiting:
        return
    names: dict[str, tuple[str, bool]] = {}
    for question in questions.values():
        if question.id.startswith(f"{NAME}-"):
            names[question.source.rpartition("/")[2]] = (question.id, False)
            tokens = question.background.removeprefix(_TOKENS).rstrip(".").split(", ")
            names |= {token: (question.id, i == 1) for i, token in enumerate(tokens)}
    left = []
    for one in statements.forecasts:
        named = one.question.removeprefix(_NAMED)
        if one.question not in waiting:
            left.append(one)
        elif named in names:
            one.question, turned = names[named]
            one.answer = _turned(str(one.answer)) if turned else one.answer
            left.append(one)
        else:
            reason = f"history ({plainly(named[:40])}): no market here or in the file is called so"
            statements.refused.append(Refused(one.line, reason))
    statements.forecasts = left


def _turned(price: str) -> str:
    return decimal(1 - number(price, name="p"))


def _question(number_of: str) -> str:
    return question_id(f"{NAME}-{number_of.lower()}")


def _within(market: Mapping[str, Any], key: str) -> list[Any]:
    """Read a list that is written as JSON within a text."""
    items = market.get(key) or []
    try:
        items = json.loads(items) if isinstance(items, str) else items
    except ValueError:
        items = None
    if not isinstance(items, list):
        raise InvalidInput(f"{key}: must be a list")
    return items


def _market(line: int, market: Mapping[str, Any]) -> Iterator[Facts | StatedOutcome]:
    number_of = str(required(market, "conditionId"))
    names = list(map(str, _within(market, "outcomes")))
    if len(names) != 2:
        raise InvalidInput(f"outcomes ({len(names)}): a market has two")
    title = str(required(market, "question")).strip()
    plain = [name.strip().lower() for name in names] == ["yes", "no"]
    slug = market.get("slug")
    url = f"https://polymarket.com/market/{slug}" if slug else "https://polymarket.com"
    stated: dict[str, Any] = {
        "title": title if plain else f"{title} ({names[0]})",
        "type": "binary",
        "tags": (NAME,),
        "url": url,
    }
    if tokens := _within(market, "clobTokenIds"):
        stated["background"] = f"{_TOKENS}{', '.join(map(str, tokens))}."
    if text := market.get("description"):
        stated["criteria"] = str(text)
    for name, keys in (("opens", ("startDate", "createdAt")), ("closes", ("endDate",))):
        if time := next((market[key] for key in keys if market.get(key)), None):
            stated[name] = instant(time, name=name)
    yield Facts(_question(number_of), stated, line)
    if str(market.get("umaResolutionStatus") or "").lower() != "resolved":
        return
    prices = [number(one, name="outcomePrices") for one in _within(market, "outcomePrices")]
    when = next(
        (market[key] for key in ("umaEndDate", "closedTime", "endDate") if market.get(key)), None
    )
    paid = [round(one, 2) for one in prices]
    outcome = "yes" if paid == [1, 0] else "no" if paid == [0, 1] else "annulled"
    yield StatedOutcome(
        line=line,
        question=_question(number_of),
        outcome=outcome,
        resolved_at=instant(when or "", name="umaEndDate"),
        source=url,
        note="" if outcome != "annulled" else f"resolved to {' and '.join(map(str, prices))}",
    )


def _price(line: int, point: Any, question: str, turned: bool) -> StatedForecast:
    share = probability(required(point, "p"), name="p")
    return StatedForecast(
        line=line,
        question=question,
        forecaster=MARKET,
        answer=_turned(share) if turned else share,
        issued_at=epoch(required(point, "t"), name="t"),
    )


FORMAT = Format(
    name=NAME,
    what="Polymarket JSON (markets, price histories or both)",
    looks_like=looks_like,
    read=read,
    place=place,
)
