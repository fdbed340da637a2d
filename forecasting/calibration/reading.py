"""A calibration diagram in plain words, which claim no more than the numbers carry."""

import math

import numpy as np

from forecasting.calibration.reliability import Corp
from forecasting.calibration.slope import SURE, fit_line

LEAST_FORECASTS = 10
LEAST_IN_BLOCK = 5


def reading(diagram: Corp, *, level: float = 0.9) -> str:
    """Say in a few sentences what a calibration diagram shows, and whether it may be chance.

    Parameters
    ----------
    diagram : Corp
        Of independent forecasts: one a question, one question an event.
    level : float
        Of the consistency band that decides about a single point.

    Returns
    -------
    str
        Below 10 forecasts it says only that they are too few.

    Examples
    --------
    >>> from forecasting.calibration import corp
    >>> reading(corp([0.7], [1]))
    '1 resolved forecast: too few to say.'
    >>> forecast, outcome = [0.2] * 30 + [0.8] * 30, [1] * 6 + [0] * 24 + [1] * 23 + [0] * 7
    >>> for sentence in reading(corp(forecast, outcome)).splitlines():
    ...     print(sentence)
    No miscalibration beyond chance in 60 forecasts
    (0.00056; calibrated ones show 0.0054; p = 0.97).
    You say 80 % and it happens 77 % of the time, n = 30; chance alone gives 67 to 93 %,
    so this may be chance.
    """
    total = round(diagram.pooled.total)
    if total < LEAST_FORECASTS:
        return f"{total} resolved forecast{'s' * (total > 1)}: too few to say."
    sentences = [_overall(diagram)]
    happened = diagram.pooled.events.sum()
    if happened in (0, diagram.pooled.total):
        sentences.append(_all_alike(diagram, yes=bool(happened > 0)))
    else:
        if diagram.p_value <= 0.05:
            sentences.extend(_direction(diagram))
        sentences.extend(_widest_gap(diagram, level))
    return "\n".join(sentences)


def _overall(diagram: Corp) -> str:
    total, miscalibration = round(diagram.pooled.total), diagram.miscalibration
    if math.isinf(miscalibration):
        wrong = _sure_and_wrong(diagram)
        return (
            f"{wrong} of {total} forecasts {'was' if wrong == 1 else 'were'} at 0 or 100 % and "
            "wrong, so the log score is infinite."
        )
    verdict = (
        "Miscalibrated beyond chance"
        if diagram.p_value <= 0.05
        else ("No miscalibration beyond chance")
    )
    mean = f", a mean over {len(diagram.picks)} picks" if len(diagram.picks) > 1 else ""
    return (
        f"{verdict} in {total} forecasts{mean} ({miscalibration:.2g}; calibrated ones show "
        f"{diagram.null_miscalibration:.2g}; p = {diagram.p_value:.2g})."
    )


def _sure_and_wrong(diagram: Corp) -> int:
    pooled = diagram.pooled
    missed = pooled.events[pooled.value == 0].sum()
    false = (pooled.n - pooled.events)[pooled.value == 1].sum()
    return max(round(float(missed + false)), 1)


def _all_alike(diagram: Corp, *, yes: bool) -> str:
    pooled = diagram.pooled
    average = float(pooled.value @ pooled.n) / pooled.total
    return (
        f"Every outcome was {'yes' if yes else 'no'}; you said {_percent(average)} on average. "
        "Whether you tell events from non-events cannot be seen yet."
    )


def _direction(diagram: Corp) -> list[str]:
    line = fit_line(diagram.pooled)
    sentences = []
    if abs(line.slope - 1) > SURE * line.slope_sd:
        lean = "too extreme" if line.slope < 1 else "too close to 50 %"
        sentences.append(f"Your forecasts are {lean} (slope {line.slope:.2f}).")
    if abs(line.intercept) > SURE * line.intercept_sd:
        lean = "more" if line.intercept > 0 else "less"
        sentences.append(
            f"Things happen {lean} often than you say (intercept {line.intercept:+.2f})."
        )
    return sentences


def _widest_gap(diagram: Corp, level: float) -> list[str]:
    """Speak of the flat stretch of the curve that adds most to miscalibration."""
    pooled, rate = diagram.pooled, diagram.event_rate
    stretch = np.concatenate([[0], np.cumsum(np.diff(rate) != 0)])
    n = np.bincount(stretch, weights=pooled.n)
    forecast = np.bincount(stretch, weights=pooled.n * pooled.value) / n
    seen = rate[np.searchsorted(stretch, np.arange(len(n)))]
    weight = np.where(n >= LEAST_IN_BLOCK, n * (seen - forecast) ** 2, -1.0)
    chosen = int(np.argmax(weight))
    if weight[chosen] < 0:
        return []
    inside = np.flatnonzero(stretch == chosen)
    point = int(inside[np.argmin(np.abs(pooled.value[inside] - forecast[chosen]))])
    band = diagram.band(level).iloc[point]
    low, high = float(band["lower"]), float(band["upper"])
    if len(inside) == 1:
        claim = f"You say {_percent(pooled.value[point])}"
    else:
        ends = pooled.value[inside[[0, -1]]]
        claim = f"You say {_range(ends[0], ends[1])}, {_percent(forecast[chosen])} on average,"
    within = low <= seen[chosen] <= high
    if _percent(seen[chosen]) == _percent(forecast[chosen]):
        verdict = "as you say"
    elif within:
        verdict = "so this may be chance"
    elif diagram.p_value <= 0.05:
        verdict = "so this is more than chance explains"
    else:
        # The widest gap was picked among many, and one point in ten lies outside by chance.
        verdict = "so it stands out, but one such point among several may be chance"
    return [
        f"{claim} and it happens {_percent(seen[chosen])} of the time, n = {round(n[chosen])}; "
        f"chance alone gives {_range(low, high)}, {verdict}."
    ]


def _percent(share: float) -> str:
    return f"{_figure(share)} %"


def _range(low: float, high: float) -> str:
    return f"{_figure(low)} to {_figure(high)} %"


def _figure(share: float) -> str:
    """Whole percents, with as many decimals near 0 and 100 as keep them apart from certainty."""
    for digits in range(6):
        rounded = round(100 * float(share), digits)
        if 0 < rounded < 100 or share in (0, 1):
            return f"{rounded:.{digits}f}"
    return f"{100 * float(share):g}"
