"""Every fitted family finds again what made its data; broken ones are caught doing it.

A family joins `CASES` with one line. Each is calibrated as it is used, and its compiled graph where
that is something else ("sampled"). ``SBC_PICTURES=review make test-deep ARGS='-k sbc'`` keeps the
pictures.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecasting.inference import resampled, reweighted
from forecasting.inference.fit import Fit, exact_fit
from forecasting.inference.sbc import (
    Calibration,
    calibrate,
    draw_ranks,
    rank_bands,
    rank_of,
    uniformity,
)
from forecasting.models import weibull
from forecasting.models.base_rate import BaseRate
from forecasting.models.competing_risks import CompetingRisks
from forecasting.models.exchange import ExchangeCount
from forecasting.models.forecaster import Forecaster
from forecasting.models.protocol import PriorSpec
from forecasting.models.staged import StagedProcess
from forecasting.models.survival import Survival

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
        return resampled(fit, seed)


def single(simulated):
    """The truth and the data of families that simulate n at a time, asked for one."""
    truth, (data,) = simulated
    return {name: np.asarray(values)[0] for name, values in truth.items()}, data


def spells_case(setting, **options):
    model = Survival(setting, **options)
    return Case(model, lambda draws, _: model.predict(draws, [model.t0], age_days=model.t0 / 2))


NUTS = {"method": "nuts"}
FORMAL = spells_case("formal-end")
EXCHANGE, STAGED, FORECASTER = ExchangeCount(), StagedProcess(), Forecaster(3)
CASES = {
    "survival formal end": FORMAL,
    "survival first claim": spells_case("first-claim", instant=True),
    "survival agreement": spells_case("peace-agreement"),
    "exchange count": Case(EXCHANGE, lambda draws, data: EXCHANGE.predict(draws, data, [30.0])),
    "competing risks": Case(
        CompetingRisks(), lambda draws, _: CompetingRisks().predict(draws, [60.0])[:, 0], NUTS
    ),
    "staged": Case(
        STAGED,
        lambda draws, _: STAGED.predict(draws, [20.0])[:, -1],
        NUTS,
        simulate=lambda rng: single(STAGED.simulate(rng, 1)),
    ),
    "forecaster": Case(
        FORECASTER, lambda draws, _: FORECASTER.predict(draws, [0.3, 0.6], [0, 1]), {"draws": 1000}
    ),
    "base rate": Case(BaseRate(), lambda draws, _: BaseRate().predict(draws, [90.0]), NUTS),
    "base rate share": Case(
        BaseRate("share"), lambda draws, _: BaseRate("share").predict(draws), NUTS
    ),
    "base rate count": Case(
        BaseRate("count"), lambda draws, _: BaseRate("count").predict(draws, [4.0]), NUTS
    ),
}


@pytest.fixture
def picture(tmp_path):
    folder = Path(os.environ.get("SBC_PICTURES") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)

    def draw(*calibrations):
        name = calibrations[0].name.replace(" ", "-")
        draw_ranks(calibrations, folder / f"sbc-{name}.png")
        assert (folder / f"sbc-{name}.png").stat().st_size > 0

    return draw


@pytest.mark.deep
@pytest.mark.parametrize("name", CASES)
def test_ranks_are_uniform(name, picture):
    # Known answer 17, first half.
    found = CASES[name].calibrated(name)
    picture(found)
    assert found.p > 0.01, found.p_values
    assert found.refused <= 0.03 * N


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


# Independent sources assumed though they share a bias: the third control belongs to the family of
# news. Calibrate it on its own simulations, with a fit whose prior on the shared bias is a
# constant 0, and ask for p < .001: Case(news, predict).calibrated("no shared bias", fit=blind).


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

    return calibrate("beta-binomial", simulate, fit, n=N, seed=3)


def test_reweighting_is_calibrated_and_with_the_sign_flipped_not(picture):
    right, wrong = beta_binomial(1), beta_binomial(-1)
    picture(right, wrong)
    assert right.p > 0.01
    assert wrong.p < 0.001


def test_uniform_ranks_are_called_uniform_as_often_as_they_should():
    rng = np.random.default_rng(1)
    p = np.array([uniformity(rng.integers(0, 100, 300), 99) for _ in range(400)])
    for level in (0.01, 0.05, 0.2):
        assert np.mean(p <= level) <= level + 3 * np.sqrt(level / 400)
    assert 0.4 < p.mean() < 0.6


@pytest.mark.parametrize(
    "ranks",
    [
        lambda rng: rng.binomial(99, rng.beta(1.4, 1.4, 300)),  # too wide
        lambda rng: rng.binomial(99, rng.beta(0.7, 0.7, 300)),  # too narrow
        lambda rng: rng.binomial(99, rng.beta(1.0, 1.35, 300)),  # to one side
        lambda rng: np.where(rng.random(300) < 0.06, 99, rng.integers(0, 100, 300)),  # one end
    ],
    ids=["wide", "narrow", "biased", "end"],
)
def test_posteriors_that_are_off_are_found(ranks):
    found = [uniformity(ranks(np.random.default_rng(seed)), 99) for seed in range(20)]
    assert np.mean(np.asarray(found) < 0.05) > 0.6


def test_the_bands_hold_nineteen_of_twenty_uniform_ranks():
    rng = np.random.default_rng(2)
    inside = 0
    for _ in range(400):
        bands = rank_bands(rng.integers(0, 100, 300), 99)
        inside += np.all((bands.lower <= bands.difference) & (bands.difference <= bands.upper))
    assert inside / 400 > 0.95 - 3 * np.sqrt(0.05 * 0.95 / 400)
    assert inside < 400


def test_ranks_count_draws_below_and_break_ties_evenly():
    rng = np.random.default_rng(3)
    draws = np.arange(99.0)
    assert rank_of(-1.0, draws, 99, rng) == 0
    assert rank_of(1000.0, draws, 99, rng) == 99
    assert rank_of(49.5, draws, 99, rng) == 50
    # Thinned evenly over the chains.
    assert rank_of(495.0, np.arange(990.0), 99, rng) in (49, 50)
    tied = [rank_of(1.0, np.ones(99), 99, rng) for _ in range(2000)]
    assert uniformity(tied, 99) > 0.01
    with pytest.raises(ValueError, match="at least as many"):
        rank_of(1.0, np.ones(50), 99, rng)


def test_a_vector_is_ranked_by_element_and_a_certainty_not_at_all():
    def simulate(rng):
        return {"share": rng.dirichlet([1.0, 1.0, 1.0]), "sure": np.array(2.0)}, {}

    def fit(_, seed):
        draws = np.random.default_rng(seed).dirichlet([1.0, 1.0, 1.0], 99)
        return {"share": draws, "sure": np.full(99, 2.0)}, seed % 2 == 0

    found = calibrate("shares", simulate, fit, n=60, seed=1)
    assert list(found.ranks) == ["share[0]", "share[1]", "share[2]"]
    assert found.p > 0.01
    assert 0 < found.refused < 60
    with pytest.raises(ValueError, match="the truth has"):
        calibrate("none", simulate, lambda *_: ({}, True), n=1, seed=1)


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
