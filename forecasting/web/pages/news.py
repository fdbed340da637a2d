"""News: an inbox ranked by likeness, an item coded with one key, its effect before it is saved."""

import datetime as dt
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote

from starlette.responses import Response

from forecasting.domain.evidence import CODES, coded
from forecasting.domain.reading import Manner, moment
from forecasting.errors import InvalidInput
from forecasting.review import words
from forecasting.web.bodies import Sent
from forecasting.web.compute import Figures, address, figures
from forecasting.web.faults import Fault, fault_of
from forecasting.web.routes import UPLOAD, get, post
from forecasting.web.view import capitalize_first
from forecasting.web.visit import Visit

#: Items of a page, and the days of what is recent.
MOST, RECENT = 25, dt.timedelta(days=60)
#: The reason that a retraction of an item without weight is recorded with.
SET_ASIDE = "set aside: bears on nothing that is open"
#: Feeds that a browser remembers.
COOKIE, FEEDS = "forecast-feeds", 12
#: How long a report counts: value, words, key.
FADES = (
    ("10d", "half gone in 10 days", "s"),
    ("30d", "half gone in 30 days", "d"),
    ("90d", "half gone in 90 days", "f"),
    ("lasting", "lasting", "t"),
)
#: Each code with what it does to the hazard, and its key: the digit of what hastens, and for what
#: slows the letter below that digit.
BUTTONS = tuple(
    zip(CODES, ("a quarter", "half", "says nothing", "twice", "four times"), "wq012", strict=True)
)


def inbox(visit: Visit, *, faults: tuple[Fault, ...] = (), wrong: str = "") -> Response:
    """Show what waits for a code, the stories, and what is coded."""
    rows = _waiting(visit)
    recent = [row for row in rows if visit.now - row["known_at"] <= RECENT]
    everything = visit.query.get("all") == "1" or not recent
    chosen = rows if everything else recent
    page = max(1, int(visit.query.get("page") or 1)) if visit.query.get("page").isdecimal() else 1
    shown = chosen[: page * MOST]
    return visit.page(
        "news.html.j2",
        items=shown,
        more=len(chosen) - len(shown),
        page=page,
        waiting=len(rows),
        recent=len(recent),
        all=everything,
        stories=visit.kept(("stories", f"{visit.now:%Y-%m-%dT%H}"), visit.book.news_stories),
        coded=visit.kept(("coded", f"{visit.now:%Y-%m-%dT%H}"), visit.book.coded_news),
        feeds=_feeds(visit),
        wrong=wrong,
        faults=faults,
    )


def item(
    visit: Visit, *, name: str = "", faults: tuple[Fault, ...] = (), wrong: str = ""
) -> Response:
    """Show one item: what it does, or what each code would do."""
    name = name or visit.path["name"]
    key = ("item", name, f"{visit.now:%Y-%m-%dT%H}")
    entry = visit.kept(key, lambda: visit.book.news_item(name))
    fade = visit.form.get("half_life") or visit.query.get("half_life") or "30d"
    # A question and the process of its own bear one title: a code on either is the same code.
    asked = {target.title for target in entry["likely"] if target.kind == "question"}
    likely = [t for t in entry["likely"] if t.kind == "question" or t.title not in asked]
    chosen = _chosen_target(visit, likely, entry["targets"])
    entry = entry | {"likely": likely}
    effects = Figures()
    asks = entry["state"] == "standing" and not entry["coded"] and chosen and not faults
    if asks and visit.may_write:
        known = {target.name for target in entry["targets"]}
        if chosen in known and fade in {value for value, _, _ in FADES}:
            effects = figures(visit, "news", str(entry["seq"]), chosen, fade, patience=0.4)
            effects = _widest_first(effects)
    return visit.page(
        "news_item.html.j2",
        item=entry,
        chosen=chosen,
        fade=fade,
        fades=FADES,
        codes=BUTTONS,
        codes_by_name={code: f"{words.times(code)}, {text}" for code, text, _ in BUTTONS},
        figures=effects if effects.result or effects.work else None,
        here=address(visit),
        left=0 if entry["coded"] else len(_waiting(visit)),
        wrong=wrong,
        faults=faults,
    )


def _chosen_target(visit: Visit, likely: list[Any], targets: list[Any]) -> str:
    """Give the target that a page comes with: what was asked for (or its tick), else the first."""
    if "target" in visit.form or "other" in visit.form:
        return visit.form.get("target") or visit.form.get("other")
    name = visit.query.get("target")
    if not name:
        return likely[0].name if likely else ""
    title = next((each.title for each in targets if each.name == name), None)
    return next((each.name for each in likely if each.title == title), name)


def _target(form: Sent) -> str:
    """Give the one target of a form: the choice, else the tick (`was` from the start)."""
    ticked, other = form.get("target"), form.get("other")
    if not (ticked and other) or ticked == other:
        return ticked or other
    if ticked == form.get("was"):
        return other
    # A page that came with a choice still has it when a tick is made.
    if other == form.get("was"):
        return ticked
    msg = "target: two things are named; tick one, or choose “Something else” and leave no tick"
    raise InvalidInput(msg)


