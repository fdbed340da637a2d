"""Ask a question with its number in one transaction; change it as YAML, or drop it.

Asked questions lie in the ledger like any other. A base rate in one phrase makes an event process
that lies there too (`forecasting.app.upkeep.banks`), so that a model stands beside the number
at once.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from itertools import count
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.app.ledger import log as logs
from forecasting.app.upkeep import banks
from forecasting.app.upkeep.banks import refuse_another_question, zone_of
from forecasting.bank.read import Bank, question_of
from forecasting.bank.yaml_file import read_tree
from forecasting.domain import forecasters
from forecasting.domain.forecast import Forecast, Value
from forecasting.domain.instants import day_begins, deadline, iso, local_day, parse_day
from forecasting.domain.predicate import Predicate
from forecasting.domain.predicate_check import check_predicate, processes_of
from forecasting.domain.predicate_text import RESERVED, parse_predicate
from forecasting.domain.question import Question, lacks_criteria
from forecasting.domain.reading import day, day_word, quantity
from forecasting.domain.setup import Setup
from forecasting.errors import InvalidInput
from forecasting.store import Ledger

#: Words that begin a title and tell it from no other.
_LEADING = ("will",), ("it", "this", "that", "there", "they", "he", "she", "we", "i"), ("be",)


def slug_of(title: str) -> str:
    """Make a slug from a title: its words in lower case, without the first "will it be", cut at 60.

    A title of another script gives none, for the numbers in it would not tell it.

    >>> slug_of("Will the El Fasher pause hold to 31 January 2027?"), slug_of("Will it rain?")
    ('the-el-fasher-pause-hold-to-31-january-2027', 'rain')
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    for leading in _LEADING:
        if len(words) < 2 or words[0] not in leading:
            break
        words = words[1:]
    slug = ""
    for word in words:
        longer = f"{slug}-{word}" if slug else word[:60]
        if len(longer) > 60:
            break
        slug = longer
    if not any(letter.isalpha() for letter in title):
        if not title.strip():
            msg = "title: is empty, and a question is its title"
            raise InvalidInput(msg, hint='forecast ask "Will ...?" 35% --by 2027-01-31')
        msg = f"title ({title}): no slug can be made from it"
        raise InvalidInput(msg, hint="slug=a-few-words")
    return slug if any(letter.isalpha() for letter in slug) else ""


def dated(fields: Mapping[str, Any], zone: str, now: dt.datetime) -> dict[str, Any]:
    """Give fields of a question with their days as dates: ``tomorrow`` is a day of its zone."""
    result = dict(fields)
    for name in ("opens", "closes", "resolves_by", "ladder"):
        value = result.get(name)
        if isinstance(value, str):
            result[name] = day_word(value, zone=zone, now=now)
        elif isinstance(value, list | tuple):
            result[name] = [day_word(str(each), zone=zone, now=now) for each in value]
    return result


