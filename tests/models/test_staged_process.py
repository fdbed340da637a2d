"""The staged family: known likelihood, agreement of its two computations, calibration, laws."""

import numpy as np
import pytest

from forecasting.inference import judge_probability, summary
from forecasting.models.base_rate import BaseRate
from forecasting.models.protocol import prior_arrays
from forecasting.models.staged import StagedProcess
from forecasting.models.staged_competing import Steps, posterior, state_chances
from forecasting.models.staged_path import no_data
from forecasting.models.staged_quadrature import collapse_rates, path_rates, quadrature

HORIZON = 20.0


def seen(k, *, advances=(), collapses=(), exposure=(), jumps=0.0):
    data = no_data(k)
    for name, values in (
        ("advances", advances),
        ("collapses", collapses),
        ("exposure", exposure),
    ):
        data[name][: len(values)] = values
    data["jumps"] = np.array(jumps)
    return data


DATA = seen(3, advances=(2, 0, 0), collapses=(0, 1, 0), exposure=(12.0, 9.0, 0.0))


def from_prior(model, rng, n):
    """Draw parameters from the prior, by nothing that the quadrature uses."""
    given = prior_arrays(model.default_priors(), model.default_priors())
    k = model.stages
    draws = {"rate": rng.gamma(given["rate_shape"], 1 / given["rate_rate"], n)}
    if k > 1:
        chance = rng.beta(given["collapse_a"], given["collapse_b"], (n, k - 1))
        draws["pace"] = np.exp(rng.normal(given["pace_mu"], given["pace_sd"], (n, k)))
        draws["collapse"] = collapse_rates(chance, given["rate_shape"], given["rate_rate"])
        draws["direct"] = rng.beta(given["direct_a"], given["direct_b"], n)
    return draws


def test_the_likelihood_is_that_of_the_moves_in_order():
    model = StagedProcess(2)
    draws = {
        "rate": np.array([0.1]),
        "pace": np.array([[1.0, 3.0]]),
        "collapse": np.array([[0.05]]),
        "direct": np.array([0.2]),
    }
    (advance,), (collapse,), (direct,) = path_rates(draws)
    assert direct == pytest.approx(0.02)
    # Waited 4, advanced; waited 2, collapsed; waited 5, still at the beginning.
    data = seen(2, advances=(1, 0), collapses=(0, 1), exposure=(9.0, 2.0))
    by_hand = (
        np.log(advance[0] * np.exp(-(advance[0] + direct) * 4))
        + np.log(collapse[0] * np.exp(-(advance[1] + collapse[0] + direct) * 2))
        - (advance[0] + direct) * 5
    )
    assert model.log_likelihood(draws, data).sum() == pytest.approx(by_hand)
    ended = seen(2, advances=(1, 1), exposure=(4.0, 2.0))
    by_hand = np.log(advance[0] * (advance[1] + direct)) - (advance[0] + direct) * 4
    by_hand -= (advance[1] + collapse[0] + direct) * 2
    assert model.log_likelihood(draws, ended).sum() == pytest.approx(by_hand)
    jumped = seen(2, exposure=(4.0, 0.0), jumps=1.0)
    by_hand = np.log(direct) - (advance[0] + direct) * 4
    assert model.log_likelihood(draws, jumped).sum() == pytest.approx(by_hand)


def test_one_stage_is_the_plain_rate():
    model = StagedProcess(1)
    data = seen(1, advances=(1,), exposure=(7.0,))
    fitted = model.fit(data, model.default_priors(), 1)
    p = model.predict(fitted.draws, [HORIZON])[:, 0, 0]
    exact = BaseRate("rate").closed_form(
        {"events": 1.0, "exposure": 7.0}, {"rate": model.default_priors()["rate"]}, [HORIZON]
    )[0]
    assert p.mean() == pytest.approx(exact.mean, abs=0.0005)
    assert p.std() == pytest.approx(exact.sd, abs=0.002)


