r"""What reports weigh: on which moves, how much when they came, and how much now.

A report hastens or slows the moves that lead to what it is about; its log hazard ratio is log LR(r)
with LR(r) = (r a + (1 - r) u) / (r b + (1 - r) u), u = (a + b) / 2 and r the mean reliability of
its source, and halves every half-life. All that one source says of one move is held within
log((1 + r) / (1 - r)) to either side: a bound on a hazard ratio, not on odds.

A story is one weight on a move, on however many questions, rungs or copies it was coded. Its items
come in the order of time. Each adds what it raises the story's total by, and no more: a copy (one
story, one sourcing) adds nothing unless it is stronger, and a corroboration never lowers.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, isfinite, log
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.domain.catalog import Catalog
from forecasting.domain.evidence import LASTING, Effect, Evidence, code_ratio, half_life_of
from forecasting.domain.predicate import Predicate
from forecasting.domain.process import WorldSpec
from forecasting.domain.question import Question
from forecasting.errors import InvalidInput
from forecasting.evidence.as_of import known, without_retracted
from forecasting.evidence.history import EPOCH, Record
from forecasting.evidence.leads import Way, to_target
from forecasting.evidence.likelihood import EVENT_RHO, of_grade, story_discount
from forecasting.evidence.predicates import NewsWorld
from forecasting.evidence.relevant import ancestors, asked
from forecasting.evidence.reliability import Reliabilities, item_grades, learned

DAY = dt.timedelta(days=1)
#: No source is beyond doubt: r = .999 bounds a hazard ratio at 1,999.
MOST_RELIABLE = 0.999
#: Weights are kept to so many digits, so that x2 and x1/2 cancel exactly.
_DIGITS = 12
#: What adds less than this to a story adds nothing but rounding.
_LEAST = 1e-11


@dataclass(frozen=True, slots=True)
class CodedReport:
    """What one item adds to the log hazard of one `move`, written ``start > end``.

    `log_ratio` is what it added when it came: in a story, beyond what was known before. Of
    `source`, no more than `bound` counts on the move. An infinite `half_life` (days) lasts.
    """

    process: str
    move: str
    known_at: dt.datetime
    log_ratio: float
    half_life: float
    source: str
    bound: float
    key: str
    story: str
    grade: str

    def weight_at(self, moment: dt.datetime) -> float:
        """Give what is left of it at a moment: nothing before it was known."""
        if moment < self.known_at:
            return 0.0
        return _faded(self.log_ratio, (moment - self.known_at) / DAY, self.half_life)


def reports(
    items: Sequence[Evidence],
    world: WorldSpec,
    questions: Mapping[str, Question],
    predicates: Mapping[str, Predicate],
    *,
    reliability: Reliabilities | None = None,
    as_of: dt.datetime,
) -> tuple[CodedReport, ...]:
    """Give what the reports known by a moment add to the moves of a world; see :func:`unusable`."""
    standing = without_retracted(known(items, as_of))
    mean = Means(standing, reliability)
    by_way: dict[Way, list[_Weighed]] = {}
    for item in standing:
        for way, (ratio, half_life) in _weights(item, world, questions, predicates).items():
            r = mean.of(item)
            size = _log_ratio(ratio, r)
            if size != 0.0:
                by_way.setdefault(way, []).append(
                    _Weighed(item, size, half_life, r, mean.grade(item))
                )
    result = [
        coded
        for way, mine in by_way.items()
        for sign in (1.0, -1.0)
        for story in _stories(mine, sign)
        for coded in _additions(way, story)
    ]
    return tuple(
        sorted(result, key=lambda each: (each.process, each.move, each.known_at, each.key))
    )


def unusable(
    items: Sequence[Evidence],
    world: WorldSpec,
    questions: Mapping[str, Question],
    predicates: Mapping[str, Predicate],
) -> list[tuple[Evidence, str]]:
    """Give the items with a report that the world cannot use, each with the reason."""
    names = {name for q in questions.values() for name in (q.id, q.ladder) if name}
    problems = []
    for item in items:
        for effect in item.effects:
            if effect.form not in ("likelihood", "stance"):
                continue
            name = effect.about
            if name not in world.processes and name not in names:
                problems.append((item, f"target ({effect.target}): no process or question has it"))
                continue
            try:
                to_target(effect.target, world, questions, predicates)
            except InvalidInput as wrong:
                problems.append((item, str(wrong)))
    return problems


def alive(coded: Iterable[CodedReport], records: Mapping[str, Record]) -> tuple[CodedReport, ...]:
    """Drop the reports that are over: their move fired, or its state was left, since they came."""
    living = []
    for report in coded:
        record = records.get(report.process)
        ends = [] if record is None else ends_of(record, report.move)
        if not any(end > report.known_at for end in ends):
            living.append(report)
    return tuple(living)


def ends_of(record: Record, move: str) -> list[dt.datetime]:
    """Give the moments at which a stay in a move's start state ended, as far as is known."""
    start, _, end = move.partition(" > ")
    state, ends = record.start, []
    for step in record.steps:
        left = step.state != state
        if state == start and (left or (step.counted and start == end)):
            ends.append(step.at)
        state = step.state
    return ends


