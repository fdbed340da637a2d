"""Manifold: markets and bets as its API gives them, in one JSON text or a zip of several.

A market (``/v0/markets``, ``/v0/market/ID``) may carry its bets; lists of bets (``/v0/bets``) name
theirs by `contractId`. Times are milliseconds. Probabilities are of YES, also in a bet on NO. Each
answer of a market with several is a question of yes or no here, and those of one market are one
event; its bets name it by `answerId`.

A bet states no probability of a person: it is the price that its maker left standing. It is kept
once as that of the market (``market:manifold``) and once as its maker's, which is how Manifold
draws the calibration of a user. Limit orders that nothing filled, cancelled ones and redemptions of
shares moved no price and are refused. Where several bets of one millisecond move a price, the last
of the chain stands. A market that resolved to a price (``MKT``) or was cancelled is annulled. The
price of a ``PSEUDO_NUMERIC`` market is an expected value; that, polls, bounties, stocks and
perpetuals hold no probability and are refused.

Manifold scores a bet by ``(p - outcome)^2`` from 0 to 1, with p the mean of the prices before and
after it.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from forecasting.domain.instants import iso
from forecasting.domain.reading import plainly, question_id
from forecasting.errors import InvalidInput
from forecasting.exchange.cells import Reading
from forecasting.exchange.format import Format, PlatformRule, QuestionHistory
from forecasting.exchange.record import Facts, Note, Record, Refused, StatedForecast, StatedOutcome
from forecasting.exchange.source import Head, Source
from forecasting.exchange.values import epoch, faulty, number, probability, required

NAME = "manifold"
MARKET = f"market:{NAME}"
_SITE = "https://manifold.markets"
_MS = 1000
#: Kinds of markets whose price is a probability of yes, or of each answer.
BINARY = ("BINARY",)
ANSWERED = ("MULTIPLE_CHOICE", "FREE_RESPONSE", "MULTI_NUMERIC", "DATE", "NUMBER")
#: A closing beyond it, or none, means never; there a question closes with the year 2999.
_LAST = 32_503_679_999_000


def looks_like(head: Head) -> bool:
    """Recognise markets or bets."""
    return any(
        {"outcomeType", "createdTime"} <= one.keys
        or {"contractId", "probBefore", "probAfter"} <= one.keys
        for one in (head, *head.parts)
    )


def read(source: Source, reading: Reading) -> Iterator[Record]:
    """Give each market with its outcome, then each bet that moved a price."""
    markets: dict[str, tuple[int, dict[str, Any]]] = {}
    bets: dict[str, tuple[int, dict[str, Any]]] = {}
    line = twice = 0
    for _, one in source.objects("markets", "bets"):
        if "outcomeType" not in one and "contractId" not in one:
            line += 1
            yield Refused(line, "item: is neither a market nor a bet")
            continue
        into = markets if "outcomeType" in one else bets
        within = one.get("bets") or () if into is markets else ()
        for known, item in ((into, one), *((bets, bet) for bet in within)):
            line += 1
            name = str(item.get("id", line))
            twice += name in known
            known.setdefault(name, (line, item))
    if twice:
        yield Note(f"{twice:,} item{'s' * (twice > 1)} of earlier pages not read again")
    unread: dict[str, str] = {}
    moved = list(_moved(bets.values()))
    bets_of: dict[str, dict[tuple[str, str], list[list[float]]]] = {}
    for price in moved:
        if isinstance(price, _Price) and price.middles:
            of = bets_of.setdefault(price.question, {})
            of.setdefault((iso(price.at), price.after), []).append(price.middles)
    for line, market in markets.values():
        with faulty() as fault:
            number_of = str(required(market, "id"))
            kind = str(market["outcomeType"])
            if kind not in BINARY + ANSWERED:
                unread[number_of] = f"outcomeType ({plainly(kind)}): holds no probability"
                raise InvalidInput(unread[number_of])
            yield from _market(line, market, bets_of)
        yield from fault.refused(line)
    for price in moved:
        if isinstance(price, Refused):
            yield price
        elif price.market in unread:
            yield Refused(price.line, f"market {plainly(price.market)}: {unread[price.market]}")
        else:
            yield from price.records()


@dataclass(slots=True)
class _Price:
    """A bet that moved a price; `of` names those for whom no other bet of its instant did.

    `middles` are those of the prices before and after each bet that its maker made at its instant,
    where it is the last of these.
    """

    line: int
    id: str
    market: str
    question: str
    user: str
    at: dt.datetime
    before: float
    after: str
    of: list[str] = field(default_factory=list)
    middles: list[float] = field(default_factory=list)

    def records(self) -> Iterator[StatedForecast | Refused]:
        for who in self.of:
            yield StatedForecast(self.line, self.question, who, self.after, self.at)
        if not self.of:
            yield Refused(self.line, "bet: another of the same millisecond moved the price on")


def _question(market: str, answer: str = "") -> str:
    return question_id(f"{NAME}-{market}-{answer}" if answer else f"{NAME}-{market}")


def _market(
    line: int, market: Mapping[str, Any], bets: Mapping[str, Any]
) -> Iterator[Facts | StatedOutcome | Refused]:
    number_of, title = str(market["id"]), str(required(market, "question"))
    stated: dict[str, Any] = {
        "type": "binary",
        "opens": epoch(required(market, "createdTime"), name="createdTime", unit=_MS),
        "tags": tuple(sorted({NAME, *map(str, market.get("groupSlugs") or ())})),
        "url": market.get("url") or f"{_SITE}/market/{number_of}",
        "event": _question(number_of),
    }
    if text := market.get("textDescription"):
        stated["criteria"] = str(text)
    # A market that states no close stays open until it is resolved.
    closes = market.get("closeTime")
    if closes is None:
        closes = market.get("resolutionTime") if market.get("isResolved") else None
    at = _LAST if closes is None else min(number(closes, name="closeTime"), _LAST)
    stated["closes"] = epoch(at, name="closeTime", unit=_MS)
    if market["outcomeType"] in BINARY:
        question = _question(number_of)
        more = {"title": title, "bets": bets.get(question, {})}
        yield Facts(question, stated | more, line)
        if resolution := _resolution(market):
            yield _settled(line, question, market, resolution)
        return
    for answer in market.get("answers") or ():
        with faulty() as fault:
            question = _question(number_of, str(required(answer, "id")))
            more = {"title": f"{title}: {required(answer, 'text')}", "bets": bets.get(question, {})}
            yield Facts(question, stated | more, line)
            if resolution := _resolution(market, answer):
                yield _settled(line, question, market, resolution, answer)
        if fault.reason:
            yield Refused(line, f"answer {plainly(str(answer.get('id', '')))}: {fault.reason}")


def _resolution(market: Mapping[str, Any], answer: Mapping[str, Any] | None = None) -> str:
    """Give what a market, or one answer of it, resolved to; empty: nothing yet."""
    own = answer.get("resolution") if answer else None
    resolution = str(own or market.get("resolution") or "")
    if not resolution:
        return ""
    if resolution == "MKT" or (answer and resolution == "CHOOSE_MULTIPLE"):
        share = (answer or market).get("resolutionProbability")
        if share is None and answer:
            per = (market.get("resolutions") or {}).get(str(answer["id"]), 0)
            share = number(per, name="resolutions") / 100
        if share is not None and number(share, name="resolutionProbability") in (0, 1):
            return "YES" if number(share, name="resolutionProbability") else "NO"
        return f"MKT {share}" if share is not None else "MKT"
    if answer and resolution not in ("YES", "NO", "CANCEL", "N/A"):
        # The market names the answer that won.
        return "YES" if resolution == str(answer["id"]) else "NO"
    return resolution


def _settled(
    line: int,
    question: str,
    market: Mapping[str, Any],
    resolution: str,
    answer: Mapping[str, Any] | None = None,
) -> StatedOutcome:
    # An answer may be known long before the market is, and while it is open.
    at = (answer or {}).get("resolutionTime") or required(market, "resolutionTime")
    plain = {"YES": "yes", "NO": "no"}.get(resolution, "annulled")
    return StatedOutcome(
        line=line,
        question=question,
        outcome=plain,
        resolved_at=epoch(at, name="resolutionTime", unit=_MS),
        source=str(market.get("url") or "Manifold"),
        note="" if plain != "annulled" else resolution,
    )


def _moved(bets: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[_Price | Refused]:
    """Give each bet with whose number the price after it is, or why it moved none."""
    together: dict[tuple[str, dt.datetime], list[_Price]] = {}
    for line, bet in bets:
        with faulty() as fault:
            price = _price(line, bet)
            together.setdefault((price.question, price.at), []).append(price)
        yield from fault.refused(line)
    for prices in together.values():
        _last(prices).of.append(MARKET)
        for user in {one.user for one in prices}:
            mine = [one for one in prices if one.user == user]
            last = _last(mine)
            last.of.append(user)
            last.middles = [(one.before + float(one.after)) / 2 for one in mine]
        yield from prices


def _price(line: int, bet: Mapping[str, Any]) -> _Price:
    if bet.get("isRedemption"):
        raise InvalidInput("bet: a redemption of shares moves no price")
    empty = not number(bet.get("amount") or 0, name="amount")
    if empty and (bet.get("isCancelled") or bet.get("limitProb") is not None):
        raise InvalidInput("bet: a limit order that nothing filled")
    market = str(required(bet, "contractId"))
    return _Price(
        line=line,
        id=str(required(bet, "id")),
        market=market,
        question=_question(market, str(bet.get("answerId") or "")),
        user=str(bet.get("userId") or ""),
        at=epoch(required(bet, "createdTime"), name="createdTime", unit=_MS),
        before=float(probability(required(bet, "probBefore"), name="probBefore")),
        after=probability(required(bet, "probAfter"), name="probAfter"),
    )


def _last(prices: list[_Price]) -> _Price:
    """Give the bet at whose end no other one begins."""
    begins = {one.before for one in prices}
    ends = [one for one in prices if float(one.after) not in begins] or prices
    return max(ends, key=lambda one: one.id)


def brier(history: QuestionHistory) -> dict[str, list[float]]:
    r"""Score each bet by :math:`(p - y)^2`, p between the prices before and after, for its maker.

    The price that the market stood at after it is no second bet.
    """
    y = float(history.outcome == "yes")
    left = {place: list(each) for place, each in history.stated.get("bets", {}).items()}
    scores: dict[str, list[float]] = {}
    for one in history.forecasts:
        if one.forecaster != MARKET and (
            each := left.get((iso(one.issued_at), one.value.entered[0]))
        ):
            scores.setdefault(one.forecaster, []).extend((p - y) ** 2 for p in each.pop(0))
    return scores


FORMAT = Format(
    name=NAME,
    what="Manifold JSON (markets, bets or both)",
    looks_like=looks_like,
    read=read,
    rules={
        "brier": PlatformRule(
            score=brier,
            convention="0 to 1, smaller is better, each bet once",
            why="`forecast score` weighs by time the price after a bet; here the middle of its "
            "prices counts once, and the platform takes a sample of bets",
        )
    },
)
