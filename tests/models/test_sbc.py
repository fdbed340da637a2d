"""Every fitted family finds again what made its data; broken ones are caught doing it.

A family joins `CASES` with one line. Each is calibrated as it is used, and its compiled graph where
that is something else ("sampled"). ``SBC_PICTURES=review make test-deep ARGS='-k sbc'`` keeps the
pictures.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, logit

from forecasting.calibration import recalibration
from forecasting.calibration.recalibration_lines import Shared
from forecasting.calibration.recalibration_quadrature import by_quadrature
from forecasting.inference import resampled, reweighted
from forecasting.inference.fit import Fit, exact_fit
from forecasting.inference.sbc import (
    Calibration,
    calibrate,
    draw_ranks,
    draw_summary,
)
from forecasting.models import weibull
from forecasting.models.base_rate import BaseRate
from forecasting.models.competing_risks import CompetingRisks
from forecasting.models.exchange import ExchangeCount
from forecasting.models.forecaster import Forecaster
from forecasting.models.news_draws import reports_of
from forecasting.models.news_log_odds import NewsLogOdds
from forecasting.models.news_priors import SCALES
from forecasting.models.protocol import PriorSpec
from forecasting.models.scenario import Scenario
from forecasting.models.staged import StagedProcess
from forecasting.models.state_space import Scales, level_at
from forecasting.models.survival import Survival

#: Simulations; fewer, said in the table, where one costs more than a fifth of a second.
N = 300


@dataclass(frozen=True)
class Case:
    """A family as the harness takes it: what it simulates, fits and predicts."""

    model: Any
    predict: Callable[[Any, Any], Any]
    options: dict[str, Any] = field(default_factory=dict)
    simulate: Callable[[np.random.Generator], Any] | None = None
    n: int = N

    def fit(self, data, seed, **priors) -> Fit:
        short = {"draws": 500, "tune": 400, **self.options}
        return self.model.fit(data, self.model.default_priors() | priors, seed, **short)

    def calibrated(self, name, fit=None) -> Calibration:
        def own(data, seed):
            found = (fit or self.fit)(data, seed)
            return self.drawn(found, data, seed), found.report.passed

        return calibrate(
            name,
            self.simulate or self.model.simulate,
            own,
            n=self.n,
            seed=1,
            quantities=lambda draws, data: {"P": self.predict(draws, data)},
        )

    def drawn(self, fit, data, seed):
        """Draws of equal weight, of everything that the truth has."""
        return resampled(fit, seed)


@dataclass(frozen=True)
class NewsCase(Case):
    """News, where opinion's level is known too for as long as the process tells nothing of it."""

    def drawn(self, fit, data, seed, **constants):
        draws = resampled(fit, seed)
        if self.model.kind != "share":
            return draws
        scales = Scales.of({name: draws[name] for name in SCALES}, **constants)
        mean, sd = level_at(reports_of(data), scales, float(data["now"]))
        noise = np.random.default_rng([seed, 2]).standard_normal(mean.size)
        return {**draws, "level": mean + sd * noise}


def single(simulated):
    """The truth and the data of families that simulate n at a time, asked for one."""
    truth, (data,) = simulated
    return {name: np.asarray(values)[0] for name, values in truth.items()}, data


class Recalibrated:
    """Recalibration as a family: the line of the first of two forecasters."""

    def simulate(self, rng):
        truth, records = recalibration.simulate(rng, forecasters=2, questions=25)
        return {name: truth[name][0] for name in ("alpha", "log_slope")}, {"records": records}

    def default_priors(self):
        return {}

    def fit(self, data, priors, seed, **_):
        started = time.perf_counter()
        alpha, log_slope, weight = by_quadrature(data["records"], Shared())[0]
        at = np.random.default_rng(seed).choice(weight.size, 400, p=weight / weight.sum())
        draws = {"alpha": alpha[at], "log_slope": log_slope[at]}
        return exact_fit(draws, {}, {}, seed=seed, seconds=time.perf_counter() - started)

    def predict(self, draws):
        return expit(draws["alpha"] + np.exp(draws["log_slope"]) * logit(0.8))


def news_case(kind, *, reports=10, sources=5, from_day=-30, **more):
    """Reports on a fixed design, two a story; what they say, and what happens, is drawn."""
    model = NewsLogOdds(kind)
    rng = np.random.default_rng(4)
    design = {
        "said": np.zeros(reports),
        "day": np.sort(rng.uniform(from_day, 180, reports)),
        "source": np.arange(reports) % sources,
        "story": np.arange(reports) // 2,
        "now": 180.0,
    }
    of_kind = {
        "event": {"exposure": 180.0, "asked_from": 180.0, "event_day": []},
        "share": {"successes": 0.0, "trials": 4.0},
    }

    def simulate(rng):
        truth, data = model.simulate(rng, design | of_kind[kind])
        return {name: values[0] for name, values in truth.items() if name not in WALKED}, data

    def predict(draws, data):
        # Walks after now are drawn anew for each set of data.
        seed = int(1e6 * abs(data["said"].sum()))
        if kind == "share":
            return model.predict(draws)[:, 0]
        return model.predict({**draws, "unwatched": np.zeros(1)}, [30.0], seed=seed)[:, 0]

    return NewsCase(model, predict, simulate=simulate, **more)


