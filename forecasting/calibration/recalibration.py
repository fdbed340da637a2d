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

The posterior is a sum over grids of the two parameters of each forecaster and of the four shared
ones; a test samples the same hierarchy.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from forecasting.calibration.recalibration_lines import (
    CLIP,
    NOBODY,
    LogOddsLine,
    Recalibration,
    Shared,
    log_odds,
)
from forecasting.calibration.recalibration_quadrature import by_quadrature
from forecasting.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

SHARE = 0.5
COLUMNS = ("question", "forecaster", "forecast", "issued_at", "outcome", "resolved_at")
TIMES = ("issued_at", "resolved_at", "opens", "closes", "withdrawn_at")


def recalibrate(
    history: "pd.DataFrame",
    *,
    as_of: datetime | None = None,
    share: float = SHARE,
    shared: Shared | None = None,
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
    shared : Shared, optional
        Other priors.

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
    return recalibrate_rows(rows, as_of=as_of, shared=shared)


def recalibrate_rows(
    rows: "pd.DataFrame", *, as_of: Any = None, shared: Shared | None = None
) -> Recalibration:
    """Fit rows that `spot_rows` gave: forecaster, forecast, outcome, weight, question, event."""
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
    clouds = by_quadrature(arrays, priors)
    lines = {NOBODY: LogOddsLine(*clouds[-1])}
    for name, record, cloud in zip(names, records, clouds[:-1], strict=True):
        p = record["forecast"].to_numpy(dtype=np.float64)
        lines[name] = LogOddsLine(
            *cloud,
            n_questions=int(record["question"].nunique()),
            n_events=int(record["event"].nunique()),
            n_clipped=int(np.sum((p < CLIP) | (p > 1 - CLIP))),
        )
    return Recalibration(lines, as_of)


def spot_rows(
    history: "pd.DataFrame", *, as_of: datetime | None = None, share: float = 0.5
) -> "pd.DataFrame":
    """Return the forecasts that count as of a moment, with weights, in an order of their own.

    With the scheduled window known, a question is read once, at a share of it, and enters at its
    scheduled close: whether it is read depends on nothing that comes later. Without, each of n
    forecasts before the resolution counts 1 / n. The m questions of one event count 1 / m each.
    """
    if not 0 <= share < 1:
        message = f"share ({share}): must lie in [0, 1)."
        raise InvalidInput(message)
    frame = _read(history)
    frame = frame[frame["outcome"].notna() & frame["resolved_at"].notna()]
    if as_of is not None:
        frame = frame[frame["resolved_at"] < _moment(as_of)]
    if {"opens", "closes"} <= set(frame.columns):
        frame = _at_spot(frame, as_of, share)
    else:
        frame = frame[frame["issued_at"] < frame["resolved_at"]]
        repeats = frame.groupby(["forecaster", "question"])["forecast"].transform("size")
        frame = frame.assign(weight=1 / repeats)
    questions = frame.groupby(["forecaster", "event"])["question"].transform("nunique")
    frame = frame.assign(weight=frame["weight"] / questions)
    order = ["forecaster", "event", "question", "issued_at", "forecast"]
    ordered = frame.sort_values(order, kind="stable")
    columns = ["question", "forecaster", "forecast", "outcome", "event", "weight"]
    return ordered[columns].reset_index(drop=True)


def _read(history: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    if missing := [name for name in COLUMNS if name not in history]:
        message = f"history: has no column {', '.join(missing)}; it needs {', '.join(COLUMNS)}."
        raise InvalidInput(message)
    frame = history.copy()
    for name in TIMES:
        if name in frame:
            frame[name] = pd.to_datetime(frame[name], utc=True)
    frame["forecast"] = frame["forecast"].astype(np.float64)
    frame["outcome"] = frame["outcome"].astype(np.float64)
    log_odds(frame["forecast"].to_numpy())
    wrong = frame["outcome"][frame["outcome"].notna() & ~frame["outcome"].isin([0.0, 1.0])]
    if len(wrong):
        message = f"outcome ({wrong.iloc[0]}): must be 0 or 1, or missing while it is open."
        raise InvalidInput(message)
    if "event" not in frame:
        frame["event"] = frame["question"]
    return frame


def _moment(as_of: datetime) -> Any:
    import pandas as pd

    moment = pd.Timestamp(as_of)
    if moment.tzinfo is None:
        message = f"as_of ({as_of}): must have a time zone."
        raise InvalidInput(message)
    return moment


def _at_spot(frame: "pd.DataFrame", as_of: datetime | None, share: float) -> "pd.DataFrame":
    if as_of is not None:
        frame = frame[frame["closes"] <= _moment(as_of)]
    spot = frame["opens"] + share * (frame["closes"] - frame["opens"])
    frame = frame[(frame["resolved_at"] > spot) & (frame["issued_at"] <= spot)]
    # Of several forecasts in one last instant each counts its share: rows have no order.
    last = frame.groupby(["forecaster", "question"])["issued_at"].transform("max")
    frame = frame[frame["issued_at"] == last]
    if "withdrawn_at" in frame:
        withdrawn = frame["withdrawn_at"].notna() & (frame["withdrawn_at"] <= spot[frame.index])
        frame = frame[~withdrawn]
    together = frame.groupby(["forecaster", "question"])["forecast"].transform("size")
    return frame.assign(weight=1 / together)
