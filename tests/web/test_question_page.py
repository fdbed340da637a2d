"""What a question's page says of its numbers is what they are."""

import re
from pathlib import Path

import pytest

import forecasting.web
from tests.web.conftest import eventually

#: A question of sixty days whose outcome was known after thirty.
PAST = """\
question,opens,closes,probability,date,outcome,resolved_at,forecaster
Signed?,2026-01-01T00:00Z,2026-03-02T00:00Z,20%,2026-01-01T00:00Z,yes,2026-01-31T00:00Z,tom
"""
#: The shade of a path.
BAND = r'<path class="band[^"]*" d="([^"]*)"'
LEVELS = {"10": "10000", "50": "26000", "90": "40000"}


@pytest.fixture
def imported(browser, house, tmp_path):
    """A browser at the page of a resolved question on which only tom spoke, imported."""
    file = tmp_path / "past.csv"
    file.write_text(PAST)
    house.book.import_record(file, "csv", zone="UTC")
    (asked,) = [one for one in house.book.questions() if one["title"] == "Signed?"]
    browser.get(f"/q/{asked['id']}")
    return browser


def test_the_form_of_a_number_shows_the_levels_that_stand_and_says_them_again(browser, house):
    asked = house.book.ask(
        "How many come back?", LEVELS, by="2031-01-31", span="0..50000", unit="people"
    )
    here = asked["id"]
    browser.get(f"/q/{here}")
    form = browser.forms(f"/q/{here}/log")[0]
    shown = {name: value for name, value in form.items() if name.startswith("q[")}
    assert shown == {f"q[{level}]": value for level, value in LEVELS.items()}
    before = house.book.question_page(here).chosen.mine
    page = browser.send(f"/q/{here}/log", form)
    assert page.status_code == 200
    assert not browser.faults()
    after = house.book.question_page(here).chosen.mine
    assert re.match("Logged|This was saved already", browser.notes()[0])
    assert after.value.plain == before.value.plain


@pytest.mark.parametrize(
    "stated", [{"10": 2500, "90": 12000}, {"10": 2500, "50": 7250, "90": 12000}]
)
def test_a_number_stated_at_other_levels_has_its_middle_and_its_spread(browser, house, stated):
    asked = house.book.ask("How many go home?", stated, by="2031-01-31", span="0..20000")
    page = browser.get(f"/q/{asked['id']}").text
    assert "7,250 (10 to 90 %: 2,500 to 12,000)" in page
    heights = [re.findall(r"[MHL][\d.]+ ([\d.]+)", path) for path in re.findall(BAND, page)]
    assert heights
    assert all(len(set(each)) > 1 for each in heights)
    assert '<span class="p">7,250</span>' in browser.get("/questions").text
    (row,) = [row for row in house.book.questions() if row["id"] == asked["id"]]
    assert row["latest"].middle == 7250.0


def test_a_stored_midnight_is_never_shown_as_the_day_that_it_begins():
    """What was known, ends or closes goes by the day that its midnight ends, on every page."""
    words = "known_at|resolved_at|event_at|closes|resolves_by|until|watched|since"
    ends = rf"(?:\.|\[\")({words})\b[^}}]*\|\s*(moment|day)\("
    templates = Path(forecasting.web.__file__).parent / "templates"
    assert not [
        (file.name, match.group(0))
        for file in templates.glob("*.j2")
        for match in re.finditer(ends, file.read_text())
    ]


def test_the_one_other_person_is_named_with_the_number_that_was_imported(imported):
    text = imported.page.text.replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert re.search(r"<dt>Other people</dt><dd>20 % <small>tom</small>", text)
    assert "imported, imported" not in text


def test_the_time_after_the_outcome_counts_as_even_and_the_page_says_so(imported):
    """Half the window at 20 % and yes (0.64), half of it as even (0.25)."""
    here = str(imported.page.url)
    eventually(lambda: "over the scheduled window" in imported.get(here).text)
    row = re.search(r'<th scope="row">tom.*?</th><td>([\d.]+)</td>', imported.page.text)
    assert row
    assert float(row[1]) == pytest.approx((0.64 + 0.25) / 2, abs=0.001)
    assert "from the outcome to the scheduled close" in imported.page.text
    assert "stands until the close" not in imported.page.text


