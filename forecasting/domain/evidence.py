"""Evidence: a dated item, when the world could know it, and what it bears on.

Three classes are never mixed: *facts* (something happened: it enters a process as certain),
*reports* (somebody claims or announces: they hasten or slow a process within what the source's
reliability allows, and fade), and judgements, which are forecasts of a forecaster and live with the
forecasts.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf, sqrt
from typing import Literal

from forecasting.domain.instants import iso
from forecasting.domain.phrase import UNITS
from forecasting.errors import InvalidInput

EvidenceKind = Literal["datum", "report"]
GRADES = ("A", "B", "C", "D", "E", "F")
#: Outcome data as older entries name them on a question, and whether each takes a number.
DATA: Mapping[str, bool] = {
    "ended": False,
    "violated": False,
    "occurred": False,
    "begun": False,
    "completed": False,
    "stalled": False,
    "soft": False,
    "firm": False,
    "collapsed": False,
    "delivered": True,
}
#: Days after which half of a report's weight is left, unless the item says otherwise.
HALF_LIFE = 30.0
LASTING = "lasting"
#: The names of the facts of a process.
FACTS = ("state", "event", "part")
_CODES = (0.25, 0.5, 1.0, 2.0, 4.0)
_SCALE = {"-2": 0.25, "-1": 0.5, "0": 1.0, "+1": 2.0, "+2": 4.0}
#: Codes from what slows most to what hastens most.
CODES = tuple(_SCALE)
#: A stated probability is read no further out than this: a flat claim is not infinite evidence.
STANCE_LEAST, STANCE_MOST = 0.005, 0.995
#: In days.
MOST_HALF_LIFE = 36_525.0
# Not \d, which takes the digits of every script.
_NUMBER = r"(?:[0-9]{1,400}(?:\.[0-9]{1,400})?|\.[0-9]{1,400})"
#: The stream of the entries that grade a source.
GRADES_STREAM = "sources"


@dataclass(frozen=True, slots=True)
class Effect:
    """What one item does to one target.

    `target` is a process, ``process=state``, a question or ladder, ``question=option``, or
    ``class/row`` of a reference class. `form` is ``likelihood`` (a, b: the report's probability if
    the answer is yes and if it is no; their ratio is that of the hazards), ``datum`` (a named
    fact), ``bears`` (nobody has coded how strongly), or ``stance``, as older entries say how likely
    the source calls it, which is read as a code. `detail` is plain data: ``a, b, u`` and
    ``half_life`` (days or ``lasting``); ``probability`` or ``code``; ``name, at`` and ``state`` or
    ``value``. `stated` is as the analyst wrote it.
    """

    target: str
    form: Literal["likelihood", "stance", "datum", "bears"]
    detail: Mapping[str, str | float]
    stated: str = ""

    @property
    def about(self) -> str:
        """What the target names, without a state or an option."""
        return self.target.partition("=")[0]

    @property
    def name(self) -> str:
        """The name of a datum, empty for other forms."""
        return str(self.detail.get("name", ""))

    @property
    def reports(self) -> bool:
        """Whether it is a report, which moves a hazard, and no fact."""
        return self.form in ("likelihood", "stance")


@dataclass(frozen=True, slots=True)
class Evidence:
    """One dated item of evidence.

    `event_at` is when it happened, `known_at` when the world could know it, `recorded_at` and
    `seq` when this ledger did (None before it is recorded). `story` groups reports of one thing.
    """

    key: str
    kind: EvidenceKind
    title: str
    source: str
    known_at: dt.datetime
    effects: tuple[Effect, ...]
    event_at: dt.datetime | None = None
    url: str = ""
    certainty: str = ""
    grade: str = "F"
    story: str = ""
    stream: str = ""
    note: str = ""
    recorded_at: dt.datetime | None = None
    seq: int | None = None

    def __post_init__(self) -> None:
        if self.event_at is not None and self.event_at > self.known_at:
            msg = (
                f"known_at ({self.known_at.isoformat()}): an item cannot be known before it "
                f"happened ({self.event_at.isoformat()})"
            )
            raise InvalidInput(msg)
        if self.grade not in GRADES:
            raise InvalidInput(f"grade ({self.grade}): must be one of {', '.join(GRADES)}")

    @property
    def reports(self) -> bool:
        """Whether it holds a report."""
        return any(effect.reports for effect in self.effects)

    @property
    def told_event(self) -> str:
        """The event that it tells of: its story, without what is behind a slash."""
        return (self.story or self.key).partition("/")[0]


@dataclass(frozen=True, slots=True)
class Stated:
    """What ``--on`` says: a target and an effect on it, or a fact of a process."""

    target: str
    effect: str = ""
    fact: str = ""


def split_on(text: str) -> Stated:
    """Tell target, effect and fact apart, by the spelling of what stands after the last ``=``."""
    whole = re.sub(r"\s*([=|])\s*", r"\1", text.strip())
    head, separator, last = (part.strip() for part in whole.rpartition("="))
    if not separator:
        return Stated(whole)
    # As older files write it: stance=0.7, stance=+1.
    name, stance, _ = whole.rpartition("=stance=")
    if stance:
        return Stated(name.strip(), f"stance={last}")
    # A bare 0 is a code on a state or an option, and a number of things delivered on a process.
    if _EFFECT.fullmatch(last) or (last == "0" and "=" in head):
        return Stated(head, last)
    name, _, fact = (part.strip() for part in whole.partition("="))
    return Stated(name, "", fact) if fact else Stated(name, "=")


_EFFECT = re.compile(r"[x×]\s*[0-9.].*|[+-].*|.*/.*")


def parse_half_life(text: str) -> float | str:
    """Read a half-life: ``10d``, ``6 weeks``, ``3 mo``, ``36h``, or ``lasting``."""
    stated = " ".join(text.split()).casefold()
    if stated == LASTING:
        return LASTING
    read = re.fullmatch(rf"([+-]?{_NUMBER})\s*([a-z]*)", stated)
    days = {"": 1.0, **UNITS}.get(read[2]) if read else None
    if read is None or days is None:
        msg = f"half_life ({stated[:40]}): must be a number of days, weeks, months or years"
        raise InvalidInput(msg, hint="10d, 6w, 3mo or lasting")
    length = float(read[1]) * days
    if not 0.0 < length <= MOST_HALF_LIFE:
        msg = f"half_life ({stated[:40]}): must be above 0 and at most 100 years"
        raise InvalidInput(msg, hint="10d, or lasting")
    return length


def half_life_of(effect: Effect) -> float:
    """Give the half-life of a report in days, infinite where it lasts."""
    stated = effect.detail.get("half_life", HALF_LIFE)
    return inf if stated == LASTING else float(stated)


def fading(effect: Effect, half_life: float | str) -> Effect:
    """Give a report with its half-life; other effects as they are."""
    if not effect.reports:
        return effect
    return replace(effect, detail={**effect.detail, "half_life": half_life})


def code_ratio(effect: Effect) -> float:
    """Give the ratio that a stance is read as: its code's, or that of the band it falls in."""
    if "code" in effect.detail:
        return _CODES[int(float(effect.detail["code"])) + 2]
    probability = float(effect.detail["probability"])
    steps = sum(probability >= edge for edge in (0.6, 0.85)) - sum(
        probability <= edge for edge in (0.15, 0.4)
    )
    return _CODES[steps + 2]


