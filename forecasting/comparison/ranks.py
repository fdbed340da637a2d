"""Who is the best, with which probability: a hierarchical model of scores, sampled by PyMC."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.comparison.effects import Effects, Ranks, codes, gaussian_ranks, ranks_of
from forecasting.inference import COLUMN, SCALAR, fit
from forecasting.inference.inputs import Layout, inputs
from forecasting.scoring import checks

#: Beyond either the Gaussian approximation stands in.
MOST_FORECASTERS, MOST_SCORES = 64, 4_000
#: Scales of the half-normal priors, in standard deviations of the scores.
PRIORS = {"scale_forecaster": 0.5, "scale_question": 1.0, "scale_pair": 0.5, "scale_noise": 1.0}


class ScoreModel:
    r"""Scores as forecaster + question + forecaster-within-event + noise.

    .. math:: s_{fq} = a_f + d_q + g_{f,e(q)} + \varepsilon, \qquad \sum_f a_f = 0, \quad
              a_f \sim N(0, \sigma_a^2), \quad d_q \sim N(m, \sigma_d^2), \quad
              g \sim N(0, \sigma_g^2).

    The third effect makes twenty rungs of one ladder one event. It is integrated out: n scores of
    an event with mean residual r spread about r with variance :math:`\sigma^2`, and r has
    :math:`\sigma_g^2 + \sigma^2 / n`. Numbers of questions and events are rounded up to powers of
    two, so that a few compilations serve all.
    """

    family = "ranks"
    version = "1"

    def __init__(self, forecasters: int, questions: int, pairs: int) -> None:
        rounded = (max(8, 1 << (n - 1).bit_length()) for n in (questions, pairs))
        self.structure: tuple[int, ...] = (forecasters, *rounded)

    @property
    def layout(self) -> Layout:
        """Every number of the graph by name."""
        columns = ("score", "forecaster", "question", "pair")
        return {
            **dict.fromkeys(PRIORS, SCALAR),
            "size": self.structure[2],
            **dict.fromkeys(columns, COLUMN),
        }

    def build_model(self) -> Any:
        """Build the ``pm.Model``."""
        import pymc as pm
        import pytensor.tensor as pt

        forecasters, questions, pairs = self.structure
        start = {name: np.zeros(1) for name in ("score", "forecaster", "question", "pair")}
        with pm.Model() as model:
            data = inputs(self.layout, start)
            row = {name: data[name].astype("int64") for name in ("forecaster", "question", "pair")}
            sd = {
                name: pm.HalfNormal(f"sd_{name}", data[f"scale_{name}"])
                for name in ("forecaster", "question", "pair", "noise")
            }
            skill = pm.ZeroSumNormal("skill", 1.0, shape=forecasters)
            level = pm.Normal("level", 0, 1)
            question = pm.Normal("question", level, sd["question"], shape=questions)
            mean = sd["forecaster"] * skill[row["forecaster"]] + question[row["question"]]
            residual = data["score"] - mean
            total = pt.inc_subtensor(pt.zeros(pairs)[row["pair"]], residual)
            n = data["size"]
            within = pt.sum(residual**2) - pt.sum(total**2 / pt.maximum(n, 1))
            variance, between = sd["noise"] ** 2, sd["noise"] ** 2 + n * sd["pair"] ** 2
            occupied = pt.gt(n, 0)
            pm.Potential(
                "scores",
                -0.5
                * (
                    pt.sum(pt.maximum(n - 1, 0)) * pt.log(variance)
                    + within / variance
                    + pt.sum(
                        pt.switch(
                            occupied, pt.log(between) + total**2 / (pt.maximum(n, 1) * between), 0.0
                        )
                    )
                ),
            )
        return model


def ranks(
    score: ArrayLike,
    forecaster: Iterable[object],
    question: Iterable[object],
    cluster: Iterable[object],
    *,
    effects: Effects,
    seed: int = 0,
    sample: bool = True,
) -> Ranks:
    """Probabilities of being the best among the forecasters of the first component."""
    inside = np.flatnonzero(effects.adjusted.component == 0)
    names = effects.adjusted.forecaster[inside].tolist()
    values = checks.floats(score, "score")
    people, asked, events = list(forecaster), list(question), list(cluster)
    among = set(names)
    rows = [row for row, name in enumerate(people) if name in among]
    approximate = gaussian_ranks(effects.adjusted.adjusted[inside], effects.covariance, seed=seed)
    if not sample or len(names) < 2:
        return approximate
    if len(names) > MOST_FORECASTERS or len(rows) > MOST_SCORES:
        note = (
            f"{len(names)} forecasters and {len(rows)} scores are too many to sample "
            f"({MOST_FORECASTERS} and {MOST_SCORES}): Gaussian approximation"
        )
        return replace(approximate, note=note)
    person = codes([people[row] for row in rows], names)
    item = checks.clusters(asked[row] for row in rows)
    pair = checks.clusters((people[row], events[row]) for row in rows)
    model = ScoreModel(len(names), int(item.max()) + 1, int(pair.max()) + 1)
    chosen = values[rows]
    spread = float(chosen.std()) or 1.0
    data = {
        "size": np.bincount(pair, minlength=model.structure[2]),
        "score": (chosen - chosen.mean()) / spread,
        "forecaster": person,
        "question": item,
        "pair": pair,
    }

    def skills(draws: dict[str, FloatArray]) -> Mapping[str, ArrayLike]:
        return {"skill": draws["sd_forecaster"][:, None] * draws["skill"]}

    posterior = fit(model, data, PRIORS, seed=seed, draws=1000, tune=1000, parameters=skills)
    if not posterior.report.passed:
        return replace(approximate, note="the sampler did not converge: Gaussian approximation")
    middle = float(effects.adjusted.adjusted[inside].mean())
    skill = posterior.draws["skill"] * spread
    return ranks_of(skill + middle, "pymc")