@pytest.fixture
def numeric(browser, house):
    """The page of an open question for a number from 0 to 20."""
    question = house.book.ask(
        "How many ships?", {"10": "3", "90": "9"}, by="2031-01-31", span="0..20"
    )
    browser.get(f"/q/{question['id']}")
    return f"/q/{question['id']}"


def test_a_number_beyond_the_range_is_asked_about_once_and_kept_as_stated(browser, house, numeric):
    name = numeric.removeprefix("/q/")
    settle = {"outcome": "25", "source": "wire", "sure": "1"}
    page = browser.send(f"{numeric}/settle", **settle)
    assert page.status_code == 422
    assert "25: lies beyond 0 to 20, and would be kept as &gt;20; is it meant?" in page.text
    assert not house.book.resolutions(name)
    # Another number beyond the range is asked about again.
    page = browser.send(f"{numeric}/settle", **settle | {"outcome": "26"})
    assert page.status_code == 422
    browser.send(f"{numeric}/settle", **settle | {"outcome": "26"})
    (row,) = house.book.resolutions(name)
    assert (row["outcome"], row["note"]) == (">20", "stated as 26")
    assert "Recorded: &gt;20" in browser.notes()[0]


def test_a_corrected_outcome_is_marked_and_its_scores_are_gone(
    browser, house, numeric, monkeypatch
):
    from forecasting.web.compute import Figures, Work
    from forecasting.web.pages import question

    old = {"rule": "crps", "convention": "", "unit": "", "forecaster": "ana", "kind": "live"}
    old |= {"mean": 6.669, "while_open": 12.0, "reference": 5.0}
    monkeypatch.setattr(
        question,
        "figures",
        lambda *_, **__: Figures([old], head[0], Work("question", (), 0), 1, going=True),
    )
    head = [house.book.head() + 1]
    name = numeric.removeprefix("/q/")
    house.book.resolve(name, "20", source="wire", sure=True)
    assert "6.669" in browser.get(numeric).text
    house.book.resolve(name, "5", source="wire", sure=True)
    page = browser.get(numeric).text
    assert "6.669" not in page
    assert "Scoring" in page
    outcomes = page.partition('id="outcome"')[2].partition("</ol>")[0]
    assert re.search(r"<s>20</s> <small>replaced", outcomes)
    assert "<strong>5</strong>" in outcomes


@pytest.mark.parametrize("state", ["done", "stopped"])
def test_scores_that_come_while_the_page_is_drawn_are_not_called_none(
    browser, house, numeric, monkeypatch, state
):
    """The page asks again: it was told that they are on their way, however soon they ended."""
    from forecasting.web import compute
    from forecasting.web.pages import question

    def ends_meanwhile(*args, **values):
        given = compute.figures(*args, **values | {"patience": 0})
        given.work.state = state
        return given

    monkeypatch.setattr(house.desk, "ask", lambda *_, **__: compute.Work("question", (), 0))
    monkeypatch.setattr(question, "figures", ends_meanwhile)
    house.book.resolve(numeric.removeprefix("/q/"), "20", source="wire", sure=True)
    scores = browser.get(numeric).text.partition('id="scores"')[2]
    assert "forecast of it counts" not in scores
    assert 'hx-trigger="load delay' in scores


def test_the_count_above_a_history_is_of_the_rows_under_it(browser, house):
    """Pools and references are in the whole history, and are counted there."""
    question = house.book.ask("Will the ferry sail?", "30%", by="2031-01-31", base="3 in 70 weeks")
    house.book.pool(question["id"])
    for query in ("", "?all=1"):
        page = browser.get(f"/q/{question['id']}{query}").text.partition('id="history"')[2]
        counted = int(re.search(r"History <small>(\d+)</small>", page)[1])
        rows = page.partition("<tbody>")[2].partition("</tbody>")[0].count("<tr>")
        assert counted == rows > 0


def test_a_long_history_shows_its_latest_rows_and_folds_the_rest(browser, house):
    question = house.book.ask("Will the ferry sail?", by="2031-01-31", opens="2026-01-01")
    for day in range(1, 26):
        house.book.log(question["id"], day / 100, at=f"2026-01-{day + 1:02}T12:00Z")
    page = browser.get(f"/q/{question['id']}").text.partition('id="history"')[2]
    shown, _, folded = page.partition("<details><summary>5 earlier</summary>")
    assert [part.count('<tr><th scope="row">ana') for part in (shown, folded)] == [20, 5]


