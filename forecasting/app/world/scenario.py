"""Scenarios: what the same paths say of questions together, under conditions, and in stories.

A condition that is seen (`given`) weighs the paths; one that is brought about (`do`) is simulated
with what leads to it cut off. A condition that no path meets is refused, so nothing is repaired.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from forecasting.app.catalog import Catalog
from forecasting.app.forecast.predict import LIVE_DRAWS, Predictor, watches_of
from forecasting.app.ledger.log import check_moment, kind_of
from forecasting.app.upkeep.banks import bank_of
from forecasting.app.world.aims import aimed
from forecasting.app.world.conditions import condition, intervention
from forecasting.arrays import BoolArray, FloatArray
from forecasting.bank import Bank
from forecasting.domain.forecast import binary_value
from forecasting.domain.forecasters import MODEL
from forecasting.domain.instants import iso
from forecasting.domain.predicate import And, Predicate, Truth
from forecasting.domain.question import Question
from forecasting.domain.scenario import OTHERWISE, ScenarioSet
from forecasting.errors import InvalidInput, NotFound, nearest
from forecasting.evidence import known
from forecasting.evidence.relevant import asked, last_moment, moments
from forecasting.models.world.answers import (
    Estimate,
    effective,
    estimate,
    quantiles,
    value_of_information,
)
from forecasting.models.world.model import Run, Variant
from forecasting.models.world.values import Do
from forecasting.store import Ledger

if TYPE_CHECKING:
    from forecasting.review.data import Fan

SEEN = "given: if this is observed (what would lead to it becomes likelier too)"
DONE = "do: if this were brought about from outside (its own causes are cut); depends on the links"
AIMED = "target: as if this number were right (paths weighted to match it, with the least change)"
#: Below so many effective paths a condition is drawn more often, with so many times the paths.
ENOUGH, TIMES = 2_000, 3
#: Below so many nothing is said.
FEWEST = 100


@dataclass(frozen=True, slots=True)
class Live:
    """The world as of a moment, with the questions that it answers."""

    predictor: Predictor
    questions: tuple[Question, ...]
    as_of: dt.datetime
    run: Run
    notes: tuple[str, ...]
    until: dt.datetime

    @property
    def catalog(self) -> Catalog:
        """The questions and outcomes."""
        return self.predictor.catalog

    def truths(self, run: Run, question: Question) -> dict[str, BoolArray]:
        """Give which paths answer a question so, by outcome; a number has none."""
        predicate = self.predictor.asks[question.id]
        window = (question.opens, question.closes)
        if question.type == "numeric":
            return {}
        if question.type == "binary":
            truth = run.paths.truth(predicate.event, *window)  # type: ignore[arg-type]
            return {"yes": truth, "no": ~truth}
        chosen = run.paths.choice(predicate.event, question.space.options, *window)  # type: ignore[arg-type]
        return {option: chosen == k for k, option in enumerate(question.space.options)}

    def counts(self, run: Run, question: Question) -> BoolArray | None:
        """Give the paths on which a conditional question counts; None: on all."""
        given = self.predictor.asks[question.id].given
        return None if given is None else run.paths.truth(given, question.opens, question.closes)

    @property
    def title(self) -> str:
        """Name what is shown: its first and last day, and how many paths of how many processes."""
        world = self.run.world
        return (
            f"{self.as_of:%d %b %Y} to {self.until:%d %b %Y}, {world.draws:,} paths "
            f"of {len(world.processes)} processes"
        )

    def scenarios(self, name: str = "") -> ScenarioSet:
        """Give a set of named scenarios; without a name the only one."""
        if (chosen := find(self.predictor.bank, name)) is None:
            msg = "scenario: name one of the bank's"
            raise NotFound(msg, hint="forecast scenario list")
        return chosen

    def shares(self, scenarios: ScenarioSet) -> list[dict[str, Any]]:
        """Give how likely each scenario of a set is; with the remainder they sum to one."""
        return show(self, scenarios)

    def what_if(
        self, given: Sequence[str] = (), do: Sequence[str] = (), name: str = ""
    ) -> list[dict[str, Any]]:
        """Give how every open question, and each scenario of a set, would stand."""
        return what_if(self, given, do, find(self.predictor.bank, name))

    def value(self, target: str = "", name: str = "") -> list[dict[str, Any]]:
        """Rank open questions by what their answer tells of a target, or of a set of scenarios."""
        return value(self, target, find(self.predictor.bank, name) if name else None)

    def stories(self, count: int) -> list[dict[str, Any]]:
        """Give the most frequent orders in which the processes move."""
        from forecasting.app.world.paths import stories

        return stories(self, count)

    def fans(self) -> "list[Fan]":
        """Give each process over time."""
        from forecasting.app.world.paths import fans

        return fans(self)


def live(
    ledger: Ledger,
    *,
    now: dt.datetime,
    as_of: dt.datetime | None = None,
    seed: int = 0,
    bank: Bank | None = None,
    draws: int | None = None,
) -> Live:
    """Simulate the whole world as of a moment, far enough for every open question.

    Raises
    ------
    InvalidInput
        No question is open that the world answers.
    """
    moment = as_of or now
    check_moment(moment, now)
    catalog = Catalog.of(ledger, recorded_by=moment)
    is_live = kind_of(moment, now) == "live"
    bank = bank or bank_of(ledger)
    predictor = Predictor(
        catalog,
        known(ledger.evidence(), moment, recorded=is_live),
        bank,
        seed=seed,
        watches=watches_of(ledger, moment, live=is_live),
        draws=draws or LIVE_DRAWS,
    )
    questions = [q for q in catalog.open_at(moment) if q.id in predictor.asks]
    if not questions:
        msg = f"scenario: no open question is answered by the world as of {iso(moment)}"
        raise InvalidInput(msg, hint="forecast questions list --status open")
    until = _until(predictor, questions)
    far = [q.id for q in questions if last_moment(predictor.asks[q.id], q.closes) > until]
    questions = [q for q in questions if q.id not in far]
    run = _simulated(predictor, questions, moment, until)
    ends = {name: record.free for name, record in run.records.items()}
    late = [name for name, end in ends.items() if moment - end > dt.timedelta(days=7)]
    notes = [f"{name} asks about a time after {iso(until)[:10]} and is left out" for name in far]
    if late:
        notes.append(
            f"{len(late)} of {len(ends)} processes were last watched more than a week ago, "
            f"the first on {iso(min(ends.values()))[:10]}; what happened since is simulated"
        )
    return Live(predictor, tuple(questions), moment, run, tuple(notes), until)


def _simulated(
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
    return predictor.model.run(
        Variant(MODEL),
        questions,
        predictor.at(moment),
        do=do,
        towards=towards,
        met=met,
        times=times,
        until=reach,
    )


def _until(predictor: Predictor, questions: Sequence[Question]) -> dt.datetime:
    """Give how far the world is simulated: to the last close of what is not conditional."""
    plain = [q for q in questions if predictor.asks[q.id].given is None] or list(questions)
    ends = [last_moment(predictor.asks[q.id], q.closes) for q in plain]
    return max([*ends, *(scenarios.closes for scenarios in predictor.bank.scenarios)])


def listed(bank: Bank) -> list[dict[str, Any]]:
    """List the bank's sets of scenarios, one row each."""
    return [
        {
            "scenario": each.id,
            "title": each.title,
            "named": [named.name for named in each.named],
            "closes": each.closes,
        }
        for each in bank.scenarios
    ]


