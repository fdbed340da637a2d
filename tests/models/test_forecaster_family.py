"""Bias, information and noise: the likelihood, what it recovers, and how judgements are read."""

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import log_ndtr, ndtr
from scipy.stats import multivariate_normal

from forecasting.models.encoding import judgements
from forecasting.models.encoding.fits import FitCache
from forecasting.models.forecaster import Forecaster, room_for
from forecasting.models.forecaster_bin import (
    expected_brier,
    log_likelihood,
    outcome_probability,
    probit,
    simulate_record,
)
from forecasting.models.forecaster_record import Judgement

NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
# mu* = -.4, gamma = .4, delta = .3, mu_j = .5: known answer 16.
ONE = {
    "base": np.array(-0.4),
    "bias": np.array([0.5]),
    "information": np.array([0.4]),
    "noise": np.array([0.3]),
    "shared": np.array(0.3),
}


def single(parameters):
    return {name: np.asarray(values)[None] for name, values in parameters.items()}


def test_the_scores_of_a_biased_and_noisy_forecaster():
    # .2485 and .1942 were simulated; the integrals are .24819 and .19406. A constant at the base
    # rate scores Phi(-.4) (1 - Phi(-.4)) = .2258: better than he does, worse than what he knows.
    raw, recalibrated = expected_brier(-0.4, 0.5, 0.4, 0.3)
    assert raw == pytest.approx(0.2485, abs=5e-4)
    assert recalibrated == pytest.approx(0.1942, abs=5e-4)
    assert recalibrated < ndtr(-0.4) * (1 - ndtr(-0.4)) < raw


def test_simulated_forecasters_score_what_the_integrals_say():
    record = simulate_record(np.random.default_rng(1), ONE, questions=2_000)
    said, outcome = ndtr(record["probit"]), record["outcome"]
    draws = single(ONE)
    mended = np.array([outcome_probability(draws, [x], [0])[0] for x in record["probit"]])
    for p, wanted in zip((said, mended), expected_brier(-0.4, 0.5, 0.4, 0.3), strict=True):
        score = (p - outcome) ** 2
        assert abs(score.mean() - wanted) < 4.5 * score.std() / len(score) ** 0.5


def test_one_without_bias_or_noise_is_taken_at_his_word():
    honest = single(ONE | {"bias": [0.0], "noise": [1e-12]})
    for p in (0.03, 0.4, 0.97):
        assert outcome_probability(honest, probit([p]), [0])[0] == pytest.approx(p)


def test_the_likelihood_is_the_normal_with_the_covariance_that_is_stated():
    rng = np.random.default_rng(2)
    bias, gamma, delta = rng.normal(size=3), rng.uniform(0.1, 0.8, 3), rng.uniform(0.1, 1, 3)
    base, kappa = -0.3, 0.35
    s = np.sqrt(gamma + delta - gamma**2)
    covariance = np.outer(gamma, gamma) + kappa * np.outer(s, s)
    np.fill_diagonal(covariance, gamma + delta)
    x, outcome = rng.normal(size=3), 1.0
    z = x * np.sqrt(1 - gamma)
    pull = np.linalg.solve(covariance, gamma)
    mean = base + pull @ (z - base - bias)
    wanted = (
        multivariate_normal(base + bias, covariance).logpdf(z)
        + 0.5 * np.log1p(-gamma).sum()
        + log_ndtr(mean / np.sqrt(1 - pull @ gamma))
    )
    draws = single(
        {"base": base, "bias": bias, "information": gamma, "noise": delta, "shared": kappa}
    )
    data = {"probit": x, "question": np.zeros(3), "who": np.arange(3.0), "outcome": [outcome]}
    got = log_likelihood(draws, data | {"weight": [1.0]})
    assert got.shape == (1, 1)
    assert got[0, 0] == pytest.approx(wanted)
    half = log_likelihood(draws, data | {"weight": [0.5]})
    assert half[0, 0] == pytest.approx(wanted / 2)
    assert outcome_probability(draws, x, np.arange(3))[0] == pytest.approx(
        ndtr(mean / np.sqrt(1 - pull @ gamma))
    )


