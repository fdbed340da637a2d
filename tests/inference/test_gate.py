"""The gate refuses what cannot be trusted and passes what can (known answer 18, first half)."""

import numpy as np
import pytest

from forecasting.inference import judge_sampler

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


def test_draws_that_do_not_fill_the_chains_are_refused():
    with pytest.raises(ValueError, match="multiple of chains"):
        judge_sampler({"x": np.zeros(4001)}, CHAINS, energy=np.zeros((4, 1000)), divergences=0)