def find(bank: Bank, name: str) -> ScenarioSet | None:
    """Give a set of scenarios by its id; without a name the only one, if there is one.

    Raises
    ------
    NotFound
        No set has this name.
    """
    have = {each.id: each for each in bank.scenarios}
    if not name:
        return next(iter(have.values())) if len(have) == 1 else None
    if name not in have:
        msg = f"no scenario named {name}"
        raise NotFound(msg, hint=nearest(name, have) or ", ".join(have) or "forecast scenario list")
    return have[name]


def show(found: Live, scenarios: ScenarioSet) -> list[dict[str, Any]]:
    """Give the probability of each named scenario and of the rest; they sum to one."""
    rows = []
    for name, title, text, truth in partition(found.run, scenarios):
        rows.append({"scenario": name, "title": title, "when": text} | _numbers(found.run, truth))
    return rows


def partition(run: Run, scenarios: ScenarioSet) -> list[tuple[str, str, str, BoolArray]]:
    """Give which paths belong to each scenario: the first that is true of it, else the rest."""
    left = np.ones(run.world.draws, dtype=bool)
    found = []
    for named in scenarios.named:
        truth = run.paths.truth(named.when, scenarios.opens, scenarios.closes) & left
        left &= ~truth
        found.append((named.name, named.title, named.text, truth))
    return [*found, (OTHERWISE, "None of these", "", left)]


