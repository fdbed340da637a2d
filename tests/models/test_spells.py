"""Spells: likelihood, grids as oracles, and what a class says of a stay to come."""

import numpy as np
import pytest
from arviz_stats.base import array_stats

from forecasting.domain.process import MoveSpec, Phrase, ProcessSpec
from forecasting.errors import InvalidInput
from forecasting.evidence.history import Past, Piece
from forecasting.inference import compile_count, pack, verdict
from forecasting.inference.prior import prior_arrays
from forecasting.models import weibull
from forecasting.models.spells import KINDS, SpellDraws, Spells
from forecasting.models.weibull import spells, survival
from forecasting.models.world.parameters import parameters
from tests.models.oracles import simulated, spell_log_likelihood

VARIANTS = [Spells(), Spells("first-claim", instant=True), Spells("peace-agreement")]
NAMES = ["plain", "instant", "lasting"]

SIX = spells(
    entry=[0, 0, 0, 0, 10, 0], lower=[3, 12, 45, 5, 60, 20], upper=[0] * 6, kind=[1, 1, 0, 1, 0, 1]
)
MIXED = spells(
    entry=[0, 0, 0, 0, 2, 5, 0],
    lower=[3, 12, 0, 5, 6, 20, 0.5],
    upper=[0, 0, 0.25, 9, 0, 40, 0],
    kind=[1, 0, 2, 2, 0, 2, 0],
    weight=[1, 0.5, 1, 1, 1, 0.3, 1],
    monitored=[0, 1, 0, 1, 0, 0, 1],
)
HOLDS = ("t", "on > off")


def holds(**stated):
    phrase = Phrase("class", reference="c", **stated)
    return {"t": ProcessSpec("t", "states", ("on", "off"), (MoveSpec("on", "off", phrase),))}


def stay(age):
    return {HOLDS: Past(*HOLDS, (Piece(0.0, age, False, (), 20_000.0),))}


def survival_after(move, days, age=0.0):
    survivals = [
        move.for_good
        + (1 - move.for_good - move.at_once * (t > 0)) * np.exp(-move.rate * t**move.shape)
        for t in (age, age + days)
    ]
    return float(np.mean(survivals[1] / survivals[0]))


def test_the_six_spells_on_a_grid_by_sampling_and_through_the_world():
    # Known answer 3: P(T > 50 | T > 20) = .5381.
    model = Spells()
    priors = model.default_priors()
    z = np.linspace(-5, 5, 301)
    a, b = (axis.ravel() for axis in np.meshgrid(z, z))
    draws = {
        "theta": priors["theta"].value("mu") + priors["theta"].value("sd") * a,
        "k": np.exp(priors["k"].value("mu") + priors["k"].value("sd") * b),
        "beta": np.zeros(a.size),
    }
    log_weight = spell_log_likelihood(draws, SIX, t0=model.t0).sum(axis=1) - 0.5 * (a**2 + b**2)
    weight = np.exp(log_weight - log_weight.max())
    p = survival(draws, 50.0, t0=30.0, age=20.0)[:, 0]
    exact = np.sum(weight * p) / weight.sum()
    assert exact == pytest.approx(0.5381, abs=5e-4)
    fitted = model.fit(SIX, priors, 1)
    assert fitted.report.passed, fitted.report.reasons
    draws_of_p = survival(fitted.draws, 50.0, t0=30.0, age=20.0).reshape(fitted.chains, -1)
    error = array_stats.mcse(draws_of_p, chain_axis=0, draw_axis=1)
    assert abs(draws_of_p.mean() - exact) < 4.5 * error
    # In the world the stay's own 20 days are told apart, and weigh the draws once more.
    p = survival(draws, [20.0, 50.0], t0=30.0)
    own = np.sum(weight * p[:, 1]) / np.sum(weight * p[:, 0])
    classes = {("t", "c"): SpellDraws.of(model, fitted)}
    move = parameters(holds(), stay(20.0), points=2048, seed=1, classes=classes).hazard(*HOLDS)
    assert survival_after(move, 30.0, age=20.0) == pytest.approx(own, abs=0.006)


