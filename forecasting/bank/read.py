"""Read a whole bank: questions, texts, worldviews, reference classes, priors and evidence."""

import datetime as dt
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecasting.bank.facts import read_classes, read_evidence, read_priors, read_shares
from forecasting.bank.scenarios import read_scenarios
from forecasting.bank.schema import (
    ClaimFile,
    QuestionFile,
    ResolutionFile,
    TextFile,
    WorldviewFile,
)
from forecasting.bank.tables import MAX_BYTES, TableReader
from forecasting.bank.yaml_file import line_of, read_yaml
from forecasting.domain.commentary import Claim, PriorChange, Text, Worldview
from forecasting.domain.evidence import Evidence
from forecasting.domain.instants import day_begins, day_ends, parse_day, parse_when, zone
from forecasting.domain.outcome import OutcomeSpace
from forecasting.domain.question import Basis, Condition, ModelChoice, Question
from forecasting.domain.reading import outcome
from forecasting.domain.reference import DurationShare, PriorRow, ReferenceClass
from forecasting.domain.resolution import Resolution
from forecasting.domain.scenario import ScenarioGraph
from forecasting.domain.verbal import band, milder
from forecasting.errors import InvalidInput, Problem
from forecasting.files import read_plain

NOON = dt.timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a question stands: its file, the raw tree with line numbers, the checked shape."""

    source: str
    tree: Any
    file: QuestionFile

    def line(self, *field: str | int) -> int:
        """Find the line of a field."""
        return line_of(self.tree, field)


@dataclass(frozen=True, slots=True)
class Bank:
    """Everything that a bank folder says, and every fault met while reading it.

    `digest` is the SHA-256 over all its files: the bank version that a replay names.
    """

    questions: tuple[Question, ...]
    resolutions: tuple[Resolution, ...]
    texts: tuple[Text, ...]
    worldviews: tuple[Worldview, ...]
    scenarios: tuple[ScenarioGraph, ...]
    evidence: tuple[Evidence, ...]
    classes: Mapping[str, ReferenceClass]
    priors: tuple[PriorRow, ...]
    shares: Mapping[str, DurationShare]
    notes: Mapping[str, str]
    problems: tuple[Problem, ...]
    places: Mapping[str, Place]
    digest: str

    @property
    def observed_until(self) -> dt.datetime:
        """The last moment up to which the event streams are observed."""
        return max(reference.observed_until for reference in self.classes.values())


def text_speaks_at(text: Text) -> dt.datetime:
    """Give the moment a text's claims are dated: noon, Kyiv time, of its last possible day."""
    return day_begins(text.date_to) + NOON


def read_bank(root: Path) -> Bank:
    """Read the bank under a folder; faults are collected, not raised."""
    if not root.is_dir():
        msg = f"bank ({root}): must be a folder or a file of one question"
        raise InvalidInput(msg, hint="forecast questions check questions")
    problems: list[Problem] = []
    questions: list[Question] = []
    resolutions: list[Resolution] = []
    places: dict[str, Place] = {}
    notes: dict[str, str] = {}
    for path in sorted((root / "bank").rglob("*.yaml")):
        place = _place(root, path, problems)
        if place is not None:
            if place.file.slug in places:
                first = places[place.file.slug].source
                message = f"slug ({place.file.slug}): already used by {first}"
                problems.append(
                    Problem(place.source, place.line("slug"), "duplicate-slug", message)
                )
                continue
            try:
                built, outcomes = build_question(place.file, place.source)
            except InvalidInput as fault:
                line = place.line("options")
                problems.append(Problem(place.source, line, "value", fault.message, fault.hint))
                continue
            places[place.file.slug] = place
            notes[place.file.slug] = place.file.note
            questions.extend(built)
            resolutions.extend(outcomes)
    texts = [
        text
        for source, tree, file in _files(root, "texts", TextFile, problems)
        if (text := _text(file, source, tree, problems)) is not None
    ]
    speaking = {text.id: text for text in texts}
    worldviews = [
        _worldview(file, speaking[file.text])
        for source, tree, file in _files(root, "worldviews", WorldviewFile, problems)
        if _known_text(file.text, speaking, source, line_of(tree, ("text",)), problems)
    ]
    tables = TableReader(root)
    classes = read_classes(tables)
    scenarios = read_scenarios(root, questions, classes, problems)
    return Bank(
        questions=tuple(questions),
        resolutions=tuple(sorted(resolutions, key=lambda r: (r.resolved_at, r.question))),
        texts=tuple(texts),
        worldviews=tuple(worldviews),
        scenarios=tuple(scenarios),
        evidence=tuple(read_evidence(tables)),
        classes=classes,
        priors=tuple(read_priors(tables)),
        shares=read_shares(tables),
        notes=notes,
        problems=(*problems, *tables.problems),
        places=places,
        digest=digest(root),
    )


