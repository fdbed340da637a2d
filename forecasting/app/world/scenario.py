"""The world on simulated paths: named scenarios, stories, fans, and what is worth knowing.

Every answer is read off the same paths, so that they agree with one another; conditions on them are
in `forecasting.app.world.what_if`.
"""

import contextlib
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from forecasting.app.forecast.predict import LIVE_DRAWS, OWN, Predictor
from forecasting.app.ledger.log import check_moment
from forecasting.app.upkeep.banks import bank_of
from forecasting.arrays import BoolArray
from forecasting.bank import Bank
from forecasting.bank.usable import left_out
from forecasting.domain.catalog import Catalog
from forecasting.domain.forecasters import MODEL
from forecasting.domain.instants import day_of, iso, last_day
from forecasting.domain.predicate import Truth
from forecasting.domain.process import is_over
from forecasting.domain.question import Question
from forecasting.domain.scenario import OTHERWISE, ScenarioSet
from forecasting.errors import GateRefused, InvalidInput, NotFound, nearest
from forecasting.evidence.relevant import last_moment
from forecasting.inference.estimate import Estimate, effective, estimate, value_of_information
from forecasting.models.world.model import Run, Variant
from forecasting.models.world.paths import FAN
from forecasting.models.world.reading import FEWEST, counting, truths
from forecasting.models.world.values import Do
from forecasting.review import words
from forecasting.review.data import Fan
from forecasting.store import Ledger

#: A process that moves in so many paths and is linked to nothing is left out of stories.
ALWAYS = 0.9
_INSTANT = dt.timedelta(microseconds=1)
#: Dates of a fan.
POINTS = 60


