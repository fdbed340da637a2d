"""Laws of the one reading: what programs write reads back, and what is read raises one error."""

import datetime as dt
import re
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from forecasting.domain import reading
from forecasting.domain.outcome import OutcomeSpace
from forecasting.domain.reading import Ambiguous, Manner, of_file
from forecasting.errors import InvalidInput

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
SPACES = (
    OutcomeSpace.binary(),
    OutcomeSpace("categorical", ("none", "Soft deal")),
    OutcomeSpace("numeric", (), -10.0, 5e6, "people"),
)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(FINITE)
@example(1e-5)
@example(-0.0)
@example(1e22)
@example(5e-324)
def test_every_float_reads_back_as_python_writes_it(x):
    assert float(reading.number(repr(x), manner=Manner(decimal="point"))) == x


@given(st.integers(-(10**12), 10**12), st.integers(0, 999_999))
def test_marks_change_nothing(whole, part):
    plain = f"{whole}.{part:06d}"
    comma = Manner(decimal="comma")
    for mark in ("\u00a0", " ", "'", "\u202f"):
        assert reading.number(f"{whole:,}.{part:06d}".replace(",", mark)) == plain
    assert reading.number(f"{whole:,}.{part:06d}") == plain
    german = f"{whole:,}.{part:06d}".translate(str.maketrans(",.", ".,"))
    assert reading.number(german, manner=comma) == plain


@given(st.integers(1, 999), st.integers(0, 999))
def test_one_comma_before_three_digits_is_never_guessed(whole, part):
    text = f"{whole},{part:03d}"
    with pytest.raises(Ambiguous):
        reading.number(text)
    assert reading.number(text, manner=Manner(decimal="point")) == f"{whole}{part:03d}"
    assert reading.number(text, manner=Manner(decimal="comma")) == f"{whole}.{part:03d}"


@pytest.mark.parametrize(
    ("read", "text", "option"),
    [
        (reading.probability, "35", "unit="), (reading.probability, "1", "unit="),
        (reading.number, "1,234", "decimal="), (reading.day, "03/04/2026", "dates="),
    ],
)  # fmt: skip
def test_what_settles_a_whole_file_is_advised_for_a_file_alone(read, text, option):
    with pytest.raises(Ambiguous) as refused:
        read(text)
    assert option not in str(refused.value)
    assert f"; for a whole file {option}" in str(of_file(refused.value))


@given(st.decimals(0, 100, places=4))
def test_percent_and_share_are_the_same_probability(percent):
    share = Decimal(reading.probability(f"{percent} %")[0])
    assert share == percent / 100
    assert reading.probability(str(percent), manner=Manner(unit="percent"))[0] == str(
        reading.probability(f"{percent}%")[0]
    )
    entered = f"{share:f}" if share % 1 else f"{share:.1f}"
    assert Decimal(reading.probability(entered)[0]) == share


OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda m: dt.timezone(dt.timedelta(minutes=m)))
MOMENTS = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1), timezones=OFFSETS)


@given(MOMENTS)
def test_every_moment_reads_back_however_it_is_written(at):
    naive = at.replace(tzinfo=None)
    offset = at.strftime("%z")
    assert reading.moment(at.isoformat()) == at
    assert reading.moment(at.isoformat(" ")) == at
    assert reading.moment(f"{naive.isoformat()}{offset[:3]}:{offset[3:]}") == at
    assert reading.moment(f"{naive:%Y%m%dT%H%M%S.%f}{offset}") == at
    assert reading.moment(f"{at:%a, %d %b %Y %H:%M:%S} {offset}") == at.replace(microsecond=0)
    assert reading.moment(at) == at
    year, week, day = at.isocalendar()
    assert reading.moment(f"{year:04d}-W{week:02d}-{day}T{naive:%H:%M:%S.%f}{offset}") == at


