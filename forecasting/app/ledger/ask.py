"""Ask a question with its number in one transaction; change it, drop it, or match it.

Asked questions lie in the ledger like any other. A base rate in one phrase makes an event process
that lies there too (`forecasting.bank.usable`), so that a model stands beside the number
at once.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import count
from shlex import quote
from typing import Any, cast

from forecasting.app.ledger import log as logs
from forecasting.app.upkeep import banks
from forecasting.app.upkeep.banks import refuse_another_question, zone_of
from forecasting.bank.asked import (
    Asked,
    dated,
    fields_of,
    fields_of_yaml,
    given_that,
    same_days,
    slug_of,
    with_condition,
)
from forecasting.bank.read import Bank, question_of
from forecasting.bank.usable import process_of, with_setups
from forecasting.domain import forecasters
from forecasting.domain.catalog import Catalog
from forecasting.domain.forecast import Forecast, Kind, Value
from forecasting.domain.instants import deadline, iso, last_day, local_day
from forecasting.domain.predicate_check import processes_of
from forecasting.domain.predicate_text import RESERVED
from forecasting.domain.question import Question, lacks_criteria
from forecasting.domain.reading import plainly
from forecasting.domain.reading.probabilities import decimal
from forecasting.domain.setup import Setup
from forecasting.errors import InvalidInput, NotFound
from forecasting.evidence.predicates import predicate_of
from forecasting.exchange.people import NOBODY
from forecasting.exchange.same_as import DIFFERS, Match, by_address, plain_address, standing
from forecasting.store import Ledger
from forecasting.store.undone import undone


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
    """Make a question or a ladder, with the number where one is given, in one transaction."""
    catalog = Catalog.of(ledger)
    zone = asked.zone or zone or zone_of(ledger)
    fields = dated(asked.fields(zone), zone, now)
    bank = banks.bank_of(ledger)
    if not fields["slug"]:
        names = {*catalog.questions, *bank.world.processes}
        names |= {question.ladder for question in catalog.questions.values() if question.ladder}
        fields["slug"] = next(slug for n in count(1) if (slug := f"question-{n}") not in names)
    _check_new(catalog, bank.world.processes, fields, explicit=bool(asked.slug))
    if asked.condition:
        needs = fields["links"]["condition"]
        needs["question"] = catalog.called(needs["question"])
    setups: list[Setup] = []
    if asked.base:
        process, setup = _process(asked, fields, forecaster=forecaster, now=now, bank=bank)
        setups.append(setup)
        fields["answer"] = fields["answer"] or f"{process} by close"
        bank = with_setups(bank, setups)
    questions = [
        question if asked.opens else replace(question, opens=now)
        for question in question_of(fields, now=now, source="asked")
    ]
    if asked.condition:
        questions = [_conditional(catalog, question, now) for question in questions]
    for question in questions:
        if question.opens > now:
            msg = f"opens ({asked.opens}): lies in the future"
            raise InvalidInput(msg, hint="leave it out: the question opens now")
        if question.closes <= now:
            there = deadline(question.closes, question.zone)
            msg = f"closes ({there}): lies in the past"
            raise InvalidInput(msg, hint="a deadline in the future")
        if question.answer:
            predicate_of(question, bank.world)
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
            f"its id is {fields['slug']}, since no word of the title is in Latin letters; "
            "a slug of your own would say more"
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
        "condition": first.condition and f"{first.condition.question}={first.condition.outcome}",
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


def _conditional(catalog: Catalog, question: Question, now: dt.datetime) -> Question:
    """Give a question with its condition checked, and said in its answer where that lacks it."""
    checked = with_condition(question, catalog.questions)
    assert checked.condition is not None  # for the type checker
    needs, other = checked.condition, catalog.questions[checked.condition.question]
    shown, status = f"condition ({needs.question}={needs.outcome})", catalog.status(other, now)
    if status in {"resolved", "annulled"}:
        msg = f"{shown}: {other.id} is {catalog.outcome(other)} already"
        raise InvalidInput(msg, hint="ask without it, or on a question that is open")
    answer = checked.answer
    # A base rate is one under the condition, so the answer of its process needs no more.
    if not answer or "given" in answer.split() or answer == f"{checked.id}-event by close":
        return checked
    if other.closes > checked.closes:
        day = last_day(other.closes, other.zone)
        msg = f"{shown}: {other.id} closes later than this, so the model cannot say that it holds"
        raise InvalidInput(msg, hint=f"by={day}, or a later day; or no answer")
    if not (given := given_that(checked, other)):
        msg = f"answer ({answer}): does not say in the world's terms that {shown} holds"
        raise InvalidInput(msg, hint=f'answer="{answer} given ...", or none')
    return replace(checked, answer=f"{answer} given {given}")


def by_stated_rates(ledger: Ledger, name: str) -> list[str]:
    """Give the questions of a name that the model answers without a fit, by stated rates alone."""
    from forecasting.evidence.predicates import predicates
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
    asked: Asked, fields: Mapping[str, Any], *, forecaster: str, now: dt.datetime, bank: Bank
) -> tuple[str, Setup]:
    name = f"{fields['slug']}-event"
    if name in bank.world.processes or name in RESERVED:
        raise InvalidInput(f"process ({name}): a process has that name", hint="another slug")
    detail = {
        "event": asked.base.strip(),
        "zone": fields["zone"],
        "since": iso(now),
        "title": fields["title"],
    }
    setup = Setup("process", name, detail, said_by=forecaster)
    process_of(setup)
    return name, setup


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
            days = [question.day for question in questions]
            number = quote(probability.rpartition("=")[2])
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


def edit(
    ledger: Ledger, name: str, changed: str | Mapping[str, Any], now: dt.datetime
) -> list[str]:
    """Record a new version of a question, from its YAML or by fields; give the changed ids."""
    catalog = Catalog.of(ledger)
    old_questions = catalog.find(name)
    before = fields_of(old_questions)
    if isinstance(changed, str):
        after = fields_of_yaml(changed)
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
        new = replace(question, basis=was.basis, model=was.model)
        new = with_condition(new, catalog.questions)
        if after.get("opens") == before["opens"] or "opens" not in after:
            new = replace(new, opens=was.opens)
        if question.id in old and same_days(after, before):
            new = replace(new, closes=was.closes, resolves_by=was.resolves_by)
        if new == was and question.id in old:
            continue
        if question.id in old:
            refuse_another_question(ledger, was, new)
        if new.answer and new.answer != was.answer:
            predicate_of(new, bank.world)
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
    """Drop a question, or a ladder, that nobody else has forecast and that has no outcome."""
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
    setups = banks.stated(ledger)
    # The answer of a question that asks about a process has the process's name in it.
    naming = {
        question.id: question
        for question in catalog.questions.values()
        if any(name in question.answer for name in setups)
    }
    by_process: dict[str, set[str]] = {}
    if naming:
        world = banks.news_world(ledger, replace(catalog, questions=naming))
        for name, predicate in world.predicates.items():
            for process in processes_of(predicate) & setups.keys():
                by_process.setdefault(process, set()).add(name)
    return by_process


def matches(ledger: Ledger, catalog: Catalog) -> list[Match]:
    """Give the matches that stand: those of the bank, and those that were recorded."""
    return standing(banks.folder_of(ledger), ledger.setups(), catalog)


def same_as(
    ledger: Ledger,
    question: str,
    url: str,
    *,
    differs: str = "",
    complement: bool = False,
    undo: bool = False,
    forecaster: str,
    now: dt.datetime,
) -> Match:
    """Record that a question here asks what one elsewhere asks, by address or id, or undo that."""
    catalog = Catalog.of(ledger)
    if question not in catalog.questions:
        raise NotFound(f"no question {plainly(question)}", hint="forecast questions list")
    if not (url in catalog.questions or (url.startswith(("http://", "https://")) and "." in url)):
        msg = f"url ({plainly(url)}): must be an address, or the id of an imported question"
        raise InvalidInput(msg, hint="https://www.metaculus.com/questions/12345")
    if url == question or plain_address(url) == plain_address(catalog.questions[question].source):
        raise InvalidInput(f"url ({plainly(url)}): is the question itself")
    if catalog.questions[question].type != "binary":
        raise InvalidInput(f"question ({question}): only questions of yes or no are matched")
    several = by_address(catalog).get(plain_address(url), [])
    if len(several) > 1 and not undo:
        msg = f"url ({plainly(url)}): {len(several)} imported questions have it"
        ids = " or ".join(several[:3])
        raise InvalidInput(msg, hint=f"the id of the one that is meant: {ids}")
    stand = {(one.question, plain_address(one.url)) for one in matches(ledger, catalog)}
    if undo and (question, plain_address(url)) not in stand:
        msg = f"no match of {question} and {plainly(url)}"
        raise NotFound(msg, hint="forecast questions same-as")
    detail = {"question": question, "url": url}
    detail |= {"differs": differs} if differs else {}
    detail |= {"complement": "yes"} if complement else {}
    detail |= {"undone": "yes"} if undo else {}
    entry = Setup("same-as", f"{question} {plain_address(url)}", detail, said_by=forecaster)
    ledger.append([entry], recorded_at=now)
    if undo:
        return Match(question, url, differs=differs, complement=complement, said_by=forecaster)
    current = matches(ledger, catalog)
    return next(one for one in current if (one.question, one.url) == (question, url))


def crowds(ledger: Ledger, catalog: Catalog, *, kind: str) -> list[Forecast]:
    """Give the crowds' forecasts of matched questions, the last of each day, as of a `kind`."""
    by_other: dict[str, list[Match]] = {}
    for one in matches(ledger, catalog):
        if one.other:
            by_other.setdefault(one.other, []).append(one)
    if not by_other:
        return []
    last: dict[tuple[Any, ...], Forecast] = {}
    for forecast in undone(ledger).left(
        each for name in by_other for each in ledger.forecasts(question=name, kind="imported")
    ):
        if not forecast.forecaster.startswith(NOBODY) or forecast.value.shape != "binary":
            continue
        for one in by_other[forecast.question]:
            mine = catalog.questions[one.question]
            if not mine.opens <= forecast.issued_at < mine.closes:
                continue
            p = forecast.value.entered[0]
            value = Value("binary", ("yes",), (decimal(1 - Decimal(p)) if one.complement else p,))
            name = f"{forecast.forecaster}{DIFFERS}" if one.differs else forecast.forecaster
            key = (mine.id, name, local_day(forecast.issued_at, mine.zone))
            last[key] = replace(
                forecast,
                question=mine.id,
                question_hash=mine.wording_hash,
                forecaster=name,
                value=value,
                kind=cast("Kind", kind),
            )
    return sorted(
        last.values(),
        key=lambda forecast: (forecast.issued_at, forecast.question, forecast.forecaster),
    )
