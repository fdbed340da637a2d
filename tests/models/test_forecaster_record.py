"""Which judgements were in force, and which had come out, as of a moment."""

import datetime as dt
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.domain.forecast import Forecast, model_value
from forecasting.domain.outcome import OutcomeSpace
from forecasting.domain.resolution import Resolution, Withdrawal
from forecasting.models.forecaster_record import judgements_known

BINARY = OutcomeSpace.binary()


def day(number):
    return dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=number)


def question(name="q", opens=0, closes=10):
    return SimpleNamespace(
        id=name, event="e", opens=day(opens), closes=day(closes), space=BINARY, type="binary"
    )


def said(p, at, who="ana", name="q", kind="live", recorded=None):
    return Forecast(
        question=name,
        question_hash="",
        forecaster=who,
        value=model_value(BINARY, [p]),
        issued_at=day(at),
        kind=kind,
        recorded_at=day(at if recorded is None else recorded),
    )


def known(forecasts, as_of, *, outcome=None, taken=(), recorded=False):
    outcomes = {} if outcome is None else {"q": outcome}
    found = judgements_known(
        forecasts, taken, {"q": question()}, outcomes, day(as_of), recorded=recorded
    )
    return [(j.forecaster, j.probability, j.outcome) for j in found]


def test_the_latest_is_in_force_until_it_is_taken_back():
    forecasts = [said(0.3, 1), said(0.6, 4), said(0.5, 2, who="bo")]
    assert known(forecasts, 3) == [("ana", 0.3, None), ("bo", 0.5, None)]
    assert known(forecasts, 4) == [("ana", 0.6, None), ("bo", 0.5, None)]
    taken = [Withdrawal("q", "ana", day(5))]
    assert known(forecasts, 4.5, taken=taken)[0] == ("ana", 0.6, None)
    assert known(forecasts, 5, taken=taken) == [("bo", 0.5, None)]
    assert known([*forecasts, said(0.7, 6)], 6, taken=taken)[0] == ("ana", 0.7, None)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 12)), max_size=8), st.floats(0, 12))
def test_nothing_said_later_reaches_it(later, as_of):
    forecasts = [said(0.3, 0), said(0.8, 3)]
    poison = [said(p, as_of + 0.01 + at) for p, at in later]
    assert known([*forecasts, *poison], as_of) == known(forecasts, as_of)


def test_what_was_recorded_later_does_not_count_for_a_live_forecast():
    backdated = [said(0.9, 1, recorded=5, kind="elicited")]
    assert known(backdated, 3) == [("ana", 0.9, None)]
    assert known(backdated, 3, recorded=True) == []
    assert known(backdated, 5, recorded=True) == [("ana", 0.9, None)]


def test_the_tool_itself_never_judges():
    names = ("model", "prior", "worldview:003", "pool:worldviews", "always-0.5", "climatology")
    assert known([said(0.5, 1, who=name) for name in names], 2) == []
    assert known([said(0.5, 1, kind="replay")], 2) == []
    outsider = [said(0.5, 1, who="outside:oracle"), said(0.5, 1, who="text:001", kind="elicited")]
    assert len(known(outsider, 2)) == 2


def test_a_record_is_read_in_the_middle_and_enters_at_the_close():
    forecasts = [said(0.2, 1), said(0.4, 5), said(0.9, 6)]
    early = Resolution("q", "yes", day(7), "wire")
    # Known at 7, but due at 10, when the noes come in.
    assert known(forecasts, 8, outcome=early) == []
    assert known(forecasts, 10, outcome=early) == [("ana", 0.4, 1.0)]
    # Known at the very moment is not known before it.
    last = Resolution("q", "no", day(10), "wire")
    assert known(forecasts, 9.9, outcome=last) == [("ana", 0.9, None)]
    assert known(forecasts, 10, outcome=last) == []
    assert known(forecasts, 10.1, outcome=last) == [("ana", 0.4, 0.0)]


@pytest.mark.parametrize(
    "outcome",
    [Resolution("q", "annulled", day(10), "wire"), Resolution("q", "yes", day(4), "wire")],
)
def test_annulled_questions_and_those_over_before_the_middle_are_no_record(outcome):
    assert known([said(0.2, 1)], 11, outcome=outcome) == []
