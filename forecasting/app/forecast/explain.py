"""Explain: why a model's probability is what it is, step by step, and what would undo it.

The steps run from the prior to the answer: the history before the opening, each fact and the time
that passed in the order in which they came, then the links, then each story by its mean
contribution over all orders (Shapley). Each step is a change in log-odds, so they add up.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any

import numpy as np

from forecasting.app.catalog import Catalog
from forecasting.app.forecast.predict import MOMENT, TIME, Predictor
from forecasting.app.ledger.log import check_moment
from forecasting.arrays import FloatArray
from forecasting.domain.evidence import GRADES, Evidence
from forecasting.domain.forecasters import MODEL
from forecasting.domain.instants import iso
from forecasting.domain.question import Question
from forecasting.errors import InvalidInput
from forecasting.evidence import known, retracted
from forecasting.evidence.leads import to_question
from forecasting.evidence.likelihood import of_grade
from forecasting.evidence.relevant import asked
from forecasting.evidence.reports import CodedReport, bound
from forecasting.evidence.shapley import shapley
from forecasting.models.world.model import Variant
from forecasting.models.world.reading import Answer, on_scale
from forecasting.store import Ledger

HISTORY, LINKS = "history", "links"
#: Paths of one step of an explanation, and in all over the coalitions of stories.
STEP_DRAWS, COALITION_DRAWS = 8_192, 262_144
#: Log hazard ratio below which a report is not shown any more.
LEAST_WEIGHT = 0.02
#: Facts shown one by one; older ones are one row.
MOST_FACTS = 12


def explain(
    ledger: Ledger,
    name: str,
    *,
    now: dt.datetime,
    as_of: dt.datetime | None = None,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Explain the model's answer on a question, or on each open rung of a ladder."""
    moment = as_of or now
    check_moment(moment, now)
    catalog = Catalog.of(ledger, recorded_by=moment)
    found = catalog.find(name)
    open_ones = catalog.open_at(moment, found)
    if not open_ones:
        states = ", ".join(f"{q.id} {catalog.status(q, moment)}" for q in found)
        msg = f"question ({name}): is not open at {iso(moment)} ({states})"
        last = max(catalog.ends(question) for question in found)
        day = iso(max(last - dt.timedelta(days=1), min(q.opens for q in found)))[:10]
        raise InvalidInput(msg, hint=f"forecast explain {name} --as-of {day}")
    predictor = Predictor.of(ledger, catalog, moment, now, seed=seed)
    for question in open_ones:
        if question.id in predictor.silent:
            msg = f"question ({question.id}): {predictor.silent[question.id]}"
            raise InvalidInput(msg, hint=f"forecast questions show {question.id}")
    return [Explanation(predictor, question, moment, seed).told() for question in open_ones]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One question's answer as of a moment, taken apart."""

    predictor: Predictor
    question: Question
    as_of: dt.datetime
    seed: int

    def told(self) -> dict[str, Any]:
        """Give the explanation as plain data."""
        # A first forecast may use only what was known before the opening.
        facts = self.predictor.parts([self.question], self.as_of)[0][1]
        run = self.predictor.model.run(
            Variant(MODEL),
            [self.question],
            self.predictor.at(self.as_of, facts),
        )
        after = self.predictor.model.read(run, self.question)
        prior = self.predictor.prior(self.question)
        if prior is None:
            opened = (self.question.id, self.question.opens)
            why = self.predictor.model.faults.get(opened, "the models cannot answer it")
            msg = f"question ({self.question.id}): {why}"
            raise InvalidInput(msg)
        coded = [
            report
            for report in run.coded
            if report.process in run.spec.processes
            and abs(report.weight_at(self.as_of)) >= LEAST_WEIGHT
        ]
        rows = self._facts_and_time(facts, prior)
        quiet = Variant("", news=False)
        linked = self._value(quiet, facts, self.as_of) if coded else self._scale(after)
        rows.append(
            self._row(LINKS, "Links between processes", linked - self._reached(rows, prior))
        )
        rows += self._stories(facts, coded, self._scale(after) - self._reached(rows, prior))
        change = self._scale(after) - self._scale(prior)
        return {
            "question": self.question.id,
            "as_of": self.as_of,
            "model": "world",
            "method": after.method,
            "gate": after.gate,
            "scale": f"median in {self.question.space.unit or 'units'}"
            if self.question.type == "numeric"
            else "log-odds",
            "prior": prior.plain(self.question),
            "posterior": after.plain(self.question),
            "lower": None if after.spread is None else after.spread.p05,
            "upper": None if after.spread is None else after.spread.p95,
            "change": self._shown(change),
            "decided": after.decided,
            "items": rows,
            "stories": self._summed(rows, "story"),
            "sources": self._summed(rows, "source"),
            "links": self._links(facts, run),
            "gain": run.learned.gain_summary,
            "watched_until": {name: record.free for name, record in run.records.items()},
            "undo": self._undo(float(change[0]), facts, prior, after)
            if self.question.type == "binary" and after.decided is None
            else None,
        }

    def _scale(self, answer: Answer) -> FloatArray:
        return on_scale(self.question, answer.numbers)

    def _value(
        self,
        variant: Variant,
        items: Sequence[Evidence],
        as_of: dt.datetime,
        *,
        watched: Mapping[str, dt.datetime] | None = None,
        draws: int = STEP_DRAWS,
        betas: Mapping[str, float] | None = None,
    ) -> FloatArray:
        at = self.predictor.at(as_of, tuple(items), watched)
        run = self.predictor.model.run(variant, [self.question], at, draws=draws, betas=betas)
        return self._scale(self.predictor.model.read(run, self.question))

    def _facts_and_time(self, facts: Sequence[Evidence], prior: Answer) -> list[dict[str, Any]]:
        """Give the history before the opening, then facts and time as they came, without links."""
        alone = Variant("", links=False, news=False)
        opens = min(self.question.opens, self.as_of)
        old = retracted(known(self.predictor.evidence, opens - MOMENT))
        at_opening = {name: opens for name in self.predictor.bank.world.processes}
        value = self._value(alone, old, opens, watched=at_opening)
        rows = [self._row(HISTORY, "History before the opening", value - self._scale(prior))]
        names = asked(self.predictor.model.predicates[self.question.id])
        own = [
            item
            for item in facts
            if item.known_at >= opens
            and any(e.form == "datum" and e.target in names for e in item.effects)
        ]
        passed = np.zeros_like(value)
        for item in own[-MOST_FACTS:]:
            earlier = [other for other in facts if other.known_at < item.known_at]
            just_before = self._value(alone, earlier, item.known_at)
            passed += just_before - value
            with_it = [*earlier, *(o for o in facts if o.known_at == item.known_at)]
            value = self._value(alone, with_it, item.known_at)
            rows.append(
                self._row(item.key, item.title, value - just_before)
                | {
                    "news": item.seq,
                    "known_at": item.known_at,
                    "kind": "fact",
                    "source": item.source,
                }
            )
        now = self._value(alone, facts, self.as_of)
        passed += now - value
        rows.append(self._row(TIME, "The passing of time", passed))
        return rows

    def _stories(
        self, facts: Sequence[Evidence], coded: Sequence[CodedReport], change: FloatArray
    ) -> list[dict[str, Any]]:
        """Share what the reports changed among their stories."""
        stories: dict[str, list[CodedReport]] = {}
        for report in coded:
            stories.setdefault(report.story, []).append(report)
        names = list(stories)
        mine = {report.key for report in coded}
        rest = [item for item in facts if item.key not in mine]
        draws = max(1_024, min(STEP_DRAWS, COALITION_DRAWS // 2 ** min(len(names), 8)))

        def value(coalition: frozenset[int]) -> FloatArray:
            told = {report.key for i in coalition for report in stories[names[i]]}
            items = [*rest, *(item for item in facts if item.key in told)]
            ordered = tuple(sorted(items, key=lambda item: (item.known_at, item.key)))
            return self._value(Variant(MODEL), ordered, self.as_of, draws=draws)

        if not names:
            return []
        shares = shapley(len(names), value, seed=self.seed)
        shares = _adding_up(shares, change)
        by_key = {item.key: item for item in facts}
        rows = []
        for name, share in zip(names, shares, strict=True):
            first = min(stories[name], key=lambda report: report.known_at)
            item = by_key[first.key]
            row = self._row(name, item.title, share) | {
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
            rows.append(row)
        return rows

    def _links(self, facts: Sequence[Evidence], run: Any) -> list[dict[str, Any]]:
        """Give the answer at either end of each link's 90 % range, the others as they are."""
        rows = []
        for link in run.spec.links:
            ends = [
                self._value(
                    Variant(MODEL), facts, self.as_of, draws=4_096, betas={link.name: log(ratio)}
                )
                for ratio in (link.low, link.high)
            ]
            rows.append(
                {
                    "link": link.name,
                    "ratio": link.median,
                    "low": link.low,
                    "high": link.high,
                    "at_low": self._back(ends[0]),
                    "at_high": self._back(ends[1]),
                    "because": link.because,
                    "source": link.source,
                }
            )

        def width(row: Mapping[str, Any]) -> float:
            return float(np.abs(_vector(row["at_low"]) - _vector(row["at_high"])).max())

        return sorted(rows, key=width, reverse=True)

    def _undo(
        self, change: float, facts: Sequence[Evidence], prior: Answer, after: Answer
    ) -> dict[str, Any] | None:
        """Say what hazard ratio from now on would take the answer back to its prior."""
        signs = to_question(
            self.predictor.model.predicates[self.question.id], self.predictor.bank.world
        )
        if abs(change) < 0.05 or not signs:
            return None
        before, now = prior.numbers[0], after.numbers[0]
        if not 0.0 < now < 1.0 or not 0.0 < before < 1.0:
            return None
        # One constant ratio on the hazard that is left: 1 - P = exp(-H), exact for one exit.
        leaving = any(sign < 0 for sign in signs.values())
        left, wanted = (-log(now), -log(before)) if leaving else (-log(1 - now), -log(1 - before))
        ratio = wanted / left
        return {
            "ratio": ratio,
            "by_grade": {
                grade: ratio if abs(log(ratio)) <= bound(of_grade(grade).mean) else None
                for grade in GRADES
            },
        }

    def _reached(self, rows: Sequence[Mapping[str, Any]], prior: Answer) -> FloatArray:
        total = self._scale(prior).copy()
        for row in rows:
            total += _vector(row["delta_logit"])
        return total

    def _row(self, key: str, title: str, share: FloatArray) -> dict[str, Any]:
        own = key if key in {TIME, HISTORY, LINKS} else ""
        return {
            "news": None,
            "key": key,
            "title": title,
            "source": own,
            "story": key,
            "known_at": None,
            "kind": own,
            "delta_logit": self._shown(share),
        }

    def _shown(self, change: FloatArray) -> Any:
        """Give a change on the scale: one number, or one for each option."""
        if len(change) == 1:
            return float(change[0])
        return dict(zip(self.question.space.options, map(float, change), strict=True))

    def _back(self, value: FloatArray) -> Any:
        """Give a value on the scale as the answer that it stands for."""
        if self.question.type == "numeric":
            return float(value[0])
        p = 1.0 / (1.0 + np.exp(-value))
        return self._shown(p)

    def _summed(self, rows: Sequence[Mapping[str, Any]], by: str) -> list[dict[str, Any]]:
        """Sum the effects of rows that share a story or a source, largest first."""
        totals: dict[str, FloatArray] = {}
        for row in rows:
            part = _vector(row["delta_logit"])
            totals[row[by]] = totals[row[by]] + part if row[by] in totals else part
        ordered = sorted(totals.items(), key=lambda pair: (-float(np.abs(pair[1]).max()), pair[0]))
        return [{by: name, "delta_logit": self._shown(total)} for name, total in ordered]


def _vector(change: Any) -> FloatArray:
    numbers = list(change.values()) if isinstance(change, Mapping) else [change]
    return np.array(numbers, dtype=np.float64)


def _adding_up(shares: FloatArray, change: FloatArray) -> FloatArray:
    """Give shares that add up to the change: what the smaller runs missed goes where most is."""
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