def read_question_file(path: Path) -> tuple[list[Question], list[Resolution], list[Problem]]:
    """Read one question file on its own, for `questions add` and `questions check FILE`."""
    problems: list[Problem] = []
    place = _place(path.parent, path, problems, source=str(path))
    if place is None:
        return [], [], problems
    try:
        questions, resolutions = build_question(place.file, place.source)
    except InvalidInput as fault:
        return (
            [],
            [],
            [Problem(str(path), place.line("options"), "value", fault.message, fault.hint)],
        )
    return questions, resolutions, problems


def digest(root: Path) -> str:
    """Hash every YAML and CSV file of a bank with its relative name."""
    total = hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.suffix in {".yaml", ".csv"}):
        total.update(os.fsencode(path.relative_to(root).as_posix()) + b"\0")
        try:
            content = read_plain(path, most=MAX_BYTES)
        except OSError as unreadable:
            # The reader that wants this file says so; here it only has to differ from a whole one.
            content = f"\0{unreadable.strerror}".encode()
        total.update(hashlib.sha256(content).digest())
    return total.hexdigest()


def build_question(file: QuestionFile, source: str) -> tuple[list[Question], list[Resolution]]:
    """Turn a checked file into its question, or into the rungs of its ladder."""
    zone(file.zone)
    if file.type == "numeric":
        space = OutcomeSpace("numeric", (), file.lower, file.upper, file.unit)
    elif file.type == "binary":
        space = OutcomeSpace.binary()
    else:
        space = OutcomeSpace(file.type, tuple(file.options or ()))
    days = file.ladder or [file.closes or ""]
    questions, resolutions = [], []
    for day in days:
        rung = f"{file.slug}@{day}" if file.ladder else file.slug
        opens = day_begins(parse_day(file.opens), file.zone)
        closes = day_ends(parse_day(day), file.zone)
        resolves_by = closes
        if file.resolves_by:
            resolves_by = day_ends(parse_day(file.resolves_by), file.zone)
            if resolves_by < closes and day == days[-1]:
                msg = f"resolves_by ({file.resolves_by}): must not come before closes ({day})"
                raise InvalidInput(msg)
            resolves_by = max(closes, resolves_by)
        if closes <= opens:
            msg = f"closes ({day}): must not come before opens ({file.opens})"
            raise InvalidInput(msg)
        condition = file.links.condition
        questions.append(
            Question(
                id=rung,
                title=f"{file.title} (by {day})" if file.ladder else file.title,
                criteria=file.criteria,
                background=file.background,
                space=space,
                zone=file.zone,
                opens=opens,
                closes=closes,
                resolves_by=resolves_by,
                topic=file.topic,
                event=file.event,
                tags=tuple(file.tags),
                basis=Basis(
                    file.basis.kind,
                    tuple(file.basis.texts),
                    {text: tuple(numbers) for text, numbers in file.basis.sentences.items()},
                ),
                model=ModelChoice(
                    file.model.family,
                    file.model.stand_in or file.model.family,
                    file.model.reference,
                    {
                        name: tuple(value) if isinstance(value, list) else value
                        for name, value in file.model.settings.items()
                    },
                ),
                ladder=file.slug if file.ladder else None,
                parent=file.links.parent,
                condition=None
                if condition is None
                else Condition(condition.question, condition.outcome),
                source=source,
            )
        )
        stated = file.resolutions.get(day) if file.ladder else file.resolution
        if stated is not None:
            resolutions.append(_resolution(rung, stated, space, file.zone))
    return questions, resolutions


