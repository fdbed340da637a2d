"""The news family against NUTS, against itself, and the funnel that the gate must refuse."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from forecasting.inference import summary
from forecasting.inference.fit import fit as sample
from forecasting.inference.inputs import COLUMN, inputs
from forecasting.models import news_graph
from forecasting.models.news_log_odds import NewsLogOdds
from forecasting.models.news_priors import SCALES
from forecasting.models.protocol import prior_arrays
from forecasting.models.state_space import Reports, level_at
from forecasting.models.state_space import Scales as ScalesOf

pytestmark = pytest.mark.deep
EVENT = NewsLogOdds()


def random_data(seed):
    rng = np.random.default_rng(seed)
    n, now = int(rng.integers(3, 16)), 180.0
    day = np.sort(rng.uniform(-30, now, n))
    return {
        "said": rng.normal(rng.normal(0, 0.01) * day, rng.uniform(0.2, 1.5)),
        "day": day,
        "source": rng.integers(0, 5, n),
        "story": rng.integers(0, n, n),
        "now": now,
        "exposure": now,
        "asked_from": now,
        "event_day": [],
    }


def quantities(fit, data, priors):
    found = {name: np.log(fit.draws[name]) for name in SCALES}
    p = EVENT.expected(fit.draws, data, priors, [30.0, 185.0], seed=1)
    return {**found, "moved": fit.draws["moved"], "p30": p[:, 0], "p185": p[:, 1]}


def test_weighted_points_agree_with_nuts():
    # Rule 26: every difference within 4.5 combined standard errors, mean squared z in .75 to 1.3.
    priors = EVENT.default_priors()
    priors["rate"] = priors["rate"].with_values(0.5, 230.0)
    z = []
    for seed in range(25):
        data = random_data(seed)
        nuts = EVENT.fit(data, priors, seed, method="nuts", draws=1000)
        assert nuts.method == "nuts"
        assert nuts.report.passed, nuts.report.reasons
        chained = quantities(nuts, data, priors)
        # The spread over scramblings is the standard error of the points.
        blocks = []
        for scramble in range(8):
            fit, weighted = EVENT.fit_points(data, priors, 100 * seed + scramble)
            assert not weighted.refusal
            blocks.append({k: v.mean() for k, v in quantities(fit, data, priors).items()})
        for name, draws in chained.items():
            means = np.array([block[name] for block in blocks])
            error = np.hypot(summary(draws, nuts.chains).mcse, means.std(ddof=1) / np.sqrt(8))
            z.append((draws.mean() - means.mean()) / error)
    z = np.array(z)
    assert np.abs(z).max() < 4.5
    assert 0.75 < np.mean(z**2) < 1.3


def test_nuts_finds_the_state_on_day_twenty():
    # Known answer 7 by the latent form: scales held at their values, .877 and .426 were measured.
    reports = Reports.of([-0.5, 0.1, 0.3, 0.8, 0.2, 1.1], [3, 6, 6, 10, 15, 20])
    columns, sizes = news_graph.latent_data(reports)
    model = NewsLogOdds(sizes=sizes)
    priors = model.default_priors()
    fixed = {"tau": 0.3, "house": 1e-4, "story": 1e-4, "noise": 0.5}
    for name, value in fixed.items():
        priors[name] = priors[name].with_values(float(np.log(value)), 1e-6)
    priors["level"] = priors["level"].with_values(1.5)
    priors["bias"] = priors["bias"].with_values(1e-4)
    arrays = prior_arrays(priors, priors)
    fit = sample(model, columns, arrays, seed=1, draws=2000, target_accept=0.95)
    assert fit.report.passed, fit.report.reasons
    steps = fit.draws["after_z"] * columns["after"]
    last = 1.5 * fit.draws["opening_z"] + 0.3 * steps.sum(axis=1)
    assert last.mean() == pytest.approx(0.8719, abs=4.5 * summary(last, 4).mcse)
    assert last.std() == pytest.approx(0.4228, abs=0.015)


def test_more_reports_than_the_marginal_form_takes():
    rng = np.random.default_rng(3)
    n = 110
    data = random_data(1) | {
        "said": rng.normal(0, 1, n),
        "day": np.repeat(np.linspace(5, 175, 11), 10),
        "source": np.arange(n) % 30,
        "story": np.arange(n) // 2,
    }
    priors = EVENT.default_priors()
    nuts = EVENT.fit(data, priors, 1, method="nuts", target_accept=0.95)
    points, weighted = EVENT.fit_points(data, priors, 1)
    assert not weighted.refusal
    for name in (*SCALES, "moved"):
        one, other = nuts.draws[name], points.draws[name]
        assert abs(one.mean() - other.mean()) < 0.25 * other.std()


@dataclass(frozen=True, slots=True)
class HalfNormalScales:
    """The model that is never shipped: half-normal scales above latent Gaussians."""

    family: ClassVar[str] = "half-normal-scales"
    version: ClassVar[str] = "1"
    sizes: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def structure(self):
        return self.sizes

    @property
    def layout(self):
        return dict.fromkeys(("said", "place", "source", "before", "after"), COLUMN)

    def build_model(self):
        import pymc as pm
        import pytensor.tensor as pt

        _, after, sources, _ = self.sizes
        with pm.Model() as model:
            given = inputs(self.layout)
            tau = pm.HalfNormal("tau", 0.2)
            house = pm.HalfNormal("house", 0.5)
            noise = pm.HalfNormal("noise", 0.5)
            opening = pm.Normal("opening")
            steps = given["after"] * pm.Normal("after_z", shape=after)
            z = pt.concatenate([pt.reshape(opening, (1,)), opening + tau * pt.cumsum(steps)])
            z = z[given["place"].astype("int64")]
            lean = house * pm.Normal("sources_z", shape=sources)[given["source"].astype("int64")]
            bias = 0.5 * pm.Normal("bias_z")
            miss = (given["said"] - z - lean - bias) / noise
            pm.Potential("stances", -0.5 * pt.sum(miss**2) - 10.0 * pt.log(noise))
        return model


def test_the_gate_refuses_the_funnel_of_half_normal_scales():
    # Known answer 18: ten reports gave 201 divergences, R-hat 1.04 and ESS 88.
    rng = np.random.default_rng(1)
    day = np.sort(rng.integers(1, 60, 10)).astype(float)
    reports = Reports.of(rng.normal(0, 0.7, 10), day, np.arange(10) % 4)
    columns, sizes = news_graph.latent_data(reports)
    columns = {name: columns[name] for name in ("said", "place", "source", "before", "after")}
    fit = sample(HalfNormalScales(sizes=sizes), columns, {}, seed=1, draws=1000, target_accept=0.8)
    assert not fit.report.passed
    assert fit.report.divergences > 0


def test_ranks_of_the_truth_are_uniform():
    # Simulation-based calibration by the points: 200 truths, 31 thinned draws each.
    rng = np.random.default_rng(8)
    priors = EVENT.default_priors()
    priors["rate"] = priors["rate"].with_values(1.0, 200.0)
    design = random_data(4)
    names = (*SCALES, "beta", "moved", "rate")
    ranks = {name: [] for name in (*names, "p")}
    for turn in range(200):
        truth, made = EVENT.simulate(rng, design, priors)
        fit, _ = EVENT.fit_points(made, priors, turn)
        kept = rng.choice(4096, 31, replace=False)
        for name in names:
            ranks[name].append(int(np.sum(fit.draws[name][kept] < truth[name][0])))
        hazard = {
            k: np.log(fit.draws["rate"]) + fit.draws["beta"] * fit.draws["moved"] for k in "p"
        }
        true = np.log(truth["rate"][0]) + truth["beta"][0] * truth["moved"][0]
        ranks["p"].append(int(np.sum(hazard["p"][kept] < true)))
    for name, found in ranks.items():
        counts = np.bincount(np.asarray(found) // 4, minlength=8)
        chi = float(np.sum((counts - 25) ** 2 / 25))
        # 7 degrees of freedom, 8 quantities: .001 each.
        assert chi < 24.3, (name, counts)


def test_houses_taken_as_independent_are_found_out():
    # Negative control: without the shared bias the state's interval is too narrow.
    rng = np.random.default_rng(9)
    inside = {0.5: 0, 0.0: 0}
    for _ in range(400):
        level, bias = rng.standard_normal(), 0.5 * rng.standard_normal()
        said = level + bias + rng.normal(0, 0.5, 40) + rng.normal(0, 0.6, 40)
        reports = Reports.of(said, np.zeros(40), story=np.arange(40))
        for shared in inside:
            one = ScalesOf.of({"tau": 1e-6, "house": 0.5, "story": 1e-6, "noise": 0.6}, bias=shared)
            mean, sd = level_at(reports, one, 0.0)
            inside[shared] += abs(mean[0] - level) < 1.645 * sd[0]
    assert 0.86 < inside[0.5] / 400 < 0.94
    assert inside[0.0] / 400 < 0.6
