"""Which bank a ledger's models use, the one that it was told of and nothing else; and loading it.

``Book.init`` records where the bank lies and the hash of its content. An example travels with the
package and is named by its world file. Processes that somebody stated in one phrase
(`forecasting.app.ledger.ask`) lie in the ledger, and stand in the bank's world beside its own.
"""

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from forecasting.bank import Bank, check, read_bank, read_question_file
from forecasting.bank.asked import with_condition
from forecasting.bank.read import digest, question_of
from forecasting.bank.usable import bundled_folder, example_folder, examples, usable, with_setups
from forecasting.bank.world_check import notes
from forecasting.domain import Evidence, Question, Resolution
from forecasting.domain.catalog import Catalog
from forecasting.domain.instants import DEFAULT_ZONE, deadline, iso
from forecasting.domain.process import WorldSpec
from forecasting.domain.reading.python import as_in_file
from forecasting.domain.setup import Setup
from forecasting.errors import InvalidInput, Problem
from forecasting.evidence.predicates import NewsWorld
from forecasting.files import absent
from forecasting.store import Ledger

#: Before the name of a bank that travels with the package.
BUNDLED = "bundled:"
#: The place of a bank with nothing in it.
NOWHERE = "none"


def remembered(ledger: Ledger) -> Setup | None:
    """Give what the ledger was told last about its bank."""
    setups = [setup for setup in ledger.setups() if setup.subject == "bank"]
    return setups[-1] if setups else None


def zone_of(ledger: Ledger) -> str:
    """Give the zone of the days of a ledger's bank."""
    last = remembered(ledger)
    if last is not None:
        return last.detail.get("zone", DEFAULT_ZONE)
    return bank_of(ledger).zone if ledger.questions() else DEFAULT_ZONE


def told_of(ledger: Ledger, bank: Bank) -> list[Setup]:
    """Give the entry that makes a ledger remember a bank; none where it does already."""
    name = _place(ledger, bank)
    detail = {"digest": digest(bank.root) if bank.root else bank.digest, "zone": bank.zone}
    last = remembered(ledger)
    if last is not None and (last.name, dict(last.detail)) == (name, detail):
        return []
    return [Setup("bank", name, detail)]


def folder_of(ledger: Ledger) -> Path | None:
    """Give the folder of the bank that a ledger was told of; None for an empty one."""
    return _folder(ledger, remembered(ledger))


def _folder(ledger: Ledger, last: Setup | None) -> Path | None:
    if last is None:
        # Before r0004 every database held the bank that travels with the package.
        return bundled_folder() if ledger.questions() else None
    if last.name == NOWHERE:
        return None
    if last.name.startswith(BUNDLED):
        return example_folder(last.name.removeprefix(BUNDLED))
    folder = Path(os.path.normpath(_base_folder(ledger) / last.name))
    if not folder.is_dir():
        msg = f"bank ({folder}): the folder that this database uses is missing"
        raise InvalidInput(msg, hint="forecast init, in the workspace that holds the bank")
    return folder


def bank_of(ledger: Ledger) -> Bank:
    """Read the bank of a ledger, with the processes that the ledger itself holds."""
    last = remembered(ledger)
    folder = _folder(ledger, last)
    zone = DEFAULT_ZONE if last is None else last.detail.get("zone", DEFAULT_ZONE)
    bank = Bank(zone=zone) if folder is None else usable(folder, zone=zone)
    return with_setups(bank, stated(ledger).values())


def world_of(ledger: Ledger) -> WorldSpec:
    """Give the processes and links of a ledger's bank, and the processes of its own."""
    return bank_of(ledger).world


def news_world(ledger: Ledger, catalog: Catalog) -> NewsWorld:
    """Read what each question of a catalogue asks of the world of a ledger's bank."""
    return NewsWorld.of(world_of(ledger), catalog)


def changed_since(ledger: Ledger, bank: Bank) -> bool:
    """Tell whether the files of a bank changed after they were last loaded."""
    last = remembered(ledger)
    if last is None or last.name == NOWHERE or bank.root is None:
        return False
    return last.detail.get("digest") != digest(bank.root)


def stated(ledger: Ledger) -> dict[str, Setup]:
    """Give the processes that were stated in one phrase, by name; dropped ones are left out."""
    setups = {setup.name: setup for setup in ledger.setups() if setup.subject == "process"}
    return {name: setup for name, setup in setups.items() if setup.detail}


def _base_folder(ledger: Ledger) -> Path:
    """Give the folder that a bank's relative place starts from: the database's."""
    return Path(ledger.where).parent if _is_file(ledger) else Path("/")


def _is_file(ledger: Ledger) -> bool:
    return "://" not in ledger.where


def _place(ledger: Ledger, bank: Bank) -> str:
    if bank.root is None:
        return NOWHERE
    root = bank.root.absolute()
    if root == bundled_folder().absolute():
        return BUNDLED + (examples() or ["bank"])[0]
    if not _is_file(ledger):
        return str(root)
    try:
        return Path(os.path.relpath(root, _base_folder(ledger))).as_posix()
    except ValueError:
        # A folder on another drive has no relative path.
        return str(root)


def check_bank(path: Path | None, ledger: Ledger | None = None) -> list[Problem]:
    """List every fault of a bank folder, of a file, or of the ledger's bank; notes come last."""
    if path is None and ledger is not None:
        path = folder_of(ledger)
        if path is None:
            return []
    if path is None:
        msg = "path: name a bank folder or a question file, because there is no workspace here"
        raise InvalidInput(msg, hint="forecast questions check questions")
    if not path.exists():
        raise absent("path", path, hint="forecast questions check questions")
    zone = DEFAULT_ZONE if ledger is None else zone_of(ledger)
    if path.is_file():
        return read_question_file(path, zone_name=zone)[2]
    bank = read_bank(path, zone=zone)
    return [*check(bank), *notes(bank)]