@given(st.dates(dt.date(1900, 1, 1), dt.date(2200, 1, 1)))
def test_every_day_reads_back_however_it_is_written(day):
    for text in (
        f"{day}", f"{day:%Y%m%d}", f"{day:%Y/%m/%d}", f"{day:%d %B %Y}", f"{day:%b %d, %Y}",
        f"{day:%A, %d %b %Y}", f"{day:%d-%b-%Y}", f"{day:%Y-%j}", f"{day:%G-W%V-%u}",
    ):  # fmt: skip
        assert reading.day(text) == day
    assert reading.day(f"{day:%d/%m/%Y}", manner=Manner(dates="dmy")) == day
    assert reading.day(f"{day:%m/%d/%Y}", manner=Manner(dates="mdy")) == day
    if day.day <= 12 and day.day != day.month:
        with pytest.raises(Ambiguous):
            reading.day(f"{day:%d/%m/%Y}")


LETTERS = "0123456789.,:;-+/%'’ \u00a0eEZzTtWaApPmMyYnN\u2212٣５UTCGMJanFeb@=<>"
TEXTS = st.one_of(st.text(LETTERS, max_size=24), st.text(max_size=12))


def _refusal(act):
    try:
        act()
    except InvalidInput as refused:
        return str(refused)
    return ""


@given(TEXTS, st.sampled_from(["", "comma", "point"]), st.sampled_from(["", "percent"]))
def test_whatever_is_typed_is_read_or_refused_in_one_line(text, mark, unit):
    manner = Manner(decimal=mark, unit=unit, now=NOW)
    acts = [
        lambda: reading.number(text, manner=manner),
        lambda: reading.probability(text, manner=manner),
        lambda: reading.moment(text, manner=manner),
        lambda: reading.moment(text, days="ends", local=True, mail=True, manner=manner),
        lambda: reading.day(text, manner=manner),
        lambda: reading.level(text, manner=manner),
        lambda: reading.quantity(text, unit="people", manner=manner),
        *(lambda space=space: reading.outcome(space, text, manner=manner) for space in SPACES),
    ]
    for act in acts:
        manner.seen.clear()
        words = _refusal(act)
        assert "\n" not in words
        assert len(words) < 400


def test_two_orders_of_dates_in_one_file_are_refused():
    manner = Manner()
    reading.day("31/01/2026", manner=manner)
    with pytest.raises(Ambiguous, match="two orders of a date"):
        reading.day("01/31/2026", manner=manner)


def test_today_and_now_are_of_a_person_not_of_a_file():
    manner = Manner(now=NOW)
    assert reading.moment("now", manner=manner) == NOW
    assert reading.day("today", zone="UTC", manner=manner) == NOW.date()
    assert reading.day("Yesterday", zone="UTC", manner=manner).day == 21
    for text in ("now", "today"):
        with pytest.raises(InvalidInput):
            reading.moment(text)


@pytest.mark.parametrize(
    ("name", "value"), [("decimal", "dot"), ("unit", "share"), ("dates", "ymd")]
)
def test_a_manner_has_words_of_its_own(name, value):
    with pytest.raises(InvalidInput, match="must be"):
        Manner(**{name: value})


#: Of days, marks, clocks and offsets: every way to put them together is tried.
SPELLED = (
    [f"{year}{day}" for year in ("2025", "0002") for day in ("-01-01", "-02-29", "-W01-1", "0630")],
    ["T", "t", " "],
    ["00:00", "24:00:00", "12:30:15", "23:59:59.123456", "12:30:15,5", "000000.0", "12:30:61"],
    ["Z", "+00:00", "-23:59", "+24:00", "+00:60", "+0300", "+00:00:10", "+03:00:00.000000", ""],
)


def test_the_quick_reading_of_a_moment_is_the_whole_one():
    def read(text):
        try:
            return reading.moment(text)
        except InvalidInput as refused:
            return str(refused)

    for text in map("".join, product(*SPELLED)):
        # No program writes a space before it, so that it is read the long way.
        assert read(text) == read(f" {text}")


@pytest.mark.parametrize("bare", ["1", "01", "1.2", "4", "85", "99.5", "100", "1e2"])
def test_each_way_out_of_a_bare_number_is_read(bare):
    with pytest.raises(Ambiguous) as doubt:
        reading.probability(bare)
    ways = re.split(r" or |, ", doubt.value.hint.replace(" for certainty", ""))
    assert len(ways) >= 2
    for way in ways:
        reading.probability(way)
