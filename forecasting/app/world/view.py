"""The world as a notebook sees it: its paths as tables, its answers, its fits, and what-if."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting.app.forecast.predict import OWN
from forecasting.app.world.scenario import Live, live
from forecasting.bank import Bank
from forecasting.bank.usable import loaded
from forecasting.domain.instants import day_ends, parse_when, utc
from forecasting.domain.question import Question
from forecasting.errors import InvalidInput, nearest
from forecasting.models.world.paths import FAN
from forecasting.models.world.reading import LEVELS, Answer
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd


#: A day is the midnight that ends it, in the zone of the world; a moment carries its offset.
type Day = str | dt.date | dt.datetime
#: The columns of the table, also of one without rows.
ANSWER_COLUMNS = ("question", "type", "outcome", "number", "lower", "upper", "mcse", "gate")
WHAT_IF_COLUMNS = (
    *("question", "state", "before", "after", "lower", "upper", "change", "change_mcse", "mcse"),
    *("gate", "basis"),
)
VALUE_COLUMNS = ("question", "target", "value_of_information", "days", "per_day", "rank_per_day")


def world(
    ledger: Ledger,
    *,
    now: dt.datetime,
    as_of: dt.datetime | None = None,
    draws: int | None = None,
    seed: int = 0,
    bank: Bank | str | Path | None = None,
) -> "WorldView":
    """Simulate the world as of a moment; see `Book.world`."""
    if draws is not None and (draws < 1 or draws % 16):
        raise InvalidInput(f"draws ({draws}): must be a multiple of 16", hint="draws=32_768")
    whose = None if bank is None else loaded(bank)
    return WorldView(live(ledger, now=now, as_of=as_of, seed=seed, draws=draws, bank=whose))


@dataclass(frozen=True, slots=True, repr=False)
class WorldView:
    """One simulation of a bank's world as of a moment: every path, and what is read off them.

    A day, as text or a date, is the midnight that ends it, as in a question's answer.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from forecasting.app.book import Book
    >>> text = '''
    ... schema: 1
    ... zone: UTC
    ... processes:
    ...   convoy: {event: 3 in 70 weeks, source: a count, since 2026-01-01: ""}
    ... questions:
    ...   convoy-2026: {title: A convoy, type: binary, opens: 2026-01-01, closes: 2026-12-31,
    ...     answer: convoy by close}
    ... '''
    >>> with TemporaryDirectory() as folder, Book.open("sqlite:///:memory:", create=True) as book:
    ...     (Path(folder) / "worlds").mkdir()
    ...     _ = (Path(folder) / "worlds" / "convoys.yaml").write_text(text)
    ...     _ = book.init(folder)
    ...     view = book.world(as_of="2026-01-01T00:00Z", bank=folder)
    >>> view.answers()[["question", "outcome", "number"]].round(2).to_dict("records")
    [{'question': 'convoy-2026', 'outcome': 'yes', 'number': 0.86}]
    >>> list(view.event_times().columns)
    ['draw', 'process', 'time', 'before', 'state', 'amount']
    >>> view.fan("convoy", ["2026-12-31"]).columns.tolist()
    ['q05', 'q25', 'q50', 'q75', 'q95']
    """

    live: Live

    def __repr__(self) -> str:
        return f"<World of {len(self.live.questions)} questions, {self.live.title}>"

    @property
    def as_of(self) -> dt.datetime:
        """The moment that the world is seen from."""
        return self.live.as_of

    @property
    def draws(self) -> int:
        """How many paths there are."""
        return self.live.run.world.draws

    @property
    def processes(self) -> tuple[str, ...]:
        """The processes that were simulated, in the order of the files."""
        return tuple(self.live.run.spec.processes)

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know before reading on, such as processes that nobody has watched."""
        return self.live.notes

    def event_times(self) -> "pd.DataFrame":
        """Give one row a move that chance made.

        Returns
        -------
        DataFrame
            ``draw, process, time`` (UTC), ``before, state, amount``; draw by draw, in order of
            time. What is known to have happened is not repeated in each draw.
        """
        return self.live.run.paths.event_times()

    def states_at(self, dates: Sequence[Day]) -> "pd.DataFrame":
        """Give the state of each process at some dates.

        Returns
        -------
        DataFrame
            Index ``(moment, draw)``, a categorical column for each process.
        """
        return self.live.run.paths.states_at(self._moments(dates))

    def fan(self, process: str, dates: Sequence[Day]) -> "pd.DataFrame":
        """Give one process over time.

        Returns
        -------
        DataFrame
            Index ``moment``; the share of paths in each state, or of a delivery and of counted
            events the quantiles ``q05`` to ``q95`` of the total.

        Raises
        ------
        InvalidInput
            No such process was simulated.
        """
        import pandas as pd

        if process not in self.processes:
            msg = f"process ({process}): was not simulated"
            hint = nearest(process, self.processes) or ", ".join(self.processes)
            raise InvalidInput(msg, hint=hint)
        moments = self._moments(dates)
        shares = self.live.run.paths.fan(process, moments)
        simulated = self.live.run.world
        subject = simulated.processes[simulated.index[process]]
        counted = len(subject.states) == 1 or subject.done >= 0
        names = [f"q{level:02.0f}" for level in FAN] if counted else list(subject.states)
        return pd.DataFrame(shares, pd.DatetimeIndex(moments, name="moment"), names)

    def stories(self, n: int = 10) -> "pd.DataFrame":
        """Give the most frequent orders of first moves: ``weight, story``, the likeliest first."""
        import pandas as pd

        return pd.DataFrame(self.live.stories(n))

    def answers(self) -> "pd.DataFrame":
        """Give what the world says of each open question, with 90 % intervals.

        Returns
        -------
        DataFrame
            ``question, type, outcome, number, lower, upper, mcse, gate``: one row for a yes-no
            question, one for each option of others, the median of a number. A question with a
            condition of its own is simulated apart, towards its condition; one that no path
            can answer has no row.
        """
        import pandas as pd

        predictor, run = self.live.predictor, self.live.run
        conditional = [q for q in self.live.questions if predictor.asks[q.id].given is not None]
        answers = predictor.one(OWN[0], conditional, self.as_of)
        for question in self.live.questions:
            if question not in conditional:
                answers[question.id] = predictor.model.read(run, question)
        return pd.DataFrame(
            [
                row
                for q in self.live.questions
                if q.id in answers
                for row in _rows(q, answers[q.id])
            ],
            columns=ANSWER_COLUMNS,
        )

    @property
    def fits(self) -> Any:
        """The fits behind the paths as an ArviZ ``DataTree``.

        Groups ``posterior`` and, of the pooled rates, ``posterior_predictive`` and
        ``observed_data``; a variable is ``<fit>.<parameter>``, such as ``rates.mu``. A rate that
        a phrase states has a prior in closed form and no fit: `book.priors()` lists it. The fit
        of a delivery is its class without it; its own parts then weigh the draws that its paths
        take, so that their mean share is not the one shown here.

        Raises
        ------
        InvalidInput
            Every rate is stated, so that nothing was fitted.
        """
        from forecasting.inference.datatree import datatree
        from forecasting.models.rates import Rates

        learned = self.live.run.learned
        if not learned.posterior:
            msg = "fits: every rate of this world is stated, so none was fitted"
            raise InvalidInput(msg, hint='none > on: ""')
        # A variable of a `DataTree` may have neither a space nor a slash in its name.
        fits = {
            name.replace(" ", ":").replace("/", ":"): fit for name, fit in learned.posterior.items()
        }
        predictive, observed = {}, {}
        if "rates" in fits:
            data = self.live.predictor.model.learner.fits.data_of(fits["rates"])
            if data:
                again = Rates().replicates(fits["rates"].draws, data, seed=self.live.predictor.seed)
                predictive["rates.counts"], observed["rates.counts"] = again, data["counts"]
        return datatree(fits, predictive=predictive, observed=observed)

    def scenarios(self, name: str = "") -> "pd.DataFrame":
        """Give how likely each named scenario of a set is, and the rest; they sum to one.

        Without a name, of the bank's only set.

        Returns
        -------
        DataFrame
            ``scenario, title, when, probability, lower, upper, mcse``, with 90 % intervals.

        Raises
        ------
        NotFound
            The bank has no such set.
        """
        import pandas as pd

        return pd.DataFrame(self.live.shares(self.live.scenarios(name)))

    def value(self, target: str = "", *, name: str = "") -> "pd.DataFrame":
        """Rank the open questions by what their answers would tell.

        Of a condition (`target`), of which scenario of a set (`name`) comes true, or of all other
        open questions.

        Returns
        -------
        DataFrame
            ``question, value_of_information, days, per_day, ...``: the expected drop of the half
            Brier score of the target from knowing the answer.
        """
        import pandas as pd

        rows = self.live.value(target, self.live.scenarios(name) if name else None)
        return pd.DataFrame(rows, columns=VALUE_COLUMNS)

    def what_if(
        self, given: Sequence[str] = (), do: Sequence[str] = (), *, name: str = ""
    ) -> "pd.DataFrame":
        """Say how every open question would stand.

        Parameters
        ----------
        given : str or sequence of str
            Once this is seen: ``QUESTION=OUTCOME``, ``PROCESS=STATE`` or a predicate.
        do : str or sequence of str
            If this were brought about: the same, with ``@TIME`` (default: now).
        name : str
            Say it of each scenario of this set too.

        Returns
        -------
        DataFrame
            ``question, state, before, after, lower, upper, change, change_mcse, mcse, gate,
            basis``; those that move most first. `change` is 0 where the paths cannot tell it from
            none: as its Monte Carlo error (`change_mcse`) lets one of so many rows move.
        """
        import pandas as pd

        chosen = self.live.scenarios(name) if name else None
        rows = self.live.what_if(_listed(given), _listed(do), chosen)
        return pd.DataFrame(rows, columns=WHAT_IF_COLUMNS)

    def _moments(self, dates: Sequence[Day]) -> list[dt.datetime]:
        zones = {process.zone for process in self.live.run.spec.processes.values()}
        zone = zones.pop() if len(zones) == 1 else self.live.predictor.bank.zone
        moments = [_moment(day, zone) for day in _listed(dates)]
        for moment in moments:
            if self.live.run.world.day(moment) > self.live.run.paths.horizon:
                last = self.live.run.world.origin + dt.timedelta(self.live.run.paths.horizon)
                msg = f"date ({moment:%Y-%m-%d %H:%M}): the paths end at {last:%Y-%m-%d %H:%M}"
                raise InvalidInput(msg, hint="a date up to the last question's close")
        return moments


