"""Questions: load the bank into a ledger, show, check, add."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from forecasting import bank as banks
from forecasting.app.catalog import Catalog
from forecasting.app.forecast.in_force import KINDS, latest
from forecasting.app.ledger.resolve import resolution_row
from forecasting.app.ledger.seal import reasons
from forecasting.app.questions.listing import facts
from forecasting.app.tidy import plainly
from forecasting.app.upkeep.banks import bank_of, bundled_bank, folder_of, told_of, zone_of
from forecasting.bank.read import question_of
from forecasting.domain import Evidence, Question, Resolution
from forecasting.domain.forecast import Forecast
from forecasting.domain.instants import DEFAULT_ZONE, deadline, iso
from forecasting.domain.setup import Setup
from forecasting.errors import InvalidInput, Problem
from forecasting.evidence import retracted
from forecasting.store import Ledger

__all__ = [
    "add_fields",
    "add_file",
    "bundled_bank",
    "check_bank",
    "latest_forecasts",
    "load_bank",
    "refuse_another_question",
    "show",
]


def check_bank(path: Path | None, ledger: Ledger | None = None) -> list[Problem]:
    """List every fault of a bank folder or of one question file; else of the ledger's bank."""
    if path is None and ledger is not None:
        path = folder_of(ledger)
        if path is None:
            return []
    if path is None:
        msg = "path: name a bank folder or a question file, because there is no workspace here"
        raise InvalidInput(msg, hint="forecast questions check questions")
    if not path.exists():
        msg = f"path ({path}): does not exist"
        raise InvalidInput(msg, hint="forecast questions check questions")
    zone = DEFAULT_ZONE if ledger is None else zone_of(ledger)
    if path.is_file():
        return banks.read_question_file(path, zone_name=zone)[2]
    return banks.check(banks.read_bank(path, zone=zone))


def load_bank(ledger: Ledger, bank: banks.Bank, now: dt.datetime) -> dict[str, int]:
    """Append what a bank has and the ledger lacks; give the counts of what was new or changed.

    A question whose wording was clarified gets a new version. Once a forecast exists, its outcome
    space and its window may not change: that is a new question.
    """
    held = {question.id: question for question in ledger.questions()}
    gone = {setup.name for setup in ledger.setups() if setup.subject == "dropped"} - set(held)
    drafts: list[Question | Evidence | Resolution | Setup] = []
    counts = {"new": 0, "changed": 0, "evidence": 0, "resolutions": 0}
    for stated in bank.questions:
        question = stated
        if question.id in gone:
            continue
        if question.id in bank.undated and question.id in held:
            # Its file states no opening, so it keeps the one that it was added with.
            question = replace(question, opens=held[question.id].opens)
        if question.id not in held:
            counts["new"] += 1
        elif held[question.id] == question:
            continue
        else:
            refuse_another_question(ledger, held[question.id], question)
            counts["changed"] += 1
        drafts.append(question)
    known = {item.key: item for item in ledger.evidence()}
    for item in bank.evidence:
        if item.key not in known or _content(known[item.key]) != _content(item):
            drafts.append(item)
            counts["evidence"] += 1
    versions: dict[str, list[Resolution]] = {}
    for version in ledger.resolutions():
        versions.setdefault(version.question, []).append(version)
    for resolution in bank.resolutions:
        if resolution.question in gone:
            continue
        held_versions = versions.get(resolution.question, [])
        # What somebody here has disputed or reopened since is not undone by loading it again.
        if _said(resolution) not in map(_said, held_versions):
            drafts.append(replace(resolution, version=1 + len(held_versions)))
            counts["resolutions"] += 1
    drafts += told_of(ledger, bank)
    if drafts:
        ledger.append(drafts, recorded_at=now)
    return counts


def _said(resolution: Resolution) -> tuple[Any, ...]:
    return (
        resolution.said,
        resolution.outcome,
        resolution.resolved_at,
        resolution.source,
    )


def _content(item: Evidence) -> tuple[Any, ...]:
    effects = tuple(
        (e.target, e.form, tuple(sorted(e.detail.items())), e.stated) for e in item.effects
    )
    return (item.kind, item.title, item.url, item.known_at, item.event_at, item.grade, effects)


def refuse_another_question(ledger: Ledger, old: Question, new: Question) -> None:
    """Refuse a change of the outcome space or the window of a question that has forecasts."""
    same = (old.space, old.opens, old.closes) == (new.space, new.opens, new.closes)
    if not same and (ledger.forecasts(question=old.id) or ledger.seals(question=old.id)):
        msg = (
            f"question ({old.id}): has forecasts, so its outcome space and its window cannot change"
        )
        raise InvalidInput(msg, hint="give the changed question a slug of its own")