def _is_day(text: str) -> bool:
    """Whether a text is a day, and no number.

    >>> _is_day("2027-01-31"), _is_day("31 Jan 2027"), _is_day("5000"), _is_day("20270131")
    (True, True, False, False)
    """
    try:
        day(text)
    except InvalidInput:
        return False
    return not text.strip().isdecimal()


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is asked for, in words.

    `by` is its deadline, or `ladder` has several. At most one of `options`, `ordered` and `span`
    (``0..5000``) says that it is not a yes-no question. `base` says how often the event comes.
    """

    title: str
    by: str = ""
    ladder: Sequence[str] = ()
    options: Sequence[str] = ()
    ordered: Sequence[str] = ()
    span: str = ""
    unit: str = ""
    base: str = ""
    answer: str = ""
    tags: Sequence[str] = ()
    slug: str = ""
    zone: str = ""
    criteria: str = ""
    background: str = ""
    resolves_by: str = ""

    def fields(self, zone: str) -> dict[str, Any]:
        """Give the fields of its question file."""
        if bool(self.by) == bool(self.ladder):
            msg = "deadline: give one day, or the days of a ladder"
            raise InvalidInput(msg, hint="by=2027-01-31")
        if sum(map(bool, (self.options, self.ordered, self.span, self.ladder))) > 1:
            msg = "question: takes one of options, ordered options, a range and a ladder"
            raise InvalidInput(msg, hint="ask two questions")
        if self.base and (self.options or self.ordered or self.span):
            msg = "base: says how often an event happens, so it can answer only a yes-no question"
            raise InvalidInput(msg, hint="answer=PREDICATE, with a process of the bank")
        if self.unit and not self.span:
            msg = f"unit ({self.unit}): is of a number, and no range is given"
            raise InvalidInput(msg, hint="span=0..5000")
        fields: dict[str, Any] = {
            "slug": self.slug or slug_of(self.title),
            "title": self.title.strip(),
            "zone": self.zone or zone,
            "tags": [tag.strip() for tag in self.tags if tag.strip()],
            "answer": self.answer,
        }
        for name in ("criteria", "background", "resolves_by", "unit"):
            if getattr(self, name):
                fields[name] = getattr(self, name)
        if self.ladder:
            fields["ladder"] = [day.strip() for day in self.ladder]
        else:
            fields["closes"] = self.by.strip()
        if self.span:
            low, _, high = (part.strip() for part in self.span.partition(".."))
            if not (low and high):
                msg = f"range ({self.span}): must be two numbers"
                raise InvalidInput(msg, hint="0..5000")
            for end in (low, high):
                if _is_day(end):
                    msg = f"range ({self.span}): of days; when something happens is a ladder"
                    raise InvalidInput(msg, hint=f"ladder={low},{high}, and days between them")
                # No bounds are known yet that would tell which reading of a number is meant.
                quantity(end, name="range", within=(-inf, inf))
            fields |= {"type": "numeric", "lower": low, "upper": high}
        elif self.options or self.ordered:
            named = [option.strip() for option in self.options or self.ordered]
            fields |= {"type": "categorical" if self.options else "ordered", "options": named}
        return fields


def ask(
    ledger: Ledger,
    asked: Asked,
    *,
    forecaster: str,
    now: dt.datetime,
    probability: str | None = None,
    each: Mapping[str, str] | None = None,
    because: str = "",
    zone: str = "",
    tell: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Make a question or a ladder, with the number where one is given, in one transaction.

    `each` has the probability of each option or rung, or the value at each quantile's level; `zone`
    is that of its days where `asked` has none (default: the bank's).
    """
    catalog = Catalog.of(ledger)
    zone = asked.zone or zone or zone_of(ledger)
    fields = dated(asked.fields(zone), zone, now)
    bank = banks.bank_of(ledger)
    if not fields["slug"]:
        names = {*catalog.questions, *bank.world.processes}
        names |= {question.ladder for question in catalog.questions.values() if question.ladder}
        fields["slug"] = next(slug for n in count(1) if (slug := f"question-{n}") not in names)
    _check_new(catalog, bank.world.processes, fields, explicit=bool(asked.slug))
    setups: list[Setup] = []
    if asked.base:
        process, setup = _process(asked, fields, forecaster=forecaster, now=now, bank=bank)
        setups.append(setup)
        fields["answer"] = fields["answer"] or f"{process} by close"
        bank = banks.with_setups(bank, setups)
    questions = [
        replace(question, opens=now) for question in question_of(fields, now=now, source="asked")
    ]
    for question in questions:
        if question.closes <= now:
            there = deadline(question.closes, question.zone)
            msg = f"closes ({there}): lies in the past"
            raise InvalidInput(msg, hint="a deadline in the future")
        if question.answer:
            predicate_of(question, bank)
    grown = replace(catalog, questions={**catalog.questions, **{q.id: q for q in questions}})
    forecasts = [
        Forecast(question.id, question.wording_hash, forecaster, value, now, "live", because)
        for question, value in _values(grown, fields["slug"], questions, probability, each or {})
    ]
    if because and not forecasts:
        msg = "because: explains a forecast, and none is given"
        raise InvalidInput(msg, hint="a probability, such as 35%")
    if tell is not None and not (asked.slug or slug_of(asked.title)):
        tell(
            f"its id is {fields['slug']}: no words of the title are in Latin letters; "
            "slug=a-few-words gives another one that says more"
        )
    if forecasts and tell is not None:
        for note in logs.beside(ledger, [forecaster]):
            tell(note)
    recorded = ledger.append([*setups, *questions, *forecasts], recorded_at=now)
    first = questions[0]
    return {
        "id": fields["slug"],
        "title": fields["title"],
        "type": first.type,
        "opens": first.opens,
        "closes": questions[-1].closes,
        "deadline": deadline(questions[-1].closes, first.zone),
        "answer": first.answer,
        "process": setups[0].name if setups else "",
        "criteria": "" if lacks_criteria(first) else first.criteria,
        "questions": [question.id for question in questions],
        "forecasts": [
            {
                "seq": entry.seq,
                "id": entry.id,
                "question": draft.question,
                "forecaster": draft.forecaster,
                "forecast": draft.value.plain,
                "issued_at": draft.issued_at,
                "recorded_at": entry.recorded_at,
                "kind": draft.kind,
                "hash": entry.hash,
            }
            for draft, entry in zip(
                forecasts, recorded[len(setups) + len(questions) :], strict=True
            )
        ],
    }


