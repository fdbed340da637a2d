"""Scores over the time that a question was open, from an event-sourced frame of forecasts.

The frame has one row per issued forecast, and these columns (times are aware datetimes):

=============== ==================================================================================
question        which question; opens, closes, closed_at, outcome (and lower, upper) belong to it
forecaster      who issued it
forecast        a probability, a vector over options, or a mapping of levels to values
issued_at       from when it stands: until the same forecaster's next one; before the opening it
                counts from the opening; a forecaster speaks once in an instant
withdrawn_at    when it was taken back (missing: never)
opens, closes   the scheduled window, half-open, frozen when the question was published
closed_at       the actual end, where the answer was known before the close (missing: it was not)
outcome         0 or 1, a label 0..K-1, or the value
lower, upper    the bounds, of numeric questions only
=============== ==================================================================================

Only `scheduled` and `spot` are proper. Under the others the length of the average depends on the
outcome, so a forecaster gains by leaning towards what would end the question early.

A result may hold several question types, each with its own rule and scale: say so, and never
average over them together. Nor may two forecasters' means be compared unless both forecast the
same questions under the same window.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forecasting.arrays import FloatArray, IntArray
from forecasting.errors import InvalidInput
from forecasting.scoring import checks, crowd, marks, timeline

if TYPE_CHECKING:
    import pandas as pd

WINDOWS = ("scheduled", "spot", "until-resolution", "last")
PROPER_WINDOWS = ("scheduled", "spot")

type Moment = "float | datetime | Mapping[Any, datetime] | pd.Series[Any]"


def score(
    frame: "pd.DataFrame",
    *,
    rule: str = "brier",
    convention: str = "half",
    window: str = "scheduled",
    at: "Moment | None" = None,
) -> "pd.DataFrame":
    r"""Score each forecaster on each question over the question's lifetime; smaller is better.

    ``scheduled`` (proper): with :math:`T` the scheduled length, :math:`s(t)` the score of the
    forecast in force at :math:`t`, and :math:`s_0` the score of the uniform forecast,

    .. math:: \frac{1}{T} \Bigl[ \int_{\text{covered}} s(t)\,dt
              + s_0\,(T - |\text{covered}|) \Bigr],

    where the covered time ends with the known resolution if that is earlier than the close.
    It is the score that is averaged, never the forecast. Nothing is divided by coverage:
    silence scores as ignorance, no better and no worse.

    ``spot`` (proper): the score in force at `at`, and :math:`s_0` where none was or where the
    question was not open then; keep ``possible_coverage == 1`` for those still open.
    ``until-resolution`` (improper): as ``scheduled``, with the actual length for :math:`T`.
    ``last`` (improper): the score in force at the actual end.

    ``baseline`` and ``peer`` keep the orientation of their platform, larger is better;
    ``skill`` is larger when better under every rule. ``peer`` and ``relative`` set
    :math:`s(t)` to the difference from the others in force on the question at :math:`t`
    (:func:`forecasting.scoring.crowd.difference`) and :math:`s_0 = 0`; the frame must then
    hold everybody. They are improper under any window: silence is worth the others' score.

    Parameters
    ----------
    frame : DataFrame
        One row per issued forecast; the columns are in the module's docstring. Unresolved questions
        must be left out. Numeric forecasts are drawn linearly through their quantiles to the
        bounds; their reference is uniform over the bounds.
    rule, convention : str
        A rule that fits every forecast; ``half`` or ``full`` for the Brier score and ``relative``.
    window : {"scheduled", "spot", "until-resolution", "last"}
        What is averaged.
    at : float, datetime, or mapping of questions to datetimes
        For ``spot``: a share in [0, 1) of the scheduled window, or instants.

    Returns
    -------
    DataFrame
        One row per question and forecaster, in the order of the frame: question, forecaster,
        score, reference (:math:`s_0`), skill (reference - score, or its negative where larger
        is better), coverage (share of the window with a forecast in force), possible_coverage
        (share that an early end left), n_forecasts (those that entered), question_type, rule,
        convention, window, proper, larger_is_better.

    Raises
    ------
    InvalidInput
        On anything that the columns or the rule do not allow, naming it.

    References
    ----------
    N. Sempere, A. Lawsen (2021). Alignment problems with current forecasting platforms.
    https://arxiv.org/abs/2106.11248

    Examples
    --------
    Half of the window at 0.8, the other half at 1, and yes: (0.04 + 0) / 2.

    >>> import pandas as pd
    >>> day = lambda d: pd.Timestamp(2025, 3, d, tz="UTC")
    >>> frame = pd.DataFrame(
    ...     {
    ...         "question": "q", "forecaster": "me", "forecast": [0.8, 1.0],
    ...         "issued_at": [day(1), day(6)], "withdrawn_at": pd.NaT,
    ...         "opens": day(1), "closes": day(11), "closed_at": pd.NaT, "outcome": 1,
    ...     }
    ... )
    >>> score(frame)[["score", "skill", "coverage"]].round(4).values.tolist()
    [[0.02, 0.23, 1.0]]
    >>> standing(frame, at=0.25)["forecast"].tolist()
    [0.8]
    >>> at_horizon(frame, 7)["score"].round(4).tolist()
    [0.04]
    """
    checks.one_of(window, WINDOWS, "window")
    if (at is not None) != (window == "spot"):
        message = f"at ({at!r} with window {window!r}): belongs to the window 'spot' and only there"
        raise InvalidInput(message)
    line = timeline.read(frame)
    marked = marks.mark(frame, line.question, rule, convention)
    columns = _over(line, marked, rule, window, frame["question"], at)
    return _scored(frame, line, marked, rule, window, columns)


def score_while_open(
    frame: "pd.DataFrame", *, rule: str = "brier", convention: str = "half"
) -> "pd.DataFrame":
    """Score over the scheduled window, with the score until each resolution as ``while_open``."""
    line = timeline.read(frame)
    marked = marks.mark(frame, line.question, rule, convention)
    until = _over(line, marked, rule, "until-resolution", frame["question"])["score"]
    columns = _over(line, marked, rule, "scheduled", frame["question"])
    return _scored(frame, line, marked, rule, "scheduled", columns).assign(while_open=until)


def _over(
    line: timeline.Timeline,
    marked: marks.Marks,
    rule: str,
    window: str,
    questions: "pd.Series[Any]",
    at: "Moment | None" = None,
) -> dict[str, FloatArray]:
    """Score each pair over a window, in the order of the pairs."""
    if window in ("scheduled", "until-resolution"):
        finish = line.closes if window == "scheduled" else line.end
        return _averaged(line, marked, (finish - line.opens)[line.first], rule)
    # The last moment of a half-open window is a microsecond before its end.
    moment = line.end - 1 if window == "last" else line.moments(at, questions)
    return _spotted(line, marked, moment, rule)


def _scored(
    frame: "pd.DataFrame",
    line: timeline.Timeline,
    marked: marks.Marks,
    rule: str,
    window: str,
    columns: Mapping[str, FloatArray],
) -> "pd.DataFrame":
    keys = frame[["question", "forecaster"]].iloc[line.first].reset_index(drop=True)
    reference = marked.reference[line.first]
    better = -1.0 if marked.larger_is_better else 1.0
    return keys.assign(
        score=columns["score"],
        reference=reference,
        skill=better * (reference - columns["score"]),
        coverage=columns["coverage"],
        possible_coverage=columns["possible_coverage"],
        n_forecasts=columns["n_forecasts"].astype(np.int64),
        question_type=marked.question_type[line.first],
        rule=rule,
        convention=marked.convention[line.first],
        window=window,
        proper=window in PROPER_WINDOWS and rule not in crowd.RULES,
        larger_is_better=marked.larger_is_better,
    )


def standing(frame: "pd.DataFrame", *, at: "Moment") -> "pd.DataFrame":
    """Give the rows in force at one moment of each question's window, among those open then."""
    line = timeline.read(frame)
    return _standing(frame, line, line.moments(at, frame["question"]))


