"""Lists of questions: which are wanted, in which order, and a row of each."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from forecasting.domain.catalog import Catalog, Pair, Voice, difference
from forecasting.domain.instants import last_day
from forecasting.domain.question import Question, Status
from forecasting.review.due import DAY, State, names

#: The columns of the table, also of one without rows.
QUESTION_COLUMNS = (
    *("id", "title", "type", "ladder", "status", "opens", "closes", "by", "outcome", "model"),
    *("texts", "event", "topic", "tags", "latest", "withdrawn", "latest_model", "difference"),
)
#: Questions of one page.
PER_PAGE = 40
STATUSES = ("open", "due", "closed", "upcoming", "resolved", "annulled")
SORTS = ("deadline", "difference", "title", "newest")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The questions of one list, and the very values that it was made of."""

    made_of: tuple[Any, ...]
    questions: Sequence[Question]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list is to hold: empty fields ask for nothing; `answered` is ``yes`` or ``no``."""

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

    A row's `mine_path` and `model_path` are (days, share) over the last 90 days. `statuses` counts
    the questions of each status under the other filters, `tags` names what that filter may be.
    """

    rows: Sequence[Mapping[str, Any]]
    total: int
    page: int
    pages: int
    statuses: Mapping[str, int]
    tags: Sequence[str]


def list_rows(
    catalog: Catalog,
    pair: Pair,
    now: dt.datetime,
    /,
    *,
    status: str = "",
    tag: str = "",
    text: str = "",
) -> list[dict[str, Any]]:
    """Give one row a question (a rung is one), in the order of deadlines."""
    catalog.tag(tag)
    rows = []
    for question in sorted(catalog.questions.values(), key=lambda q: (q.closes, q.id)):
        row = facts(catalog, question, now)
        if status and row["status"] != status:
            continue
        if tag and tag not in (question.topic, question.event, *question.tags):
            continue
        if text and text not in question.basis.texts:
            continue
        numbers = pair.row(question)
        rows.append(
            {
                **row,
                "latest": numbers["mine"],
                "withdrawn": numbers["withdrawn"],
                "latest_model": numbers["model"],
                "difference": numbers["difference"],
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
        "by": last_day(question.closes, question.zone),
        "outcome": question.space.shown(catalog.outcome(question)),
        "model": "world" if question.answer else "",
        "texts": list(question.basis.texts),
        "event": question.event,
        "topic": question.topic,
        "tags": list(question.tags),
    }


def matching(
    state: State, wanted: Wanted, statuses: Mapping[str, Status], ordered: Sequence[Question]
) -> tuple[Sequence[Question], Mapping[str, int]]:
    """Find the questions that are wanted, of all `ordered` by deadline, and count each status."""
    questions = list(ordered)
    if needle := wanted.text.casefold().split():
        questions = [
            q
            for q in questions
            for words in [_search_text(q.title, q.id, q.topic, q.tags)]
            if all(word in words for word in needle)
        ]
    if tag := wanted.tag:
        questions = [q for q in questions if tag in (q.topic, q.event, *q.tags)]
    if process := wanted.process:
        questions = [q for q in questions if process in names(q)]
    if wanted.answered:
        mine, want = state.pair.mine.in_force, wanted.answered == "yes"
        questions = [q for q in questions if (mine(q.id) is not None) is want]
    counts = dict.fromkeys(STATUSES, 0) | Counter(statuses[q.id] for q in questions)
    if status := wanted.status:
        questions = [q for q in questions if statuses[q.id] == status]
    questions = _sorted(state, questions, wanted.sort, statuses)
    return _rungs_together(questions) if wanted.sort == "deadline" else questions, counts


def page_of(state: State, wanted: Wanted, cached: Chosen, tags: Sequence[str]) -> Listed:
    """Give the page that is wanted of a list."""
    pages = max(1, -(-len(cached.questions) // PER_PAGE))
    page = min(max(wanted.page, 1), pages)
    on_page = cached.questions[(page - 1) * PER_PAGE : page * PER_PAGE]
    rows = [_row(state, question) for question in on_page]
    return Listed(rows, len(cached.questions), page, pages, cached.counts, tags)


def _rungs_together(questions: Sequence[Question]) -> list[Question]:
    """Put the rungs of each ladder where its first one stands, by deadline."""
    ladders: dict[str, list[Question]] = {}
    for question in questions:
        if question.ladder:
            ladders.setdefault(question.ladder, []).append(question)
    result: list[Question] = []
    for question in questions:
        if not question.ladder:
            result.append(question)
        elif rungs := ladders.pop(question.ladder, None):
            result += sorted(rungs, key=lambda rung: rung.closes)
    return result


def tags_of(questions: Sequence[Question]) -> list[str]:
    """Give the topics and tags of several questions, those of most questions first."""
    counts = Counter(
        tag for question in questions for tag in {question.topic, *question.tags} if tag
    )
    return sorted(counts, key=lambda tag: (-counts[tag], tag))[:40]


@lru_cache(maxsize=50_000)
def _search_text(title: str, name: str, topic: str, tags: tuple[str, ...]) -> str:
    return " ".join((title, name, topic, *tags)).casefold()


def _sorted(
    state: State, questions: list[Question], sort: str, statuses: Mapping[str, Status]
) -> list[Question]:
    if sort == "title":
        return sorted(questions, key=lambda q: (q.title.casefold(), q.closes))
    if sort == "newest":
        return sorted(questions, key=lambda q: (q.opens, q.id), reverse=True)
    if sort == "difference":
        mine, model = state.pair.mine.in_force, state.pair.model.in_force

        def nearness(question: Question) -> float:
            apart = difference(question, mine(question.id), model(question.id))
            if isinstance(apart, dict):
                return -max(map(abs, apart.values()), default=-1.0)
            return 1.0 if apart is None else -abs(apart)

        # Those equally far apart stay by their deadlines.
        return sorted(questions, key=nearness)
    # Open and due ones first by deadline; what is over follows, the latest first.
    settled = ("resolved", "annulled")
    over = [q for q in reversed(questions) if statuses[q.id] in settled]
    return [*(q for q in questions if statuses[q.id] not in settled), *over]


def _row(state: State, question: Question) -> dict[str, Any]:
    standing = state.catalog.outcomes.get(question.id)
    return {
        **facts(state.catalog, question, state.now),
        "unit": question.space.unit,
        "zone": question.zone,
        "settled_at": None if standing is None else standing.resolved_at,
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
    forecasts = voice.forecasts.get(question.id, ())
    points: list[tuple[float, float]] = []
    for one in forecasts:
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
