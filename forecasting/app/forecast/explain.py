"""Explain: why a model's probability is what it is, step by step, and what would undo it.

The steps run from the start (at the opening, without links) to the answer: the history before the
opening, each fact on what the question names and the time that passed in the order in which they
came, then the links, each fact that acts through them, and each story by its mean contribution over
all orders (Shapley). Each step is a change in log-odds by one thing alone, so they add up.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, log
from typing import Any

import numpy as np

from forecasting.app.forecast.predict import MOMENT, Predictor
from forecasting.app.ledger.log import check_moment
from forecasting.arrays import FloatArray
from forecasting.domain.catalog import Catalog
from forecasting.domain.evidence import GRADES, Evidence
from forecasting.domain.forecasters import MODEL, PRIOR
from forecasting.domain.instants import iso
from forecasting.domain.predicate import Predicate
from forecasting.domain.question import Question, effect_scale
from forecasting.errors import InvalidInput
from forecasting.evidence import known, without_retracted
from forecasting.evidence.leads import Signs, to_question
from forecasting.evidence.likelihood import of_grade
from forecasting.evidence.relevant import asked, moments
from forecasting.evidence.reports import CodedReport, alive, bound
from forecasting.evidence.shapley import shapley
from forecasting.evidence.steps import (
    ELSEWHERE,
    FACTS,
    FADED,
    HISTORY,
    LINKS,
    TIME,
    Chain,
    Row,
    Step,
    facts_on,
    named_step,
    of_facts,
    one_by_one,
    pool_unclear,
    unreported,
)
from forecasting.inference.estimate import LEAST, MOST, log_odds
from forecasting.models.world.conditions import towards
from forecasting.models.world.model import Run, Variant
from forecasting.models.world.reading import Answer, counting, on_scale, pull, read, truths
from forecasting.models.world.simulate import simulate
from forecasting.models.world.values import Known, Link, Move, Process, World
from forecasting.store import Ledger

#: Paths of one coalition of stories at most, and of all together.
STEP_DRAWS, COALITION_DRAWS = 8_192, 262_144
#: Log hazard ratio below which a report is not shown any more.
LEAST_WEIGHT = 0.02
#: Log-odds that a full bar stands for, at least: odds x7.4.
FULL_BAR = 2.0


def explain(
    ledger: Ledger, name: str, *, now: dt.datetime, as_of: dt.datetime | None = None, seed: int = 0
) -> list[dict[str, Any]]:
    """Explain the model's answer on a question, or on each open rung of a ladder."""
    moment = as_of or now
    check_moment(moment, now)
    catalog = Catalog.of(ledger, recorded_by=moment)
    questions = catalog.find(name)
    open_ones = catalog.open_at(moment, questions)
    if not open_ones:
        last = max(catalog.ends(question) for question in questions)
        day = iso(max(last - dt.timedelta(days=1), min(q.opens for q in questions)))[:10]
        raise catalog.not_open(name, moment, hint=f"forecast explain {name} --as-of {day}")
    predictor = Predictor.of(ledger, catalog, moment, now, seed=seed)
    for question in open_ones:
        if question.id in predictor.silent:
            msg = f"question ({question.id}): {predictor.silent[question.id]}"
            raise InvalidInput(msg, hint=f"forecast questions show {question.id}")
    return [Explanation(predictor, question, moment, seed).as_dict() for question in open_ones]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One question's answer as of a moment, taken apart."""

    predictor: Predictor
    question: Question
    as_of: dt.datetime
    seed: int

    def as_dict(self) -> dict[str, Any]:
        """Give the explanation as plain data."""
        # A first forecast may use only what was known before the opening.
        facts = self.predictor.parts([self.question], self.as_of)[0][1]
        model = self.predictor.model
        run = model.towards(Variant(MODEL), [self.question], self.predictor.at(self.as_of, facts))
        after = model.read(run, self.question)
        if not after.numbers:
            raise self._refused(after.gate)
        now = self._step(Variant(MODEL), facts)
        rows, change = self._steps(facts, now, run)
        nonzero = [np.any(step.value != 0.0) for _, step in rows]
        moving = [row for row, moves in zip(rows, nonzero, strict=True) if moves]
        items = [self._row(*row) for row in pool_unclear(moving)]
        unmoved = [label for (label, _), moves in zip(rows, nonzero, strict=True) if not moves]
        start = self._answer(self._scale(after) - change.value)
        return {
            "question": self.question.id,
            "as_of": self.as_of,
            "opened": min(self.question.opens, self.as_of),
            "model": "world",
            "method": after.method,
            "gate": after.gate,
            "scale": effect_scale(self.question),
            # The name in the contract; what is printed calls it the start.
            "prior": start,
            "posterior": after.plain(self.question),
            "lower": None if after.spread is None else after.spread.p05,
            "upper": None if after.spread is None else after.spread.p95,
            "change": self._numbers(change.value),
            "mcse": self._numbers(change.error),
            "clear": self._by_option(change.clear.tolist()),
            "full_bar": self._full_bar([step for _, step in rows], after),
            "decided": after.decided,
            "items": items,
            "unmoved": [label["title"] for label in unmoved if label["kind"] == "fact"],
            "stories": self._summed(items, "story"),
            "sources": self._summed(items, "source"),
            "links": self._links(facts, run, self._scale(after)),
            "gain": run.learned.gain_summary,
            "watched_until": {name: record.free for name, record in run.records.items()},
            "undo": self._undo(run, change, now)
            if self.question.type == "binary" and after.decided is None
            else None,
        }

    def _refused(self, gate: str) -> InvalidInput:
        return InvalidInput(f"question ({self.question.id}): {gate.removeprefix('refused: ')}")

    def _scale(self, answer: Answer) -> FloatArray:
        return on_scale(self.question, answer.numbers)

    def _step(
        self,
        variant: Variant,
        items: Sequence[Evidence],
        as_of: dt.datetime | None = None,
        *,
        watched: Mapping[str, dt.datetime] | None = None,
        draws: int = 0,
        betas: Mapping[str, float] | None = None,
    ) -> Step:
        """Simulate one step of the chain on the paths of the answer, so that errors cancel."""
        at = self.predictor.at(as_of or self.as_of, tuple(items), watched)
        model = self.predictor.model
        run = model.towards(variant, [self.question], at, draws=draws or None, betas=betas)
        predicate = model.predicates[self.question.id]
        numbers, _, _, gate, *_ = read(run.paths, predicate, self.question)
        if not numbers:
            raise self._refused(gate)
        change = pull(run.paths, predicate, self.question)
        return Step(on_scale(self.question, numbers), change)

    def _steps(self, facts: Sequence[Evidence], now: Step, run: Run) -> tuple[list[Row], Step]:
        """Give the steps from start to answer, each of one thing alone, and the whole change."""
        # First the facts and the time between them, without links; then links, what is known of the
        # processes that act through them, and the reports.
        alone, quiet = Variant("", links=False, news=False), Variant("", news=False)
        predictor, opens = self.predictor, min(self.question.opens, self.as_of)
        old = without_retracted(known(predictor.evidence, opens - MOMENT))
        at_opening = {name: opens for name in predictor.bank.world.processes}
        bare = Variant(PRIOR, links=False, news=False, history=False)
        named = asked(predictor.model.predicates[self.question.id])
        acting = {*run.spec.processes} - named
        fresh = {i.key: facts_on(i) for i in facts if i.known_at >= opens and facts_on(i)}
        so_far = [item for item in facts if item.key not in fresh]
        new = [item for item in facts if item.key in fresh]
        own = [item for item in new if fresh[item.key] & named]
        near = [i for i in new if fresh[i.key] & acting and not fresh[i.key] & named]
        elsewhere = [item for item in new if not fresh[item.key] & (named | acting)]
        chain = Chain(self._step(bare, old, opens, watched=at_opening))
        with_history = self._step(alone, old, opens, watched=at_opening)
        chain.go(named_step(HISTORY, "History before the opening"), with_history)
        for group in one_by_one(own):
            moment = group[-1].known_at
            before = [item for item in so_far if item.known_at <= moment]
            so_far += group
            # Without the fact, its processes count as watched up to then and quiet.
            watched = self._watched_until([*before, *group], moment)
            chain.wait(self._step(alone, before, moment, watched=watched))
            after = self._step(alone, [*before, *group], moment, watched=watched)
            chain.go(of_facts(group), after)
        watched = self._watched_until(facts, self.as_of)
        chain.wait(self._step(alone, so_far, watched=watched))
        chain.rows.append((named_step(TIME, "The passing of time"), chain.passed))
        if elsewhere:
            so_far += elsewhere
            title = "What other processes and cases taught"
            chain.go(named_step(ELSEWHERE, title), self._step(alone, so_far, watched=watched))
        if run.spec.links:
            title = "Links between processes"
            chain.go(named_step(LINKS, title), self._step(quiet, so_far, watched=watched))
        for group in one_by_one(near):
            so_far += group
            chain.go(of_facts(group), self._step(quiet, so_far, watched=watched))
        alive_reports = alive(run.coded, run.records)
        coded = [r for r in alive_reports if abs(r.weight_at(self.as_of)) >= LEAST_WEIGHT]
        # A story is taken out whole: otherwise a copy of a report would replace the report.
        story_of = {item.key: item.told_event for item in facts if item.reports}
        stories = {report.story for report in coded}
        rest = [
            remaining
            for item in facts
            if (remaining := unreported(item) if story_of.get(item.key) in stories else item)
        ]
        if any(item.reports for item in rest):
            title = "Reports that are over, have faded or act elsewhere"
            chain.go(named_step(FADED, title), self._step(Variant(MODEL), rest, watched=watched))
        rows = chain.rows + self._stories(rest, facts, coded, watched, now.less(chain.at))
        return rows, now.less(chain.first)

    def _watched_until(
        self, items: Sequence[Evidence], moment: dt.datetime
    ) -> dict[str, dt.datetime]:
        """Give until when each process was watched as of a moment, by watches and items."""
        model = self.predictor.model
        names = list(self.predictor.bank.world.processes)
        return model.watched_until(names, self.predictor.at(moment, tuple(items)))

    def _stories(
        self,
        rest: Sequence[Evidence],
        facts: Sequence[Evidence],
        coded: Sequence[CodedReport],
        watched: Mapping[str, dt.datetime],
        change: Step,
    ) -> list[Row]:
        """Share what the reports changed among their stories."""
        stories: dict[str, list[CodedReport]] = {}
        for report in coded:
            stories.setdefault(report.story, []).append(report)
        names = list(stories)
        if not names:
            return []
        draws = max(1_024, min(STEP_DRAWS, COALITION_DRAWS // 2 ** min(len(names), 8)))
        options = len(change.value)

        def value(coalition: frozenset[int]) -> FloatArray:
            members = {names[i] for i in coalition}
            items = [item for item in facts if item.reports and item.told_event in members]
            keys = {item.key + FACTS for item in items}
            items += [item for item in rest if item.key not in keys]
            ordered = tuple(sorted(items, key=lambda item: (item.known_at, item.key)))
            step = self._step(Variant(MODEL), ordered, watched=watched, draws=draws)
            return np.concatenate([step.value, step.pull.ravel()])

        shares = shapley(len(names), value, seed=self.seed)
        pulls = shares[:, options:].reshape(len(names), -1, options)
        sizes = _adding_up(shares[:, :options], change.value)
        by_key = {item.key: item for item in facts}
        rows: list[Row] = []
        for name, size, own_pull in zip(names, sizes, pulls, strict=True):
            first = min(stories[name], key=lambda report: report.known_at)
            item = by_key[first.key]
            label = named_step(name, item.title) | {
                "news": item.seq,
                "key": item.key,
                "known_at": item.known_at,
                "kind": "report",
                "source": item.source,
                "items": len({report.key for report in stories[name]}),
                "weight_then": _strongest(stories[name], None),
                "weight_now": _strongest(stories[name], self.as_of),
                "half_life": first.half_life,
            }
            rows.append((label, Step(size, own_pull)))
        return rows

    def _links(
        self, facts: Sequence[Evidence], run: Run, answer: FloatArray
    ) -> list[dict[str, Any]]:
        """Give the answer at either end of each link's 90 % range, on the same chances."""
        rows = []
        if run.spec.links:
            now = self._step(Variant(MODEL), facts, draws=STEP_DRAWS)
        for link in run.spec.links:
            low, high = (
                self._step(Variant(MODEL), facts, draws=STEP_DRAWS, betas={link.name: log(ratio)})
                for ratio in (link.low, link.high)
            )
            apart = high.less(low)
            rows.append(
                {
                    "link": link.name,
                    "ratio": link.median,
                    "low": link.low,
                    "high": link.high,
                    "at_low": self._answer(answer + low.less(now).value),
                    "at_high": self._answer(answer + high.less(now).value),
                    "change": self._numbers(apart.value),
                    "mcse": self._numbers(apart.error),
                    "clear": bool(apart.clear.any()),
                    "because": link.because,
                    "source": link.source,
                }
            )

        def width(row: Mapping[str, Any]) -> float:
            return float(np.abs(_vector(row["at_low"]) - _vector(row["at_high"])).max())

        return sorted(rows, key=width, reverse=True)

    def _full_bar(self, steps: Sequence[Step], after: Answer) -> float:
        """Give the effect of a full bar: the same for all answers, unless a step is larger."""
        widest = max((float(np.abs(step.value).max()) for step in steps), default=0.0)
        if self.question.type != "numeric":
            return max(FULL_BAR, widest)
        return max(float(self._scale(after)[0]) / 2, widest, 1.0)

    def _undo(self, run: Run, change: Step, now: Step) -> dict[str, Any] | None:
        """Say what lasting news on the question would take the answer back to its start."""
        predicate = self.predictor.model.predicates[self.question.id]
        signs = to_question(predicate, self.predictor.bank.world)
        if abs(float(change.value[0])) < 0.05 or not change.clear[0] or not signs:
            return None
        before = 1.0 / (1.0 + exp(float(change.value[0] - now.value[0])))
        ratio = undoing(
            run, predicate, self.question, signs, target=before, draws=STEP_DRAWS, seed=self.seed
        )
        if ratio is None:
            return {"ratio": None, "by_grade": dict.fromkeys(GRADES)}
        return {
            "ratio": ratio,
            "by_grade": {
                grade: ratio if abs(log(ratio)) <= bound(of_grade(grade).mean) else None
                for grade in GRADES
            },
        }

    def _row(self, label: dict[str, Any], step: Step) -> dict[str, Any]:
        return label | {
            "delta_logit": self._numbers(step.value),
            "mcse": self._numbers(step.error),
            "clear": self._by_option(step.clear.tolist()),
        }

    def _numbers(self, change: FloatArray) -> Any:
        """Give numbers on the scale as plain data: one, or one for each option."""
        return self._by_option([float(each) for each in change])

    def _by_option(self, values: Sequence[Any]) -> Any:
        if len(values) == 1:
            return values[0]
        return dict(zip(self.question.space.options, values, strict=True))

    def _answer(self, value: FloatArray) -> Any:
        """Give a value on the scale as the answer that it stands for."""
        if self.question.type == "numeric":
            return float(value[0])
        p = 1.0 / (1.0 + np.exp(-value))
        return self._numbers(p)

    def _summed(self, rows: Sequence[Mapping[str, Any]], by: str) -> list[dict[str, Any]]:
        """Sum the effects of rows that share a story or a source, largest first."""
        totals: dict[str, FloatArray] = {}
        for row in rows:
            part = _vector(row["delta_logit"])
            totals[row[by]] = totals[row[by]] + part if row[by] in totals else part
        ordered = sorted(totals.items(), key=lambda pair: (-float(np.abs(pair[1]).max()), pair[0]))
        return [{by: name, "delta_logit": self._numbers(total)} for name, total in ordered]


def _vector(change: Any) -> FloatArray:
    numbers = list(change.values()) if isinstance(change, Mapping) else [change]
    return np.array(numbers, dtype=np.float64)


def _adding_up(shares: FloatArray, change: FloatArray) -> FloatArray:
    """Make shares add up to the change: the gap of the smaller runs is split by their size."""
    gap = change - shares.sum(axis=0)
    size = np.abs(shares)
    total = size.sum(axis=0)
    part = np.where(total > 0, size / np.where(total > 0, total, 1.0), 1 / len(shares))
    adding: FloatArray = shares + part * gap
    return adding


def _strongest(story: Sequence[CodedReport], moment: dt.datetime | None) -> float:
    """Give the hazard ratio of a story on the move that it acts on most, then or at a moment."""
    by_move: dict[tuple[str, str], float] = {}
    for report in story:
        size = report.log_ratio if moment is None else report.weight_at(moment)
        key = (report.process, report.move)
        by_move[key] = by_move.get(key, 0.0) + size
    return exp(max(by_move.values(), key=abs, default=0.0))


#: The largest ratio that is looked for, and how exact its logarithm is.
FARTHEST, EXACT = log(1_000.0), 2e-3
#: A process that no bank has: from a moment on, what it acts on goes at another pace.
PACE = "\0pace"


def undoing(
    run: Run,
    predicate: Predicate,
    question: Question,
    signs: Signs,
    *,
    target: float,
    draws: int,
    seed: int,
) -> float | None:
    """Give the hazard ratio r that takes the probability of yes to a target; None if none does."""
    # Each r is simulated on the same chances, so that the mean over uncertain rates is the model's
    # own: 1 - E exp(-r H), which is not 1 - (1 - P)^r.
    from scipy.optimize import brentq

    if not LEAST < target < MOST:
        return None
    points = run.world.draws // run.world.repeats
    world = run.world.thinned(min(max(1, draws // points), run.world.repeats))
    wanted = float(log_odds(target))

    def off(log_ratio: float) -> float:
        paced = at_pace(world, signs, run.as_of, log_ratio)
        reach = (*run.paths.reach, max(run.paths.reach))
        tilt = []
        if predicate.given is not None:
            met = paced.day(max(moments(predicate.given, question.closes)))
            tilt = towards(paced, predicate.given, min(max(met, 0.0), max(reach)))
        paths = simulate(paced, reach, seed=seed, tilt=tilt)
        weights = paths.weights(counting(paths, predicate, question))
        yes = truths(paths, predicate, question)["yes"]
        return float(log_odds(float(np.sum(weights[yes])))) - wanted

    now = off(0.0)
    far = -now
    while abs(far) < FARTHEST and off(far) * now > 0.0:
        far *= 2.0
    far = float(np.clip(far, -FARTHEST, FARTHEST))
    if now == 0.0 or off(far) * now > 0.0:
        return None
    return float(np.exp(brentq(off, 0.0, far, xtol=EXACT)))


def at_pace(world: World, signs: Signs, since: dt.datetime, log_ratio: float) -> World:
    """Give a world whose moves come faster by their sign from a moment on."""
    # A link from a process that has a date and no chance: all that is simulated stays as it is.
    day = world.day(since)
    known = (Known(min(day, 0.0), 0), *((Known(day, 1),) if day <= 0.0 else ()))
    moves = (Move(0, 1, at=np.full(1, day)),) if day > 0.0 else ()
    pace = Process(PACE, ("before", "since"), moves, known, 0.0)
    place = len(world.processes)
    links = []
    for sign in (1, -1):
        ways = {way for way, each in signs.items() if each == sign}
        children = tuple(
            (p, m)
            for p, process in enumerate(world.processes)
            for m, move in enumerate(process.moves)
            if move.at is None and (process.name, process.move_name(move)) in ways
        )
        if children:
            links.append(Link(f"{PACE}{sign}", place, (1,), children, sign * log_ratio))
    return replace(world, processes=(*world.processes, pace), links=(*world.links, *links))