def _resolution(
    question: str, stated: ResolutionFile, space: OutcomeSpace, zone_name: str
) -> Resolution:
    return Resolution(
        question=question,
        outcome=outcome(space, stated.outcome),
        resolved_at=parse_when(stated.known, zone_name=zone_name, day_means="ends"),
        source=stated.source,
        certainty=stated.certainty,
        note=stated.note,
    )


def _place(
    root: Path, path: Path, problems: list[Problem], *, source: str | None = None
) -> Place | None:
    named = source or str(Path("questions") / path.relative_to(root))
    file, tree, faults = read_yaml(path, QuestionFile, named)
    problems.extend(faults)
    return None if file is None else Place(named, tree, file)


def _files[Model: (TextFile, WorldviewFile)](
    root: Path, folder: str, model: type[Model], problems: list[Problem]
) -> Iterator[tuple[str, Any, Model]]:
    for path in sorted((root / folder).glob("*.yaml")):
        source = str(Path("questions") / path.relative_to(root))
        file, tree, faults = read_yaml(path, model, source)
        problems.extend(faults)
        if file is not None:
            yield source, tree, file


def _known_text(
    text: str, known: Mapping[str, Text], source: str, line: int, problems: list[Problem]
) -> bool:
    if text not in known:
        problems.append(Problem(source, line, "unknown-text", f"text ({text}): no such text file"))
    return text in known


def _claim(file: ClaimFile) -> Claim:
    first, second = band(file.first.band), band(file.second.band)
    return Claim(
        id=file.id,
        question=file.question,
        sentences=tuple(file.sentences),
        paraphrase=file.paraphrase,
        first=first,
        second=second,
        scored=milder(first, second),
        flat_denial=file.flat_denial,
        shown_only=file.shown_only,
        note=file.note,
    )


def _text(file: TextFile, source: str, tree: Any, problems: list[Problem]) -> Text | None:
    claims = []
    for position, claim in enumerate(file.claims):
        line = line_of(tree, ("claims", position))
        if max(claim.sentences) > file.sentences or min(claim.sentences) < 1:
            message = f"sentences {claim.sentences}: the text has {file.sentences}"
            problems.append(Problem(source, line, "sentence", message))
        try:
            claims.append(_claim(claim))
        except InvalidInput as fault:
            problems.append(Problem(source, line, "band", fault.message, fault.hint))
    return Text(
        id=file.id,
        file=file.file,
        sha256=file.sha256,
        sentences=file.sentences,
        date_from=parse_day(file.date_from),
        date_to=parse_day(file.date_to),
        date_basis=file.date_basis,
        slant=file.slant,
        thesis=file.thesis,
        claims=tuple(claims),
    )


def _worldview(file: WorldviewFile, text: Text) -> Worldview:
    return Worldview(
        id=file.id,
        text=file.text,
        title=file.title,
        thesis=file.thesis,
        speaks_from=text_speaks_at(text),
        changes=tuple(
            PriorChange(
                reference=change.reference,
                parameter=change.parameter,
                reason=change.reason,
                sentences=tuple(change.sentences),
                times=change.times,
                shift=change.shift,
                replace=None
                if change.set is None
                else {k: tuple(v) if isinstance(v, list) else v for k, v in change.set.items()},
            )
            for change in file.priors
        ),
    )
