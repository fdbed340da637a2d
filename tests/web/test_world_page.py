"""World and the figures that take seconds: a small world, simulated beside the app."""

import datetime as dt
import re
from types import SimpleNamespace

import pytest
import yaml

from forecasting import clock
from forecasting.app.world.scenario import live
from forecasting.app.world.what_if import condition
from forecasting.bank.schema import WorldviewFile
from forecasting.errors import InvalidInput
from forecasting.web.compute import Desk
from forecasting.web.pages.world import EXAMPLE, _story
from forecasting.web.sessions import Note
from tests.web.conftest import Browser, eventually, housed

WORLD = """
schema: 1
zone: Europe/Kyiv
processes:
  talks:
    title: Talks about a corridor
    source: "a count"
    known_by: {since}
    moves:
      resting > under-way: once in 6 mo
      under-way > resting: once in 4 mo
    since {since}: resting
  convoy:
    title: A convoy passes
    event: 3 in 70 weeks
    source: "a count"
    known_by: {since}
    since {since}: ""
links:
  - while talks=under-way: convoy x3 (1.5..6)
    because: guards agree on the road first
    source: judgement
    known_by: {since}
questions:
  convoy-soon:
    title: Will a convoy pass within the year?
    type: binary
    opens: {opens}
    closes: {closes}
    answer: convoy by close
    criteria: >-
      A convoy passes the line, as two news agencies report it within the window of the question.
  talks-soon:
    title: Will talks be under way at some time?
    type: binary
    opens: {opens}
    closes: {closes}
    answer: talks=under-way by close
    criteria: >-
      Both sides sit at one table, as two news agencies report it within the window asked about.
"""


def bank(folder):
    """Write a bank with two processes, a link and two questions."""
    today = clock.now().date()
    days = {
        "since": today - dt.timedelta(days=400),
        "opens": today - dt.timedelta(days=30),
        "closes": today + dt.timedelta(days=200),
    }
    (folder / "worlds").mkdir(parents=True)
    (folder / "worlds" / "convoys.yaml").write_text(WORLD.format(**days), encoding="utf-8")
    return folder


@pytest.fixture
def small(tmp_path):
    """A house over a small world."""
    with housed(tmp_path / "small.db", create=True) as house:
        house.book.init(bank(tmp_path / "bank"))
        yield house


def test_what_the_model_says_of_options_stands_on_their_page(small):
    browser = Browser(small)
    browser.get("/ask")
    (form,) = browser.forms("/ask")
    words = {"kind": "options", "options": "resting, under-way", "answer": "talks on close"}
    until = clock.now().date() + dt.timedelta(days=100)
    browser.send("/ask", form | words | {"title": "Where will talks stand?", "by": str(until)})
    asked, unwatched = browser.notes()
    assert asked.startswith("Asked: “Where will talks stand?”. It closes")
    # Nothing is logged of a process that nobody watched, so no number of the model is told.
    assert "The model says" not in asked
    assert "Nobody has watched “Talks about a corridor” since" in unwatched
    assert "the model&#39;s number is not logged before somebody looks." in unwatched
    assert "<dt>The model</dt><dd>–</dd>" in browser.page.text


def test_the_graph_and_the_tables_are_there_before_anything_is_simulated(small):
    page = Browser(small).get("/world").text
    assert '<svg class="chart world"' in page
    assert "Talks about a corridor" in page
    assert "3 in 70 weeks" in page
    assert "+ under-way: ×3" in page


def test_one_button_says_that_nothing_happened_until_today(small):
    browser = Browser(small)
    browser.get("/world")
    form = next(form for form in browser.forms("/world/watch") if "all" in form)
    browser.send("/world/watch", form)
    assert "Recorded for 2 processes" in browser.notes()[0]
    rows = small.book.watches()
    assert {row["watcher"] for row in rows} == {"ana"}
    assert {row["days"] for row in rows} == {0}
    assert "Every process was watched within the last week" in browser.get("/world").text


def test_one_process_is_watched_alone(small):
    browser = Browser(small)
    browser.get("/world")
    form = next(form for form in browser.forms("/world/watch") if form.get("process") == "convoy")
    browser.send("/world/watch", form)
    days = {row["process"]: row["days"] for row in small.book.watches()}
    assert days["convoy"] == 0
    assert days["talks"] != 0


