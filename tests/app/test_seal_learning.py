"""Nobody learns from a sealed number before it is shown, and then whoever looks does."""

import datetime as dt
from dataclasses import replace

import pytest

from forecasting.app.forecast import pool
from forecasting.app.ledger import log as use
from forecasting.app.ledger import seal
from forecasting.app.scores.frame import Selection
from forecasting.pooling.worldview_weights import Spoken
from tests import season as ours
from tests.season import DAY, START, Diary

MINUTE = dt.timedelta(minutes=1)


def crowd(values, shown_on=None):
    """Four questions with two open forecasters, and one who seals and shows, or never does."""
    diary = Diary()
    asked = [ours.question(f"q{n}", opens=0, days=10 + n) for n in range(4)]
    diary.write(0, *asked)
    for n, question in enumerate(asked):
        for who, p in (("bob", 0.3), ("cat", 0.6), ("worldview:001", 0.4)):
            diary.write(1, ours.said(question, who, p + 0.05 * n, 1))
    for n, (question, value) in enumerate(zip(asked, values, strict=True)):
        use.log(
            diary.ledger,
            question.id,
            forecaster="ann",
            now=START + DAY + (n + 1) * MINUTE,
            probability=value,
            sealed=True,
        )
    for n, question in enumerate(asked[:3]):
        diary.write(10 + n, ours.resolved(question, ("yes", "no")[n % 2], 10 + n))
    if shown_on is not None:
        seal.reveal(diary.ledger, "", forecaster="ann", now=START + shown_on * DAY, everything=True)
    return diary


def learnt(diary, day):
    """Give everything that anybody learns from others' forecasts as of a day."""
    moment = START + day * DAY
    at = Selection(as_of=moment)
    worldviews = Spoken(diary.ledger.forecasts(head=diary.ledger.head_at(moment)))
    pools = pool.pool(diary.ledger, "q3", now=moment, method="skill-recency", selection=at)
    return (
        pools,
        pool.pool_scores(diary.ledger, selection=Selection(), resamples=99),
        worldviews.at("worldview:001", "q3", moment),
    )


@pytest.mark.parametrize("values", [["0.01"] * 4, ["0.99", "0.01", "0.99", "0.01"]])
def test_nobody_learns_from_a_number_before_it_is_shown(values):
    """The numbers, and whether they are ever shown, change nothing that was known before."""
    never = learnt(crowd(["0.5"] * 4), 12.5)
    # Shown on day 20: after every moment at which a pool was read, and after the outcomes.
    assert learnt(crowd(values, shown_on=20), 12.5) == never


def test_what_was_shown_in_time_is_learnt_from():
    """The law above is not kept by never learning."""
    early = learnt(crowd(["0.99"] * 4, shown_on=2), 12.5)
    assert early != learnt(crowd(["0.5"] * 4), 12.5)
    assert "ann" in early[0][0]["members"]


def test_a_worldview_that_was_revealed_is_not_what_it_had_said():
    diary = crowd(["0.9"] * 4)
    (one, *_) = diary.ledger.forecasts(forecaster="worldview:001")
    other = replace(one.value, entered=("0.99",))
    later = replace(one, sealed=3, issued_at=one.issued_at + DAY, value=other)
    worldviews = Spoken([one, later])
    assert worldviews.at("worldview:001", "q0", START + 5 * DAY) == one.value.numbers
