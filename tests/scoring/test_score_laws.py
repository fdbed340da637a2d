"""Laws that hold for every score: propriety, agreement between rules, one score per forecast."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.scoring import (
    brier,
    crps_ensemble,
    crps_piecewise,
    crps_quantile,
    log_score,
    ordered_brier,
    rps,
    rules,
    spherical,
)

PROBABILITY = st.floats(0.001, 0.999)
VECTOR = st.lists(st.floats(0.01, 1), min_size=4, max_size=4).map(lambda w: np.array(w) / sum(w))
VALUES = st.lists(st.floats(0, 10), min_size=3, max_size=3).map(sorted)


def _baseline(p):
    return rules.get("baseline", "categorical" if np.ndim(p) == 2 else "binary")


BINARY = {
    "brier half": brier,
    "brier full": lambda p, y: brier(p, y, convention="full"),
    "log": log_score,
    "log base 2": lambda p, y: log_score(p, y, base=2),
    "spherical": spherical,
    "baseline, turned": lambda p, y: -_baseline(p).score(p, np.asarray(y)),
}
CATEGORICAL = {**BINARY, "rps": rps, "ordered": ordered_brier}


@pytest.mark.parametrize("score", BINARY.values(), ids=BINARY)
@given(truth=PROBABILITY, other=PROBABILITY)
def test_nobody_gains_by_saying_other_than_they_believe(score, truth, other):
    def expected(p):
        return truth * score([p], [1])[0] + (1 - truth) * score([p], [0])[0]

    assert expected(truth) <= expected(other) + 1e-12
    if abs(truth - other) > 0.01:
        assert expected(truth) < expected(other)


@pytest.mark.parametrize("score", CATEGORICAL.values(), ids=CATEGORICAL)
@given(truth=VECTOR, other=VECTOR)
def test_nobody_gains_by_another_vector_than_they_believe(score, truth, other):
    labels = np.arange(4)

    def expected(p):
        return float(truth @ score(np.tile(p, (4, 1)), labels))

    assert expected(truth) <= expected(other) + 1e-12
    if np.abs(truth - other).max() > 0.01:
        assert expected(truth) < expected(other)


@given(truth=VALUES, other=VALUES)
def test_quantile_scores_are_least_at_the_true_quantiles(truth, other):
    # Values 1..99 are equally likely, so their quantiles at .25, .5 and .75 are known.
    outcomes = np.arange(1, 100) / 10
    honest = [2.5, 5.0, 7.5]

    def expected(quantiles):
        rows = np.tile(quantiles, (99, 1))
        return crps_quantile(rows, outcomes, levels=[0.25, 0.5, 0.75]).mean()

    for stated in (truth, other):
        assert expected(honest) <= expected(stated) + 1e-12


@given(truth=VALUES, other=VALUES)
def test_ensemble_scores_are_least_for_the_ensemble_that_outcomes_come_from(truth, other):
    def expected(draws):
        return crps_ensemble(np.tile(draws, (3, 1)), truth).mean()

    assert expected(truth) <= expected(other) + 1e-12


@given(truth=VALUES, other=VALUES)
def test_piecewise_scores_are_least_for_the_distribution_that_outcomes_come_from(truth, other):
    # 2,000 equally likely levels stand for the distribution: the sum is exact to about 1e-3.
    u = (np.arange(2000) + 0.5) / 2000
    outcomes = np.interp(u, [0, 0.25, 0.5, 0.75, 1], [0, *truth, 10])

    def expected(quantiles):
        rows = np.tile(quantiles, (len(u), 1))
        return crps_piecewise(rows, outcomes, levels=[0.25, 0.5, 0.75], lower=0, upper=10).mean()

    assert expected(truth) <= expected(other) + 1e-3


@given(p=PROBABILITY, y=st.integers(0, 1))
def test_a_binary_question_is_one_of_two_options(p, y):
    vector = [[1 - p, p]]
    for convention in ("half", "full"):
        one, two = brier([p], [y], convention=convention), brier(vector, [y], convention=convention)
        assert one == pytest.approx(two, abs=1e-12)
    assert log_score([p], [y]) == pytest.approx(log_score(vector, [y]), rel=1e-9)
    assert spherical([p], [y]) == pytest.approx(spherical(vector, [y]))
    assert rps(vector, [y]) == pytest.approx(brier([p], [y]), abs=1e-12)
    assert ordered_brier(vector, [y]) == pytest.approx(
        brier([p], [y], convention="full"), abs=1e-12
    )


@given(vector=VECTOR, y=st.integers(0, 3))
def test_full_is_twice_half_and_ordered_is_the_rps_of_two_sides_per_cut(vector, y):
    assert brier([vector], [y], convention="full") == pytest.approx(2 * brier([vector], [y]))
    assert ordered_brier([vector], [y]) == pytest.approx(2 * rps([vector], [y]) / 3)


@given(vector=VECTOR, y=st.integers(0, 3), seed=st.integers(0, 100))
def test_no_score_but_rps_pays_heed_to_the_order_of_options(vector, y, seed):
    moved = np.random.default_rng(seed).permutation(4)
    label = int(np.flatnonzero(moved == y)[0])
    for score in (brier, log_score, spherical):
        assert score([vector[moved]], [label]) == pytest.approx(score([vector], [y]))
    near, far = [[0.0, 1.0, 0.0]], [[0.0, 0.0, 1.0]]
    assert rps(near, [0]) < rps(far, [0])


@pytest.mark.parametrize("rule", rules.RULES.values(), ids=lambda r: f"{r.name} {r.convention}")
def test_every_registered_rule_is_best_at_certainty_and_knows_its_reference(rule):
    assert rule.proper
    if rule.question_type == "numeric":
        low, high = np.array([0.0, 0.0]), np.array([4.0, 4.0])
        outcome = np.array([1.0, 4.0])
        sure = np.array([[1.0], [4.0]])
        assert rule.score(sure, outcome, levels=[0.5], lower=low, upper=high)[0] > 0
        # The CRPS of the uniform distribution on [0, w] at x: w (x^3 + (1 - x)^3) / 3, x = y / w.
        np.testing.assert_allclose(
            rule.numeric_reference(outcome, low, high), [4 * (0.25**3 + 0.75**3) / 3, 4 / 3]
        )
        return
    options = 2 if rule.question_type == "binary" else 5
    labels = np.arange(options)
    sure = labels if options == 2 else np.eye(options)
    uniform = np.full(2, 0.5) if options == 2 else np.full((5, 5), 0.2)
    best = 100 if rule.larger_is_better else 0
    np.testing.assert_allclose(rule.score(sure, labels), best, atol=1e-12)
    np.testing.assert_allclose(rule.reference(labels, options), rule.score(uniform, labels))


@pytest.mark.parametrize("options", [2, 3, 7])
def test_baseline_is_the_share_of_the_way_from_chance_to_certainty(options):
    vectors = [[1 / options] * options, [0.6] + [0.4 / (options - 1)] * (options - 1)]
    scores = rules.get("baseline", "categorical").score(vectors, [0, 0])
    np.testing.assert_allclose(scores, [0, 100 * (1 + np.log(0.6) / np.log(options))], atol=1e-12)
    binary = rules.get("baseline", "binary").score([0.5, 0.6], [1, 1])
    np.testing.assert_allclose(binary, [0, 100 * (1 + np.log2(0.6))], atol=1e-12)


def test_the_reference_is_what_the_field_says():
    outcome = np.array([0, 1])
    assert rules.get("brier", "binary").reference(outcome, 2).tolist() == [0.25, 0.25]
    assert rules.get("brier", "binary", "full").reference(outcome, 2).tolist() == [0.5, 0.5]
    # Full Brier of the uniform: (1 - 1/K)^2 + (K - 1)/K^2 = 1 - 1/K.
    full = rules.get("brier", "categorical", "full").reference(outcome, 4)
    np.testing.assert_allclose(full, 0.75)
    np.testing.assert_allclose(
        rules.get("log", "categorical").reference(outcome, 4), np.log(4), rtol=1e-14
    )
    # Uniform over three: F = 1/3, 2/3. First: (2/3)^2 + (1/3)^2 = 5/9; middle: 2 (1/3)^2 = 2/9.
    np.testing.assert_allclose(rules.get("rps", "ordered").reference(outcome, 3), [5 / 9, 2 / 9])


def test_the_usual_rule_of_a_question_type_comes_first():
    assert rules.names("binary") == ("brier", "log", "baseline", "spherical")
    assert rules.names("categorical") == ("brier", "log", "baseline", "spherical")
    assert rules.names("ordered") == ("rps", "brier", "log", "baseline", "spherical")
    assert rules.names("numeric") == ("crps",)


@given(quantiles=VALUES, y=st.floats(0, 10))
def test_more_quantiles_of_the_same_distribution_change_nothing(quantiles, y):
    few = [0.25, 0.5, 0.75]
    many = np.arange(1, 100) / 100
    drawn = np.interp(many, [0, *few, 1], [0, *quantiles, 10])
    short = crps_piecewise([quantiles], [y], levels=few, lower=0, upper=10)
    long = crps_piecewise([drawn], [y], levels=many, lower=0, upper=10)
    assert short == pytest.approx(long, abs=1e-9)


@given(quantiles=VALUES, y=st.floats(-3, 13))
def test_piecewise_is_the_pinball_loss_over_all_levels(quantiles, y):
    u = (np.arange(20_000) + 0.5) / 20_000
    drawn = np.interp(u, [0, 0.25, 0.5, 0.75, 1], [0, *quantiles, 10])
    dense = crps_quantile([drawn], [y], levels=u)
    exact = crps_piecewise([quantiles], [y], levels=[0.25, 0.5, 0.75], lower=0, upper=10)
    assert exact == pytest.approx(dense, abs=2e-3)
