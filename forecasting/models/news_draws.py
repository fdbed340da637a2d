"""Data of the news family checked once, and its draws given draws of the scales."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.errors import InvalidInput
from forecasting.models import state_space
from forecasting.models.news_hazard import past_days, relative_past
from forecasting.models.news_priors import SCALES
from forecasting.models.news_quadrature import resampled
from forecasting.models.state_space import Reports, Scales

__all__ = ["chance_nodes", "checked", "hand_over", "reports_of"]

FloatArray = NDArray[np.float64]
Kind = Literal["event", "share"]

#: Reports of one source from which on it has a gain of its own.
GAIN_FROM = 10
REPORTS = ("said", "day", "source", "story")
OF_KIND = {"event": ("exposure", "asked_from", "event_day"), "share": ("successes", "trials")}
#: Days are compared to a tenth of a second.
SLACK = 1e-6
#: Of the quadrature over the chance.
NODES = 32


def checked(kind: Kind, data: Mapping[str, ArrayLike]) -> dict[str, FloatArray]:
    """Return the data as arrays, or say what is wrong with them.

    Raises
    ------
    InvalidInput
        If a name is missing or unknown, or a number is out of range.
    """
    names = {*REPORTS, "now", *OF_KIND[kind]}
    if set(data) != names:
        message = f"data must be {sorted(names)} for kind {kind}, got {sorted(data)}."
        raise InvalidInput(message)
    values = {name: np.asarray(array, dtype=np.float64) for name, array in data.items()}
    for name in sorted(names - {*REPORTS, "event_day"}):
        if values[name].shape or not 0 <= float(values[name]) < np.inf:
            message = f"{name} ({values[name]}): must be one finite number of at least 0."
            raise InvalidInput(message)
    now = float(values["now"])
    if kind == "event":
        most, events = float(values["exposure"]), values["event_day"]
        asked = float(values["asked_from"])
        if not most <= asked + SLACK <= now + 2 * SLACK:
            message = f"exposure {most:g} d, asked_from {asked:g} d, now {now:g} d: must not fall."
            raise InvalidInput(message)
        if events.ndim != 1 or np.any((events <= 0) | (events > most + SLACK)):
            message = f"event_day ({events}): must lie above 0 and within the exposure."
            raise InvalidInput(message)
    elif values["successes"] > values["trials"]:
        message = f"successes ({values['successes']}): must be at most {values['trials']} trials."
        raise InvalidInput(message)
    if np.any(values["day"] > now + SLACK):
        message = f"day ({values['day'].max():g}): a report after now ({now:g} d)."
        raise InvalidInput(message)
    reports_of(values)
    return values


def reports_of(data: Mapping[str, FloatArray]) -> Reports:
    """Return the reports among the data, with gains for the sources that have many.

    Examples
    --------
    >>> many = {name: np.zeros(10) for name in REPORTS}
    >>> reports_of(many).gain_of.tolist()[:3]
    [1.0, 1.0, 1.0]
    """
    source = np.atleast_1d(data["source"])
    names, counts = np.unique(source, return_counts=True)
    gain_of = np.zeros(source.size)
    for k, name in enumerate(names[counts >= GAIN_FROM]):
        gain_of[source == name] = k + 1
    return Reports.of(data["said"], data["day"], source, data["story"], gain_of)


def chance_of(
    data: Mapping[str, FloatArray], priors: Mapping[str, FloatArray]
) -> tuple[float, float]:
    """Return a and b of the Beta posterior of the chance."""
    failures = data["trials"] - data["successes"]
    return float(priors["chance_a"] + data["successes"]), float(priors["chance_b"] + failures)


def chance_nodes(
    data: Mapping[str, FloatArray], priors: Mapping[str, FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Return Gauss-Jacobi nodes and weights of the chance's Beta posterior.

    Examples
    --------
    >>> data = {"successes": np.array(3.0), "trials": np.array(4.0)}
    >>> nodes, weights = chance_nodes(data, {"chance_a": np.array(0.5), "chance_b": np.array(0.5)})
    >>> round(float(nodes @ weights), 6)
    0.7
    """
    from scipy.special import roots_jacobi

    a, b = chance_of(data, priors)
    nodes, weights = roots_jacobi(NODES, b - 1.0, a - 1.0)
    return (nodes + 1.0) / 2.0, weights / weights.sum()


def hand_over(
    kind: Kind,
    scales: Scales,
    rows: NDArray[np.intp],
    reports: Reports,
    data: Mapping[str, FloatArray],
    priors: Mapping[str, FloatArray],
    *,
    seed: int,
    chains: int,
) -> dict[str, FloatArray]:
    """Draw the walk's movement, then the rate or the chance, given draws of the scales.

    The quiet past weighs the walks: with a Gamma(a, b) rate and m events at days e within the
    relative time W, a walk's likelihood is prod exp(beta z_e) / (b + W)^(a + m). The walks are
    resampled by it within each chain, so that a chain stays one and in order.

    Parameters
    ----------
    kind : {"event", "share"}
        What the stances bear on.
    scales : Scales
        Distinct draws.
    rows : ndarray, shape (S,)
        Which of them each walk belongs to, chain-major.
    reports, data, priors
        From `reports_of`, `checked` and `prior_arrays`.
    seed : int
        Of the walks and of all else that is drawn.
    chains : int
        That S divides into.

    Returns
    -------
    dict of str to ndarray
        The scales, ``beta, moved, watched``, and ``rate, unwatched`` or ``chance``, each (S,).
    """
    rng = np.random.default_rng([seed, 1])
    size = rows.size
    beta = priors["beta_mu"] + priors["beta_sd"] * rng.standard_normal(size)
    now = float(data["now"])
    exposure = float(data["exposure"]) if kind == "event" else 0.0
    events = data["event_day"] if kind == "event" else np.empty(0)
    asked = float(data["asked_from"]) if kind == "event" else now
    days = past_days(exposure, asked, now, events)
    path = np.zeros((size, days.size))
    if days.size:
        mean, factor = state_space.movement(reports, scales, days)
        noise = rng.standard_normal((size, days.size, 1))
        path = mean[rows] + np.matmul(factor[rows], noise)[..., 0]
    moved = path[:, -1] if days.size else np.zeros(size)
    watched = relative_past(path, days, beta, exposure)
    unwatched = relative_past(path, days, beta, now) - relative_past(path, days, beta, asked)
    order = np.arange(size)
    if kind == "event" and exposure > 0:
        at_events = path[:, np.searchsorted(days, np.round(events, 6))].sum(axis=1)
        shape = priors["rate_shape"] + events.size
        log_weight = beta * at_events - shape * np.log(priors["rate_rate"] + watched)
        each = size // chains
        for start in range(0, size, each):
            weight = np.exp(log_weight[start : start + each] - log_weight.max())
            picked = resampled(weight / weight.sum(), rng, each)
            order[start : start + each] = start + picked
    rows, watched, unwatched = rows[order], watched[order], unwatched[order]
    drawn = {name: getattr(scales, name)[rows] for name in SCALES}
    drawn |= {"beta": beta[order], "moved": moved[order], "watched": watched}
    if scales.gain is not None and scales.gain.shape[1]:
        drawn["gain"] = scales.gain[rows]
    if kind == "event":
        shape = priors["rate_shape"] + events.size
        drawn["unwatched"] = unwatched
        drawn["rate"] = rng.gamma(shape, 1.0 / (priors["rate_rate"] + watched))
    else:
        drawn["chance"] = rng.beta(*chance_of(data, priors), size)
    return drawn