def _numbers(run: Run, truth: BoolArray, given: BoolArray | None = None) -> dict[str, Any]:
    told = _estimate(run, truth, given)
    return {
        "probability": told.p,
        "lower": told.quantiles[0],
        "upper": told.quantiles[-1],
        "mcse": told.mcse,
    }


def _estimate(run: Run, truth: BoolArray, given: BoolArray | None = None) -> Estimate:
    found = estimate(truth, run.paths.weights(given), run.world.repeats)
    # Of a handful of paths all may agree, and their error would be nought.
    few = given is not None and _effective(run, given) < FEWEST
    return replace(found, mcse=float("inf")) if few else found


def _effective(run: Run, given: BoolArray | None) -> float:
    """Give how many equal paths the weighted ones are worth."""
    return effective(run.paths.weights(given))


def what_if(
    found: Live, given: Sequence[str], do: Sequence[str], scenarios: ScenarioSet | None = None
) -> list[dict[str, Any]]:
    """Say how every open question and scenario stands once something is seen or brought about.

    Parameters
    ----------
    given : sequence of str
        ``QUESTION=OUTCOME``, ``PROCESS=STATE``, or a predicate; ``QUESTION=30%`` is a target:
        as if somebody else's number were right.
    do : sequence of str
        ``QUESTION=OUTCOME@TIME`` or ``PROCESS=STATE@TIME`` (default now); ``=no`` bars it.

    Raises
    ------
    InvalidInput
        A condition that no path meets, or two that exclude each other.
    """
    if not given and not do:
        msg = "what-if: needs a condition"
        raise InvalidInput(msg, hint='given="guarantees-2026=firm" or do="guarantees-2026=firm"')
    acts = [act for text in do for act in intervention(found, text)]
    targets = {text: target for text in given if (target := _target(found, text)) is not None}
    conditions = [targets[text][0] if text in targets else text for text in given]
    seen_only = [text for text in given if text not in targets]
    run, reach = found.run, _asked_until(found, conditions, scenarios)
    if acts:
        run = _simulated(found.predictor, found.questions, found.as_of, reach, do=acts)
    run, drawn = _aimed(found, run, targets), run
    seen = _seen(found, run, seen_only)
    if given and _effective(run, seen) < ENOUGH:
        drawn = _drawn_towards(found, conditions, acts, reach)
        run = _aimed(found, drawn, targets)
        seen = _seen(found, run, seen_only)
    _possible(found, drawn, seen_only)
    label = DONE if do else SEEN if seen_only else AIMED
    decided = {text.partition("=")[0] for text in [*given, *do]}
    rows = []
    for question in found.questions:
        if question.id in decided or question.ladder in decided:
            continue
        before, after = found.truths(found.run, question), found.truths(run, question)
        counts = found.counts(found.run, question), found.counts(run, question)
        for option in [o for o in after if not (question.type == "binary" and o == "no")]:
            state = "" if question.type == "binary" else option
            rows.append(
                _compared(
                    question.id,
                    state,
                    (found.run, before[option], counts[0]),
                    (run, after[option], _both(counts[1], seen)),
                )
                | {"basis": label}
            )
        if question.type == "numeric":
            rows.append(_number_row(found, question, run, seen) | {"basis": label})
    if scenarios is not None:
        now = partition(found.run, scenarios)
        then = partition(run, scenarios)
        for (name, _, _, old), (_, _, _, new) in zip(now, then, strict=True):
            rows.append(
                _compared(f"scenario:{name}", "", (found.run, old, None), (run, new, seen))
                | {"basis": label}
            )
    return rows


