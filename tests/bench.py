"""Benchmarks: each a ratio to a named peer or floor, measured in the same process and minute."""

import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np


def timed(work: Callable[[], object], repeats: int) -> float:
    """Give the median seconds of some repeats."""
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return median(seconds)


def report(what: str, ours: float, peer: str, theirs: float) -> None:
    """Print one ratio: below 1 is faster than the peer."""
    sys.stdout.write(
        f"{what:52s} {ours / theirs:10.3f} x {peer}   ({ours:.4f} s : {theirs:.4f} s)\n"
    )


def start() -> None:
    """Time `forecast --help` against an empty Python."""
    python = sys.executable
    ours = timed(
        lambda: subprocess.run(
            [python, "-m", "forecasting", "--help"], capture_output=True, check=True
        ),
        7,
    )
    theirs = timed(
        lambda: subprocess.run([python, "-c", "pass"], capture_output=True, check=True), 7
    )
    report("start: forecast --help", ours, "an empty python", theirs)


def scores() -> None:
    """Time the Brier score and CORP on a million forecasts against their peers."""
    import scoringrules
    from model_diagnostics.scoring import SquaredError, decompose

    from forecasting.calibration import corp
    from forecasting.scoring import brier

    rng = np.random.default_rng(0)
    p = rng.random(1_000_000).round(2)
    y = (rng.random(1_000_000) < p).astype(int)
    scoringrules.brier_score(y, p)
    report(
        "brier, 1e6 forecasts",
        timed(lambda: brier(p, y), 7),
        "scoringrules",
        timed(lambda: scoringrules.brier_score(y, p), 7),
    )
    report(
        "CORP decomposition, 1e6 forecasts at two decimals",
        timed(lambda: corp(p, y), 5),
        "model-diagnostics",
        timed(lambda: decompose(y, p, scoring_function=SquaredError()), 3),
    )


def ledger() -> None:
    """Time appending forecasts against a bare executemany with the same pragmas."""
    import datetime as dt

    from forecasting.domain import Forecast
    from forecasting.domain.forecast import binary_value
    from forecasting.store import Ledger

    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    count = 5000
    forecasts = [
        Forecast("q", "0" * 64, "ana", binary_value(f"0.{i:05d}"), now, "live")
        for i in range(count)
    ]
    with tempfile.TemporaryDirectory() as folder:
        with Ledger.open(str(Path(folder) / "a.db"), create=True) as opened:
            ours = timed(lambda: opened.append(forecasts, recorded_at=now), 3)
        bare = sqlite3.connect(Path(folder) / "b.db")
        bare.execute("PRAGMA synchronous=EXTRA")
        bare.execute(
            "CREATE TABLE f (seq INTEGER PRIMARY KEY, q TEXT, who TEXT, p REAL, at TEXT, h TEXT)"
        )

        def insert() -> None:
            rows = [("q", "ana", 0.5, "2026-01-01T00:00:00Z", "0" * 64)] * count
            bare.executemany("INSERT INTO f (q, who, p, at, h) VALUES (?, ?, ?, ?, ?)", rows)
            bare.commit()

        theirs = timed(insert, 3)
        bare.close()
    report(f"append {count} forecasts, hashed and chained", ours, "bare executemany", theirs)


def refit() -> None:
    """Time a warm refit of a compiled survival model against a fresh pm.sample of the same."""
    import pymc as pm

    from forecasting.models import weibull
    from forecasting.models.survival import Survival

    family = Survival("formal-end")
    rows = weibull.spells(
        entry=[0.0] * 6,
        lower=[3.0, 12.0, 45.0, 5.0, 60.0, 20.0],
        upper=[0.0] * 6,
        kind=[1, 1, 0, 1, 0, 1],
    )
    priors = family.default_priors()
    family.fit(rows, priors, seed=1)
    ours = timed(lambda: family.fit(rows, priors, seed=2), 5)

    def fresh() -> None:
        with family.build_model():
            pm.sample(draws=1000, tune=500, chains=4, random_seed=1, progressbar=False, quiet=True)

    theirs = timed(fresh, 1)
    report("warm refit of the survival model, 4 x 1000 draws", ours, "a fresh pm.sample", theirs)


if __name__ == "__main__":
    for benchmark in (start, scores, ledger, refit):
        benchmark()
