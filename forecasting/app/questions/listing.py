"""The list of questions: all rows for a table, or a page filtered and grouped by ladder."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.app.forecast.in_force import Pair, Voice, difference
from forecasting.app.questions.today import State, names
from forecasting.domain.question import Question, Status
from forecasting.store import Ledger

#: Questions of one page.
PER_PAGE = 40
STATUSES = ("open", "due", "closed", "upcoming", "resolved", "annulled")
SORTS = ("deadline", "difference", "title", "newest")
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list is to hold: empty fields ask for nothing.

    `answered` is ``yes`` or ``no``: whether the forecaster has a number in force.
    """

    status: str = ""
    tag: str = ""
    text: str = ""
    process: str = ""
    answered: str = ""
    sort: str = "deadline"
    page: int = 1


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of the list, and how many questions there are in all.

    `statuses` counts the questions of each status under the other filters, `tags` and `processes`
    name what the filters may be.
    """

    rows: Sequence[Mapping[str, Any]]
    total: int
    page: int
    pages: int
    statuses: Mapping[str, int]
    tags: Sequence[str]


def list_rows(
    ledger: Ledger,
    now: dt.datetime,
    *,
    forecaster: str = "",
    status: str = "",
    tag: str = "",
    text: str = "",
) -> list[dict[str, Any]]:
    """Give one row a question (a rung is one), in the order of deadlines.

    `latest` is the forecast in force of `forecaster`, None with `withdrawn` true for one that was
    taken back; `latest_model` the model's, `difference` the first less the second.
    """
    catalog = Catalog.of(ledger)
    pair = Pair.of(ledger, forecaster, now)
    rows = []
    for question in sorted(catalog.questions.values(), key=lambda q: (q.closes, q.id)):
        row = facts(catalog, question, now)
        if status and row["status"] != status:
            continue
        if tag and tag not in question.tags and tag not in {question.topic, question.event}:
            continue
        if text and text not in question.basis.texts:
            continue
        said = pair.row(question)
        rows.append(
            {
                **row,
                "latest": said["mine"],
                "withdrawn": said["withdrawn"],
                "latest_model": said["model"],
                "difference": said["difference"],
            }
        )
    return rows


def facts(catalog: Catalog, question: Question, now: dt.datetime) -> dict[str, Any]:
    """Give what a question says of itself, and where it stands."""
    return {
        "id": question.id,
        "title": question.title,
        "type": question.type,
        "ladder": question.ladder,
        "status": catalog.status(question, now),
        "opens": question.opens,
        "closes": question.closes,
        "outcome": catalog.outcome(question),
        "model": "world" if question.answer else "",
        "texts": list(question.basis.texts),
        "event": question.event,
        "topic": question.topic,
        "tags": list(question.tags),
    }


def question_list(
    state: State,
    wanted: Wanted,
    *,
    statuses: Mapping[str, Status],
    ordered: Sequence[Question],
) -> Listed:
    """Give one page of the questions that are wanted, of all `ordered` by deadline.

    A row's `mine_path` and `model_path` are (days, share) over the last 90 days.
    """
    needle = wanted.text.casefold().split()
    counts: dict[str, int] = dict.fromkeys(STATUSES, 0)
    found: list[Question] = []
    for question in ordered:
        if needle and not all(word in _haystack(question) for word in needle):
            continue
        if (
            wanted.tag
            and wanted.tag not in question.tags
            and wanted.tag
            not in {
                question.topic,
                question.event,
            }
        ):
            continue
        if wanted.process and wanted.process not in names(question):
            continue
        if wanted.answered:
            mine = state.pair.mine.in_force(question.id) is not None
            if mine != (wanted.answered == "yes"):
                continue
        status = statuses[question.id]
        counts[status] += 1
        if not wanted.status or wanted.status == status:
            found.append(question)
    found = _sorted(state, found, wanted.sort, statuses)
    if wanted.sort == "deadline":
        found = _rungs_together(found)
    pages = max(1, -(-len(found) // PER_PAGE))
    page = min(max(wanted.page, 1), pages)
    shown = found[(page - 1) * PER_PAGE : page * PER_PAGE]
    return Listed(
        [_row(state, question) for question in shown],
        len(found),
        page,
        pages,
        counts,
        _tags(tuple((q.topic, q.tags) for q in ordered)),
    )


def _rungs_together(found: Sequence[Question]) -> list[Question]:
    """Put the rungs of each ladder where its first one stands, by deadline."""
    ladders: dict[str, list[Question]] = {}
    for question in found:
        if question.ladder:
            ladders.setdefault(question.ladder, []).append(question)
    placed: list[Question] = []
    for question in found:
        if not question.ladder:
            placed.append(question)
        elif rungs := ladders.pop(question.ladder, None):
            placed += sorted(rungs, key=lambda rung: rung.closes)
    return placed


@lru_cache(maxsize=2)
def _tags(each: tuple[tuple[str, tuple[str, ...]], ...]) -> list[str]:
    """Give the topics and tags of several questions, those of most questions first."""
    counts: dict[str, int] = {}
    for topic, tags in each:
        for tag in {topic, *tags} - {""}:
            counts[tag] = counts.get(tag, 0) + 1
    return sorted(counts, key=lambda tag: (-counts[tag], tag))[:40]


def _haystack(question: Question) -> str:
    return _folded(question.title, question.id, question.topic, question.tags)


@lru_cache(maxsize=50_000)
def _folded(title: str, name: str, topic: str, tags: tuple[str, ...]) -> str:
    return " ".join((title, name, topic, *tags)).casefold()


def _sorted(
    state: State, found: list[Question], sort: str, statuses: Mapping[str, Status]
) -> list[Question]:
    if sort == "title":
        return sorted(found, key=lambda q: (q.title.casefold(), q.closes))
    if sort == "newest":
        return sorted(found, key=lambda q: (q.opens, q.id), reverse=True)
    if sort == "difference":

        def apart(question: Question) -> float:
            mine = state.pair.mine.in_force(question.id)
            found = difference(question, mine, state.pair.model.in_force(question.id))
            if isinstance(found, dict):
                return max((abs(each) for each in found.values()), default=-1.0)
            return abs(found) if isinstance(found, float) else -1.0

        return sorted(found, key=lambda q: (-apart(q), q.closes, q.id))
    # Open and due ones first by deadline; what is over follows, the latest first.
    live: list[Question] = []
    over: list[Question] = []
    for question in found:
        (over if statuses[question.id] in ("resolved", "annulled") else live).append(question)
    return [*live, *reversed(over)]


def _row(state: State, question: Question) -> dict[str, Any]:
    return {
        "id": question.id,
        "title": question.title,
        "ladder": question.ladder,
        "type": question.type,
        "unit": question.space.unit,
        "status": state.catalog.status(question, state.now),
        "closes": question.closes,
        "zone": question.zone,
        "outcome": state.catalog.outcome(question),
        **state.pair.row(question),
        "mine_path": _path(state.pair.mine, question, state.now),
        "model_path": _path(state.pair.model, question, state.now),
    }


def _path(voice: Voice, question: Question, now: dt.datetime) -> list[tuple[float, float]]:
    """Give what a voice said of a yes-no question over the last 90 days, as (days, share)."""
    if question.type != "binary":
        return []
    end = min(now, question.closes)
    start = max(end - 90 * DAY, question.opens)
    said = voice.forecasts.get(question.id, ())
    points: list[tuple[float, float]] = []
    for one in said:
        if one.issued_at > end or one.value.probability is None:
            continue
        day = max((one.issued_at - start) / DAY, 0.0)
        if points and day == points[-1][0]:
            points[-1] = (day, one.value.probability)
        else:
            points.append((day, one.value.probability))
    if points:
        points.append((max((end - start) / DAY, points[-1][0]), points[-1][1]))
    return points
