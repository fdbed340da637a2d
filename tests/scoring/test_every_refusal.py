"""Every public array function refuses bad input by a ValueError with argument, value and rule."""

import inspect
import math

import numpy as np
import pandas as pd
import pytest

from forecasting import calibration, comparison, pooling, scoring
from forecasting.errors import InvalidInput
from forecasting.scoring import lifetime, metaculus

P, Y = [0.2, 0.6, 0.9, 0.4], [0, 1, 1, 0]
VECTORS, LABELS = [[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]], [2, 0]
REAL = [0.1, -0.3, 0.25, 0.2, 0.05, 0.4, -0.1, 0.3, 0.15, 0.0]
NAMES = list("abcdefghij")
QUANTILES, VALUES, LEVELS = [[1.0, 2.0, 4.0], [0.0, 3.0, 5.0]], [1.5, 6.0], [0.1, 0.5, 0.9]
ON = {"opens": 0.0, "closes": 10.0}
BINARY = {"forecast": ("p", P), "outcome": ("y", Y)}
OPTIONS = {"forecast": ("vectors", VECTORS), "outcome": ("label", LABELS)}
NUMBERS = {
    "forecast": ("quantiles", QUANTILES),
    "outcome": ("real", VALUES),
    "levels": ("levels", LEVELS),
}
PAIR = {"score_a": ("real", REAL), "score_b": ("real", REAL[::-1])}
PLATFORM = {"forecast": ("p", P[:3]), "issued_at": ("time", [0.0, 1.0, 2.0])}
CROWD = {"forecasts": ("p", P), "weights": ("weights", [1.0, 2.0, 0.5, 0.0])}

#: What each function takes: its arrays with what they are, and the rest.
CALLS = {
    scoring.brier: (BINARY, {}),
    scoring.log_score: (BINARY, {}),
    scoring.spherical: (BINARY, {}),
    scoring.rps: (OPTIONS, {}),
    scoring.ordered_brier: (OPTIONS, {}),
    scoring.ordinal_brier: (OPTIONS, {}),
    scoring.brier_index: ({"score": ("loss", [0.1, 0.25])}, {}),
    scoring.relative_brier: ({"forecast": ("alone", [[0.2, 0.4], [0.6, 0.6]])}, {"outcome": 1}),
    scoring.crps_ensemble: ({"forecast": ("draws", QUANTILES), "outcome": ("real", VALUES)}, {}),
    scoring.crps_quantile: (NUMBERS, {}),
    scoring.crps_piecewise: (
        {**NUMBERS, "lower": ("bound", [-1.0, -1.0]), "upper": ("bound", [9.0, 9.0])},
        {},
    ),
    scoring.interval_score: (
        {
            "lower": ("bound", [0.0, 1.0]),
            "upper": ("bound", [1.0, 2.0]),
            "outcome": ("real", [0.5, 3.0]),
        },
        {"level": 0.9},
    ),
    metaculus.baseline: (PLATFORM, {"outcome": 1, **ON}),
    metaculus.peer: (PLATFORM, {"outcome": 1, **ON}),
    metaculus.spot_baseline: (PLATFORM, {"outcome": 1, "at": 5.0}),
    metaculus.spot_peer: (PLATFORM, {"outcome": 1, "at": 5.0}),
    metaculus.geometric_means: (PLATFORM, {}),
    comparison.diebold_mariano: ({"difference": ("alone", REAL)}, {}),
    comparison.difficulty_adjusted: (
        {
            "score": ("real", [0.1, 0.2, 0.3, 0.4]),
            "forecaster": ("names", list("aabb")),
            "question": ("names", list("xyxy")),
        },
        {},
    ),
    comparison.effects: (
        {
            "score": ("real", [0.1, 0.2, 0.3, 0.4]),
            "forecaster": ("names", list("aabb")),
            "question": ("names", list("xyxy")),
            "cluster": ("names", list("xyxy")),
        },
        {},
    ),
    comparison.gaussian_ranks: (
        {"mean": ("real", [0.1, 0.2]), "covariance": ("matrix", [[1.0, 0.0], [0.0, 1.0]])},
        {},
    ),
    comparison.paired_bootstrap: ({**PAIR, "cluster": ("names", NAMES)}, {"resamples": 99}),
    comparison.sequential: (PAIR, {}),
    comparison.sequential_steps: (
        {
            "score_a": ("open", REAL),
            "score_b": ("open", REAL[::-1]),
            "scheduled_close": ("real", [float(i) for i in range(10)]),
            "cluster": ("names", NAMES),
        },
        {"as_of": 20.0},
    ),
    **{
        interval: ({"values": ("real", REAL), "clusters": ("names", NAMES)}, options)
        for interval, options in (
            (comparison.difference_interval, {"resamples": 99}),
            (comparison.level_interval, {"resamples": 99, "bounds": (-math.inf, math.inf)}),
        )
    },
    calibration.binned_decomposition: (BINARY, {}),
    calibration.confidence_band: ({**BINARY, "cluster": ("names", list("abcd"))}, {}),
    calibration.corp: (BINARY, {}),
    calibration.murphy_curve: (BINARY, {}),
    calibration.slope_intercept: (BINARY, {}),
    calibration.spiegelhalter_z: (BINARY, {}),
    calibration.interval_coverage: (NUMBERS, {}),
    calibration.quantile_reliability: (NUMBERS, {}),
    calibration.pit: (NUMBERS, {}),
    pooling.linear: (CROWD, {}),
    pooling.geometric_odds: (CROWD, {}),
    pooling.weighted_median: (CROWD, {}),
    pooling.extremized: (CROWD, {"factor": 1.5}),
    pooling.beta_linear: (CROWD, {"alpha": 2.0, "beta": 2.0}),
    pooling.log_linear: (
        {"forecasts": ("alone vectors", VECTORS), "weights": ("weights", [1.0, 2.0])},
        {},
    ),
    pooling.linear_quantiles: (
        {"values": ("quantiles", QUANTILES), "levels": ("levels", LEVELS)},
        {},
    ),
    pooling.neyman_roughgarden: ({"forecasts": ("p", P)}, {}),
    pooling.trimmed: ({"forecasts": ("p", P)}, {}),
    pooling.recency_median: ({"forecasts": ("p", P), "issued_at": ("real", [0, 1, 2, 3])}, {}),
}
#: Those that take a number, or what another function made.
WITHOUT_ARRAYS = {
    calibration.reading,
    calibration.recalibrate,
    pooling.neyman_factor,
    pooling.recency_weights,
}

