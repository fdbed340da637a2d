"""Forecasters outside the package: a language model, a website, a person's own program.

A plug-in is one more source, without privilege: what it says is logged under its name, scored
like anybody's, and read by the forecaster family through its record. The package itself never
calls a network; a plug-in that does is the user's to install, found by name in the entry-point
group ``forecasting.forecasters``.

One rule is special. What learned from text up to its *knowledge cutoff* may have read how things
came out. So it may be asked about a question only as of a moment at or after its cutoff, and only
about questions that opened at or after it: for an earlier one nobody can tell foresight from
memory, and the back-test is refused.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import Protocol, runtime_checkable

from forecasting.domain.evidence import Evidence
from forecasting.domain.forecast import Forecast, Kind, model_value
from forecasting.domain.instants import iso
from forecasting.domain.question import Question
from forecasting.errors import InvalidInput, NotFound
from forecasting.evidence import known, retracted
from forecasting.models.forecaster_record import MACHINES

__all__ = [
    "GROUP",
    "FixedForecaster",
    "OutsideForecaster",
    "Wording",
    "ask",
    "get",
    "installed",
    "refusal",
]

GROUP = "forecasting.forecasters"


@dataclass(frozen=True, slots=True)
class Wording:
    """What an outside forecaster is shown of a question: nothing that tells how it came out."""

    title: str
    criteria: str
    background: str
    opens: dt.datetime
    closes: dt.datetime


@runtime_checkable
class OutsideForecaster(Protocol):
    """What a plug-in offers; an entry point names a class without arguments, or an instance.

    `knowledge_cutoff` is the last moment that may have shaped it, None for one that knows only
    what it is shown (a rule, a website read live). It is aware of its time zone.
    """

    @property
    def name(self) -> str:
        """Under which its forecasts are logged, ``outside:`` put before it."""
        ...

    @property
    def knowledge_cutoff(self) -> dt.datetime | None:
        """The last moment whose news may have shaped it."""
        ...

    def forecast(
        self, question: Wording, as_of: dt.datetime, evidence: Sequence[Evidence]
    ) -> float:
        """Give the probability of yes, from the evidence that was known by `as_of`."""
        ...


@dataclass(frozen=True, slots=True)
class FixedForecaster:
    """A deterministic stand-in: one probability, or one for each title.

    Examples
    --------
    >>> moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    >>> rain = Wording("Rain?", "", "", moment, moment)
    >>> FixedForecaster("fixed", 0.3, by_title={"Rain?": 0.7}).forecast(rain, moment, ())
    0.7
    """

    name: str = "fixed"
    probability: float = 0.5
    knowledge_cutoff: dt.datetime | None = None
    by_title: dict[str, float] = field(default_factory=dict)

    def forecast(
        self, question: Wording, as_of: dt.datetime, evidence: Sequence[Evidence]
    ) -> float:
        """Give the number that was fixed."""
        return self.by_title.get(question.title, self.probability)


def installed() -> dict[str, OutsideForecaster]:
    """Return the outside forecasters of installed plug-ins, by the name of their entry point.

    Returns
    -------
    dict of str to OutsideForecaster
        Sorted by name; empty where none is installed.

    Raises
    ------
    InvalidInput
        If an entry point is no outside forecaster.
    """
    found: dict[str, OutsideForecaster] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        loaded = point.load()
        outside = loaded() if isinstance(loaded, type) else loaded
        if not isinstance(outside, OutsideForecaster):
            message = (
                f"outside forecaster ({point.name}): {point.value} must have name, "
                "knowledge_cutoff and forecast(question, as_of, evidence)."
            )
            raise InvalidInput(message)
        found.setdefault(point.name, outside)
    return found


def get(name: str) -> OutsideForecaster:
    """Return one installed outside forecaster.

    Parameters
    ----------
    name : str
        Of its entry point.

    Returns
    -------
    OutsideForecaster

    Raises
    ------
    NotFound
        If there is none; names the nearest.
    """
    found = installed()
    if name not in found:
        near = get_close_matches(name, found, n=1, cutoff=0.4)
        message = f"outside forecaster ({name}): none of that name is installed."
        raise NotFound(message, hint=near[0] if near else f"a package with entry point {GROUP}")
    return found[name]


def refusal(outside: OutsideForecaster, question: Question, as_of: dt.datetime) -> str:
    """Say why a forecaster may not be asked about a question as of a moment.

    Parameters
    ----------
    outside : OutsideForecaster
        Who is asked.
    question : Question
        About what.
    as_of : datetime
        Knowing what was known by then.

    Returns
    -------
    str
        Empty where it may be asked.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> day = lambda d: dt.datetime(2026, 1, d, tzinfo=dt.UTC)
    >>> question = SimpleNamespace(id="q", opens=day(3))
    >>> refusal(FixedForecaster(knowledge_cutoff=day(3)), question, day(4))
    ''
    >>> refusal(FixedForecaster(knowledge_cutoff=day(5)), question, day(9))
    'question (q): opened 2026-01-03T00:00:00Z, before the knowledge cutoff of fixed (2026-01-05...'
    """
    cutoff = outside.knowledge_cutoff
    if cutoff is None:
        return ""
    if cutoff.tzinfo is None:
        return f"knowledge_cutoff ({cutoff}): that of {outside.name} must have a time zone"
    if as_of < cutoff:
        return (
            f"as_of ({iso(as_of)}): {outside.name} may have read what came after it, up to its "
            f"knowledge cutoff ({iso(cutoff)})"
        )
    if question.opens < cutoff:
        return (
            f"question ({question.id}): opened {iso(question.opens)}, before the knowledge cutoff "
            f"of {outside.name} ({iso(cutoff)}), which may have read how it was going"
        )
    return ""


def ask(
    outside: OutsideForecaster,
    question: Question,
    as_of: dt.datetime,
    evidence: Sequence[Evidence],
    *,
    kind: Kind = "live",
    run: str = "",
) -> Forecast:
    """Ask an outside forecaster one yes-no question, showing it what was known by a moment.

    Parameters
    ----------
    outside : OutsideForecaster
        A plug-in or a stand-in.
    question : Question
        Binary, open at `as_of`.
    as_of : datetime
        The evidence is filtered by it here, whatever was handed over.
    evidence : sequence of Evidence
        Any items.
    kind : str, default "live"
        Of the forecast: live, or replay.
    run : str
        Replay run, for a replay.

    Returns
    -------
    Forecast
        Under the name ``outside:<name>``, ready to be logged like any other.

    Raises
    ------
    InvalidInput
        If the question is not binary or not open, the back-test is refused, the name is one of
        the tool's own, or the answer is no probability.
    """
    if question.type != "binary":
        message = f"question ({question.id}): is {question.type}; outsiders answer yes or no."
        raise InvalidInput(message)
    if not outside.name or outside.name.partition(":")[0] in MACHINES:
        message = f"outside forecaster ({outside.name!r}): needs a name of its own."
        raise InvalidInput(message)
    if not question.opens <= as_of < question.closes:
        message = f"question ({question.id}): is not open at {iso(as_of)}."
        raise InvalidInput(message, hint="forecast questions list --status open")
    if reason := refusal(outside, question, as_of):
        raise InvalidInput(reason, hint="ask about questions that opened after the cutoff")
    wording = Wording(
        question.title, question.criteria, question.background, question.opens, question.closes
    )
    shown = tuple(retracted(known(evidence, as_of)))
    probability = float(outside.forecast(wording, as_of, shown))
    # Written so that a NaN refuses.
    if not 0.0 <= probability <= 1.0:
        message = f"probability ({probability}): {outside.name} must answer from 0 to 1."
        raise InvalidInput(message)
    cutoff = outside.knowledge_cutoff
    return Forecast(
        question=question.id,
        question_hash=question.wording_hash,
        forecaster=f"outside:{outside.name}",
        value=model_value(question.space, [probability]),
        issued_at=as_of,
        kind=kind,
        run=run,
        meta={"evidence": str(len(shown))} | ({"cutoff": iso(cutoff)} if cutoff else {}),
    )
