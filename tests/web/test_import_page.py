"""The import page takes what `forecast import` takes, and shows it before anything is written."""

import re
from pathlib import Path

import pytest

from forecasting.app.book import Book
from forecasting.web.house import House
from tests.web.conftest import ORIGIN, PORT, Browser

FILES = sorted((Path(__file__).parents[1] / "exchange" / "formats").iterdir())
#: Files whose times name no zone, and the zone that they were written in.
ZONES = {"fatebook.csv": "Europe/London", "gjp.csv": "America/New_York"} | {
    "gjp-both.zip": "America/New_York", "gjp-ifps.csv": "America/New_York", "iqisa.csv": "UTC",
}  # fmt: skip
COUNTS = ("in", "added", "duplicates", "questions", "forecasts", "resolutions")


@pytest.fixture
def empty(tmp_path):
    """A browser over a database without a bank."""
    with Book.plain(str(tmp_path / "empty.db"), forecaster="ana", create=True) as book:
        house = House(book, port=PORT)
        yield Browser(house)
        house.close()


def drop(browser, name, content=None, **said):
    """Put a file on the page, with what is said of it."""
    if not browser.page or not browser.forms("/ledger/preview"):
        browser.get("/ledger")
    form = browser.forms("/ledger/preview")[0]
    form.pop("file", None)
    files = {} if content is None else {"file": (name, content)}
    browser.page = browser.client.post(
        "/ledger/preview", data=form | said, files=files, headers={"Origin": ORIGIN}
    )
    return browser.page


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_platforms_file_comes_in_as_by_the_command(empty, tmp_path, path):
    zone = ZONES.get(path.name, "")
    head = empty.house.book.head()
    page = drop(empty, path.name, path.read_bytes(), zone=zone)
    said, told = {"zone": zone, "forecaster": "ana", "check_scores": True}, empty.faults()
    with Book.plain(str(tmp_path / "other.db"), forecaster="ana", create=True) as other:
        if told:
            # Surveys without their questions, say: refused in the same words.
            with pytest.raises(ValueError, match=re.escape(told[0].partition(": ")[2][:20])):
                other.import_record(path, **said)
            return
        found = other.import_record(path, **said)
    assert page.status_code == 200, empty.faults()
    assert empty.house.book.head() == head
    assert f"{found['in']} row" in page.text
    for rule in found["scores"]["rules"]:
        assert rule["convention"] in page.text.replace("&#39;", "'")
    empty.send("/ledger/import")
    assert "Brought in" in empty.notes()[0]
    assert len(empty.house.book.forecasts(kind="imported")) == found["forecasts"]
    drop(empty, path.name, path.read_bytes(), zone=zone)
    assert " 0 new" in empty.page.text


def test_a_fault_names_the_file_as_it_was_chosen_and_keeps_it(empty):
    path = next(path for path in FILES if path.name == "fatebook.csv")
    drop(empty, "my dear answers.csv", path.read_bytes())
    (fault,) = empty.faults()
    assert "in which zone" in fault
    assert "“Zone of its times” Europe/London" in fault
    assert "my dear answers.csv" in empty.page.text
    # It need not be chosen again.
    drop(empty, "", zone="Europe/London")
    assert empty.page.status_code == 200
    empty.send("/ledger/import")
    assert "Brought in" in empty.notes()[0]


def test_a_file_of_nothing_known_is_refused_by_its_own_name(empty):
    drop(empty, "cat.png", b"\x89PNG\r\n\x1a\n" + bytes(40))
    (fault,) = empty.faults()
    assert fault.startswith("cat.png: is a picture")
    assert "forecast import" not in fault


def test_whose_a_file_is_may_be_said(empty):
    table = "question,forecaster,forecast,issued_at,closes\nq1,Anna B,0.3,2025-01-01,2025-03-01\n"
    drop(empty, "x.csv", table.encode(), columns="nonsense")
    assert "Its heading = forecast" in empty.faults()[0]
    path = next(path for path in FILES if path.name == "metaculus.zip")
    drop(empty, "mc.zip", path.read_bytes(), user="nobody-there", columns="")
    assert "nobody in the file is called so" in empty.faults()[0]
    theirs = empty.faults()[0].partition("For example: ")[2].split(",")[0].strip()
    drop(empty, "", user=theirs)
    empty.send("/ledger/import")
    assert {row["forecaster"] for row in empty.house.book.forecasts(kind="imported")} >= {"ana"}