NAN = float("nan")


def spoiled(kind, value):
    """Bad versions of one argument, by what it is."""

    def put(bad):
        changed = np.array(value, dtype=float)
        changed.flat[-1] = bad
        return changed.tolist()

    if kind == "names":
        yield "a name is missing", [*value[:-1], None]
        yield "empty", []
        yield "one short", value[:-1]
        return
    yield "NaN", put(NAN)
    yield "empty", []
    yield "text", ["a"] * len(value)
    yield "None", [None] * len(value)
    if kind in ("p", "vectors", "alone vectors"):
        yield "above 1", put(1.2)
        yield "below 0", put(-0.1)
    if kind in ("vectors", "alone vectors"):
        yield "a sum of .9", [*value[:-1], [0.3, 0.3, 0.3]]
        yield "a sum off by 2e-9", [*value[:-1], [0.3, 0.3, 0.4 + 2e-9]]
        yield "rows of unequal length", [*value[:-1], [0.5, 0.5]]
    if kind == "y":
        yield "an outcome of 2", put(2)
        yield "half an outcome", put(0.5)
        yield "an outcome of -1", put(-1)
    if kind == "label":
        yield "a label beyond the options", put(3)
        yield "half a label", put(0.5)
    if kind == "weights":
        yield "a negative weight", put(-1)
        yield "no weight at all", [0.0] * len(value)
        yield "an infinite weight", put(np.inf)
    if kind == "levels":
        yield "unsorted", value[::-1]
        yield "duplicate", [value[0]] * len(value)
        yield "percent", [100 * level for level in value]
    if kind == "quantiles":
        yield "falling", [*value[:-1], value[-1][::-1]]
    if kind in ("age", "loss"):
        yield "below 0", put(-1.0)
    if kind == "loss":
        yield "above 1", put(1.5)
    if kind not in ("alone", "alone vectors", "loss", "matrix"):
        yield "one short", value[:-1]


#: What is no fault there: one array alone has any length, and who was absent is NaN.
FINE = {
    ("relative_brier", "forecast", "NaN"),
    ("neyman_roughgarden", "forecasts", "one short"),
    ("trimmed", "forecasts", "one short"),
    ("linear_quantiles", "values", "one short"),
    ("quantile_reliability", "levels", "unsorted"),
}


def cases():
    for function, (arrays, rest) in CALLS.items():
        for name, (kind, value) in arrays.items():
            for fault, bad in spoiled(kind, value):
                if (function.__name__, name, fault) in FINE:
                    continue
                arguments = good(function) | rest | {name: bad}
                where = function.__module__.split(".")[1]
                yield pytest.param(
                    function,
                    arguments,
                    name,
                    id=f"{where}.{function.__name__}-{name}-{fault}",
                )


