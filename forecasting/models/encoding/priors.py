"""Compute a question's priors from the bank's statements and what was known at its opening.

A prior is either cited (a source published before the question opened) or computed here from the
facts known at the opening: the class's own history, a published table of durations, or the running
count of exchanges. Nothing known later can enter, because the evidence passes the as-of filter at
the opening first.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log

from forecasting.domain.commentary import PriorChange, Worldview
from forecasting.domain.evidence import Evidence
from forecasting.domain.instants import iso, local_day, parse_day
from forecasting.domain.question import Question
from forecasting.domain.reference import DurationShare, PriorRow, ReferenceClass
from forecasting.domain.scenario import ScenarioGraph
from forecasting.errors import InvalidInput
from forecasting.evidence import known, retracted
from forecasting.models.encoding import facts
from forecasting.models.protocol import PriorSpec

WEEK = dt.timedelta(weeks=1)
MOMENT = dt.timedelta.resolution
#: Values of an occurrence that say that something was lost again: no event of its class.
LOST = frozenset({"collapse", "collapsed", "ended"})


@dataclass(frozen=True, slots=True)
class PriorBook:
    """What the bank says of priors: rows, reference classes, published tables, scenarios."""

    rows: tuple[PriorRow, ...]
    classes: Mapping[str, ReferenceClass]
    shares: Mapping[str, DurationShare]
    scenarios: Mapping[str, ScenarioGraph] = field(default_factory=dict)

    def reference(self, name: str) -> ReferenceClass:
        """Give a reference class by name."""
        if name not in self.classes:
            msg = f"reference class ({name}): there is none"
            raise InvalidInput(msg, hint=", ".join(sorted(self.classes)))
        return self.classes[name]

    def of(self, reference: str) -> tuple[PriorRow, ...]:
        """Give the prior rows of a class."""
        return tuple(row for row in self.rows if row.reference == reference)


def class_priors(
    book: PriorBook,
    reference: str,
    evidence: Iterable[Evidence],
    opens: dt.datetime,
    *,
    without: str = "",
) -> dict[str, PriorSpec]:
    """Give the priors of a class for a question that opens at a moment, by parameter.

    Parameters
    ----------
    evidence : iterable of Evidence
        All evidence; only what was known at the opening is used.
    without : str
        The truce or package that the question is about: never its own reference row.
    """
    at_opening = retracted(known(evidence, opens - MOMENT))
    day = local_day(opens)
    specs = {}
    for row in book.of(reference):
        values, source, known_by = _compute(book, row, at_opening, opens, without)
        if known_by > day:
            msg = (
                f"prior ({reference} {row.parameter}): known by {known_by}, after the opening {day}"
            )
            raise InvalidInput(msg, hint="cite a source that was known before")
        specs[row.parameter] = PriorSpec.of(
            row.parameter, row.distribution, *values, source=source, known_by=known_by
        )
    return specs


def _compute(
    book: PriorBook,
    row: PriorRow,
    at_opening: Sequence[Evidence],
    opens: dt.datetime,
    without: str,
) -> tuple[tuple[float | tuple[float, ...], ...], str, dt.date]:
    reference = book.reference(row.reference)
    rule, _, detail = row.rule.partition(":")
    day = local_day(opens)
    if rule in {"jeffreys+history", "gamma-mean+history"}:
        values, history = _with_history(reference, row, at_opening, opens, without)
        return values, f"{row.source}; {history}", day
    if rule == "ethprio":
        subset, _, days = detail.rpartition(":")
        share = book.shares[subset].share(float(days.rstrip("d")))
        theta = log(-log(1.0 - share))
        return (
            (theta, row.arguments[-1]),
            f"{row.source}; {share:.1%} over by {days}",
            _day(row, day),
        )
    if rule == "exchange-totals":
        at, exchanges, returned = facts.exchange_totals(at_opening)[-1]
        weeks = (at - reference.observed_from) / WEEK
        span = f"by {local_day(at)} ({weeks:.0f} weeks)"
        told = f"{exchanges:.0f} exchanges and {returned:.0f} returned {span}"
        if row.distribution == "gamma":
            shape = row.arguments[0]
            return (shape, shape * weeks / exchanges), f"{row.source}; {told}", local_day(at)
        return (
            (log(returned / exchanges), row.arguments[-1]),
            f"{row.source}; {told}",
            local_day(at),
        )
    if row.distribution == "dirichlet":
        return (tuple(row.arguments),), row.source, _day(row, day)
    return tuple(row.arguments), row.source, _day(row, day)


def _day(row: PriorRow, opening: dt.date) -> dt.date:
    return opening if row.known_by == "first-opening" else parse_day(row.known_by)


def _with_history(
    reference: ReferenceClass,
    row: PriorRow,
    at_opening: Sequence[Evidence],
    opens: dt.datetime,
    without: str,
) -> tuple[tuple[float | tuple[float, ...], ...], str]:
    if row.distribution == "gamma":
        shape, rate = row.arguments
        if row.rule == "gamma-mean+history":
            rate = shape / rate
        count, weeks = rate_data(reference, at_opening, opens)
        told = (
            f"{count} in {weeks:.1f} weeks from {iso(reference.observed_from)[:10]} to the opening"
        )
        return (shape + count, rate + weeks), told
    counts = trial_counts(reference, at_opening, without)
    if row.distribution == "beta":
        yes, no = counts.get("yes", 0), counts.get("no", 0)
        a, b = row.arguments
        return (a + yes, b + no), f"{yes} of {yes + no} known at the opening"
    told = ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"
    return (tuple(row.arguments),), f"known at the opening: {told}"


def rate_data(
    reference: ReferenceClass, evidence: Iterable[Evidence], as_of: dt.datetime
) -> tuple[int, float]:
    """Count a class's events and the weeks it was observed for, up to a moment."""
    end = min(as_of, reference.observed_until)
    events = [
        event
        for event in facts.occurrences(evidence, reference.id)
        if reference.observed_from <= event.at <= end and event.value not in LOST
    ]
    return len(events), max(0.0, (end - reference.observed_from) / WEEK)


