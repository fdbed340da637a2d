"""Resolve a question, annul, dispute, reopen: each an entry; and score under every version."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from forecasting.app.ledger.log import check_moment
from forecasting.app.scores.frame import Selection, resolved
from forecasting.app.upkeep import banks
from forecasting.comparison.table import from_frame
from forecasting.domain import reading
from forecasting.domain.catalog import Catalog
from forecasting.domain.forecast import KINDS, kind_named
from forecasting.domain.instants import iso
from forecasting.domain.outcome import NO, YES, OutcomeSpace, beyond
from forecasting.domain.predicate_check import knowable
from forecasting.domain.question import ANNULLED, Question, normalised
from forecasting.domain.resolution import DISPUTED, REOPENED, Resolution
from forecasting.errors import InvalidInput, Unsure
from forecasting.evidence.predicates import OnRecord, facts_on
from forecasting.store import Ledger

type Chosen = Callable[[Question], bool]
#: The columns of the table, also of one without rows.
RESOLUTION_COLUMNS = (
    *("seq", "question", "status", "outcome", "resolved_at", "recorded_at", "source", "certainty"),
    *("note", "version", "stands"),
)
SCORED_COLUMNS = (
    *RESOLUTION_COLUMNS[:-1],
    *("kind", "forecaster", "mean", "n", "rule", "coverage", "skill"),
)


def resolve(
    ledger: Ledger,
    name: str,
    outcome: str,
    *,
    source: str,
    now: dt.datetime,
    at: dt.datetime | None = None,
    note: str = "",
    sure: bool = False,
) -> list[dict[str, Any]]:
    """Record an outcome, or a new version of it, known `at` a moment."""
    catalog = Catalog.of(ledger)
    check_moment(at or now, now)
    _check_source(source, f"resolve {name} {outcome}")
    # The rungs of a ladder are alike.
    space = catalog.find(name)[0].space
    if outside := beyond_doubt(space, outcome):
        if not sure:
            raise outside
        note = note or f"stated as {outcome.strip()}"
    outcome = reading.outcome(space, outcome)
    if outcome == ANNULLED:
        return annul(ledger, name, source=source, now=now, at=at, note=note)
    moment = at or _stands_since(catalog, name, outcome)
    known_at = moment or now
    questions = _rungs(
        catalog,
        name,
        lambda rung: catalog.outcome(rung) is None and _settles(outcome, rung, known_at),
        f"{outcome} at {iso(known_at)} settles no unresolved rung",
    )

    def when_known(question: Question) -> dt.datetime:
        ran_out = question.type == "binary" and outcome == NO and question.closes <= now
        return moment or (question.closes if ran_out else now)

    for question in questions:
        _check_condition(catalog, question)
        _check_after_opening(question, when_known(question))
        _check_rungs_agree(catalog, question, outcome, when_known(question))
        _check_says_more(catalog, question, outcome, source, when_known(question), note)
        if not sure and (
            doubt := _doubt(ledger, catalog, question, outcome, when_known(question), now)
        ):
            raise doubt
    return _append(ledger, questions, outcome, source, now, at=when_known, note=note)


def beyond_doubt(space: OutcomeSpace, stated: str) -> Unsure | None:
    """Say that a number lies beyond the bounds, where it was not stated as beyond them."""
    outcome = reading.outcome(space, stated)
    word = stated.strip().casefold()
    if space.type != "numeric" or outcome not in beyond(space):
        return None
    if word[:1] in ("<", ">") or word in ("above", "below"):
        return None
    msg = (
        f"outcome ({stated.strip()}): lies beyond {space.span}, and would be kept as "
        f"{space.shown(outcome)}; is it meant?"
    )
    return Unsure(msg, hint=f"{space.shown(outcome)}, or sure=True")


def _doubt(
    ledger: Ledger,
    catalog: Catalog,
    question: Question,
    outcome: str,
    known_at: dt.datetime,
    now: dt.datetime,
) -> Unsure | None:
    """Say what makes an outcome doubtful: it is early, or the facts on record say otherwise."""
    facts = OnRecord(None)
    if question.answer:
        world = banks.news_world(ledger, replace(catalog, questions={question.id: question}))
        facts = facts_on(world, question, ledger.evidence(), now)
    if facts.outcome is not None and not _same(question, facts.outcome, outcome):
        msg = (
            f"outcome ({outcome}): by the facts on record {question.id} is {facts.outcome}; is it "
            f"{outcome} all the same?"
        )
        return Unsure(msg, hint="sure=True, or `forecast news list` to correct the record")
    if outcome == YES and facts.lacking:
        msg = f"outcome (yes): {facts.lacking} on record; is all of it there?"
        return Unsure(msg, hint="sure=True, or `forecast news add` for what is not on record")
    if known_at >= question.closes or facts.outcome is not None:
        return None
    # Without a predicate nothing says when an outcome can be known: a yes may be early.
    early = {YES} if question.type == "binary" else set()
    if facts.predicate is not None:
        early = set(knowable(facts.predicate, known_at, question.closes))
    if outcome in early:
        return None
    binary_no = question.type == "binary" and outcome == NO
    other = "a yes no longer happen" if binary_no else "it no longer end otherwise"
    msg = (
        f"outcome ({question.space.shown(outcome)}): {question.id} is open until "
        f"{iso(question.closes)}, after {iso(known_at)}; can {other}?"
    )
    return Unsure(msg, hint="sure=True, or at=TIME once the deadline has passed")


def annul(
    ledger: Ledger,
    name: str,
    *,
    source: str,
    now: dt.datetime,
    at: dt.datetime | None = None,
    note: str = "",
) -> list[dict[str, Any]]:
    """Annul a question: it is not scored; of a ladder, its unresolved rungs."""
    catalog = Catalog.of(ledger)
    check_moment(at or now, now)
    _check_source(source, f"annul {name}")
    moment = at or _stands_since(catalog, name, ANNULLED) or now
    questions = _rungs(
        catalog, name, lambda rung: catalog.outcome(rung) is None, "has no unresolved rung to annul"
    )
    for question in questions:
        _check_condition(catalog, question)
        _check_says_more(catalog, question, ANNULLED, source, moment, note)
    return _append(ledger, questions, ANNULLED, source, now, at=moment, note=note)


def dispute(
    ledger: Ledger,
    name: str,
    outcome: str,
    *,
    source: str,
    now: dt.datetime,
    at: dt.datetime | None = None,
    note: str = "",
) -> list[dict[str, Any]]:
    """Record another reading of the outcome; the official resolution is unchanged."""
    catalog = Catalog.of(ledger)
    check_moment(at or now, now)
    _check_source(source, f"dispute {name} {outcome}")

    def when_known(question: Question) -> dt.datetime:
        standing = catalog.outcomes.get(question.id)
        return at or (now if standing is None else standing.resolved_at)

    outcome = reading.outcome(catalog.find(name)[0].space, outcome)
    questions = _rungs(
        catalog,
        name,
        lambda rung: (
            catalog.outcome(rung) != outcome
            and (outcome == ANNULLED or _settles(outcome, rung, when_known(rung)))
        ),
        f"{outcome} contests no rung",
    )
    for question in questions:
        _check_condition(catalog, question)
        if outcome != ANNULLED:
            _check_after_opening(question, when_known(question))
        if _same(question, catalog.outcome(question), outcome):
            msg = f"question ({question.id}): {outcome} is already the official outcome"
            raise InvalidInput(msg, hint=f"forecast resolutions {question.id}")
    return _append(
        ledger, questions, outcome, source, now, at=when_known, note=note, status=DISPUTED
    )


def reopen(
    ledger: Ledger, name: str, *, source: str, now: dt.datetime, note: str = ""
) -> list[dict[str, Any]]:
    """Record that no outcome stands from now on; of a ladder, on its resolved rungs."""
    catalog = Catalog.of(ledger)
    _check_source(source, f"reopen {name}")
    questions = _rungs(
        catalog,
        name,
        lambda rung: catalog.outcome(rung) is not None,
        "has no resolved rung to reopen",
    )
    for question in questions:
        _check_condition(catalog, question)
        if catalog.outcome(question) is None:
            msg = (
                f"question ({question.id}): has no outcome to take back "
                f"({catalog.status(question, now)})"
            )
            raise InvalidInput(msg, hint=f"forecast resolve {question.id} OUTCOME --source URL")
    return _append(ledger, questions, "", source, now, at=now, note=note, status=REOPENED)


def followers(ledger: Ledger, rows: Sequence[Mapping[str, Any]], now: dt.datetime) -> list[str]:
    """Say what has become of the questions whose condition was just decided."""
    catalog = Catalog.of(ledger)
    decided = {row["question"] for row in rows}
    ladders = {catalog.questions[name].ladder for name in decided} - {None}
    with_it = [
        standing
        for ladder in sorted(filter(None, ladders))
        for rung in catalog.ladder(ladder)
        for standing in [catalog.outcomes.get(rung.id)]
        if standing is not None and standing.derived and standing.outcome == YES
    ]
    decided |= {standing.question for standing in with_it}
    following: dict[str, Question] = {}
    while more := [
        question
        for question in catalog.questions.values()
        if question.condition is not None and question.id not in following
        if question.condition.question in decided
    ]:
        following |= {question.id: question for question in more}
        # What the failure of its condition annuls is decided too.
        decided |= {one.id for one in more if catalog.outcome(one) is not None}
    notes = [
        f"{name} follows {question.condition.question}: {catalog.status(question, now)}"
        for name, question in following.items()
        if question.condition is not None
    ]
    return notes + [f"{one.question} is {one.outcome} with it: {one.note}" for one in with_it]


def _rungs(catalog: Catalog, name: str, chosen: Chosen, none: str) -> Sequence[Question]:
    """Give the question of a name, or those of a ladder's rungs that are meant."""
    questions = catalog.find(name)
    if len(questions) == 1:
        return questions
    rungs = [rung for rung in questions if chosen(rung)]
    if not rungs:
        msg = f"ladder ({name}): {none}"
        raise InvalidInput(msg, hint=", ".join(rung.id for rung in questions))
    return rungs


