"""Phrases: how an analyst says how fast a thing comes, and how much faster another makes it.

A move's phrase is empty (learned from its own history), a count (``3 in 70 weeks``, ``once in 8
mo``, ``5% a year``), a median time with its 90 % range (``median 60 d (15..240)``), a reference
class (``class past-truces``, or faster by a factor: ``class past-truces x2 (1..4)``) or a day
(``at 2025-04-17``); ``shape``, ``at once`` and ``for good`` may follow a count or a median.
"""

import re
from dataclasses import replace
from math import log1p

from forecasting.domain.instants import parse_when
from forecasting.domain.process import Phrase
from forecasting.errors import InvalidInput

YEAR = 365.25
#: Days of a unit, by each of its spellings.
UNITS = {
    spelling: days
    for days, spellings in (
        (1 / 24, ("h", "hour", "hours")),
        (1.0, ("d", "day", "days")),
        (7.0, ("w", "week", "weeks")),
        (YEAR / 12, ("mo", "month", "months")),
        (YEAR, ("y", "year", "years")),
    )
    for spelling in spellings
}
#: A link's 90 % range reaches at most this factor to either side of its median.
MOST_FACTOR = 9.0
MOST_SHAPE = 5.0
# Not \d, which takes the digits of every script.
_NUMBER = r"(?:[0-9]{1,9}(?:\.[0-9]{1,9})?|\.[0-9]{1,9})"
_UNIT = "|".join(sorted(UNITS, key=len, reverse=True))
_SPAN = rf"(?P<number>{_NUMBER})\s*(?P<unit>{_UNIT})"
_RANGE = rf"\(\s*(?P<low>{_NUMBER})\s*\.\.\s*(?P<high>{_NUMBER})\s*\)"
_COUNT = re.compile(rf"(?P<count>once|{_NUMBER})\s+in\s+{_SPAN}")
_PER = re.compile(
    rf"(?P<count>once|{_NUMBER})\s*(?:times\s+)?(?:a|an|per|/|every)\s*(?P<unit>{_UNIT})"
)
_SHARE_A = re.compile(rf"(?P<share>{_NUMBER})\s*%\s+(?:a|an|per)\s+(?P<unit>{_UNIT})")
_MEDIAN = re.compile(rf"median\s+{_SPAN}\s*{_RANGE}")
_CLASS = re.compile(r"class\s+(?P<name>[a-z0-9]+(?:-[a-z0-9]+)*)(?:\s+(?P<factor>[x×].*))?")
_DATE = re.compile(r"at\s+(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}\S*)")
_SHAPE = re.compile(rf"shape\s+(?P<number>{_NUMBER})(?:\s*{_RANGE})?")
_SHARE = re.compile(rf"(?:at once|for good)\s+(?P<number>{_NUMBER})(?P<percent>\s*%)?")
#: As people separate the parts that follow.
_BETWEEN = re.compile(r"\s*[;,]\s*(?:and\s+)?(?=(?:shape|at once|for good)\b)")
_TAIL = re.compile(r"(?<!\S)(?=(?:shape|at once|for good)\b)")
WHOLE = "median 90 d (20..500) shape 0.7 (0.5..1) at once 10% for good 25%"
EXAMPLES = "3 in 70 weeks, once in 8 mo, 5% a year, median 60 d (15..240), class past-truces"


def parse_span(text: str) -> float:
    """Read a span of time as days."""
    match = re.fullmatch(_SPAN, text.strip())
    if match is None:
        msg = f"span ({text.strip()[:60]}): must be a number with d, w, mo, y or h"
        raise InvalidInput(msg, hint="30d")
    days = float(match["number"]) * UNITS[match["unit"]]
    if not days > 0.0:
        raise InvalidInput(f"span ({text.strip()}): must be above 0", hint="30d")
    return days


def parse_ratio(text: str) -> tuple[float, float, float]:
    """Read how much faster: the median of a hazard ratio with its 90 % range."""
    stated = text.strip()
    match = re.fullmatch(rf"[x×]\s*(?P<number>{_NUMBER})(?:\s*{_RANGE})?", stated)
    if match is None:
        msg = f"ratio ({stated[:60]}): must be a factor with its 90 % range"
        raise InvalidInput(msg, hint="x3 (1..9)")
    if match["low"] is None:
        raise InvalidInput(f"ratio ({stated}): needs its 90 % range", hint=f"{stated} (LOW..HIGH)")
    median, low, high = _in_range(match, "ratio", stated)
    far = 1.0 + 1e-9
    if median > MOST_FACTOR * far * low or high > MOST_FACTOR * far * median:
        msg = f"ratio ({stated}): its range may reach a factor {MOST_FACTOR:g} to either side"
        hint = f"x{median:g} ({median / MOST_FACTOR:.2g}..{median * MOST_FACTOR:.2g}) at most"
        raise InvalidInput(msg, hint=hint)
    return median, low, high


def parse_share(text: str) -> float:
    """Read the share of the past in which a link was on, ``40%`` or ``0.4``."""
    stated = text.strip()
    match = re.fullmatch(rf"({_NUMBER})\s*(%?)", stated)
    share = float(match[1]) / (100.0 if match[2] else 1.0) if match else -1.0
    if not 0.0 <= share <= 1.0:
        raise InvalidInput(f"past ({stated[:60]}): must be a share from 0 to 1", hint="40%")
    return share