def fact_effect(
    process: str,
    name: Literal["state", "event", "part"],
    at: dt.datetime,
    *,
    state: str = "",
    value: float = 0.0,
    stated: str = "",
) -> Effect:
    """Give the effect of a fact: a process entered a state, an event fell, a part arrived."""
    detail: dict[str, str | float] = {"name": name, "at": iso(at)}
    if name == "state":
        detail["state"] = state
    elif name == "part":
        detail["value"] = value
    return Effect(process, "datum", detail, stated)


def coded(target: str, code: str) -> str:
    """Write an effect; a bare 0 on a delivery or an event would be read as a number of things.

    >>> coded("convoy", "+1"), coded("convoy", "0")
    ('convoy=+1', 'convoy=x1')
    """
    return f"{target}={'x1' if code == '0' else code}"


def parse_effect(target: str, text: str) -> Effect:
    """Read an effect as an analyst writes it.

    ``0.6/0.2`` (likelihood pair), ``x3`` or ``x1/3`` (ratio), ``+2 .. -2`` (times 4, 2, 1, 1/2,
    1/4); and as older entries have it a stance, or a datum: ``ended``, ``violated``,
    ``delivered=205``. For a ratio L, a = sqrt L and b = 1 / sqrt L, so that L and 1/L are mirror
    images. `u` is stored as it always was and computed anew, (a + b) / 2, where it is used. A
    stance is a probability with a point (clipped at .005 and .995, the clipped number kept beside
    it) or a signed code.

    Examples
    --------
    >>> dict(parse_effect("q", "0.6/0.15").detail)
    {'a': 0.6, 'b': 0.15, 'u': 0.3}
    >>> parse_effect("q", "delivered=205").detail["value"]
    205.0
    >>> dict(parse_effect("q", "stance=0.7").detail), dict(parse_effect("q", "stance=-2").detail)
    ({'probability': 0.7}, {'code': -2.0})
    """
    stated = text.strip()
    if pair := re.fullmatch(rf"({_NUMBER})\s*/\s*({_NUMBER})", stated):
        a, b = (float(part) for part in pair.groups())
        if not (0.0 < a <= 1.0 and 0.0 < b <= 1.0):
            msg = f"likelihoods ({stated}): both must lie above 0 and not exceed 1"
            raise InvalidInput(msg, hint="0.6/0.2")
        return Effect(target, "likelihood", {"a": a, "b": b, "u": sqrt(a * b)}, stated)
    ratio = _SCALE.get(stated)
    if ratio is None and (
        times := re.fullmatch(rf"[x×]\s*({_NUMBER})(?:\s*/\s*({_NUMBER}))?", stated)
    ):
        over = float(times.group(2) or 1.0)
        ratio = float(times.group(1)) / over if over else inf
    if ratio is not None:
        if not 0.0 < ratio < inf:
            msg = f"likelihood ratio ({stated}): must be above 0 and finite"
            raise InvalidInput(msg, hint="x3")
        return Effect(
            target, "likelihood", {"a": sqrt(ratio), "b": 1 / sqrt(ratio), "u": 1.0}, stated
        )
    name, _, number = stated.partition("=")
    if name == "stance":
        return Effect(target, "stance", _stance(number.strip(), stated), stated)
    if name in DATA and bool(number) == DATA[name]:
        detail: dict[str, str | float] = {"name": name}
        if number:
            if not re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,15})?", number):
                msg = f"effect ({stated}): {name} takes a number of 0 or more"
                raise InvalidInput(msg, hint=f"{name}=205")
            detail["value"] = float(number)
        return Effect(target, "datum", detail, stated)
    msg = f"effect ({stated}): must be a pair, a ratio or +2..-2"
    raise InvalidInput(msg, hint="0.6/0.2, x3, +1")