def multiplier(coded: Sequence[CodedReport], days: ArrayLike, gain: ArrayLike = 1.0) -> FloatArray:
    """Give the hazard ratio of one move's reports at some days."""
    times = np.atleast_1d(np.asarray(days, dtype=np.float64))
    worth = np.asarray(gain, dtype=np.float64)
    by_source: dict[str, tuple[float, FloatArray]] = {}
    for report in coded:
        age = times - (report.known_at - EPOCH) / DAY
        share = np.exp2(-np.maximum(age, 0.0) / report.half_life)
        most, before = by_source.get(report.source, (0.0, np.zeros_like(times)))
        by_source[report.source] = (
            max(most, report.bound),
            before + np.where(age > 0.0, report.log_ratio * share, 0.0),
        )
    total = np.zeros(worth.shape + times.shape)
    for bound, size in by_source.values():
        total += np.clip(worth[..., None] * size, -bound, bound)
    ratio: FloatArray = np.exp(total)
    return ratio


@dataclass(frozen=True, slots=True)
class _Weighed:
    """One item on one move: its signed log ratio when it came."""

    item: Evidence
    size: float
    half_life: float
    reliability: float
    grade: str

    @property
    def sourcing(self) -> str:
        return self.item.story or self.item.key


class Means:
    """The mean reliability of each source, within the range that a bound can be given for."""

    def __init__(self, items: Sequence[Evidence], reliability: Reliabilities | None) -> None:
        """Take the grades that `items` come to, and what was learned of their sources."""
        self._grades = item_grades(items)
        self._reliability = reliability

    def grade(self, item: Evidence) -> str:
        """Give the grade of an item's source."""
        return self._grades[item.key]

    def of(self, item: Evidence) -> float:
        """Give the mean reliability of an item's source."""
        grade = self.grade(item)
        if self._reliability is None:
            mean = of_grade(grade, item.source).mean
        else:
            mean = self._reliability.of(item.source, grade).mean
        return min(round(mean, _DIGITS), MOST_RELIABLE)


def bound(reliability: float) -> float:
    """Give the most that a source's words weigh on a move, in log hazard."""
    r = min(reliability, MOST_RELIABLE)
    return log((1.0 + r) / (1.0 - r))


def counted(effect: Effect, reliability: float) -> tuple[float, float] | None:
    """Give the log hazard ratio that a report states, and what counts of it; None for a fact."""
    pair = _pair(effect)
    if pair is None:
        return None
    return log(pair[0]) - log(pair[1]), _log_ratio(pair, min(reliability, MOST_RELIABLE))


def _log_ratio(ratio: tuple[float, float], r: float) -> float:
    """Give log LR(r) with u = (a + b) / 2."""
    a, b = ratio
    # Both by their larger one: LR has no unit, and two huge numbers have no sum.
    most = max(a, b)
    a, b = a / most, b / most
    u = (a + b) / 2.0
    return log((r * a + (1.0 - r) * u) / (r * b + (1.0 - r) * u))


def _pair(effect: Effect) -> tuple[float, float] | None:
    """Give the (a, b) of an effect; None for a fact or what only bears on its target."""
    if effect.form == "likelihood":
        return float(effect.detail["a"]), float(effect.detail["b"])
    if effect.form == "stance":
        ratio = code_ratio(effect)
        return ratio**0.5, ratio**-0.5
    return None


def _weights(
    item: Evidence,
    world: WorldSpec,
    questions: Mapping[str, Question],
    predicates: Mapping[str, Predicate],
) -> dict[Way, tuple[tuple[float, float], float]]:
    """Give the pair and the half-life with which an item acts on each move."""
    coded: dict[Way, list[tuple[float, tuple[float, float], float]]] = {}
    for effect in item.effects:
        pair = _pair(effect)
        if pair is None:
            continue
        try:
            signs = to_target(effect.target, world, questions, predicates)
        except InvalidInput:
            continue
        for way, sign in signs.items():
            own = pair if sign > 0 else pair[::-1]
            coded.setdefault(way, []).append((log(own[0] / own[1]), own, half_life_of(effect)))
    weights = {}
    for way, mine in coded.items():
        sizes = [size for size, _, _ in mine]
        if min(sizes) < 0.0 < max(sizes):
            continue
        _, pair, half_life = min(mine, key=lambda each: (abs(each[0]), each[2]))
        weights[way] = (pair, half_life)
    return weights


def _stories(weighed: Sequence[_Weighed], sign: float) -> list[list[_Weighed]]:
    """Give the items of one sign by event, in the order in which they were known."""
    events: dict[str, list[_Weighed]] = {}
    for each in weighed:
        if each.size * sign > 0.0:
            events.setdefault(each.sourcing.partition("/")[0], []).append(each)
    return list(events.values())