def _check_rungs_agree(
    catalog: Catalog, question: Question, outcome: str, known_at: dt.datetime
) -> None:
    """Refuse what an outcome of another rung of the ladder rules out."""
    for rung in catalog.ladder(question.ladder or ""):
        standing = catalog.outcomes.get(rung.id)
        if standing is None or standing.derived or rung.id == question.id:
            continue
        earlier = rung.closes < question.closes
        # A yes holds for every deadline that was still to come when it was known.
        within = (
            rung.closes >= known_at if outcome == YES else standing.resolved_at <= question.closes
        )
        if (outcome, standing.outcome) == (NO, YES):
            against = earlier or within
        else:
            against = (outcome, standing.outcome) == (YES, NO) and (not earlier or within)
        if against:
            msg = (
                f"outcome ({outcome}): {question.id} cannot be {outcome}, because {rung.id} is "
                f"{standing.outcome}"
            )
            raise InvalidInput(msg, hint=f"correct {rung.id} first")


def _settles(outcome: str, rung: Question, known_at: dt.datetime) -> bool:
    return rung.closes >= known_at if outcome == YES else rung.closes <= known_at


def _same(question: Question, standing: str | None, outcome: str) -> bool:
    """Whether two outcomes are one, though a number may be written in two ways."""
    if standing is None or ANNULLED in (standing, outcome):
        return standing == outcome
    return question.space.label(standing) == question.space.label(outcome)


