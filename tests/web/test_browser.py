"""Every page in a real browser: wide and narrow, light and dark, with a script and without."""

import datetime as dt
import re
import shutil
from itertools import product
from pathlib import Path

import pytest

from forecasting import clock
from forecasting.app.book import Book
from forecasting.domain.forecast import Forecast, binary_value, options_value
from forecasting.review.words import day_names
from forecasting.web import pages
from tests.web.conftest import Server

#: Addresses of the routes whose path names something, and more of others.
ADDRESSES = {
    "/ledger": ("/ledger", "/ledger?before=300"),
    "/news": ("/news", "/news?all=1"),
    "/news/{name}": ("/news/truce-minsk1-start",),
    "/q/{name}": (
        "/q/armenia-eu-referendum-2027",
        "/q/guarantees-2026",
        "/q/general-ceasefire-2026",
        "/q/general-ceasefire-2025@2025-12-31",
        "/q/how-many-cross-the-border",
    ),
    "/q/{name}/why": ("/q/armenia-eu-referendum-2027/why",),
    "/questions": ("/questions", "/questions?status=open&text=russia&sort=difference"),
    "/review": ("/review", "/review?who=model&kind=replay", "/review?who=ana&kind=imported"),
    "/world/what-if": (
        "/world/what-if",
        "/world/what-if?if%5Barmenia-eu-referendum-2027%5D=yes&how=see",
    ),
}
#: Routes whose answer is a part, a file, or another page.
NO_PAGES = {
    *("/enter", "/login", "/ledger/anchor", "/ledger/export/{format}"),
    *("/updated", "/jobs/{key}", "/ledger/preview", "/ledger/brought"),
}
#: A track record with a row that is refused, and an outcome.
RECORD = """\
question,forecast,issued_at,closes,outcome
q1,0.3,2025-01-01,2025-03-01,
q1,much,2025-01-02,,
q2,0.3,2025-01-01,2025-03-01,no
"""
#: An item of news that waits for its code, and one that has it.
TALK = "Envoys of both sides talk of a general ceasefire before the "
WAITS = f"{TALK}end of the year"
ACTS = "A venue for a general ceasefire is agreed"
#: What a page may weigh, without its charts' data.
MOST_BYTES = 150_000
#: The routes that show a page, and every address that is walked.
SHOWN = {route.path for route in pages.routes() if route.method == "GET"} - NO_PAGES
WALKED = [each for path in sorted(SHOWN) for each in ADDRESSES.get(path, (path,))]
AXE = Path(__file__).parent / "axe" / "axe.min.js"
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation",
  event => window.violations.push(event.violatedDirective + " " + event.blockedURI));
"""
NARROW = """
[...document.querySelectorAll(".item > .about")].filter(each => each.offsetWidth < 120)
  .concat([...document.querySelectorAll(".stack tbody > tr")]
    .filter(each => each.offsetWidth < .9 * each.parentElement.offsetWidth))
  .concat([...document.querySelectorAll(".pair > small:first-child")]
    .filter(each => each.offsetHeight > 24))
  .filter(each => each.offsetParent).map(each => each.innerText.slice(0, 40))
