"""The list of questions, whose filters live in the address; and asking one."""

import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import Response

from forecasting.domain.reading import probability
from forecasting.errors import InvalidInput
from forecasting.review import words
from forecasting.review.listing import SORTS, STATUSES, Wanted
from forecasting.review.plot import sparkline
from forecasting.web.bodies import Sent
from forecasting.web.faults import Fault, fault_of
from forecasting.web.pages.question import CERTAIN, plain
from forecasting.web.routes import get, post
from forecasting.web.typed import percent_typed
from forecasting.web.visit import Visit

if TYPE_CHECKING:
    from forecasting.app.page import QuestionPage

KEYS = ("status", "tag", "text", "process", "answered", "sort")


def questions(visit: Visit) -> Response:
    """List the questions that the address asks for."""
    filters = {key: visit.query.get(key)[:200] for key in KEYS if visit.query.get(key)}
    if filters.get("status") not in STATUSES:
        filters.pop("status", None)
    if filters.get("sort") not in SORTS:
        filters.pop("sort", None)
    if filters.get("answered") not in ("yes", "no"):
        filters.pop("answered", None)
    number = visit.query.get("page", "1")
    page = int(number) if number.isascii() and number.isdecimal() and len(number) < 7 else 1
    listed = visit.book.question_list(Wanted(**filters, page=page))

    def address(**changed: Any) -> str:
        new = {key: str(value) for key, value in (filters | changed).items() if value}
        return "/questions" + (f"?{urlencode(new)}" if new else "")

    return visit.page(
        "questions.html.j2",
        listed=listed,
        filters=filters,
        address=address,
        statuses=STATUSES,
        sorts=SORTS,
        sparkline=sparkline,
        first_of_ladder=_first_of_ladder(listed.rows),
        # Rungs stand together in the order of deadlines alone.
        sizes=Counter(
            row["ladder"] if filters.get("sort", "deadline") == "deadline" else ""
            for row in listed.rows
        ),
        hides=lambda row: visit.hides(row["id"]),
    )


def _first_of_ladder(rows: Any) -> dict[str, str]:
    """Give, by ladder, the id of its first row on the page: the name stands above it."""
    first_ids: dict[str, str] = {}
    for row in rows:
        if row["ladder"]:
            first_ids.setdefault(row["ladder"], row["id"])
    return first_ids


def ask(visit: Visit, *, faults: tuple[Fault, ...] = ()) -> Response:
    """Show the form that asks."""
    return visit.page("ask.html.j2", faults=faults)


#: Fields that a kind of question does not take, and what to do where they are filled.
NOT_TAKEN = {
    "p": "It takes a number for each {part}, on its page, once it is asked. Empty this one.",
    "because": "It goes with a number: say it on the page of the question. Empty this.",
    "by": "The days below stand in its place. Empty it, or name it there.",
}
PARTS = {"ladder": "day", "options": "option", "ordered": "option", "number": "chance"}


def _not_taken(form: Sent) -> tuple[Fault, ...]:
    """Give a fault for each field that is filled and that the kind of question does not take."""
    kind = form.get("kind", "yes-no")
    left = {"p", "because"} if kind in PARTS else set() if form.get("p") else {"because"}
    left |= {"by"} if kind == "ladder" else set()
    part = PARTS.get(kind, "")
    return tuple(
        Fault(name, words.format(part=part))
        for name, words in NOT_TAKEN.items()
        if name in left and form.get(name)
    )


#: The field at which a fault of the number stands, for each kind without a number's field.
OWN = {"ladder": "ladder", "options": "options", "ordered": "options", "number": "span"}


def _at_their_fields(form: Sent, faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """Put a fault of the days, the options or the range beside their field."""
    kind = form.get("kind", "yes-no")
    mine = OWN.get(kind, "p")
    of = {"p": mine} | ({"by": mine, "question": mine} if kind == "ladder" else {})
    placed = tuple(Fault(of.get(fault.field, fault.field), fault.words) for fault in faults)
    return placed + (_number_faults(form) if all(each.field != mine for each in placed) else ())


def _number_faults(form: Sent) -> tuple[Fault, ...]:
    """Give the fault of the number where another field has one: both are mended at once."""
    try:
        if form.get("p"):
            probability(percent_typed(form.get("p")))
    except InvalidInput as refused:
        return (fault_of(refused),)
    return ()


def asked(visit: Visit) -> Response:
    """Ask a question and log the number with it, or neither."""
    form = visit.form
    if left := _not_taken(form):
        return ask(visit, faults=left)

    def call(book: Any) -> dict[str, Any]:
        question: dict[str, Any] = book.ask(form.get("title"), **_question_fields(form))
        return question

    def note(question: dict[str, Any]) -> str:
        page: QuestionPage = visit.book.question_page(question["id"])
        rung, zone = page.chosen, page.question.zone
        number = " with your number" if question["forecasts"] else ""
        text = f"Asked{number}: {visit.quoted(question['id'])}. "
        last = words.Days(zone).end(question["closes"]).replace("end of", "at the end of")
        if page.is_ladder:
            days = words.plural(len(question["questions"]), "day")
            text += f"Its {days} end with {words.day_names(page.rungs[-1].day)}, in {zone}."
        else:
            text += f"It closes {last}, in {zone}."
        if any(row["forecast"] in (0, 1) for row in question["forecasts"]):
            text += f" {CERTAIN}"
        hidden = visit.preferences.hide and rung.mine is None
        if rung.model is None or hidden:
            return text
        of = f" of {words.day_names(rung.day)}" if page.is_ladder else ""
        return f"{text} The model says{of} {plain(rung.model, page.question.space.unit)} so far."

    return visit.write(
        call,
        then=lambda question: f"/q/{question['id']}",
        note=note,
        again=lambda faults: ask(visit, faults=_at_their_fields(form, faults)),
    )


def _question_fields(form: Sent) -> dict[str, Any]:
    """Read the form as `Book.ask` takes it."""
    kind = form.get("kind", "yes-no")
    fields: dict[str, Any] = {
        "because": form.get("because"),
        "tags": _list_parts(form.get("tags")),
        "criteria": form.get("criteria"),
        "background": form.get("background"),
        "base": form.get("base"),
        "answer": form.get("answer"),
        "condition": form.get("condition"),
        "slug": form.get("slug"),
        "opens": form.get("opens"),
        "resolves_by": form.get("resolves_by"),
    }
    if kind == "ladder":
        return fields | {"ladder": _list_parts(form.get("ladder"))}
    fields["by"] = form.get("by")
    if kind in ("options", "ordered"):
        fields[kind] = _list_parts(form.get("options"))
    elif kind == "number":
        fields["span"] = f"{form.get('low')}..{form.get('high')}"
        fields["unit"] = form.get("unit")
    elif form.get("p"):
        fields["forecast"] = percent_typed(form.get("p"))
    return fields


def _list_parts(text: str) -> list[str]:
    """Give the parts of a list as typed: apart by lines or semicolons, or where none is by commas.

    >>> _list_parts("Egypt, Qatar"), _list_parts("Egypt; Qatar, or both")
    (['Egypt', 'Qatar'], ['Egypt', 'Qatar, or both'])
    """
    apart = r"[;\n]" if re.search(r"[;\n]", text.strip()) else ","
    return [part.strip() for part in re.split(apart, text) if part.strip()]


ROUTES = [get("/questions", questions), get("/ask", ask), post("/ask", asked)]