def good(function):
    return {name: value for name, (_, value) in CALLS[function][0].items()}


def test_every_public_function_is_in_the_table():
    public = {
        getattr(module, name)
        for module in (scoring, comparison, calibration, pooling)
        for name in module.__all__
        if inspect.isfunction(getattr(module, name))
    }
    assert public <= set(CALLS) | WITHOUT_ARRAYS
    for function, (_, rest) in CALLS.items():
        function(**good(function), **rest)


@pytest.mark.parametrize(("function", "arguments", "name"), list(cases()))
def test_bad_input_is_refused_by_name(function, arguments, name):
    with pytest.raises(InvalidInput, match=r"\(.*\): .+") as fault:
        function(**arguments)
    assert isinstance(fault.value, ValueError)
    # Of two arguments that do not fit each other either may be the one that is named.
    said = str(fault.value).split(":")[0]
    fits_no_other = len(arguments[name]) != len(good(function)[name])
    allowed = (*good(function), "clusters", "forecasts") if fits_no_other else (name,)
    assert any(each in said for each in allowed), said


DAY = pd.Timestamp("2025-03-01", tz="UTC")
ROW = {
    "question": "q",
    "forecaster": "me",
    "forecast": 0.8,
    "issued_at": DAY,
    "withdrawn_at": pd.NaT,
    "opens": DAY,
    "closes": DAY + pd.Timedelta(days=9),
    "closed_at": pd.NaT,
    "outcome": 1,
}


@pytest.mark.parametrize(
    "call",
    [
        lifetime.score,
        lambda frame: lifetime.standing(frame, at=0.5),
        lambda frame: lifetime.at_horizon(frame, 3),
    ],
    ids=["score", "standing", "at_horizon"],
)
@pytest.mark.parametrize(
    ("column", "bad"),
    [
        ("issued_at", pd.NaT),
        ("issued_at", DAY.tz_localize(None)),
        ("withdrawn_at", DAY - pd.Timedelta(days=1)),
        ("closes", DAY),
        ("closes", DAY - pd.Timedelta(days=1)),
        ("opens", "2025-03-01"),
        ("question", None),
        ("forecaster", None),
    ],
)
def test_a_frame_with_bad_times_is_refused_by_column(call, column, bad):
    frame = pd.DataFrame([{**ROW, column: bad}])
    with pytest.raises(InvalidInput, match=rf"^{column} \(.*\): .+"):
        call(frame)


@pytest.mark.parametrize("call", [lifetime.score, lambda frame: lifetime.at_horizon(frame, 3)])
@pytest.mark.parametrize(
    ("column", "bad"),
    [
        ("forecast", NAN),
        ("forecast", 1.2),
        ("forecast", [0.5, 0.4]),
        ("outcome", 2),
        ("outcome", NAN),
        ("outcome", 0.5),
    ],
)
def test_a_frame_with_bad_forecasts_is_refused_by_column(call, column, bad):
    frame = pd.DataFrame([ROW])
    frame[column] = pd.Series([bad])
    with pytest.raises(InvalidInput, match=rf"{column}.*\(.*\): .+"):
        call(frame)


@pytest.mark.parametrize(
    "call", [metaculus.baseline, metaculus.peer, metaculus.spot_peer, metaculus.geometric_means]
)
def test_withdrawn_before_it_was_made(call):
    with pytest.raises(InvalidInput, match=r"withdrawn_at \(.*\): .+"):
        call(**good(call), **CALLS[call][1], withdrawn_at=[5.0, 0.5, 9.0])


def test_rows_need_no_order_in_time_and_so_nobody_speaks_twice_in_an_instant():
    frame = pd.DataFrame([ROW, {**ROW, "forecast": 0.4}])
    with pytest.raises(InvalidInput, match="'me' has two forecasts on question 'q'"):
        lifetime.score(frame)
    who = {"forecaster": ["me", "me"], **ON}
    with pytest.raises(InvalidInput, match="two forecasts of one forecaster at one instant"):
        metaculus.baseline([0.2, 0.4], 1, issued_at=[0.0, 0.0], **who)
    one = metaculus.baseline([0.2, 0.4], 1, issued_at=[1.0, 5.0], **who).score
    other = metaculus.baseline([0.4, 0.2], 1, issued_at=[5.0, 1.0], **who).score
    assert one == pytest.approx(other[::-1])
