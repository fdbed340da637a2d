"""The calibration of a scoring frame: one question an event, over many picks."""

import datetime as dt
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecasting.domain.forecast import DENSE, SHOWN
from forecasting.scoring.lifetime import where

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from forecasting.calibration.isotonic import Pooled
    from forecasting.calibration.reliability import Corp

    type Numbers = NDArray[np.floating[Any]] | NDArray[np.integer[Any]]

LEVEL = 0.9
GROUPS = ("forecaster", "topic", "horizon", "month")
HORIZONS = (1.0, 7.0, 30.0, 90.0)
#: With fewer events a slope is little but its prior, and the parts of a mean score say nothing.
LEAST_EVENTS = 8
#: With fewer numbers nothing is said of their calibration.
LEAST_NUMBERS = 10
#: Of equal width on [0, 1], for the binned decomposition.
BINS = 10
#: Sixty is a multiple of each number of questions up to six.
PICKS = 60
PARTS = (
    *("mean_score", "miscalibration", "discrimination", "uncertainty"),
    *("null_miscalibration", "p_value"),
)
#: What the discrimination of these forecasts would be if they told nothing.
TOLD = ("null_discrimination", "discrimination_p")
TERMS = ("slope", "intercept", "slope_sd", "intercept_sd")
BINNED = (
    *("reliability", "resolution", "uncertainty", "within_bins"),
    *("reliability_se", "resolution_se", "uncertainty_se", "alpha", "alone"),
)
#: The columns of the table, also of one without rows.
CURVE_COLUMNS = ("forecast", "event_rate", "n", "events", "lower", "upper")


@dataclass(frozen=True)
class Picked:
    """Forecasts in force, a row a forecaster and question, and one row an event in each pick."""

    rows: "pd.DataFrame"
    picks: "tuple[NDArray[np.int64], ...]"

    @property
    def n(self) -> float:
        """Events a pick holds, on average."""
        return sum(map(len, self.picks)) / max(len(self.picks), 1)

    @property
    def forecast(self) -> "Numbers":
        """Probabilities of yes, a row each."""
        return self.rows["forecast"].astype(float).to_numpy()

    @property
    def outcome(self) -> "Numbers":
        """Outcomes, a row each."""
        return self.rows["outcome"].astype(int).to_numpy()

    @property
    def events(self) -> list[str]:
        """Events, a row each."""
        return [str(event) for event in self.rows["event"]]

    def mean(self, value: "Callable[[NDArray[np.int64]], Any]") -> Any:
        """Give the mean over picks of what is computed from a pick's rows."""
        import numpy as np

        return np.mean([value(rows) for rows in self.picks], axis=0)


def picked(
    frame: "pd.DataFrame", stood: "Callable[[pd.DataFrame], pd.DataFrame]", *, seed: int = 0
) -> Picked:
    """Pick one question an event, so often that the luck of the pick counts for nothing.

    Before it is looked whether one was still open when forecasts are read: else a rung that
    outlived another would stand in for it exactly where the event had come in between.
    """
    import numpy as np

    counting = where(frame, ~frame["too_soon"])
    rows = (
        stood(counting).sort_values(["event", "question", "forecaster"])
        if len(counting)
        else counting
    )
    pairs = list(zip(rows["question"], rows["forecaster"], strict=True))
    place = {pair: row for row, pair in enumerate(pairs)}
    columns = ["event", "question", "forecaster"]
    every = counting[columns].drop_duplicates().sort_values(columns).groupby("event", sort=True)
    single = every.size().max() == 1 if len(counting) else True
    chosen = np.full((1 if single else PICKS, every.ngroups), -1)
    for column, (event, group) in enumerate(every):
        options = [
            place.get(pair, -1) for pair in zip(group["question"], group["forecaster"], strict=True)
        ]
        # Of its own name, so that another event in the table changes no pick of this one.
        rng = np.random.default_rng([seed, zlib.crc32(str(event).encode())])
        turns = np.arange(len(chosen)) + int(rng.integers(len(options)))
        chosen[:, column] = np.array(options)[rng.permutation(turns % len(options))]
    picks = tuple(row[row >= 0] for row in chosen)
    return Picked(rows.reset_index(drop=True), tuple(row for row in picks if len(row)))


def at_share(share: float) -> "Callable[[pd.DataFrame], pd.DataFrame]":
    """Read the forecasts in force at a share of each window."""
    from forecasting.scoring import lifetime

    return lambda counting: lifetime.standing(counting, at=share)


def before_close(days: float) -> "Callable[[pd.DataFrame], pd.DataFrame]":
    """Read the forecasts in force so many days before each close, of questions open then."""
    import pandas as pd

    from forecasting.scoring import lifetime

    def stood(counting: "pd.DataFrame") -> "pd.DataFrame":
        closes = counting.drop_duplicates("question").set_index("question")["closes"]
        return lifetime.standing(counting, at=closes - pd.Timedelta(days=days))

    return stood