def _listed(value: Any) -> list[Any]:
    return [value] if isinstance(value, str | dt.date) else list(value)


def _moment(day: Day, zone: str) -> dt.datetime:
    if isinstance(day, str):
        return parse_when(day, zone_name=zone, day_means="ends")
    return utc(day) if isinstance(day, dt.datetime) else day_ends(day, zone)


def _rows(question: Question, answer: Answer) -> list[dict[str, Any]]:
    """Give one answer as rows of a tidy table."""
    spread = answer.spread
    tail = {"mcse": None if spread is None else spread.mcse, "gate": answer.gate}

    def row(outcome: str, number: float, low: float | None, high: float | None) -> dict[str, Any]:
        head = {"question": question.id, "type": question.type, "outcome": outcome}
        return head | {"number": number, "lower": low, "upper": high} | tail

    if not answer.numbers:
        return []
    if question.type == "numeric":
        low, middle, high = (answer.numbers[LEVELS.index(at)] for at in (5.0, 50.0, 95.0))
        return [row(f"median, {question.space.unit}".removesuffix(", "), middle, low, high)]
    if question.type == "binary":
        ends = (None, None) if spread is None else (spread.p05, spread.p95)
        return [row("yes", answer.numbers[0], *ends)]
    return [
        row(option, p, *ends)
        for option, p, ends in zip(
            question.space.options, answer.numbers, answer.intervals, strict=True
        )
    ]