def load_bank(ledger: Ledger, bank: Bank, now: dt.datetime) -> dict[str, int]:
    """Append what a bank has and the ledger lacks; give the counts of what was new or changed."""
    recorded = {question.id: question for question in ledger.questions()}
    dropped = {setup.name for setup in ledger.setups() if setup.subject == "dropped"} - set(
        recorded
    )
    drafts: list[Question | Evidence | Resolution | Setup] = []
    counts = {"added": 0, "changed": 0, "evidence": 0, "resolutions": 0}
    for of_bank in bank.questions:
        question = of_bank
        if question.id in dropped:
            continue
        if question.id in bank.undated and question.id in recorded:
            # Its file states no opening, so it keeps the one that it was added with.
            question = replace(question, opens=recorded[question.id].opens)
        if question.id not in recorded:
            counts["added"] += 1
        elif recorded[question.id] == question:
            continue
        else:
            refuse_another_question(ledger, recorded[question.id], question)
            counts["changed"] += 1
        drafts.append(question)
    by_key = {item.key: item for item in ledger.evidence(entire=True)}
    for item in bank.evidence:
        if item.key not in by_key or _content(by_key[item.key]) != _content(item):
            drafts.append(item)
            counts["evidence"] += 1
    versions: dict[str, list[Resolution]] = {}
    for version in ledger.resolutions():
        versions.setdefault(version.question, []).append(version)
    for resolution in bank.resolutions:
        if resolution.question in dropped:
            continue
        recorded_versions = versions.get(resolution.question, [])
        # What somebody here has disputed or reopened since is not undone by loading it again.
        if _statement(resolution) not in map(_statement, recorded_versions):
            drafts.append(replace(resolution, version=1 + len(recorded_versions)))
            counts["resolutions"] += 1
    drafts += told_of(ledger, bank)
    if drafts:
        ledger.append(drafts, recorded_at=now)
    return counts


def _statement(resolution: Resolution) -> tuple[Any, ...]:
    return (resolution.said, resolution.outcome, resolution.resolved_at, resolution.source)


def _content(item: Evidence) -> tuple[Any, ...]:
    effects = tuple(
        (e.target, e.form, tuple(sorted(e.detail.items())), e.stated) for e in item.effects
    )
    return (item.kind, item.title, item.url, item.known_at, item.event_at, item.grade, effects)


def refuse_another_question(ledger: Ledger, old: Question, new: Question) -> None:
    """Refuse a change of the outcome space or the window of a question that has forecasts."""
    same = (old.space, old.opens, old.closes) == (new.space, new.opens, new.closes)
    same &= old.condition == new.condition
    if not same and (ledger.forecasts(question=old.id) or ledger.seals(question=old.id)):
        msg = (
            f"question ({old.id}): has forecasts, so its outcome space, its window and its "
            "condition cannot change"
        )
        raise InvalidInput(msg, hint="give the changed question a slug of its own")


def add_file(ledger: Ledger, path: Path, now: dt.datetime) -> list[Question]:
    """Add the question or ladder of a file; a fault in it or a slug in use is bad input."""
    if not path.is_file():
        raise absent("file", path, hint="forecast questions add FILE")
    questions, resolutions, problems = read_question_file(path, now=now, zone_name=zone_of(ledger))
    if problems:
        first = problems[0]
        msg = f"[{first.rule}] {first.message}"
        raise InvalidInput(msg, hint=first.hint, where=f"{first.source}:{first.line}")
    catalog = Catalog.of(ledger)
    settled = {one.question for one in resolutions}
    last = max(question.closes for question in questions)
    for question in questions:
        if last <= now and question.id not in settled:
            msg = f"closes ({iso(last)}): lies in the past (now {iso(now)})"
            raise InvalidInput(msg, hint="forecast import csv, for a record of the past")
        if question.id in catalog.questions or catalog.ladder(question.id):
            msg = f"slug ({question.ladder or question.id}): is already in the ledger"
            raise InvalidInput(msg, hint="give it a slug of its own", where=str(path))
    questions = _with_conditions(catalog, questions)
    ledger.append([*questions, *resolutions], recorded_at=now)
    return questions


def _with_conditions(catalog: Catalog, questions: Sequence[Question]) -> list[Question]:
    """Give new questions with their conditions checked."""
    known = {**catalog.questions, **{question.id: question for question in questions}}
    return [with_condition(question, known) for question in questions]


def add_fields(ledger: Ledger, fields: Mapping[str, Any], now: dt.datetime) -> list[Question]:
    """Add the question or ladder of a mapping of fields, as a file would state them."""
    questions = question_of(as_in_file(fields), now=now, source="asked", zone_name=zone_of(ledger))
    catalog, world = Catalog.of(ledger), bank_of(ledger).world
    for question in questions:
        slug = question.ladder or question.id
        if question.id in catalog.questions or catalog.ladder(slug) or slug in world.processes:
            raise InvalidInput(f"slug ({slug}): is already in use", hint="another slug")
        if question.closes <= now and "resolution" not in fields and "resolutions" not in fields:
            msg = f"closes ({deadline(question.closes, question.zone)}): lies in the past"
            raise InvalidInput(msg, hint="a deadline in the future")
    questions = _with_conditions(catalog, questions)
    ledger.append(questions, recorded_at=now)
    return questions
