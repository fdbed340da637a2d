"""Reweighting: Bayes' rule by importance weights where they allow it, and a refusal elsewhere."""

from dataclasses import replace

import numpy as np
import pytest

from forecasting.inference import (
    exact_report,
    judge_probability,
    resampled,
    reweight,
    reweighted,
    summary,
)
from forecasting.inference.fit import Fit

CHAINS = 4


def beta_draws(seed, size=4000):
    """Draws of the posterior Beta(8, 7)."""
    return np.random.default_rng(seed).beta(8, 7, size)


def binomial(p, yes, no):
    return yes * np.log(p) + no * np.log1p(-p)


def full(draws, **changes):
    fit = Fit({"p": draws}, CHAINS, exact_report(), "nuts", 1, 0.0, (), "old", "priors")
    return replace(fit, **changes)


def autoregressive(rng, rho, draws):
    noise = rng.normal(size=(CHAINS, draws))
    x = np.empty_like(noise)
    x[:, 0] = noise[:, 0]
    for i in range(1, draws):
        x[:, i] = rho * x[:, i - 1] + np.sqrt(1 - rho**2) * noise[:, i]
    return x.ravel()


@pytest.mark.parametrize(("yes", "no"), [(0, 10), (8, 2), (1, 1), (5, 5), (4, 0)])
def test_accepted_weights_give_the_beta_binomial_answer(yes, no):
    # Known answer 10: Beta(8, 7) and 0 of 10 new is Beta(8, 17), mean .32.
    exact = (8 + yes) / (15 + yes + no)
    for seed in range(5):
        # 0 of 10 is near the limit of the effective size: others of 4,000 draws would refuse it.
        p = beta_draws(seed, 4000 if (yes, no) != (0, 10) else 16000)
        found = reweight(binomial(p, yes, no), CHAINS)
        assert found.accepted, found.reasons
        assert found.weights.sum() == pytest.approx(1)
        mean = summary(p, CHAINS, weights=found.weights)
        assert abs(mean.mean - exact) < 4.5 * mean.mcse


def test_the_draws_of_the_notes():
    # Known answer 10: .3206 for .32 at k-hat .28, and .235 for .229 and .160 for .107, refused.
    p = beta_draws(0)
    for no, mean, k_hat in ((10, 0.3206, 0.28), (20, 0.2351, 0.79), (60, 0.1595, 2.99)):
        found = reweight(binomial(p, 0, no), CHAINS)
        assert found.weights @ p == pytest.approx(mean, abs=5e-4)
        assert found.k_hat == pytest.approx(k_hat, abs=0.01)
        assert found.accepted == (no == 10)


@pytest.mark.parametrize("no", [20, 60])
def test_too_much_news_is_refused(no):
    # Known answer 10: 0 of 20 and 0 of 60 new. The second misses .107 by a half, and says so.
    for seed in range(20):
        found = reweight(binomial(beta_draws(seed), 0, no), CHAINS)
        assert not found.accepted
        assert found.reasons
    if no == 60:
        assert found.k_hat > 1
        assert found.ess < 20


def test_the_sign_is_that_of_bayes():
    # The library smooths exp(-input). With the sign the wrong way round 8 of 10 moves down.
    p = beta_draws(1)
    right, wrong = (reweight(sign * binomial(p, 8, 2), CHAINS) for sign in (1, -1))
    assert right.weights @ p == pytest.approx(16 / 25, abs=0.01)
    assert wrong.weights @ p < 8 / 15 < right.weights @ p
    assert not wrong.accepted
    # After 1 of 2 k-hat warns of nothing: only the direction tells.
    right, wrong = (reweight(sign * binomial(p, 1, 1), CHAINS) for sign in (1, -1))
    assert wrong.k_hat < 0.7
    assert right.weights @ p < p.mean() < wrong.weights @ p


def test_the_smoothing_is_that_of_arviz_with_the_ratio_negated():
    from arviz_stats.base import array_stats

    p = beta_draws(2)
    found = reweight(binomial(p, 0, 10), CHAINS)
    chained = binomial(p, 0, 10).reshape(CHAINS, -1)
    ess = float(array_stats.ess(chained, chain_axis=0, draw_axis=1, method="bulk"))
    log_weights, k_hat = array_stats.psislw(-chained.ravel(), r_eff=min(1.0, ess / 4000))
    np.testing.assert_allclose(found.weights, np.exp(log_weights), rtol=1e-9)
    assert found.k_hat == pytest.approx(float(k_hat))


def test_no_news_changes_nothing():
    found = reweight(np.full(4000, 1e6), CHAINS)
    assert found.accepted
    assert np.ptp(found.weights) == 0
    p = beta_draws(3)
    weighted, plain = summary(p, CHAINS, weights=found.weights), summary(p, CHAINS)
    for name in ("mean", "p05", "p50", "p95", "mcse"):
        assert getattr(weighted, name) == pytest.approx(getattr(plain, name), rel=1e-9)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_ratio_that_is_no_number_is_refused(bad):
    ratio = np.zeros(4000)
    ratio[17] = bad
    found = reweight(ratio, CHAINS)
    assert not found.accepted
    assert found.k_hat == np.inf
    assert np.isfinite(found.weights).all()