def test_a_simulation_a_condition_and_a_code_show_what_they_do_and_write_nothing(small):
    browser = Browser(small)
    head = small.book.head()
    page = browser.finished("/world")
    assert "Typical stories" in page
    assert "Worth knowing" in page
    # Kept: the same page again computes nothing.
    assert small.desk.latest("world") is not None
    page = browser.finished("/world/what-if?if%5Btalks-soon%5D=yes&how=see")
    before, after = numbers(page, "Will a convoy pass")
    assert before < after
    ways = browser.finished("/world/what-if?if%5Btalks-soon%5D=yes&if%5Btalks-soon%5D=no")
    assert "no path meets both" in ways
    assert small.book.head() == head
    item = small.book.add_news(
        "Guards open the road to a convoy", source="wire", grade="A", known_at=clock.now()
    )
    address = f"/news/{item['seq']}?target=convoy&half_life=lasting"
    page = browser.finished(address).partition('id="effect"')[2]
    now, *codes = numbers(page, "Will a convoy pass")
    assert codes == sorted(codes)
    assert codes[0] < codes[2] < codes[4]
    # What the page says is what the book says.
    effect = small.book.news_effect(
        str(item["seq"]), "convoy", half_life="lasting", codes=("0", "+2")
    )
    row = next(row for row in effect["rows"] if row["question"] == "convoy-soon")
    assert now == pytest.approx(100 * row["before"], abs=0.6)
    assert codes[-1] == pytest.approx(100 * row["after"]["+2"], abs=0.6)
    # The small figure beside a code is the report's own doing: what following it does stands at 0.
    cells = page.partition(">Will a convoy pass")[2].partition("</tr>")[0]
    assert re.findall(r'class="(up|down)">', cells)[-2:] == ["up", "up"]
    moves = [float(each.replace("\N{MINUS SIGN}", "-")) for each in MOVED.findall(cells)]
    own = 100 * (row["after"]["+2"] - row["after"]["0"])
    assert moves[-1] == pytest.approx(own, abs=0.06)


MOVED = re.compile(r'class="(?:up|down)">([^<]+)<')


def numbers(page, title):
    """Give the percentages of a table's row."""
    row = page.partition(f">{title}")[2].partition("</tr>")[0]
    figures = re.findall(r'class="(?:n|p|none)"[^>]*>\s*([\d.]+)\s?%', row)
    return [float(figure) for figure in figures]


def test_a_story_is_told_by_the_titles_of_its_processes():
    """A process that is named as a question is quoted: it is not the name of an event."""
    titles = {"talks": "Talks", "convoy": "", "ruling": "Will the court rule?"}
    rows = [SimpleNamespace(name=name, title=title) for name, title in titles.items()]
    text = "talks=under-way in March 2027, convoy in May 2027; talks=resting, for good"
    expected = "Talks: under way in March 2027, convoy in May 2027; talks=resting, for good"
    assert _story(text, rows) == expected
    expected = "“Will the court rule?”: it happens in March 2027, Talks: under way in May 2027"
    assert _story("ruling in March 2027, talks=under-way in May 2027", rows) == expected
    # A story names a title with each of its moves, so a long one is cut.
    title = "Will the court of appeal " + "now " * 20 + "rule?"
    story = _story("ruling in March 2027", [SimpleNamespace(name="ruling", title=title)])
    assert len(story) < 110
    assert story.endswith("\N{HORIZONTAL ELLIPSIS}”: it happens in March 2027")


def test_the_simulation_follows_an_update_and_knows_every_open_question(small):
    browser = Browser(small)
    assert "Typical stories" in browser.finished("/world")
    # A number of one's own changes nothing of it.
    small.book.log("convoy-soon", 0.2)
    browser.finished("/world")
    assert "1 entry newer since" in browser.page.text
    before = small.desk.latest("world").head
    until = clock.now().date() + dt.timedelta(days=60)
    small.book.ask("Will a bus pass?", by=str(until), base="3 in 70 weeks", slug="bus")
    page = browser.finished("/world")
    assert small.desk.latest("world").head > before
    assert "Will a bus pass?" in page.partition('id="answers"')[2].partition("</section>")[0]
    before = small.desk.latest("world").head
    small.book.watch(every=True)
    small.book.update(everything=True)
    page = browser.finished("/world")
    assert small.desk.latest("world").head > before
    assert "newer since" not in page


