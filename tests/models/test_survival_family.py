"""Survival: likelihood, grids as oracles, conditioning on survival so far, ladders."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.inference import compile_count, judge_probability, pack, summary, verdict
from forecasting.models import weibull
from forecasting.models.instant_failure import compare_instant
from forecasting.models.protocol import prior_arrays
from forecasting.models.survival import Survival
from forecasting.models.weibull import cumulative_hazard, log_likelihood, spells, survival

UCDP = Path(__file__).parents[3] / "shared" / "data" / "ucdp_peace_agreement_survival.csv"
VARIANTS = [Survival(), Survival("first-claim", instant=True), Survival("peace-agreement")]

SIX = spells(
    entry=[0, 0, 0, 0, 10, 0],
    lower=[3, 12, 45, 5, 60, 20],
    upper=[0] * 6,
    kind=[1, 1, 0, 1, 0, 1],
)
MIXED = spells(
    entry=[0, 0, 0, 0, 2, 5, 0],
    lower=[3, 12, 0, 5, 6, 20, 0.5],
    upper=[0, 0, 0.25, 9, np.inf, 40, 0],
    kind=[1, 0, 2, 2, 2, 2, 0],
    weight=[1, 0.5, 1, 1, 1, 0.3, 1],
    monitored=[0, 1, 0, 1, 0, 0, 1],
)

times = st.floats(0, 1e5)
parameters = st.fixed_dictionaries(
    {
        "theta": st.floats(-6, 4),
        "k": st.floats(0.05, 4),
        "beta": st.floats(-2, 2),
        "pi": st.floats(0.001, 0.999),
        "lasting": st.floats(0.001, 0.999),
    }
)


def one_draw(values, *names):
    return {name: np.array([values[name]]) for name in ("theta", "k", "beta", *names)}


def grid(model, priors, size=301):
    """The posterior of theta and k on a grid, at beta = 0."""
    theta_mu, theta_sd = priors["theta"].value("mu"), priors["theta"].value("sd")
    k_mu, k_sd = priors["k"].value("mu"), priors["k"].value("sd")
    z = np.linspace(-5, 5, size)
    a, b = (axis.ravel() for axis in np.meshgrid(z, z))
    draws = {
        "theta": theta_mu + theta_sd * a,
        "k": np.exp(k_mu + k_sd * b),
        "beta": np.zeros(size * size),
    }
    return draws, -0.5 * (a**2 + b**2)


def test_the_six_spells_on_a_grid_and_by_sampling():
    # Known answer 3: P(T > 50 | T > 20) = .5381.
    model = Survival()
    priors = model.default_priors()
    draws, log_prior = grid(model, priors)
    log_weight = log_prior + model.log_likelihood(draws, SIX).sum(axis=1)
    weight = np.exp(log_weight - log_weight.max())
    p = model.predict(draws, 30.0, age_days=20.0)[:, 0]
    exact = np.sum(weight * p) / weight.sum()
    assert exact == pytest.approx(0.5381, abs=5e-4)

    fitted = model.fit(SIX, priors, 1)
    sampled = model.predict(fitted.draws, 30.0, age_days=20.0)[:, 0]
    report = judge_probability(fitted.report, sampled, fitted.chains)
    assert report.passed, report.reasons
    found = summary(sampled, fitted.chains)
    assert found.mean == pytest.approx(0.5381, abs=0.005)
    assert abs(found.mean - exact) < 4.5 * found.mcse


@pytest.mark.parametrize("model", VARIANTS, ids=["plain", "instant", "lasting"])
def test_the_sampled_graph_is_the_numpy_likelihood(model):
    from pytensor.compile.mode import Mode

    # Same data at several points: the two may differ by a constant (log t), and by nothing else.
    priors = model.default_priors()
    arrays = prior_arrays(priors, priors)
    grouped = weibull.grouped(MIXED, t0=model.t0)
    none = weibull.grouped(weibull.spells(entry=[], lower=[], upper=[], kind=[]), t0=model.t0)
    layout = set(model.layout)
    with model.build_model() as built:
        log_density = built.compile_logp(mode=Mode(linker="py", optimizer=None))
    rng, gaps = np.random.default_rng(1), []
    for _ in range(6):
        point = {name: np.asarray(rng.normal()) for name in built.initial_point()}
        at = []
        for data in (grouped, none):
            numbers = {n: v for n, v in {**data, **arrays}.items() if n in layout}
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
        gaps.append(at[0] - at[1] - model.log_likelihood(draws, MIXED).sum())
    np.testing.assert_allclose(gaps, gaps[0], atol=1e-8)


@given(parameters, times, st.lists(times, min_size=1, max_size=5), st.booleans())
def test_holding_longer_is_never_likelier(values, age, more, shares):
    draws = one_draw(values, *(("pi", "lasting") if shares else ()))
    p = survival(draws, age + np.sort(more), t0=30.0, age=age)[0]
    assert np.all((p >= 0) & (p <= 1))
    assert np.all(np.diff(p) <= 1e-12)


@given(parameters, times, times, times)
def test_survival_chains_over_intervals(values, start, one, two):
    # P(T > c | T > a) = P(T > b | T > a) P(T > c | T > b).
    draws = one_draw(values, "lasting")
    whole = survival(draws, start + one + two, t0=30.0, age=start)
    parts = survival(draws, start + one, t0=30.0, age=start) * survival(
        draws, start + one + two, t0=30.0, age=start + one
    )
    np.testing.assert_allclose(whole, parts, rtol=1e-6, atol=1e-12)


@given(parameters, st.lists(st.floats(0.01, 1e4), min_size=2, max_size=6, unique=True))
def test_chances_of_all_intervals_sum_to_one(values, cuts):
    # (0, c1], (c1, c2], ... and beyond the last: every way a spell can go.
    ends = np.concatenate([[0.0], np.sort(cuts)])
    rows = spells(
        entry=np.zeros(len(ends)),
        lower=ends,
        upper=np.append(ends[1:], np.inf),
        kind=np.full(len(ends), 2),
    )
    for names in ((), ("pi",), ("lasting",), ("pi", "lasting")):
        chances = np.exp(log_likelihood(one_draw(values, *names), rows, t0=30.0))
        assert chances.sum() == pytest.approx(1.0, abs=1e-9)


@given(parameters, st.floats(0.1, 1e3), st.floats(0.1, 1e3))
def test_a_late_entry_is_conditioning(values, entry, more):
    late = spells(entry=[entry], lower=[entry + more], upper=[0], kind=[0])
    draws = one_draw(values, "pi", "lasting")
    conditional = survival(draws, entry + more, t0=30.0, age=entry)
    with np.errstate(divide="ignore"):
        expected = np.maximum(np.log(conditional), -700)
    got = np.maximum(log_likelihood(draws, late, t0=30.0), -700)
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-9)


def test_extreme_ages_are_numbers():
    draws = {"theta": np.array([5.0, -9.0]), "k": np.array([4.0, 0.01]), "beta": np.zeros(2)}
    rows = spells(
        entry=[0, 0, 0, 1e9],
        lower=[0, 1e9, 1e-9, 1e9],
        upper=[1e-12, 0, np.inf, 0],
        kind=[2, 0, 2, 0],
    )
    found = log_likelihood(draws, rows, t0=30.0)
    assert not np.isnan(found).any()
    assert np.isfinite(cumulative_hazard(np.inf, 5.0, 4.0, t0=1.0))
    assert np.all(survival(draws, [0.0], t0=30.0) == 1.0)


def test_a_shape_of_one_is_the_lomax():
    # k = 1: lam | data ~ Gamma(a + d, b + E); P(T > 30) = ((b + E) / (b + E + 30))^(a + d).
    rng = np.random.default_rng(2)
    lam = rng.gamma(2 + 4, 1 / (60 + 145), size=40000)
    draws = {"theta": np.log(lam * 30.0), "k": np.ones_like(lam), "beta": np.zeros_like(lam)}
    p = survival(draws, 30.0, t0=30.0)[:, 0]
    assert p.mean() == pytest.approx((205 / 235) ** 6, abs=3 * p.std() / 200)


def test_no_spells_leave_the_prior():
    model = Survival()
    fitted = model.fit(spells(entry=[], lower=[], upper=[], kind=[]), model.default_priors(), 3)
    assert fitted.report.passed
    for name, value, spread in (
        ("theta", np.log(-np.log(0.5)), 0.8),
        ("beta", 0.0, 0.5),
    ):
        found = summary(fitted.draws[name], 4)
        assert abs(found.mean - value) < 4.5 * found.mcse
        assert found.sd == pytest.approx(spread, rel=0.06)
    log_k = np.log(fitted.draws["k"])
    assert log_k.std() == pytest.approx(0.25, rel=0.06)


def test_another_worldview_is_a_refit_of_the_same_model():
    model = Survival()
    priors = model.default_priors()
    model.fit(SIX, priors, 1)
    before = compile_count()
    gloomy = {**priors, "theta": priors["theta"].with_values(1.5, 0.3)}
    sober, dark = (model.fit(SIX, used, 1) for used in (priors, gloomy))
    assert compile_count() == before
    assert dark.priors_hash != sober.priors_hash
    assert dark.data_hash == sober.data_hash
    p = [model.predict(fitted.draws, 30.0).mean() for fitted in (sober, dark)]
    assert p[1] < p[0] - 0.1


def test_a_truce_that_holds_raises_its_own_chances():
    # Right-censored at its age, conditioned on having held: rule 4, for the truce asked about.
    model = Survival()
    priors = model.default_priors()
    own = {
        name: np.append(SIX[name], value)
        for name, value in {
            "entry": 0.0,
            "lower": 25.0,
            "upper": 25.0,
            "kind": 0.0,
            "weight": 1.0,
            "monitored": 0.0,
        }.items()
    }
    without = model.predict(model.fit(SIX, priors, 1).draws, 10.0, age_days=25.0).mean()
    with_own = model.predict(model.fit(own, priors, 1).draws, 10.0, age_days=25.0).mean()
    assert with_own > without


@pytest.fixture(scope="module")
def agreements():
    if not UCDP.exists():
        pytest.skip("the UCDP agreements are in ../shared, which this checkout does not have")
    with UCDP.open(newline="", encoding="utf-8") as file:
        rows = [
            (float(row["days_to_end_or_censor"]), row["ended"] == "True")
            for row in csv.DictReader(file)
            if row["days_to_end_or_censor"] and float(row["days_to_end_or_censor"]) > 0
        ]
    days, ended = (np.asarray(column) for column in zip(*rows, strict=True))
    return spells(entry=np.zeros(len(days)), lower=days, upper=days, kind=ended.astype(float))


def test_peace_agreements_follow_kaplan_meier(agreements):
    # Kaplan-Meier, n = 368: 3.8, 10.1, 20.9, 31.7 % ended by 30 d, 90 d, 1 y, 5 y.
    model = Survival("peace-agreement")
    fitted = model.fit(agreements, model.default_priors(), 1)
    assert len(agreements["lower"]) == 368
    p = 1 - model.predict(fitted.draws, [30, 90, 365, 1825])
    assert judge_probability(fitted.report, p, 4).passed
    np.testing.assert_allclose(p.mean(axis=0), [0.038, 0.101, 0.209, 0.317], atol=0.02)
    check = model.predictive_check(fitted.draws, agreements, seed=1)
    assert verdict(check).startswith("fits its own class")


def test_a_class_of_instant_failures_is_told_apart():
    # Half fail within the hour, the other half hold for a week: a Weibull cannot have both.
    rng = np.random.default_rng(4)
    long = 6.0 + rng.gamma(4, 0.5, size=8)
    rows = spells(
        entry=np.zeros(16),
        lower=np.concatenate([np.zeros(8), long]),
        upper=np.concatenate([np.full(8, 1 / 24), long]),
        kind=np.concatenate([np.full(8, 2), np.ones(8)]),
    )
    model = Survival("first-claim")
    found = compare_instant(rows, model.default_priors(), 1)
    assert found.difference > 2 * found.error
    assert found.reading.startswith("a share of instant failures fits")
    assert found.instant[0] < found.plain[0]
    # And spells of a plain Weibull give no reason for a second share.
    plain = rng.weibull(0.6, size=16)
    rows = spells(entry=np.zeros(16), lower=plain, upper=plain, kind=np.ones(16))
    found = compare_instant(rows, model.default_priors(), 1)
    assert not found.reading.startswith("a share of instant failures fits")


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"kind": [3]}, "kind must be 0, 1 or 2"),
        ({"lower": [1], "entry": [2]}, "lower must be at least entry"),
        ({"kind": [1], "lower": [0]}, "must be an interval"),
        ({"kind": [2], "upper": [5]}, "upper must be above lower"),
        ({"weight": [0]}, "weight must be"),
        ({"monitored": [np.nan]}, "monitored must be finite"),
        ({"monitored": [0, 1]}, "must be"),
    ],
)
def test_rows_that_cannot_be_are_refused(changed, match):
    good = {"entry": [0], "lower": [5], "upper": [9], "kind": [0]}
    with pytest.raises(ValueError, match=match):
        spells(**(good | changed))


def test_settings_and_ages_have_rules():
    with pytest.raises(ValueError, match="setting"):
        Survival("forever")
    draws = {"theta": [0.0], "k": [1.0], "beta": [0.0]}
    with pytest.raises(ValueError, match="at least age"):
        survival(draws, 1.0, t0=1.0, age=2.0)
