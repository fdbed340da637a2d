"""Long work runs beside the app, tells how far it is, and can be ended."""

import re

import pytest

from forecasting.web.jobs import Job, Jobs
from tests.web.conftest import eventually


def test_the_chain_is_verified_in_another_process(browser, house):
    browser.get("/ledger")
    browser.send("/ledger/verify")
    key = str(browser.page.url).rpartition("/")[2]
    job = house.jobs.of(key)
    assert job is not None
    eventually(lambda: job.over)
    page = browser.get(f"/jobs/{key}")
    assert "Verified: all" in page.text
    assert str(page.url).endswith(f"/ledger?work={key}")


def test_work_that_is_refused_says_why(house):
    job = house.jobs.start("x", "explain", who="ana", then="/", question="no-such-question")
    eventually(lambda: job.over)
    assert (job.state, "no-such-question" in job.words) == ("failed", True)


def test_work_is_ended_and_what_waits_goes_on(browser, house):
    head = house.book.head()
    first = house.jobs.start("a", "update", who="ana", then="/updated", questions=())
    twin = house.jobs.start("a", "update", who="ana", then="/updated", questions=())
    assert twin is first
    second = house.jobs.start("b", "verify", who="ana", then="/ledger")
    eventually(lambda: first.state == "running")
    browser.get(f"/jobs/{first.id}")
    browser.send(f"/jobs/{first.id}/end")
    assert first.state == "ended"
    # The app answers while something runs.
    assert browser.get("/").status_code == 200
    eventually(lambda: second.over)
    assert second.state == "done"
    assert house.book.head() == head
    assert house.book.verify()["ok"]


STEP = {"title": "A report", "source": "wire", "known_at": None}
OPTIONS = {
    "question": "q", "scale": "log-odds", "lower": None, "upper": None, "full_bar": 1.0,
    "prior": {"none": 0.75, "soft": 0.25}, "posterior": {"none": 0.5, "soft": 0.5}, "undo": None,
    "change": {"none": -1.1, "soft": 0.0},
    "items": [
        STEP | {
            "delta_logit": {"none": -1.1, "soft": 0.0}, "mcse": {"none": 0.04, "soft": 0.03},
            "clear": {"none": True, "soft": False},
        },
    ],
}  # fmt: skip
AMOUNT = OPTIONS | {
    "scale": "median in persons", "prior": 300.0, "posterior": 450.0, "change": 150.0,
    "items": [STEP | {"delta_logit": 150.0, "mcse": 9.0, "clear": True}],
}  # fmt: skip
STILL = AMOUNT | {
    "change": 0.0, "items": [STEP | {"delta_logit": 0.0, "mcse": 9.0, "clear": False}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            OPTIONS,
            ("none: 75 % · soft: 25 %", "none: 50 % · soft: 50 %", "none −1.10, soft 0 ±0.03"),
        ),
        (AMOUNT, ("300", "450", "+150")),
        (STILL, ("300", "450", "0 ±9.00")),
    ],
)
def test_what_takes_a_number_apart_is_in_its_own_unit(browser, house, row, words):
    job = Job("x", "x", "explain", "ana", {"question": "q"}, "", 0, state="done", result=[row])
    house.jobs._jobs["x"] = job
    page = browser.get("/q/q/why").text.replace("\N{NARROW NO-BREAK SPACE}", " ")
    shown = re.findall(
        r'<span>(.*?) <small>|<strong>(.*?)</strong>|<td class="n"[^>]*>([^<]*)<', page
    )
    shown = [re.sub(r"<[^>]*>", "", "".join(cell)) for cell in shown]
    assert tuple(shown) == words


def test_work_is_under_way_for_all_and_led_to_for_who_began_it(browser, house):
    """Whoever left its page finds back to it; nobody else begins the same anew, or sees it."""
    house.jobs._turn.acquire()  # nothing starts
    mine, other = (
        house.jobs.start(f"Work of {who}", "verify", who=who, then="/ledger")
        for who in ("ana", "ben")
    )
    page = browser.get("/questions").text
    assert f'<a href="/jobs/{mine.id}">Work of ana</a>' in page
    assert "Work of ben, for ben" in page
    assert other.id not in page
    page = browser.get(f"/jobs/{other.id}")
    assert (page.status_code, "Only ben, who began this work" in page.text) == (404, True)
    house.jobs.end(mine)
    house.jobs.end(other)
    house.jobs._turn.release()
    assert "Under way" not in browser.get("/questions").text


def test_old_work_is_forgotten_and_what_is_not_over_is_kept(database):
    jobs = Jobs("sqlite:///:memory:")
    jobs._turn.acquire()  # nothing starts
    waiting = [jobs.start(str(n), "verify", who=str(n), then="") for n in range(70)]
    assert all(isinstance(jobs.of(job.id), Job) for job in waiting)
    jobs.close()
    jobs._turn.release()
