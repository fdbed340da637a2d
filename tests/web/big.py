"""A ledger of many questions and forecasts, and what its pages cost: ``python -m tests.web.big``.

Prints the server's CPU time of each page, its median and the 95th percentile, over a ledger that is
made in a temporary folder: by default of 10,000 questions and 1,000,000 forecasts, in some minutes.
"""

import argparse
import datetime as dt
import random
import resource
import statistics
import tempfile
import time
from pathlib import Path

from forecasting import clock
from forecasting.app.book import Book
from forecasting.domain import Forecast, Question, Resolution
from forecasting.domain.forecast import Value
from forecasting.domain.outcome import OutcomeSpace
from forecasting.domain.question import Basis, ModelChoice
from forecasting.store import Ledger
from forecasting.web.house import House

NOW = dt.datetime(2026, 11, 28, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
PEOPLE = ("ana", "model", *(f"p{number:02d}" for number in range(18)))
PAGES = (
    *("/", "/questions", "/questions?text=sort+5&status=open", "/questions?sort=difference"),
    *("/questions?status=open&page=40", "/q/q{n}", "/ledger", "/ask", "/settings"),
)


def fill(path, *, questions, each, seed=1):
    """Write a ledger: `each` forecasts of every question, of twenty forecasters."""
    drawn = random.Random(seed)
    with Ledger.open(str(path), create=True) as ledger:
        asked = [_question(number, drawn) for number in range(questions)]
        ledger.append(asked, recorded_at=NOW - 300 * DAY)
        batch = []
        for question in asked:
            span = min(question.closes, NOW) - question.opens
            for k in range(each):
                at = question.opens + span * ((k + drawn.random()) / each * 0.999)
                value = Value("binary", ("yes",), (f"{drawn.randint(2, 98) / 100:.2f}",))
                who = PEOPLE[k % len(PEOPLE)]
                batch.append(Forecast(question.id, question.wording_hash, who, value, at, "live"))
            if len(batch) >= 20_000:
                ledger.append(batch, recorded_at=NOW)
                batch = []
        ledger.append(batch, recorded_at=NOW)
        over = [question for question in asked if question.closes < NOW - 20 * DAY]
        outcomes = [Resolution(q.id, drawn.choice(["yes", "no"]), q.closes, "wire") for q in over]
        ledger.append(outcomes, recorded_at=NOW)


def _question(number, drawn):
    opens = NOW - drawn.uniform(160, 299) * DAY
    return Question(
        id=f"q{number}", title=f"Will thing {number} of sort {number % 37} come about?",
        criteria="It counts when two wires say so.", background="",
        space=OutcomeSpace("binary", ("yes", "no")), zone="Europe/Kyiv", opens=opens,
        closes=(closes := NOW + drawn.uniform(-150, 200) * DAY), resolves_by=closes,
        topic=f"topic{number % 23}", event=f"q{number}", tags=(f"tag{number % 11}",),
        basis=Basis("context", ()), model=ModelChoice("world", "world", "", {}),
    )  # fmt: skip


def costs(house, *, rounds, questions):
    """Give the CPU seconds that each page took, round by round, after a first look."""
    from tests.web.conftest import Browser

    browser = Browser(house)
    seconds = {}
    for page in PAGES:
        for number in range(rounds + 1):
            address = page.replace("{n}", str(number * 37 % questions))
            began = time.process_time()
            assert browser.get(address).status_code == 200
            if number:
                seconds.setdefault(page, []).append(time.process_time() - began)
    return seconds


def main():
    """Make the ledger and print what its pages cost."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--questions", type=int, default=10_000)
    options.add_argument("--each", type=int, default=100)
    options.add_argument("--rounds", type=int, default=20)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, clock.at(NOW):
        path = Path(folder) / "big.db"
        fill(path, questions=asked.questions, each=asked.each)
        with Book.plain(str(path), forecaster="ana") as book:
            began = time.process_time()
            book.needs()
            print(f"read once: {time.process_time() - began:.1f} s")
            seconds = costs(House(book), rounds=asked.rounds, questions=asked.questions)
    for page, took in seconds.items():
        print(f"{page:40} {1000 * statistics.median(took):7.1f} ms")
    every = sorted(each for took in seconds.values() for each in took)
    late = every[int(0.95 * len(every))]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"median {1000 * statistics.median(every):.0f} ms, p95 {1000 * late:.0f} ms of CPU")
    print(f"memory at most {memory:.0f} MB")


if __name__ == "__main__":
    main()