@dataclass(frozen=True, slots=True)
class Live:
    """The world as of a moment, with the questions that it answers."""

    predictor: Predictor = field(repr=False)
    questions: tuple[Question, ...] = field(repr=False)
    as_of: dt.datetime
    run: Run = field(repr=False)
    notes: tuple[str, ...]
    until: dt.datetime

    def truths(self, run: Run, question: Question) -> dict[str, BoolArray]:
        """Give which paths answer a question so, by outcome; a number has none."""
        return truths(run.paths, self.predictor.asks[question.id], question)

    def counts(self, run: Run, question: Question) -> BoolArray | None:
        """Give the paths on which a conditional question counts; None: on all."""
        return counting(run.paths, self.predictor.asks[question.id], question)

    @property
    def title(self) -> str:
        """Name what is shown: its first and last day, and how many paths of how many processes."""
        world = self.run.world
        days = words.Days(self.predictor.bank.zone)
        # A midnight ends the day that it is called by.
        first, last = (days.day(at - _INSTANT) for at in (self.as_of, self.until))
        return f"{first} to {last}, {world.draws:,} paths of {len(world.processes)} processes"

    def find(self, name: str = "") -> ScenarioSet | None:
        """Give a set of scenarios by its id; without a name the only one, if there is one."""
        have = {each.id: each for each in self.predictor.bank.scenarios}
        if not name:
            return next(iter(have.values())) if len(have) == 1 else None
        if name not in have:
            msg = f"no scenario named {name}"
            there = ", ".join(have) or "forecast scenario list"
            if faults := left_out(self.predictor.bank):
                there = f"mend {faults[0].source}:{faults[0].line}, which is left out"
            raise NotFound(msg, hint=nearest(name, have) or there)
        return have[name]

    def scenarios(self, name: str = "") -> ScenarioSet:
        """Give a set as `find` does; it must be there."""
        if (chosen := self.find(name)) is None:
            msg = "scenario: name one of the bank's"
            sets = ", ".join(each.id for each in self.predictor.bank.scenarios)
            raise NotFound(msg, hint=sets or "forecast scenario list")
        return chosen

    def shares(self, scenarios: ScenarioSet) -> list[dict[str, Any]]:
        """Give the probability of each named scenario and of the rest; they sum to one."""
        rows = []
        for name, title, text, truth in partition(self.run, scenarios):
            chance = estimated(self.run, truth)
            row = {"scenario": name, "title": title, "when": text, "probability": chance.p}
            ends = {"lower": chance.quantiles[0], "upper": chance.quantiles[-1]}
            rows.append(row | ends | {"mcse": chance.mcse})
        return rows

    def what_if(
        self,
        given: Sequence[str] = (),
        do: Sequence[str] = (),
        scenarios: ScenarioSet | None = None,
    ) -> list[dict[str, Any]]:
        """Give how every open question, and each scenario of a set, would stand."""
        from forecasting.app.world.what_if import what_if

        return what_if(self, given, do, scenarios)

    def value(self, target: str = "", scenarios: ScenarioSet | None = None) -> list[dict[str, Any]]:
        """Rank open questions by how much their answer lowers the half Brier score of others."""
        discrete = [question for question in self.questions if question.type != "numeric"]
        answers = {q.id: self.truths(self.run, q) for q in discrete}
        counts = {q.id: self.counts(self.run, q) for q in discrete}
        aims: dict[str, tuple[BoolArray, BoolArray | None]]
        if target:
            from forecasting.app.world.what_if import sides

            met, unmet = sides(self, self.run, target)
            aims = {target: (met, None if (met | unmet).all() else met | unmet)}
        elif scenarios is not None:
            aims = {name: (truth, None) for name, _, _, truth in partition(self.run, scenarios)}
        else:
            aims = {
                f"{question.id}\0{option}": (truth, counts[question.id])
                for question in discrete
                for option, truth in answers[question.id].items()
                if question.type != "binary" or option == "yes"
            }
        weights = self.run.paths.weights(None)
        rows = []
        for question in discrete:
            if target.partition("=")[0] in (question.id, question.ladder):
                continue
            others = [
                aim
                for name, aim in aims.items()
                if not name.startswith(f"{question.id}\0")
                and not (question.ladder and name.startswith(f"{question.ladder}@"))
            ]
            if not others:
                continue
            answer, seen = np.vstack(list(answers[question.id].values())), counts[question.id]
            if seen is not None:
                # That it is annulled, for its condition is not met, is an answer too.
                answer = np.vstack([answer & seen, ~seen])
            worth = sum(
                value_of_information(aim, answer, weights, seen_of) for aim, seen_of in others
            )
            days = (question.closes - self.as_of) / dt.timedelta(days=1)
            rows.append(
                {
                    "question": question.id,
                    "target": target or (scenarios.id if scenarios else "all other open questions"),
                    "value_of_information": worth,
                    "days": days,
                    "per_day": worth / max(days, 1.0),
                }
            )
        fastest = sorted(rows, key=lambda row: -float(row["per_day"]))
        for row in rows:
            row["rank_per_day"] = fastest.index(row) + 1
        return sorted(rows, key=lambda row: (-float(row["value_of_information"]), row["question"]))

    def valueless(self, target: str = "") -> list[str]:
        """Give the questions whose value is not asked for: a number has no few answers to know."""
        return [q.id for q in self.questions if q.type == "numeric" and q.id != target]

    def learned(self) -> dict[str, tuple[float, float, float]]:
        """Give each link's hazard ratio after the past: median and 90 % range."""
        ratios = {}
        learned = self.run.learned
        for link in learned.drawn.links:
            with contextlib.suppress(InvalidInput):  # of a process at fault nothing was learned
                ends = np.quantile(learned.beta(link), (0.5, 0.05, 0.95))
                middle, low, high = np.exp(ends).tolist()
                ratios[link.name] = (middle, low, high)
        return ratios

    def stories(self, count: int) -> list[dict[str, Any]]:
        """Give the most frequent orders of first moves from now on, each with its median month."""
        origin, left = self.run.world.origin, self.untold()
        names = [name for name in self.run.spec.processes if name not in left]
        since = self.run.world.day(self.as_of)
        rows = []
        for story in self.run.paths.stories(count, processes=names, since=since):
            steps = [
                f"{step} in {origin + dt.timedelta(days=day):%B %Y}"
                for step, day in zip(story.steps, story.days, strict=True)
            ]
            rows.append({"weight": story.share, "story": ", ".join(steps) or "no move"})
        return rows

    def untold(self) -> dict[str, str]:
        """Give the processes that are left out of stories, each with the reason."""
        world, spec = self.run.world, self.run.spec
        everything = self.predictor.bank.world.processes
        left = {n: "no open question rests on it" for n in everything if n not in spec.processes}
        linked, since = self._linked(), world.day(self.as_of)
        weights = self.run.paths.weights()
        for name in spec.processes:
            rows = self.run.paths.course(name).rows
            moved = np.zeros(world.draws, dtype=bool)
            moved[rows.draw[rows.time > since]] = True
            share = float(weights @ moved)
            if share == 0.0:
                left[name] = "it moves in no path"
            elif name not in linked and share >= ALWAYS:
                most = "every path" if share > 1 - 1e-9 else f"over {int(100 * share)} % of paths"
                left[name] = f"it moves in {most}, and nothing hangs on it"
        return left

    def fans(self) -> list[Fan]:
        """Give each process over time: shares of states, or quantiles of what was delivered."""
        step = (self.until - self.as_of) / POINTS
        moments = [self.as_of + step * k for k in range(POINTS)]
        fans = []
        for name, process in self.run.spec.processes.items():
            shown = process.title or name
            drawn = self.run.paths.fan(name, moments).tolist()
            if process.kind in {"event", "delivery"}:
                unit = process.delivery.unit if process.delivery else "events"
                fan = Fan(name, shown, moments, quantiles=drawn, levels=FAN, unit=unit)
            else:
                fan = Fan(name, shown, moments, states=process.states, shares=drawn)
            fans.append(fan)
        return fans

    def _linked(self) -> list[str]:
        """Give the processes that a link joins to another; all where no two are."""
        spec = self.run.spec
        names = {name for link in spec.links for name in (link.parent, link.child)}
        return [name for name in spec.processes if name in names] or list(spec.processes)


