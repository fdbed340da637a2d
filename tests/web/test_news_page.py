"""News: what waits for a code, one key to code it, its effect before, and the way back."""

import datetime as dt
import re

import pytest

from forecasting import clock
from tests.web.conftest import ORIGIN

SAID = "Envoys of both sides talk of a general ceasefire before the end of the year"


@pytest.fixture(autouse=True)
def still(monkeypatch):
    """Nothing is simulated: these tests are of forms."""
    from forecasting.web.compute import Figures
    from forecasting.web.pages import news

    monkeypatch.setattr(news, "figures", lambda *_, **__: Figures())


def code(browser, seq, choice, *, target="ceasefire=accepted", half_life="30d"):
    browser.get(f"/news/{seq}")
    browser.send("/news/code", target=target, other="", half_life=half_life, code=choice)


def add_item(house, title=SAID, **more):
    item = house.book.add_news(
        title,
        source=more.pop("source", "wire"),
        known_at=clock.now() - dt.timedelta(hours=more.pop("hours", 3)),
        **more,
    )
    return int(item["seq"])


def test_the_inbox_puts_first_what_is_most_like_an_open_question(browser, house):
    add_item(house, "Grain prices fall again", hours=1)
    add_item(house)
    page = browser.get("/news").text
    assert page.index(SAID) < page.index("Grain prices fall again")
    alike = re.findall(r'class="like"[^>]*>([^<]*)', page)
    assert "General ceasefire on the whole front, for thirty days or more" in alike
    assert len(alike) == len(set(alike))


def test_one_button_codes_an_item_and_goes_on_to_the_next(browser, house):
    seq = add_item(house)
    page = browser.get(f"/news/{seq}").text
    # One key each: a button that names it, and needs nothing else.
    assert re.findall(r'name="code" value="([^"]*)" data-key="(\w)"', page) == [
        ("-2", "w"), ("-1", "q"), ("0", "0"), ("+1", "1"), ("+2", "2")
    ]  # fmt: skip
    code(browser, seq, "+1", half_life="lasting")
    assert "Coded +1 on “General ceasefire" in browser.notes()[0]
    assert str(browser.page.url).removeprefix(ORIGIN) != f"/news/{seq}"
    row = house.book.coded_news()[0]
    assert (row["title"], row["half_life"]) == (SAID, "lasting")
    assert row["then"] > 1.0
    assert house.book.news_item(str(seq))["state"] == "retracted"
    assert SAID not in browser.get("/news").text.partition('id="stories"')[0]


@pytest.mark.parametrize("bears", [{}, {"ceasefire": "bears"}])
def test_a_code_is_undone_from_the_note_that_says_it(browser, house, bears):
    """The item waits again as it did, and what became of it can be followed."""
    seq = add_item(house, on=list(bears))
    was = next(row for row in house.book.inbox() if row["seq"] == seq)
    code(browser, seq, "-2")
    assert [row["title"] for row in house.book.coded_news()].count(SAID) == 1
    browser.send("/news/uncode")
    assert "Undone" in browser.notes()[0]
    assert [row["title"] for row in house.book.coded_news()].count(SAID) == 0
    (now,) = [row for row in house.book.inbox() if row["title"] == SAID]
    same = ("title", "source", "grade", "known_at", "on", "story", "note")
    assert {name: now[name] for name in same} == {name: was[name] for name in same}
    coded = house.book.news_item(str(seq))["replaced_by"]
    assert f'href="/news/{coded}"' in browser.get(f"/news/{seq}").text
    assert f'href="/news/{now["seq"]}"' in browser.get(f"/news/{coded}").text
    assert house.book.verify()["ok"]


def test_a_code_on_nothing_is_refused_and_nothing_is_written(browser, house):
    seq = add_item(house)
    head = house.book.head()
    for target in ("", "no-such-process=on"):
        code(browser, seq, "+1", target=target)
        assert browser.page.status_code == 422
        assert browser.faults()
    code(browser, seq, "+7")
    assert browser.page.status_code == 422
    assert house.book.head() == head


def test_what_bears_on_nothing_is_set_aside_and_leaves_the_inbox(browser, house):
    seq = add_item(house, "Grain prices fall again")
    browser.get(f"/news/{seq}")
    browser.send("/news/aside")
    assert "Set aside: Grain prices fall again." in browser.notes()[0]
    assert seq not in {row["seq"] for row in house.book.inbox()}