def parse_phrase(text: str, zone: str = "UTC") -> Phrase:
    """Read how fast a move comes; a day is the midnight in the zone that ends it."""
    stated = " ".join(text.split())
    head, *tails = (part.strip() for part in _TAIL.split(_BETWEEN.sub(" ", stated)))
    phrase = _head(head, stated, zone)
    if tails and phrase.form in {"class", "date"}:
        raise _wrong(stated, f"nothing can follow a {phrase.form}", head)
    words = [tail.split(" ", 1)[0] if tail.startswith("shape") else tail[:7] for tail in tails]
    if len(set(words)) < len(words):
        raise _wrong(stated, "says the same thing twice", "shape 0.8 at once 10% for good 5%")
    for word, tail in zip(words, tails, strict=True):
        if word == "shape":
            shape, low, high = _shape(tail, stated)
            phrase = replace(phrase, shape=shape, shape_low=low, shape_high=high)
        elif word == "at once":
            phrase = replace(phrase, at_once=_share(word, tail, stated))
        else:
            phrase = replace(phrase, for_good=_share(word, tail, stated))
    if phrase.at_once + phrase.for_good > 1.0:
        raise _wrong(
            stated, "at once and for good are more than 100 % together", "at once 10% for good 5%"
        )
    return phrase


def _head(head: str, stated: str, zone: str) -> Phrase:
    """Read what comes before shape and shares."""
    if not head:
        return Phrase("history", stated)
    if match := _COUNT.fullmatch(head):
        exposure = float(match["number"]) * UNITS[match["unit"]]
        if not exposure > 0.0:
            raise _no_exposure(stated)
        count = 1.0 if match["count"] == "once" else float(match["count"]) + 0.5
        return Phrase("count", stated, count=count, exposure=exposure)
    if match := _SHARE_A.fullmatch(head):
        share = float(match["share"]) / 100.0
        if not 0.0 < share < 1.0:
            raise _wrong(stated, "the share must lie between 0 and 100 %", "5% a year")
        return Phrase("count", stated, count=1.0, exposure=UNITS[match["unit"]] / -log1p(-share))
    if match := _MEDIAN.fullmatch(head):
        median, low, high = _in_range(match, "phrase", stated)
        if not low < high:
            raise _wrong(stated, "its range must not be a point", "median 60 d (15..240)")
        scale = UNITS[match["unit"]]
        return Phrase("median", stated, median=median * scale, low=low * scale, high=high * scale)
    if match := _CLASS.fullmatch(head):
        median, low, high = parse_ratio(match["factor"]) if match["factor"] else (1.0, 1.0, 1.0)
        return Phrase("class", stated, median=median, low=low, high=high, reference=match["name"])
    if match := _DATE.fullmatch(head):
        at = parse_when(match["day"], zone_name=zone, day_means="ends")
        return Phrase("date", stated, at=at)
    if re.fullmatch(rf"median\s+{_SPAN}", head):
        raise _wrong(stated, "a median needs its 90 % range", f"{head} (LOW..HIGH)")
    if match := _PER.fullmatch(head):
        raise _wrong(
            stated, "a count is said as one over a time", f"{match['count']} in 1 {match['unit']}"
        )
    if re.fullmatch(rf"(?:once|{_NUMBER})(?:\s+(?:in|times|of).*)?", head):
        raise _no_exposure(stated)
    if re.match(rf"median\s+{_SPAN}\s*{_RANGE}", head):
        raise _wrong(stated, "after its range come only shape, at once and for good", WHOLE)
    raise _wrong(stated, "does not say how fast it happens in a form known here", EXAMPLES)


def _wrong(stated: str, rule: str, hint: str) -> InvalidInput:
    return InvalidInput(f"phrase ({stated[:80]}): {rule}", hint=hint)


def _no_exposure(stated: str) -> InvalidInput:
    return _wrong(stated, "a count needs the time over which it was counted", "3 in 70 weeks")


def _in_range(match: re.Match[str], what: str, stated: str) -> tuple[float, float, float]:
    """Give median, low and high of a range that holds its median."""
    median, low, high = (float(match[name]) for name in ("number", "low", "high"))
    if not (low > 0.0 and median > 0.0):
        raise InvalidInput(f"{what} ({stated[:80]}): median and range must be above 0")
    if not low <= median <= high:
        msg = f"{what} ({stated[:80]}): the range {low:g}..{high:g} must hold its median {median:g}"
        raise InvalidInput(msg, hint=f"({median / 3:.2g}..{median * 3:.2g})")
    return median, low, high


def _shape(tail: str, stated: str) -> tuple[float, float, float]:
    match = _SHAPE.fullmatch(tail)
    if match is None:
        raise _wrong(
            stated, "shape takes a number, and a range in brackets", "shape 0.8 (0.6..1.1)"
        )
    shape = float(match["number"])
    low, high = shape, shape
    if match["low"] is not None:
        shape, low, high = _in_range(match, "phrase", stated)
    if not (shape > 0.0 and high <= MOST_SHAPE):
        raise _wrong(stated, f"shape must lie above 0 and not exceed {MOST_SHAPE:g}", "shape 0.8")
    return shape, low, high


def _share(word: str, tail: str, stated: str) -> float:
    match = _SHARE.fullmatch(tail)
    share = float(match["number"]) / (100.0 if match["percent"] else 1.0) if match else -1.0
    if not 0.0 <= share <= 1.0:
        raise _wrong(stated, f"{word} takes a share from 0 to 100 %", f"{word} 10%")
    return share