@pytest.mark.parametrize("model", VARIANTS, ids=NAMES)
def test_the_sampled_graph_is_the_numpy_likelihood(model):
    from pytensor.compile.mode import Mode

    # Same data at several points: the two may differ by a constant (log t), and by nothing else.
    priors = model.default_priors()
    arrays = prior_arrays(priors, priors)
    grouped = weibull.grouped(MIXED, t0=model.t0)
    none = weibull.grouped(spells(entry=[], lower=[], upper=[], kind=[]), t0=model.t0)
    with model.build_model() as built:
        log_density = built.compile_logp(mode=Mode(linker="py", optimizer=None))
    rng, gaps = np.random.default_rng(1), []
    for _ in range(6):
        point = {name: np.asarray(rng.normal()) for name in built.initial_point()}
        at = []
        for data in (grouped, none):
            numbers = {n: v for n, v in {**data, **arrays}.items() if n in model.layout}
            built.set_data("inputs", pack(model.layout, numbers))
            at.append(float(log_density(point)))
        draws = {
            "theta": [priors["theta"].value("mu") + priors["theta"].value("sd") * point["theta_z"]],
            "k": [np.exp(priors["k"].value("mu") + priors["k"].value("sd") * point["k_z"])],
            "beta": [priors["beta"].value("sd") * point["beta_z"]],
        }
        for name in ("pi", "lasting"):
            if name in priors:
                draws[name] = [1 / (1 + np.exp(-point[f"{name}_logodds__"]))]
        gaps.append(at[0] - at[1] - spell_log_likelihood(draws, MIXED, t0=model.t0).sum())
    np.testing.assert_allclose(gaps, gaps[0], atol=1e-8)


def test_settings_share_a_graph_and_pass_the_gate():
    before = compile_count()
    for setting in ("formal-end", "first-claim"):
        model = Spells(setting)
        for rows in (SIX, MIXED, spells(entry=[], lower=[], upper=[], kind=[])):
            fitted = model.fit(rows, model.default_priors(), 1)
            assert fitted.report.passed, (setting, fitted.report.reasons)
    assert compile_count() <= before + 1
    assert set(KINDS.values()) == {model.setting for model in VARIANTS}


def test_a_class_with_shares_gives_its_own_survival():
    rng = np.random.default_rng(0)
    fit = type("Fit", (), {})()
    fit.draws = {
        "theta": rng.normal(-1, 0.5, 4000),
        "k": np.exp(rng.normal(np.log(0.8), 0.2, 4000)),
        "beta": np.zeros(4000),
        "lasting": rng.beta(4, 4, 4000),
    }
    model = Spells("peace-agreement")
    draws = SpellDraws.of(model, fit)
    assert draws.spread == 0.5
    plain = SpellDraws(draws.theta, draws.k, draws.t0, draws.at_once, draws.lasting)
    classes = {("t", "c"): plain}
    move = parameters(holds(), {}, points=2048, seed=1, classes=classes).hazard(*HOLDS)
    exact = survival(fit.draws, 700.0, t0=365.0)[:, 0].mean()
    assert survival_after(move, 700.0) == pytest.approx(exact, abs=0.004)
    stated = parameters(holds(for_good=0.05), {}, points=64, seed=1, classes=classes).hazard(*HOLDS)
    assert np.all(stated.for_good == 0.05)


def test_draws_that_stand_in_are_all_there_and_neighbours_alike():
    fit = type("Fit", (), {})()
    rng = np.random.default_rng(0)
    fit.draws = {name: rng.normal(size=400) for name in ("theta", "beta", "k")}
    draws = SpellDraws.of(Spells(), fit)
    assert np.sort(draws.k).tolist() == np.sort(fit.draws["k"]).tolist()
    strata = np.array([part.mean() for part in np.array_split(draws.theta, 32)])
    assert np.all(np.diff(strata) > 0)


def test_the_class_is_held_against_its_own_cases():
    model = Spells("first-claim")
    _, rows = simulated(model, np.random.default_rng(2))
    fitted = model.fit(rows, model.default_priors(), 1)
    check = model.predictive_check(fitted.draws, rows, seed=1)
    assert check.n == 12
    assert "its own class" in verdict(check)
    with pytest.raises(InvalidInput, match="must be one of"):
        Spells("for-ever")
