"""A number that counts days is typed and shown as a date at every door, and kept as the count."""

import re

import pytest

from forecasting import clock
from forecasting.app.book import Book
from forecasting.domain.instants import DAYS
from forecasting.errors import InvalidInput
from forecasting.web.house import House
from tests.doors.conftest import NOW
from tests.web.conftest import Browser

SHEET = f"""question,title,forecaster,forecast,issued_at,type,lower,upper,unit,opens,closes
meet,When do they meet?,ben,5=20454;50=20543.5;95=20634,2025-12-02,numeric,20423,21000,{DAYS},\
2025-12-01,2026-12-31
"""
BEN = {"5": "2026-01-01", "50": "2026-03-31", "95": "2026-06-30"}
#: The counts of this question's days.
COUNT = re.compile(r"\b2(?:0[4-9]|1[0-9])\d\d(?:\.\d+)?\b|days since")


@pytest.fixture
def path(tmp_path):
    (tmp_path / "sheet.csv").write_text(SHEET, encoding="utf-8")
    database = tmp_path / "book.db"
    with clock.at(NOW), Book.plain(str(database), forecaster="ana", create=True) as book:
        book.import_record(tmp_path / "sheet.csv", "csv")
        yield database


@pytest.fixture
def book(path):
    with Book.plain(str(path), forecaster="ana") as opened:
        yield opened


def test_a_forecast_of_a_day_is_dates_and_is_kept_as_counts(book):
    (row,) = book.log("meet", {"5": "5 Jan 2027", "50": "2027-03-01", "95": "20900"})
    assert row["forecast"] == {"5": "2027-01-05", "50": "2027-03-01", "95": "2027-03-23"}
    (kept,) = [each for each in book.ledger.forecasts() if each.forecaster == "ana"]
    assert kept.value.entered == ("20823", "20878", "20900")
    assert book.history("meet", forecaster="ben")[0]["forecast"] == BEN
    assert book.question("meet")[0]["range"] == ["2025-12-01", "2027-07-01"]


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        (("2027-01-05", "2020-03-01"), "in the range, 2025-12-01 to 2027-07-01"),
        (("2027-01-05", "2026-03-01"), r"\(2027-01-05, 2026-03-01\): must not fall"),
        (("2027-01-05", "2027-02-30"), "2027-02-30"),
    ],
)
def test_a_forecast_that_cannot_be_is_refused_in_dates(book, dates, words):
    with pytest.raises(InvalidInput, match=words) as refused:
        book.log("meet", dict(zip(("5", "50"), dates, strict=True)))
    assert not COUNT.search(str(refused.value))


def test_an_outcome_is_a_date_and_is_kept_as_a_count(book):
    with pytest.raises(InvalidInput, match="is open until") as early:
        book.resolve("meet", "12 March 2026", source="wire")
    with pytest.raises(InvalidInput, match="kept as >2027-07-01") as beyond:
        book.resolve("meet", "2028-01-01", source="wire", sure=False)
    assert not COUNT.search(f"{early.value} {beyond.value}")
    (row,) = book.resolve("meet", "12 March 2026", source="wire", sure=True)
    assert row["outcome"] == book.resolutions("meet")[0]["outcome"] == "2026-03-12"
    assert book.ledger.resolutions()[0].outcome == "20524"
    with pytest.raises(InvalidInput, match="already resolved 2026-03-12"):
        book.resolve("meet", "2026-03-12", source="wire", sure=True)
    (score,) = book.scores(kind="imported", question="meet")
    assert score["unit"] == "days"


COMMANDS = [
    ["questions", "list"], ["questions", "show", "meet"], ["history", "meet"],
    ["resolutions", "meet"], ["score", "--kind", "imported"],
    ["import", "csv", "{sheet}", "--dry-run"],
]  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words[:2]))
@pytest.mark.parametrize("json", [False, True], ids=["table", "json"])
def test_no_command_prints_a_count(path, run, words, json, tmp_path):
    words = [word.format(sheet=tmp_path / "sheet.csv") for word in words]
    front = ["--db", str(path), *(["--json"] if json else [])]
    assert run(*front, "resolve", "meet", "2026-03-12", "--source", "wire", "--sure")[0] == 0
    code, out, _ = run(*front, *words)
    assert code == 0
    assert not COUNT.search(out), out


def words_of(page):
    return re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", page, flags=re.S)


def test_no_page_shows_a_count_and_its_form_takes_dates(book, tmp_path):
    browser = Browser(House(book))
    text = browser.get("/q/meet").text
    assert "2026-03-31 (5 to 95 %: 2026-01-01 to 2026-06-30)" in text
    browser.send("/q/meet/log", **{"q[5]": "2026-02-01", "q[50]": "1 May 2026", "q[95]": "20700"})
    assert 'value="2026-05-01"' in browser.page.text
    browser.get("/q/meet")
    browser.send("/q/meet/log", help="around", one="2031-09-01", sure="quite")
    assert browser.faults() == ["1 Sep 2031: must lie from 1 Dec 2025 to 1 Jul 2027"]
    browser.get("/q/meet")
    browser.send("/q/meet/log", help="around", one="2026-09-01", sure="quite")
    assert re.search(r'name="q\[5\]"[^>]*value="2026-0[67]-\d\d"', browser.page.text)
    book.resolve("meet", "2026-03-12", source="wire", sure=True)
    for address in ("/q/meet", "/questions", "/", "/ledger"):
        assert not COUNT.search(words_of(browser.get(address).text)), address
    book.review(tmp_path / "review", kind="imported")
    page = (tmp_path / "review" / "index.html").read_text(encoding="utf-8")
    assert "2026-03-12" in page
    assert not COUNT.search(words_of(page))


def test_days_beyond_the_calendar_and_in_the_order_of_a_file(run, tmp_path):
    head, row = SHEET.split("\n", 1)
    far = row.replace("20423,21000", "20423,1000000000").replace("95=20634", "95=900000000")
    other = row.replace("meet,", "file,", 1).replace(
        "5=20454;50=20543.5", "5=05/06/2026;50=07/06/2026"
    )
    (tmp_path / "far.csv").write_text(f"{head}\n{far}{other.replace('95=20634', '95=09/06/2026')}")
    code, _, err = run("import", "csv", tmp_path / "far.csv", "--create", "--dates", "dmy")
    assert code == 0, err
    shown = [
        run(*words) for words in (("history", "meet"), ("questions", "list"), ("history", "file"))
    ]
    assert [code for code, _, _ in shown] == [0, 0, 0]
    assert "9999-12-31" in shown[0][1]
    assert "2026-06-05" in shown[2][1]
