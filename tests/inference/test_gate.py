"""The gate refuses what cannot be trusted and passes what can (known answer 18, first half)."""

import numpy as np
import pytest

from forecasting.inference import exact_report, judge_probability, judge_sampler, summary

CHAINS = 4


def chains(rng, draws):
    return rng.normal(size=CHAINS * draws)


def judge(draws, rng, *, divergences=0, energy=None):
    per_chain = len(draws["x"]) // CHAINS
    energy = rng.normal(size=(CHAINS, per_chain)) if energy is None else energy
    return judge_sampler(draws, CHAINS, energy=energy, divergences=divergences)


def test_independent_draws_pass():
    rng = np.random.default_rng(1)
    report = judge({"x": chains(rng, 1000), "k": rng.gamma(2, size=(4000, 2))}, rng)
    assert report.passed
    assert report.reasons == ()
    assert report.r_hat < 1.01
    assert report.ess_bulk > 3000
    assert report.ess_tail > 3000


def test_fifty_draws_a_chain_are_too_few():
    rng = np.random.default_rng(2)
    report = judge({"x": chains(rng, 50)}, rng)
    assert not report.passed
    assert any("ESS" in reason for reason in report.reasons)


def test_random_walks_are_refused():
    rng = np.random.default_rng(3)
    walk = np.cumsum(rng.normal(size=(CHAINS, 1000)), axis=1).ravel()
    report = judge({"x": walk}, rng)
    assert not report.passed
    assert any("R-hat" in reason for reason in report.reasons)
    assert report.ess_bulk < 100


def test_one_chain_in_another_place_is_refused():
    rng = np.random.default_rng(4)
    draws = rng.normal(size=(CHAINS, 1000))
    draws[0] += 3
    report = judge({"x": draws.ravel()}, rng)
    assert any("R-hat" in reason for reason in report.reasons)


def test_a_single_divergence_is_refused():
    rng = np.random.default_rng(5)
    report = judge({"x": chains(rng, 1000)}, rng, divergences=1)
    assert report.reasons == ("divergences 1: none allowed",)


def test_energy_that_crawls_is_refused():
    rng = np.random.default_rng(6)
    energy = np.cumsum(rng.normal(size=(CHAINS, 1000)), axis=1)
    report = judge({"x": chains(rng, 1000)}, rng, energy=energy)
    assert [reason.split()[0] for reason in report.reasons] == ["BFMI"]


def test_a_chain_that_never_moved_is_refused():
    rng = np.random.default_rng(7)
    draws = rng.normal(size=(CHAINS, 1000))
    draws[2] = draws[2, 0]
    assert not judge({"x": draws.ravel()}, rng).passed


def test_a_parameter_that_never_moved_in_any_chain_is_refused():
    # Nothing varies, so R-hat is not a number: that must refuse, not slip through.
    rng = np.random.default_rng(13)
    assert not judge({"x": np.full(4000, 0.3)}, rng).passed


def test_energy_that_never_moved_is_refused():
    rng = np.random.default_rng(14)
    assert not judge({"x": chains(rng, 1000)}, rng, energy=np.ones((CHAINS, 1000))).passed


def test_a_probability_without_spread_passes_by_rule():
    report = judge_probability(exact_report(), np.ones(4000), CHAINS)
    assert report.passed
    assert report.mcse == 0


def test_the_error_of_a_probability_has_a_limit():
    # sd .5 over 4,000 independent draws is an error of .0079; over 40,000 it is .0025.
    rng = np.random.default_rng(8)
    few, many = (rng.integers(0, 2, size=n).astype(float) for n in (4000, 40000))
    assert any("MCSE" in r for r in judge_probability(exact_report(), few, CHAINS).reasons)
    assert judge_probability(exact_report(), many, CHAINS).passed


def test_reasons_of_sampler_and_probability_add_up():
    rng = np.random.default_rng(9)
    sampler = judge({"x": chains(rng, 1000)}, rng, divergences=2)
    good = rng.beta(20, 20, size=4000)
    both = judge_probability(sampler, np.column_stack([good, np.full(4000, np.nan)]), CHAINS)
    assert not both.passed
    assert len(both.reasons) == 2
    assert both.reasons[0] == sampler.reasons[0]
    assert "probability[1]" in both.reasons[1]


def test_diagnostics_are_those_of_arviz():
    import arviz_stats
    import xarray

    rng = np.random.default_rng(10)
    noise = rng.normal(size=(CHAINS, 500))
    draws = np.empty_like(noise)
    draws[:, 0] = noise[:, 0]
    for i in range(1, 500):
        draws[:, i] = 0.7 * draws[:, i - 1] + noise[:, i]
    report = judge({"x": draws.ravel()}, rng)
    data = xarray.Dataset({"x": (("chain", "draw"), draws)})
    assert report.r_hat == pytest.approx(float(arviz_stats.rhat(data)["x"]))
    assert report.ess_bulk == pytest.approx(float(arviz_stats.ess(data, method="bulk")["x"]))
    tail = arviz_stats.ess(data, method="tail", prob=(0.05, 0.95))
    assert report.ess_tail == pytest.approx(float(tail["x"]))
    assert summary(draws.ravel(), CHAINS).mcse == pytest.approx(
        float(arviz_stats.mcse(data, method="mean")["x"])
    )


def test_summary_is_the_mean_and_its_spread():
    rng = np.random.default_rng(11)
    p = rng.beta(2, 6, size=20000)
    found = summary(p, CHAINS)
    assert found.mean == pytest.approx(p.mean())
    assert (found.p05, found.p50, found.p95) == tuple(np.quantile(p, [0.05, 0.5, 0.95]))
    # Independent draws: the error is sd / sqrt(n), up to the noise of the estimated ESS.
    assert found.mcse == pytest.approx(p.std() / np.sqrt(20000), rel=0.1)
    with pytest.raises(ValueError, match="multiple of chains"):
        summary(p[:-1], CHAINS)