def _waiting(visit: Visit) -> list[dict[str, Any]]:
    """Give the items that wait for a code."""
    rows: list[dict[str, Any]] = visit.kept(("inbox", f"{visit.now:%Y-%m-%d}"), visit.book.inbox)
    return rows


def _widest_first(effects: Figures) -> Figures:
    """Order the rows by how far a code moves them."""
    if not effects.result:
        return effects
    rows = [row | {"widest": _widest(row)} for row in effects.result["rows"]]
    rows.sort(key=lambda row: -row["widest"])
    return replace(effects, result=effects.result | {"rows": rows})


def _widest(row: dict[str, Any]) -> float:
    if row["before"] is None:
        return 1.0
    gaps = [abs(after - row["before"]) for after in row["after"].values() if after is not None]
    # A number has no percentage points: the gap is relative to it.
    scale = 1.0 if row["type"] != "numeric" else 1.0 / max(abs(row["before"]), 1e-9)
    return max(gaps, default=0.0) * scale


def look(visit: Visit) -> Response:
    """Go to the page that shows the effect of another choice; nothing is written."""
    name, fade = visit.form.get("item"), visit.form.get("half_life") or "30d"
    try:
        target = _target(visit.form)
    except InvalidInput as refused:
        return item(visit, name=name, faults=(fault_of(refused, visit.zone),), wrong="code")
    return visit.to(f"/news/{name}" if name.isdecimal() else "/news", target=target, half_life=fade)


def code(visit: Visit) -> Response:
    """Save a code, and go on to the next item."""
    name = visit.form.get("item")
    choice = visit.form.get("code")
    fade = visit.form.get("half_life") or "30d"

    def call(book: Any) -> dict[str, Any]:
        target = _target(visit.form)
        on = [coded(target, choice)] if target and choice in CODES else []
        row: dict[str, Any] = book.code_news(name, on, half_life=fade)
        return row | {"target": target}

    return visit.write(
        call,
        then=lambda row: _next(visit),
        note=lambda row: _note(
            visit, f"Coded {choice.replace('-', '−')} on {visit.quoted(row['target'])}", row
        ),
        undo=_back,
        again=lambda faults: item(visit, name=name, faults=faults, wrong="code"),
    )


def _back(row: dict[str, Any]) -> tuple[str, dict[str, str]]:
    return "/news/uncode", {"item": str(row["seq"])}


def uncode(visit: Visit) -> Response:
    """Take a code back, and show the item to be coded again."""
    name = visit.form.get("item")
    return visit.write(
        lambda book: book.uncode_news(name),
        then=lambda row: f"/news/{row['seq']}",
        note=lambda row: f"Undone: it waits for its code again, as entry {row['seq']}.",
        again=lambda faults: inbox(visit, faults=faults),
    )


def _next(visit: Visit) -> str:
    """Give the page of the next item that waits, or of all."""
    rows = visit.book.inbox()
    recent = [row for row in rows if visit.now - row["known_at"] <= RECENT] or rows
    return f"/news/{recent[0]['seq']}" if recent else "/news"


def _note(visit: Visit, words: str, row: dict[str, Any]) -> str:
    parts = [f"{words}, as entry {row['seq']}."]
    parts += [f"{capitalize_first(visit.by_title(note))}." for note in row["notes"]]
    parts += [
        f"It decides {visit.quoted(each['question'])}: record {each['outcome']} on its page if so."
        for each in row["resolves"]
    ]
    return " ".join(parts)


def fact(visit: Visit) -> Response:
    """Record that something happened."""
    name, stated = visit.form.get("item"), visit.form.get("fact")
    if stated.endswith("="):
        stated += visit.form.get("amount")

    def note(row: dict[str, Any]) -> str:
        of, _, what = stated.partition("=")
        happened = "it happened" if what == "event" else what
        return _note(visit, f"Recorded: {visit.titled(of)}: {happened}", row)

    return visit.write(
        lambda book: book.code_news(
            name, [stated], confirmed="confirmed" in visit.form, event_at=_at(visit, "event_at")
        ),
        then=lambda row: _next(visit),
        note=note,
        undo=_back,
        again=lambda faults: item(visit, name=name, faults=faults, wrong="fact"),
    )


def _at(visit: Visit, name: str) -> dt.datetime | None:
    """Read a moment as it was typed, in the visitor's zone; a day is the midnight that ends it."""
    typed = visit.form.get(name)
    if not typed:
        return None
    manner = Manner(now=visit.now)
    return moment(typed, name=name, days="ends", zone=visit.zone, local=True, manner=manner)


def join(visit: Visit) -> Response:
    """Put an item into the story of another; what it does stays as it is."""
    name, story = visit.form.get("item"), visit.form.get("story")
    return visit.write(
        lambda book: book.join_story(name, story),
        then=lambda row: f"/news/{row['seq']}",
        note=lambda row: "The two are one story now: copies count for less than a second witness.",
        again=lambda faults: item(visit, name=name, faults=faults, wrong="join"),
    )


