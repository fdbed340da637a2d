"""Whether stances fit their own model, and stances made by it."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from forecasting.inference.predictive_check import CountCheck, PredictiveCheck, interval_shares
from forecasting.models.news_priors import SCALES
from forecasting.models.state_space import Reports, Scales, covariance, others_say

__all__ = ["residuals_by_source", "simulated"]

FloatArray = NDArray[np.float64]
#: Days to a grid cell of a simulated walk.
CELL = 0.25
CENTRAL_95 = 1.959964
#: Draws that the check is made with.
CHECKED = 256


def residuals_by_source(
    family: str, reports: Reports, scales: Scales, names: tuple[str, ...] = ()
) -> PredictiveCheck:
    """Hold each report against what all the others say of it.

    A report's place in its predictive distribution is averaged over the draws. For each source
    with two reports or more, the mean of its residuals, each in its own standard deviation, is
    shown beside the central 95 % range of that mean were the residuals as correlated as the model
    has them.

    Returns
    -------
    PredictiveCheck
        With one line a source.
    """
    if reports.n == 0:
        return PredictiveCheck(family, 0, float("nan"), float("nan"))
    from scipy.special import ndtr

    # A few hundred draws say where a report lies; each costs a matrix inverse.
    scales = scales.at(np.unique(np.linspace(0, scales.size - 1, CHECKED).astype(np.intp)))
    mean, sd = others_say(reports, scales)
    z = (reports.said - mean) / sd
    place = ndtr(z).mean(axis=0)
    inside_50, inside_90 = interval_shares(place, place)
    # Residuals given all others, P y / diag(P), have covariance P scaled to a unit diagonal.
    precision = np.linalg.inv(covariance(reports, scales))
    scaled = np.sqrt(np.diagonal(precision, axis1=1, axis2=2))
    correlation = (precision / scaled[:, :, None] / scaled[:, None, :]).mean(axis=0)
    lines = []
    for source in np.unique(reports.source):
        mine = reports.source == source
        if mine.sum() < 2:
            continue
        label = names[int(source)] if int(source) < len(names) else f"source {int(source)}"
        spread = CENTRAL_95 * float(np.sqrt(max(correlation[np.ix_(mine, mine)].mean(), 0.0)))
        seen = float(z[:, mine].mean())
        lines.append(CountCheck(f"mean residual of {label}", seen, -spread, spread))
    return PredictiveCheck(family, reports.n, inside_50, inside_90, tuple(lines))


def simulated(
    rng: np.random.Generator,
    kind: str,
    data: Mapping[str, FloatArray],
    priors: Mapping[str, FloatArray],
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Draw one truth from the prior, and data of the given design from it.

    Sources with many reports get no gain other than 1 here. Of a share, where the past of the
    process says nothing of the walk, the truth includes ``level``, z now.
    """
    truth = {
        name: np.exp(priors[f"{name}_mu"] + priors[f"{name}_sd"] * rng.standard_normal(1))
        for name in SCALES
    }
    truth["beta"] = priors["beta_mu"] + priors["beta_sd"] * rng.standard_normal(1)
    now, day = float(data["now"]), data["day"]
    grid = np.arange(0.0, now + CELL, CELL)
    after = _walk(rng, np.union1d(grid, day[day > 0]), float(truth["tau"][0]))
    before = _walk(rng, np.union1d([0.0], -day[day < 0]), float(truth["tau"][0]))
    opening = float(priors["level_value"]) * rng.standard_normal()
    z = opening + np.where(day < 0, np.interp(-day, *before), np.interp(day, *after))
    said = z + float(priors["bias_value"]) * rng.standard_normal()
    for name, scale in (("source", truth["house"]), ("story", truth["story"])):
        _, label = np.unique(data[name], return_inverse=True)
        effects = rng.standard_normal(label.max(initial=-1) + 1)
        said = said + scale * effects[label]
    made = {**data, "said": said + truth["noise"] * rng.standard_normal(day.size)}
    truth["moved"] = np.atleast_1d(np.interp(now, *after))
    if kind == "share":
        truth["level"] = opening + truth["moved"]
        truth["chance"] = np.atleast_1d(rng.beta(priors["chance_a"], priors["chance_b"]))
        trials = int(data["trials"])
        made["successes"] = np.array(float(rng.binomial(trials, truth["chance"][0])))
        return truth, made
    truth["rate"] = np.atleast_1d(rng.gamma(priors["rate_shape"], 1.0 / priors["rate_rate"]))
    relative = np.exp(truth["beta"] * np.interp(grid, *after))
    watched = np.concatenate([[0.0], np.cumsum((relative[1:] + relative[:-1]) / 2.0 * CELL)])
    first = float(np.interp(rng.exponential() / truth["rate"][0], watched, grid, right=np.inf))
    if first < now:
        # The first event ends the watch; what was said after it is not part of the data.
        seen = day <= first
        made |= {name: made[name][seen] for name in ("said", "day", "source", "story")}
        made |= {"now": np.array(first), "event_day": np.array([first])}
        truth["moved"] = np.atleast_1d(np.interp(first, *after))
    else:
        made["event_day"] = np.empty(0)
    made |= {"exposure": made["now"], "asked_from": made["now"]}
    truth["unwatched"] = np.zeros(1)
    truth["watched"] = np.atleast_1d(np.interp(float(made["now"]), grid, watched))
    return truth, made


def _walk(rng: np.random.Generator, days: FloatArray, tau: float) -> tuple[FloatArray, FloatArray]:
    """Return days from 0 and a walk from 0 on them."""
    at = np.union1d([0.0], days)
    steps = rng.standard_normal(at.size) * np.sqrt(np.diff(at, prepend=0.0))
    return at, tau * np.cumsum(steps)