@pytest.mark.parametrize("case", range(6))
def test_the_quadrature_is_the_prior_weighted_by_the_likelihood(case):
    # Independent oracle: 200,000 draws from the prior, weighted.
    model = StagedProcess(2 + case % 2)
    rng = np.random.default_rng(case)
    _, paths = model.simulate(rng, 1, watched=40.0)
    data = DATA if case == 1 else paths[0]
    draws = from_prior(model, rng, 200_000)
    log_weights = model.log_likelihood(draws, data).sum(axis=1)
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    last = (model.stages,)
    p = model.predict(draws, [HORIZON], reached=1, stages=last)[:, 0, 0]
    error = np.sqrt(np.sum((weights * (p - weights @ p)) ** 2))
    fitted = model.fit(data, model.default_priors(), case, method="conjugate")
    found = model.predict(fitted.draws, [HORIZON], reached=1, stages=last)[:, 0, 0]
    assert abs(found.mean() - weights @ p) < 4.5 * np.hypot(error, found.std() / 4000**0.5)


def _against_nuts(count):
    model = StagedProcess(3)
    _, paths = model.simulate(np.random.default_rng(26), count, watched=40.0)
    squares = []
    for seed, data in enumerate(paths):
        # A wide probability needs more draws for the sampler's error to pass the gate.
        for draws in (1000, 2000):
            both = [
                model.fit(data, model.default_priors(), seed, method=method, draws=draws)
                for method in ("conjugate", "nuts")
            ]
            p = [model.predict(f.draws, [HORIZON], reached=1, stages=(3,))[:, 0, 0] for f in both]
            report = judge_probability(both[1].report, p[1], 4)
            if report.passed:
                break
        assert report.passed, (seed, report.reasons)
        # The quadrature's own error is a small part of the sampler's.
        error = summary(p[1], 4).mcse
        z = (p[0].mean() - p[1].mean()) / np.hypot(error, 0.001)
        assert abs(z) < 4.5, (seed, z)
        squares.append(z**2)
    return np.mean(squares)


@pytest.mark.deep
def test_quadrature_and_sampler_agree_on_two_hundred_paths():
    # Rule 26.
    assert 0.75 < _against_nuts(200) < 1.3


@pytest.mark.deep
@pytest.mark.parametrize("broken", [False, True])
def test_ranks_are_uniform_and_time_without_a_move_is_needed_for_it(broken):
    # Simulation-based calibration of the quadrature: ranks of the rate, of a chance to collapse
    # and of P(yes); without the time at risk (no censoring) it must fail.
    model = StagedProcess(2)
    priors = prior_arrays(model.default_priors(), model.default_priors())
    truth, paths = model.simulate(np.random.default_rng(7), 200, watched=30.0)
    ranks = []
    for i, data in enumerate(paths):
        if broken:
            data = data | {"exposure": np.zeros(2)}
        draws, _ = quadrature(data, priors, 1000, i)
        one = {name: values[i : i + 1] for name, values in truth.items()}
        p = [model.predict(d, [HORIZON], stages=(2,))[:, 0, 0] for d in (draws, one)]
        ranks.append(
            [
                (draws["rate"] < one["rate"]).mean(),
                (draws["collapse"][:, 0] < one["collapse"][0, 0]).mean(),
                (p[0] < p[1]).mean(),
            ]
        )
    counts = [np.histogram(column, 10, (0, 1))[0] for column in np.transpose(ranks)]
    chi = [((count - 20.0) ** 2 / 20.0).sum() for count in counts]
    # 9 degrees of freedom: 27.9 has probability .001.
    if broken:
        assert max(chi) > 60
    else:
        assert max(chi) < 27.9


def test_waiting_lowers_a_stage_reached_raises_and_a_collapse_lowers():
    model = StagedProcess(3)
    priors = model.default_priors()

    def p(data, reached):
        draws = model.fit(data, priors, 1).draws
        return model.predict(draws, [HORIZON], reached=reached, stages=(3,)).mean()

    nothing = p(no_data(3), 0)
    waited = p(seen(3, exposure=(20.0,)), 0)
    reached = p(seen(3, advances=(1,), exposure=(20.0,)), 1)
    lost = p(seen(3, advances=(1,), collapses=(0, 1), exposure=(20.0, 10.0)), 0)
    held = p(seen(3, advances=(1,), exposure=(20.0, 10.0)), 1)
    assert waited < nothing
    assert waited < reached
    assert lost < held < reached


