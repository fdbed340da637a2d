"""The steps of an explanation: what each is, how large it is, and how sure that is."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from forecasting.arrays import BoolArray, FloatArray
from forecasting.domain.evidence import Evidence

TIME, HISTORY, LINKS, ELSEWHERE = "time", "history", "links", "elsewhere"
FADED, EARLIER, CHANCE = "faded", "earlier", "chance"
OWN_STEPS = {HISTORY, TIME, LINKS, ELSEWHERE, FADED, EARLIER, CHANCE}
#: The end of the key of an item that is reduced to its facts.
FACTS = "/facts"
#: An effect within so many of its Monte Carlo errors is shown as 0.
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
        """Whether the change is larger than its Monte Carlo error explains, (K,)."""
        return np.asarray(np.abs(self.value) > CLEAR * self.error)

    @property
    def error(self) -> FloatArray:
        """The Monte Carlo error, (K,), a parameter point a unit; see `reading.pull`."""
        points = len(self.pull)
        spread = np.sqrt(np.sum(self.pull**2, axis=0) * points / max(points - 1, 1))
        return np.asarray(spread, dtype=np.float64)


#: What a step is, and the change that it makes.
type Row = tuple[dict[str, Any], Step]


def pool_unclear(rows: Sequence[Row]) -> list[Row]:
    """Show steps within their Monte Carlo error as 0, and their sum as one row at the end."""
    shown, remainder = [], None
    for label, step in rows:
        unclear = step._replace(value=np.where(step.clear, 0.0, step.value))
        if not np.any(unclear.value):
            shown.append((label, step))
            continue
        # The pull of a clear change stays in its own row.
        unclear = unclear._replace(pull=np.where(step.clear, 0.0, step.pull))
        shown.append((label, step._replace(value=np.where(step.clear, step.value, 0.0))))
        remainder = unclear if remainder is None else remainder.plus(unclear)
    if remainder is not None:
        shown.append((named_step(CHANCE, "What the steps told as 0 leave together"), remainder))
    return shown


class Chain:
    """Steps from one answer to the next; all the time that passes between facts is one step."""

    def __init__(self, first: Step) -> None:
        self.first = self.at = first
        self.passed = first.less(first)
        self.rows: list[Row] = []

    def go(self, label: dict[str, Any], after: Step) -> None:
        """Take a step to another answer."""
        self.rows.append((label, after.less(self.at)))
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
    return frozenset(e.about for e in item.effects if e.form == "datum")


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
    facts: Sequence[Evidence],
    new: Collection[str],
    gone: Mapping[str, Evidence],
    *,
    latest_first: bool = False,
) -> list[tuple[str, tuple[Evidence, ...]]]:
    """Give in order what may have moved a forecast, with the items that count after each."""
    fresh = [item for item in facts if item.key in new]
    order = [(item.key, False) for item in fresh if facts_on(item)]
    reports = [(item.key, True) for item in fresh if item.reports]
    order += reversed(reports) if latest_first else reports
    whole, stated = {item.key for item in facts} - set(new), set[str]()
    before, left = _so_far(facts, whole, stated), list(gone.values())
    steps = [(TIME, _in_order([*before, *left]))]
    for key, item in gone.items():
        left.remove(item)
        steps.append((key, _in_order([*before, *left])))
    for key, reported in order:
        (whole if reported else stated).add(key)
        steps.append((key, _so_far(facts, whole, stated)))
    return steps


def _in_order(items: Iterable[Evidence]) -> tuple[Evidence, ...]:
    return tuple(sorted(items, key=lambda item: (item.known_at, item.key)))


def _so_far(
    facts: Sequence[Evidence], whole: Collection[str], stated: Collection[str]
) -> tuple[Evidence, ...]:
    """Give the items in `whole` as they are, and of those in `stated` the facts alone."""
    items = []
    for item in facts:
        if item.key in whole or (item.key in stated and not item.reports):
            items.append(item)
        elif item.key in stated and (part := unreported(item)) is not None:
            items.append(part)
    return tuple(items)
