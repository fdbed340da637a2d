"""Change a question: as YAML, into a new version; or drop one that was made by mistake."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.app.questions.load import refuse_another_question
from forecasting.app.upkeep import banks
from forecasting.bank.read import Bank, question_of
from forecasting.bank.yaml_file import read_tree
from forecasting.domain import forecasters
from forecasting.domain.instants import day_begins, local_day, parse_day
from forecasting.domain.question import Question, lacks_criteria
from forecasting.domain.setup import Setup
from forecasting.errors import InvalidInput
from forecasting.store import Ledger

HEAD = """\
# Save and close to record a new version; change nothing to leave the question as it is.
# Once somebody has forecast it, its options and its window cannot change.
"""


def fields_of(rungs: tuple[Question, ...]) -> dict[str, Any]:
    """Give a question, or the rungs of a ladder, as the fields of a question file."""
    first, last = rungs[0], rungs[-1]
    title = first.title.rpartition(" (by ")[0] if first.ladder else first.title
    fields: dict[str, Any] = {"slug": first.ladder or first.id, "title": title}
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
    yaml.dump(fields_of(_found(ledger, name)), out)
    return HEAD + out.getvalue()


def edit(
    ledger: Ledger, name: str, changed: str | Mapping[str, Any], now: dt.datetime
) -> list[str]:
    """Record a new version of a question, or of each rung that changed; give their ids.

    `changed` is the whole question as YAML (:func:`as_yaml`), or the fields that change.
    """
    held = _found(ledger, name)
    before = fields_of(held)
    after = _parsed(changed) if isinstance(changed, str) else {**before, **changed}
    if after.get("slug") != before["slug"]:
        msg = f"slug ({after.get('slug')}): cannot change from {before['slug']}"
        raise InvalidInput(msg, hint="ask another question")
    fields = {key: value for key, value in after.items() if value not in ("", None)}
    made = question_of(fields, now=now, source=held[0].source)
    old = {question.id: question for question in held}
    bank = banks.bank_of(ledger)
    versions = []
    for question in made:
        was = old.get(question.id, held[0])
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
        if new.answer != was.answer:
            _check_answer(new, bank)
        versions.append(new)
    if gone := set(old) - {question.id for question in made}:
        msg = f"ladder ({', '.join(sorted(gone))}): a rung cannot be removed"
        raise InvalidInput(msg, hint=f"forecast questions drop {min(gone)}")
    if versions:
        ledger.append(versions, recorded_at=now)
    return [question.id for question in versions]


def drop(ledger: Ledger, name: str, *, forecaster: str, now: dt.datetime) -> list[str]:
    """Drop a question, or a ladder, that nobody else has forecast and that has no outcome.

    It is gone from every list and count; its entries stay. A process that was stated for it alone
    goes with it.
    """
    held = _found(ledger, name)
    catalog = Catalog.of(ledger)
    for question in held:
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
    entries = [Setup("dropped", question.id, {}, said_by=forecaster) for question in held]
    process = f"{held[0].ladder or held[0].id}-event"
    if process in banks.stated(ledger):
        entries.append(Setup("process", process, {}, said_by=forecaster))
    ledger.append(entries, recorded_at=now)
    return [question.id for question in held]


def _found(ledger: Ledger, name: str) -> tuple[Question, ...]:
    return Catalog.of(ledger).find(name)


def _parsed(text: str) -> dict[str, Any]:
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


def _check_answer(question: Question, bank: Bank) -> None:
    from forecasting.app.questions.ask import predicate_of

    if question.answer:
        predicate_of(question, bank)


def _last_day(moment: dt.datetime, zone: str) -> str:
    """Name the day that a deadline ends, or lies in."""
    day = local_day(moment, zone)
    if day_begins(day, zone) == moment:
        day -= dt.timedelta(days=1)
    return parse_day(day.isoformat()).isoformat()