def live(
    ledger: Ledger,
    *,
    now: dt.datetime,
    as_of: dt.datetime | None = None,
    seed: int = 0,
    bank: Bank | None = None,
    draws: int | None = None,
) -> Live:
    """Simulate the whole world as of a moment, far enough for every open question."""
    moment = as_of or now
    check_moment(moment, now)
    catalog = Catalog.of(ledger, recorded_by=moment)
    predictor = Predictor.of(
        ledger, catalog, moment, now, bank=bank, seed=seed, draws=draws or LIVE_DRAWS
    )
    asks = predictor.asks
    questions = [q for q in catalog.open_at(moment) if q.id in asks]
    if not questions:
        msg = f"scenario: no open question is answered by the world as of {iso(moment)}"
        raise InvalidInput(msg, hint="forecast questions list --status open")
    plain = [q for q in questions if asks[q.id].given is None] or questions
    ends = [last_moment(asks[q.id], q.closes) for q in plain]
    until = max([*ends, *(scenarios.closes for scenarios in predictor.bank.scenarios)])
    # Only a conditional question may ask about a later time.
    far = [q.id for q in questions if last_moment(asks[q.id], q.closes) > until]
    questions = [q for q in questions if q.id not in far]
    faults: dict[str, str] = {}
    try:
        run = simulated(predictor, questions, moment, until)
    except (InvalidInput, GateRefused):
        # A process at fault stops what rests on it, and no other: ask each question alone.
        predictor.one(OWN[0], questions, moment)
        causes = predictor.model.faults
        faults = {q.id: causes[q.id, moment] for q in questions if (q.id, moment) in causes}
        questions = [q for q in questions if q.id not in faults]
        if not faults or not questions:
            raise
        run = simulated(predictor, questions, moment, until)
    processes = predictor.bank.world.processes
    watched = {
        name: record.free
        for name, record in run.records.items()
        if not is_over(processes[name], record.state)
    }
    late = [name for name, end in watched.items() if moment - end > dt.timedelta(days=7)]
    zone = predictor.bank.zone
    end = day_of(until, zone)
    notes = [f"{name} asks about a time after {end} and is left out" for name in far]
    notes += [f"{name} is left out: {why}" for name, why in faults.items()]
    if late:
        notes.append(
            f"{len(late)} of {len(watched)} processes were last watched more than a week ago, "
            f"the first on {day_of(min(watched.values()), zone)}; what happened since is simulated"
        )
    return Live(predictor, tuple(questions), moment, run, tuple(notes), until)


def simulated(
    predictor: Predictor,
    questions: Sequence[Question],
    moment: dt.datetime,
    reach: dt.datetime | Mapping[str, dt.datetime],
    *,
    do: Sequence[Do] = (),
    towards: Truth | None = None,
    met: dt.datetime | None = None,
    times: int = 1,
) -> Run:
    """Simulate the model's world so far, with interventions, or towards a rare condition."""
    inputs = (Variant(MODEL), questions, predictor.at(moment))
    return predictor.model.run(*inputs, do=do, towards=towards, met=met, times=times, until=reach)


def listed(ledger: Ledger) -> list[dict[str, Any]]:
    """List the bank's sets of scenarios, one row each."""
    bank = bank_of(ledger)
    return [
        {
            "scenario": each.id,
            "title": each.title,
            "named": [named.name for named in each.named],
            "closes": each.closes,
            "by": last_day(each.closes, bank.zone),
        }
        for each in bank.scenarios
    ]


def partition(run: Run, scenarios: ScenarioSet) -> list[tuple[str, str, str, BoolArray]]:
    """Give which paths belong to each scenario: the first that is true of it, else the rest."""
    left = np.ones(run.world.draws, dtype=bool)
    parts = []
    for named in scenarios.named:
        truth = run.paths.truth(named.when, scenarios.opens, scenarios.closes) & left
        left &= ~truth
        parts.append((named.name, named.title, named.text, truth))
    return [*parts, (OTHERWISE, "None of these", "", left)]


def estimated(run: Run, truth: BoolArray, given: BoolArray | None = None) -> Estimate:
    """Give the probability of a truth among the paths that count, with its error."""
    weights = run.paths.weights(given)
    chance = estimate(truth, weights, run.world.repeats)
    # Of a handful of paths all may agree, and their error would be nought.
    few = given is not None and effective(weights) < FEWEST
    return replace(chance, mcse=float("inf")) if few else chance
