"""Read a whole bank: questions, texts, worldviews, reference classes, priors and evidence."""

import datetime as dt
import hashlib
import inspect
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from forecasting.bank.build import Place, build_question
from forecasting.bank.facts import MAX_BYTES, TableReader, read_classes, read_evidence, read_priors
from forecasting.bank.schema import (
    ClaimFile,
    PriorChangeFile,
    QuestionFile,
    ScenarioFile,
    TextFile,
    WorldviewFile,
)
from forecasting.bank.world_file import Past
from forecasting.bank.worlds import read_worlds, zone_of
from forecasting.bank.yaml_file import line_of, read_folder, read_yaml, validated
from forecasting.domain.commentary import Claim, PriorChange, Text, Worldview
from forecasting.domain.evidence import Evidence
from forecasting.domain.instants import DEFAULT_ZONE, day_begins, day_ends, parse_day
from forecasting.domain.outcome import OutcomeSpace
from forecasting.domain.predicate import Truth
from forecasting.domain.predicate_check import check_predicate
from forecasting.domain.predicate_text import parse_predicate
from forecasting.domain.prior import ClassPrior, ReferenceClass
from forecasting.domain.process import WorldSpec
from forecasting.domain.question import Question
from forecasting.domain.resolution import Resolution
from forecasting.domain.scenario import Named, ScenarioSet
from forecasting.domain.verbal import band, milder
from forecasting.errors import InvalidInput, Problem, nearest
from forecasting.files import read_plain

