"""A question as one page shows it: every number on it, its path, its news, its record."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any

from forecasting.app.ledger.ask import matches
from forecasting.app.ledger.log import history
from forecasting.app.ledger.resolve import resolution_row
from forecasting.app.ledger.seal import reasons
from forecasting.app.scores.frame import latest_run
from forecasting.app.upkeep.banks import bank_of
from forecasting.domain.catalog import KINDS, Catalog, latest
from forecasting.domain.forecast import Forecast
from forecasting.domain.forecasters import MODEL, family
from forecasting.domain.instants import DAYS, dated, deadline
from forecasting.domain.outcome import OutcomeSpace
from forecasting.domain.question import Question, Status, lacks_criteria
from forecasting.errors import InvalidInput
from forecasting.evidence import without_retracted
from forecasting.review.due import State, names
from forecasting.review.listing import facts
from forecasting.store import Ledger
from forecasting.store.undone import undone

if TYPE_CHECKING:
    from forecasting.bank import Bank
    from forecasting.evidence.reports import Weights
    from forecasting.review.data import Point, QuestionPath

#: Rows of history and comments on a page; the rest is in the export.
MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Rung:
    """One question of a page: the only one, or a rung of its ladder.

    `mine` and `model` are in force; `crowd` is the median of what other people said last, `voices`
    are their names.
    """

    question: Question
    status: Status
    outcome: str | None
    mine: Forecast | None
    withdrawn: bool
    model: Forecast | None
    crowd: Any
    voices: Sequence[str]

    @property
    def id(self) -> str:
        """The question's id."""
        return self.question.id

    @property
    def day(self) -> str:
        """The day by which a ladder names this rung."""
        return self.question.day


@dataclass(frozen=True, slots=True)
class QuestionPage:
    """What the page of a name shows; a ladder has several rungs, a question one.

    `decided` is the entry of the outcome that stands, 0 for none.
    """

    name: str
    title: str
    rungs: Sequence[Rung]
    chosen: Rung
    path: "QuestionPath"
    path_kind: str
    replayed: bool
    others: Mapping[str, Forecast]
    comments: Sequence[Mapping[str, Any]]
    history: Sequence[Mapping[str, Any]]
    all_history: int
    resolutions: Sequence[Mapping[str, Any]]
    decided: int
    claims: Sequence[Mapping[str, Any]]
    processes: Sequence[Mapping[str, Any]]
    links: Sequence[Mapping[str, Any]]
    versions: int
    children: Sequence[Question]

    @property
    def question(self) -> Question:
        """The question that is looked at."""
        return self.chosen.question

    @property
    def is_ladder(self) -> bool:
        """Whether the page is of several rungs."""
        return len(self.rungs) > 1

    @property
    def criteria(self) -> str:
        """What counts; empty where the question goes by its title alone."""
        return "" if lacks_criteria(self.question) else self.question.criteria


def question_page(
    ledger: Ledger,
    state: State,
    name: str,
    *,
    forecaster: str,
    weights: "Callable[[State, Bank | None], Weights]",
    kind: str = "live",
) -> QuestionPage:
    """Gather the page of a question, of a rung, or of a ladder; the path drawn is of one `kind`."""
    catalog, now = state.catalog, state.now
    questions = catalog.find(name)
    ladder = catalog.ladder(questions[0].ladder) if questions[0].ladder else questions
    # Of a ladder the rung to look at first is the next to close, else the last.
    coming = (rung for rung in questions if catalog.status(rung, now) in ("open", "due"))
    chosen = questions[0] if len(questions) == 1 else next(coming, questions[-1])
    by_rung = {question.id: ledger.forecasts(question=question.id) for question in ladder}
    rungs = [_rung(state, question, by_rung[question.id], forecaster) for question in ladder]
    here = next(rung for rung in rungs if rung.id == chosen.id)
    forecasts = by_rung[chosen.id]
    bank, standing = _bank(ledger), catalog.outcomes.get(chosen.id)
    path, replayed, kind = _path(ledger, state, chosen, forecasts, kind, weights(state, bank))
    rows = history(ledger, chosen.id, catalog=catalog, said=forecasts)
    plain = _each_until_the_next([row for row in rows if row["kind"] != "replay"])
    processes = bank.world.processes if bank else {}
    process_names = [each for each in names(chosen) if each in processes]
    return QuestionPage(
        name=chosen.ladder or chosen.id,
        title=chosen.title,
        rungs=rungs,
        chosen=here,
        path=path,
        path_kind=kind,
        replayed=replayed,
        others=_others(forecasts, forecaster, now),
        comments=_comments(ledger, forecasts),
        history=plain[:MOST_ROWS],
        all_history=len(plain),
        resolutions=[resolution_row(one, chosen) for one in ledger.resolutions(question=chosen.id)],
        decided=0 if standing is None else standing.seq or 0,
        claims=_claims(bank, chosen),
        processes=[
            {"name": name, "title": process.title or name, "states": list(process.states)}
            for name in sorted(process_names)
            for process in [processes[name]]
        ],
        links=_links(bank, process_names),
        versions=len(ledger.question_history(chosen.id)),
        children=[
            one
            for one in catalog.questions.values()
            if one.parent == chosen.id
            or (one.condition is not None and one.condition.question == chosen.id)
        ],
    )