def _additions(way: Way, story: Sequence[_Weighed]) -> list[CodedReport]:
    """Give what each item of a story adds to what the story weighed when the item came.

    The story fades as its slowest item does, so that no later item can lower what stands.
    """
    counted: list[_Weighed] = []
    strongest: dict[str, float] = {}
    for one in story:
        if abs(one.size) > strongest.get(one.sourcing, 0.0):
            strongest[one.sourcing] = abs(one.size)
            counted.append(one)
    half_life = max((one.half_life for one in counted), default=inf)
    standing: dict[str, _Weighed] = {}
    additions: list[CodedReport] = []
    for one in counted:
        now = one.item.known_at
        standing[one.sourcing] = one
        sizes = [
            abs(_faded(each.size, (now - each.item.known_at) / DAY, half_life))
            for each in standing.values()
        ]
        more = story_total(sizes) - sum(abs(each.weight_at(now)) for each in additions)
        if more <= _LEAST:
            continue
        additions.append(
            CodedReport(
                process=way[0],
                move=way[1],
                known_at=now,
                log_ratio=more if one.size > 0.0 else -more,
                half_life=half_life,
                source=one.item.source,
                bound=bound(one.reliability),
                key=one.item.key,
                story=one.sourcing.partition("/")[0],
                grade=one.grade,
            )
        )
    return additions


def story_total(sizes: Sequence[float]) -> float:
    """Give the weight of a story: the largest total of rule 23 over its k strongest items."""
    ordered = sorted(sizes, reverse=True)
    totals = [0.0]
    for k in range(1, len(ordered) + 1):
        totals.append(sum(ordered[:k]) * story_discount(ordered[:k], EVENT_RHO))
    return round(max(totals), _DIGITS)


def _faded(size: float, days: float, half_life: float) -> float:
    return size * float(np.exp2(-days / half_life))


@dataclass(frozen=True, slots=True)
class Weights:
    """What every report weighs on every move: when it came, and at one moment.

    `over` says when a report ended: its move fired, or its state was left. `rests` gives the
    processes that each question rests on: what acts on none of them has no way to it.
    """

    coded: Mapping[str, tuple[CodedReport, ...]]
    over: Mapping[CodedReport, dt.datetime]
    moment: dt.datetime
    unusable: Mapping[str, str]
    processes: frozenset[str]
    rests: Mapping[str, frozenset[str]]

    @classmethod
    def of(
        cls, items: Sequence[Evidence], moment: dt.datetime, catalog: Catalog, world: NewsWorld
    ) -> "Weights":
        """Weigh the reports known by a moment, with what was learned of their sources by then."""
        trust = learned(items, catalog.questions, catalog.outcomes, moment)
        coded = reports(
            items, world.world, catalog.questions, world.predicates, reliability=trust, as_of=moment
        )
        standing = without_retracted(known(items, moment))
        records = {
            name: world.record(process, standing, moment)
            for name, process in world.world.processes.items()
            if any(report.process == name for report in coded)
        }
        by_key: dict[str, list[CodedReport]] = {}
        for report in coded:
            by_key.setdefault(report.key, []).append(report)
        over = {
            report: min(ends)
            for report in coded
            if (
                ends := [
                    end
                    for end in ends_of(records[report.process], report.move)
                    if end > report.known_at
                ]
            )
        }
        lost = unusable(items, world.world, catalog.questions, world.predicates)
        return cls(
            {key: tuple(each) for key, each in by_key.items()},
            over,
            moment,
            {item.key: reason for item, reason in lost},
            frozenset(world.world.processes),
            {
                name: ancestors(world.world.links, asked(predicate))
                for name, predicate in world.predicates.items()
            },
        )

    def on(self, item: Evidence) -> list[dict[str, Any]]:
        """Give the moves that an item acts on, as hazard ratios; none for a copy."""
        return [
            {
                "process": report.process,
                "move": report.move,
                "then": exp(report.log_ratio),
                "now": 1.0 if report in self.over else exp(report.weight_at(self.moment)),
                "half_life": report.half_life if isfinite(report.half_life) else LASTING,
                "bound": exp(report.bound),
                "over": report in self.over,
            }
            for report in self.coded.get(item.key, ())
        ]

    def row(self, item: Evidence) -> dict[str, Any]:
        """Give what a listing shows: the strongest of its moves, then and now."""
        moves = self.on(item)
        reported = [effect for effect in item.effects if effect.reports]
        if not reported:
            return {"then": None, "now": None, "half_life": None, "moves": moves, "unusable": None}
        half_life = half_life_of(reported[0])
        nothing = {"then": 1.0, "now": 1.0}
        first = max(moves, key=lambda way: max(way["then"], 1.0 / way["then"]), default=nothing)
        return {
            "then": first["then"],
            "now": first["now"],
            "half_life": half_life if isfinite(half_life) else LASTING,
            "moves": moves,
            "unusable": self.unusable.get(item.key),
        }