def test_a_copy_says_nothing_new_and_an_independent_voice_does():
    crowd = {name: np.repeat(value, 2) for name, value in ONE.items() if np.ndim(value)}
    said = probit([0.8, 0.8])

    def together(kappa):
        draws = single(ONE | crowd | {"shared": kappa})
        return outcome_probability(draws, said, [0, 1])[0]

    alone = outcome_probability(single(ONE), said[:1], [0])[0]
    assert together(1 - 1e-9) == pytest.approx(alone, abs=1e-6)
    assert together(0.0) > together(0.5) > alone


def test_without_judgements_it_is_the_base_rate_and_without_a_record_one_half():
    model = Forecaster()
    empty = {name: np.zeros(0) for name in ("probit", "question", "who", "outcome", "weight")}
    fitted = model.fit(empty, model.default_priors(), 1)
    assert fitted.method == "conjugate"
    p = model.predict(fitted.draws, [], [])
    assert abs(p.mean() - 0.5) < 4.5 * p.std() / len(p) ** 0.5
    # Somebody unknown is heard, and believed about half-way.
    heard = model.predict(fitted.draws, [0.9], [0]).mean()
    assert 0.6 < heard < 0.75
    # Their names do not matter.
    other = model.predict(fitted.draws, [0.9], [3]).mean()
    assert abs(heard - other) < 0.02


def test_priors_are_about_those_of_the_paper_for_one_forecaster():
    # N(0, .5), Beta(2, 4) (mean 1/3, sd .178), and a noise of median about HalfNormal(.5)'s .34.
    draws = Forecaster().prior_draws(
        np.random.default_rng(3), Forecaster().default_priors(), 40_000
    )
    assert draws["bias"][:, 0].std() == pytest.approx(0.5, abs=0.02)
    assert draws["information"][:, 0].mean() == pytest.approx(1 / 3, abs=0.01)
    assert draws["information"][:, 0].std() == pytest.approx(0.178, abs=0.02)
    assert np.median(draws["noise"][:, 0]) == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"who": [7.0]}, "who"),
        ({"question": [1.0]}, "question"),
        ({"outcome": [0.5]}, "outcome"),
        ({"weight": [-1.0]}, "weight"),
        ({"more": [1.0]}, "data"),
    ],
)
def test_a_record_that_is_none_is_refused(changes, match):
    data = {"probit": [0.1], "question": [0.0], "who": [0.0], "outcome": [1.0], "weight": [1.0]}
    model = Forecaster()
    with pytest.raises(ValueError, match=match):
        model.fit(data | changes, model.default_priors(), 1)
    with pytest.raises(ValueError, match="at most"):
        room_for(65)
    with pytest.raises(ValueError, match="different columns"):
        model.predict(single(ONE), [0.5, 0.5], [0, 0])


def resolved(question, who, p, outcome, event=""):
    return Judgement(question, event or question, who, p, NOON, outcome)


def standing(who, p, question="now"):
    return Judgement(question, question, who, p, NOON)


def case(*said):
    return SimpleNamespace(
        judgements=said,
        question=SimpleNamespace(id="now"),
        priors={},
        reference="judgements",
        fits=FitCache(0),
    )


def test_questions_of_one_event_share_its_weight():
    said = [resolved(f"q{i}", "ana", 0.3, 0.0, event="e" if i < 3 else f"q{i}") for i in range(5)]
    arrays = judgements.record_arrays(tuple(said), {"ana": 0})
    np.testing.assert_allclose(arrays["weight"], [1 / 3, 1 / 3, 1 / 3, 1, 1])
    turned = judgements.record_arrays(tuple(reversed(said)), {"ana": 0})
    for name, values in arrays.items():
        np.testing.assert_array_equal(values, turned[name])


def test_an_answer_without_a_record_hears_people_and_says_what_it_rests_on():
    silent = judgements.model(case())
    assert silent.numbers[0] == pytest.approx(0.5, abs=0.02)
    assert judgements.base_rate(case()) is None
    heard = judgements.model(case(standing("ana", 0.9), standing("bo", 0.999)))
    assert heard.numbers[0] > 0.6
    assert heard.gate == "passed"
    assert heard.diagnostics["judgements"] == 2.0
    assert heard.diagnostics["clipped"] == 1.0
    assert heard.draw().shape == (4000, 1)
    elsewhere = judgements.model(case(standing("ana", 0.9, question="other")))
    assert elsewhere.numbers == silent.numbers
    assert judgements.prior(case(standing("ana", 0.9))).numbers == silent.numbers
    assert judgements.inputs(case(standing("ana", 0.9)))["said"].tolist() == [probit(0.9)]