def by_stated_rates(ledger: Ledger, name: str) -> list[str]:
    """Give the questions of a name that the model answers without a fit, by stated rates alone."""
    from forecasting.app.forecast.predict import predicates
    from forecasting.evidence.relevant import ancestors

    bank = banks.bank_of(ledger)
    asks, _ = predicates(Catalog.about(ledger, name).find(name), bank)
    able = []
    for question, predicate in asks.items():
        rests = ancestors(bank.world.links, processes_of(predicate))
        processes = [bank.world.processes[each] for each in rests]
        moves = [move for process in processes for move in process.moves]
        plain = all(process.kind in {"event", "states"} for process in processes)
        if plain and all(move.phrase.form in {"count", "median", "date"} for move in moves):
            able.append(question)
    return able


def _check_new(
    catalog: Catalog, processes: Mapping[str, object], fields: Mapping[str, Any], *, explicit: bool
) -> None:
    """Refuse a slug in use, the name of a process, and a title that was asked before."""
    slug, title = fields["slug"], fields["title"]
    if not explicit and (other := catalog.titles().get(title.casefold())):
        msg = f"title ({title}): question {other} already asks this"
        raise InvalidInput(msg, hint=f"forecast log {other}, or another slug")
    if slug in catalog.questions or catalog.ladder(slug):
        msg = f"slug ({slug}): another question has that name"
        raise InvalidInput(msg, hint=f"another slug, such as {slug}-2")
    if slug in processes:
        msg = f"slug ({slug}): a process has that name, and news on it would be ambiguous"
        raise InvalidInput(msg, hint=f"another slug, such as {slug}-asked")


def _process(
    asked: Asked,
    fields: Mapping[str, Any],
    *,
    forecaster: str,
    now: dt.datetime,
    bank: Bank,
) -> tuple[str, Setup]:
    name = f"{fields['slug']}-event"
    if name in bank.world.processes or name in RESERVED:
        msg = f"process ({name}): a process has that name"
        raise InvalidInput(msg, hint="another slug")
    detail = {
        "event": asked.base.strip(),
        "zone": fields["zone"],
        "since": iso(now),
        "title": fields["title"],
    }
    setup = Setup("process", name, detail, said_by=forecaster)
    banks.process_of(setup)
    return name, setup


def predicate_of(question: Question, bank: Bank) -> Predicate:
    """Read what a question asks of the world; refuse what an update would refuse."""
    predicate = parse_predicate(question.answer, zone=question.zone, world=bank.world)
    faults = check_predicate(predicate, bank.world, question.space, question.opens, question.closes)
    if faults:
        msg = f"answer ({question.answer}): {faults[0]}"
        raise InvalidInput(msg, hint=", ".join(list(bank.world.processes)[:6]))
    return predicate