def test_a_coded_item_is_taken_back_with_a_reason(browser, house):
    seq = add_item(house, on={"ceasefire=accepted": "+1"})
    browser.get(f"/news/{seq}")
    browser.send("/news/retract", because="denied by both")
    assert "Taken back" in browser.notes()[0]
    assert "denied by both" in browser.page.text
    assert house.book.news_item(str(seq))["state"] == "retracted"


def test_two_items_become_one_story_and_keep_what_they_do(browser, house):
    first = add_item(house, on={"ceasefire=accepted": "+1"}, half_life="10d")
    second = add_item(house, SAID.replace("talk of", "talk about"), source="other wire", hours=2)
    browser.get(f"/news/{first}")
    browser.send("/news/join")
    assert "one story" in browser.notes()[0]
    stories = [story["items"] for story in house.book.news_stories()]
    (mine,) = [items for items in stories if any(row["seq"] == second for row in items)]
    joined = next(row for row in mine if row["seq"] != second)
    assert joined["on"] == {"ceasefire=accepted": "+1"}
    assert joined["half_life"] == 10.0


def test_a_fact_of_a_source_below_b_is_a_report_unless_somebody_vouches(browser, house):
    seq = add_item(house)
    browser.get(f"/news/{seq}")
    browser.send("/news/fact", fact="ceasefire=accepted")
    assert "recorded as a report" in browser.notes()[0]
    seq = add_item(house, "Both sides accept", hours=1)
    browser.get(f"/news/{seq}")
    browser.send("/news/fact", fact="ceasefire=accepted", confirmed="1")
    row = next(row for row in house.book.coded_news() if row["title"] == "Both sides accept")
    assert row["on"] == {"ceasefire": "accepted"}


def test_an_item_is_written_down_in_the_zone_of_the_visitor(browser, house):
    browser.get("/news/new")
    browser.send(
        "/news/new", title="A round ends", source="wire", known_at="2026-05-02 10:00", grade="B"
    )
    (row,) = [row for row in house.book.inbox() if row["title"] == "A round ends"]
    assert row["known_at"] == dt.datetime(2026, 5, 2, 7, tzinfo=dt.UTC)
    head = house.book.head()
    browser.get("/news/new")
    browser.send("/news/new", title="A round ends", source="wire", known_at="noon-ish")
    assert "noon-ish" in browser.faults()[0]
    assert 'value="noon-ish"' in browser.page.text
    assert house.book.head() == head


def test_a_file_is_brought_in_once_and_its_bad_rows_are_named(browser, house):
    table = "title,source,known_at\nOne,wire,2026-05-01T10:00Z\nTwo,wire,\n"
    for note in ("1 item added of 2, 1 refused (line 3", "1 known already"):
        browser.get("/news")
        form = browser.forms("/news/file")[0]
        form.pop("file", None)
        browser.page = browser.client.post(
            "/news/file", data=form, files={"file": ("x.csv", table)}, headers={"Origin": ORIGIN}
        )
        assert note in browser.notes()[0]
    assert [row["title"] for row in house.book.inbox()].count("One") == 1


def test_a_feed_is_fetched_when_the_button_is_pressed_and_remembered(browser, house, monkeypatch):
    asked = []

    def fetched(address):
        asked.append(address)
        return b"title,source,known_at\nFed,wire,2026-05-01T10:00Z\n"

    monkeypatch.setattr("forecasting.app.news.add.fetched", fetched)
    browser.get("/news")
    assert not asked
    browser.send("/news/feed", address="https://example.org/feed")
    assert asked == ["https://example.org/feed"]
    assert "Fetch example.org/feed" in browser.page.text
    assert "1 item added" in browser.notes()[0]


def test_a_note_of_unknown_hands_runs_nothing(browser, house):
    seq = add_item(house, because="<p onclick='x()'>Two hours<script>alert(1)</script></p>")
    page = browser.get(f"/news/{seq}").text
    assert "Two hours" in page
    assert "alert(1)" not in page
    assert "onclick" not in page


def test_an_empty_inbox_says_what_to_do_next(empty):
    page = empty.get("/news").text
    assert "No item waits for a code" in page
    assert 'href="/news/new"' in page


def test_an_item_weighs_the_same_wherever_it_is_shown(browser, house):
    """Four times as fast, says a source of grade F; what counts of it is less, on every page."""
    house.book.ask("Will the ferry sail?", "30%", by="2031-01-31", base="3 in 70 weeks")
    target = "the-ferry-sail"
    seq = add_item(house, "The ferry is at the quay", hours=0, grade="F", on={target: "+2"})
    listed = re.search(
        rf'href="/news/{seq}".*?data-as="Then">([^<]+)<.*?data-as="Now">([^<]+)<',
        browser.get("/news").text,
        re.DOTALL,
    )
    assert 1 < float(listed[1].strip("×")) < 2
    page = browser.get(f"/q/{target}").text
    assert f"{listed[1]} at first, {listed[2]} now" in page