"""


#: Nobody else may log in the name of the model.
MODEL = {
    "armenia-eu-referendum-2027": "0.17",
    "guarantees-2026": {"none": "0.2", "soft": "0.7", "firm": "0.1"},
    "general-ceasefire-2026@2026-12-31": "0.12",
}


@pytest.fixture(scope="module")
def filled(example, tmp_path_factory):
    """The example with numbers of several people, a question of every type, and hostile words."""
    path = Path(shutil.copy(example, tmp_path_factory.mktemp("browser") / "filled.db"))
    with Book.plain(str(path), forecaster="ana") as book:
        book.ask(
            "How many cross the border?", {"5": 100, "50": 400, "95": 1200},
            by="2031-01-31", span="0..5000", unit="people", because="<script>alert(1)</script> few",
        )  # fmt: skip
        for who, p in (("ana", 0.2), ("ben", 0.35), ("cleo", 0.1)):
            for day, more in (("2026-09-01", 0.0), ("2026-10-12", 0.1), ("2026-11-02", 0.05)):
                book.log(
                    "armenia-eu-referendum-2027", p + more, at=f"{day}T12:00Z",
                    forecaster=who, because=f"<b>{who}</b> thinks so <img src=x onerror=alert(1)>",
                )  # fmt: skip
            shares = {"none": 0.2, "soft": 0.7, "firm": 0.1}
            book.log("guarantees-2026", shares, forecaster=who)
            book.log("general-ceasefire-2026@2026-12-31", p, forecaster=who)
        asked = {question.id: question for question in book.ledger.questions()}
        for name, p in MODEL.items():
            now, space = clock.now(), asked[name].space
            value = binary_value(p) if isinstance(p, str) else options_value(space, p)
            forecast = Forecast(name, asked[name].wording_hash, "model", value, now, "live")
            book.ledger.append([forecast], recorded_at=now)
        for title, on in ((WAITS, {}), (ACTS, {"ceasefire=accepted": "+1"})):
            since = clock.now() - dt.timedelta(hours=3)
            book.add_news(title, source="wire", grade="B", known_at=since, on=on)
    return path


@pytest.fixture(scope="module")
def walked(filled, site, chrome, seat):
    """Every address, with those of items of news and of a file that is brought in."""
    with Book.plain(str(filled), forecaster="ana") as book:
        seqs = [row["seq"] for row in book.coded_news() if row["title"] == ACTS]
        seqs += [row["seq"] for row in book.inbox() if row["title"] == WAITS]
    assert len(seqs) == 2
    with chrome.new_context(storage_state=seat) as context:
        page = context.new_page()
        page.goto(f"{site.origin}/ledger")
        file = {"name": "mine.csv", "mimeType": "text/csv", "buffer": RECORD.encode()}
        page.get_by_label("A file, up to").set_input_files(file)
        addresses = []
        for button in ("Preview", "Bring it in"):
            page.get_by_role("button", name=button).click()
            page.locator("h1", has_text="mine.csv").wait_for()
            page.locator("progress").wait_for(state="detached", timeout=120_000)
            addresses.append(page.url.removeprefix(site.origin))
    return [*WALKED, *addresses, *(f"/news/{seq}" for seq in seqs)]


@pytest.fixture(scope="module")
def site(filled):
    started = Server(filled)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def seat(chrome, site):
    """The session of a browser that came in by the printed address."""
    context = chrome.new_context()
    page = context.new_page()
    page.goto(site.address)
    page.wait_for_url(site.origin + "/")
    state = context.storage_state()
    context.close()
    return state


def test_every_page_has_an_address_here():
    assert [address for address in WALKED if "{" in address] == []
    assert set(ADDRESSES) <= SHOWN


def _walk(context, origin, addresses, width, axe):
    """Open every page; give what is wrong with it."""
    wrong = []
    page = context.new_page()
    page.add_init_script(WATCH)
    page.on("console", lambda message: wrong.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for address in addresses:
        answer = page.goto(origin + address)
        if answer.status != 200:
            wrong.append(f"{address}: {answer.status}")
        # The page looks again by itself until its figures are there.
        page.locator(".working").wait_for(state="detached", timeout=300_000)
        size = len(re.sub(r"<svg.*?</svg>", "", page.content(), flags=re.DOTALL))
        if size > MOST_BYTES:
            wrong.append(f"{address}: {size} bytes")
        across = page.evaluate("document.documentElement.scrollWidth")
        if across > width:
            wrong.append(f"{address}: {across} wide")
        # A title or a row that is pressed to nothing is no wider than the page either.
        narrow = page.evaluate(NARROW)
        wrong += [f"{address}: {each} has too little width" for each in narrow]
        violations = page.evaluate("window.violations || []")
        wrong += [f"{address}: policy {each}" for each in violations]
        if axe:
            page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            page.evaluate(axe)
            wrong += [
                (address, each["id"], each["nodes"][0]["html"][:160])
                for each in page.evaluate("axe.run().then(found => found.violations)")
                if each["impact"] in ("serious", "critical")
            ]
    page.close()
    return wrong + [f"asked {url}" for url in asked if not url.startswith((origin, "data:"))]


def matrix(names, *ordinary):
    """Give every combination; those that `ordinary` lacks are for the deep run."""
    values = {"width": (1280, 390), "scheme": ("light", "dark"), "script": ("script", "plain")}
    asked = [name.strip() for name in names.split(",")]
    every = product(*(values[name] for name in asked))
    deep = pytest.mark.deep
    return pytest.mark.parametrize(
        names, [pytest.param(*each, marks=() if each in ordinary else deep) for each in every]
    )


@matrix(
    "width, scheme, script",
    # Each page in each width, and in each colour read aloud; without a script, where it is narrow.
    *((1280, "light", "script"), (390, "dark", "script"), (390, "light", "plain")),
)
def test_everybody_can_use_every_page(chrome, site, seat, walked, width, scheme, script):
    context = chrome.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        java_script_enabled=script == "script",
        storage_state=seat,
    )
    # What is read aloud, and what colours it has, a script changes no more.
    axe = AXE.read_text("utf-8") if script == "script" else ""
    assert _walk(context, site.origin, walked, width, axe) == []
    context.close()


def note_of(page, words):
    """Wait until the page says that something was done; give what it says."""
    note = page.locator(".note.done", has_text=words)
    note.wait_for()
    return str(note.inner_text())


@pytest.fixture
def enter(chrome, site, seat):
    """Give a page of a browser that is in, of a width, with a script or without.

    All of them are visitors of one app, so none counts on what another left alone.
    """
    contexts = []

    def visit(width=1280, *, script=True):
        view = {"width": width, "height": 900}
        contexts.append(
            chrome.new_context(viewport=view, java_script_enabled=script, storage_state=seat)
        )
        page = contexts[-1].new_page()
        page.goto(site.origin + "/")
        return page

    yield visit
    for context in contexts:
        context.close()


def test_a_number_is_logged_in_two_clicks(enter):
    page = enter()
    form = page.locator('form[action="/log"]').first
    box = form.locator("[data-slide]").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 2)
    assert 20 <= int(form.locator("[data-number]").input_value()) <= 40
    form.get_by_role("button", name="Log").click()
    note_of(page, "Logged")


def test_keys_move_and_log(enter):
    page = enter()
    due = page.locator('form[action="/resolve"]').count()
    for _ in range(due + 1):
        page.keyboard.press("j")
    page.keyboard.press("l")
    page.keyboard.type("42")
    page.keyboard.press("Enter")
    note_of(page, "Logged 42")
    page.keyboard.press("/")
    page.keyboard.type("ceasefire")
    page.keyboard.press("Enter")
    page.wait_for_url("**/questions?text=ceasefire")
    page.keyboard.press("?")
    page.wait_for_url("**/help")


@matrix("width, script", (1280, "plain"), (390, "script"))
def test_somebody_asks_logs_and_resolves(enter, width, script):
    """The life of a question, by clicks and typing alone."""
    page = enter(width, script=script == "script")
    for what in ("ferry sail", "bridge open", "pass be clear"):
        title = f"Will the {what} on day {width} of the {script}?"
        page.get_by_role("link", name="Ask", exact=True).click()
        page.get_by_label("The question").fill(title)
        page.get_by_label("Your number, in percent").or_(
            page.get_by_label("Your probability, in percent")
        ).fill("30")
        page.get_by_label("By the end of").fill("2031-01-31")
        page.get_by_role("button", name="Ask").click()
        page.locator("h1", has_text=title).wait_for()
        note_of(page, "Asked")
        assert "/q/" in page.url
        here = page.locator("nav [aria-current=page]").first
        assert here.inner_text() == "Questions"
    page.get_by_label("Your probability, in percent").fill("lots")
    page.get_by_role("button", name="Log", exact=True).click()
    page.wait_for_selector(".fault")
    assert page.get_by_label("Your probability, in percent").input_value() == "lots"
    page.get_by_label("Your probability, in percent").fill("1:3")
    page.get_by_label("Why (kept with the number)").fill("Three of four ferries stayed.")
    page.get_by_role("button", name="Log", exact=True).click()
    note_of(page, "Logged")
    assert "25" in page.inner_text(".strip")
    assert "Three of four" in page.inner_text("#main")
    page.get_by_text("Record the outcome").click()
    page.get_by_label("The outcome").select_option("yes")
    page.get_by_label("Who says so: a link or a name").fill("the harbour master")
    page.get_by_role("button", name="Record it").click()
    note_of(page, "Recorded: yes")
    assert "yes" in page.inner_text(".status .badge")
    page.get_by_text("Correct it, contest it or take it back").click()
    page.get_by_label("Who says so: a link or a name").fill("a mistake")
    page.get_by_role("button", name="Take it back").click()
    note_of(page, "Taken back: the question")
    assert "open" in page.inner_text(".status .badge")


def test_the_curve_follows_what_is_typed(enter, site):
    page = enter()
    page.goto(site.origin + "/q/how-many-cross-the-border")
    before = page.locator("#curve path").first.get_attribute("d")
    page.get_by_label("95 %: hardly more").fill("4000")
    page.wait_for_function(
        "before => ![null, before].includes(document.querySelector('#curve .soft')"
        " && document.querySelector('#curve .soft').getAttribute('d'))",
        arg=page.locator("#curve .soft").get_attribute("d"),
    )
    assert before is not None
    # A curve is no place to come back to, and what a form hides stands in no address.
    assert page.url == site.origin + "/q/how-many-cross-the-border"


DAYS = ("2030-01-31", "2030-06-30", "2030-12-31")


@pytest.fixture
def ladder(enter, site, request):
    """The page of a ladder with three days, and its three number fields."""
    page = enter()
    page.goto(site.origin + "/ask")
    page.get_by_label("The question").fill(f"Will the strait open ({request.node.name})?")
    page.get_by_text("More than yes or no").click()
    page.get_by_label("yes or no, by several days").check()
    page.get_by_label("The days").fill(", ".join(DAYS))
    page.get_by_role("button", name="Ask").click()
    note_of(page, "Asked")
    return page, [page.get_by_label(f"by {day_names(day)}", exact=True) for day in DAYS]


def test_what_is_typed_into_a_ladder_is_what_is_logged(ladder):
    """Key by key: the first digit of a later number pulls no earlier one down."""
    page, rungs = ladder
    for rung, number in zip(rungs, ("30", "45", "60"), strict=True):
        rung.press_sequentially(number)
    assert [rung.input_value() for rung in rungs] == ["30", "45", "60"]
    page.keyboard.press("Enter")
    note = note_of(page, "Logged 30")
    assert re.match(r"Logged 30\s% by .*45\s% by .*60\s% by .* as entries", note)
    assert [rung.input_value() for rung in rungs] == ["30", "45", "60"]


def test_a_ladder_cannot_fall(ladder):
    page, rungs = ladder
    for rung, number in zip(rungs, ("10", "20", "30"), strict=True):
        rung.fill(number)
    rungs[0].fill("25")
    assert [rung.input_value() for rung in rungs] == ["25", "20", "30"]
    rungs[0].press("Tab")
    assert [rung.input_value() for rung in rungs] == ["25", "25", "30"]
    rungs[2].fill("4")
    rungs[2].press("Tab")
    assert [rung.input_value() for rung in rungs] == ["25", "25", "4"]
    page.get_by_role("button", name="Log", exact=True).click()
    page.wait_for_selector(".fault")
    rungs[2].fill("40")
    page.get_by_role("button", name="Log", exact=True).click()
    assert "as entries" in note_of(page, "Logged 25")


OPEN = "/q/armenia-eu-referendum-2027"


def test_of_a_number_and_a_word_the_last_one_counts(enter, site):
    page = enter()
    page.goto(site.origin + OPEN)
    number, word = page.get_by_label("Your probability, in percent"), page.locator("#word")
    word.select_option("unlikely")
    assert number.input_value() == "32.5"
    number.press_sequentially("9")
    assert word.input_value() == ""
    number.fill("90")
    number.press("Enter")
    note_of(page, "Logged")
    word.select_option("unlikely")
    page.get_by_role("button", name="Log", exact=True).click()
    page.locator("#log", has_text="32.5").wait_for()


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
def test_back_and_log_again_writes_once(enter, site, filled, script):
    page = enter(script=script)
    page.goto(site.origin + OPEN)
    number = page.get_by_label("Your probability, in percent")
    percent = "37" if script else "38"
    number.fill(percent)
    page.get_by_role("button", name="Log", exact=True).click()
    note_of(page, "Logged")
    head = _head(filled)
    page.go_back()
    page.goto(site.origin + OPEN) if OPEN not in page.url else None
    number.fill(percent)
    page.get_by_role("button", name="Log", exact=True).click()
    page.locator(".note", has_text="not written twice").wait_for()
    assert _head(filled) == head


def test_numbers_are_hidden_until_one_has_answered(enter, site):
    page = enter()
    page.goto(site.origin + "/settings")
    page.get_by_label("Hide the model's number").check()
    page.get_by_role("button", name="Keep").click()
    note_of(page, "Kept")
    page.goto(site.origin + "/q/power-change-kremlin")
    assert "hidden until you answer" in page.inner_text(".strip")
    page.get_by_label("Your probability, in percent").fill("12")
    page.get_by_role("button", name="Log", exact=True).click()
    note_of(page, "Logged")
    assert "hidden" not in page.inner_text(".strip")


def _head(filled):
    with Book.plain(str(filled)) as book:
        return book.head()


def _waiting(filled, title):
    with Book.plain(str(filled), forecaster="ana") as book:
        since = clock.now() - dt.timedelta(hours=3)
        return book.add_news(title, source="wire", grade="B", known_at=since)["seq"]


def test_the_effect_of_another_choice_takes_the_place_of_the_page(enter, site, filled):
    """By its key, and by Enter on a choice: neither codes anything, and the page stands once."""
    page = enter()
    seq = _waiting(filled, f"{TALK}winter")
    for press in ("Enter", "e"):
        page.goto(f"{site.origin}/news/{seq}")
        page.get_by_label("lasting").check()
        page.keyboard.press(press)
        page.wait_for_url("**half_life=lasting")
        assert page.locator("h1").count() == page.locator("#main").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    page.locator("#effect caption", has_text="lasting").wait_for(timeout=120_000)
    assert page.locator(".working").count() == 0
    with Book.plain(str(filled), forecaster="ana") as book:
        assert book.news_item(str(seq))["state"] == "standing"


def test_enter_in_the_field_of_a_source_guesses_no_outcome(enter, site, filled):
    head = _head(filled)
    page = enter()
    source = page.locator('form[action="/resolve"] [name=source]').first
    source.fill("the wire")
    source.press("Enter")
    page.goto(site.origin + "/questions")
    assert _head(filled) == head


def test_news_is_coded_by_one_key_and_taken_back(enter, site, filled):
    visitor = enter()
    title = f"{TALK}spring"
    seq = _waiting(filled, title)
    visitor.goto(site.origin + "/")
    # From Today: to the item that the key is on.
    item = visitor.locator("[data-news]", has_text=title)
    for _ in range(visitor.locator("[data-item]").count()):
        if "here" in (item.get_attribute("class") or ""):
            break
        visitor.keyboard.press("j")
    visitor.keyboard.press("n")
    visitor.wait_for_url(f"**/news/{seq}")
    # A slip of the finger, undone by a key, and the key that the code is called by.
    visitor.keyboard.press("q")
    assert "Coded −1 on " in note_of(visitor, "Coded")
    visitor.keyboard.press("u")
    note_of(visitor, "Undone")
    visitor.keyboard.press("1")
    assert "Coded +1 on " in note_of(visitor, "Coded")
    visitor.goto(site.origin + "/news")
    visitor.locator("#coded ~ .scroll").get_by_role("link", name=title).click()
    visitor.get_by_label("Why it does not stand").fill("denied by both")
    visitor.get_by_role("button", name="Take it back").click()
    assert "Taken back" in note_of(visitor, "Taken back")


@matrix("width, script", (1280, "script"), (390, "plain"))
def test_somebody_writes_news_watches_the_world_and_reads_the_review(enter, width, script):
    """News, World and Review by clicks and typing alone."""
    page = enter(width, script=script == "script")
    page.get_by_role("link", name="News", exact=True).click()
    page.get_by_role("link", name="Write an item").click()
    title = f"{TALK}harvest, by {width} and {script}"
    page.get_by_label("What happened, in a sentence").fill(title)
    page.get_by_label("Who says so").fill("wire")
    page.get_by_role("button", name="Write down, and code it").click()
    page.locator("h1", has_text=title).wait_for()
    page.locator("button[name=code][value='+2']").click()
    assert "Coded +2" in note_of(page, "Coded")
    page.get_by_role("link", name="World", exact=True).click()
    page.locator("svg.world").wait_for()
    page.get_by_role("button", name="Nothing happened until today", exact=True).click()
    assert "Recorded for" in note_of(page, "Recorded")
    page.get_by_role("link", name="What if", exact=True).click()
    row = page.locator(".conditions li", has_text="Armenia")
    row.get_by_label("no", exact=True).check()
    row.get_by_label("yes", exact=True).check()
    if script == "script":
        assert not row.get_by_label("no", exact=True).is_checked()
    row.get_by_label("no", exact=True).uncheck()
    page.get_by_role("button", name="See every question move").click()
    page.locator(".lead-number", has_text="Once this is seen").wait_for(timeout=120_000)
    page.get_by_role("link", name="Review", exact=True).click()
    page.locator("h1", has_text="Review").wait_for()
