"""Competing risks: closed form, coherence, and forecasts that agree with themselves over time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.inference import judge_probability, summary
from forecasting.models.competing_risks import (
    CompetingRisks,
    cumulative_incidence,
    strongest_state,
)

KNOWN = {"events": [0.0, 2.0, 1.0], "exposure": 200.0}
positive = st.floats(1e-4, 0.5)
shares = st.lists(st.floats(0.05, 1), min_size=3, max_size=3).map(lambda v: np.asarray(v) / sum(v))


def known_priors(model):
    priors = model.default_priors()
    return {
        "total": priors["total"].with_values(4.5, 180.0),
        "share": priors["share"].with_values((1.0, 3.0, 0.5)),
    }


def test_the_conjugate_answer():
    # Known answer 4: a = (1, 3, .5), A = 4.5, b = 180, d = (0, 2, 1), E = 200, s = 60:
    # CIF_k = (a_k + d_k) / 7.5 * (1 - (380 / 440)^7.5).
    model = CompetingRisks()
    exact = model.closed_form(KNOWN, known_priors(model), 60.0)[0]
    np.testing.assert_allclose(exact[:3], [0.0889, 0.4446, 0.1334], atol=5e-5)
    gone = 1 - (380 / 440) ** 7.5
    np.testing.assert_allclose(exact, [gone / 7.5, gone * 5 / 7.5, gone * 1.5 / 7.5, 1 - gone])


def test_the_incidences_of_fixed_rates():
    # Rates (.004, .010, .002) at 30 days.
    got = cumulative_incidence([0.016], [[0.25, 0.625, 0.125]], 30.0)[0, 0, :3]
    np.testing.assert_allclose(got, [0.0953, 0.2383, 0.0477], atol=5e-5)


@pytest.mark.parametrize("method", ["conjugate", "nuts"])
def test_both_ways_of_fitting_find_it(method):
    model = CompetingRisks()
    priors = known_priors(model)
    fitted = model.fit(KNOWN, priors, 1, method=method)
    assert fitted.method == method
    p = model.predict(fitted.draws, 60.0)[:, 0]
    report = judge_probability(fitted.report, p, 4)
    assert report.passed, report.reasons
    exact = model.closed_form(KNOWN, priors, 60.0)[0]
    for column, value in zip(p.T, exact, strict=True):
        found = summary(column, 4)
        assert abs(found.mean - value) < 4.5 * found.mcse


def test_conjugacy_does_not_need_total_and_shares_to_agree():
    # A = 1 with sum a = 3: the likelihood factorises all the same; exact by a grid over total.
    model = CompetingRisks()
    priors = model.default_priors()
    exact = model.closed_form(KNOWN, priors, 60.0)[0]
    total = np.linspace(1e-6, 0.2, 200001)
    weight = total**3 * np.exp(-total * (180 + 200))
    survival = np.sum(weight * np.exp(-total * 60)) / weight.sum()
    np.testing.assert_allclose(exact[3], survival, rtol=1e-6)
    np.testing.assert_allclose(exact[:3], (1 - survival) * np.array([1, 3, 2]) / 6, rtol=1e-6)


@pytest.mark.deep
def test_a_lognormal_total_is_sampled_and_agrees_with_a_grid():
    model = CompetingRisks(total="lognormal")
    priors = model.default_priors()
    fitted = model.fit(KNOWN, priors, 1)
    assert fitted.method == "nuts"
    p = model.predict(fitted.draws, 60.0)[:, 0]
    assert judge_probability(fitted.report, p, 4).passed
    z = np.linspace(-8, 8, 4001)
    total = np.exp(-np.log(180) + z)
    weight = np.exp(-0.5 * z**2 + 3 * np.log(total) - total * 200)
    survival = np.sum(weight * np.exp(-total * 60)) / weight.sum()
    found = summary(p[:, 3], 4)
    assert abs(found.mean - survival) < 4.5 * found.mcse


@given(positive, shares, st.lists(st.floats(0, 5000), min_size=1, max_size=5))
def test_incidences_and_survival_sum_to_one_and_ladders_rise(total, share, days):
    days = np.sort(days)
    cif = cumulative_incidence([total], [share], days)[0]
    np.testing.assert_allclose(cif.sum(axis=1), 1.0, atol=1e-9)
    assert np.all(np.diff(cif[:, :3], axis=0) >= -1e-15)
    assert np.all(cif >= 0)


@given(
    positive,
    shares,
    st.lists(st.floats(0, 5000), min_size=1, max_size=5),
    st.sampled_from(["none", "soft"]),
    st.booleans(),
)
def test_the_strongest_state_sums_to_one_and_never_weakens(total, share, days, reached, upgrade):
    draws = {"total": [total], "share": [share]}
    p = strongest_state(draws, np.sort(days), soft=1, firm=0, reached=reached, upgrade=upgrade)[0]
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-9)
    assert np.all(p >= 0)
    # P(at least soft) and P(firm) rise with the deadline.
    assert np.all(np.diff(p[:, 1:].sum(axis=1)) >= -1e-12)
    assert np.all(np.diff(p[:, 2]) >= -1e-12)


@given(positive, shares)
def test_the_forecast_before_soft_is_the_expectation_of_the_one_after(total, share):
    # Tower property over the time and kind of the first event, by quadrature.
    draws, horizon = {"total": [total], "share": [share]}, 3.0 / total
    before = strongest_state(draws, horizon, soft=1, firm=0)[0, 0]
    edges = np.linspace(0, horizon, 4001)
    u = (edges[1:] + edges[:-1]) / 2
    chance = np.exp(-total * edges[:-1]) - np.exp(-total * edges[1:])
    after = strongest_state(draws, horizon - u, soft=1, firm=0, reached="soft")[0]
    expected = share[1] * (chance[:, None] * after).sum(axis=0)
    expected[2] += share[0] * chance.sum()
    expected[0] += share[2] * chance.sum() + np.exp(-total * horizon)
    np.testing.assert_allclose(before, expected, atol=1e-5)


def test_without_upgrades_the_states_are_the_incidences():
    draws = {"total": [0.016], "share": [[0.25, 0.625, 0.125]]}
    plain = strongest_state(draws, 30.0, soft=1, firm=0, upgrade=False)[0, 0]
    cif = cumulative_incidence(draws["total"], draws["share"], 30.0)[0, 0]
    np.testing.assert_allclose(plain, [cif[2] + cif[3], cif[1], cif[0]])


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="two different"):
        CompetingRisks(causes=("a",))
    gamma, lognormal = CompetingRisks(), CompetingRisks(total="lognormal")
    with pytest.raises(ValueError, match="one count"):
        gamma.fit({"events": [1.0], "exposure": 1.0}, gamma.default_priors(), 1)
    with pytest.raises(ValueError, match="two of the 3 causes"):
        strongest_state({"total": [1.0], "share": [[0.5, 0.3, 0.2]]}, 1.0, soft=1, firm=1)
    with pytest.raises(ValueError, match="log-normal"):
        lognormal.fit(KNOWN, lognormal.default_priors(), 1, method="conjugate")