def _values(
    catalog: Catalog,
    slug: str,
    questions: Sequence[Question],
    probability: str | None,
    each: Mapping[str, str],
) -> list[tuple[Question, Value]]:
    """Read the number or numbers, as `log` would; there may be none."""
    if probability is None and not each:
        return []
    if questions[0].ladder:
        if probability is not None:
            msg = (
                f"probability ({probability}): a ladder takes one probability for each of its days"
            )
            days = [question.id.partition("@")[2] for question in questions]
            number = probability.rpartition("=")[2]
            raise InvalidInput(msg, hint=" ".join(f"--p {day}={number}" for day in days))
        return logs.rungs(catalog, slug, each, questions[0].opens)
    question = questions[0]
    by_form = {"options": each, "quantiles": {}}
    if question.type == "numeric":
        by_form = {"options": {}, "quantiles": each}
    try:
        return [(question, logs.value_of(question, probability, **by_form))]
    except InvalidInput as refused:
        # The question is not recorded yet, so `forecast log` could not find it.
        refused.hint = refused.hint.removeprefix(f"forecast log {question.id} ")
        raise


HEAD = """\
# Save and close to record a new version; change nothing to leave the question as it is.
# Once somebody has forecast it, its options and its window cannot change.
"""


def fields_of(rungs: tuple[Question, ...]) -> dict[str, Any]:
    """Give a question, or the rungs of a ladder, as the fields of a question file."""
    first, last = rungs[0], rungs[-1]
    fields: dict[str, Any] = {"slug": first.ladder or first.id, "title": first.whole_title}
    if first.type != "binary":
        fields["type"] = first.type
    if first.space.options and first.type != "binary":
        fields["options"] = list(first.space.options)
    if first.type == "numeric":
        fields |= {"lower": first.space.lower, "upper": first.space.upper, "unit": first.space.unit}
    fields["opens"] = local_day(first.opens, first.zone).isoformat()
    if first.ladder:
        fields["ladder"] = [_last_day(rung.closes, rung.zone) for rung in rungs]
    else:
        fields["closes"] = _last_day(first.closes, first.zone)
    if last.resolves_by != last.closes:
        fields["resolves_by"] = _last_day(last.resolves_by, last.zone)
    fields["zone"] = first.zone
    fields["criteria"] = "" if lacks_criteria(first) else first.criteria
    for name in ("background", "answer", "topic"):
        if getattr(first, name):
            fields[name] = getattr(first, name)
    if first.event not in {fields["slug"], ""}:
        fields["event"] = first.event
    if first.tags:
        fields["tags"] = list(first.tags)
    return fields


def as_yaml(ledger: Ledger, name: str) -> str:
    """Write a question as YAML, for an editor."""
    from ruamel.yaml import YAML

    yaml = YAML(pure=True)
    yaml.width = 100
    out = StringIO()
    yaml.dump(fields_of(Catalog.of(ledger).find(name)), out)
    return HEAD + out.getvalue()


def edit(
    ledger: Ledger, name: str, changed: str | Mapping[str, Any], now: dt.datetime
) -> list[str]:
    """Record a new version of a question, or of each rung that changed; give their ids.

    `changed` is the whole question as YAML (:func:`as_yaml`), or the fields that change.
    """
    old_questions = Catalog.of(ledger).find(name)
    before = fields_of(old_questions)
    if isinstance(changed, str):
        after = _fields_of_yaml(changed)
    else:
        zone = str(changed.get("zone") or old_questions[0].zone)
        after = {**before, **dated(changed, zone, now)}
    if after.get("slug") != before["slug"]:
        msg = f"slug ({after.get('slug')}): cannot change from {before['slug']}"
        raise InvalidInput(msg, hint="ask another question")
    fields = {key: value for key, value in after.items() if value not in ("", None)}
    new_questions = question_of(fields, now=now, source=old_questions[0].source)
    old = {question.id: question for question in old_questions}
    bank = banks.bank_of(ledger)
    versions = []
    for question in new_questions:
        was = old.get(question.id, old_questions[0])
        new = replace(
            question,
            basis=was.basis,
            model=was.model,
            parent=was.parent,
            condition=was.condition,
        )
        if after.get("opens") == before["opens"] or "opens" not in after:
            new = replace(new, opens=was.opens)
        if question.id in old and _same_days(after, before):
            new = replace(new, closes=was.closes, resolves_by=was.resolves_by)
        if new == was and question.id in old:
            continue
        if question.id in old:
            refuse_another_question(ledger, was, new)
        if new.answer and new.answer != was.answer:
            predicate_of(new, bank)
        versions.append(new)
    if removed := set(old) - {question.id for question in new_questions}:
        msg = f"ladder ({', '.join(sorted(removed))}): a rung cannot be removed"
        raise InvalidInput(msg, hint=f"forecast questions drop {min(removed)}")
    if versions:
        ledger.append(versions, recorded_at=now)
    return [question.id for question in versions]