def _each_until_the_next(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Let a forecast stand until the next of the same person, of whatever kind; newest first."""
    following: dict[str, dt.datetime] = {}
    result = []
    for row in sorted(rows, key=lambda row: (row["issued_at"], row["seq"] or 0), reverse=True):
        until = min(row["until"], following.get(row["forecaster"], row["until"]))
        following[row["forecaster"]] = row["issued_at"]
        result.append({**row, "until": until})
    return result


def _rung(state: State, question: Question, forecasts: Sequence[Forecast], forecaster: str) -> Rung:
    pair = state.pair
    whole = {one.seq: one for one in forecasts}
    mine, model = pair.mine.in_force(question.id), pair.model.in_force(question.id)
    others = {
        who: one.value.probability
        for who, one in _others(forecasts, forecaster, state.now).items()
        if family(who) == "person" and one.value.probability is not None
    }
    return Rung(
        question,
        state.catalog.status(question, state.now),
        question.space.shown(state.catalog.outcome(question)),
        mine and whole[mine.seq],
        pair.mine.is_withdrawn(question.id),
        model and whole[model.seq],
        median(others.values()) if others else None,
        tuple(others),
    )


def _others(
    forecasts: Sequence[Forecast], forecaster: str, now: dt.datetime
) -> dict[str, Forecast]:
    """Give the last forecast of each other forecaster; replays do not count."""
    last = {one.forecaster: one for one in forecasts if one.kind in KINDS and one.issued_at <= now}
    return {who: one for who, one in sorted(last.items()) if who not in (forecaster, MODEL)}


def _path(
    ledger: Ledger,
    state: State,
    question: Question,
    forecasts: Sequence[Forecast],
    kind: str,
    weights: "Weights",
) -> "tuple[QuestionPath, bool, str]":
    """Give the path to draw, whether there is a replay of it, and which of the two it is."""
    from forecasting.review.paths import marks_of, moved_of, path_of, point_of

    replayed = any(one.kind == "replay" for one in forecasts)
    live = [one for one in forecasts if one.kind in ("live", "backdated", "imported")]
    if kind == "replay" or (not live and replayed):
        run = latest_run(ledger) if replayed else ""
        drawn = [one for one in forecasts if one.kind == "replay" and one.run == run]
        kind = "replay"
    else:
        drawn, kind = live, "live"
    narrow = replace(state.catalog, questions={question.id: question})
    evidence = ledger.evidence()
    items = [
        item
        for item in without_retracted(evidence)
        if any(effect.target.startswith("evidence/") for effect in item.effects)
        or names(question) & {effect.about for effect in item.effects}
        or any(item.key in one.meta.get("moved", "") for one in drawn if one.meta)
    ]
    points: dict[str, list[Point]] = {}
    for one in drawn:
        points.setdefault(one.forecaster, []).append(point_of(one))
    path = path_of(
        state.catalog,
        question,
        state.now,
        paths=points,
        evidence=marks_of(items, narrow, drawn, weights).get(question.id, []),
        moved=moved_of(evidence, narrow, drawn).get(question.id, ()),
    )
    return path, replayed, kind


def _range(space: OutcomeSpace) -> list[float] | list[str] | None:
    """Give the bounds of a number, or the days of a date."""
    if space.type != "numeric":
        return None
    return [dated(end) for end in space.bounds] if space.unit == DAYS else list(space.bounds)


def _comments(ledger: Ledger, forecasts: Sequence[Forecast]) -> list[dict[str, Any]]:
    """Give what people wrote with their numbers, newest first."""
    redactions = reasons(ledger)
    rows: list[dict[str, Any]] = [
        {
            "seq": one.seq,
            "who": one.forecaster,
            "at": one.issued_at,
            "forecast": one.value.plain,
            "text": redactions.get(one.seq or 0, one.because),
            "redacted": (one.seq or 0) in redactions,
        }
        for one in forecasts
        if one.kind != "replay" and (one.because or (one.seq or 0) in redactions)
    ]
    return sorted(rows, key=lambda row: row["at"], reverse=True)[:MOST_ROWS]


def _bank(ledger: Ledger) -> "Bank | None":
    """Give the bank; a ledger whose bank is gone or faulty still shows its questions."""
    try:
        return bank_of(ledger)
    except InvalidInput:
        return None


def _claims(bank: Any, question: Question) -> list[dict[str, Any]]:
    if bank is None:
        return []
    return [
        {
            "text": text.id,
            "forecaster": text.forecaster,
            "band": claim.scored.name,
            "p": claim.scored.middle,
            "sentences": list(claim.sentences),
            "paraphrase": claim.paraphrase,
        }
        for text in bank.texts
        for claim in text.claims
        if claim.question == question.id
    ]


def _links(bank: Any, processes: Sequence[str]) -> list[dict[str, Any]]:
    """Give the links that touch the question's processes, to them and from them."""
    if bank is None:
        return []
    return [
        {
            "from": link.parent,
            "to": link.child,
            "says": link.name,
            "ratio": link.median,
            "low": link.low,
            "high": link.high,
            "because": link.because,
        }
        for link in bank.world.links
        if link.parent in processes or link.child in processes
    ]


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
    rows, redacted = [], reasons(ledger)
    matched, items = matches(ledger, catalog), without_retracted(ledger.evidence())
    for question in catalog.find(name):
        standing = catalog.outcomes.get(question.id)
        # Forecasts of replays are not read: there may be a hundred times as many.
        forecasts = [
            one for kind in KINDS for one in ledger.forecasts(question=question.id, kind=kind)
        ]
        last = latest(undone(ledger).left(forecasts)).values()
        names = {question.id, question.ladder}
        evidence = [
            {
                "known_at": item.known_at,
                "title": item.title,
                "certainty": item.certainty,
                "url": item.url,
            }
            for item in items
            if any(effect.target in names for effect in item.effects)
        ]
        rows.append(
            {
                **facts(catalog, question, now),
                "latest": {f.forecaster: f.value.plain_of(question.space) for f in last} or None,
                "criteria": question.criteria,
                "background": question.background,
                "zone": question.zone,
                "deadline": deadline(question.closes, question.zone),
                "resolves_by": question.resolves_by,
                "options": list(question.space.options),
                "range": _range(question.space),
                "unit": "" if question.space.unit == DAYS else question.space.unit,
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
                        "forecast": forecast.value.plain_of(question.space),
                        "issued_at": forecast.issued_at,
                        "recorded_at": forecast.recorded_at,
                        "kind": forecast.kind,
                        "mark": catalog.mark(forecast),
                        "because": redacted.get(forecast.seq or 0, forecast.because),
                    }
                    for forecast in last
                ],
                "claims": [claim for claim in claims if claim["question"] == question.id],
                "evidence": evidence,
                "resolution": None if standing is None else resolution_row(standing, question),
                "same_as": [
                    {
                        "question": one.other if one.question == question.id else one.question,
                        "url": one.url,
                        **({"differs": one.differs} if one.differs else {}),
                        **({"complement": True} if one.complement else {}),
                    }
                    for one in matched
                    if question.id in (one.question, one.other)
                ],
                "disputed": [
                    {
                        "outcome": question.space.shown(version.outcome),
                        "source": version.source,
                        "note": version.note,
                    }
                    for version in ledger.resolutions(question=question.id)
                    if version.said == "disputed"
                ],
            }
        )
    return rows
