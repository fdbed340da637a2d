"""Each act of writing happens once, and nothing that was acknowledged is lost."""

import re
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx2 as httpx
import pytest

from forecasting import clock
from forecasting.app.book import Book
from tests.web.conftest import ORIGIN, Browser, Server, housed


def test_twins_at_the_same_moment_write_once(house):
    first = Browser(house)
    first.get("/")
    form = first.forms("/log")[0] | {"p": "35"}
    head = house.book.head()
    with ThreadPoolExecutor(6) as pool:
        post = partial(first.client.post, "/log", data=form, headers={"Origin": ORIGIN})
        twins = [pool.submit(post) for _ in range(6)]
    assert {twin.result().status_code for twin in twins} == {200}
    assert house.book.head() == head + 1


@pytest.mark.parametrize(
    ("page", "action", "typed", "done"),
    [
        ("/", "/log", {"p": "35"}, "Logged"),
        ("/ask", "/ask", {"title": "Will a ferry sail?", "p": "20", "by": "2031-01-31"}, "Asked"),
        ("/news/{}", "/news/code", {"target": "ceasefire=accepted", "other": "", "code": "+2"},
         "Coded"),
        ("/world", "/world/watch", {"all": "1"}, "Recorded for"),
    ],
)  # fmt: skip
def test_a_form_sent_twice_writes_once_and_says_so(browser, house, page, action, typed, done):
    item = house.book.add_news("Envoys talk", source="wire", known_at=clock.now())["seq"]
    browser.get(page.format(item))
    form = browser.forms(action)[0] | typed
    browser.send(action, form)
    assert done in browser.notes()[0]
    head = house.book.head()
    browser.send(action, form)
    assert "not written twice" in browser.notes()[0]
    assert house.book.head() == head
    if action == "/log":
        # The back button, and another number: that is another act.
        browser.send(action, form, p="40")
        assert house.book.head() == head + 1


def test_a_form_sent_again_after_a_crash_writes_once(database):
    """The receipt lies in the database: another process, another session, the same form."""
    with housed(database) as house:
        one = Browser(house)
        one.get("/")
        form = one.forms("/log")[0]
        one.send("/log", form, p="35")
        head = house.book.head()
    with housed(database) as house:
        other = Browser(house)
        other.get("/")
        again = form | {"csrf": other.forms("/log")[0]["csrf"]}
        other.send("/log", again, p="35")
        assert "not written twice" in other.notes()[0]
        assert house.book.head() == head


def test_two_tabs_lose_nothing_and_the_later_one_is_told(house):
    name = _open_question(house)
    one, two = Browser(house), Browser(house)
    for tab in (one, two):
        tab.get(f"/q/{name}")
    one.send(f"/q/{name}/log", p="20")
    two.send(f"/q/{name}/log", p="30")
    assert "Meanwhile 20" in two.notes()[0]
    forecasts = [row["forecast"] for row in house.book.history(name, forecaster="ana")]
    assert forecasts[-2:] == [0.2, 0.3]


def test_the_command_line_beside_it_is_seen_at_once(house, database):
    name = _open_question(house)
    browser = Browser(house)
    browser.get("/")
    with Book.plain(str(database), forecaster="ana") as other:
        other.log(name, 0.77)
    browser.get(f"/q/{name}")
    assert "77" in browser.page.text


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(database):
    """Twenty writers at once, and the server is killed under them."""
    with Book.plain(str(database), forecaster="ana") as book:
        rows = book.questions(status="open")
        names = [row["id"] for row in rows if row["type"] == "binary"]
    server = Server(database)
    acknowledged = []
    lock = threading.Lock()
    with httpx.Client(base_url=server.origin, follow_redirects=True) as entering:
        entering.get(server.address)
        cookies = dict(entering.cookies)
        csrf = re.search(r'name="csrf" value="([^"]+)', entering.get("/").text)[1]

    def write(writer):
        with httpx.Client(base_url=server.origin, cookies=cookies, timeout=60) as client:
            for number in range(200):
                fields = {
                    "csrf": csrf, "token": f"w{writer:02d}n{number:04d}xxxxxxxxxxxxx",
                    "question": names[(writer + number) % len(names)],
                    "p": f"{1 + (writer * 7 + number) % 97}", "because": f"{writer}/{number}",
                }  # fmt: skip
                try:
                    answer = client.post("/log", data=fields, headers={"Origin": server.origin})
                except httpx.TransportError:
                    return
                if answer.status_code == 303:
                    with lock:
                        acknowledged.append((fields["because"], writer))
                        if len(acknowledged) == 60:
                            server.process.send_signal(signal.SIGKILL)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(write, range(20)))
    server.stop()
    assert len(acknowledged) >= 60
    with Book.plain(str(database)) as book:
        assert book.verify()["ok"]
        reasons = [row["because"] for row in book.forecasts(forecaster="ana")]
    for because, _ in acknowledged:
        assert reasons.count(because) == 1