def at_horizon(
    frame: "pd.DataFrame",
    days_before_close: float,
    *,
    rule: str = "brier",
    convention: str = "half",
) -> "pd.DataFrame":
    """Score the forecasts in force some days before the close, among questions still open then.

    The questions still open are no fair sample of all: what was going to happen often has
    already. So print the number of questions and their event rate beside any mean, and compare
    forecasters on the same questions only.

    Days have 24 hours and count from the scheduled close. Gives a row per question and forecaster
    with a forecast in force, perhaps none; arguments and errors are those of :func:`score`.
    """
    if not 0 < days_before_close < np.inf:
        raise InvalidInput(f"days_before_close ({days_before_close}): must be above 0")
    line = timeline.read(frame)
    marked = marks.mark(frame, line.question, rule, convention)
    moment = line.closes - round(days_before_close * timeline.DAY)
    rows = line.standing(moment)
    forecasts = _standing(frame, line, moment)
    scores = _at_moment(line, marked, rows, rule)
    better = -1.0 if marked.larger_is_better else 1.0
    return forecasts[["question", "forecaster", "at", "forecast", "outcome"]].assign(
        score=scores,
        reference=marked.reference[rows],
        skill=better * (marked.reference[rows] - scores),
        question_type=marked.question_type[rows],
        rule=rule,
        convention=marked.convention[rows],
        days_before_close=float(days_before_close),
        larger_is_better=marked.larger_is_better,
    )


