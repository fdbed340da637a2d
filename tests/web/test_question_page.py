"""What a question's page says of its numbers is what they are."""

import re
import time
from pathlib import Path

import pytest

import forecasting.web

#: A question of sixty days whose outcome was known after thirty.
PAST = """\
question,opens,closes,probability,date,outcome,resolved_at,forecaster
Signed?,2026-01-01T00:00Z,2026-03-02T00:00Z,20%,2026-01-01T00:00Z,yes,2026-01-31T00:00Z,tom
"""
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


def test_a_stored_midnight_is_never_shown_as_the_day_that_it_begins():
    """What was known, ends or closes goes by the day that its midnight ends, on every page."""
    ends = r"(known_at|resolved_at|event_at|closes|resolves_by|until)\b[^}]*\|\s*(moment|day)\("
    templates = Path(forecasting.web.__file__).parent / "templates"
    assert not [
        (file.name, found.group(0))
        for file in templates.glob("*.j2")
        for found in re.finditer(ends, file.read_text())
    ]


def test_the_one_other_person_is_named_with_the_number_that_was_imported(imported):
    text = imported.page.text.replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert re.search(r"<dt>Other people</dt><dd>20 % <small>tom</small>", text)
    assert "imported, imported" not in text


def test_the_time_after_the_outcome_counts_as_even_and_the_page_says_so(imported):
    """Half the window at 20 % and yes (0.64), half of it as even (0.25)."""
    until = time.monotonic() + 90
    while "over the scheduled window" not in imported.page.text:
        assert time.monotonic() < until, "it took too long"
        imported.get(str(imported.page.url))
    row = re.search(r'<th scope="row">tom.*?</th><td>([\d.]+)</td>', imported.page.text)
    assert row
    assert float(row[1]) == pytest.approx((0.64 + 0.25) / 2, abs=0.001)
    assert "from the outcome to the scheduled close" in imported.page.text
    assert "stands until the close" not in imported.page.text
