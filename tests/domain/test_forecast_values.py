"""Probabilities as people write them: kept as entered, refused when they break a rule."""

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.domain.forecast import (
    binary_value,
    check_ladder,
    decimal_text,
    model_value,
    options_value,
    quantiles_value,
)
from forecasting.domain.outcome import OutcomeSpace
from forecasting.domain.reading import probability
from forecasting.domain.verbal import BANDS, band, milder
from forecasting.errors import InvalidInput
from tests.doors.spellings import PROBABILITIES, Refused

STATES = OutcomeSpace("ordered", ("none", "soft", "firm"))
COUNT = OutcomeSpace("numeric", (), 0.0, 1000.0, "prisoners")


ENTERED = {text: decimal_text(p) for text, p in PROBABILITIES.items() if isinstance(p, float)}


@pytest.mark.parametrize(
    ("text", "entered"), [*ENTERED.items(), ("1.000", "1"), ("0.1234567890123", "0.1234567890123")]
)
def test_a_probability_is_kept_as_entered(text, entered):
    assert probability(text)[0] == entered


@pytest.mark.parametrize(
    "text", ["", "--", *(t for t, meant in PROBABILITIES.items() if isinstance(meant, Refused))]
)
def test_what_is_no_probability_is_refused_in_one_line_with_the_way_out(text):
    with pytest.raises(InvalidInput) as refusal:
        probability(text)
    assert refusal.value.hint
    assert "\n" not in str(refusal.value)


@given(st.floats(0, 1))
def test_a_computed_probability_reads_back(p):
    assert float(decimal_text(p)) == p
    value = model_value(OutcomeSpace.binary(), [p])
    assert abs(value.numbers[0] - p) <= 1e-15
    assert (value.numbers[0] > 0) == (p > 0)
    if value.entered[0] != "1":
        assert binary_value(value.entered[0]).numbers == value.numbers


def test_computed_numbers_take_the_labels_of_their_question():
    options = model_value(STATES, [0.5, 0.25, 0.25])
    assert (options.shape, options.labels) == ("options", STATES.options)
    assert options.numbers == (0.5, 0.25, 0.25)
    quantiles = model_value(COUNT, [10.0, 20.5], (5.0, 97.5))
    assert (quantiles.shape, quantiles.plain) == ("quantiles", {"5": 10.0, "97.5": 20.5})


def test_options_must_be_complete_and_sum_to_one():
    value = options_value(STATES, {"firm": "5%", "none": "0.15", "soft": "0.8"})
    assert value.labels == ("none", "soft", "firm")
    assert value.numbers == (0.15, 0.8, 0.05)
    with pytest.raises(InvalidInput, match="must sum to 1"):
        options_value(STATES, {"none": "0.2", "soft": "0.8", "firm": "0.05"})
    with pytest.raises(InvalidInput, match="missing firm"):
        options_value(STATES, {"none": "0.2", "soft": "0.8"})
    with pytest.raises(InvalidInput, match="unknown hard"):
        options_value(STATES, {"none": "0.2", "soft": "0.8", "hard": "0"})


def test_quantiles_rise_inside_the_bounds():
    value = quantiles_value(COUNT, {"95": "900", "5": "0", "50": "390"})
    assert value.labels == ("5", "50", "95")
    assert value.plain == {"5": 0.0, "50": 390.0, "95": 900.0}
    for bad in ({"5": "10", "50": "5"}, {"5": "-1", "50": "5"}, {"5": "1"}, {"0": "1", "50": "2"}):
        with pytest.raises(InvalidInput):
            quantiles_value(COUNT, bad)


def test_a_ladder_must_not_fall():
    early, late = dt.date(2026, 6, 30), dt.date(2026, 12, 31)
    check_ladder([(late, binary_value("0.2")), (early, binary_value("0.2"))])
    with pytest.raises(InvalidInput, match="cannot be less likely"):
        check_ladder([(late, binary_value("0.1")), (early, binary_value("0.2"))])


def test_the_bands_of_icd_203_touch_and_have_their_midpoints():
    assert [b.middle for b in BANDS] == [0.03, 0.125, 0.325, 0.5, 0.675, 0.875, 0.97]
    for lower, upper in itertools.pairwise(BANDS):
        assert lower.high == upper.low
    assert milder(band("unlikely"), band("almost-no-chance")) == band("unlikely")
