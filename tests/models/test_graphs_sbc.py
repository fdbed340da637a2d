"""Each of the three graphs finds again what made its data; a broken one is caught doing it."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from forecasting.bank.usable import bundled_bank
from forecasting.domain.prior import stated_over
from forecasting.models import weibull
from forecasting.models.deliveries import Deliveries
from forecasting.models.rates import Rates
from forecasting.models.spells import Spells
from tests.inference.sbc import calibrate
from tests.models.oracles import simulated

#: Fits are made as they are used: shorter chains fall below the gate's effective sizes.
N = 200
MODELS = {
    "rates": Rates(),
    "spells": Spells(),
    "spells-instant": Spells("first-claim", instant=True),
    "spells-lasting": Spells("peace-agreement"),
    "deliveries": Deliveries(),
}


def quantity(model, draws):
    """A probability that each graph is there for."""
    if isinstance(model, Rates):
        # A move of which nothing was seen: the chance of an event within a year, by quadrature.
        nodes, weights = np.polynomial.hermite_e.hermegauss(15)
        mu, sigma = (np.asarray(draws[name])[:, None] for name in ("mu", "sigma"))
        chance = -np.expm1(-365.0 * np.exp(mu + sigma * nodes))
        return chance @ weights / weights.sum()
    if isinstance(model, Spells):
        return weibull.survival(draws, 2.0 * model.t0, t0=model.t0)[:, 0]
    wait = np.exp(draws["theta"] + draws["first"] * np.log(10.0 / 14.0))
    return np.asarray(draws["w"] * -np.expm1(-wait))


def usual(model):
    """The priors that a graph is fitted under: of deliveries, those that the bank states."""
    return stated_over(model.default_priors(), bundled_bank().priors, "exchanges")


def calibrated(model, *, priors=None, data=None, n=N):
    all_priors = usual(model) | (priors or {})

    def fit(rows, seed):
        fitted = model.fit(rows if data is None else data(rows), all_priors, seed)
        return fitted.draws, fitted.report.passed

    return calibrate(
        type(model).__name__,
        partial(simulated, model, priors=usual(model)),
        fit,
        n=n,
        seed=1,
        quantities=lambda draws, _: {"P": quantity(model, draws)},
    )


@pytest.mark.deep
@pytest.mark.parametrize("name", MODELS)
def test_ranks_are_uniform_and_the_gate_lets_every_fit_pass(name):
    check = calibrated(MODELS[name])
    assert check.p > 0.001, check.p_values
    assert check.refused <= 0.01 * N


def _doubled(rows):
    return rows | {"exposures": 2.0 * rows["exposures"]}


def _ends_as_seen(rows):
    """Every spell that still held is taken as one that ended then."""
    kind = np.where(
        (rows["kind"] == weibull.HELD) & (rows["lower"] > 0), weibull.ENDED, rows["kind"]
    )
    return rows | {"kind": kind}


def _shares_of_what_is_open(rows):
    """The unit of today's model: a part as a share of what remained, not of what was agreed."""
    shares = np.clip(rows["shares"] * 1.6, None, 0.999)
    return rows | {"shares": shares}


@pytest.mark.deep
@pytest.mark.parametrize(
    ("name", "broken"),
    [("rates", _doubled), ("spells", _ends_as_seen), ("deliveries", _shares_of_what_is_open)],
)
def test_broken_data_are_caught(name, broken):
    assert calibrated(MODELS[name], data=broken).p < 0.001


@pytest.mark.deep
def test_a_wrong_prior_is_caught():
    model = MODELS["rates"]
    wide = model.default_priors()["mu"]
    shifted = replace(wide, values=(wide.value("mu") + 2.0, 0.5))
    assert calibrated(model, priors={"mu": shifted}, n=100).p < 0.001
