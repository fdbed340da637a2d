"""Every public array function refuses bad input by a ValueError with argument, value and rule."""

import inspect
import math
import re
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from forecasting import calibration, comparison, pooling, scoring
from forecasting.errors import InvalidInput
from forecasting.scoring import lifetime, metaculus, rules
from tests.scoring.frames import day
from tests.scoring.frames import frame as frame_of

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
CLUSTERED = {"values": ("real", REAL), "clusters": ("names", NAMES)}
PAIR = {"score_a": ("real", REAL), "score_b": ("real", REAL[::-1])}
PLATFORM = {"forecast": ("p", P[:3]), "issued_at": ("time", [0.0, 1.0, 2.0])}
PANEL = {
    "score": ("real", [0.1, 0.2, 0.3, 0.4]),
    "forecaster": ("names", list("aabb")),
    "question": ("names", list("xyxy")),
}
CROWD = {"forecasts": ("p", P), "weights": ("weights", [1.0, 2.0, 0.5, 0.0])}

#: What each function takes: its arrays with what they are, and the rest.
CALLS = {
    scoring.brier: (BINARY, {}),
    scoring.log_score: (BINARY, {}),
    scoring.spherical: (BINARY, {}),
    scoring.rps: (OPTIONS, {}),
    scoring.ordered_brier: (OPTIONS, {}),
    scoring.brier_index: ({"score": ("loss", [0.1, 0.25])}, {}),
    scoring.relative_brier: ({"forecast": ("alone", [[0.2, 0.4], [0.6, 0.6]])}, {"outcome": 1}),
    scoring.crps_ensemble: ({"forecast": ("draws", QUANTILES), "outcome": ("real", VALUES)}, {}),
    scoring.crps_quantile: (NUMBERS, {}),
    scoring.crps_piecewise: (
        {**NUMBERS, "lower": ("bound", [-1.0, -1.0]), "upper": ("bound", [9.0, 9.0])},
        {},
    ),
    metaculus.baseline: (PLATFORM, {"outcome": 1, **ON}),
    metaculus.peer: (PLATFORM, {"outcome": 1, **ON}),
    metaculus.spot_baseline: (PLATFORM, {"outcome": 1, "at": 5.0}),
    metaculus.spot_peer: (PLATFORM, {"outcome": 1, "at": 5.0}),
    metaculus.geometric_means: (PLATFORM, {}),
    comparison.diebold_mariano: ({"difference": ("alone", REAL)}, {}),
    comparison.difficulty_adjusted: (PANEL, {}),
    comparison.effects: (PANEL | {"cluster": ("names", list("xyxy"))}, {}),
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
    comparison.difference_interval: (CLUSTERED, {"resamples": 99}),
    comparison.level_interval: (CLUSTERED, {"resamples": 99, "bounds": (-math.inf, math.inf)}),
    calibration.binned_decomposition: (BINARY, {}),
    calibration.confidence_band: ({**BINARY, "cluster": ("names", list("abcd"))}, {}),
    calibration.corp: (BINARY, {}),
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
    if kind in ("p", "vectors", "alone vectors", "loss"):
        yield "above 1", put(1.5)
        yield "below 0", put(-1.0)
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
    if kind not in ("alone", "alone vectors", "loss", "matrix"):
        yield "one short", value[:-1]


#: How the value that is refused is shown, and its place.
WORDS = {
    "NaN": r"nan (at \d|and)|missing at \d",
    "empty": r"\((empty|shapes? \(|0 )",
    "above 1": r"\(1\.5",
    "below 0": r"\(-1",
    "an outcome of 2": r"\(2\.0 at 3",
    "half an outcome": r"\(0\.5 at 3",
    "an outcome of -1": r"\(-1\.0 at 3",
    "a label beyond the options": r"\(3\.0 at 1",
    "a sum of .9": r"\(0\.(9|89).*sum to 1 within 1e-09",
    "rows of unequal length": "unequal length",
    "a name is missing": r"\(missing at \d",
    "an infinite weight": r"\(inf",
    "a negative weight": r"\(-1\.0\): must be finite and not negative",
    "no weight at all": r"\(all zero\)",
}

#: What is no fault there: one array alone has any length, and who was absent is NaN.
FINE = {
    ("relative_brier", "forecast", "NaN"),
    ("neyman_roughgarden", "forecasts", "one short"),
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
                where = f"{function.__module__.split('.')[1]}.{function.__name__}-{name}-{fault}"
                yield pytest.param(function, arguments, name, WORDS.get(fault, ""), id=where)


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


@pytest.mark.parametrize(("function", "arguments", "name", "words"), list(cases()))
def test_bad_input_is_refused_by_name(function, arguments, name, words):
    with pytest.raises(InvalidInput, match=r"\(.*\): .+") as fault:
        function(**arguments)
    assert re.search(words, str(fault.value))
    assert isinstance(fault.value, ValueError)
    # Of two arguments that do not fit each other either may be the one that is named.
    subject = str(fault.value).split(":")[0]
    fits_no_other = len(arguments[name]) != len(good(function)[name])
    allowed = (*good(function), "clusters", "forecasts") if fits_no_other else (name,)
    assert any(each in subject for each in allowed), subject


EDGES = {"levels": [0.2, 0.8], "forecast": [[1.0, 2.0]], "outcome": [1.0]}
CDF, CHOICE, PMF = ({"question_type": name} for name in ("cdf", "multiple_choice", "pmf"))
ONE = {"forecast": [0.5], "issued_at": [0.0]}
#: What else is refused: the function, what its good arguments are changed to, and the words.
ALSO = [
    *((f, {"forecast": [[1.0]], "outcome": [0]}, "at least two options")
      for f in (scoring.brier, scoring.log_score)),
    *((f, {"forecast": [[0.5, 0.5], [1.0]], "outcome": [0, 1]}, "unequal length")
      for f in (scoring.brier, scoring.log_score)),
    *((f, {"forecast": [35.0] * n}, "divide percentages by 100")
      for f, n in ((scoring.brier, 4), (scoring.log_score, 4), (metaculus.baseline, 3))),
    *((f, {"forecasts": [35.0, 0.5]}, "divide percentages by 100")
      for f in (pooling.neyman_roughgarden, pooling.beta_linear)),
    (scoring.brier, {"forecast": np.ma.masked_array(P, mask=[0, 0, 0, 1])}, "missing"),
    (scoring.brier, {"convention": "double"}, r"convention \('double'\)"),
    (scoring.rps, {"forecast": [0.5, 0.5]}, "forecast"),
    (scoring.ordered_brier, {"forecast": [0.5, 0.5]}, "forecast"),
    *((scoring.log_score, {"base": base}, r"base \(") for base in (1, 0, -2, NAN, math.inf)),
    (scoring.crps_quantile, {"levels": [5, 50, 95]}, "0.05 for the 5 % quantile"),
    (scoring.crps_quantile, {"forecast": [[1.0, 2.0, math.inf]] * 2}, "finite"),
    (scoring.crps_quantile, {"forecast": [1.0, 2.0]}, "must be"),
    (scoring.crps_piecewise, {"upper": 4}, "within its bounds"),
    (scoring.crps_piecewise, {"lower": 4, "upper": 4}, r"lower \(4\.0 at 0\): must be below upper"),
    (scoring.crps_piecewise, {"upper": [5, 6, 7]}, "upper"),
    (scoring.crps_ensemble, {"forecast": [[1.0]] * 2, "estimator": "fair"}, "two draws"),
    (scoring.crps_ensemble, {"estimator": "kernel"}, "estimator"),
    (scoring.relative_brier, {"forecast": [0.5]}, r"forecast \(shape \(1,\)\)"),
    (scoring.relative_brier, {"forecast": [[]]}, r"forecast \(shape \(1, 0\)\)"),
    (scoring.relative_brier, {"forecast": [[0.5], [0.5, 0.5]]}, "unequal length"),
    (scoring.relative_brier, {"outcome": 2}, "outcome"),
    (scoring.relative_brier, {"outcome": [1]}, "must be one label"),
    (scoring.relative_brier, {"forecast": [[[0.5, NAN]]]}, "nan"),
    *((metaculus.baseline, ONE | more, words) for more, words in (
        ({"outcome": 2}, r"outcome \(2\): must be a label 0\.\.1"),
        ({"outcome": 0.5}, r"outcome \(0\.5\)"),
        ({"outcome": [1]}, r"outcome \(\[1\]\)"),
        ({"issued_at": [math.inf]}, r"issued_at \(infinite\)"),
        ({"closes": 0}, r"closes \(0\): must be after opens"),
        ({"closed_at": NAN}, r"closed_at \(nan\)"),
        ({"question_type": "date"}, r"question_type \('date'\)"),
        ({"open_bounds": 1}, r"open_bounds \(1, binary\)"),
        ({"forecaster": ["me", "you"]}, r"forecaster \(length 2\)"),
        (CDF, r"forecast \(shape \(1,\), cdf\)"),
        (CDF | {"forecast": [[0.5, 0.4]]}, r"forecast \(row 0\): a CDF must rise"),
        (CHOICE | {"forecast": [[0.5, 0.6]]}, "must sum to 1 within 1e-09"),
        (CHOICE | {"forecast": [[0.5, 0.5, NAN]]}, "the last and another"),
        (PMF | {"forecast": [[0.5, 0.5]]}, r"forecast \(2 buckets\)"),
        (CHOICE | {"forecast": [[0.5, 0.5], [1]], "issued_at": [0.0, 1.0]}, "unequal length"),
    )),
    *((calibration.binned_decomposition, {"bins": bins}, words) for bins, words in (
        (0, r"bins \(0\): must be at least 1"),
        (2.5, r"bins \(2\.5\): must be a whole number"),
        ([0, 1, 1], "must be two rising edges"),
        ([0.6, 1], r"leave the forecast 0\.2 outside"),
        ([0, 0.7], r"leave the forecast 0\.9 outside"),
    )),
    (calibration.corp, {"forecast": [[0.5, 0.5]], "outcome": [1]}, "one-dimensional"),
    (calibration.corp, {"score": "rps"}, "score"),
    (calibration.corp, {"resamples": 0}, "resamples"),
    *((calibration.corp, {"picks": picks, "cluster": list("aabb")}, "picks")
      for picks in ([[0], []], [], [[0, 1]])),
    *((calibration.pit, EDGES | more, words) for more, words in (
        ({"lower": 0}, "both bounds or neither"),
        ({"lower": 1.5, "upper": 3}, "within its bounds"),
        ({"lower": 3, "upper": 1}, "must be below upper"),
        ({"outcome": [math.inf]}, r"outcome \(infinite\)"),
        ({"levels": [20, 80]}, "0.05 for the 5 % quantile"),
        ({"bins": [0, 0.5]}, "must run from 0 to 1"),
        ({"resamples": 0}, "resamples"),
        ({"forecast": [1.0, 2.0]}, "forecast and outcome"),
    )),
    (calibration.interval_coverage, EDGES | {"levels": [0.2, 0.5]}, "no two are t and 1 - t"),
    (calibration.interval_coverage, EDGES | {"confidence": 1}, "confidence"),
    (calibration.quantile_reliability, EDGES | {"levels": [0, 0.5]}, "must rise strictly"),
    *((comparison.diebold_mariano, more, words) for more, words in (
        ({"difference": [1.0]}, "two or more"),
        ({"difference": [1, math.inf]}, "finite"),
        ({"difference": [1, 2, 3], "horizon": 0}, r"horizon \(0\): must be a whole number 1\.\.3"),
        ({"difference": [1, 2, 3], "horizon": 3, "method": "HLN"}, r"1\.\.2"),
        ({"method": "DM"}, r"method \('DM'\)"),
        ({"level": 95}, r"level \(95\)"),
    )),
    (comparison.difficulty_adjusted, {"score": [math.inf, 0, 0, 0]}, r"score \(infinite at 0\)"),
    (comparison.difficulty_adjusted, {"component": 1}, r"component \(1\): must be 0\.\.0"),
    *((f, {"level": 1}, "level")
      for f in (comparison.difference_interval, comparison.level_interval)),
    *((f, {"resamples": 5}, "resamples")
      for f in (comparison.difference_interval, comparison.level_interval)),
    (comparison.level_interval, {"bounds": (0, 0.3)}, r"\(-0.3 to 0.4\): must lie in 0 to 0.3"),
    *((comparison.sequential, more, words) for more, words in (
        ({"score_a": [2.0, *REAL[1:]]}, r"score_a - score_b \(2\.0 at 0\): must lie in"),
        ({"score_a": [math.inf, *REAL[1:]]}, "must lie in"),
        ({"alpha": 5}, r"alpha \(5\)"),
        ({"bounds": (0, 1)}, r"bounds \(\(0, 1\)\)"),
        ({"bounds": (-math.inf, 1)}, "finite"),
        ({"v_opt": 0}, r"v_opt \(0\)"),
    )),
    *((comparison.sequential_steps, more, words) for more, words in (
        ({"score_b": ["x"] * 10}, r"score_b \(shape"),
        ({"scheduled_close": [datetime(2026, 1, 1)] * 10}, "time zone"),
        ({"as_of": datetime(2026, 1, 1, tzinfo=UTC)}, r"as_of \("),
        ({"as_of": NAN}, r"as_of \(nan\)"),
    )),
    *((f, {"forecasts": 0.5}, r"axis \(-1\)") for f in (
        pooling.geometric_odds, pooling.extremized, pooling.neyman_roughgarden,
        pooling.weighted_median, pooling.beta_linear,
    )),
    (pooling.geometric_odds, {"axis": 1}, r"axis \(1\)"),
    (pooling.geometric_odds, {"clip": 0.5}, r"clip \(0\.5\)"),
    (pooling.geometric_odds, {"weights": [1, 1, 1]}, r"must be one for each of 4 members"),
    (pooling.extremized, {"factor": 0}, r"factor \(0\)"),
    (pooling.extremized, {"factor": NAN}, r"factor \(nan\)"),
    (pooling.neyman_factor, {"n": 0}, r"n \(0\)"),
    (pooling.recency_weights, {"n": 0}, r"n \(0\)"),
    (pooling.neyman_roughgarden, {"base_rate": 0}, r"base_rate \(0\.0\): must lie strictly"),
    (pooling.neyman_roughgarden, {"base_rate": [0.5, 0.5]}, r"base_rate \(shape"),
    (pooling.recency_median, {"issued_at": ["monday"] * 4}, r"issued_at \(values of type"),
    (pooling.recency_median, {"issued_at": [np.datetime64("NaT", "D")] * 4}, r"\(missing"),
    (pooling.beta_linear, {"alpha": 0}, r"alpha \(0\)"),
    (pooling.beta_linear, {"beta": math.inf}, r"beta \(inf\)"),
    (pooling.log_linear, {"forecasts": [0.5, 0.5]}, r"axis \(-2\)"),
    (pooling.log_linear, {"axis": -1}, r"axis \(-1\): options lie on the last"),
    (pooling.log_linear, {"clip": 0.5}, r"clip \(0\.5\): must lie in \[0, 1/3\)"),
    *((rules.get, {"name": name, "question_type": kind}, words) for name, kind, words in (
        ("rps", "binary", "does not score binary.*brier or log"),
        ("crps", "ordered", "does not score"),
        ("spin", "binary", r"rule \('spin'\)"),
        ("brier", "yesno", "question_type"),
    )),
]  # fmt: skip


@pytest.mark.parametrize(("function", "changes", "words"), ALSO)
def test_what_else_makes_no_sense_is_refused_with_the_rule(function, changes, words):
    arguments, rest = (good(function), CALLS[function][1]) if function in CALLS else ({}, {})
    with pytest.raises(InvalidInput, match=words):
        function(**arguments | rest | changes)


def test_a_sum_within_the_tolerance_passes():
    scoring.brier([[0.5, 0.5 - 9e-10]], [0])
    with pytest.raises(InvalidInput, match="sum to 1"):
        scoring.brier([[0.5, 0.5 - 2e-9]], [0])
    with pytest.raises(InvalidInput, match="level"):
        calibration.pit(**EDGES).band(0)


SCORED = {
    "score": lifetime.score,
    "at_horizon": lambda frame: lifetime.at_horizon(frame, 3),
    "standing": lambda frame: lifetime.standing(frame, at=0.5),
}


@pytest.mark.parametrize("call", SCORED)
@pytest.mark.parametrize(
    ("column", "bad"),
    [
        ("issued_at", pd.NaT),
        ("issued_at", day(0).tz_localize(None)),
        ("withdrawn_at", day(-1)),
        ("closes", day(0)),
        ("closes", day(-1)),
        ("opens", "2025-03-01"),
        ("issued_at", "2025-03-01T00:00Z"),
        ("question", None),
        ("forecaster", None),
    ],
)
def test_a_frame_with_bad_times_is_refused_by_column(call, column, bad):
    frame = frame_of([0.8], [0]).assign(**{column: pd.Series([bad])})
    with pytest.raises(InvalidInput, match=rf"^{column} \(.*\): .+"):
        SCORED[call](frame)


@pytest.mark.parametrize("call", ["score", "at_horizon"])
@pytest.mark.parametrize(
    ("column", "bad"),
    [
        ("forecast", NAN),
        ("forecast", 1.2),
        ("forecast", [0.5, 0.4]),
        ("forecast", "likely"),
        ("forecast", None),
        ("outcome", 2),
        ("outcome", NAN),
        ("outcome", 0.5),
    ],
)
def test_a_frame_with_bad_forecasts_is_refused_by_column(call, column, bad):
    frame = frame_of([0.8], [0]).assign(**{column: pd.Series([bad])})
    with pytest.raises(InvalidInput, match=rf"{column}.*\(.*\): .+"):
        SCORED[call](frame)


@pytest.mark.parametrize(
    "call", [metaculus.baseline, metaculus.peer, metaculus.spot_peer, metaculus.geometric_means]
)
def test_withdrawn_before_it_was_made(call):
    with pytest.raises(InvalidInput, match=r"withdrawn_at \(.*\): .+"):
        call(**good(call), **CALLS[call][1], withdrawn_at=[5.0, 0.5, 9.0])


def test_rows_need_no_order_in_time_and_so_nobody_speaks_twice_in_an_instant():
    frame = frame_of([0.8, 0.4], [0, 0])
    with pytest.raises(InvalidInput, match="'me' has two forecasts on question 'q'"):
        lifetime.score(frame)
    who = {"forecaster": ["me", "me"], **ON}
    with pytest.raises(InvalidInput, match="two forecasts of one forecaster at one instant"):
        metaculus.baseline([0.2, 0.4], 1, issued_at=[0.0, 0.0], **who)
    one = metaculus.baseline([0.2, 0.4], 1, issued_at=[1.0, 5.0], **who).score
    other = metaculus.baseline([0.4, 0.2], 1, issued_at=[5.0, 1.0], **who).score
    assert one == pytest.approx(other[::-1])