def test_draws_that_the_news_rule_out_get_no_weight():
    p = beta_draws(4)
    found = reweight(np.where(p < 0.3, -np.inf, 0.0), CHAINS)
    assert found.accepted, found.reasons
    assert found.weights[p < 0.3].max() < 1e-300
    assert found.weights @ p == pytest.approx(p[p >= 0.3].mean())
    assert not reweight(np.full(4000, -np.inf), CHAINS).accepted


def test_few_draws_with_all_the_weight_are_refused():
    # Twenty of 4,000 carry it: a step in the tail, which no Pareto tail is.
    found = reweight(np.where(np.arange(4000) < 20, 0.0, -50.0), CHAINS)
    assert not found.accepted


def test_both_rules_hold_always():
    # The effective size alone: k-hat is at ease with the light tail of a far too narrow set.
    rng = np.random.default_rng(5)
    found = reweight(-40 * rng.random(4000), CHAINS)
    assert found.k_hat < 0.7
    assert [reason.split()[2] for reason in found.reasons] == ["ESS"]
    # k-hat alone: a Cauchy-like ratio among a million draws.
    heavy = reweight(0.9 * rng.exponential(size=400_000), CHAINS)
    assert heavy.ess > 400
    assert [reason.split()[2] for reason in heavy.reasons] == ["k-hat"]
    # And with few draws the limit on k-hat falls: 1 - 1 / log10(100) = .5.
    assert "below 0.50" in reweight(3 * rng.normal(size=100), CHAINS).reasons[0]


def test_chains_that_crawl_count_for_less():
    rng = np.random.default_rng(6)
    quick, slow = (reweight(0.3 * autoregressive(rng, rho, 1000), CHAINS) for rho in (0.0, 0.9))
    assert quick.accepted
    assert slow.ess < quick.ess / 5
    assert not slow.accepted


def test_the_error_of_a_weighted_mean_is_right():
    # Over 300 repetitions the estimates scatter as their own errors say, with crawling chains too.
    z = []
    for seed in range(300):
        x = autoregressive(np.random.default_rng(seed), 0.5, 500)
        # N(0, 1) tilted by exp(.5 x) is N(.5, 1).
        found = summary(x, CHAINS, weights=reweight(0.5 * x, CHAINS).weights)
        z.append((found.mean - 0.5) / found.mcse)
    assert max(np.abs(z)) < 4.5
    assert 0.75 < np.mean(np.square(z)) < 1.3


def test_the_gate_counts_weighted_draws():
    p = beta_draws(7)
    weights = reweight(binomial(p, 0, 5), CHAINS).weights
    plain, weighted = (
        judge_probability(exact_report(), p, CHAINS, weights=w) for w in (None, weights)
    )
    assert weighted.passed, weighted.reasons
    assert weighted.ess_bulk < plain.ess_bulk / 2
    assert weighted.ess_tail == plain.ess_tail
    assert weighted.mcse > plain.mcse
    # sd .14 and fewer than 400 effective draws is an error above .005.
    far = reweight(binomial(p, 0, 20), CHAINS).weights
    assert not judge_probability(exact_report(), p, CHAINS, weights=far).passed


def test_a_reweighted_set_is_never_reweighted():
    p = beta_draws(8)
    once = reweighted(full(p), binomial(p, 1, 1), data_hash="new")
    assert (once.method, once.data_hash, once.priors_hash) == ("psis", "new", "priors")
    assert once.report.passed
    assert once.k_hat == once.report.k_hat < 0.7
    with pytest.raises(ValueError, match="have some already"):
        reweighted(once, binomial(p, 1, 1), data_hash="newer")
    with pytest.raises(ValueError, match="read-only"):
        once.weights[0] = 1.0


def test_weights_and_method_go_together():
    p = beta_draws(9)
    with pytest.raises(ValueError, match="weights belong to psis"):
        full(p, weights=np.full(4000, 1 / 4000))
    with pytest.raises(ValueError, match="weights belong to psis"):
        full(p, method="psis")


def test_a_refused_full_fit_lends_nothing():
    p = beta_draws(10)
    refused = replace(exact_report(), passed=False, reasons=("divergences 3: none allowed",))
    found = reweighted(full(p, report=refused), np.zeros(4000), data_hash="new")
    assert not found.report.passed
    assert "divergences" in found.report.reasons[0]


def test_a_resample_has_the_weighted_moments():
    p = beta_draws(11)
    assert resampled(full(p), 1)["p"] is full(p).draws["p"]
    found = reweighted(full(p), binomial(p, 0, 10), data_hash="new")
    again = resampled(found, 1)["p"]
    weighted = summary(p, CHAINS, weights=found.weights)
    assert again.mean() == pytest.approx(weighted.mean, abs=2e-4)
    assert again.std() == pytest.approx(weighted.sd, rel=0.02)
    np.testing.assert_array_equal(again, resampled(found, 1)["p"])


def test_a_ratio_of_the_wrong_shape_is_an_error():
    with pytest.raises(ValueError, match="multiple of chains"):
        reweight(np.zeros(10), CHAINS)