def test_the_same_seed_gives_the_same_draws():
    model = StagedProcess(3)
    first, again, other = (model.fit(DATA, model.default_priors(), seed) for seed in (1, 1, 2))
    assert np.array_equal(first.draws["pace"], again.draws["pace"])
    assert not np.array_equal(first.draws["pace"], other.draws["pace"])


def test_a_worldview_that_slows_the_class_lowers_every_probability():
    model = StagedProcess(3)
    priors = model.default_priors()
    slow = priors | {"rate": priors["rate"].with_values(1.0, 260.0)}
    p = [
        model.predict(model.fit(DATA, given, 1).draws, [5.0, 20.0, 60.0], reached=1).mean(axis=0)
        for given in (slow, priors)
    ]
    assert np.all(p[0][:, 1:] < p[1][:, 1:])


def test_wrong_data_are_refused():
    model = StagedProcess(2)
    priors = model.default_priors()
    with pytest.raises(ValueError, match="nothing to collapse"):
        model.fit(seen(2, collapses=(1,)), priors, 1)
    with pytest.raises(ValueError, match="of at least 0"):
        model.fit(seen(2, exposure=(-1.0,)), priors, 1)
    with pytest.raises(ValueError, match="shape"):
        model.fit(no_data(3), priors, 1)
    with pytest.raises(ValueError, match="data must be"):
        model.fit({"events": 1.0}, priors, 1)
    with pytest.raises(ValueError, match="priors must be for"):
        model.fit(no_data(2), StagedProcess(1).default_priors(), 1)
    with pytest.raises(ValueError, match="jumps"):
        StagedProcess(1).fit(seen(1, jumps=1.0), StagedProcess(1).default_priors(), 1)
    with pytest.raises(ValueError, match="at least 1"):
        StagedProcess(0)


COMPETING = {
    "total_shape": 1.0,
    "total_rate": 182.0,
    "share_a": np.ones(3),
    "pace_mu": 0.0,
    "pace_sd": 0.8,
}


def test_after_a_first_step_that_competes_each_cause_keeps_its_rate_times_pace():
    # Independent oracle: draws from the prior, weighted by the likelihood written out.
    steps = Steps((1.0, 0.0, 0.0), 351.0, (0.0, 0.0, 1.0), 60.0)
    rng = np.random.default_rng(3)
    n = 200_000
    drawn = {
        "total": rng.gamma(1.0, 1 / 182.0, n),
        "share": rng.dirichlet(np.ones(3), n),
        "pace": np.exp(rng.normal(0.0, 0.8, n)),
    }
    total, share, pace = drawn["total"], drawn["share"], drawn["pace"]
    log_weights = np.log(total * share[:, 0]) - total * 351.0
    log_weights += np.log(total * pace * share[:, 2]) - total * pace * (1 - share[:, 0]) * 60.0
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    p = state_chances(drawn, 200.0, soft=0, firm=1)
    found = state_chances(posterior(steps, COMPETING, 16_000, 1, soft=0), 200.0, soft=0, firm=1)
    exact = weights @ p
    error = np.sqrt((weights**2) @ (p - exact) ** 2)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-12)
    assert np.all(np.abs(found.mean(axis=0) - exact) < 4.5 * np.hypot(error, 0.001))


def test_soft_can_be_lost_and_firm_cannot():
    draws = {"total": [0.02], "share": [[0.4, 0.1, 0.5]], "pace": [1.0]}
    soft_now = state_chances(draws, 60.0, soft=0, firm=1, now=1)[0]
    assert soft_now[0] > 0.1
    assert state_chances(draws, 60.0, soft=0, firm=1, now=2)[0].tolist() == [0.0, 0.0, 1.0]
    firm = [state_chances(draws, days, soft=0, firm=1)[0, 2] for days in (0, 10, 100, 1000)]
    assert firm[0] == 0.0
    assert np.all(np.diff(firm) > 0)
    with pytest.raises(ValueError, match="soft cannot follow soft"):
        posterior(Steps((0.0,) * 3, 0.0, (1.0, 0.0, 0.0), 0.0), COMPETING, 10, 1, soft=0)