def add_file(ledger: Ledger, path: Path, now: dt.datetime) -> list[Question]:
    """Add the question or ladder of a file; a fault in it or a slug in use is bad input."""
    if not path.is_file():
        msg = f"file ({path}): does not exist"
        raise InvalidInput(msg, hint="forecast questions add FILE")
    questions, resolutions, problems = banks.read_question_file(
        path, now=now, zone_name=zone_of(ledger)
    )
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
    ledger.append([*questions, *resolutions], recorded_at=now)
    return questions


def add_fields(ledger: Ledger, fields: Mapping[str, Any], now: dt.datetime) -> list[Question]:
    """Add the question or ladder of a mapping of fields, as a file would state them."""
    questions = question_of(plainly(fields), now=now, source="asked", zone_name=zone_of(ledger))
    catalog, world = Catalog.of(ledger), bank_of(ledger).world
    for question in questions:
        slug = question.ladder or question.id
        if question.id in catalog.questions or catalog.ladder(slug) or slug in world.processes:
            msg = f"slug ({slug}): is already in use"
            raise InvalidInput(msg, hint="another slug")
        if question.closes <= now and "resolution" not in fields and "resolutions" not in fields:
            msg = f"closes ({deadline(question.closes, question.zone)}): lies in the past"
            raise InvalidInput(msg, hint="a deadline in the future")
    ledger.append(questions, recorded_at=now)
    return questions


def latest_forecasts(
    ledger: Ledger, question: str | None = None
) -> dict[tuple[str, str], Forecast]:
    """Give each forecaster's latest live or backdated forecast of each question."""
    # A replay may hold a hundred times as many, so they are not even read.
    found = [
        forecast for kind in KINDS for forecast in ledger.forecasts(question=question, kind=kind)
    ]
    return latest(found)


def show(ledger: Ledger, name: str, now: dt.datetime) -> list[dict[str, Any]]:
    """Give everything about a question, or about each rung of a ladder."""
    catalog = Catalog.of(ledger)
    bank = bank_of(ledger)
    claims = [
        {
            "forecaster": text.forecaster,
            "claim": claim.id,
            "question": claim.question,
            "band": claim.scored.name,
            "sentences": list(claim.sentences),
            "paraphrase": claim.paraphrase,
        }
        for text in bank.texts
        for claim in text.claims
    ]
    shown, redacted = [], reasons(ledger)
    for question in catalog.find(name):
        standing = catalog.outcomes.get(question.id)
        latest = latest_forecasts(ledger, question.id)
        names = {question.id, question.ladder}
        evidence = [
            {
                "known_at": item.known_at,
                "title": item.title,
                "certainty": item.certainty,
                "url": item.url,
            }
            for item in retracted(ledger.evidence())
            if any(effect.target in names for effect in item.effects)
        ]
        shown.append(
            {
                **facts(catalog, question, now),
                "latest": {f.forecaster: f.value.plain for f in latest.values()} or None,
                "criteria": question.criteria,
                "background": question.background,
                "zone": question.zone,
                "deadline": deadline(question.closes, question.zone),
                "resolves_by": question.resolves_by,
                "options": list(question.space.options),
                "basis": question.basis.kind,
                "sentences": {k: list(v) for k, v in question.basis.sentences.items()},
                "parent": question.parent,
                "condition": None
                if question.condition is None
                else f"{question.condition.question} = {question.condition.outcome}",
                "wording_hash": question.wording_hash,
                "versions": len(ledger.question_history(question.id)),
                "rungs": [rung.id for rung in catalog.ladder(question.ladder or "")],
                "forecasts": [
                    {
                        "forecaster": forecast.forecaster,
                        "forecast": forecast.value.plain,
                        "issued_at": forecast.issued_at,
                        "recorded_at": forecast.recorded_at,
                        "kind": forecast.kind,
                        "mark": catalog.mark(forecast),
                        "because": redacted.get(forecast.seq or 0, forecast.because),
                    }
                    for forecast in latest.values()
                ],
                "claims": [claim for claim in claims if claim["question"] == question.id],
                "evidence": evidence,
                "resolution": None if standing is None else resolution_row(standing),
                "disputed": [
                    {"outcome": version.outcome, "source": version.source, "note": version.note}
                    for version in ledger.resolutions(question=question.id)
                    if version.said == "disputed"
                ],
            }
        )
    return shown