NOON = dt.timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Bank:
    """Everything that a bank folder says, and every fault met while reading it.

    `digest` is SHA-256 over all its files: the version that a replay names. `undated` questions
    state no opening, and open on the day they are added.
    """

    questions: tuple[Question, ...] = ()
    resolutions: tuple[Resolution, ...] = ()
    texts: tuple[Text, ...] = ()
    worldviews: tuple[Worldview, ...] = ()
    scenarios: tuple[ScenarioSet, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    classes: Mapping[str, ReferenceClass] = field(default_factory=dict)
    priors: tuple[ClassPrior, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict)
    digest: str = hashlib.sha256().hexdigest()
    world: WorldSpec = field(default_factory=lambda: WorldSpec({}))
    undated: frozenset[str] = frozenset()
    past: tuple[Past, ...] = ()
    broken: frozenset[str] = frozenset()
    root: Path | None = None
    zone: str = DEFAULT_ZONE

    @property
    def observed_until(self) -> dt.datetime | None:
        """The last moment up to which its classes, or else its processes, are observed."""
        ends = [reference.observed_until for reference in self.classes.values()]
        if not ends:
            watched = [process.watched for process in self.world.processes.values()]
            ends = [moment for moment in watched if moment is not None]
        return max(ends, default=None)


def text_speaks_at(text: Text) -> dt.datetime:
    """Give the moment a text's claims are dated: noon of its last possible day, in its zone."""
    return day_begins(text.date_to, text.zone) + NOON


def read_bank(root: Path, *, now: dt.datetime | None = None, zone: str = DEFAULT_ZONE) -> Bank:
    """Read the bank under a folder; faults are collected, not raised.

    Parameters
    ----------
    now : datetime, optional
        When a question whose file states no opening is added; default: the present moment.
    zone : str
        Of the days in files that state none.
    """
    if not root.is_dir():
        msg = f"bank ({root}): must be a folder or a file of one question"
        raise InvalidInput(msg, hint="forecast questions check questions")
    worlds = read_worlds(root, zone)
    problems = list(worlds.problems)
    zone_name = zone_of(worlds.world, zone)
    questions: list[Question] = []
    resolutions: list[Resolution] = []
    places: dict[str, Place] = {}
    undated: set[str] = set()
    files = (_place(root, path, problems) for path in sorted((root / "bank").rglob("*.yaml")))
    for place in (*(each for each in files if each is not None), *worlds.questions):
        slug = place.file.slug
        if slug in places:
            message = f"slug ({slug}): already used by {places[slug].source}"
            problems.append(place.problem(("slug",), "duplicate-slug", message))
            continue
        try:
            built, outcomes = build_question(
                place.file, place.source, now=now, zone_name=place.zone or zone_name
            )
        except InvalidInput as fault:
            problems.append(place.fault(fault))
            continue
        places[slug] = place
        questions.extend(built)
        resolutions.extend(outcomes)
        if place.file.opens is None:
            undated |= {question.id for question in built}
    texts = [
        text
        for source, tree, file in read_folder(root, "texts", TextFile, problems)
        if (text := _text(file, zone_name, source, tree, problems)) is not None
    ]
    speaking = {text.id: text for text in texts}
    worldviews = [
        view
        for source, tree, file in read_folder(root, "worldviews", WorldviewFile, problems)
        if _known_text(file.text, speaking, source, line_of(tree, ("text",)), problems)
        and (view := _worldview(file, speaking[file.text], worlds.world, source, tree, problems))
    ]
    tables = TableReader(root, zone_name)
    classes = read_classes(tables)
    scenarios = read_scenarios(root, worlds.world, zone_name, problems)
    return Bank(
        questions=tuple(questions),
        resolutions=tuple(sorted(resolutions, key=lambda r: (r.resolved_at, r.question))),
        texts=tuple(texts),
        worldviews=tuple(worldviews),
        scenarios=tuple(scenarios),
        evidence=tuple(
            sorted(
                (*read_evidence(tables), *worlds.evidence),
                key=lambda item: (item.known_at, item.key),
            )
        ),
        classes=classes,
        priors=tuple(read_priors(tables)),
        notes={slug: place.file.note for slug, place in places.items()},
        problems=(*problems, *tables.problems),
        places=places,
        digest=digest(root),
        world=worlds.world,
        broken=worlds.broken,
        undated=frozenset(undated),
        past=tuple(worlds.past),
        root=root,
        zone=zone_name,
    )


def read_question_file(
    path: Path, *, now: dt.datetime | None = None, zone_name: str = DEFAULT_ZONE
) -> tuple[list[Question], list[Resolution], list[Problem]]:
    """Read one question file on its own, for `questions add` and `questions check FILE`.

    Parameters
    ----------
    now : datetime, optional
        When it is added, where it states no opening; default: the present moment.
    zone_name : str
        Of its days, where it states none.
    """
    problems: list[Problem] = []
    place = _place(path.parent, path, problems, source=str(path))
    if place is None:
        return [], [], problems
    try:
        questions, resolutions = build_question(
            place.file, place.source, now=now, zone_name=zone_name
        )
        if place.file.answer:
            parse_predicate(place.file.answer, zone=questions[0].zone)
    except InvalidInput as fault:
        line = place.fault(fault).line
        return [], [], [Problem(str(path), line, "value", fault.message, fault.hint)]
    return questions, resolutions, problems


def question_of(
    fields: Mapping[str, Any], *, now: dt.datetime, source: str, zone_name: str = DEFAULT_ZONE
) -> list[Question]:
    """Build a question, or the rungs of a ladder, from the fields that a file would have."""
    file, faults = validated(QuestionFile, dict(fields), dict(fields), source)
    if file is None:
        # The fields were not read from a file, so the message names the question.
        raise InvalidInput(re.sub("^file: ", "question: ", faults[0].message), hint=faults[0].hint)
    return build_question(file, source, now=now, zone_name=zone_name)[0]


def digest(root: Path) -> str:
    """Hash every YAML and CSV file of a bank with its relative name."""
    total = hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.suffix in {".yaml", ".csv"}):
        total.update(os.fsencode(path.relative_to(root).as_posix()) + b"\0")
        try:
            content = read_plain(path, most=MAX_BYTES)
        except OSError as unreadable:
            # Whoever reads this file reports the fault; here its hash only has to be another one.
            content = f"\0{unreadable.strerror}".encode()
        total.update(hashlib.sha256(content).digest())
    return total.hexdigest()


def _place(
    root: Path, path: Path, problems: list[Problem], *, source: str | None = None
) -> Place | None:
    named = source or str(Path("questions") / path.relative_to(root))
    file, tree, faults = read_yaml(path, QuestionFile, named)
    problems.extend(faults)
    return None if file is None else Place(named, tree, file)


def _known_text(
    text: str, known: Mapping[str, Text], source: str, line: int, problems: list[Problem]
) -> bool:
    if text not in known:
        message = f"text ({text}): no such text, or its file is faulty"
        problems.append(Problem(source, line, "unknown-text", message))
    return text in known


def _as_stated[Kind](kind: Callable[..., Kind], file: BaseModel, **read: Any) -> Kind:
    """Give a value of the fields that a file states under the same names, and of what was read."""
    names = inspect.signature(kind).parameters.keys() & type(file).model_fields.keys()
    return kind(**{name: getattr(file, name) for name in names} | read)


def _claim(file: ClaimFile) -> Claim:
    first, second = band(file.first.band), band(file.second.band)
    read = {"first": first, "second": second, "scored": milder(first, second)}
    return _as_stated(Claim, file, sentences=tuple(file.sentences), **read)