def test_what_ended_early_ended_on_that_day_in_the_list(browser, house):
    question = house.book.ask("Will the ferry sail?", "30%", by="2031-01-31")
    house.book.resolve(question["id"], "yes", source="wire")
    (row,) = [
        one
        for one in re.findall(
            r'<li class="item.*?</li>', browser.get("/questions?text=ferry").text, re.DOTALL
        )
        if question["id"] in one
    ]
    assert "31 Jan 2031" not in row
    assert re.search(r"settled \d+ \w{3} 20", row)


def test_the_words_after_asking_give_the_number_of_the_page(browser, house):
    """Of a ladder the rung that the page shows, as it shows it."""
    days = "2029-01-31, 2031-06-30"
    title = "Will the ferry sail?"
    browser.get("/ask")
    browser.send("/ask", title=title, kind="ladder", ladder=days, base="1 in 90 years")
    note = browser.notes()[0].replace("\N{NARROW NO-BREAK SPACE}", " ")
    shown = re.search(r"<dt>The model</dt><dd>([^<]+?)(?: <small|</dd>)", browser.page.text)[1]
    shown = shown.replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert f"The model says of 31 Jan 2029 {shown} so far." in note
    assert title in note
    assert "end with 30 Jun 2031" in note


def test_the_note_of_a_log_says_the_number_as_it_was_read_and_what_certainty_costs(browser, house):
    def logged(question, **typed):
        here = f"/q/{question['id']}"
        browser.get(here)
        assert browser.send(f"{here}/log", **typed).status_code == 200
        return browser.notes()[0].replace("\N{NARROW NO-BREAK SPACE}", " ")

    ferry = house.book.ask("Will the ferry sail?", by="2031-01-31", opens="2026-01-01")
    assert logged(ferry, p="1:24").startswith("Logged 4 % on “Will the ferry sail?”, as entry ")
    assert "certainty" not in logged(ferry, p="5")
    assert "the log score is infinite" in logged(ferry, p="0")
    assert logged(ferry, p="7", at="2026-02-01").endswith(", marked backdated.")
    port = house.book.ask("Which port?", by="2031-01-31", options=["Odesa", "Izmail"])
    shares = {"p[Odesa]": "100", "p[Izmail]": "0"}
    assert "Logged Odesa: 100 % · Izmail: 0 % on" in logged(port, **shares)
    assert "the log score is infinite" in browser.notes()[0]
    ladder = house.book.ask("Will the lock open?", ladder=["2030-01-31", "2031-01-31"])
    rungs = {"p[2030-01-31]": "10", "p[2031-01-31]": "20"}
    note = logged({"id": ladder["questions"][0]}, **rungs)
    assert "Logged 10 % by 31 Jan 2030, 20 % by 31 Jan 2031 on “Will the lock open?”" in note
    assert ", as entries " in note


def test_a_link_beside_a_question_says_which_state_hastens_which_move(browser, house):
    page = browser.get("/q/general-ceasefire-2026").text
    part = page.partition('id="links"')[2].partition("</section>")[0]
    lines = [" ".join(re.sub("<[^>]+>", "", line).split()) for line in part.split("<li>")[1:]]
    assert "while talks is under-way: ceasefire → accepted or in-force ×2 (×0.7 to ×6)" in lines
    assert len(set(lines)) == len(lines)


def test_every_fault_of_a_question_that_is_asked_is_said_at_once(browser):
    browser.get("/ask")
    browser.send("/ask", title="Will the ferry sail?", p="abc", by="2026-01-31")
    assert len(browser.faults()) == 2
    browser.get("/ask")
    browser.send("/ask", title="Will the ferry sail?", p="abc", by="2031-01-31")
    assert len(browser.faults()) == 1


def test_an_outcome_of_a_ladder_says_which_rungs_it_brought_with_it(browser, house):
    question = house.book.ask(
        "Will the ferry sail?", ladder=["2029-01-31", "2030-01-31", "2031-01-31"]
    )
    here = f"/q/{question['questions'][1]}"
    browser.get(here)
    browser.send(f"{here}/settle", outcome="yes", source="wire")
    note = browser.notes()[0]
    assert "by 31 Jan 2029" in note
    assert "by 31 Jan 2031" in note
    outcomes = {one["id"]: one["outcome"] for one in house.book.questions()}
    assert {outcomes[name] for name in question["questions"]} == {"yes"}