def _averaged(
    line: timeline.Timeline, marked: marks.Marks, length: IntArray, rule: str
) -> dict[str, FloatArray]:
    pairs = len(line.first)
    duration = line.durations()
    if rule in crowd.RULES:
        part = crowd.integrated(line, marked.score, rule)
    else:
        # A forecast that never stood contributes nothing, even when its score is infinite.
        part = np.zeros(len(duration))
        np.multiply(duration, marked.score, out=part, where=duration > 0)
    covered = np.bincount(line.pair, weights=duration, minlength=pairs)
    total = np.bincount(line.pair, weights=part, minlength=pairs)
    reference = marked.reference[line.first]
    # No time at all (ended as it opened) is a window without information: the reference.
    span = np.maximum(length, 1)
    return {
        "score": total / span + reference * ((length - covered) / span + (length == 0)),
        "coverage": covered / span,
        "possible_coverage": (line.end - line.opens)[line.first] / span,
        "n_forecasts": np.bincount(line.pair, weights=duration > 0, minlength=pairs),
    }


def _spotted(
    line: timeline.Timeline, marked: marks.Marks, moment: IntArray, rule: str
) -> dict[str, FloatArray]:
    stood = line.standing(moment)
    rows = np.flatnonzero(stood)
    scores = marked.reference[line.first].copy()
    scores[line.pair[rows]] = _at_moment(line, marked, stood, rule)
    in_force = np.zeros(len(line.first))
    in_force[line.pair[rows]] = 1
    possible = line.is_open(moment)[line.first].astype(np.float64)
    return {
        "score": scores,
        "coverage": in_force,
        "possible_coverage": possible,
        "n_forecasts": in_force,
    }


def _at_moment(
    line: timeline.Timeline, marked: marks.Marks, stood: NDArray[np.bool_], rule: str
) -> FloatArray:
    """Scores of the rows that stood at one moment of their question."""
    if rule not in crowd.RULES or not stood.any():
        return marked.score[stood]
    return crowd.difference(marked.score[stood], line.question[stood], rule)


def _standing(frame: "pd.DataFrame", line: timeline.Timeline, moment: IntArray) -> "pd.DataFrame":
    import pandas as pd

    rows = line.standing(moment)
    instants = pd.to_datetime(moment[rows], unit="us", utc=True)
    return frame[rows].assign(at=instants)


def where(frame: "pd.DataFrame", mask: "pd.Series[bool]") -> "pd.DataFrame":
    """Give the rows for which a mask is true; all of them are not copied: they may be millions."""
    return frame if mask.all() else frame[mask]
