"""A table of a million forecasts fits beside what a computer does otherwise."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from forecasting.calibration import frame as calibrate
from forecasting.comparison import table

#: Rows; the law is of bytes per row, which do not depend on how many there are.
ROWS, QUESTIONS, PEOPLE = 40_000, 800, 200


@pytest.fixture(scope="module")
def frame():
    """Give forecasts as the ledger gives them: nearly each of another person and question."""
    rng = np.random.default_rng(0)
    of = rng.integers(0, QUESTIONS, ROWS)
    start = pd.Timestamp("2025-01-01", tz="UTC").as_unit("us")
    opens = np.full(ROWS, start)
    names = np.array([f"question-{n}" for n in range(QUESTIONS)], dtype=object)
    people = np.array([f"person-{n}" for n in range(PEOPLE)], dtype=object)
    return pd.DataFrame({
        "question": pd.array(names[of], dtype="str"),
        "forecaster": pd.array(people[rng.integers(0, PEOPLE, ROWS)], dtype="str"),
        "forecast": rng.integers(1, 100, ROWS) / 100,
        "issued_at": start + pd.to_timedelta(rng.permutation(ROWS) * 20, unit="s").as_unit("us"),
        "withdrawn_at": pd.Series(pd.NaT, index=range(ROWS)).dt.tz_localize("UTC"),
        "opens": opens,
        "closes": opens + pd.Timedelta(days=90),
        "closed_at": pd.Series(pd.NaT, index=range(ROWS)).dt.tz_localize("UTC"),
        "outcome": of % 2,
        **dict.fromkeys(("lower", "upper", "zero_point"), pd.Series([None] * ROWS, dtype=object)),
        "type": pd.array(["binary"] * ROWS, dtype="str"),
        "event": pd.array(names[of], dtype="str"),
        "topic": pd.array([""] * ROWS, dtype="str"),
        "tags": [()] * ROWS,
        "resolved_at": opens + pd.Timedelta(days=90),
        "open_bounds": pd.array([""] * ROWS, dtype="str"),
        "beyond": np.zeros(ROWS, dtype=int),
        "unit": pd.array([""] * ROWS, dtype="str"),
        "too_soon": np.zeros(ROWS, dtype=bool),
    })  # fmt: skip


@pytest.mark.parametrize(
    ("table", "most"),
    [
        (lambda frame: table.from_frame(frame, kind="imported", resamples=99), 320),
        (lambda frame: calibrate.from_frame(frame), 600),
    ],
    ids=["score", "calibration"],
)
def test_a_table_takes_little_beside_its_frame(frame, table, most):
    """At its peak a table holds so many bytes for each forecast, beside the frame itself."""
    small = frame.iloc[: ROWS // 50]
    table(small)  # what is imported and compiled once is not of the rows
    tracemalloc.start()
    table(frame)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak / ROWS < most