def _open_question(house):
    rows = house.book.questions(status="open")
    return next(str(r["id"]) for r in rows if r["type"] == "binary" and not r["ladder"])


def test_an_outcome_is_chosen_and_taking_it_back_needs_no_source(browser, house):
    name = _open_question(house)
    browser.get(f"/q/{name}")
    head = house.book.head()
    browser.send(f"/q/{name}/settle", source="wire", act="resolve")
    assert (browser.page.status_code, house.book.head()) == (422, head)
    browser.send(f"/q/{name}/settle", source="wire", outcome="yes", act="resolve")
    assert "Recorded: yes" in browser.notes()[0]
    # It is settled now, however far off its deadline is.
    assert "settled just now" in browser.page.text
    assert "closed end of" not in browser.page.text
    browser.send(f"/q/{name}/settle", source="", act="reopen")
    assert "Taken back" in browser.notes()[0]
    # A fault of one field stands once.
    browser.send(f"/q/{name}/settle", source="wire", outcome="yes", at="soonish", act="resolve")
    assert [fault for fault in browser.faults() if "soonish" in fault] == browser.faults()[:1]


def test_a_question_that_counts_only_if_another_comes_out_so_is_asked_here_too(house):
    other = _open_question(house)
    browser = Browser(house)
    fields = {"title": "What then?", "p": "20", "by": "2031-01-31", "kind": "yes-no"}
    page = _asked(browser, **fields, condition="nobody-asked=yes")
    assert "no question named nobody-asked" in page.text
    assert browser.forms("/ask")[0]["condition"] == "nobody-asked=yes"
    page = _asked(browser, **fields, condition=other)
    assert "is yes; otherwise it is not scored" in page.text


def _asked(browser, **typed):
    browser.get("/ask")
    (form,) = browser.forms("/ask")
    return browser.send("/ask", form | typed)


def test_what_a_kind_of_question_does_not_take_is_refused_with_what_was_typed(browser, house):
    """Nothing that somebody typed goes without a word."""
    head = house.book.head()
    form = {
        "title": "Who sends a convoy?",
        "by": "2031-01-31",
        "kind": "options",
        "options": "a, b",
    }
    several = {"kind": "ladder", "ladder": "2031-01-31, 2031-06-30"}
    for typed in (
        form | {"p": "40"},
        form | {"because": "they said so"},
        form | {"kind": "number", "low": "0", "high": "9", "p": "40"},
        form | several,
        form | several | {"by": "", "p": "40"},
        {"title": "Will it rain?", "by": "2031-01-31", "because": "clouds"},
    ):
        page = _asked(browser, **typed)
        assert page.status_code == 422, typed
        assert browser.faults()
        assert browser.forms("/ask")[0]["title"] == typed["title"]
    assert house.book.head() == head
    assert _asked(browser, **form).status_code == 200


def test_a_word_and_a_number_that_disagree_are_two_answers(browser, house):
    name = _open_question(house)

    def send(**typed):
        browser.get(f"/q/{name}")
        return browser.send(f"/q/{name}/log", **typed)

    def mine():
        rows = house.book.history(name, forecaster="ana")
        return rows[-1]["forecast"] if rows else None

    assert send(p="90", word="unlikely").status_code == 422
    assert "two answers" in browser.faults()[0]
    assert mine() is None
    # The page that says so refuses them again, for the number is still typed.
    browser.send(f"/q/{name}/log", word="unlikely")
    assert mine() is None
    send(p="32.5", word="unlikely")
    assert mine() == 0.325
    send(p="90", word="")
    assert mine() == 0.9
    # The number that stood there is no answer of today's.
    send(word="unlikely")
    assert mine() == 0.325


def test_who_goes_back_and_logs_again_writes_once(browser, house):
    """A page gone back to is drawn anew, with another token; the same words are the same act."""
    name = _open_question(house)
    for page, action, more in (
        (f"/q/{name}", f"/q/{name}/log", {"because": "first"}),
        ("/", "/log", {"question": name}),
    ):
        browser.get(page)
        browser.send(action, p="41", **more)
        head = house.book.head()
        browser.get(page)
        browser.send(action, p="41", **more)
        assert "not written twice" in browser.notes()[0]
        assert house.book.head() == head
        browser.get(page)
        browser.send(action, p="43", **more)
        assert house.book.head() == head + 1
    # Said before, but it does not stand any more; or said in other words.
    browser.get(f"/q/{name}")
    browser.send(f"/q/{name}/log", p="41", because="first")
    assert house.book.head() == head + 2
    browser.get(f"/q/{name}")
    browser.send(f"/q/{name}/withdraw")
    browser.get(f"/q/{name}")
    browser.send(f"/q/{name}/log", p="41", because="first")
    assert house.book.head() == head + 4