def test_what_is_hidden_until_i_answer_is_hidden_on_every_page(small):
    """Each page that shows the model's number of a question keeps it back, and shows it then."""
    small.book.watch(every=True)
    small.book.update(everything=True)
    (number,) = (row["model"] for row in small.book.questions() if row["id"] == "convoy-soon")
    assert number is not None
    browser = Browser(small)
    browser.client.cookies.set("forecast-likes", "hide%3D1")
    pages = {
        "/world": 'id="answers"',
        "/world/what-if?if%5Btalks-soon%5D=yes&how=see": 'id="moved"',
        "/q/convoy-soon": "<main",
        "/questions": "<main",
        "/": "<main",
    }
    percentage = re.compile(r"\d\s?%")
    for address, part in pages.items():
        page = browser.finished(address).partition(part)[2]
        row = re.split(r"</tr>|</li>|</article>", page.partition("Will a convoy pass")[2])[0]
        if address.startswith("/q/"):
            row = page.partition("<dt>The model</dt>")[2].partition("</dl>")[0]
        assert "hidden" in row, address
        assert not percentage.search(re.sub(r"<input[^>]*>|<option.*?</option>", "", row)), address
    small.book.log("convoy-soon", 0.2)
    for address, part in pages.items():
        page = browser.finished(address).partition(part)[2]
        row = re.split(r"</tr>|</li>|</article>", page.partition("Will a convoy pass")[2])[0]
        assert "hidden until" not in row, address


def test_nobody_keeps_a_list_is_said_before_the_button_says_that_nothing_happened(house):
    card = Browser(house).get("/world").text.partition('class="card watch"')[2]
    assert "Nobody keeps a list of “Russian strike of 500" in card.partition("</form>")[0]
    rows = {row.name: row for row in house.book.world_page().processes}
    assert rows["strike"].state == "not watched"
    assert rows["strike"].watched is None
    watches = {row["process"]: row for row in house.book.watches()}
    assert watches["strike"]["until"] is None
    house.book.speaking_as("ana", tell=lambda note: None).watch("strike")
    rows = {row.name: row for row in house.book.world_page().processes}
    assert rows["strike"].state == "no event so far"


def test_worldviews_say_on_their_own_page_how_one_is_written(small):
    page = Browser(small).finished("/world/views")
    assert "times: 0.5" in page
    assert "questions/README.md" not in page
    WorldviewFile.model_validate(yaml.safe_load(EXAMPLE))


def test_what_if_offers_what_is_simulated_alone(house):
    """A process that no open question rests on any more can be no condition."""
    now = live(house.book.ledger, now=clock.now(), draws=40)
    offered = house.book.process_states()
    assert offered
    assert set(offered) <= set(now.run.paths.world.index)
    page = Browser(house).get("/world/what-if").text
    for name, states in offered.items():
        for state in states:
            condition(now, f"{name}={state}")
            assert f'value="{name}={state}"' in page
    assert 'value="energy-2025=extended"' not in page
    with pytest.raises(InvalidInput, match="no open question rests on energy-2025"):
        condition(now, "energy-2025=extended")


def test_a_process_without_questions_and_a_workspace_without_a_world_say_what_to_do(
    empty, tmp_path
):
    (tmp_path / "bank").mkdir()
    file = tmp_path / "bank" / "questions.yaml"
    file.write_text("schema: 1\nquestions: {}\n", encoding="utf-8")
    empty.house.book.init(file.parent)
    assert "This workspace has no world yet" in empty.get("/world").text
    assert 'href="/ask"' in empty.page.text
    assert "nothing would move" in empty.get("/world/what-if").text
    assert "No worldview has spoken yet" in empty.finished("/world/views")


def test_a_process_that_is_gone_is_started_again_and_what_failed_is_said(small):
    desk = Desk(small.book.database)
    work = desk.ask("world", head=1)
    assert desk.ask("world", head=1) is work
    eventually(lambda: work.state == "running")
    desk._process.kill()
    assert work.ended.wait(300)
    assert (work.state, "broke off" in work.words) == ("failed", True)
    again = desk.ask("views", head=small.book.head())
    assert again.ended.wait(300)
    assert again.state == "done"
    assert again.result["rows"] == []
    # What failed is said, and a name that is unknown breaks nothing.
    wrong = desk.ask("what-if", ("no-such=yes",), (), head=small.book.head())
    assert wrong.ended.wait(300)
    assert wrong.state == "failed"
    assert "no-such" in wrong.words
    desk.close()


def test_figures_of_an_older_head_are_shown_with_what_came_since(small):
    desk = small.desk
    first = desk.ask("views", head=small.book.head())
    assert first.ended.wait(300)
    assert desk.ask("views", head=small.book.head()) is first
    small.book.log("convoy-soon", 0.2)
    second = desk.ask("views", head=small.book.head())
    assert second is not first
    assert second.ended.wait(300)
    assert second.head == small.book.head()


def test_a_poll_takes_no_note_and_changes_no_address(small):
    browser = Browser(small)
    browser.get("/world")
    session = next(iter(small.sessions._open.values()))
    session.notes.append(Note("done", "Saved just now.", None))
    asked = {"HX-Request": "true", "X-Poll": "1"}
    poll = browser.client.get("/world/views", headers=asked)
    assert "Saved just now." not in poll.text
    assert "hx-push-url" not in poll.headers
    assert "Saved just now." in browser.get("/world").text
