"""Phrases: each spelling has one meaning, each fault one line with a way out."""

import datetime as dt

import pytest

from forecasting.domain.phrase import parse_phrase, parse_ratio, parse_share, parse_span
from forecasting.domain.process import Phrase
from forecasting.errors import InvalidInput

MONTH, YEAR = 365.25 / 12, 365.25


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("30d", 30.0),
        ("10 d", 10.0),
        ("1 day", 1.0),
        ("10 weeks", 70.0),
        ("10w", 70.0),
        ("8 mo", 243.5),
        ("2 months", 2 * MONTH),
        ("1.5 y", 1.5 * YEAR),
        ("2 years", 2 * YEAR),
        ("12h", 0.5),
        (".5 d", 0.5),
    ],
)
def test_a_span_is_a_number_of_days(text, days):
    assert parse_span(text) == pytest.approx(days, rel=1e-15)


@pytest.mark.parametrize("text", ["", "30", "d", "-3 d", "0 d", "3 fortnights", "1e3 d", "٣ d"])
def test_what_is_no_span_is_refused(text):
    with pytest.raises(InvalidInput, match=r"^span \("):
        parse_span(text)


PHRASES = [
    ("", {"form": "history"}),
    ("   ", {"form": "history"}),
    ("3 in 70 weeks", {"form": "count", "count": 3.5, "exposure": 490.0}),
    ("0 in 11 y", {"form": "count", "count": 0.5, "exposure": 11 * YEAR}),
    ("once in 8 mo", {"form": "count", "count": 1.0, "exposure": 243.5}),
    ("5% a year", {"form": "count", "count": 1.0, "exposure": 7120.77}),
    ("5 % per year", {"form": "count", "count": 1.0, "exposure": 7120.77}),
    ("median 60 d (15..240)", {"form": "median", "median": 60.0, "low": 15.0, "high": 240.0}),
    ("median 2 weeks (1 .. 4)", {"form": "median", "median": 14.0, "low": 7.0, "high": 28.0}),
    ("median 60 d (15..240) shape 0.8", {"shape": 0.8, "shape_low": 0.8, "shape_high": 0.8}),
    (
        "median 60 d (15..240) shape 0.8 (0.6..1.1) at once 10% for good 5%",
        {"shape": 0.8, "shape_low": 0.6, "shape_high": 1.1, "at_once": 0.1, "for_good": 0.05},
    ),
    ("for good 0.2", {"form": "history", "for_good": 0.2}),
    ("class truces-formal", {"form": "class", "reference": "truces-formal", "median": 1.0}),
    ("class own-shape x0.7 (0.2..2.5)", {"reference": "own-shape", "median": 0.7, "low": 0.2}),
    ("at 2025-04-17", {"form": "date", "at": dt.datetime(2025, 4, 18, tzinfo=dt.UTC)}),
]


@pytest.mark.parametrize(("text", "fields"), PHRASES)
def test_a_phrase_says_how_fast(text, fields):
    phrase = parse_phrase(text)
    for name, value in fields.items():
        wanted = pytest.approx(value, rel=1e-4) if isinstance(value, float) else value
        assert getattr(phrase, name) == wanted, name
    assert phrase.text == " ".join(text.split())


def test_what_a_phrase_does_not_say_is_neutral():
    assert parse_phrase("") == Phrase("history")


def test_a_day_ends_at_the_midnight_of_the_zone():
    phrase = parse_phrase("at 2025-04-17", "Europe/Kyiv")
    assert phrase.at == dt.datetime(2025, 4, 17, 21, tzinfo=dt.UTC)


BAD_PHRASES = [
    ("3", "a count needs the time over which it was counted. Try: 3 in 70 weeks"),
    ("3 in 0 d", "a count needs the time over which it was counted. Try: 3 in 70 weeks"),
    ("once", "a count needs the time over which it was counted. Try: 3 in 70 weeks"),
    ("median 60 d", "a median needs its 90 % range. Try: median 60 d (LOW..HIGH)"),
    ("median 60 d (70..240)", "the range 70..240 must hold its median 60. Try: (20..1.8e+02)"),
    ("median 60 d (240..15)", "the range 240..15 must hold its median 60. Try: (20..1.8e+02)"),
    ("median 60 d (0..240)", "median and range must be above 0"),
    ("median 60 d (60..60)", "its range must not be a point. Try: median 60 d (15..240)"),
    ("5% a year shape 6", "shape must lie above 0 and not exceed 5. Try: shape 0.8"),
    ("5% a year shape 0", "shape must lie above 0 and not exceed 5. Try: shape 0.8"),
    ("5% a year at once 101%", "at once takes a share from 0 to 100 %. Try: at once 10%"),
    ("5% a year at once 10", "at once takes a share from 0 to 100 %. Try: at once 10%"),
    (
        "5% a year at once 60% for good 60%",
        "at once and for good are more than 100 % together. Try: at once 10% for good 5%",
    ),
    (
        "5% a year shape 1 shape 2",
        "says the same thing twice. Try: shape 0.8 at once 10% for good 5%",
    ),
    ("100% a year", "the share must lie between 0 and 100 %. Try: 5% a year"),
    ("class a shape 2", "nothing can follow a class. Try: class a"),
]


@pytest.mark.parametrize(("text", "rule"), BAD_PHRASES)
def test_a_phrase_that_cannot_be_is_one_line(text, rule):
    with pytest.raises(InvalidInput) as refused:
        parse_phrase(text)
    assert str(refused.value) == f"phrase ({text}): {rule}"


@pytest.mark.parametrize("text", ["soon", "-1 in 3 d", "3 in 70 parsecs", "median", "5%"])
def test_what_is_no_phrase_is_refused_with_examples(text):
    with pytest.raises(InvalidInput, match=r"^phrase \(") as refused:
        parse_phrase(text)
    assert refused.value.hint


def test_a_ratio_is_a_median_with_its_range():
    assert parse_ratio("x3 (1..9)") == (3.0, 1.0, 9.0)
    assert parse_ratio("x 0.3 (.1 .. .8)") == (0.3, 0.1, 0.8)
    assert parse_ratio("x30 (6..150)") == (30.0, 6.0, 150.0)
    assert parse_ratio("x1 (1..1)") == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x3", "ratio (x3): needs its 90 % range. Try: x3 (LOW..HIGH)"),
        ("x3 (4..9)", "ratio (x3 (4..9)): the range 4..9 must hold its median 3. Try: (1..9)"),
        ("x0 (0..0)", "ratio (x0 (0..0)): median and range must be above 0"),
        (
            "x3 (0.3..9)",
            "ratio (x3 (0.3..9)): its range may reach a factor 9 to either side. "
            "Try: x3 (0.33..27) at most",
        ),
        (
            "x3 (1..30)",
            "ratio (x3 (1..30)): its range may reach a factor 9 to either side. "
            "Try: x3 (0.33..27) at most",
        ),
        ("3 (1..9)", "ratio (3 (1..9)): must be a factor with its 90 % range. Try: x3 (1..9)"),
    ],
)
def test_a_ratio_that_cannot_be_is_one_line(text, line):
    with pytest.raises(InvalidInput) as refused:
        parse_ratio(text)
    assert str(refused.value) == line


def test_a_share_is_written_as_percent_or_as_a_number():
    assert parse_share("40%") == parse_share("0.4") == 0.4
    with pytest.raises(InvalidInput, match="must be a share from 0 to 1"):
        parse_share("40")
