"""Today: what needs somebody is done there, once."""


def test_a_number_is_logged_where_the_question_stands(browser, house):
    browser.get("/")
    form = browser.forms("/log")[0]
    browser.send("/log", p="35")
    assert browser.page.status_code == 200
    (note,) = browser.notes()
    assert house.book.asked(form["question"])[0].title in note
    row = house.book.history(form["question"], forecaster="ana")[-1]
    assert (row["forecast"], row["forecaster"], row["kind"]) == (0.35, "ana", "live")


def test_an_outcome_wants_a_source(browser, house):
    browser.get("/")
    form = browser.forms("/resolve")[0]
    browser.send("/resolve", form, source="", outcome="no")
    assert browser.faults()
    browser.send("/resolve", form, source="https://example.org/word", outcome="no")
    assert house.book.asked(form["question"])[0].title in browser.notes()[0]
    # A slip is taken back where it was made.
    browser.send(f"/q/{form['question']}/settle")
    assert "has no outcome again" in browser.notes()[0]
    assert form["question"] in {row["question"] for row in house.book.due()}


def test_an_empty_workspace_says_what_to_begin_with(empty):
    page = empty.get("/").text
    assert "Ask your first question" in page
    assert 'action="/update"' not in page
    empty.house.book.ask("Will the ferry sail?", "30%", by="2031-01-31")
    page = empty.get("/").text
    assert "Nothing needs you today" in page
    # No model answers the question, so the page offers no update.
    assert 'action="/update"' not in page
