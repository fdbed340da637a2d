"""The import page takes what `forecast import` takes, and shows it before anything is written."""

import csv
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path

import pytest

from forecasting.app.book import Book
from forecasting.errors import ForecastingError
from forecasting.web.faults import fault_of
from forecasting.web.jobs import Jobs
from forecasting.web.work import CALLS
from tests.web.conftest import ORIGIN, Browser, eventually

FORMATS = Path(__file__).parents[1] / "exchange" / "formats"
#: Files of each ending, with the zone of their times where they name none.
FILES = {"cultivate.json": "", "metaculus.zip": "", "fatebook.csv": "Europe/London"} | {
    "gjp.csv": "America/New_York", "gjp-both.zip": "America/New_York",
}  # fmt: skip


class Here(Jobs):
    """Work done in this process, where a law is of what is done and not of how."""

    def _run(self, job):
        with Book.plain(self._database, forecaster=job.who) as book:
            try:
                job.result = CALLS[job.call](book, lambda *told: None, **job.options)
                job.state = "done"
            except ForecastingError as refused:
                job.fault = fault_of(refused)
                job.words, job.state = job.fault.words, "failed"
        with self._over:
            self._over.notify_all()


@pytest.fixture
def here(empty):
    """The same browser; the work on its files begins no process."""
    empty.house.jobs = Here(empty.house.book.database)
    return empty


def drop(browser, name, content=None, **said):
    """Put a file on the page, with what is said of it; wait for its preview."""
    if not browser.page or not browser.forms("/ledger/preview"):
        browser.get("/ledger")
    form = browser.forms("/ledger/preview")[0]
    form.pop("file", None)
    files = {} if content is None else {"file": (name, content)}
    browser.page = browser.client.post(
        "/ledger/preview", data=form | said, files=files, headers={"Origin": ORIGIN}
    )
    return browser.settled()


def bring(browser, **typed):
    """Confirm the preview, and wait until it is brought in."""
    browser.send("/ledger/import", **typed)
    return browser.settled()


def imported(browser):
    """Give the forecasts that were brought in."""
    return browser.house.book.forecasts(kind="imported")


@pytest.mark.parametrize("name", FILES)
def test_a_platforms_file_comes_in_as_by_the_command(here, tmp_path, name):
    path, zone = FORMATS / name, FILES[name]
    head = here.house.book.head()
    page = drop(here, path.name, path.read_bytes(), zone=zone)
    said, told = {"zone": zone, "forecaster": "ana", "check_scores": True}, here.faults()
    with Book.plain(str(tmp_path / "other.db"), forecaster="ana", create=True) as other:
        if told:
            # Surveys without their questions, say: refused in the same words.
            with pytest.raises(ValueError, match=re.escape(told[0].partition(": ")[2][:20])):
                other.import_record(path, **said)
            return
        found = other.import_record(path, **said)
    assert page.status_code == 200, here.faults()
    assert here.house.book.head() == head
    counted = f"{found['in']:,} row"
    assert counted in page.text
    for rule in found["scores"]["rules"]:
        assert rule["convention"] in page.text.replace("&#39;", "'")
    bring(here)
    assert "Brought in" in here.notes()[0]
    assert len(imported(here)) == found["forecasts"]
    drop(here, path.name, path.read_bytes(), zone=zone)
    assert " 0 new" in here.page.text


def test_a_fault_names_the_file_as_it_was_chosen_and_keeps_it(here):
    path = FORMATS / "fatebook.csv"
    drop(here, "my dear answers.csv", path.read_bytes())
    (fault,) = here.faults()
    assert "in which zone" in fault
    assert "“Zone of its times” Etc/UTC, for fatebook.io writes UTC" in fault
    assert "my dear answers.csv" in here.page.text
    # It need not be chosen again.
    drop(here, "", zone="Europe/London")
    assert here.page.status_code == 200
    bring(here)
    assert "Brought in" in here.notes()[0]


def test_a_file_of_nothing_known_is_refused_by_its_own_name(here):
    drop(here, "cat.png", b"\x89PNG\r\n\x1a\n" + bytes(40))
    (fault,) = here.faults()
    assert fault.startswith("cat.png: is a picture")
    assert "forecast import" not in fault


