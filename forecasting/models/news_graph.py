"""The graphs of the news family: scales alone, or with the latent walk and effects.

Scales are log-normal: sampled as exp(mu + sd z), so that none can reach zero. With half-normal
scales the latent form has a funnel, and the gate refuses it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.inference.inputs import Layout, inputs
from forecasting.models.news_priors import SCALES
from forecasting.models.state_space import Reports

__all__ = ["GAIN_SD", "LATENT", "MARGINAL", "latent", "latent_data", "marginal", "marginal_data"]

FloatArray = NDArray[np.float64]
#: Of the log of a source's gain, about 1: how far a source over- or understates.
GAIN_SD = 0.3
MARGINAL = ("said", "day", "source", "story", "gain_of")
LATENT = ("said", "place", "source", "story", "gain_of", "before", "after")


def marginal_data(reports: Reports) -> dict[str, FloatArray]:
    """Return the reports as the columns of `marginal`."""
    return {name: getattr(reports, name) for name in MARGINAL}


def latent_data(reports: Reports) -> tuple[dict[str, FloatArray], tuple[int, int, int, int]]:
    """Return the reports as the columns of `latent`, and the sizes of its latents.

    Examples
    --------
    >>> data, sizes = latent_data(Reports.of([0.1, 0.2, 0.3], [-4.0, 9.0, 9.0]))
    >>> sizes, data["place"].tolist(), data["after"].tolist()
    ((1, 1, 3, 3), [1.0, 2.0, 2.0], [3.0])
    """
    before = np.unique(-reports.day[reports.day < 0])
    after = np.unique(reports.day[reports.day > 0])
    place = np.zeros(reports.n)
    past, later = reports.day < 0, reports.day > 0
    place[past] = 1 + np.searchsorted(before, -reports.day[past])
    place[later] = 1 + before.size + np.searchsorted(after, reports.day[later])
    labels = [np.unique(column, return_inverse=True) for column in (reports.source, reports.story)]
    data = {
        "said": reports.said,
        "place": place,
        "source": labels[0][1].astype(np.float64),
        "story": labels[1][1].astype(np.float64),
        "gain_of": reports.gain_of,
        # Square roots of the gaps: the standard deviations of the steps in units of tau.
        "before": np.sqrt(np.diff(before, prepend=0.0)),
        "after": np.sqrt(np.diff(after, prepend=0.0)),
    }
    return data, (before.size, after.size, labels[0][0].size, labels[1][0].size)


def marginal(layout: Layout, start: Mapping[str, FloatArray], gains: int) -> Any:
    """Build the graph in which y ~ N(0, K), see `state_space`."""
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model() as model:
        given = inputs(layout, start)
        tau, house, story, noise, gain = _scales(given, gains)
        day, said = given["day"], given["said"]
        first, second = day[:, None], day[None, :]
        shared = pt.switch(
            pt.gt(first * second, 0.0), pt.minimum(pt.abs(first), pt.abs(second)), 0.0
        )
        walk = given["level_value"] ** 2 + tau**2 * shared
        same_source = pt.eq(given["source"][:, None], given["source"][None, :])
        same_story = pt.eq(given["story"][:, None], given["story"][None, :])
        k = gain[:, None] * gain[None, :] * walk + given["bias_value"] ** 2
        k += house**2 * same_source + story**2 * same_story
        k += pt.diag(noise**2 * pt.ones_like(day))
        lower = pt.linalg.cholesky(k)
        whitened = pt.linalg.solve_triangular(lower, said, lower=True)
        pm.Potential("stances", -0.5 * pt.sum(whitened**2) - pt.sum(pt.log(pt.diagonal(lower))))
    return model


def latent(
    layout: Layout, start: Mapping[str, FloatArray], gains: int, sizes: tuple[int, int, int, int]
) -> Any:
    """Build the graph with every Gaussian a variable: n steps instead of n^3."""
    import pymc as pm
    import pytensor.tensor as pt

    before, after, sources, stories = sizes
    with pm.Model() as model:
        given = inputs(layout, start)
        tau, house, story, noise, gain = _scales(given, gains)
        opening = given["level_value"] * pm.Normal("opening_z")
        places = [pt.reshape(opening, (1,))]
        for name, count in (("before", before), ("after", after)):
            if count:
                steps = given[name] * pm.Normal(f"{name}_z", shape=count)
                places.append(opening + tau * pt.cumsum(steps))
        z = pt.concatenate(places)[given["place"].astype("int64")]
        of_source = pm.Normal("sources_z", shape=sources)[given["source"].astype("int64")]
        of_story = pm.Normal("stories_z", shape=stories)[given["story"].astype("int64")]
        mean = gain * z + given["bias_value"] * pm.Normal("bias_z")
        mean += house * of_source + story * of_story
        miss = (given["said"] - mean) / noise
        pm.Potential("stances", -0.5 * pt.sum(miss**2) - given["said"].shape[0] * pt.log(noise))
    return model


def _scales(given: Mapping[str, Any], gains: int) -> tuple[Any, Any, Any, Any, Any]:
    import pymc as pm
    import pytensor.tensor as pt

    scales = [
        pt.exp(given[f"{name}_mu"] + given[f"{name}_sd"] * pm.Normal(f"{name}_z"))
        for name in SCALES
    ]
    gain = pt.ones_like(given["said"])
    if gains:
        own = pt.exp(GAIN_SD * pm.Normal("gain_z", shape=gains))
        gain = pt.concatenate([pt.ones(1), own])[given["gain_of"].astype("int64")]
    tau, house, story, noise = scales
    return tau, house, story, noise, gain