def _target(found: Live, text: str) -> tuple[str, float] | None:
    """Read ``QUESTION=NUMBER`` as the condition that it says yes, and with which probability."""
    name, _, value = text.partition("=")
    named = [q for q in found.questions if name in (q.id, q.ladder)]
    if not named or (not value.strip()[:1].isdigit() and value.strip()[:1] != "."):
        return None
    question = max(named, key=lambda q: q.closes)
    if question.type != "binary":
        kind = question.type
        msg = f"target ({text}): a probability alone fits a yes-or-no question, not {kind}"
        raise InvalidInput(msg, hint=f"{question.id}=OUTCOME")
    return f"{question.id}=yes", binary_value(value.strip()).numbers[0]


def _aimed(found: Live, run: Run, targets: Mapping[str, tuple[str, float]]) -> Run:
    """Weigh the paths so that each target has its number."""
    if not targets:
        return run
    aims = []
    for text, (yes, p) in targets.items():
        truth, opens, closes = condition(found, yes)
        aims.append((text, run.paths.truth(truth, opens, closes), p))
    return aimed(run, aims)


def _both(one: BoolArray | None, other: BoolArray | None) -> BoolArray | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


#: A run, where something is so, and where it counts (None: everywhere).
type Asked = tuple[Run, BoolArray, BoolArray | None]


def _compared(name: str, state: str, before: Asked, after: Asked) -> dict[str, Any]:
    told, old = _estimate(*after), _estimate(*before)
    shown = told.gate == "passed"
    return {
        "question": name,
        "state": state,
        "before": old.p if old.gate == "passed" else None,
        "after": told.p if shown else None,
        "lower": told.quantiles[0] if shown else None,
        "upper": told.quantiles[-1] if shown else None,
        "mcse": told.mcse,
        "gate": told.gate,
    }


def _number_row(
    found: Live, question: Question, run: Run, seen: BoolArray | None
) -> dict[str, Any]:
    predicate = found.predictor.asks[question.id]
    window = (question.opens, question.closes)

    def levels(of: Run, mask: BoolArray | None) -> tuple[float, ...]:
        values = of.paths.number(predicate.event, *window)  # type: ignore[arg-type]
        return quantiles(values, of.paths.weights(mask), (5.0, 50.0, 95.0))

    old, new = levels(found.run, None), levels(run, seen)
    return {
        "question": question.id,
        "state": f"median, {question.space.unit}",
        "before": old[1],
        "after": new[1],
        "lower": new[0],
        "upper": new[2],
        "mcse": None,
        "gate": "passed",
    }


def _seen(found: Live, run: Run, given: Sequence[str]) -> BoolArray | None:
    if not given:
        return None
    seen = np.ones(run.world.draws, dtype=bool)
    for text in given:
        truth, opens, closes = condition(found, text)
        seen &= run.paths.truth(truth, opens, closes)
    return seen


def _possible(found: Live, run: Run, given: Sequence[str]) -> None:
    """Refuse conditions that no path meets, and name the pair that excludes each other."""
    if not given:
        return
    met = {text: _seen(found, run, [text]) for text in given}
    for text, truth in met.items():
        if truth is not None and not truth.any():
            msg = f"condition ({text}): no path meets it as of {iso(found.as_of)}"
            raise InvalidInput(msg, hint="forecast scenario show")
    for one, other in pairwise(given):
        both = _seen(found, run, [one, other])
        if both is not None and not both.any():
            msg = f"conditions ({one}, {other}): no path meets both as of {iso(found.as_of)}"
            raise InvalidInput(msg, hint="take one of them")
    every = _seen(found, run, given)
    if every is not None and not every.any():
        msg = f"conditions ({', '.join(given)}): no path meets all as of {iso(found.as_of)}"
        raise InvalidInput(msg, hint="take fewer")