def test_whose_a_file_is_may_be_said(here):
    table = "question,forecaster,forecast,issued_at,closes\nq1,Anna B,0.3,2025-01-01,2025-03-01\n"
    drop(here, "x.csv", table.encode(), columns="nonsense")
    assert "Its heading = forecast" in here.faults()[0]
    path = FORMATS / "metaculus.zip"
    drop(here, "mc.zip", path.read_bytes(), user="nobody-there", columns="")
    assert "nobody in the file is called so" in here.faults()[0]
    theirs = here.faults()[0].partition("For example: ")[2].split(",")[0].strip()
    drop(here, "", user=theirs)
    bring(here)
    assert {row["forecaster"] for row in imported(here)} >= {"ana"}


HEADINGS = "question,forecaster,forecast,issued_at,closes,outcome,resolved_at"
ROW = "q{},ana,{},2025-01-{:02},2025-03-01,,"
ROWS = [ROW.format(n % 9, f"0.{n % 9 + 1}", n % 28 + 1) for n in range(90)]
TABLE = "\n".join([HEADINGS, *ROWS, ROW.format(1, "lots", 5)]).encode()


def counted(text):
    """Give how many rows a page says that it read, took, held already and refused."""
    found = re.search(
        r"([\d,]+) rows? read: ([\d,]+) new, ([\d,]+) held.*?, ([\d,]+) refused", text
    )
    return [int(each.replace(",", "")) for each in found.groups()]


def test_what_was_brought_in_is_told_and_its_counts_add_up(here):
    drop(here, "mine.csv", TABLE)
    read, *parts = counted(here.page.text)
    assert read == sum(parts) == 91
    bring(here)
    assert str(here.page.url).rpartition("?")[0].endswith("/ledger/brought")
    assert counted(here.page.text) == [read, *parts]
    assert parts[0] == len(imported(here))
    assert "line 92: " in here.page.text
    # It stands after a reload too, and is taken back from there.
    assert counted(here.get(str(here.page.url)).text) == [read, *parts]
    here.send("/ledger/undo")
    assert "Taken back" in here.notes()[0]


def test_an_import_that_is_sent_twice_writes_once(empty):
    drop(empty, "mine.csv", TABLE)
    form = empty.forms("/ledger/import")[0]
    with ThreadPoolExecutor(4) as pool:
        sent = [
            pool.submit(
                empty.client.post, "/ledger/import", data=form, headers={"Origin": ORIGIN},
                follow_redirects=False,
            )
            for _ in range(4)
        ]  # fmt: skip
    assert len({each.result().headers["location"] for each in sent}) == 1
    empty.get(sent[0].result().headers["location"])
    empty.settled()
    head, brought = empty.house.book.head(), len(imported(empty))
    assert brought == counted(empty.page.text)[1] > 0
    # And gone back to, after it was done.
    bring(empty, form=form)
    assert "not written twice" in empty.notes()[0]
    assert (empty.house.book.head(), len(imported(empty))) == (head, brought)


#: A process that stands still in the middle of its transaction, with rows in it.
STANDING = """
import time
from forecasting.app.ledger import importing
took = importing.import_record
def slowed(*given, progress, **options):
    def telling(stage, done, total):
        progress(stage, done, total)
        if stage == "recording" and done:
            time.sleep(600)
    return took(*given, progress=telling, **options)
importing.import_record = slowed
from forecasting.web.work import main
main()
"""


@pytest.fixture
def halfway(empty, tmp_path, monkeypatch):
    """A browser on the page of an import that stands still in the middle of its transaction."""
    far, empty.house.jobs = empty.house.jobs, Here(empty.house.book.database)
    drop(empty, "mine.csv", TABLE)
    form = empty.forms("/ledger/import")[0]
    empty.house.jobs = far
    script = tmp_path / "standing.py"
    script.write_text(STANDING, "utf-8")
    with monkeypatch.context() as patched:
        begin = subprocess.Popen
        patched.setattr(
            subprocess, "Popen", lambda _, **how: begin([sys.executable, script], **how)
        )
        empty.send("/ledger/import", form=form)
        here = str(empty.page.url)
        # It first tells of none, and stands still at the next telling.
        eventually(lambda: re.search(r"[1-9]\d* of \d+ entries recorded", empty.get(here).text))
    return empty, form