def drop(
    ledger: Ledger, name: str, *, forecaster: str, now: dt.datetime
) -> tuple[list[str], list[str]]:
    """Drop a question, or a ladder, that nobody else has forecast and that has no outcome.

    It is gone from every list and count; its entries stay. A process that was stated for it alone
    goes with it; one that another question asks about stays, which the notes say.
    """
    catalog = Catalog.of(ledger)
    questions = catalog.find(name)
    for question in questions:
        others = {
            forecast.forecaster
            for forecast in ledger.forecasts(question=question.id)
            if forecasters.family(forecast.forecaster) == "person"
        }
        others |= {seal.forecaster for seal in ledger.seals(question=question.id)}
        if others := others - {forecaster}:
            msg = (
                f"question ({question.id}): {min(others)} has forecast it, so it cannot be dropped"
            )
            raise InvalidInput(msg, hint=f"forecast annul {question.id} --source URL")
        if question.id in catalog.outcomes:
            msg = f"question ({question.id}): has an outcome, so it cannot be dropped"
            raise InvalidInput(msg, hint=f"forecast reopen {question.id} --source URL")
    names = [question.id for question in questions]
    ladder = questions[0].ladder
    if ladder and len(catalog.ladder(ladder)) == len(questions):
        names.append(ladder)
    entries = [Setup("dropped", each, {}, said_by=forecaster) for each in names]
    ids, notes = [question.id for question in questions], []
    for process, asking in users(ledger, catalog).items():
        if asking.isdisjoint(ids):
            continue
        if remaining := sorted(asking.difference(ids)):
            notes.append(f"process {process} stays: {', '.join(remaining)} asks about it")
        else:
            entries.append(Setup("process", process, {}, said_by=forecaster))
    ledger.append(entries, recorded_at=now)
    return ids, notes


def users(ledger: Ledger, catalog: Catalog) -> dict[str, set[str]]:
    """Give of each process that was stated in a phrase the questions that ask about it."""
    from forecasting.app.news.world import NewsWorld

    setups = banks.stated(ledger)
    # The answer of a question that asks about a process has the process's name in it.
    naming = {
        question.id: question
        for question in catalog.questions.values()
        if any(name in question.answer for name in setups)
    }
    by_process: dict[str, set[str]] = {}
    if naming:
        world = NewsWorld.of(ledger, replace(catalog, questions=naming))
        for name, predicate in world.predicates.items():
            for process in processes_of(predicate) & setups.keys():
                by_process.setdefault(process, set()).add(name)
    return by_process


def _fields_of_yaml(text: str) -> dict[str, Any]:
    """Read YAML as a question file is read, so that every rule of those holds here too."""
    with TemporaryDirectory(prefix="forecast-") as folder:
        file = Path(folder) / "question.yaml"
        file.write_text(text, encoding="utf-8")
        tree, faults = read_tree(file, "the edited question")
    if tree is None:
        raise InvalidInput(faults[0].message, hint=faults[0].hint, where=f"line {faults[0].line}")
    return {str(key): value for key, value in tree.items()}


def _same_days(after: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    names = ("closes", "ladder", "resolves_by", "zone")
    return all(str(after.get(name, "")) == str(before.get(name, "")) for name in names)


def _last_day(moment: dt.datetime, zone: str) -> str:
    """Name the day that a deadline ends, or lies in."""
    day = local_day(moment, zone)
    if day_begins(day, zone) == moment:
        day -= dt.timedelta(days=1)
    return parse_day(day.isoformat()).isoformat()
