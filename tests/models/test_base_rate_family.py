"""Base rates: closed forms, their sampled twins, and nesting in every draw."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.inference import judge_probability, summary
from forecasting.models.base_rate import KINDS, BaseRate
from forecasting.models.conjugate import beta_geometric, gamma_poisson, highest_rung, rung_chances

DATA = {
    "rate": {"events": 2.0, "exposure": 200.0},
    "weekly": {"successes": 1.0, "trials": 10.0},
    "share": {"successes": 0.0, "trials": 8.0},
    "dirichlet": {"counts": [3.0, 0.0, 1.0]},
    "count": {"events": 4.0, "exposure": 10.0, "sized_events": 3.0, "delivered": 500.0},
    "rungs": {"events": [2.0, 1.0, 0.0], "exposure": [400.0, 400.0, 400.0]},
}


def build(kind):
    return BaseRate(kind, categories=3)


def standard_errors(a, b):
    return abs(a.mean - b.mean) / np.hypot(max(a.mcse, 1e-12), b.mcse)


def test_beta_geometric_at_four_deadlines():
    # Known answer 1: Beta(1, 9), P(by s) = 1 - B(1, 9 + s) / B(1, 9) = s / (9 + s).
    got = [beta_geometric(1, 9, s).mean for s in (1, 4, 13, 26)]
    np.testing.assert_allclose(got, [0.1, 0.3077, 0.5909, 0.7429], atol=1e-4)
    np.testing.assert_allclose(got, [s / (9 + s) for s in (1, 4, 13, 26)], rtol=1e-9)


def test_the_lomax_form_by_hand():
    # Gamma(2, 30) rate: P(by 30) = 1 - (30 / 60)^2 = 3/4; E[e^-2 lam s] = (30/90)^2 = 1/9.
    found = gamma_poisson(2.0, 30.0, 30.0)
    assert found.mean == pytest.approx(0.75)
    assert found.sd == pytest.approx(np.sqrt(1 / 9 - 1 / 16))
    assert found.p05 < found.p50 < found.p95
    assert found.mcse == 0


@pytest.mark.parametrize("kind", ["rate", "weekly", "share", "dirichlet", "rungs"])
def test_exact_summaries_are_those_of_the_draws(kind):
    model = build(kind)
    priors = model.default_priors()
    horizon = 90.0 if kind in ("rate", "rungs") else 13.0
    exact = model.closed_form(DATA[kind], priors, horizon)
    fitted = model.fit(DATA[kind], priors, 1, draws=10000)
    columns = model.predict(fitted.draws, horizon).T
    assert len(exact) == len(columns)
    for closed, column in zip(exact, columns, strict=True):
        drawn = summary(column, fitted.chains)
        assert standard_errors(closed, drawn) < 4.5
        assert closed.sd == pytest.approx(drawn.sd, rel=0.05)
        assert [closed.p05, closed.p50, closed.p95] == pytest.approx(
            [drawn.p05, drawn.p50, drawn.p95], abs=0.02
        )


# The Dirichlet compiles for long, and competing risks samples one in the quick tests.
@pytest.mark.parametrize(
    "kind",
    [
        *(pytest.param(kind, marks=pytest.mark.deep) for kind in ("weekly", "dirichlet")),
        "count",
        "rungs",
    ],
)
def test_sampling_finds_the_closed_form(kind):
    # Known answer 2. The rate's graph is that of the count's, the share's that of the week's.
    model = build(kind)
    priors = model.default_priors()
    exact = model.fit(DATA[kind], priors, 1, draws=5000)
    sampled = model.fit(DATA[kind], priors, 1, method="nuts", draws=2000)
    assert exact.method == "conjugate"
    assert sampled.method == "nuts"
    assert sampled.report.passed, sampled.report.reasons
    for name, values in exact.draws.items():
        twins = sampled.draws[name].reshape(len(sampled.draws[name]), -1).T
        for mine, twin in zip(values.reshape(len(values), -1).T, twins, strict=True):
            assert standard_errors(summary(mine, 4), summary(twin, 4)) < 4.5
    horizon = 90.0 if kind == "rungs" else 13.0
    report = judge_probability(sampled.report, model.predict(sampled.draws, horizon), 4)
    assert report.passed, report.reasons


def test_a_class_without_events_never_predicts_zero():
    model = BaseRate("share")
    (found,) = model.closed_form({"successes": 0, "trials": 8}, model.default_priors())
    # Laplace: (1 + 0) / (2 + 8).
    assert found.mean == pytest.approx(0.1)
    assert found.p05 > 0


@pytest.mark.parametrize("kind", ["rate", "weekly", "count"])
def test_nested_deadlines_are_nested_in_every_draw(kind):
    model = build(kind)
    fitted = model.fit(DATA[kind], model.default_priors(), 3)
    p = model.predict(fitted.draws, [0.0, 1.0, 2.0, 30.0, 3000.0])
    assert np.all(np.diff(p, axis=1) >= 0)
    assert np.all((p >= 0) & (p <= 1))
    np.testing.assert_array_equal(p[:, 0], 0.0)


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=6),
    st.data(),
)
def test_rungs_sum_to_one_and_a_higher_rung_implies_the_lower(missed, data):
    floor = data.draw(st.integers(0, len(missed)))
    p = rung_chances(missed, floor)
    assert p.sum() == pytest.approx(1.0, abs=1e-12)
    assert np.all(p >= 0)
    assert np.all(p[:floor] == 0)
    # P(highest >= k) = 1 - P(no rung from k up) does not depend on the rungs below k.
    for k in range(floor + 1, len(missed) + 1):
        assert p[k:].sum() == pytest.approx(1 - np.prod(missed[k - 1 :]), abs=1e-9)


def test_the_rungs_by_hand():
    # L_1 = 1/2, L_2 = 3/4: P(0) = 3/8, P(1) = (1 - 1/2) 3/4 = 3/8, P(2) = 1/4.
    np.testing.assert_allclose(highest_rung([1, 1], [30, 90], 0, 30.0), [3 / 8, 3 / 8, 1 / 4])
    np.testing.assert_allclose(highest_rung([1, 1], [30, 90], 1, 30.0), [0, 3 / 4, 1 / 4])


def test_numbers_have_lumps_at_what_is_there_and_at_the_whole():
    model = BaseRate("count")
    priors = model.default_priors()
    fitted = model.fit(DATA["count"], priors, 4)
    found = model.predict_number(
        fitted.draws, priors, 8.0, seed=1, upper=300.0, already=50.0, levels=(0.01, 0.5, 0.99)
    )
    nothing = 1 - model.predict(fitted.draws, 8.0).mean()
    assert found.chance_none == pytest.approx(nothing, abs=0.01)
    assert found.values[0] == 50.0
    assert found.values[2] == 300.0
    assert 0 < found.chance_full < 1


def test_the_mean_number_is_rate_times_size_times_time():
    model = BaseRate("count")
    priors = model.default_priors()
    none = {"events": 0.0, "exposure": 0.0, "sized_events": 0.0, "delivered": 0.0}
    draws = model.fit(none, priors, 5, draws=20000).draws
    # E lam = 6 / 15.6; E nu / inverse = 2 * 432 / (12 - 1).
    assert draws["rate"].mean() == pytest.approx(6 / 15.6, rel=0.01)
    assert (2 / draws["inverse_size"]).mean() == pytest.approx(864 / 11, rel=0.01)


@settings(max_examples=30)
@given(st.sampled_from(KINDS), st.integers(0, 2**31))
def test_no_data_leaves_the_prior(kind, seed):
    model = build(kind)
    nothing = {name: np.zeros_like(np.asarray(v)) for name, v in DATA[kind].items()}
    priors = model.default_priors()
    fitted = model.fit(nothing, priors, seed, draws=250)
    again = model.fit(nothing, priors, seed, draws=250)
    for name, values in fitted.draws.items():
        np.testing.assert_array_equal(values, again.draws[name])
    likelihood = model.log_likelihood(fitted.draws, nothing)
    np.testing.assert_allclose(likelihood, 0.0, atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "data", "match"),
    [
        ("rate", {"events": 1.0}, "data must be"),
        ("rate", {"events": -1.0, "exposure": 3.0}, "at least 0"),
        ("share", {"successes": 3.0, "trials": 2.0}, "at most trials"),
    ],
)
def test_data_that_cannot_be_are_refused(kind, data, match):
    model = build(kind)
    with pytest.raises(ValueError, match=match):
        model.fit(data, model.default_priors(), 1)


def test_a_number_has_no_single_probability():
    model = BaseRate("count")
    with pytest.raises(ValueError, match="predict_number"):
        model.closed_form(DATA["count"], model.default_priors())
