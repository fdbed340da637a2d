"""News as log-odds: known answers, what copies and agreement may do, time, and two ways to fit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from forecasting.inference import judge_probability
from forecasting.models import news_quadrature, state_space
from forecasting.models.news_log_odds import NewsLogOdds
from forecasting.models.news_priors import SCALES
from forecasting.models.state_space import Reports, Scales, level_at, movement, one_by_one

EVENT = NewsLogOdds()


def scales(tau=0.07, house=0.5, story=0.5, noise=0.6, *, level=1.0, bias=0.5, gain=None):
    drawn = {"tau": tau, "house": house, "story": story, "noise": noise}
    return Scales.of(drawn if gain is None else {**drawn, "gain": gain}, level=level, bias=bias)


def priors(shape=0.5, days=230.0):
    given_ = EVENT.default_priors()
    return {**given_, "rate": given_["rate"].with_values(shape, days)}


def data(said=(), day=(), source=None, story=None, *, now=180.0, **more):
    n = len(said)
    found = {
        "said": np.asarray(said, dtype=float),
        "day": np.asarray(day, dtype=float),
        "source": np.arange(n) if source is None else source,
        "story": np.arange(n) if story is None else story,
        "now": now,
        "exposure": now,
        "asked_from": now,
        "event_day": [],
    }
    return {**found, **more}


def random_data(seed, n, *, sources=5, now=180.0):
    rng = np.random.default_rng(seed)
    day = np.sort(rng.uniform(-30, now, n))
    said = rng.normal(0.01 * day, rng.uniform(0.3, 1.5))
    return data(said, day, rng.integers(0, sources, n), np.arange(n) // 2, now=now)


def answer(found, given_, horizon, seed=1, method="auto"):
    fit = EVENT.fit(found, given_, seed, method=method)
    return EVENT.expected(fit.draws, found, given_, horizon, seed=seed).mean(axis=0)


# The state space.


def test_the_state_on_day_twenty():
    # Known answer 7: s0 = 1.5, tau = .3, report sd .5, reports on days 3, 6, 6, 10, 15, 20.
    reports = Reports.of([-0.5, 0.1, 0.3, 0.8, 0.2, 1.1], [3, 6, 6, 10, 15, 20])
    alone = scales(0.3, 1e-9, 1e-9, 0.5, level=1.5, bias=0.0)
    mean, sd = level_at(reports, alone, 20.0)
    np.testing.assert_allclose([mean[0], sd[0]], [0.8719, 0.4228], atol=5e-5)


def test_the_same_state_by_a_kalman_filter():
    # Predict: variance + tau^2 a day. Update: gain = variance / (variance + .25).
    reports = Reports.of([-0.5, 0.1, 0.3, 0.8, 0.2, 1.1], [3, 6, 6, 10, 15, 20])
    mean, variance, today = 0.0, 1.5**2, 0.0
    for said, day in zip(reports.said, reports.day, strict=True):
        variance, today = variance + 0.3**2 * (day - today), day
        gain = variance / (variance + 0.25)
        mean, variance = mean + gain * (said - mean), variance * (1 - gain)
    found = level_at(reports, scales(0.3, 1e-9, 1e-9, 0.5, level=1.5, bias=0.0), 20.0)
    np.testing.assert_allclose([found[0][0], found[1][0]], [mean, np.sqrt(variance)], rtol=1e-9)


@pytest.mark.parametrize(("n", "atol"), [(100, 0.02), (1000, 0.002)])
def test_agreement_never_beats_the_shared_bias(n, atol):
    # Known answer 8: tau = 0, sd tends to 1 x .5 / sqrt(1 + .25) = .447, not to 0.
    reports = Reports.of(np.ones(n), np.zeros(n))
    _, sd = level_at(reports, scales(1e-9), 0.0)
    assert 0.4472 < sd[0] < 0.4472 + atol
    # Were the sources independent it would tend to nothing: the error that the bias prevents.
    _, unbiased = level_at(reports, scales(1e-9, bias=0.0), 0.0)
    assert unbiased[0] < 0.1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12), st.booleans())
def test_the_density_is_that_of_one_gaussian(seed, n, gains):
    rng = np.random.default_rng(seed)
    day = rng.uniform(-40, 60, n)
    source, story = rng.integers(0, 3, n), rng.integers(0, 4, n)
    gain_of = (source == 0).astype(float) if gains else np.zeros(n)
    reports = Reports.of(rng.normal(size=n), day, source, story, gain_of)
    tau, house, story_sd, noise, gain = rng.uniform(0.1, 1.5, 5)
    k = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            side = day[i] * day[j] > 0
            walk = 1.0 + tau**2 * (min(abs(day[i]), abs(day[j])) if side else 0.0)
            a = (gain if gain_of[i] else 1.0) * (gain if gain_of[j] else 1.0)
            k[i, j] = a * walk + 0.25 + house**2 * (source[i] == source[j])
            k[i, j] += story_sd**2 * (story[i] == story[j]) + noise**2 * (i == j)
    one = scales(tau, house, story_sd, noise, gain=[[gain]] if gains else None)
    exact = multivariate_normal(np.zeros(n), k).logpdf(reports.said)
    assert one_by_one(reports, one).sum() == pytest.approx(exact, rel=1e-9)
    # The movement, by conditioning the joint Gaussian in full.
    asked = np.array([10.0, 50.0])
    shared = np.where(day[:, None] > 0, np.minimum.outer(np.maximum(day, 0), asked), 0.0)
    cross = tau**2 * shared * np.where(gain_of > 0, gain, 1.0)[:, None]
    solved = np.linalg.solve(k, cross)
    left = tau**2 * np.minimum.outer(asked, asked) - cross.T @ solved
    mean, factor = movement(reports, one, asked)
    np.testing.assert_allclose(mean[0], solved.T @ reports.said, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(factor[0] @ factor[0].T, left, rtol=1e-5, atol=1e-7)


def test_what_was_said_before_the_opening_moves_nothing():
    reports = Reports.of([2.0, 3.0, 2.5], [-90.0, -30.0, -1.0], [0, 0, 1])
    mean, factor = movement(reports, scales(), [100.0])
    assert mean[0, 0] == pytest.approx(0.0, abs=1e-12)
    assert factor[0, 0, 0] == pytest.approx(0.07 * 10, rel=1e-6)
    # It tells the level, though: the same words after the opening then count for less.
    later = Reports.of([2.0], [60.0], [0])
    both = Reports.of([2.0, 3.0, 2.5, 2.0], [-90.0, -30.0, -1.0, 60.0], [0, 0, 1, 0])
    assert (
        abs(movement(both, scales(), [60.0])[0][0, 0]) < movement(later, scales(), [60.0])[0][0, 0]
    )


def test_copies_move_little_and_agreement_is_bounded():
    def moved(n, source, story):
        reports = Reports.of(np.full(n, 2.0), np.full(n, 60.0), source, story)
        return movement(reports, scales(0.1, noise=0.3), [60.0])[0][0, 0]

    one = moved(1, [0], [0])
    copies = moved(20, np.zeros(20), np.zeros(20))
    sources = moved(20, np.arange(20), np.arange(20))
    # One report: .6 / (1 + .6 + .25 + .25 + .25 + .09) of 2; copies lose the .09 alone, sources
    # all but level, walk and shared bias.
    assert one == pytest.approx(2 * 0.6 / 2.44, rel=1e-6)
    assert copies < 2 * 0.6 / 2.35
    assert copies < 1.04 * one
    bound = 2 * 0.6 / (1 + 0.6 + 0.25)
    assert copies < sources < bound
    assert moved(500, np.arange(500), np.arange(500)) == pytest.approx(bound, rel=5e-3)


# The question.


def test_without_a_stance_or_a_walk_it_is_the_base_rate():
    still = priors()
    still["tau"] = still["tau"].with_values(-9.0, 0.01)
    found = answer(data(now=100.0), still, [30.0, 265.0])
    # Lomax: 1 - ((230 + 100) / (330 + s))^.5.
    exact = 1 - (330 / (330 + np.array([30.0, 265.0]))) ** 0.5
    np.testing.assert_allclose(found, exact, atol=1e-5)


def test_the_walk_adds_a_little_uncertainty_and_says_how_much():
    found = answer(data(now=0.0), priors(), [365.0])[0]
    base = 1 - (230 / 595) ** 0.5
    # .378 becomes .391: a hazard that may drift either way has a larger mean.
    assert 0.005 < found - base < 0.02


def test_the_probability_rolls_off_as_the_deadline_nears():
    path = [answer(data(now=now), priors(), [365.0 - now])[0] for now in (0.0, 120.0, 240.0, 360.0)]
    assert path[0] > path[1] > path[2] > path[3]
    assert path[3] < 0.01
    # Also where a source said at the beginning, and ever since, that it would come.
    loud = [
        answer(data([1.5] * 3, [5.0, 6.0, 7.0], now=now), priors(), [365.0 - now])[0]
        for now in (120.0, 240.0, 360.0)
    ]
    assert loud[0] > loud[1] > loud[2]


def test_rising_stances_raise_it_and_steady_ones_do_not():
    given_ = priors()
    day = np.linspace(5, 175, 12)
    source = np.arange(12) % 4
    quiet = answer(data(), given_, [185.0])[0]
    rising = answer(data(np.linspace(-1, 2, 12), day, source), given_, [185.0])[0]
    falling = answer(data(np.linspace(1, -2, 12), day, source), given_, [185.0])[0]
    # Opinion identifies movement: twelve that say from the first day on what they say at the end.
    steady = answer(data(np.full(12, 1.5), day, source), given_, [185.0])[0]
    assert falling < quiet < rising
    assert abs(steady - quiet) < 0.5 * (rising - quiet)


def test_an_event_since_the_opening_counts_and_its_time_matters_little():
    base = answer(data(), priors(), [185.0])[0]
    once = answer(data(event_day=[90.0]), priors(), [185.0])[0]
    exact = 1 - (410 / 595) ** 1.5
    assert once > base
    assert once == pytest.approx(exact, abs=0.05)


def test_unwatched_time_is_asked_for_and_quiet_time_that_does_not_count_is_not():
    given_ = priors()
    # Watched to day 100, a stance on day 180: the event may have come in between.
    late = data([0.0], [180.0], exposure=100.0, asked_from=100.0)
    seen = answer(late, given_, [185.0])[0]
    exact = 1 - (330 / (330 + 265)) ** 0.5
    assert seen == pytest.approx(exact, abs=0.03)
    untimed = answer(data(exposure=0.0), given_, [185.0])[0]
    assert untimed == pytest.approx(1 - (230 / 415) ** 0.5, abs=0.03)


def test_every_draw_rises_with_the_deadline_however_it_is_asked():
    found = random_data(3, 8)
    given_ = priors()
    fit = EVENT.fit(found, given_, 1)
    ladder = [0.0, 1.0, 17.0, 40.0, 185.0, 900.0]
    for p in (
        EVENT.predict(fit.draws, ladder, seed=4),
        EVENT.expected(fit.draws, found, given_, ladder, seed=4),
    ):
        assert np.all(np.diff(p, axis=1) >= 0)
        assert np.all((p >= 0) & (p <= 1))
    # One rung asked alone is the rung of the ladder.
    alone = EVENT.predict(fit.draws, [40.0], seed=4)[:, 0]
    np.testing.assert_array_equal(alone, EVENT.predict(fit.draws, ladder, seed=4)[:, 3])
    p = EVENT.expected(fit.draws, found, given_, ladder, seed=4)
    assert judge_probability(fit.report, p, fit.chains).passed


def test_the_order_of_the_reports_does_not_matter():
    found, given_ = random_data(7, 10), priors()
    order = np.random.default_rng(1).permutation(10)
    shuffled = {**found, **{k: found[k][order] for k in ("said", "day", "source", "story")}}
    first, second = (answer(rows, given_, [60.0, 185.0]) for rows in (found, shuffled))
    np.testing.assert_allclose(first, second, rtol=1e-6)


def test_the_same_seed_gives_the_same_draws():
    found, given_ = random_data(7, 6), priors()
    first, second = (EVENT.fit(found, given_, 5).draws for _ in range(2))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


def test_a_share_moves_on_the_log_odds_scale():
    model = NewsLogOdds("share")
    given_ = model.default_priors()
    rows = data([-1.0, 2.5, 2.5], [2.0, 150.0, 170.0], [0, 0, 0])
    for name in ("exposure", "asked_from", "event_day"):
        del rows[name]
    p = {}
    for trials, none in ((0.0, True), (0.0, False), (3.0, True)):
        used = dict(rows, successes=0.0, trials=trials)
        if none:
            used |= {name: np.empty(0) for name in ("said", "day", "source", "story")}
        fit = model.fit(used, given_, 1)
        found = model.expected(fit.draws, used, given_)
        plain = model.predict(fit.draws)
        assert plain.mean() == pytest.approx(found.mean(), abs=0.02)
        p[trials, none] = found.mean()
    assert p[0.0, True] == pytest.approx(0.5, abs=2e-3)
    # Beta(1, 4) has mean .2; a walk of either sign brings a small chance nearer to a half.
    assert 0.2 < p[3.0, True] < 0.22
    assert p[0.0, False] > 0.53


# Two ways to fit.


def tensor_grid(found, given_, size=13):
    """Integrate the four scales by a full Gauss-Hermite grid: exact for the posterior's moments."""
    nodes, weight = np.polynomial.hermite_e.hermegauss(size)
    mesh = np.stack(np.meshgrid(*[nodes] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
    log_weight = np.log(weight)[
        np.stack(np.meshgrid(*[np.arange(size)] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
    ].sum(axis=1)
    drawn = {
        name: np.exp(given_[name].value("mu") + given_[name].value("sd") * mesh[:, k])
        for k, name in enumerate(SCALES)
    }
    reports = Reports.of(*(found[name] for name in ("said", "day", "source", "story")))
    log_weight = log_weight + one_by_one(reports, Scales.of(drawn)).sum(axis=1)
    weights = np.exp(log_weight - log_weight.max())
    weights /= weights.sum()
    mean, _ = movement(reports, Scales.of(drawn), [found["now"]])
    return [float(weights @ np.log(drawn[name])) for name in SCALES] + [float(weights @ mean[:, 0])]


@pytest.mark.parametrize(("seed", "n"), [(1, 3), (2, 6), (3, 9)])
def test_weighted_points_agree_with_a_full_grid(seed, n):
    found, given_ = random_data(seed, n), priors()
    fit, weighted = EVENT.fit_points(found, given_, 1)
    assert not weighted.refusal
    exact = tensor_grid(found, given_)
    untimed, _ = EVENT.fit_points({**found, "exposure": 0.0}, given_, 1)
    error = 1 / np.sqrt(weighted.ess)
    for name, value in zip(SCALES, exact, strict=False):
        drawn = np.log(untimed.draws[name])
        assert abs(drawn.mean() - value) < 4.5 * error * drawn.std()
    moved = untimed.draws["moved"]
    assert abs(moved.mean() - exact[-1]) < 4.5 * moved.std() / np.sqrt(2048)
    assert fit.report.passed


def test_the_answer_hardly_depends_on_the_seed():
    found, given_ = random_data(11, 12), priors()
    p = [answer(found, given_, [185.0], seed=seed)[0] for seed in range(6)]
    assert np.std(p) < 0.003


def test_weights_that_may_not_be_used_say_so():
    # A likelihood far narrower than the pilot can find leaves a handful of points.
    def narrow(x):
        return -0.5 * np.sum((x - 3.5) ** 2, axis=1) / 1e-6

    found = news_quadrature.weighted_points(narrow, 4, seed=1, points=1024)
    assert "k-hat" in found.refusal or "ESS" in found.refusal


def test_the_last_column_is_the_report_just_added():
    # Reweighting draws of five reports by the sixth gives the scales of all six (invariant of
    # sequential updating; the smoothing of psis is not needed at this size).
    found, given_ = random_data(5, 6), {**priors(), "noise": EVENT.default_priors()["noise"]}
    five = {**found, **{k: found[k][:5] for k in ("said", "day", "source", "story")}}
    five["exposure"] = found["exposure"] = 0.0
    before = EVENT.fit(five, given_, 1).draws
    rows = EVENT.log_likelihood(before, found)
    assert rows.shape == (4096, 6)
    weights = np.exp(rows[:, -1] - rows[:, -1].max())
    weights /= weights.sum()
    after = EVENT.fit(found, given_, 2).draws
    for name in SCALES:
        drawn = np.log(after[name])
        assert abs(weights @ np.log(before[name]) - drawn.mean()) < 0.15 * drawn.std()


def test_a_source_with_ten_reports_has_a_gain_of_its_own():
    rng = np.random.default_rng(2)
    day = np.linspace(1, 170, 20)
    loud = 3.0 * 0.02 * (day - 80)
    rows = data(loud + rng.normal(0, 0.1, 20), day, [0] * 10 + [1] * 10)
    fit = EVENT.fit(rows, priors(), 1)
    assert fit.draws["gain"].shape == (4096, 2)
    assert fit.draws["gain"].mean() > 1.05
    nine = {**rows, **{k: np.asarray(rows[k])[:9] for k in ("said", "day", "source", "story")}}
    assert "gain" not in EVENT.fit(nine, priors(), 1).draws


def test_stances_made_by_the_model_fit_it_and_others_do_not():
    rng = np.random.default_rng(4)
    design = random_data(1, 24, sources=4)
    inside = []
    for _ in range(6):
        _, made = EVENT.simulate(rng, design)
        fit = EVENT.fit(made, EVENT.default_priors(), 1)
        check = EVENT.predictive_check(fit.draws, made)
        if check.n >= 5:
            inside.append(check.inside_90)
    assert 0.8 < np.mean(inside) <= 1.0
    # One item of a source that is otherwise steady lies ten standard deviations out.
    said = np.r_[np.zeros(11), 12.0]
    odd = data(said, np.linspace(1, 170, 12), [0] * 6 + [1] * 6)
    fit = EVENT.fit(odd, EVENT.default_priors(), 1)
    check = EVENT.predictive_check(fit.draws, odd, names=("wire", "paper"))
    assert {count.label for count in check.counts} == {
        "mean residual of wire",
        "mean residual of paper",
    }
    assert check.inside_90 < 1.0


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"now": -1.0}, "now"),
        ({"exposure": 400.0}, "must not fall"),
        ({"asked_from": 500.0}, "must not fall"),
        ({"event_day": [181.0]}, "event_day"),
        ({"day": [181.0, 2.0]}, "after now"),
        ({"said": [np.nan, 1.0]}, "finite"),
        ({"story": [0.0]}, "2 finite numbers"),
        ({"trials": 3.0}, "data must be"),
    ],
)
def test_data_that_cannot_be_are_refused(change, match):
    good = data([1.0, 0.0], [1.0, 2.0])
    with pytest.raises(ValueError, match=match):
        EVENT.fit({**good, **change}, priors(), 1)


def test_families_and_priors_that_are_none_are_refused():
    with pytest.raises(ValueError, match="event or share"):
        NewsLogOdds("rate")
    bad = EVENT.default_priors()
    bad["tau"] = bad["beta"]
    with pytest.raises(ValueError, match="lognormal"):
        EVENT.fit(data(), bad, 1)
    with pytest.raises(ValueError, match="nothing to sample"):
        EVENT.fit(data(), priors(), 1, method="nuts")


def test_no_scale_can_reach_zero():
    # A half-normal scale lets the latents fall into a funnel: every scale here is log-normal.
    defaults = EVENT.default_priors()
    assert {defaults[name].distribution for name in SCALES} == {"lognormal"}
    assert state_space.JITTER < 1e-6
