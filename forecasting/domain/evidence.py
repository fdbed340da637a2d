"""Evidence: a dated item, when the world could know it, and what it bears on.

Three classes are never mixed: *data* (something happened: it enters a process likelihood),
*reports* (somebody claims or announces: they pass through the source's reliability), and
judgements, which are forecasts of a forecaster and live with the forecasts.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, sqrt
from typing import Literal

from forecasting.errors import InvalidInput

EvidenceKind = Literal["datum", "report"]
Certainty = Literal["high", "medium", "low", "computed", "unconfirmed"]
GRADES = ("A", "B", "C", "D", "E", "F")
#: Outcome data that a user may enter, and whether each takes a number.
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
_SCALE = {"+2": 4.0, "+1": 2.0, "0": 1.0, "-1": 0.5, "-2": 0.25}
#: A stated probability is read no further out than this: a flat claim is not infinite evidence.
STANCE_LEAST, STANCE_MOST = 0.005, 0.995
# Not \d, which takes the digits of every script.
_NUMBER = r"(?:[0-9]{1,400}(?:\.[0-9]{1,400})?|\.[0-9]{1,400})"


@dataclass(frozen=True, slots=True)
class Effect:
    """What one item does to one target.

    Attributes
    ----------
    target
        A question or ladder, or ``class/row`` of a reference class.
    form
        ``likelihood`` (a, b, u: the report's probability if the answer is yes, if it is no, and if
        the source knows nothing), ``stance`` (how likely the source calls it), ``datum`` (a named
        fact with its detail), or ``bears`` (the item is about the target; nobody has coded how
        strongly).
    detail
        Plain data: ``a, b, u`` for a likelihood; ``probability`` (and ``clipped_from`` where it was
        clipped) or ``code`` for a stance; ``name`` and more for a datum.
    stated
        The effect as the analyst wrote it.
    """

    target: str
    form: Literal["likelihood", "stance", "datum", "bears"]
    detail: Mapping[str, str | float]
    stated: str = ""

    @property
    def name(self) -> str:
        """The name of a datum, empty for other forms."""
        return str(self.detail.get("name", ""))


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
            msg = f"grade ({self.grade}): must be one of {', '.join(GRADES)}"
            raise InvalidInput(msg)


def parse_effect(target: str, text: str) -> Effect:
    """Read an effect as an analyst writes it.

    ``0.6/0.2`` (likelihood pair), ``x3`` (likelihood ratio), ``+2 .. -2`` (times 4, 2, 1, 1/2,
    1/4), a stance, or a datum: ``ended``, ``violated``, ``delivered=205``. For a pair,
    u = sqrt(ab); for a ratio L, a = sqrt L, b = 1 / sqrt L, u = 1, so that L and 1/L are mirror
    images. A stance is what the source says of how likely it is: ``stance=0.7``, a probability
    that it gives (clipped at .005 and .995, the clipped number kept beside it), or ``stance=+1``,
    a code from -2 to +2, always signed, in log-odds above or below the base rate.

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
            msg = f"likelihoods ({stated}): both must lie above 0 and at most at 1"
            raise InvalidInput(msg, hint="0.6/0.2")
        return Effect(target, "likelihood", {"a": a, "b": b, "u": sqrt(a * b)}, stated)
    ratio = _SCALE.get(stated)
    if ratio is None and (times := re.fullmatch(rf"[x×]\s*({_NUMBER})", stated)):
        ratio = float(times.group(1))
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
    msg = f"effect ({stated}): must be a pair, a ratio, +2..-2, a stance or an outcome datum"
    raise InvalidInput(msg, hint=f"0.6/0.2, x3, +1, stance=0.7, {', '.join(DATA)}")


def _stance(number: str, stated: str) -> dict[str, str | float]:
    """Read a signed code, or a probability written with a point."""
    if re.fullmatch(r"[+-][012]", number):
        return {"code": float(number)}
    if not re.fullmatch(_NUMBER, number) or "." not in number or float(number) > 1.0:
        msg = f"stance ({stated}): must be a probability with a point, or a code +2..-2 with a sign"
        raise InvalidInput(msg, hint="stance=0.7 or stance=+1")
    said = float(number)
    read = min(max(said, STANCE_LEAST), STANCE_MOST)
    return {"probability": read} if read == said else {"probability": read, "clipped_from": said}