def test_the_base_rate_is_that_of_the_record():
    found = judgements.base_rate(case(*(resolved(f"q{i}", "ana", 0.5, 0.0) for i in range(4))))
    # Jeffreys: (0 + 1/2) / (4 + 1).
    assert found.numbers == (pytest.approx(0.1),)


@pytest.mark.deep
def test_the_graph_and_the_arrays_hold_one_likelihood():
    import pymc as pm

    from forecasting.inference import pack
    from forecasting.models.protocol import prior_arrays

    model = Forecaster(room=3)
    priors = model.default_priors()
    rng = np.random.default_rng(5)
    _, data = model.simulate(rng, questions=7)
    with model.build_model() as graph:
        pm.set_data({"inputs": pack(model.layout, {**data, **prior_arrays(priors, priors)})})
    potential = graph.compile_fn(graph.potentials[0], inputs=graph.free_RVs)
    differences = []
    for _ in range(3):
        point = {
            variable.name: rng.normal(size=variable.type.shape if variable.ndim else ())
            for variable in graph.free_RVs
        }
        batch = {name: np.asarray(value)[None] for name, value in point.items()}
        numpy = model.log_likelihood(model._parameters(batch, priors), data).sum()
        # The graph leaves out the constant of the normal density.
        constant = len(data["probit"]) * np.log(2 * np.pi) / 2
        differences.append(float(potential(point)) - constant - numpy)
    np.testing.assert_allclose(differences, 0.0, atol=1e-5)


@pytest.mark.deep
def test_parameters_are_recovered_and_forecasts_improved():
    model = Forecaster()
    truth = {
        "base": np.array(-0.4),
        "bias": np.array([0.5, 0.0, -0.5, 0.5]),
        "information": np.array([0.4, 0.6, 0.2, 0.4]),
        "noise": np.array([0.3, 0.1, 0.6, 0.3]),
        "shared": np.array(0.3),
    }
    data = simulate_record(np.random.default_rng(7), truth, questions=120)
    fitted = model.fit(data, model.default_priors(), 1)
    assert fitted.report.passed, fitted.report.reasons
    for name, values in truth.items():
        low, high = np.quantile(fitted.draws[name], [0.001, 0.999], axis=0)
        assert np.all((low < values) & (values < high)), name
    fresh = simulate_record(np.random.default_rng(8), truth, questions=2000)
    x, outcome = fresh["probit"].reshape(-1, 4)[:, 0], fresh["outcome"]
    thin = {name: values[::40] for name, values in fitted.draws.items()}
    mended = np.array([outcome_probability(thin, [said], [0]).mean() for said in x])
    raw, best = expected_brier(-0.4, 0.5, 0.4, 0.3)
    score = ((mended - outcome) ** 2).mean()
    assert ((ndtr(x) - outcome) ** 2).mean() == pytest.approx(raw, abs=0.02)
    assert score == pytest.approx(best, abs=0.02)


@pytest.mark.deep
def test_a_record_teaches_whom_to_believe():
    rng = np.random.default_rng(9)
    outcome = (rng.random(24) < 0.5).astype(float)
    said = [resolved(f"q{i:02d}", "good", 0.8 if y else 0.2, y) for i, y in enumerate(outcome)]
    said += [
        resolved(f"q{i:02d}", "noise", float(rng.choice([0.1, 0.9])), y)
        for i, y in enumerate(outcome)
    ]
    fits = FitCache(0)

    def answer(who, p):
        asked = case(*said, standing(who, p))
        asked.fits = fits
        found = judgements.model(asked)
        assert found.gate == "passed", found.gate
        return found.numbers[0]

    # 24 questions do not overrule the priors, yet .8 of the one moves more than .9 of the other.
    believed = answer("good", 0.8) - answer("good", 0.2)
    ignored = answer("noise", 0.9) - answer("noise", 0.1)
    assert believed > 0.3
    assert ignored < 0.75 * believed
