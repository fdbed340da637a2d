"""Every field of the web that takes a number reads it as each other door does, or refuses it."""

import shutil
from html import unescape
from pathlib import Path

import pytest

from forecasting.app.book import Book
from forecasting.domain.catalog import Catalog
from forecasting.domain.reading import Manner, probability
from forecasting.errors import InvalidInput
from tests.doors.spellings import NUMBERS, PROBABILITIES, Refused
from tests.web.conftest import ORIGIN

#: Shares below 1 in every form that a number takes: beside a percent sign each is ambiguous.
SHARES = ("0.5", ".5", ",5", "0,5", "1e-1", "5e-1", "+.5", "0.50", ".05")


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A ledger with a question of every type, and no bank."""
    path = tmp_path_factory.mktemp("numbers") / "asked.db"
    with Book.plain(str(path), forecaster="ana", create=True) as book:
        book.ask("Will the convoy come?", by="2027-06-30", slug="convoy")
        book.ask("Who mediates?", by="2027-06-30", slug="who", options=["none", "firm"])
        book.ask("By when?", ladder=["2027-03-31", "2027-06-30"], slug="rungs")
        book.ask("How many?", by="2027-06-30", slug="many", span="-10..5000000", unit="people")
    return path


@pytest.fixture
def database(asked, tmp_path):
    return Path(shutil.copy(asked, tmp_path / "forecasts.db"))


def _last(browser, name):
    forecasts = browser.house.book.ledger.forecasts(question=name)
    return forecasts[-1].value if forecasts else None


def _entered(browser, name):
    value = _last(browser, name)
    return dict(zip(value.labels, value.entered, strict=True))


def _post(browser, action, **fields):
    """Send the form of a page whose name is before the last part, filled, with a press of help."""
    browser.get(action.rpartition("/")[0])
    form = browser.forms(action)[0]
    browser.page = browser.client.post(action, data=form | fields, headers={"Origin": ORIGIN})
    return browser.page


def _refused(browser, typed, field):
    """Say whether the page refuses beside the form and keeps what was typed in the field."""
    [form] = [one for one in browser.forms(browser.page.url.path) if field in one][:1] or [{}]
    return browser.page.status_code == 422 and browser.faults() and form.get(field) == typed.strip()


def test_the_percent_field_reads_as_a_column_in_percent_and_never_takes_a_share(browser):
    """What a file read with ``unit=percent`` gives is logged; a bare number below 1 is asked on."""
    for text in (*SHARES, *PROBABILITIES):
        how = Manner(unit="percent")
        try:
            meant = float(probability(text, manner=how)[0])
        except InvalidInput:
            meant = None
        before = _last(browser, "convoy")
        _post(browser, "/q/convoy/log", p=text)
        if meant is None or "below 1 %" in how.seen:
            assert _refused(browser, text, "p"), text
            assert _last(browser, "convoy") == before, text
        else:
            assert browser.page.status_code == 200, text
            assert _last(browser, "convoy").probability == meant, text


def test_no_form_with_a_percent_sign_takes_a_share(browser):
    book = browser.house.book
    head = book.head()
    for text in SHARES:
        for help_ in ("sum", ""):
            _post(browser, "/q/who/log", help=help_, **{"p[none]": text, "p[firm]": "50"})
            assert _refused(browser, text, "p[none]"), text
        for help_ in ("rise", ""):
            _post(browser, "/q/rungs@2027-03-31/log", help=help_, **{"p[2027-03-31]": text})
            assert _refused(browser, text, "p[2027-03-31]"), text
        browser.get("/ask")
        browser.send("/ask", title="Will it rain?", by="2027-06-30", p=text)
        assert browser.page.status_code == 422, text
        assert browser.faults()
        browser.get("/")
        browser.send("/log", question="convoy", p=text)
        assert browser.page.status_code == 422, text
    assert book.head() == head


@pytest.mark.parametrize(("text", "meant"), NUMBERS.items())
def test_every_field_of_a_number_reads_alike(browser, text, meant):
    """A quantile, the one number of a curve, and an outcome: the same number or the same words."""
    words = meant.words if isinstance(meant, Refused) else ""
    beyond = not words and meant[0] in "<>"
    level = {"q[5]": "-10", "q[25]": "", "q[50]": text, "q[75]": "", "q[95]": "5000000"}
    _post(browser, "/q/many/log", **level)
    if words or beyond:
        assert _refused(browser, text, "q[50]")
        assert words in unescape(browser.faults()[0])
    else:
        assert _entered(browser, "many")["50"] == meant
    _post(browser, "/q/many/log", one=text, sure="fairly", help="around", because="a long reason")
    assert "a long reason" in browser.page.text
    if words or beyond:
        assert _refused(browser, text, "one")
        assert words in unescape(browser.faults()[0])
    else:
        form = browser.forms("/q/many/log")[0]
        assert form["q[50]"] == meant
        assert float(form["q[5]"]) <= float(meant) <= float(form["q[95]"])
    _post(browser, "/q/many/settle", outcome=text, source="x", sure="1")
    if beyond and text.strip()[:1] not in "<>" and text not in ("above", "below"):
        # What is not stated as beyond the bounds is asked about once.
        assert "is it meant" in unescape(browser.faults()[0])
        _post(browser, "/q/many/settle", outcome=text, source="x", sure="1", meant=text)
    resolution = Catalog.of(browser.house.book.ledger).outcomes.get("many")
    if words:
        assert words in unescape(browser.faults()[0])
        assert resolution is None
    else:
        assert resolution.outcome == meant


def test_the_bounds_of_a_question_are_read_alike(browser):
    browser.get("/ask")
    more = {"title": "How much?", "by": "2027-06-30", "kind": "number", "unit": "t"}
    browser.send("/ask", low="0", high="1,234", **more)
    assert browser.page.status_code == 422
    assert "is 1.234 or 1234" in browser.faults()[0]
    assert browser.forms("/ask")[0]["high"] == "1,234"
    browser.send("/ask", low="-5", high="1 200,5", **more)
    asked = browser.house.book.question_page("how-much").question
    assert (asked.space.lower, asked.space.upper) == (-5.0, 1200.5)
