"""The steps of an explanation: what each is, how large it is, and how sure that is."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from forecasting.arrays import BoolArray, FloatArray
from forecasting.domain.evidence import Evidence

TIME, HISTORY, LINKS, ELSEWHERE = "time", "history", "links", "elsewhere"
FADED, EARLIER, CHANCE = "faded", "earlier", "chance"
OWN_STEPS = {HISTORY, TIME, LINKS, ELSEWHERE, FADED, EARLIER, CHANCE}
#: Ends the key of an item of which the facts alone are told.
FACTS = "/facts"
#: An effect below so many of its Monte Carlo errors is none that could be shown.
CLEAR = 2.0
#: Facts shown one by one; older ones are one row.
MOST_FACTS = 12


class Step(NamedTuple):
    """An answer on the scale of effects, (K,), or a change of it, with its pull, (points, K)."""

    value: FloatArray
    pull: FloatArray

    def less(self, other: "Step") -> "Step":
        """Give the change from another answer to this one, on the same points."""
        return Step(self.value - other.value, self.pull - other.pull)

    def plus(self, other: "Step") -> "Step":
        """Give two changes together."""
        return Step(self.value + other.value, self.pull + other.pull)

    @property
    def clear(self) -> BoolArray:
        """Whether it stands out of its Monte Carlo error, (K,)."""
        return np.asarray(np.abs(self.value) > CLEAR * self.error)

    @property
    def error(self) -> FloatArray:
        """The Monte Carlo error, (K,), a parameter point a unit; see `reading.pull`."""
        points = len(self.pull)
        spread = np.sqrt(np.sum(self.pull**2, axis=0) * points / max(points - 1, 1))
        return np.asarray(spread, dtype=np.float64)


#: What a step is, and the change that it makes.
type Row = tuple[dict[str, Any], Step]


def told_apart(rows: Sequence[Row]) -> list[Row]:
    """Tell steps within their Monte Carlo error as 0; one row has what they leave together.

    So the rows add up to the change as they are told.
    """
    found, left = [], None
    for told, step in rows:
        rest = step._replace(value=np.where(step.clear, 0.0, step.value))
        if not np.any(rest.value):
            found.append((told, step))
            continue
        # The pull of what is told stays in its own row.
        rest = rest._replace(pull=np.where(step.clear, 0.0, step.pull))
        found.append((told, step._replace(value=np.where(step.clear, step.value, 0.0))))
        left = rest if left is None else left.plus(rest)
    if left is not None:
        found.append((named_step(CHANCE, "What the steps told as 0 leave together"), left))
    return found


class Chain:
    """Steps from one answer to the next; the time between facts is one step, wherever it passed."""

    def __init__(self, first: Step) -> None:
        self.first = self.at = first
        self.passed = first.less(first)
        self.rows: list[Row] = []

    def go(self, told: dict[str, Any], after: Step) -> None:
        """Take a step to another answer."""
        self.rows.append((told, after.less(self.at)))
        self.at = after

    def wait(self, after: Step) -> None:
        """Let time pass."""
        self.passed = self.passed.plus(after.less(self.at))
        self.at = after


def named_step(key: str, title: str) -> dict[str, Any]:
    """Give what a step is, without its size."""
    own = key if key in OWN_STEPS else ""
    return {
        "news": None,
        "key": key,
        "title": title,
        "source": own,
        "story": key,
        "known_at": None,
        "kind": own,
    }


def of_facts(group: Sequence[Evidence]) -> dict[str, Any]:
    """Give what a step of one fact is, or of the older ones that are one step."""
    last = group[-1]
    if len(group) > 1:
        return named_step(EARLIER, f"{len(group)} earlier facts") | {"kind": "fact"}
    return named_step(last.key, last.title) | {
        "news": last.seq,
        "known_at": last.known_at,
        "kind": "fact",
        "source": last.source,
    }


def facts_on(item: Evidence) -> frozenset[str]:
    """Give the processes and cases of which an item states a fact."""
    return frozenset(e.target.partition("=")[0] for e in item.effects if e.form == "datum")


def unreported(item: Evidence) -> Evidence | None:
    """Give an item without its reports; None where it says nothing else."""
    facts = tuple(effect for effect in item.effects if effect.form == "datum")
    return replace(item, key=item.key + FACTS, effects=facts) if facts else None


def one_by_one(items: Sequence[Evidence]) -> list[list[Evidence]]:
    """Give facts in the order in which they came: the latest one by one, older ones together."""
    ordered = sorted(items, key=lambda item: (item.known_at, item.seq or 0, item.key))
    old, latest = ordered[:-MOST_FACTS], ordered[-MOST_FACTS:]
    return [*([old] if old else []), *([item] for item in latest)]


def steps_after(
    facts: Sequence[Evidence], new: Collection[str]
) -> list[tuple[str, tuple[Evidence, ...]]]:
    """Give what may have moved a forecast, in order, with the items that count after each."""
    fresh = [item for item in facts if item.key in new]
    order = [(TIME, False)]
    order += [(item.key, False) for item in fresh if facts_on(item)]
    order += [(item.key, True) for item in fresh if item.reports]
    whole, stated = {item.key for item in facts} - set(new), set[str]()
    found = []
    for key, reported in order:
        (whole if reported else stated).add(key)
        found.append((key, _so_far(facts, whole, stated)))
    return found


def _so_far(
    facts: Sequence[Evidence], whole: Collection[str], stated: Collection[str]
) -> tuple[Evidence, ...]:
    """Give the items that are told as a whole, and of those that are stated only their facts."""
    found = []
    for item in facts:
        if item.key in whole or (item.key in stated and not item.reports):
            found.append(item)
        elif item.key in stated and (part := unreported(item)) is not None:
            found.append(part)
    return tuple(found)