def test_an_import_shows_how_far_it_is_while_the_app_goes_on(halfway):
    browser, _ = halfway
    text = browser.page.text
    assert re.search(r'<progress [^>]*max="99" value="9"', text)
    assert "9 of 99 entries recorded" in text
    # Without a script the page looks again by itself; with one a part of it does.
    assert '<noscript><meta http-equiv="refresh"' in text
    assert "hx-trigger" in text
    for page in ("/", "/questions", "/ledger", "/review"):
        assert browser.get(page).status_code == 200


def test_an_import_that_is_ended_leaves_nothing(halfway):
    browser, form = halfway
    end = next(a for a in re.findall(r'action="([^"]+)"', browser.page.text) if "/end" in a)
    browser.send(end)
    assert "Nothing of the file was recorded" in browser.page.text
    book = browser.house.book
    assert (book.head(), book.questions(), imported(browser)) == (0, [], [])
    assert book.verify()["ok"]
    # The form that began it may be sent again: it wrote nothing yet.
    bring(browser, form=form)
    assert counted(browser.page.text)[1] == len(imported(browser)) > 0


def test_a_file_does_not_wait_for_a_simulation(empty):
    with empty.house.jobs._turn:
        assert counted(drop(empty, "mine.csv", TABLE).text)[0] == 91


def test_a_preview_does_not_wait_for_another_file_but_what_is_written_does(empty, monkeypatch):
    with empty.house.jobs._files:
        # Somebody else's file of a million rows is at work.
        assert counted(drop(empty, "mine.csv", TABLE).text)[0] == 91
        empty.send("/ledger/import")
        assert "waits for what runs before it" in empty.page.text
    empty.settled()
    assert "Brought in" in empty.notes()[0]
    monkeypatch.setattr("forecasting.web.jobs.ORDINARY", len(TABLE) - 1)
    monkeypatch.setattr("forecasting.web.jobs.PATIENCE", 0.1)
    with empty.house.jobs._files:
        empty.get("/ledger")
        form = empty.forms("/ledger/preview")[0]
        form.pop("file", None)
        page = empty.client.post(
            "/ledger/preview", data=form, files={"file": ("large.csv", TABLE)},
            headers={"Origin": ORIGIN},
        )  # fmt: skip
        assert "waits for what runs before it" in page.text


def test_what_restates_questions_alone_may_be_brought_in(here):
    drop(here, "mine.csv", TABLE)
    bring(here)
    later = TABLE.replace(HEADINGS.encode(), f"{HEADINGS},topic".encode())
    rows = [f"{one},truces" for one in later.decode().splitlines()[1:]]
    page = drop(here, "again.csv", "\n".join([f"{HEADINGS},topic", *rows]).encode())
    assert " 0 new" in page.text
    assert "disabled" not in page.text.partition("Bring it in")[0].rpartition("<button")[2]
    bring(here)
    assert {one["topic"] for one in here.house.book.questions()} == {"truces"}


def test_an_import_is_seen_by_who_began_it_alone(here):
    drop(here, "mine.csv", TABLE)
    place = str(here.page.url)
    other = Browser(here.house, enter=False)
    other.client.get(f"/enter?token={here.house.sessions.invite('ben')}")
    assert counted(here.get(place).text)[0] == 91
    assert "mine.csv" not in other.get(place).text


def test_a_preview_counts_the_rows_of_the_file_and_shows_its_titles(here):
    """A row of Fatebook states an outcome and a score beside its forecast: it is still one row."""
    path = FORMATS / "fatebook.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    page = drop(here, path.name, path.read_bytes(), zone=FILES[path.name]).text
    assert f"{len(rows)} rows read" in page
    table = page.partition("<tbody>")[2].partition("</tbody>")[0]
    shown = [unescape(each) for each in re.findall(r'class="whole">(.*?)</th>', table)]
    titles = " ".join(row["Question title"] for row in rows)
    assert shown
    assert all(re.sub(r"<[^>]+>", "", each).partition(": ")[0][:20] in titles for each in shown)