def test_a_question_and_its_own_process_are_offered_once(browser, house):
    house.book.ask("Will the ferry sail?", "30%", by="2031-01-31", base="3 in 70 weeks")
    seq = add_item(house, "Will the ferry sail? It is at the quay")
    page = browser.get(f"/news/{seq}").text
    offered = re.findall(r'name="target" value="([^"]*)"', page)
    assert [name for name in offered if "ferry" in name] == ["the-ferry-sail"]


TICKED = re.compile(r'<input type="radio" name="target" value="([^"]*)" checked')
CHOSEN = re.compile(r'<option value="([^"]*)" selected')


def _two_like_it(house):
    """Two questions with processes of their own, and an item that is like both."""
    for what in ("ferry", "barge"):
        title = f"Will the {what} sail from Kosti to Malakal?"
        house.book.ask(title, "30%", by="2031-01-31", base="3 in 70 weeks")
    return add_item(house, "The ferry and the barge from Kosti to Malakal are at the quay")


def test_what_comes_chosen_on_an_item_is_one_of_its_ticks(browser, house):
    page = browser.get(f"/news/{_two_like_it(house)}").text
    ticks = re.findall(r'name="target" value="([^"]+)"', page)
    assert len(ticks) > 1
    assert TICKED.findall(page)[0] in ticks
    other = page.partition('name="other"')[2].partition("</select>")[0]
    assert not CHOSEN.findall(other)
    # The process of a question is that question: it is not offered as something else beside it.
    event = f"{ticks[0]}-event"
    page = browser.get(f"/news/{str(browser.page.url).rpartition('/')[2]}?target={event}").text
    assert TICKED.findall(page) == [ticks[0]]


@pytest.mark.parametrize("asks", ["/news/look", "/news/code"])
def test_what_was_ticked_or_chosen_last_is_what_counts(browser, house, asks):
    """Also without a script, where a tick and a choice stand in one form."""
    seq = _two_like_it(house)

    def open_item(target=""):
        page = browser.get(f"/news/{seq}?target={target}" if target else f"/news/{seq}").text
        form = browser.forms("/news/code")[0]
        form["target"] = TICKED.findall(page)[0]
        form["other"] = "".join(
            CHOSEN.findall(page.partition('name="other"')[2].partition("</select>")[0])
        )
        return form, re.findall(r'name="target" value="([^"]+)"', page)

    def sent(form, **typed):
        head = house.book.head()
        browser.send(asks, form, half_life="30d", code="+1", **typed)
        if browser.page.status_code == 422:
            assert house.book.head() == head
            return browser.faults()[0]
        if asks == "/news/look":
            return dict(browser.page.url.params)["target"]
        row = house.book.coded_news()[0]
        browser.send("/news/uncode")
        nonlocal seq
        seq = house.book.inbox()[0]["seq"]
        return next(iter(row["on"]))

    form, ticks = open_item()
    other = "ceasefire=accepted"
    assert other not in ticks
    assert sent(form, target=ticks[1]) == ticks[1]
    form, _ = open_item()
    assert sent(form, other=other) in (other, "ceasefire")
    form, _ = open_item(other)
    assert (form["target"], form["other"]) == ("", other)
    assert sent(form, target=ticks[1]) == ticks[1]
    form, _ = open_item()
    assert "two things are named" in sent(form, target=ticks[1], other=other)
    assert 'role="alert"' in browser.page.text


def test_the_effect_as_it_was_says_as_of_when(browser, house, monkeypatch):
    """While a newer one is simulated, an older stands there: its numbers are not those of now."""
    from forecasting.web.compute import Figures, Work
    from forecasting.web.pages import news

    seq = add_item(house)
    old = {
        "rows": [], "looked": {}, "notes": [], "target": "ceasefire=accepted", "half_life": "30d",
        "codes": ["0"], "draws": 8192,
    }  # fmt: skip
    monkeypatch.setattr(news, "figures", lambda *_, **__: Figures(old, 700, Work("news", (), 0), 3))
    assert "As of entry 700; 3 entries newer since." in browser.get(f"/news/{seq}").text
    monkeypatch.setattr(news, "figures", lambda *_, **__: Figures(old, 700, None, 0))
    assert "As of entry" not in browser.get(f"/news/{seq}").text
