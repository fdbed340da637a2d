"""Long work runs beside the app, tells how far it is, and can be ended."""

import time

from forecasting.web.jobs import Job, Jobs
from tests.web.conftest import Browser


def wait(done, seconds=90):
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.1)


def test_the_chain_is_verified_in_another_process(browser, house):
    browser.get("/ledger")
    browser.send("/ledger/verify")
    key = str(browser.page.url).rpartition("/")[2]
    job = house.jobs.of(key)
    assert job is not None
    wait(lambda: job.over)
    page = browser.get(f"/jobs/{key}")
    assert "Verified: all" in page.text
    assert str(page.url).endswith(f"/ledger?work={key}")


def test_work_that_is_refused_says_why(house):
    job = house.jobs.start("x", "explain", who="ana", then="/", question="no-such-question")
    wait(lambda: job.over)
    assert (job.state, "no-such-question" in job.words) == ("failed", True)


def test_work_is_ended_and_what_waits_goes_on(browser, house):
    head = house.book.head()
    first = house.jobs.start("a", "update", who="ana", then="/updated", questions=())
    twin = house.jobs.start("a", "update", who="ana", then="/updated", questions=())
    assert twin is first
    second = house.jobs.start("b", "verify", who="ana", then="/ledger")
    wait(lambda: first.state == "running")
    browser.get(f"/jobs/{first.id}")
    browser.send(f"/jobs/{first.id}/end")
    assert first.state == "ended"
    # The app answers while something runs.
    assert browser.get("/").status_code == 200
    wait(lambda: second.over)
    assert second.state == "done"
    assert house.book.head() == head
    assert house.book.verify()["ok"]


def test_another_person_does_not_see_it(house):
    job = house.jobs.start("x", "verify", who="ben", then="/ledger")
    browser = Browser(house)
    assert browser.get(f"/jobs/{job.id}").status_code == 404
    house.jobs.end(job)


def test_old_work_is_forgotten_and_what_is_not_over_is_kept(database):
    jobs = Jobs("sqlite:///:memory:")
    jobs._turn.acquire()  # nothing starts
    waiting = [jobs.start(str(n), "verify", who=str(n), then="") for n in range(70)]
    assert all(isinstance(jobs.of(job.id), Job) for job in waiting)
    jobs.close()
    jobs._turn.release()
