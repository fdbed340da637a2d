"""World: processes and links as a graph, what is watched, what-if, stories, worldviews."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from forecasting.review import words
from forecasting.review.graph import world_graph
from forecasting.web.compute import Figures, address, figures
from forecasting.web.faults import Fault
from forecasting.web.routes import get, post
from forecasting.web.visit import Visit

#: A watch that ended longer ago than this is no watch.
FRESH = dt.timedelta(days=7)
#: Rows of what is worth knowing, and of questions that move, before the rest unfolds.
MOST = 10
#: Letters of a title within a story, which names it with each of its moves.
LONG = 70

#: A worldview as its file has it, with a process and a text that stand for any.
EXAMPLE = """\
schema: 1
id: "001"
text: "001"
title: The road stays closed
thesis: >-
  The guards gain from a closed road, so no talk about it will come to anything this year.
priors:
  - process: talks
    move: resting > under-way
    times: 0.5
    reason: The text doubts that they meet at all.
    sentences: [3, 7]
"""


def world(visit: Visit, *, faults: tuple[Fault, ...] = ()) -> Response:
    """Show the processes and links as they stand, and the last simulation."""
    page = visit.kept(("world", f"{visit.now:%Y-%m-%dT%H}"), visit.book.world_page)
    titles = visit.kept("titles", lambda: _titles(visit))
    simulation = None
    if page.processes and titles["open"]:
        simulation = _simulation(visit, titles["open"], "world")
    return visit.page(
        "world.html.j2",
        page=page,
        graph=world_graph(page),
        titles=titles["title"],
        story_of=lambda text: _story(text, page.processes),
        figures=simulation,
        here=address(visit),
        again=address(visit, again="1"),
        stale={
            row.name
            for row in page.processes
            if not row.is_over and (row.watched is None or visit.now - row.watched > FRESH)
        },
        most=MOST,
        faults=faults,
    )


def _simulation(visit: Visit, asked: Sequence[Mapping[str, Any]], call: str, *args: Any) -> Figures:
    """Give figures of a simulation, anew where an update or other open questions came since."""
    known = visit.house.desk.latest(call, *args)
    old = known is None or known.state != "done"
    if known is not None and not old:
        others = known.result["asked"] != sorted(row["question"] for row in asked)
        old = others or known.head < visit.book.model_spoke()
    return figures(visit, call, *args, renew=old, again=_again(visit))


def _story(text: str, processes: Sequence[Any]) -> str:
    """Tell a story by the titles of its processes: “Talks: under way in March 2027”."""
    called: dict[str, str] = {row.name: row.title or row.name for row in processes}

    def titled(match: "re.Match[str]") -> str:
        name, state = match[1], match[2] or ""
        if name not in called:
            return str(match[0])
        title, entered = words.short(called[name], LONG), state[1:].replace("-", " ")
        if called[name].endswith("?"):
            return f"“{title}”: {entered or 'it happens'}"
        return f"{title}: {entered}" if entered else title

    return re.sub(r"(?<![\w-])([a-z0-9][\w-]*)(=[\w-]+)?(?= in [A-Z])", titled, text)


def _again(visit: Visit) -> bool:
    return visit.query.get("again") == "1"


def _titles(visit: Visit) -> dict[str, Any]:
    """Give titles by name, and what each open question may be answered with."""
    rows = visit.book.open_outcomes()
    return {"title": {row["question"]: row["title"] for row in rows}, "open": rows}


def watch(visit: Visit) -> Response:
    """Record that the visitor looked, and nothing more had happened."""
    names = visit.form.all("process")
    every = visit.form.get("all") == "1"
    return visit.write(
        lambda book: book.watch(*names, every=every, because=visit.form.get("because")),
        then="/world",
        note=lambda rows: (
            f"Recorded for {words.plural(len(rows), 'process', 'processes')}: you looked, and "
            "nothing more had happened. Update the model to let it count."
        ),
        again=lambda faults: world(visit, faults=faults),
    )


def what_if(visit: Visit) -> Response:
    """Show how every question would stand once something is seen or brought about."""
    titles = visit.kept("titles", lambda: _titles(visit))
    page = visit.kept(("world", f"{visit.now:%Y-%m-%dT%H}"), visit.book.world_page)
    asked = [(name, value) for name, value in visit.query.fields if name.startswith("if[")]
    conditions = [f"{name[3:].removesuffix(']')}={value}" for name, value in asked]
    conditions += visit.query.all("also")
    do = visit.query.get("how") == "do"
    simulation = None
    if conditions and titles["open"]:
        seen, acts = ((), tuple(conditions)) if do else (tuple(conditions), ())
        simulation = _simulation(visit, titles["open"], "what-if", seen, acts)
    result = simulation.result if simulation is not None and simulation.result else {}
    return visit.page(
        "what_if.html.j2",
        page=page,
        questions=titles["open"],
        titles=titles["title"],
        states=visit.kept("states", visit.book.process_states),
        also=visit.query.all("also"),
        do=do,
        conditions=conditions,
        figures=simulation,
        rows=result.get("rows", ()),
        unmoved=result.get("unmoved", ""),
        here=address(visit),
        again=address(visit, again="1"),
        most=MOST,
    )


def views(visit: Visit) -> Response:
    """Show the worldviews: their weights, their records, and what each says beside the model."""
    weights = figures(visit, "views", again=_again(visit))
    return visit.page(
        "views.html.j2",
        figures=weights,
        here=address(visit),
        again=address(visit, again="1"),
        example=EXAMPLE,
    )


ROUTES = [
    get("/world", world),
    post("/world/watch", watch),
    get("/world/what-if", what_if),
    get("/world/views", views),
]