def aside(visit: Visit) -> Response:
    """Set an item aside that bears on nothing; that is a retraction with its reason."""
    name = visit.form.get("item")
    back = "/news?all=1" if visit.form.get("from") == "all" else "/news"
    from_list = "from" in visit.form
    return visit.write(
        lambda book: book.retract_news(name, because=SET_ASIDE),
        then=lambda row: back if from_list else _next(visit),
        note=lambda row: f"Set aside: {row['title'].removeprefix('Retracted: ')}.",
        again=lambda faults: inbox(visit, faults=faults),
    )


def retract(visit: Visit) -> Response:
    """Take a coded item back."""
    name = visit.form.get("item")
    return visit.write(
        lambda book: book.retract_news(name, because=visit.form.get("because")),
        then=lambda row: f"/news/{row['retracts']}" if row["retracts"] is not None else "/news",
        note=lambda row: (
            f"Taken back, as entry {row['seq']}; the model moves with its next update."
        ),
        again=lambda faults: item(visit, name=name, faults=faults, wrong="retract"),
    )


def blank(visit: Visit, *, faults: tuple[Fault, ...] = ()) -> Response:
    """Show the form of a new item."""
    named = visit.kept("news sources", lambda: [row["source"] for row in visit.book.sources()])
    local = words.Days(visit.zone).local(visit.now)
    return visit.page(
        "news_new.html.j2",
        sources=named[:200],
        known_since=f"{local:%Y-%m-%d %H:%M}",
        faults=faults,
    )


def write_down(visit: Visit) -> Response:
    """Record a new item, and go to its page to code it."""
    form = visit.form
    return visit.write(
        lambda book: book.add_news(
            form.get("title"),
            source=form.get("source"),
            known_at=_at(visit, "known_at") or visit.now,
            event_at=_at(visit, "event_at"),
            url=form.get("url"),
            grade=form.get("grade") or "F",
            because=form.get("because"),
        ),
        then=lambda row: f"/news/{row['seq']}",
        note=lambda row: f"Written down, as entry {row['seq']}.",
        again=lambda faults: blank(visit, faults=faults),
    )


def bring(visit: Visit) -> Response:
    """Bring in a file of news."""
    upload = visit.form.files.get("file")

    def call(book: Any) -> dict[str, Any]:
        if upload is None:
            raise InvalidInput("file: choose one")
        return _import_items(visit, book, upload.content, upload.name)

    return visit.write(
        call,
        then="/news",
        note=_import_note,
        again=lambda faults: inbox(visit, faults=faults, wrong="file"),
    )


def fetch(visit: Visit) -> Response:
    """Fetch a feed: the one page that reaches beyond this machine, when its button is pressed."""
    feed = visit.form.get("address")

    def call(book: Any) -> dict[str, Any]:
        if not feed:
            raise InvalidInput("address: must be given", hint="https://example.org/feed.xml")
        return _import_items(visit, book, book.fetched(feed), feed)

    response = visit.write(
        call,
        then="/news",
        note=_import_note,
        again=lambda faults: inbox(visit, faults=faults, wrong="feed"),
    )
    if response.status_code == 303 and feed:
        feeds = list(dict.fromkeys([feed, *_feeds(visit)]))[:FEEDS]
        visit.keep(response, COOKIE, "+".join(quote(each, safe="") for each in feeds))
    return response


def _feeds(visit: Visit) -> list[str]:
    addresses = [unquote(each) for each in visit.cookies.get(COOKIE, "").split("+")]
    return [each for each in addresses if each.startswith(("https://", "http://"))][:FEEDS]


def _import_items(visit: Visit, book: Any, content: bytes, name: str) -> dict[str, Any]:
    result: dict[str, Any] = book.import_news(
        content,
        name=name[:200],
        source=visit.form.get("source"),
        grade=visit.form.get("grade") or "F",
        zone=visit.zone,
    )
    return result


def _import_note(result: dict[str, Any]) -> str:
    """Write the note on an imported file, with the first rows that were refused."""
    text = f"{words.plural(result['added'], 'item')} added of {result['rows']}"
    if result["duplicates"]:
        text += f", {result['duplicates']} known already"
    refused = result["refused"]
    if refused:
        first = "; ".join(f"line {row['line']}: {row['reason']}" for row in refused[:3])
        text += f", {len(refused)} refused ({first}{'; …' if len(refused) > 3 else ''})"
    return f"{text}."


ROUTES = [
    get("/news", inbox),
    get("/news/new", blank),
    post("/news/new", write_down),
    post("/news/file", bring, most=UPLOAD),
    post("/news/feed", fetch),
    post("/news/look", look),
    post("/news/code", code),
    post("/news/uncode", uncode),
    post("/news/fact", fact),
    post("/news/join", join),
    post("/news/aside", aside),
    post("/news/retract", retract),
    get("/news/{name}", item),
]
