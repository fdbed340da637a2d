"""Instants and other things as they are written: read back, and refused in one line."""

import datetime as dt
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.calibration.binned import bin_edges
from forecasting.domain.continuous import zero_point_of
from forecasting.domain.forecast import kind_named
from forecasting.domain.forecasters import family, ordered
from forecasting.domain.instants import (
    UncertainTime,
    day_begins,
    day_ends,
    deadline,
    iso,
    local_day,
    parse_day,
    parse_instant,
    parse_when,
    utc,
)
from forecasting.domain.outcome import OutcomeSpace, beyond
from forecasting.domain.process import ProcessSpec
from forecasting.domain.scores import score_range, score_title
from forecasting.errors import InvalidInput
from forecasting.evidence.intake import is_address
from forecasting.evidence.leads import moves_of
from forecasting.evidence.likelihood import of_grade
from forecasting.evidence.similar import Likeness, key_of, stems
from forecasting.exchange.cells import forecast_cell
from forecasting.exchange.columns import recognised
from forecasting.exchange.forecasts import value_of
from forecasting.exchange.values import faulty, percent, required, shares

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


KHARTOUM = "Africa/Khartoum"


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (zero_point_of(1.0, 10.0, 100.0), 0.0),
        (zero_point_of(0.0, 5.0, 10.0), None),
        (kind_named("elicited"), "backdated"),
        (kind_named("live"), "live"),
        (family("model without links"), "without-links"),
        (family("worldview:003"), "worldview"),
        (family("always-0.5"), "uniform"),
        (family("pool:worldviews"), "pool"),
        (family("ana"), "person"),
        (family("market:polymarket"), "crowd"),
        (
            ordered(["text:000", "base-rate", "worldview:001", "model"]),
            ["model", "base-rate", "worldview:001", "text:000"],
        ),
        (beyond(OutcomeSpace("numeric", (), -0.5, 5000.0)), ("<-0.5", ">5000")),
        (score_range("brier", "full"), (0.0, 2.0)),
        (score_range("log"), (0.0, inf)),
        (score_title("brier", "full"), "full Brier score"),
        (score_title("rps", "full"), "ranked probability score (RPS)"),
        (score_title("peer"), "peer"),
        (bin_edges(4).tolist(), [0.0, 0.25, 0.5, 0.75, 1.0]),
        (key_of("a1", "Wire") == key_of("a1", "Post"), False),
        (is_address("https://example.org/feed"), True),
        (is_address("C:/feed.xml"), False),
        (is_address("-"), False),
        (moves_of(ProcessSpec("convoy", "event", ("waiting",), ())), (("waiting", "waiting"),)),
        (round(of_grade("B").mean, 6), 0.8),
        (sorted(stems("Ceasefires: 3 envoys on the ceasefire")), ["ceasef", "envoys", "the"]),
        (percent("35"), "0.35"),
        (percent(0.5), "0.005"),
        (shares({"a": "0.5", "b": "0.5"}), (("a", "0.5"), ("b", "0.5"))),
        (shares({"a": "0.6", "b": "0.39"}), (("a", "0.606060606"), ("b", "0.393939394"))),
        (forecast_cell("5=1.5;50=2"), (("5", "1.5"), ("50", "2"))),
        (forecast_cell('{"a;b": "0.2", "c": 0.8}'), (("a;b", "0.2"), ("c", "0.8"))),
    ],
)
def test_what_comes_out(result, expected):
    assert result == expected


def test_a_deadline_names_the_day_that_it_ends():
    assert deadline(day_ends(dt.date(2026, 12, 31), KHARTOUM), KHARTOUM) == (
        "end of 2026-12-31 Africa/Khartoum"
    )
    assert deadline(dt.datetime(2026, 5, 9, 9, tzinfo=dt.UTC), KHARTOUM) == (
        "before 2026-05-09 11:00+02:00 Africa/Khartoum"
    )


def test_a_title_is_most_like_the_process_that_shares_its_words():
    known = Likeness({"truce": "a general ceasefire holds", "grain": "ships leave with grain"})
    assert [name for name, _ in known.rank("Grain ships wait")] == ["grain"]


def test_headings_in_other_words_are_recognised():
    columns = recognised(["Question", "My probability (%)", "Date", "Mood"], {})
    assert columns.names == ["question", "forecast", "issued_at", ""]
    assert columns.percent
    assert columns.passed == ["Mood"]


def test_a_fault_is_kept_with_its_field():
    with faulty() as fault:
        required({"id": 1}, "title")
    assert fault.reason == "title: is missing"


def test_options_are_kept_in_the_order_of_the_question():
    space = OutcomeSpace("ordered", ("none", "some"))
    value = value_of(space, (("some", "0.2"), ("none", "80%")))
    assert (value.labels, value.entered) == (("none", "some"), ("0.8", "0.2"))
