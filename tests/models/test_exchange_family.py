"""Exchange count: arithmetic of the two regimes, what evidence moves, ladders in every draw."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta as beta_law
from scipy.stats import gamma as gamma_law

from forecasting.inference import judge_probability, pack, summary
from forecasting.models.compound import mixture_completion, routine_completion
from forecasting.models.exchange import ExchangeCount
from forecasting.models.exchange_arrays import exchange_data, sufficient
from forecasting.models.exchange_future import completion
from forecasting.models.exchange_priors import BETAS, GAMMAS, STANDARD
from forecasting.models.exchange_process import FEATURES, hypotheses

MODEL = ExchangeCount()
PRIORS = MODEL.default_priors()
PAST = {
    "past_begun": [1, 0],
    "past_wait_weeks": [1.0, 20.0],
    "past_tranches": [3, 0],
    "past_active_days": [2.0, 0.0],
    "past_completed": [1, 0],
    "past_quiet_days": [0.0, 0.0],
    "past_shares": [0.39, 0.503],
}
AGREED = exchange_data(agreed=1000, elapsed_days=0)
WAITED = exchange_data(agreed=1000, elapsed_days=120)
BEGUN = exchange_data(agreed=1000, elapsed_days=8, delivery_days=[7.5], delivered=[390])
TWICE = exchange_data(agreed=1000, elapsed_days=8.5, delivery_days=[7.5, 8.5], delivered=[390, 307])
DONE = exchange_data(
    agreed=1000, elapsed_days=9.5, delivery_days=[7.5, 8.5, 9.5], delivered=[390, 307, 303]
)
RICH = exchange_data(
    agreed=1000,
    elapsed_days=30,
    delivery_days=[7.5, 12.0],
    delivered=[205, 150],
    history_events=5,
    history_weeks=40,
    sizes=[84, 146, 205],
    **PAST,
)


@pytest.fixture(scope="module")
def fits():
    found = {}

    def of(name, data):
        if name not in found:
            found[name] = MODEL.fit(data, PRIORS, 1)
        return found[name]

    return of


def prior_draws(size, seed=1):
    rng = np.random.default_rng(seed)
    draws = {}
    for name in BETAS:
        draws[name] = rng.beta(*(v for _, v in PRIORS[name].parameters), size=size)
    for name in GAMMAS:
        shape, rate = (v for _, v in PRIORS[name].parameters)
        draws[name] = rng.gamma(shape, 1 / rate, size=size)
    for name in STANDARD:
        draws[name] = np.exp(rng.normal(*(v for _, v in PRIORS[name].parameters), size=size))
    draws["share_precision"] = np.full(size, PRIORS["share_precision"].value("value"))
    return draws


def test_the_routine_regime_at_four_horizons():
    # Known answer 5: lam .369 a week, mean 88.7, shape 2, 1,000 to come.
    weeks = [4, 12, 26, 52]
    got = routine_completion(0.369, 2.0, 88.7, 1000.0, weeks)[0]
    np.testing.assert_allclose(got, [0.0001, 0.0140, 0.3047, 0.9421], atol=5e-5)
    mixed = mixture_completion(0.35, 0.15, got[:3], weeks[:3])
    np.testing.assert_allclose(mixed, [0.158, 0.301, 0.541], atol=5e-4)


def test_the_tabulated_tail_is_the_plain_sum():
    draws = prior_draws(40)
    weeks = [2.0, 15.0, 60.0]
    got = routine_completion(draws["lam"], draws["nu"], draws["m"], 700.0, weeks)
    n = np.arange(1, 300)
    for i in range(40):
        tail = gamma_law.sf(700.0, n * draws["nu"][i], scale=draws["m"][i] / draws["nu"][i])
        for j, week in enumerate(weeks):
            expected = draws["lam"][i] * week
            log_weight = n * np.log(expected) - expected - np.cumsum(np.log(n))
            assert got[i, j] == pytest.approx(np.sum(np.exp(log_weight) * tail), abs=1e-9)


@given(
    st.floats(1e-4, 3),
    st.floats(0.2, 20),
    st.floats(1, 400),
    st.floats(1, 3000),
    st.lists(st.floats(0, 200), min_size=1, max_size=5),
)
def test_routine_ladders_rise(lam, nu, m, remaining, weeks):
    p = routine_completion(lam, nu, m, remaining, np.sort(weeks))[0]
    assert np.all(np.diff(p) >= 0)
    assert np.all((p >= 0) & (p <= 1))


def by_hand(p, data):
    """The log density of the deliveries under each hypothesis, term by term."""
    days, sizes = data["delivery_days"], data["delivered"]
    now, agreed, terms = float(data["elapsed_days"]), float(data["agreed"]), []
    before = agreed - np.concatenate([[0.0], np.cumsum(sizes)[:-1]])
    a = p["share"] * p["share_precision"]
    b = p["share_precision"] - a
    out = p["delta"] + p["stall"]
    for j in range(len(sizes) + 1):
        value = sum(
            np.log(p["lam"] / 7) + gamma_law.logpdf(x, p["nu"], scale=p["m"] / p["nu"])
            for x in sizes[:j]
        )
        if j == len(sizes):
            value += np.log(p["w"] * np.exp(-p["mu"] * now / 7) + 1 - p["w"])
        else:
            value += np.log(p["w"] * p["mu"] / 7) - p["mu"] * days[j] / 7
            for i in range(j, len(sizes)):
                share = sizes[i] / before[i]
                value += np.log1p(-p["final"]) + beta_law.logpdf(share, a, b) - np.log(before[i])
            for i in range(j + 1, len(sizes)):
                value += np.log(p["delta"]) - out * (days[i] - days[i - 1])
            quiet = now - days[-1]
            value += np.log(np.exp(-out * quiet) + p["stall"] / out * (1 - np.exp(-out * quiet)))
        terms.append(value)
    return np.asarray(terms)


@pytest.mark.parametrize("data", [AGREED, WAITED, BEGUN, TWICE, RICH])
def test_the_linear_form_is_the_likelihood_by_hand(data):
    draws = prior_draws(5)
    got = MODEL.log_likelihood(draws, data)[:, 0]
    state = MODEL.states(draws, data)
    np.testing.assert_allclose(sum(state.values()), 1.0, atol=1e-12)
    for i in range(5):
        p = {name: values[i] for name, values in draws.items()}
        terms = by_hand(p, data)
        assert got[i] == pytest.approx(np.logaddexp.reduce(terms), rel=1e-10)
        weight = np.exp(terms - np.logaddexp.reduce(terms))
        assert state["active"][i] + state["stalled"][i] == pytest.approx(weight[:-1].sum())


def test_the_sampled_graph_is_the_numpy_likelihood():
    from pytensor.compile.mode import Mode

    with MODEL.build_model() as built:
        log_density = built.compile_logp(mode=Mode(linker="py", optimizer=None))
    blocks, rng = MODEL._prior_blocks(PRIORS), np.random.default_rng(5)
    nothing = exchange_data(agreed=1000, elapsed_days=0)
    for _ in range(5):
        point = {
            name: rng.normal(size=np.shape(value), scale=0.5)
            for name, value in built.initial_point().items()
        }
        at = []
        for data in (RICH, nothing):
            arrays = sufficient(data)
            numbers = {**arrays, "rows": arrays["rows"].ravel(), **blocks}
            built.set_data("inputs", pack(MODEL.layout, numbers))
            at.append(float(log_density(point)))
        z = blocks["standard_mu"] + blocks["standard_sd"] * point["z"]
        draws = dict(zip(BETAS, 1 / (1 + np.exp(-point["betas_logodds__"])), strict=True))
        draws |= dict(zip(GAMMAS, np.exp(point["gammas_log__"]), strict=True))
        draws |= dict(zip(STANDARD, np.exp(z), strict=True))
        draws["share_precision"] = blocks["share_precision"]
        p = {name: np.atleast_1d(value) for name, value in draws.items()}
        expected = MODEL.log_likelihood(p, RICH).sum() - MODEL.log_likelihood(p, nothing).sum()
        assert at[0] - at[1] == pytest.approx(expected, rel=1e-9)


def test_no_evidence_leaves_the_prior(fits):
    fitted = fits("agreed", AGREED)
    assert fitted.report.passed, fitted.report.reasons
    means = {
        "w": 1 / 3,
        "mu": 2 / 13,
        "lam": 6 / 15.6,
        "delta": 1.0,
        "stall": 0.05,
        "final": 1 / 3,
        "share": 0.4,
        "m": 72 * np.exp(0.08),
        "nu": 2 * np.exp(0.045),
    }
    for name, value in means.items():
        found = summary(fitted.draws[name], 4)
        assert abs(found.mean - value) < 4.5 * found.mcse, name


@pytest.mark.parametrize(
    ("name", "data"), [("agreed", AGREED), ("begun", BEGUN), ("twice", TWICE), ("rich", RICH)]
)
def test_ladders_rise_in_every_draw_and_pass_the_gate(fits, name, data):
    fitted = fits(name, data)
    horizon = [0.0, 1.0, 9.0, 30.0, 200.0, 2000.0]
    p = MODEL.predict(fitted.draws, data, horizon)
    first = MODEL.predict_first_stage(fitted.draws, data, horizon)
    assert np.all(np.diff(p, axis=1) >= 0)
    assert np.all((p >= 0) & (p <= 1))
    assert np.all(first >= p - 1e-12)
    assert np.all(p[:, 0] == 0)
    report = judge_probability(fitted.report, p, fitted.chains)
    assert report.passed, report.reasons


def test_waiting_without_a_start_speaks_against_the_package(fits):
    # P(w | waited) is prior x (w E[e^-mu t] + 1 - w), exact by quadrature over mu.
    fitted = fits("waited", WAITED)
    t = 120 / 7
    held = (13 / (13 + t)) ** 2
    w = np.linspace(0, 1, 20001)
    weight = w * (1 - w) ** 3 * (w * held + 1 - w)
    exact = np.sum(weight * w) / weight.sum()
    found = summary(fitted.draws["w"], 4)
    assert abs(found.mean - exact) < 4.5 * found.mcse
    assert exact < 1 / 3
    state = MODEL.states(fitted.draws, WAITED)
    assert (
        state["pending"].mean()
        < MODEL.states(fits("agreed", AGREED).draws, AGREED)["pending"].mean()
    )


def test_a_large_first_tranche_speaks_for_the_package(fits):
    # 390 at once is no routine exchange (mean 72); 70 might be.
    small = exchange_data(agreed=1000, elapsed_days=8, delivery_days=[7.5], delivered=[70])
    active = [
        MODEL.states(fits(name, data).draws, data)["active"].mean()
        for name, data in (("begun", BEGUN), ("small", small))
    ]
    assert active[0] > 0.5 > active[1]


def test_silence_after_a_tranche_speaks_for_a_stall(fits):
    silent = exchange_data(agreed=1000, elapsed_days=90, delivery_days=[7.5], delivered=[390])
    now, then = (
        MODEL.states(fits(name, data).draws, data)
        for name, data in (("begun", BEGUN), ("silent", silent))
    )
    assert then["stalled"].mean() > 5 * now["stalled"].mean()
    assert then["active"].mean() < 0.01


def test_an_executed_package_before_raises_the_next(fits):
    seen = exchange_data(
        agreed=1000,
        elapsed_days=0,
        past_begun=[1],
        past_wait_weeks=[1.0],
        past_tranches=[3],
        past_active_days=[2.0],
        past_completed=[1],
        past_quiet_days=[0.0],
        past_shares=[0.39, 0.5],
    )
    before, after = (
        MODEL.predict(fits(name, data).draws, data, 30.0).mean()
        for name, data in (("agreed", AGREED), ("seen", seen))
    )
    assert after > before + 0.03


def test_what_is_complete_is_certain_and_passes_by_rule(fits):
    fitted = fits("done", DONE)
    p = MODEL.predict(fitted.draws, DONE, [0.0, 1.0])
    assert np.all(p == 1)
    assert judge_probability(fitted.report, p, 4).passed
    found = MODEL.predict_number(fitted.draws, DONE, 1.0, seed=1)
    assert set(found.values) == {1000.0}


@pytest.mark.parametrize("data", [AGREED, BEGUN, RICH])
def test_simulated_numbers_complete_as_often_as_the_formula_says(data):
    draws = prior_draws(20000)
    for days in (3.0, 60.0):
        found = MODEL.predict_number(draws, data, days, seed=2, replicates=4, levels=(0.0, 0.5))
        p = MODEL.predict(draws, data, days).mean()
        # 80,000 futures, four of each draw: an error of at most .5 / sqrt(20000).
        assert found.chance_full == pytest.approx(p, abs=4 * 0.5 / np.sqrt(20000))
        assert found.values[0] == float(np.sum(data["delivered"]))


def test_simulated_first_stages_come_as_often_as_the_formula_says():
    draws = prior_draws(20000)
    found = MODEL.predict_number(draws, AGREED, 20.0, seed=3, replicates=4)
    p = MODEL.predict_first_stage(draws, AGREED, 20.0).mean()
    assert 1 - found.chance_none == pytest.approx(p, abs=0.015)


def test_start_and_finish_are_convolved():
    # A package that never falls back on the routine: begins at rate mu, is final at once with
    # chance f, else finishes by tranches: integral of mu e^-mu u (f + (1 - f) G(s - u)) du.
    draws = {name: values[:8] for name, values in prior_draws(8).items()}
    draws["lam"] = np.full(8, 1e-12)
    now = {"active": np.zeros(8), "pending": np.ones(8)}
    # In the last draw both rates are equal, where the closed form would divide by zero.
    draws["mu"][7] = 7 * (draws["delta"][7] * draws["final"][7] + draws["stall"][7])
    days = 25.0
    got = completion(draws, now, 1000.0, np.array([days]))[:, 0]
    u = (np.arange(200000) + 0.5) * days / 200000
    for i in range(8):
        mu, f = draws["mu"][i] / 7, draws["final"][i]
        finishing = draws["delta"][i] * f
        out = finishing + draws["stall"][i]
        finished = finishing / out * (1 - np.exp(-out * (days - u)))
        exact = np.mean(mu * np.exp(-mu * u) * (f + (1 - f) * finished)) * days
        assert got[i] == pytest.approx(exact, rel=1e-6)


def test_features_and_hypotheses_by_hand():
    rows = hypotheses(1000, 9, [7, 8], [390, 305])["rows"]
    column = {name: rows[:, i].tolist() for i, name in enumerate(FEATURES)}
    assert column["events"] == [0, 1, 2]
    assert column["sizes_sum"] == [0, 390, 695]
    assert column["later"] == [1, 0, 0]
    assert column["active_days"] == [1, 0, 0]
    # Shares .39 of 1,000 and .5 of 610.
    np.testing.assert_allclose(column["shares_log"], [np.log(0.195), np.log(0.5), 0], atol=1e-12)


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"agreed": 0}, "agreed"),
        ({"delivery_days": [1.0]}, "arrays of one length"),
        ({"delivery_days": [9.0], "delivered": [10.0]}, "at most elapsed_days"),
        ({"delivery_days": [3.0, 2.0], "delivered": [1.0, 1.0]}, "in order"),
        ({"sizes": [0.0]}, "above 0"),
        ({"past_begun": [1]}, "arrays of one length"),
        ({"past_shares": [1.0]}, "between 0 and 1"),
    ],
)
def test_data_that_cannot_be_are_refused(changed, match):
    with pytest.raises(ValueError, match=match):
        exchange_data(**({"agreed": 1000, "elapsed_days": 5} | changed))