def recalibrated(frame: "pd.DataFrame", moment: dt.datetime | None) -> dict[str, dict[str, Any]]:
    """Give each forecaster's partially pooled line in log-odds, and what 20 and 80 % become."""
    from forecasting.calibration import recalibrate

    lines = recalibrate(frame[~frame["too_soon"]], as_of=moment)
    rows = {}
    for name in dict.fromkeys(frame["forecaster"]):
        line = lines.line(name)
        low, high = line.predict([0.2, 0.8])
        terms = {key.replace("alpha", "intercept"): value for key, value in line.row().items()}
        rows[name] = {**terms, "reads_20": float(low), "reads_80": float(high)}
    return rows


def group_row(by: str, label: str, chosen: Picked) -> dict[str, Any]:
    """Give the row of one forecaster, topic, horizon or month."""
    from forecasting.calibration import corp, reading
    from forecasting.calibration.slope import fit_line

    row: dict[str, Any] = {by: label, "n": round(chosen.n)}
    if not chosen.picks:
        return row
    diagram = corp(chosen.forecast, chosen.outcome, picks=chosen.picks, cluster=chosen.events)
    line = fit_line(diagram.pooled) if row["n"] >= LEAST_EVENTS else None
    return {
        **row,
        "mean_forecast": float(diagram.pooled.n @ diagram.pooled.value / diagram.pooled.total),
        "event_rate": float(diagram.pooled.events.sum() / diagram.pooled.total),
        **_parts(diagram, PARTS),
        "slope": None if line is None else line.slope,
        "intercept": None if line is None else line.intercept,
        "reading": reading(diagram, level=LEVEL),
    }


def numbers(frame: "pd.DataFrame", *, share: float = 0.5) -> dict[str, Any]:
    """Give the calibration of numeric questions, one an event, as means over picks."""
    import pandas as pd

    from forecasting.calibration import interval_coverage, pit, quantile_reliability

    frame = frame[frame["type"] == "numeric"]
    result: dict[str, Any] = {"n": 0, "pit": [], "p_value": None, "intervals": [], "quantiles": []}
    if len(frame):
        frame = frame.assign(forecast=frame["forecast"].map(_thinned))
        usual, levels = commonest_levels(frame)
        chosen = picked(frame[levels == usual], at_share(share))
    if not len(frame) or not chosen.picks:
        into = f"{100 * share:g} % into its window"
        note = f"No resolved number or date had a forecast in force {into}: too few to say."
        return {**result, "reading": note}
    rows, n = chosen.rows, round(chosen.n)
    forecasts = rows["forecast"].map(lambda row: [row[level] for level in usual])
    paired = any(abs(a + b - 1) < 1e-9 for a in usual for b in usual if a < b)
    tables: dict[str, list[pd.DataFrame]] = {"pit": [], "intervals": [], "quantiles": []}
    p_values = []
    for pick in chosen.picks:
        of = forecasts.iloc[pick].tolist(), rows["outcome"].iloc[pick].astype(float).to_numpy()
        diagram = pit(
            *of,
            levels=list(usual),
            lower=rows["lower"].iloc[pick].astype(float).to_numpy(),
            upper=rows["upper"].iloc[pick].astype(float).to_numpy(),
            bins=5 if n < 50 else 10,
            resamples=1000 if len(chosen.picks) == 1 else 199,
        )
        p_values.append(diagram.p_value)
        tables["pit"].append(diagram.histogram.merge(diagram.band(LEVEL), on=["left", "right"]))
        tables["quantiles"].append(quantile_reliability(*of, levels=list(usual)))
        if paired:
            tables["intervals"].append(interval_coverage(*of, levels=list(usual)))
    mean = {name: sum(some[1:], some[0]) / len(some) for name, some in tables.items() if some}
    p_value = sum(p_values) / len(p_values)
    return {
        **result,
        "n": n,
        "p_value": p_value,
        **{name: table.to_dict("records") for name, table in mean.items()},
        "reading": _numbers_reading(mean.get("intervals"), p_value, n),
    }


def commonest_levels(frame: "pd.DataFrame") -> "tuple[tuple[float, ...], pd.Series[Any]]":
    """Give the commonest levels of the numeric questions of a frame, and those of each row."""
    levels = frame["forecast"].map(lambda row: tuple(sorted(_thinned(row))))
    return levels.mode().iloc[0], levels


def _thinned(value_at: dict[float, float]) -> dict[float, float]:
    """Give a CDF of many steps at a few levels; fewer quantiles stay as they are."""
    import numpy as np

    if len(value_at) <= DENSE:
        return value_at
    own = sorted(value_at)
    few = [level / 100 for level in SHOWN]
    values = np.interp(few, own, [value_at[level] for level in own])
    return dict(zip(few, values.tolist(), strict=True))


def _numbers_reading(intervals: "pd.DataFrame | None", p_value: float, n: int) -> str:
    if n < LEAST_NUMBERS:
        return f"{n} resolved number{'s' * (n > 1)}: too few to say."
    verdict = "uneven beyond chance" if p_value <= 0.05 else "no more uneven than chance explains"
    text = f"The PIT histogram of {n} numbers is {verdict} (p = {p_value:.2g})."
    if intervals is None:
        return text
    widest = intervals.iloc[-1]
    inside = widest["lower"] <= widest["nominal"] <= widest["upper"]
    return (
        f"{text} Your {100 * widest['nominal']:.0f} % intervals held {widest['inside']:.0f} of "
        f"{n}; " + ("so this may be chance." if inside else "a deviation beyond chance.")
    )


