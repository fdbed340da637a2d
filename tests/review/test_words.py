"""Numbers, changes, days and chart paths as a page writes them."""

import datetime as dt

import pytest

from forecasting.review import plot, words
from forecasting.review.cast import label
from forecasting.review.draw import mcb_dsc
from forecasting.review.graph import wrapped
from forecasting.review.plot import Frame, Scale, dates, numbered, sparkline, spread, ticks

CAIRO = words.Days("Africa/Cairo")
MIDNIGHT = dt.datetime(2025, 3, 20, 22, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (words.score(0.1416), "0.142"),
        (words.score(-0.00001), "0.000"),
        (words.score(float("nan")), "–"),
        (words.score(123.46), "123.5"),
        (words.score(2.46, 1), "2.5"),
        (words.signed(0.0123), "+0.012"),
        (words.signed(-0.0123), "−0.012"),
        (words.signed(0), "0.000"),
        (words.percent(0.3), "30 %"),
        (words.percent(0.034), "3.4 %"),
        (words.percent(0.0004), "0.04 %"),
        (words.percent(0.9996), "99.96 %"),
        (words.percent(1), "100 %"),
        (words.percent(0.95), "95.0 %"),
        (words.percent(0.09), "9.0 %"),
        (words.exact(0.325), "32.5 %"),
        (words.said(0.325), "32.5 %"),
        (words.said(0.6951234), "70 %"),
        (words.said(0.0042194), "0.4 %"),
        (words.whole(0.914), "91 %"),
        (words.count(1234), "1,234"),
        (words.count(0.25), "0.2"),
        (words.count(None), "–"),
        (words.amount(697.0, "persons"), "697 persons"),
        (words.amount("soft"), "soft"),
        (words.points(0.021), "+2.1"),
        (words.points(0.06), "+6.0"),
        (words.between(0.49, 0.908), "49.0 to 90.8 %"),
        (words.between(0.02, 0.05), "2.0 to 5.0 %"),
        (words.between(0, 0.001), "0 to 0.1 %"),
        (words.between(0.00004, 0.0661), "<0.1 to 6.6 %"),
        (words.between(0.00001, 0.0004), "<0.01 to 0.04 %"),
        (words.between(0.6, 0.99998), "60.0 to >99.9 %"),
        (words.between(None, 0.5), "–"),
        (words.span(-0.0004, 0.006, sign=True), "−0.0004 to +0.0060"),
        (words.span(0.0003, 0.065, sign=True), "+0.0003 to +0.0650"),
        (words.span(0.0, 0.5), "0.000 to 0.500"),
        (words.span(3.2, 12.04, 1), "3.2 to 12.0"),
        (words.points(-0.004), "−0.4"),
        (words.points(0.0001), "0"),
        (words.points(None), "–"),
        (words.signed_amount(35.0), "+35"),
        (words.signed_amount(-1200), "−1,200"),
        (words.signed_amount(None), "–"),
        (words.ratio(3.0), "×3"),
        (words.ratio(0.3), "×0.3"),
        (words.ratio(1.25), "×1.25"),
        (words.ratio(None), "–"),
        (words.rule("brier", "half"), "half Brier score"),
        (words.plural(1, "question"), "1 question"),
        (words.plural(None, "event"), "no events"),
        (words.clean("a\x00b\u202ec"), "abc"),
        (words.clean("two\nlines"), "two\nlines"),
        (CAIRO.day(MIDNIGHT), "21 Mar 2025"),
        (CAIRO.end(MIDNIGHT), "end of 20 Mar 2025"),
        (CAIRO.known(MIDNIGHT), "20 Mar 2025"),
        (label("worldview:003"), "worldview 003"),
        (label("prior"), "prior alone"),
        (label("ana"), "ana"),
        (plot.line([(0, 1.5), (10, 2)]), "M0 1.5L10 2"),
        (plot.steps([(0, 5), (10, 2)], 20), "M0 5H10V2H20"),
        (plot.between([(0, 5), (10, 4)], [(0, 2), (10, 1)]), "M0 2L10 1L10 4L0 5Z"),
        (sparkline([(0, 0.5), (4, 1.0)]), "M2 15H110V2H110"),
    ],
)
def test_as_a_page_writes_it(written, expected):
    assert written.replace("\u202f", " ") == expected


def test_places_on_a_chart():
    assert Scale(0, 1, 100, 0)(0.25) == 75.0
    assert ticks(0, 1) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert ticks(5, 5) == [5.0]
    assert [round(place, 2) for place in spread([0.5, 0.5, 0.9], 0.1, 0, 1)] == [0.45, 0.55, 0.9]
    assert spread([0.1, 0.5, 0.9], 0.1, 0, 1) == [0.1, 0.5, 0.9]
    assert numbered([10, 60, 64, 120]) == [(10.0, "1"), (62.0, "2–3"), (120.0, "4")]
    long = wrapped("once in 8 months; by median 60 days", 18)
    assert long == ["once in 8 months;", "by median 60 days"]


def test_a_miscalibration_diagram_has_one_frame():
    row = {"forecaster": "ana", "n": 30, "uncertainty": 0.2}
    assert len(mcb_dsc([row | {"miscalibration": 0.01, "discrimination": 0.05}]).axes) == 1


@pytest.mark.parametrize("minutes", [1.5, 30, 600, 1440, 2700])
@pytest.mark.parametrize("opens", ["2026-11-29T05:03", "2026-10-24T21:00", "2026-03-28T22:30"])
def test_a_time_axis_of_a_day_has_moments_on_it_across_a_change_of_clocks(opens, minutes):
    """Each stands where it is in Kyiv, and there are a few of them however short the axis is."""
    from zoneinfo import ZoneInfo

    start = dt.datetime.fromisoformat(opens).replace(tzinfo=dt.UTC)
    span = minutes / 1440
    marks = dates(Frame(start, start, span, whole=True), "Europe/Kyiv")
    assert 1 <= len(marks) <= 6
    assert len({text for _, text in marks}) == len(marks)
    for at, text in marks:
        there = (start + dt.timedelta(days=at)).astimezone(ZoneInfo("Europe/Kyiv"))
        # On an axis of one day its day is named once.
        days = {
            (start + dt.timedelta(days=each)).astimezone(there.tzinfo).date() for each, _ in marks
        }
        day = f"{there.day} {there:%b}, " if len(days) > 1 or at == marks[0][0] else ""
        assert text == f"{day}{there:%H:%M}"
        assert 0 <= at <= span
