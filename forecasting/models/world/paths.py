"""Paths: what happened in each draw, and what a question asks of it."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

import numpy as np
from numpy.typing import NDArray

from forecasting.arrays import BoolArray, FloatArray, IntArray
from forecasting.domain import predicate
from forecasting.domain.predicate import Choice, Moment, Total, Truth
from forecasting.errors import InvalidInput
from forecasting.inference.estimate import quantiles
from forecasting.models.world.course import Course, Rows, facts_of
from forecasting.models.world.values import World

if TYPE_CHECKING:
    import pandas as pd

#: An option that holds whatever no other option names.
OTHER = "other"
#: The most moves of a story.
STEPS = 4
#: Quantiles of a fan of totals, in percent.
FAN = (5.0, 25.0, 50.0, 75.0, 95.0)


@dataclass(frozen=True, slots=True)
class Story:
    """An order in which processes first move, how likely it is, the median day of each step."""

    steps: tuple[str, ...]
    share: float
    days: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """The paths of a world, one a draw.

    In `world`, as simulated, what is known of a process ends where its watch, or an intervention,
    ends it; `rows` are what came after. `reach`: how far each process is simulated, in days from
    the origin. `log_weight`: (S,), 0 unless the first budgets were tilted.
    """

    world: World
    reach: tuple[float, ...]
    rows: Rows
    log_weight: FloatArray
    _courses: dict[str, Course] = field(default_factory=dict, init=False, repr=False)

    @property
    def horizon(self) -> float:
        """How far every process is simulated."""
        return min(self.reach, default=0.0)

    def course(self, name: str) -> Course:
        """Give one process in every draw."""
        if not self._courses:
            world = self.world
            order = np.argsort(self.rows.process, kind="stable")
            counts = np.bincount(self.rows.process, minlength=len(world.processes))
            parts = np.split(order, np.cumsum(counts)[:-1])
            for process, part in zip(world.processes, parts, strict=True):
                facts, rows = facts_of(process), self.rows.of(part)
                self._courses[process.name] = Course(process, facts, rows, world.draws)
        return self._courses[name]

    def day(self, moment: dt.datetime, *names: str) -> float:
        """Give a moment in days from the origin: one to which some processes are simulated."""
        day = self.world.day(moment)
        least = min(self.reach[self.world.index[name]] for name in names)
        if day > least + 1e-9:
            message = f"{moment:%Y-%m-%d}: beyond the simulated {least:g} days."
            raise InvalidInput(message, hint="simulate up to the last moment that is asked for.")
        return day

    def truth(self, event: Truth, opens: dt.datetime, closes: dt.datetime) -> BoolArray:
        """Say in which draws an event happens, (S,); what came up to `opens` counts for states."""
        start = self.world.day(opens)
        match event:
            case predicate.Not(of=inner):
                return ~self.truth(inner, opens, closes)
            case predicate.And(left=left, right=right):
                return self.truth(left, opens, closes) & self.truth(right, opens, closes)
            case predicate.Or(left=left, right=right):
                return self.truth(left, opens, closes) | self.truth(right, opens, closes)
            case predicate.Entered(process=name) | predicate.Occurred(process=name):
                since, course = event.since, self.course(name)
                after = start if since is None else self.day(since.of(closes), name)
                end = self.day(event.until.of(closes), name)
                if isinstance(event, predicate.Entered):
                    return course.entries(event.states, after) <= end
                return course.counts(after, end) >= event.least
            case predicate.At(process=name, states=states, when=when):
                course = self.course(name)
                return course.among(states)[course.state_at(self.day(when.of(closes), name))]
            case predicate.Through(process=name, states=states, until=until):
                end = self.day(until.of(closes), name)
                return self.course(name).through(states, start, end)
            case predicate.Within():
                return self._within(event, start, self.day(closes, event.process, event.cause))
        assert_never(event)

    def _within(self, event: predicate.Within, opens: float, until: float) -> BoolArray:
        """Say whether the effect enters, by the close, within so many days of the first cause."""
        cause = self.course(event.cause).entries(event.cause_states, opens)
        latest = np.where(cause <= until, np.minimum(cause + event.days, until), -np.inf)
        course, same = self.course(event.process), event.process == event.cause
        hit = np.zeros(self.world.draws, dtype=np.bool_)
        facts, rows = (
            each.of(np.flatnonzero(course.hits(each, event.states)))
            for each in (course.facts, course.rows)
        )
        for day in facts.time:
            hit |= ((day > cause) if same else (day >= cause)) & (day <= latest)
        begun = cause[rows.draw]
        after = rows.time > begun if same else rows.time >= begun
        hit[rows.draw[after & (rows.time <= latest[rows.draw])]] = True
        return hit

    def choice(
        self, event: Choice, options: Sequence[str], opens: dt.datetime, closes: dt.datetime
    ) -> IntArray:
        """Give the position of the option that comes true in each draw, (S,)."""
        start = self.world.day(opens)
        match event:
            case predicate.StateOn(process=name, when=when, named=named):
                state = self.course(name).state_at(self.day(when.of(closes), name))
                return self._options(name, state, options, dict(named))
            case predicate.HighestOf(process=name, until=until, named=named):
                highest = self.course(name).highest(start, self.day(until.of(closes), name))
                return self._options(name, highest, options, dict(named))
        close = self.day(closes, *(name for _, name, _ in event.entries))
        best = np.full(self.world.draws, np.nextafter(close, np.inf))
        place = np.full(self.world.draws, options.index(event.otherwise))
        for option, name, states in event.entries:
            course = self.course(name)
            times = course.entries(states, start)
            if isinstance(event, predicate.FirstOf):
                chosen = times < best
                best[chosen] = times[chosen]
            else:  # the highest that is reached, or was at the opening, comes last
                chosen = times <= close
                if states:
                    chosen |= course.among(states)[course.state_at(start)]
            place[chosen] = options.index(option)
        return place

    def _options(
        self, name: str, state: IntArray, options: Sequence[str], named: Mapping[str, str]
    ) -> IntArray:
        """Give the option of each draw's state; a state that no option names is the rest."""
        states = self.course(name).process.states
        places = np.full(len(states), -1, dtype=np.int64)
        for k in np.unique(state):
            option = named.get(states[k], states[k])
            places[k] = options.index(
                OTHER if option not in options and OTHER in options else option
            )
        return places[state]

    def number(self, event: Total, opens: dt.datetime, closes: dt.datetime) -> FloatArray:
        """Give what a delivery brought, or how many events fell, in each draw, (S,)."""
        until = self.day(event.when.of(closes), event.process)
        after = self.world.day(opens) if event.since_opening else -np.inf
        course = self.course(event.process)
        if not np.isfinite(course.process.goal):
            return course.counts(after, until).astype(np.float64)
        # Parts have seven digits, so a sum is rounded to seven digits of what was agreed.
        digits = 6 - math.ceil(math.log10(course.process.goal))
        return np.round(course.total(after, until), digits)

    def weights(self, given: BoolArray | None = None) -> FloatArray:
        """Give the weight of each draw, summing to 1; 0 where the condition does not hold."""
        log = self.log_weight if given is None else np.where(given, self.log_weight, -np.inf)
        top = log.max(initial=-np.inf)
        if not np.isfinite(top):
            return np.zeros(len(log))
        weight = np.exp(log - top)
        return np.asarray(weight / weight.sum(), dtype=np.float64)

    def event_times(self) -> "pd.DataFrame":
        """Give one row a move: draw, process, time (UTC), before, state, amount."""
        import pandas as pd

        world = self.world
        rows = self.rows.of(np.lexsort((self.rows.time, self.rows.draw)))
        names = [process.name for process in world.processes]
        labels = sorted({state for process in world.processes for state in process.states})
        width = max((len(process.states) for process in world.processes), default=1)
        code = np.zeros((len(names), width), dtype=np.int16)
        for place, process in enumerate(world.processes):
            code[place, : len(process.states)] = [labels.index(state) for state in process.states]
        origin = pd.Timestamp(world.origin).tz_convert("UTC")
        after = np.rint(rows.time * 86_400e6).astype("timedelta64[us]")

        def named(states: NDArray[np.int8]) -> "pd.Categorical[str]":
            return pd.Categorical.from_codes(code[rows.process, states], pd.Index(labels))

        return pd.DataFrame(
            {
                "draw": rows.draw,
                "process": pd.Categorical.from_codes(rows.process, pd.Index(names)),
                "time": origin + pd.to_timedelta(after),
                "before": named(rows.before),
                "state": named(rows.state),
                "amount": rows.amount,
            }
        )

    def states_at(self, moments: Sequence[dt.datetime]) -> "pd.DataFrame":
        """Give the state of each process, one a column; index (moment, draw)."""
        import pandas as pd

        draws = np.arange(self.world.draws)
        columns = {}
        for process in self.world.processes:
            course = self.course(process.name)
            codes = [course.state_at(self.world.day(at)) for at in moments]
            flat = np.concatenate(codes) if codes else np.zeros(0, dtype=np.int64)
            columns[process.name] = pd.Categorical.from_codes(flat, pd.Index(process.states))
        index = pd.MultiIndex.from_product([list(moments), draws], names=["moment", "draw"])
        return pd.DataFrame(columns, index=index)

    def stories(
        self, n: int = 10, *, processes: Sequence[str] | None = None, since: float = -np.inf
    ) -> list[Story]:
        """Give the most frequent orders in which processes first move after a day."""
        chosen = list(self.world.index) if processes is None else processes
        when = np.full((len(chosen), self.world.draws), np.inf)
        code = np.zeros((len(chosen), self.world.draws), dtype=np.int64)
        steps = [""]  # by their code
        for k, name in enumerate(chosen):
            states, rows = self.course(name).process.states, self.course(name).rows
            rows = rows.of(np.flatnonzero(rows.time > since))
            first = np.flatnonzero(np.diff(rows.draw, prepend=-1))
            when[k, rows.draw[first]] = rows.time[first]
            into = rows.state[first].astype(np.int64)
            if len(states) > 1:
                into[rows.before[first] == into] = len(states)
            code[k, rows.draw[first]] = len(steps) + into
            entered = [f"{name}={state}" for state in (*states, "next-part")]
            steps += entered if len(states) > 1 else [name]
        base = len(steps)
        length = min(STEPS, int(62 / np.log2(base)))
        order = np.argsort(when, axis=0, kind="stable")[:length]
        sequence = np.take_along_axis(code, order, axis=0)
        times = np.take_along_axis(when, order, axis=0)
        key = (sequence * base ** np.arange(len(sequence))[:, None]).sum(axis=0)
        keys, place = np.unique(key, return_inverse=True)
        share = np.bincount(place, self.weights(), len(keys))
        stories = []
        for k in np.argsort(-share, kind="stable")[:n]:
            taken, rest = [], int(keys[k])
            while rest:
                rest, each = divmod(rest, base)
                taken.append(steps[each])
            days = np.median(times[: len(taken), place == k], axis=1)
            stories.append(Story(tuple(taken), float(share[k]), tuple(days.tolist())))
        return stories

    def fan(self, process: str, moments: Sequence[dt.datetime]) -> FloatArray:
        """Give shares of the states, or quantiles of a total, at some moments."""
        world, w, course = self.world, self.weights(), self.course(process)
        subject = course.process
        if np.isfinite(subject.goal) or len(subject.states) == 1:
            event = [Total(process, Moment(at)) for at in moments]
            totals = [self.number(each, world.origin, world.origin) for each in event]
            return np.array([quantiles(total, w, FAN) for total in totals])
        states = [course.state_at(world.day(at)) for at in moments]
        return np.array([np.bincount(each, w, len(subject.states)) for each in states])
