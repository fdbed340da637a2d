"""The laws of an estimate's change, of a class held against its cases, and of ranks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.inference import CountCheck, PredictiveCheck, interval_shares, verdict
from forecasting.inference.estimate import change_error, influence
from tests.inference.sbc import calibrate, rank_of, uniformity

POINTS, REPEATS = 250, 4


def worlds(rng, *, link=0.0):
    """Draw one simulation: two events by parameter points, the second leaning on the first."""
    base = np.repeat(rng.beta(4, 8, POINTS), REPEATS)
    first = rng.random(POINTS * REPEATS) < base
    second = rng.random(POINTS * REPEATS) < 0.3 + link * first
    return first, second


def even(mask):
    return mask / mask.sum()


def spread_and_error(link, aim=None):
    """Give the true spread of a change over many simulations, and the mean stated error."""
    rng = np.random.default_rng(11)
    changes, errors = [], []
    for _ in range(800):
        first, second = worlds(rng, link=link)
        every = even(np.ones(len(first)))
        if aim is None:
            then, raked, truth = even(first), [], second
        else:
            p = first.mean()
            then = every * np.where(first, aim / p, (1 - aim) / (1 - p))
            raked, truth = [first.astype(float)], second
        changes.append(truth @ then - truth @ every)
        errors.append(change_error((truth, every, REPEATS), (truth, then, REPEATS), raked))
    return np.std(changes), np.mean(errors)


@pytest.mark.parametrize("link", [0.0, 0.5])
@pytest.mark.parametrize("aim", [None, 0.5, 0.8])
def test_the_error_of_a_change_is_its_spread_over_simulations(link, aim):
    spread, error = spread_and_error(link, aim)
    assert error == pytest.approx(spread, rel=0.1)


def test_kept_paths_are_part_of_all_paths_so_their_errors_do_not_add_up():
    """The fewer paths a condition leaves out, the less a change can err."""
    rng = np.random.default_rng(3)
    truth = rng.random(1_000) < 0.4
    every = even(np.ones(1_000))
    most = even(np.arange(1_000) > 20)
    apart = np.hypot(*(np.sqrt(np.sum(influence(truth, w, 4) ** 2)) for w in (every, most)))
    assert change_error((truth, every, 4), (truth, most, 4)) < 0.2 * apart
    assert change_error((truth, every, 4), (truth, every, 4)) == 0.0


def test_of_two_simulations_of_different_size_the_errors_add_up():
    rng = np.random.default_rng(5)
    old, new = rng.random(800) < 0.4, rng.random(2_400) < 0.4
    a, b = even(np.ones(800)), even(np.ones(2_400))
    alone = [np.sum(influence(x, w, 4) ** 2) for x, w in ((old, a), (new, b))]
    error = change_error((old, a, 4), (new, b, 4))
    assert error == pytest.approx(np.sqrt(sum(alone)), rel=0.01)
    # Nor do points with more paths each belong to those with fewer.
    assert change_error((old, a, 4), (old, a, 8)) > 0.0


def test_no_path_of_few_is_no_certainty():
    """Of 40 kept paths none says yes: 0 has the error of the rule of three, not none."""
    truth, met = np.zeros(1_000, dtype=bool), np.zeros(1_000, dtype=bool)
    truth[500:550], met[:40] = True, True
    error = change_error((truth, even(np.ones(1_000)), 4), (truth, even(met), 4))
    assert error >= 1.5 / 40
    # One parameter point tells nothing of the spread of others.
    one = np.zeros(1_000, dtype=bool)
    one[:4] = True
    assert change_error((truth, even(np.ones(1_000)), 4), (truth, even(one), 4)) == float("inf")


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


def test_uniform_ranks_are_called_uniform_as_often_as_they_should():
    rng = np.random.default_rng(1)
    p = np.array([uniformity(rng.integers(0, 100, 300), 99) for _ in range(400)])
    for level in (0.01, 0.05, 0.2):
        assert np.mean(p <= level) <= level + 3 * np.sqrt(level / 400)
    assert 0.4 < p.mean() < 0.6


@pytest.mark.parametrize(
    "ranks",
    [
        lambda rng: rng.binomial(99, rng.beta(1.4, 1.4, 300)),  # too wide
        lambda rng: rng.binomial(99, rng.beta(0.7, 0.7, 300)),  # too narrow
        lambda rng: rng.binomial(99, rng.beta(1.0, 1.35, 300)),  # to one side
        lambda rng: np.where(rng.random(300) < 0.06, 99, rng.integers(0, 100, 300)),  # one end
    ],
    ids=["wide", "narrow", "biased", "end"],
)
def test_posteriors_that_are_off_are_found(ranks):
    p_values = [uniformity(ranks(np.random.default_rng(seed)), 99) for seed in range(20)]
    assert np.mean(np.asarray(p_values) < 0.05) > 0.6


def test_ranks_count_draws_below_and_break_ties_evenly():
    rng = np.random.default_rng(3)
    draws = np.arange(99.0)
    assert rank_of(-1.0, draws, 99, rng) == 0
    assert rank_of(1000.0, draws, 99, rng) == 99
    assert rank_of(49.5, draws, 99, rng) == 50
    # Thinned evenly over the chains.
    assert rank_of(495.0, np.arange(990.0), 99, rng) in (49, 50)
    tied = [rank_of(1.0, np.ones(99), 99, rng) for _ in range(2000)]
    assert uniformity(tied, 99) > 0.01
    with pytest.raises(ValueError, match="at least as many"):
        rank_of(1.0, np.ones(50), 99, rng)


def test_a_vector_is_ranked_by_element_and_a_certainty_not_at_all():
    def simulate(rng):
        return {"share": rng.dirichlet([1.0, 1.0, 1.0]), "sure": np.array(2.0)}, {}

    def fit(_, seed):
        draws = np.random.default_rng(seed).dirichlet([1.0, 1.0, 1.0], 99)
        return {"share": draws, "sure": np.full(99, 2.0)}, seed % 2 == 0

    check = calibrate("shares", simulate, fit, n=60, seed=1)
    assert list(check.ranks) == ["share[0]", "share[1]", "share[2]"]
    assert check.p > 0.01
    assert 0 < check.refused < 60
    with pytest.raises(ValueError, match="the truth has"):
        calibrate("none", simulate, lambda *_: ({}, True), n=1, seed=1)