#: The integral of the walk over the past: a step on the way, coarser in the fit than in the truth.
WALKED = ("watched", "unwatched")


def spells_case(setting, **options):
    model = Survival(setting, **options)
    return Case(model, lambda draws, _: model.predict(draws, [model.t0], age_days=model.t0 / 2))


NUTS = {"method": "nuts"}
FORMAL = spells_case("formal-end")
EXCHANGE, STAGED, FORECASTER, SCENARIO = ExchangeCount(), StagedProcess(), Forecaster(3), Scenario()
NEWS = news_case("share")


def staged_case(**more):
    return Case(
        STAGED,
        lambda draws, _: STAGED.predict(draws, [20.0])[:, 0, -1],
        simulate=lambda rng: single(STAGED.simulate(rng, 1)),
        **more,
    )


def scenario_case(**more):
    return Case(
        SCENARIO,
        lambda draws, _: SCENARIO.predict(draws).probability({2: 0}),
        simulate=lambda rng: single(SCENARIO.simulate(rng, 1)),
        **more,
    )


CASES = {
    "survival formal end": FORMAL,
    "survival first claim": spells_case("first-claim", instant=True),
    "survival agreement": spells_case("peace-agreement"),
    "exchange count": Case(EXCHANGE, lambda draws, data: EXCHANGE.predict(draws, data, [30.0])),
    "competing risks": Case(
        CompetingRisks(), lambda draws, _: CompetingRisks().predict(draws, [60.0])[:, 0], NUTS
    ),
    "staged": staged_case(),
    "staged sampled": staged_case(options=NUTS, n=150),
    "news event": news_case("event"),
    "news share": NEWS,
    "news share sampled": news_case("share", options=NUTS, n=100),
    "scenario": scenario_case(),
    "scenario sampled": scenario_case(options=NUTS, n=60),
    "recalibration": Case(Recalibrated(), lambda draws, _: Recalibrated().predict(draws), n=150),
    "forecaster": Case(
        FORECASTER,
        lambda draws, _: FORECASTER.predict(draws, [0.3, 0.6], [0, 1]),
        {"draws": 1000},
        n=100,
    ),
    "base rate": Case(BaseRate(), lambda draws, _: BaseRate().predict(draws, [90.0]), NUTS),
    "base rate share": Case(
        BaseRate("share"), lambda draws, _: BaseRate("share").predict(draws), NUTS
    ),
    "base rate count": Case(
        BaseRate("count"), lambda draws, _: BaseRate("count").predict(draws, [4.0]), NUTS
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = Path(os.environ.get("SBC_PICTURES") or tmp_path_factory.mktemp("sbc"))
    path.mkdir(parents=True, exist_ok=True)
    return path


@pytest.fixture(scope="module")
def drawn(folder):
    """All that was calibrated in this run; at its end they are one picture."""
    found = []
    yield found
    if found:
        draw_summary(found, folder / "sbc.png")


@pytest.fixture
def picture(folder, drawn):
    def draw(*calibrations):
        name = calibrations[0].name.replace(" ", "-")
        draw_ranks(calibrations, folder / f"sbc-{name}.png")
        drawn.extend(calibrations)
        assert (folder / f"sbc-{name}.png").stat().st_size > 0

    return draw


@pytest.mark.deep
@pytest.mark.parametrize("name", CASES)
def test_ranks_are_uniform(name, picture):
    # Known answer 17, first half.
    found = CASES[name].calibrated(name)
    picture(found)
    assert found.p > 0.01, found.p_values
    assert found.refused <= 0.03 * CASES[name].n


@pytest.mark.parametrize("name", CASES)
def test_with_no_data_learned_the_prior_is_calibrated(name):
    # Each line of the table works, and each simulation draws from the prior that it says.
    case = CASES[name]
    simulate = case.simulate or case.model.simulate

    def prior(_, seed):
        rng = np.random.default_rng(seed)
        each = [simulate(rng)[0] for _ in range(9)]
        return {key: np.stack([draw[key] for draw in each]) for key in each[0]}, True

    found = calibrate(
        name,
        simulate,
        prior,
        n=40,
        seed=1,
        levels=9,
        quantities=lambda draws, data: {"P": case.predict(draws, data)},
    )
    # P depends on the data too, of which the prior here knows nothing.
    assert min(p for key, p in found.p_values.items() if not key.startswith("P")) > 0.001


def halves(data):
    """The first half of the spells."""
    return {name: values[: len(values) // 2] for name, values in data.items()}


@pytest.mark.deep
def test_without_the_censoring_term_ranks_are_not_uniform(picture):
    # Known answer 17, second half: spells that still hold are left out.
    def blind(data, seed):
        ended = data["kind"] != weibull.HELD
        return FORMAL.fit({name: values[ended] for name, values in data.items()}, seed)

    found = FORMAL.calibrated("censoring dropped", blind)
    picture(found)
    assert found.p < 0.001


@pytest.mark.deep
@pytest.mark.parametrize("sign", [1, -1])
def test_reweighted_spells_are_calibrated_and_with_the_sign_flipped_not(sign, picture):
    model = FORMAL.model

    def fit(data, seed):
        full = FORMAL.fit(halves(data), seed)
        more = model.log_likelihood(full.draws, data).sum(axis=1)
        ratio = more - model.log_likelihood(full.draws, halves(data)).sum(axis=1)
        found = reweighted(full, sign * ratio, data_hash="")
        # As in use, what the rules refuse is sampled; they refuse many a flipped ratio, which
        # would hide the rest of it, so that those are taken as they come.
        return found if found.report.passed or sign == -1 else FORMAL.fit(data, seed)

    found = FORMAL.calibrated("reweighted" if sign == 1 else "sign flipped", fit)
    picture(found)
    assert found.p > 0.01 if sign == 1 else found.p < 0.001


@pytest.mark.deep
@pytest.mark.parametrize("shared", [True, False])
def test_sources_taken_as_independent_that_share_a_bias_are_found_out(shared, picture):
    # Thirty sources within a month are wrong together, and so agree: it is the level that is then
    # known too well. What a steady bias cannot harm is the movement, and P with it.
    right = news_case("share", reports=30, sources=30, from_day=150)
    bias = right.model.default_priors()["bias"].with_values(0.5 if shared else 1e-4)

    @dataclass(frozen=True)
    class Fitted(NewsCase):
        def fit(self, data, seed):
            return super().fit(data, seed, bias=bias)

        def drawn(self, fit, data, seed):
            return super().drawn(fit, data, seed, bias=bias.value("value"))

    case = Fitted(right.model, right.predict, simulate=right.simulate)
    found = case.calibrated("shared bias" if shared else "no shared bias")
    picture(found)
    if shared:
        assert found.p > 0.01, found.p_values
    else:
        assert found.p_values["level"] < 0.001
        assert found.p < 0.001


def beta_binomial(sign):
    """Twelve trials, then eight more by weights: exact draws, so that the harness is quick."""

    def simulate(rng):
        p = rng.beta(2, 2)
        return {"p": p}, {"yes": rng.binomial(12, p), "more": rng.binomial(8, p)}

    def fit(data, seed):
        rng = np.random.default_rng(seed)
        draws = {"p": rng.beta(2 + data["yes"], 14 - data["yes"], 4000)}
        full = exact_fit(draws, data, {}, seed=seed, seconds=0.0)
        p = full.draws["p"]
        ratio = data["more"] * np.log(p) + (8 - data["more"]) * np.log1p(-p)
        return resampled(reweighted(full, sign * ratio, data_hash=""), seed), True

    name = "beta-binomial" if sign == 1 else "beta-binomial, sign flipped"
    return calibrate(name, simulate, fit, n=N, seed=3)


def test_reweighting_is_calibrated_and_with_the_sign_flipped_not(picture):
    right, wrong = beta_binomial(1), beta_binomial(-1)
    picture(right, wrong)
    assert right.p > 0.01
    assert wrong.p < 0.001


@pytest.mark.parametrize("kind", ["rate", "weekly", "share", "dirichlet", "count", "rungs"])
def test_closed_forms_are_calibrated(kind):
    # Exact draws in place of a sampler: the simulation of each kind fits its likelihood.
    weekly = {"chance": PriorSpec.of("chance", "beta", 1, 9, source="", known_by=None)}
    model = BaseRate(kind)
    priors = weekly if kind == "weekly" else model.default_priors()

    def fit(data, seed):
        found = model.fit(data, priors, seed, draws=25)
        constants = {
            k: np.full(100, v.value("value")) for k, v in priors.items() if k not in found.draws
        }
        return {**found.draws, **constants}, True

    found = calibrate(kind, lambda rng: model.simulate(rng, priors), fit, n=N, seed=1, levels=100)
    assert found.p > 0.01, found.p_values


def test_competing_risks_in_closed_form_are_calibrated():
    case = Case(CompetingRisks(), lambda draws, _: CompetingRisks().predict(draws, [60.0])[:, 0])
    found = case.calibrated("competing risks")
    assert found.p > 0.01, found.p_values