def _stance(number: str, stated: str) -> dict[str, str | float]:
    """Read a signed code, or a probability written with a point."""
    if re.fullmatch(r"[+-][012]", number):
        return {"code": float(number)}
    if not re.fullmatch(_NUMBER, number) or "." not in number or float(number) > 1.0:
        msg = f"stance ({stated}): must be a probability with a point, or a code +2..-2 with a sign"
        raise InvalidInput(msg, hint="stance=0.7 or stance=+1")
    probability = float(number)
    read = min(max(probability, STANCE_LEAST), STANCE_MOST)
    return (
        {"probability": read}
        if read == probability
        else {"probability": read, "clipped_from": probability}
    )


#: The stream of what is added here.
NEWS = "news"
#: The note of the retraction of an item that another, the next entry, takes the place of.
REPLACED = "replaced"
#: Streams that are tables of reference cases rather than news.
REFERENCE_STREAMS = ("agreements", "totals", "occurrences", "packages", "world")


def retracts(item: Evidence) -> bool:
    """Whether an item is a retraction."""
    return any(effect.name == "retracts" for effect in item.effects)


def retractions(items: Iterable[Evidence]) -> dict[str, Evidence]:
    """Give, by key, the entry that takes each retracted item back."""
    return {
        effect.target.removeprefix("evidence/"): item
        for item in items
        for effect in item.effects
        if effect.name == "retracts"
    }


def takes_place(retraction: Evidence | None, item: Evidence) -> bool:
    """Whether an item stands in the place of the one that a retraction takes back."""
    if retraction is None or retraction.seq is None or item.seq is None:
        return False
    return retraction.note == REPLACED and item.seq == retraction.seq + 1


def standing(items: Iterable[Evidence]) -> list[Evidence]:
    """Give the items that news can be like: no reference tables, gradings or retracted items."""
    items = tuple(items)
    retracted = retractions(items)
    return [
        item
        for item in items
        if item.stream not in (*REFERENCE_STREAMS, GRADES_STREAM)
        and item.key not in retracted
        and not retracts(item)
    ]
