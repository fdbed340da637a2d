"""The model half of the gate: a remark beside the probability, right about as often as it says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.inference import CountCheck, PredictiveCheck, interval_shares, verdict


def check(inside_50, inside_90, n=40, counts=()):
    return PredictiveCheck("survival", n, inside_50, inside_90, tuple(counts))


def test_shares_of_uniform_positions_are_the_levels():
    u = (np.arange(1000) + 0.5) / 1000
    assert interval_shares(u, u) == (pytest.approx(0.5), pytest.approx(0.9))


def test_a_case_that_may_be_anywhere_counts_as_the_level_itself():
    assert interval_shares([0.0], [1.0]) == (pytest.approx(0.5), pytest.approx(0.9))


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20))
def test_the_wider_interval_holds_at_least_as_much(ends):
    low, high = np.sort(np.asarray(ends), axis=1).T
    inside_50, inside_90 = interval_shares(low, high)
    assert 0 <= inside_50 <= inside_90 + 1e-12 <= 1 + 2e-12


def test_what_the_model_expects_fits():
    assert verdict(check(0.5, 0.9)).startswith("fits its own class")


@pytest.mark.parametrize(("inside_50", "inside_90"), [(0.1, 0.5), (1.0, 1.0), (0.5, 0.6)])
def test_too_narrow_and_too_wide_do_not_fit(inside_50, inside_90):
    assert verdict(check(inside_50, inside_90)).startswith("does not fit its own class")


def test_a_count_outside_its_interval_is_named():
    text = verdict(check(0.5, 0.9, counts=[CountCheck("over within 1 h, of 10", 5, 0, 2)]))
    assert text.startswith("does not fit its own class")
    assert "over within 1 h, of 10: 5 where it expects 0 to 2" in text


def test_few_cases_are_called_few():
    assert verdict(check(0.0, 0.0, n=2)).startswith("too few")


def test_a_right_model_is_called_wrong_rarely():
    # Two tests at 5 % on discrete counts: at most 10 %, less for being discrete.
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(400):
        u = rng.random(30)
        wrong += verdict(check(*interval_shares(u, u), n=30)).startswith("does not")
    assert wrong / 400 < 0.10 + 3 * np.sqrt(0.1 * 0.9 / 400)