def _stands_since(catalog: Catalog, name: str, outcome: str) -> dt.datetime | None:
    """Give when the outcome of a single question could be known, where it stands already."""
    questions = catalog.find(name)
    standing = catalog.outcomes.get(questions[0].id) if len(questions) == 1 else None
    if standing is None or not _same(questions[0], standing.outcome, outcome):
        return None
    return standing.resolved_at


def _check_says_more(
    catalog: Catalog, question: Question, outcome: str, source: str, at: dt.datetime, note: str
) -> None:
    """Refuse to record once more what stands already, in the same words."""
    standing = catalog.outcomes.get(question.id)
    if standing is None or standing.derived or not _same(question, standing.outcome, outcome):
        return
    if (normalised(source), at) == (standing.source, standing.resolved_at) and (
        normalised(note) in ("", standing.note)
    ):
        shown = question.space.shown(outcome)
        state = shown if outcome == ANNULLED else f"resolved {shown}"
        msg = f"question ({question.id}): is already {state}, by that source; nothing was written"
        hint = f"another source or note, or forecast reopen {question.id} --source URL"
        raise InvalidInput(msg, hint=hint)


def _check_after_opening(question: Question, known_at: dt.datetime) -> None:
    if known_at <= question.opens:
        opened = iso(question.opens)
        msg = f"question ({question.id}): opened at {opened}, not before {iso(known_at)}"
        raise InvalidInput(msg, hint="at=TIME, when the outcome could be known")


def _check_condition(catalog: Catalog, question: Question) -> None:
    """Refuse a word on a question that its condition has annulled: it follows the condition."""
    standing, needs = catalog.outcomes.get(question.id), question.condition
    if standing is None or not standing.derived:
        return
    if needs is None or standing.outcome != ANNULLED:
        msg = f"question ({question.id}): is {standing.outcome}, because {standing.note}"
        raise InvalidInput(msg, hint=f"correct that rung, and {question.id} follows")
    msg = f"question ({question.id}): is annulled, because {standing.note}"
    raise InvalidInput(msg, hint=f"correct {needs.question} instead, and this one follows")


