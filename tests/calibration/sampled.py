"""The hierarchy of the recalibration once more: draws from its prior, and a graph for NUTS."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from forecasting.calibration.recalibration import Shared, log_odds
from forecasting.inference import COLUMN, SCALAR, fit
from forecasting.inference.inputs import inputs

GIVEN = Shared()


def simulate(rng, *, forecasters=4, questions=50):
    """Draw parameters, and each forecaster's log-odds said, outcomes and weights from them."""
    (median_a, log_a), (median_b, log_b) = GIVEN.intercept_scale, GIVEN.slope_scale
    alpha = rng.normal(rng.normal(0, GIVEN.intercept_sd),
                       median_a * np.exp(rng.normal(0, log_a)), forecasters)  # fmt: skip
    log_slope = rng.normal(rng.normal(0, GIVEN.slope_sd),
                           median_b * np.exp(rng.normal(0, log_b)), forecasters)  # fmt: skip
    records = []
    for a, b in zip(alpha, log_slope, strict=True):
        x = log_odds(rng.beta(1, 1, questions))
        seen = rng.random(questions) < expit(a + np.exp(b) * x)
        records.append((x, seen.astype(float), np.ones(questions)))
    return {"alpha": alpha, "log_slope": log_slope}, records


@dataclass(frozen=True, slots=True)
class Sampled:
    """The graph, with room for a number of forecasters."""

    family = "recalibration"
    version = "1"

    room: int

    @property
    def structure(self):
        return (self.room,)

    @property
    def layout(self):
        shared = ("mean_a", "median_a", "log_sd_a", "mean_b", "median_b", "log_sd_b")
        return {**dict.fromkeys(shared, SCALAR), **dict.fromkeys(("x", "y", "w", "who"), COLUMN)}

    def build_model(self):
        import pymc as pm
        import pytensor.tensor as pt

        with pm.Model() as model:
            data = inputs(self.layout)
            who = data["who"].astype("int64")

            def parameter(side):
                mean = data[f"mean_{side}"] * pm.Normal(f"mean_{side}_z")
                log_scale = data[f"log_sd_{side}"] * pm.Normal(f"scale_{side}_z")
                each = pm.Normal(f"each_{side}_z", shape=self.room)
                return mean + data[f"median_{side}"] * pt.exp(log_scale) * each

            alpha, log_slope = parameter("a"), parameter("b")
            eta = alpha[who] + pt.exp(log_slope[who]) * data["x"]
            pm.Potential("outcomes", pt.sum(data["w"] * (data["y"] * eta - pt.softplus(eta))))
        return model


def by_sampling(records, seed):
    """Draws of (alpha, log slope) of each forecaster, and last of a stranger."""
    data = {
        name: np.concatenate([record[place] for record in records])
        for place, name in enumerate(("x", "y", "w"))
    }
    data["who"] = np.repeat(np.arange(float(len(records))), [len(r[0]) for r in records])
    sides = {"a": (GIVEN.intercept_sd, *GIVEN.intercept_scale),
             "b": (GIVEN.slope_sd, *GIVEN.slope_scale)}  # fmt: skip
    priors = {
        f"{name}_{side}": value
        for side, values in sides.items()
        for name, value in zip(("mean", "median", "log_sd"), values, strict=True)
    }
    posterior = fit(Sampled(4), data, priors, seed=seed, draws=1000)
    assert posterior.report.passed

    def parameter(side):
        mean, median, log_sd = sides[side]
        scale = median * np.exp(log_sd * posterior.draws[f"scale_{side}_z"])
        centre = mean * posterior.draws[f"mean_{side}_z"]
        return centre[:, None] + scale[:, None] * posterior.draws[f"each_{side}_z"]

    alpha, log_slope = parameter("a"), parameter("b")
    return [(alpha[:, place], log_slope[:, place]) for place in range(len(records) + 1)]