def _text(
    file: TextFile, zone: str, source: str, tree: Any, problems: list[Problem]
) -> Text | None:
    claims = []
    before = len(problems)
    for position, claim in enumerate(file.claims):
        line = line_of(tree, ("claims", position))
        if max(claim.sentences) > file.sentences or min(claim.sentences) < 1:
            message = f"sentences {claim.sentences}: the text has {file.sentences}"
            problems.append(Problem(source, line, "sentence", message))
        try:
            claims.append(_claim(claim))
        except InvalidInput as fault:
            problems.append(Problem(source, line, "band", fault.message, fault.hint))
    if len(problems) > before:
        return None
    days = {"date_from": parse_day(file.date_from), "date_to": parse_day(file.date_to)}
    return _as_stated(Text, file, claims=tuple(claims), zone=zone, **days)


def _worldview(
    file: WorldviewFile,
    text: Text,
    world: WorldSpec,
    source: str,
    tree: Any,
    problems: list[Problem],
) -> Worldview | None:
    changes = []
    before = len(problems)
    for position, change in enumerate(file.priors):
        line = line_of(tree, ("priors", position))
        try:
            changes.append(_change(change, world))
        except InvalidInput as fault:
            problems.append(Problem(source, line, "unknown-prior", fault.message, fault.hint))
    if len(problems) > before:
        # With only some of its changes it would be another worldview.
        return None
    speaks = text_speaks_at(text)
    return _as_stated(Worldview, file, speaks_from=speaks, changes=tuple(changes))


def _change(file: PriorChangeFile, world: WorldSpec) -> PriorChange:
    """Give a change of what the world has; the only move of a process need not be named."""
    move = " > ".join(part.strip() for part in file.move.split(">"))
    link = " ".join(file.link.split())
    if file.process:
        process = world.processes.get(file.process)
        if process is None:
            msg = f"process ({file.process}): the world has no such process"
            raise InvalidInput(msg, hint=nearest(file.process, world.processes))
        moves = [each.name for each in process.moves]
        if not move and len(moves) == 1:
            move = moves[0]
        if move not in moves:
            msg = f"move ({move or 'none stated'}): {file.process} has others"
            raise InvalidInput(msg, hint=nearest(move, moves) or ", ".join(moves))
    names = [each.name for each in world.links]
    if link and link not in names:
        raise InvalidInput(f"link ({link}): the world has no such link", hint=nearest(link, names))
    times = file.times if file.gain is None else file.gain
    assert times is not None  # the schema asks for one
    return PriorChange(file.reason, tuple(file.sentences), times, file.process, move, link)


def read_scenarios(
    root: Path, world: WorldSpec, zone: str, problems: list[Problem]
) -> list[ScenarioSet]:
    """Read every file under ``scenarios/``; faults are collected and their sets left out."""
    sets: dict[str, ScenarioSet] = {}
    for source, tree, file in read_folder(root, "scenarios", ScenarioFile, problems):
        if file.id in sets:
            message = f"scenario ({file.id}): another file has that id"
            problems.append(Problem(source, 1, "duplicate-scenario", message))
            continue
        scenario_set = _set(file, tree, source, world, file.zone or zone, problems)
        if scenario_set is not None:
            sets[file.id] = scenario_set
    return list(sets.values())


def _set(
    file: ScenarioFile, tree: Any, source: str, world: WorldSpec, zone: str, problems: list[Problem]
) -> ScenarioSet | None:
    opens, closes = day_begins(parse_day(file.opens), zone), day_ends(parse_day(file.closes), zone)
    named: list[Named] = []
    own_problems: list[Problem] = []
    for position, each in enumerate(file.scenarios):
        line = line_of(tree, ("scenarios", position, "when"))
        try:
            predicate = parse_predicate(each.when, zone=zone, world=world)
            faults: Sequence[str] = check_predicate(
                predicate, world, OutcomeSpace.binary(), opens, closes
            )
        except InvalidInput as fault:
            faults = [fault.message]
        if faults:
            own_problems += [Problem(source, line, "scenario", f"{each.name}: {f}") for f in faults]
            continue
        if predicate.given is not None or not isinstance(predicate.event, Truth.__value__):
            message = f"{each.name}: when ({each.when}): must be true or false, without given"
            own_problems.append(Problem(source, line, "scenario", message))
            continue
        if each.name in {other.name for other in named}:
            own_problems.append(Problem(source, line, "scenario", f"{each.name}: named twice"))
            continue
        named.append(Named(each.name, each.title, predicate.event, each.when))
    problems.extend(own_problems)
    if own_problems:
        return None
    return ScenarioSet(file.id, file.title, opens, closes, tuple(named), file.note, (source, 1))
