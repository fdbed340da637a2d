"""Today: what needs the forecaster, and each of it done right there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import Response

from forecasting.review import words
from forecasting.web.faults import Fault
from forecasting.web.pages.question import logged
from forecasting.web.routes import get, post
from forecasting.web.typed import percent_typed
from forecasting.web.visit import Visit

if TYPE_CHECKING:
    from forecasting.domain.forecast import BriefForecast
    from forecasting.domain.question import Question

#: Rows of a part; a link leads to the rest.
MOST = 8
#: The parts in the order of the page: their key, their title, and where the rest is.
PARTS = {
    "due": ("due", "Record the outcome", "/questions?status=due"),
    "fresh look": ("look", "A fresh look is worth most here", "/questions?status=open"),
    "closes soon": ("soon", "Closes within 7 days", "/questions?status=open"),
    "moved": ("moved", "The model moved since your forecast", "/questions?status=open"),
    "never answered": ("new", "Open, and not answered by you", "/questions?answered=no"),
    "news not coded": ("news", "News to be coded", "/news"),
}
#: What somebody sees who reads and does not write.
READ = {
    "due": ("due", "Waits for its outcome", "/questions?status=due"),
    "closes soon": PARTS["closes soon"],
}


@dataclass(frozen=True, slots=True)
class Part:
    """One section of the page."""

    key: str
    title: str
    more: str
    rows: Sequence[Mapping[str, Any]]
    all: int


def today(visit: Visit, *, faults: tuple[Fault, ...] = (), wrong: str = "") -> Response:
    """Show what needs the visitor; each question once, in the first part that it belongs to."""
    parts = []
    sections = PARTS if visit.may_write else READ
    for section, mine in visit.book.needs(*sections).items():
        key, title, more = sections[section]
        if mine:
            shown_rows = mine[:MOST] if key == "news" else _rows(visit, mine[:MOST])
            parts.append(Part(key, title, more, shown_rows, len(mine)))
    shown = any(row.get("question") == wrong for part in parts for row in part.rows)
    return visit.page(
        "today.html.j2",
        parts=parts,
        counts=visit.kept("counts", visit.book.counts),
        faults=faults,
        wrong=wrong,
        fault_shown=shown,
    )


def _rows(visit: Visit, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    asked = visit.book.asked(*(row["question"] for row in rows))
    return [_row(visit, row, question) for row, question in zip(rows, asked, strict=True)]


def _row(visit: Visit, row: Mapping[str, Any], question: "Question") -> dict[str, Any]:
    reasons = [part for part in row["reason"].split(", ") if part]
    implied = {"record the outcome", "never answered", "closes soon"}
    return {
        **row,
        "type": question.type,
        "outcomes": ("yes", "no") if question.type == "binary" else question.space.options,
        "why": [reason for reason in reasons if reason not in implied],
        "hidden": visit.hides(row["question"]),
    }


def log(visit: Visit) -> Response:
    """Log a probability from where the question stands."""
    question, typed = visit.form.get("question"), visit.form.get("p")
    seen = visit.form.get("seen")
    before = visit.book.standing(question)
    # Another tab, or the command line, may have spoken since this page was drawn.
    newer = before is not None and seen.isdecimal() and (before.seq or 0) > int(seen[:18])
    meanwhile = before if newer else None
    return visit.write(
        lambda book: book.log(
            question, percent_typed(typed), because=visit.form.get("because"), since=visit.lately
        ),
        then="/",
        note=lambda rows: _logged_note(rows, visit.quoted(question), meanwhile),
        again=lambda faults: today(visit, faults=faults, wrong=question),
    )


def _logged_note(rows: list[dict[str, Any]], on: str, meanwhile: "BriefForecast | None") -> str:
    text = logged(rows, on)
    if meanwhile is not None:
        there = words.exact(meanwhile.value.probability)
        text += f" Meanwhile {there} had been logged elsewhere, as entry {meanwhile.seq}: kept too."
    return text


def resolve(visit: Visit) -> Response:
    """Record an outcome from where the question stands."""
    question = visit.form.get("question")
    outcome, source = visit.form.get("outcome"), visit.form.get("source")
    sure = visit.form.get("sure") == "1"
    return visit.write(
        lambda book: book.resolve(question, outcome, source=source, sure=sure),
        then="/",
        note=lambda rows: f"Recorded {outcome} for {visit.quoted(question)}.",
        undo=lambda rows: (f"/q/{quote(question, safe='@')}/settle", {"act": "reopen"}),
        again=lambda faults: today(visit, faults=faults, wrong=question),
    )


def help_page(visit: Visit) -> Response:
    """Show the keys."""
    return visit.page("help.html.j2")


ROUTES = [get("/", today), post("/log", log), post("/resolve", resolve), get("/help", help_page)]