def _asked_until(
    found: Live, given: Sequence[str], scenarios: ScenarioSet | None
) -> dict[str, dt.datetime]:
    """Give how far each process must be simulated for every answer of a what-if."""
    asks = found.predictor.asks
    ends = [(asked(asks[q.id]), last_moment(asks[q.id], q.closes)) for q in found.questions]
    told = [(truth, closes) for truth, _, closes in (condition(found, text) for text in given)]
    if scenarios is not None:
        told += [(named.when, scenarios.closes) for named in scenarios.named]
    ends += [(asked(Predicate(event)), max([end, *moments(event, end)])) for event, end in told]
    reach: dict[str, dt.datetime] = {}
    for names, end in ends:
        for name in names:
            reach[name] = max(end, reach.get(name, end))
    return reach


def _drawn_towards(
    found: Live,
    given: Sequence[str],
    acts: Sequence[Do],
    reach: Mapping[str, dt.datetime],
) -> Run:
    """Simulate again with the moves towards rare conditions drawn more often, weighed back."""
    read = [condition(found, text) for text in given]
    towards = read[0][0]
    for truth, _, _ in read[1:]:
        towards = And(towards, truth)
    return _simulated(
        found.predictor,
        found.questions,
        found.as_of,
        reach,
        do=acts,
        towards=towards,
        met=max(closes for _, _, closes in read),
        times=TIMES,
    )


def _worth(aim: BoolArray, answer: BoolArray, weights: FloatArray) -> float:
    """Give the expected drop of the Brier uncertainty of one event by an answer of K outcomes.

    The outcomes exclude each other, so the drop is the variance of the event's mean over them.
    """
    if len(answer) == 2:
        return float(value_of_information(aim, answer[:1], weights)[0])
    p = answer.astype(np.float64) @ weights
    both = answer.astype(np.float64) @ (weights * aim)
    means = np.divide(both, p, out=np.zeros_like(p), where=p > 0)
    return float(p @ (means - float(weights @ aim)) ** 2)


def value(
    found: Live, target: str = "", scenarios: ScenarioSet | None = None
) -> list[dict[str, Any]]:
    """Rank open questions by what their answer would be worth for the others.

    The worth is the expected drop of the Brier score (half convention) of the target, or summed
    over all other open questions, by knowing the answer.

    Returns
    -------
    list of dict
        question, target, value_of_information, days, per_day, rank_per_day; the largest first.
    """
    run = found.run
    truths: dict[str, BoolArray] = {}
    for question in found.questions:
        for option, truth in found.truths(run, question).items():
            if question.type != "binary" or option == "yes":
                truths[f"{question.id}\0{option}"] = truth
    aims: dict[str, BoolArray]
    if target:
        aim, opens, closes = condition(found, target)
        aims = {target: run.paths.truth(aim, opens, closes)}
    elif scenarios is not None:
        aims = {name: t for name, _, _, t in partition(run, scenarios)}
    else:
        aims = truths
    weights = run.paths.weights(None)
    rows = []
    for question in found.questions:
        if question.type == "numeric" or question.id == target:
            continue
        answer = np.vstack(list(found.truths(run, question).values()))
        others = [
            aim
            for name, aim in aims.items()
            if not name.startswith(f"{question.id}\0")
            and not (question.ladder and name.startswith(f"{question.ladder}@"))
        ]
        if not others:
            continue
        worth = sum(_worth(aim, answer, weights) for aim in others)
        days = (question.closes - found.as_of) / dt.timedelta(days=1)
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
