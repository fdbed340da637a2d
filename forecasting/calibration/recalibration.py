r"""Recalibration with partial pooling over forecasters.

.. math:: \operatorname{logit} q = \alpha_f + e^{b_f} \operatorname{logit} p, \qquad
          \alpha_f \sim N(a, \sigma_\alpha), \quad b_f \sim N(b, \sigma_b),

:math:`a \sim N(0, .15)`, :math:`\sigma_\alpha \sim LN(\log .2, .4)`, :math:`b \sim N(0, .1)`,
:math:`\sigma_b \sim LN(\log .15, .4)`: before data a forecaster's own :math:`\alpha` has standard
deviation .28 and :math:`b` .20, centred on the identity, so that five outcomes hardly move a
probability, a few dozen do not spoil a good forecaster, and a few hundred decide. Outcomes are
Bernoulli(q). (The widths were chosen after a look at 128 questions of ForecastBench on two
wars: with twice as wide ones a well calibrated crowd lost there more than it may gain. That file is
therefore no test of them.)

Updates of one question are not independent, nor are questions about one event: a forecaster's
questions are read once, in the middle of their scheduled window, and those of one event count
together as one (rule as for calibration bands). A question enters at its scheduled close, also
where it resolved before: otherwise the early yeses would come in ahead of the noes.

Two ways to the same posterior: ``quadrature`` (default) sums over grids of the two parameters of
each forecaster and of the four shared ones; ``nuts`` samples all of them.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from forecasting.calibration.recalibration_lines import (
    CLIP,
    NOBODY,
    FloatArray,
    LogOddsLine,
    Recalibration,
    Shared,
    log_odds,
)
from forecasting.calibration.recalibration_quadrature import Cloud, Rows, by_quadrature
from forecasting.calibration.recalibration_rows import spot_rows
from forecasting.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

    from forecasting.inference.inputs import Layout

__all__ = ["Recalibration", "Shared", "recalibrate", "recalibrate_rows", "simulate", "spot_rows"]

SHARE = 0.5
#: Sizes for which the sampled model is compiled.
CAPACITIES = (4, 16, 64, 256)


def recalibrate(
    history: "pd.DataFrame",
    *,
    as_of: datetime | None = None,
    share: float = SHARE,
    method: str = "quadrature",
    shared: Shared | None = None,
    seed: int = 0,
) -> Recalibration:
    """Fit how each forecaster's log-odds should be read, on what had resolved before a moment.

    Parameters
    ----------
    history : DataFrame
        One row a forecast: question, forecaster, forecast (probability of yes), issued_at,
        outcome (0 or 1, missing while open), resolved_at. With ``opens`` and ``closes`` each
        question is read once, at `share` of its window, if it was open then, and enters at its
        close; without them each of n forecasts of a question counts 1 / n. With ``event`` the
        questions of one event count together as one. ``withdrawn_at`` is respected.
    as_of : datetime, optional
        Only resolutions known before it count; default: all in the history.
    share : float, default 0.5
        In [0, 1).
    method : {"quadrature", "nuts"}
        Two ways to the same posterior.
    shared : Shared, optional
        Other priors.
    seed : int
        Of the sampler.

    Returns
    -------
    Recalibration
        Near the identity for a short record.

    Raises
    ------
    InvalidInput
        If a column is missing, a probability lies outside [0, 1], an outcome is not 0 or 1, or
        `share` lies outside [0, 1).

    References
    ----------
    D. R. Cox (1958). Two further applications of a model for binary regression. Biometrika 45.
    https://doi.org/10.1093/biomet/45.3-4.562

    Examples
    --------
    >>> import pandas as pd
    >>> day = lambda d: pd.Timestamp("2025-01-01", tz="UTC") + pd.Timedelta(days=d)
    >>> history = pd.DataFrame(
    ...     {
    ...         "question": [f"q{i}" for i in range(200)], "forecaster": "ana",
    ...         "forecast": [0.9, 0.1] * 100, "issued_at": day(0),
    ...         "outcome": [1, 0, 1, 0, 0, 1, 1, 0, 1, 0] * 20, "resolved_at": day(9),
    ...     }
    ... )
    >>> [round(float(p), 1) for p in recalibrate(history, as_of=day(9)).predict([0.1, 0.9])]
    [0.1, 0.9]
    >>> [round(float(p), 2) for p in recalibrate(history, as_of=day(10)).predict([0.1, 0.9])]
    [0.2, 0.8]
    """
    rows = spot_rows(history, as_of=as_of, share=share)
    return recalibrate_rows(rows, as_of=as_of, method=method, shared=shared, seed=seed)


def recalibrate_rows(
    rows: "pd.DataFrame",
    *,
    as_of: Any = None,
    method: str = "quadrature",
    shared: Shared | None = None,
    seed: int = 0,
) -> Recalibration:
    """Fit rows that `spot_rows` gave: forecaster, forecast, outcome, weight, question, event.

    Parameters
    ----------
    rows : DataFrame
        One row a forecast that counts, with its weight.
    as_of : datetime, optional
        Kept with the result.
    method, shared, seed
        As in `recalibrate`.

    Returns
    -------
    Recalibration

    Raises
    ------
    InvalidInput
        If the method is none of the two.
    """
    priors = Shared() if shared is None else shared
    names = sorted({str(name) for name in rows["forecaster"]})
    records = [rows[rows["forecaster"].astype(str) == name] for name in names]
    arrays = [
        (
            log_odds(record["forecast"].to_numpy(dtype=np.float64)),
            record["outcome"].to_numpy(dtype=np.float64),
            record["weight"].to_numpy(dtype=np.float64),
        )
        for record in records
    ]
    gate = "passed"
    if method == "quadrature":
        clouds = by_quadrature(arrays, priors)
    elif method == "nuts":
        clouds, gate = _by_sampling(arrays, priors, seed)
    else:
        message = f"method ({method}): must be quadrature or nuts."
        raise InvalidInput(message)
    lines = {NOBODY: LogOddsLine(*clouds[-1])}
    for name, record, cloud in zip(names, records, clouds[:-1], strict=True):
        p = record["forecast"].to_numpy(dtype=np.float64)
        lines[name] = LogOddsLine(
            *cloud,
            n_questions=int(record["question"].nunique()),
            n_events=int(record["event"].nunique()),
            n_clipped=int(np.sum((p < CLIP) | (p > 1 - CLIP))),
        )
    return Recalibration(lines, as_of, method, gate)


def simulate(
    rng: np.random.Generator,
    *,
    forecasters: int = 4,
    questions: int = 50,
    shared: Shared | None = None,
) -> tuple[dict[str, FloatArray], list[Rows]]:
    """Draw parameters from the prior and outcomes from them, for simulation-based calibration.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    forecasters, questions : int
        Each forecaster answers that many questions of his own.
    shared : Shared, optional
        Priors.

    Returns
    -------
    draws : dict
        ``mean_alpha, scale_alpha, mean_slope, scale_slope`` () and ``alpha, log_slope`` (F,).
    records : list of (x, y, w)
        Log-odds said, outcomes and weights of each forecaster.
    """
    from scipy.special import expit

    given = Shared() if shared is None else shared
    draws: dict[str, FloatArray] = {
        "mean_alpha": np.array(rng.normal(0, given.intercept_sd)),
        "scale_alpha": np.array(_log_normal(rng, given.intercept_scale)),
        "mean_slope": np.array(rng.normal(0, given.slope_sd)),
        "scale_slope": np.array(_log_normal(rng, given.slope_scale)),
    }
    draws["alpha"] = rng.normal(draws["mean_alpha"], draws["scale_alpha"], forecasters)
    draws["log_slope"] = rng.normal(draws["mean_slope"], draws["scale_slope"], forecasters)
    records: list[Rows] = []
    for alpha, log_slope in zip(draws["alpha"], draws["log_slope"], strict=True):
        x = log_odds(rng.beta(1, 1, questions))
        chance = expit(alpha + np.exp(log_slope) * x)
        records.append((x, (rng.random(questions) < chance).astype(np.float64), np.ones(questions)))
    return draws, records


def _log_normal(rng: np.random.Generator, scale: tuple[float, float]) -> float:
    median, log_sd = scale
    return float(median * np.exp(rng.normal(0, log_sd)))


@dataclass(frozen=True, slots=True)
class Sampled:
    """The same hierarchy as a graph for NUTS, with room for a number of forecasters."""

    family: ClassVar[str] = "recalibration"
    version: ClassVar[str] = "1"

    room: int

    @property
    def structure(self) -> tuple[Hashable, ...]:
        """The room for forecasters changes the graph."""
        return (self.room,)

    @property
    def layout(self) -> "Layout":
        """Rows, and the priors of what is shared."""
        from forecasting.inference.inputs import COLUMN, SCALAR

        shared = ("mean_a", "median_a", "log_sd_a", "mean_b", "median_b", "log_sd_b")
        rows = ("x", "y", "w", "who")
        return {**dict.fromkeys(shared, SCALAR), **dict.fromkeys(rows, COLUMN)}

    def build_model(self) -> Any:
        """Build the graph, every variable standardised."""
        import pymc as pm
        import pytensor.tensor as pt

        from forecasting.inference.inputs import inputs

        with pm.Model() as model:
            given = inputs(self.layout)
            who = given["who"].astype("int64")

            def parameter(side: str) -> Any:
                mean = given[f"mean_{side}"] * pm.Normal(f"mean_{side}_z")
                log_scale = given[f"log_sd_{side}"] * pm.Normal(f"scale_{side}_z")
                each = pm.Normal(f"each_{side}_z", shape=self.room)
                return mean + given[f"median_{side}"] * pt.exp(log_scale) * each

            alpha, log_slope = parameter("a"), parameter("b")
            eta = alpha[who] + pt.exp(log_slope[who]) * given["x"]
            log_p = given["y"] * eta - pt.softplus(eta)
            pm.Potential("outcomes", pt.sum(given["w"] * log_p))
        return model


def _by_sampling(records: list[Rows], shared: Shared, seed: int) -> tuple[list[Cloud], str]:
    from forecasting.inference import fit

    room = next((size for size in CAPACITIES if size > len(records)), None)
    if room is None:
        message = f"forecasters ({len(records)}): more than {CAPACITIES[-1] - 1} are not sampled."
        raise InvalidInput(message, hint="method='quadrature'")
    data = {
        name: np.concatenate([record[place] for record in records]) if records else np.zeros(0)
        for place, name in enumerate(("x", "y", "w"))
    }
    data["who"] = np.repeat(
        np.arange(len(records), dtype=np.float64), [len(record[0]) for record in records]
    )
    (median_a, log_sd_a), (median_b, log_sd_b) = shared.intercept_scale, shared.slope_scale
    priors = {
        "mean_a": shared.intercept_sd,
        "median_a": median_a,
        "log_sd_a": log_sd_a,
        "mean_b": shared.slope_sd,
        "median_b": median_b,
        "log_sd_b": log_sd_b,
    }
    found = fit(Sampled(room), data, priors, seed=seed, draws=1000)

    def parameter(side: str) -> FloatArray:
        scale = priors[f"median_{side}"] * np.exp(
            priors[f"log_sd_{side}"] * found.draws[f"scale_{side}_z"]
        )
        mean = priors[f"mean_{side}"] * found.draws[f"mean_{side}_z"]
        each: FloatArray = mean[:, None] + scale[:, None] * found.draws[f"each_{side}_z"]
        return each

    alpha, log_slope = parameter("a"), parameter("b")
    weight = np.full(len(alpha), 1 / len(alpha))
    # The first place without a record is somebody new.
    places = range(len(records) + 1)
    report = found.report
    gate = "passed" if report.passed else f"refused: {'; '.join(report.reasons)}"
    return [(alpha[:, place], log_slope[:, place], weight) for place in places], gate