def from_frame(
    frame: "pd.DataFrame",
    *,
    share: float = 0.5,
    seed: int = 0,
    score: str = "brier",
    moment: dt.datetime | None = None,
) -> dict[str, Any]:
    """Give the calibration of a scoring frame; binary questions only, those too soon left out."""
    from forecasting.calibration import corp, reading, spiegelhalter_z
    from forecasting.calibration.slope import fit_line

    frame = where(frame, (frame["type"] == "binary") & ~frame["too_soon"])
    chosen = picked(frame, at_share(share), seed=seed)
    n = round(chosen.n)
    result: dict[str, Any] = {
        "n": n,
        "picks": len(chosen.picks),
        "n_questions": int(chosen.rows["question"].nunique()),
        "n_updates": len(frame),
        "n_events": int(chosen.rows["event"].nunique()),
        "n_early": 0,
        "share": share,
        "level": LEVEL,
        "score": score,
    }
    if not chosen.picks:
        return {
            **result,
            **dict.fromkeys((*PARTS, *TOLD, *TERMS)),
            **{name: [] for name in ("histogram", "curve", "pooled")},
            "reading": "Nothing to read: too few to say.",
        }
    if moment is not None:
        to_come = (chosen.rows["closes"] > moment).to_numpy()
        result["n_early"] = round(chosen.mean(lambda rows: to_come[rows].sum()))
    early = ""
    if result["n_early"]:
        early = (
            f"\n{result['n_early']} of the {n} resolved before their scheduled close; questions "
            "that run to their close are not here yet, which favours early answers "
            "(past_close=True leaves such out)."
        )
    forecast, outcome = chosen.forecast, chosen.outcome
    diagram = corp(
        forecast, outcome, picks=chosen.picks, cluster=chosen.events, seed=seed, score=score
    )
    line = fit_line(diagram.pooled) if n >= LEAST_EVENTS else None
    return {
        **result,
        **_parts(diagram, (*PARTS, *TOLD)),
        **{name: None if line is None else getattr(line, name) for name in TERMS},
        "histogram": histogram(diagram.pooled),
        "spiegelhalter_z": chosen.mean(lambda rows: spiegelhalter_z(forecast[rows], outcome[rows])),
        "curve": diagram.curve.merge(diagram.band(LEVEL), on="forecast").to_dict("records"),
        **_pooled(frame, seed),
        "binned": _binned(chosen) if n >= LEAST_EVENTS else None,
        "reading": reading(diagram, level=LEVEL) + early,
    }


def _parts(diagram: "Corp", names: Sequence[str]) -> dict[str, float | None]:
    """Give the parts of a mean score; below the least number of events that score alone."""
    enough = round(diagram.pooled.total) >= LEAST_EVENTS
    return {
        name: getattr(diagram, name) if enough or name == "mean_score" else None for name in names
    }


def _binned(chosen: Picked) -> dict[str, float]:
    from forecasting.calibration import binned_decomposition

    forecast, outcome = chosen.forecast, chosen.outcome

    def parts(rows: "NDArray[np.int64]") -> list[float]:
        decomposition = binned_decomposition(forecast[rows], outcome[rows], bins=BINS)
        return [getattr(decomposition, name) for name in BINNED]

    return dict(zip(BINNED, chosen.mean(parts).tolist(), strict=True))


def _pooled(frame: "pd.DataFrame", seed: int) -> dict[str, Any]:
    """Give the curve of every update, with its band over events."""
    import pandas as pd

    from forecasting.calibration import confidence_band

    every = confidence_band(
        frame["forecast"].astype(float).to_numpy(),
        frame["outcome"].astype(int).to_numpy(),
        cluster=pd.factorize(frame["event"])[0],
        level=LEVEL,
        seed=seed,
    )
    names = ("forecast", "event_rate", "n", "lower", "upper")
    columns = [getattr(every, name) for name in names]
    points = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return {"pooled": points, "pooled_note": every.note}


def histogram(pooled: "Pooled") -> list[dict[str, Any]]:
    """Count the forecasts in ten bins of equal width, and how many of each came true.

    >>> from forecasting.calibration.isotonic import pool
    >>> histogram(pool([0.05, 0.1, 1.0], [0, 1, 1]))
    [{'bin': '0 to 10 %', 'n': 1, 'happened': 0}, {'bin': '10 to 20 %', 'n': 1, 'happened': 1},
     {'bin': '90 to 100 %', 'n': 1, 'happened': 1}]
    """
    import numpy as np

    # Decimals such as 0.3 are to fall into the bin that they begin.
    place = np.minimum((pooled.value * BINS + 1e-9).astype(int), BINS - 1)
    width = 100 // BINS
    return [
        {
            "bin": f"{width * i} to {width * (i + 1)} %",
            "n": pooled.n[place == i].sum().item(),
            "happened": pooled.events[place == i].sum().item(),
        }
        for i in np.unique(place).tolist()
    ]