def trial_counts(
    reference: ReferenceClass, evidence: Iterable[Evidence], without: str = ""
) -> dict[str, int]:
    """Count a class's trials by value; extensions of truces are read from the truces."""
    counts: dict[str, int] = {}
    if reference.id == "truce-extensions":
        values = [
            truce.extended
            for truce in facts.truces(evidence).values()
            if truce.extended and truce.id != without and truce.kind == "fixed-term"
        ]
    else:
        values = [event.value for event in facts.occurrences(evidence, reference.id) if event.value]
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return counts


def with_worldview(
    priors: Mapping[str, PriorSpec], worldview: Worldview | None, reference: str
) -> dict[str, PriorSpec]:
    """Give the priors of a class as a worldview sets them; unchanged where it says nothing."""
    changed = dict(priors)
    for change in worldview.changes if worldview else ():
        if change.reference == reference and change.parameter in changed:
            spec = changed[change.parameter]
            source = f"worldview {worldview.id if worldview else ''}: {change.reason}"
            changed[change.parameter] = spec.with_values(
                *_changed(spec, change),
                source=source,
                known_by=max(spec.known_by, local_day(worldview.speaks_from))
                if worldview
                else None,
            )
    return changed


def _changed(spec: PriorSpec, change: PriorChange) -> list[float | tuple[float, ...]]:
    values: dict[str, float | tuple[float, ...]] = dict(spec.parameters)
    if change.replace is not None:
        if unknown := set(change.replace) - set(values):
            msg = f"prior ({spec.name}): {spec.distribution} has no {', '.join(sorted(unknown))}"
            raise InvalidInput(msg)
        values.update(change.replace)
    elif change.shift is not None:
        key = "value" if spec.distribution == "constant" else "mu"
        values[key] = _number(values, key, spec) + change.shift
    elif change.times is not None:
        if spec.distribution == "gamma":
            values["rate"] = _number(values, "rate", spec) / change.times
        elif spec.distribution == "lognormal":
            values["mu"] = _number(values, "mu", spec) + log(change.times)
        elif spec.distribution == "beta":
            a, b = _number(values, "a", spec), _number(values, "b", spec)
            odds = a / b * change.times
            values["a"], values["b"] = (a + b) * odds / (1 + odds), (a + b) / (1 + odds)
        else:
            msg = f"prior ({spec.name}): times does not apply to {spec.distribution}"
            raise InvalidInput(msg, hint="shift or set")
    return list(values.values())


def _number(values: Mapping[str, float | tuple[float, ...]], key: str, spec: PriorSpec) -> float:
    value = values.get(key)
    if not isinstance(value, float | int):
        msg = f"prior ({spec.name}): {spec.distribution} has no number {key}"
        raise InvalidInput(msg)
    return float(value)


def question_target(question: Question) -> str:
    """Name the truce or package that a question is about; empty where it is about neither."""
    settings = question.model.settings
    return str(settings.get("truce", settings.get("package", "")))


def process_of(question: Question) -> str:
    """Name the process behind a question, where outcome data entered on it belong."""
    settings = question.model.settings
    if "truce" in settings:
        return f"truces/{settings['truce']}"
    if "package" in settings:
        return f"packages/{settings['package']}"
    return question.model.reference
