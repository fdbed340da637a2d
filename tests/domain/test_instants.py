"""Time: one convention for days, no naive moment, clock changes told and not guessed."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.domain.instants import (
    UncertainTime,
    day_begins,
    day_ends,
    iso,
    local_day,
    parse_day,
    parse_instant,
    parse_when,
    utc,
)
from forecasting.errors import InvalidInput

DAYS = st.dates(dt.date(2014, 1, 1), dt.date(2035, 12, 31))


@given(DAYS)
def test_a_day_ends_where_the_next_begins(day):
    assert day_ends(day) == day_begins(day + dt.timedelta(days=1))
    assert local_day(day_begins(day)) == day


@given(DAYS)
def test_days_have_23_24_or_25_hours(day):
    hours = (day_ends(day) - day_begins(day)) / dt.timedelta(hours=1)
    assert hours in {23, 24, 25}


def test_the_clock_changes_of_2025_in_kyiv():
    for day, hours in ((dt.date(2025, 3, 30), 23), (dt.date(2025, 10, 26), 25)):
        lasts = day_ends(day, "Europe/Kyiv") - day_begins(day, "Europe/Kyiv")
        assert lasts == dt.timedelta(hours=hours)


@pytest.mark.parametrize(
    "text", ["2026-05-09", "20260509", "2026-W19-6", "noon", "", "2026-13-01T00:00Z"]
)
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(InvalidInput, match="time"):
        parse_instant(text)


def test_a_moment_without_zone_is_refused():
    with pytest.raises(InvalidInput, match="must carry a zone"):
        parse_instant("2026-05-09T12:00")
    with pytest.raises(InvalidInput, match="must carry a zone"):
        utc(dt.datetime(2026, 5, 9, 12))


def test_local_times_that_do_not_exist_or_occur_twice_are_asked_about():
    for text, reason, readings in (
        ("2026-03-29T03:30", "does not exist", ["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"]),
        ("2026-10-25T03:30", "occurs twice", ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"]),
    ):
        with pytest.raises(UncertainTime, match=reason) as doubt:
            parse_instant(text, zone_name="Europe/Kyiv")
        assert list(map(iso, doubt.value.readings)) == readings
        assert doubt.value.hint == " or ".join(readings)
    assert iso(parse_instant("2026-07-01T03:30", zone_name="Europe/Kyiv")) == "2026-07-01T00:30:00Z"


def test_a_day_means_its_beginning_or_its_end():
    assert iso(parse_when("2026-01-01", zone_name="Europe/Kyiv")) == "2025-12-31T22:00:00Z"
    instant = parse_when("2026-01-01", zone_name="Europe/Kyiv", day_means="ends")
    assert iso(instant) == "2026-01-01T22:00:00Z"
    assert iso(parse_when("2026-01-01")) == "2026-01-01T00:00:00Z"


@given(st.datetimes(timezones=st.just(dt.UTC)))
def test_iso_reads_back(moment):
    if moment.year >= 1000:
        assert parse_instant(iso(moment)) == moment


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-02-30", "0001-01-01", "9999-12-31"])
def test_what_is_no_day_with_a_midnight_in_every_zone_is_refused(text):
    with pytest.raises(InvalidInput, match="day"):
        parse_day(text)


@pytest.mark.parametrize(
    ("text", "place"), [("0001-01-01T00:00", "Asia/Tokyo"), ("9999-12-31T23:59", "America/Lima")]
)
def test_a_local_time_outside_of_time_is_refused(text, place):
    with pytest.raises(InvalidInput, match="time"):
        parse_instant(text, zone_name=place)