def _append(
    ledger: Ledger,
    questions: Sequence[Question],
    outcome: str,
    source: str,
    now: dt.datetime,
    *,
    at: dt.datetime | Callable[[Question], dt.datetime],
    note: str,
    status: str = "",
) -> list[dict[str, Any]]:
    """Record a version for each question, in one transaction."""
    versions = Counter(version.question for version in ledger.resolutions())
    drafts = [
        Resolution(
            question=question.id,
            outcome=outcome,
            resolved_at=at(question) if callable(at) else at,
            source=normalised(source),
            note=normalised(note),
            version=1 + versions[question.id],
            status=status,
        )
        for question in questions
    ]
    recorded = ledger.append(drafts, recorded_at=now)
    return [
        {
            **resolution_row(draft, question),
            "seq": entry.seq,
            "id": entry.id,
            "recorded_at": entry.recorded_at,
        }
        for question, draft, entry in zip(questions, drafts, recorded, strict=True)
    ]


def _check_source(source: str, command: str) -> None:
    if not normalised(source):
        msg = "source: must name the source that decides"
        raise InvalidInput(msg, hint=f"forecast {command} --source URL")


def resolutions(ledger: Ledger, name: str = "") -> list[dict[str, Any]]:
    """Give every version of an outcome, of a ladder's or of all; a derived one has version 0."""
    catalog = Catalog.of(ledger)
    rows = []
    for version in _versions(ledger, catalog, name):
        row = resolution_row(version, catalog.questions[version.question])
        if name and version.seq is not None:
            row["id"] = None if version.derived else ledger.entry(version.seq).id
        rows.append({**row, "stands": catalog.outcomes.get(version.question) == version})
    return rows


def scored(ledger: Ledger, name: str, *, kind: str = "live", run: str = "") -> list[dict[str, Any]]:
    """Score the forecasters of a question had each version stood; n is 0 where nobody is scored."""
    kind = kind_named(kind)
    if kind not in KINDS:
        raise InvalidInput(f"kind ({kind}): must be one of {', '.join(KINDS)}")
    catalog = Catalog.of(ledger)
    rows: list[dict[str, Any]] = []
    for version in _versions(ledger, catalog, name):
        about = {**resolution_row(version, catalog.questions[version.question]), "kind": kind}
        selection = Selection(kind, run, question=version.question)
        rows += [
            {
                **about,
                "forecaster": row["forecaster"],
                "mean": row["mean"],
                "n": row["n_forecasts"],
                "rule": row["rule"],
                "coverage": row["coverage"],
                "skill": row["skill"],
            }
            for row in _scores_under(ledger, catalog, version, selection)
        ] or [{**about, "forecaster": None, "mean": None, "n": 0, "rule": None}]
    return rows


def _versions(ledger: Ledger, catalog: Catalog, name: str) -> list[Resolution]:
    names = {question.id for question in catalog.find(name)} if name else set(catalog.questions)
    derived = [
        catalog.outcomes[question]
        for question in sorted(names)
        if question in catalog.outcomes and catalog.outcomes[question].derived
    ]
    return [version for version in ledger.resolutions() if version.question in names] + derived


def _scores_under(
    ledger: Ledger, catalog: Catalog, version: Resolution, selection: Selection
) -> list[dict[str, Any]]:
    """Score as if one version stood."""
    if version.said not in ("resolved", "disputed"):
        return []
    supposed = replace(catalog, outcomes={version.question: version})
    frame = resolved(ledger, selection, seals="worst", supposed=supposed)
    rows = from_frame(frame, kind=selection.kind, by="question")
    # Who spoke only after this version's outcome could be known did not forecast it.
    return [row for row in rows if row["n_forecasts"]]


def resolution_row(resolution: Resolution, question: Question) -> dict[str, Any]:
    """Give a resolution as a row."""
    return {
        "seq": resolution.seq,
        "question": resolution.question,
        "status": resolution.said,
        "outcome": question.space.shown(resolution.outcome) or None,
        "resolved_at": resolution.resolved_at,
        "recorded_at": resolution.recorded_at,
        "source": resolution.source,
        "certainty": resolution.certainty,
        "note": resolution.note,
        "version": resolution.version,
    }
