"""Kalshi: markets and candlesticks of its API ``trade-api/v2``, in one JSON text or a zip.

A market is known by its `ticker`; candlesticks carry it as `ticker` or `market_ticker`. Prices were
whole cents and became texts of dollars (``close_dollars``, or ``close`` with a decimal point). A
candle without a trade has no closing price: the middle of its bid and ask stands for it, where both
are real; a bid of 0 beside an ask of 1 says nothing, and is refused. A candle stands at its end.

Prices are the forecasts of ``market:kalshi``. A market that settled on neither side is annulled.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from forecasting.domain.reading import question_id
from forecasting.domain.reading.probabilities import decimal
from forecasting.errors import InvalidInput
from forecasting.exchange.cells import Reading
from forecasting.exchange.format import Format
from forecasting.exchange.record import Facts, Record, Refused, StatedForecast, StatedOutcome
from forecasting.exchange.source import Head, Source
from forecasting.exchange.values import epoch, faulty, instant, number, probability, required

NAME = "kalshi"
MARKET = f"market:{NAME}"
_SETTLED = ("settled", "finalized", "determined")


def looks_like(head: Head) -> bool:
    """Recognise markets or candlesticks."""
    return any(
        {"ticker", "event_ticker"} <= one.keys or {"candlesticks", "end_period_ts"} <= one.keys
        for one in (head, *head.parts)
    )


def read(source: Source, reading: Reading) -> Iterator[Record]:
    """Give each market with its outcome, and the price of every candle."""
    line, seen = 0, set[str]()
    for part, one in source.objects("markets", "market"):
        line += 1
        ticker = str(one.get("ticker") or one.get("market_ticker") or "")
        if "event_ticker" in one and ticker not in seen:
            seen.add(ticker)
            with faulty() as fault:
                yield from _market(line, one)
            yield from fault.refused(line)
        elif "event_ticker" not in one and "candlesticks" not in one:
            yield Refused(line, "item: is neither a market nor candlesticks")
        for candle in one.get("candlesticks") or ():
            line += 1
            with faulty() as fault:
                if not ticker:
                    ticker = part.name.rpartition(".")[0] if source.head.members else ""
                if not ticker:
                    raise InvalidInput("ticker: is missing, so whose candle it is cannot be told")
                yield StatedForecast(
                    line=line,
                    question=_question(ticker),
                    forecaster=MARKET,
                    answer=_price(candle),
                    issued_at=epoch(required(candle, "end_period_ts"), name="end_period_ts"),
                )
            yield from fault.refused(line)


def _question(ticker: str) -> str:
    return question_id(f"{NAME}-{ticker}")


def _market(line: int, market: Mapping[str, Any]) -> Iterator[Facts | StatedOutcome]:
    ticker, title = str(required(market, "ticker")), str(required(market, "title")).strip()
    if market.get("market_type") not in (None, "", "binary"):
        raise InvalidInput(f"market_type ({market['market_type']}): its price is no probability")
    side = str(market.get("yes_sub_title") or "").strip()
    event = str(required(market, "event_ticker"))
    url = f"https://kalshi.com/markets/{event.partition('-')[0].lower()}"
    stated: dict[str, Any] = {
        "title": f"{title} ({side})" if side and side not in title else title,
        "type": "binary",
        "opens": instant(required(market, "open_time"), name="open_time"),
        "closes": instant(required(market, "close_time"), name="close_time"),
        # The markets of one event are its answers.
        "event": question_id(f"{NAME}-event-{event}"),
        "tags": (NAME,),
        "url": url,
    }
    rules = [str(market.get(key) or "").strip() for key in ("rules_primary", "rules_secondary")]
    if any(rules):
        stated["criteria"] = "\n\n".join(filter(None, rules))
    yield Facts(_question(ticker), stated, line)
    result = str(market.get("result") or "").lower()
    if str(market.get("status") or "").lower() not in _SETTLED:
        return
    # `expiration_time` is the last moment at which it may expire, not when it was settled.
    when = market.get("settlement_ts") or market["close_time"]
    yield StatedOutcome(
        line=line,
        question=_question(ticker),
        outcome=result if result in ("yes", "no") else "annulled",
        resolved_at=instant(when, name="settlement_ts"),
        source=url,
        note="" if result in ("yes", "no") else f"result {result or 'void'}",
    )


def _dollars(side: Any, name: str) -> Decimal | None:
    if not isinstance(side, dict):
        return None
    value = side.get("close_dollars")
    if value is None or value == "":
        value = side.get("close")
        if value is None or value == "":
            return None
        # A whole number is cents, also of markets at 1 cent.
        return number(value, name=name) / (1 if "." in str(value) else 100)
    return number(value, name=name)


def _price(candle: Any) -> str:
    traded = _dollars(required(candle, "price"), "price")
    if traded is not None:
        return probability(traded, name="price")
    bid, ask = (_dollars(candle.get(side), side) for side in ("yes_bid", "yes_ask"))
    if bid is None or ask is None or bid <= 0 or ask >= 1 or bid > ask:
        raise InvalidInput("candle: no trade, and no bid and ask to stand for one")
    return decimal((bid + ask) / 2)


FORMAT = Format(
    name=NAME, what="Kalshi JSON (markets, candlesticks or both)", looks_like=looks_like, read=read
)
