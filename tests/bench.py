"""Benchmarks: each a ratio to a named peer or floor, measured in the same process and minute."""

import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


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
    """Time two commands as whole processes against importing what they cannot do without."""
    python = sys.executable

    def process(*words: str) -> float:
        return timed(lambda: subprocess.run([python, *words], capture_output=True, check=True), 9)

    report(
        "start: forecast --help (at most 1.6)",
        process("-m", "forecasting", "--help"),
        "import click",
        process("-c", "import click"),
    )
    with tempfile.TemporaryDirectory() as folder:
        forecast = ("-m", "forecasting", "--db", str(Path(folder) / "a.db"))
        subprocess.run([python, *forecast, "init"], capture_output=True, check=True)
        report(
            "forecast log as a process (at most 1.5)",
            process(*forecast, "log", "leaders-meet@2026-12-31", "0.03"),
            "import sqlalchemy.orm, click",
            process("-c", "import sqlalchemy.orm, click"),
        )


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
    few = rng.random(1000)
    happened = (rng.random(1000) < few).astype(int)
    corp(few, happened).band()
    report(
        "CORP band, 1,000 resamples of 1,000 distinct forecasts",
        timed(lambda: corp(few, happened).band(), 15),
        "60 ms",
        0.06,
    )


def season(forecasts: int, questions: int, forecasters: int) -> "pd.DataFrame":
    """Draw forecasts over the windows of questions, three in ten of which resolve early."""
    import pandas as pd

    rng = np.random.default_rng(0)
    opens = rng.integers(0, 300, questions) * 86_400
    length = rng.integers(10, 200, questions) * 86_400
    early = rng.random(questions) < 0.3
    closed = (opens + length * rng.random(questions)).astype(np.int64)
    question = rng.integers(0, questions, forecasts)
    # Everybody speaks on few questions and several times on each.
    forecaster = (question * 7 + rng.integers(0, 4, forecasts)) % forecasters
    start = pd.Timestamp("2024-01-01", tz="UTC")

    def moment(seconds: object) -> "pd.Series[pd.Timestamp]":
        return start + pd.Series(pd.to_timedelta(seconds, unit="s"))

    return pd.DataFrame(
        {
            "question": question,
            "forecaster": forecaster,
            "forecast": rng.random(forecasts).round(2),
            "issued_at": moment(
                (opens[question] + length[question] * rng.random(forecasts)).astype(np.int64)
            ),
            "withdrawn_at": pd.Series(pd.NaT, index=range(forecasts)).dt.tz_localize("UTC"),
            "opens": moment(opens[question]),
            "closes": moment((opens + length)[question]),
            "closed_at": moment(closed[question]).where(early[question]),
            "outcome": rng.integers(0, 2, questions)[question],
        }
    )


def lifetimes() -> None:
    """Time lifetime scores of a million forecasts against a Python loop over questions."""
    from forecasting.scoring import lifetime

    frame = season(1_000_000, 100_000, 1_000)
    ours = timed(lambda: lifetime.score(frame), 3)
    some = frame[frame["question"] < 200]

    def loop() -> None:
        for _, part in some.groupby("question"):
            lifetime.score(part)

    theirs = timed(loop, 1) * 100_000 / some["question"].nunique()
    report("lifetime, 1e6 forecasts on 1e5 questions", ours, "a loop over questions", theirs)
    plain = frame[frame["question"] < 2_000]

    def by_hand() -> None:
        columns = ["forecaster", "forecast", "issued_at", "opens", "closes", "closed_at", "outcome"]
        for _, part in plain.groupby("question"):
            rows = sorted(part[columns].itertuples(index=False), key=lambda row: row.issued_at)
            for who in {row.forecaster for row in rows}:
                mine = [row for row in rows if row.forecaster == who]
                end = (
                    min(mine[0].closes, mine[0].closed_at)
                    if (mine[0].closed_at == mine[0].closed_at)
                    else mine[0].closes
                )
                total = covered = 0.0
                for now, later in zip(mine, [*mine[1:], None], strict=True):
                    stop = end if later is None else min(later.issued_at, end)
                    stood = max((stop - now.issued_at).total_seconds(), 0.0)
                    total += stood * (now.forecast - now.outcome) ** 2
                    covered += stood
                whole = (mine[0].closes - mine[0].opens).total_seconds()
                _ = (total + 0.25 * (whole - covered)) / whole

    theirs = timed(by_hand, 1) * 100_000 / plain["question"].nunique()
    report("the same", ours, "plain Python by hand", theirs)


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
        same = same_rows(Path(folder) / "a.db", Path(folder) / "c.db", count)
    what = f"append {count} forecasts, hashed and chained"
    report(what, ours, "bare executemany, six columns", theirs)
    report(what, ours, "bare executemany of the same rows, same guards", same)


def single() -> None:
    """Time one durable append of one forecast against a bare insert with the same pragmas.

    The two take turns, for what a sync of the disk takes changes from minute to minute.
    """
    import datetime as dt

    from forecasting.domain import Forecast
    from forecasting.domain.forecast import binary_value
    from forecasting.store import Ledger
    from forecasting.store.engine import journal

    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    said = [Forecast("q", "0" * 64, "ana", binary_value("0.35"), now, "live")]
    mode, level = journal()
    with tempfile.TemporaryDirectory() as folder:
        bare = sqlite3.connect(Path(folder) / "b.db", isolation_level=None)
        for setting in (f"journal_mode={mode}", f"synchronous={level}"):
            bare.execute(f"PRAGMA {setting}")
        bare.execute(
            "CREATE TABLE f (seq INTEGER PRIMARY KEY, q TEXT, who TEXT, p REAL, at TEXT, h TEXT)"
        )

        def insert() -> None:
            bare.execute("BEGIN IMMEDIATE")
            row = ("q", "ana", 0.5, "2026-01-01T00:00:00Z", "0" * 64)
            bare.execute("INSERT INTO f (q, who, p, at, h) VALUES (?, ?, ?, ?, ?)", row)
            bare.execute("COMMIT")

        with Ledger.open(str(Path(folder) / "a.db"), create=True) as opened:
            turns = [
                (timed(lambda: opened.append(said, recorded_at=now), 1), timed(insert, 1))
                for _ in range(300)
            ]
        bare.close()
    ours, theirs = (median(seconds) for seconds in zip(*turns, strict=True))
    report("one durable append, median of 300", ours, "a bare insert, same pragmas", theirs)


def imports() -> None:
    """Time a track record from its file to its commit against what its rows alone need."""
    import datetime as dt

    from forecasting.app.exchange import import_record
    from forecasting.store import Ledger

    count, start = 20_000, dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "record.csv"
        with table.open("w") as file:
            file.write("question,forecaster,forecast,issued_at,opens,closes,outcome\n")
            for i in range(count):
                moment = (start + dt.timedelta(minutes=i)).isoformat()
                row = f"q-{i % 500},f-{i % 667},0.{i % 89:02d},{moment},2025-01-01,2025-02-01,yes"
                file.write(f"{row}\n")
        with Ledger.open(str(Path(folder) / "a.db"), create=True) as opened:
            now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
            ours = timed(lambda: import_record(opened, table, "csv", now=now), 1)
        theirs = same_rows(Path(folder) / "a.db", Path(folder) / "b.db", count + 500)
    what = f"import {count} forecasts from a table, hashed and chained"
    report(what, ours, "bare executemany of the same rows, same guards", theirs)


def same_rows(source: Path, target: Path, count: int) -> float:
    """Time what the database alone needs for the rows that a ledger has appended."""
    from forecasting.store import Ledger

    Ledger.open(str(target), create=True).close()
    rows = {}
    with sqlite3.connect(source) as raw:
        for table in ("entry", "forecast"):
            rows[table] = raw.execute(f"SELECT * FROM {table} WHERE seq <= ?", (count,)).fetchall()
    raw.close()
    bare = sqlite3.connect(target, isolation_level=None)
    for setting in ("synchronous=EXTRA", "foreign_keys=ON", "recursive_triggers=ON"):
        bare.execute(f"PRAGMA {setting}")
    began = time.perf_counter()
    bare.execute("BEGIN IMMEDIATE")
    for table, found in rows.items():
        marks = ",".join("?" * len(found[0]))
        bare.executemany(f"INSERT INTO {table} VALUES ({marks})", found)
    bare.execute("COMMIT")
    seconds = time.perf_counter() - began
    bare.close()
    return seconds


def six_spells(days: float = 0.0) -> dict[str, np.ndarray]:
    """Give six spells, of which one has held for some days more."""
    from forecasting.models import weibull

    return weibull.spells(
        entry=[0.0] * 6,
        lower=[3.0, 12.0, 45.0 + days, 5.0, 60.0, 20.0],
        upper=[0.0] * 6,
        kind=[1, 1, 0, 1, 0, 1],
    )


def fresh(family: Any, data: Any, **options: Any) -> float:
    """Time a fresh `pm.sample` of a family's model on data: what compiling it each time costs."""
    import pymc as pm

    module = import_module("forecasting.inference.fit")
    pack, packed = module.pack, []
    module.pack = lambda *given, **named: packed.append(pack(*given, **named)) or packed[-1]
    try:
        family.fit(data, family.default_priors(), 1, **options)
    finally:
        module.pack = pack

    def sample() -> None:
        with family.build_model():
            pm.set_data({"inputs": packed[0]})
            pm.sample(draws=1000, tune=500, chains=4, random_seed=1, progressbar=False, quiet=True)

    return timed(sample, 1)


def refit() -> None:
    """Time warm refits of two compiled models against a fresh pm.sample of the same."""
    from forecasting.inference import compile_count
    from forecasting.models.exchange import ExchangeCount
    from forecasting.models.survival import Survival

    exchange = ExchangeCount().simulate(np.random.default_rng(1))[1]
    for family, rows, what in (
        (Survival("formal-end"), six_spells(), "warm refit of survival, 4 x 1000 draws"),
        (ExchangeCount(), exchange, "warm refit of exchange count, 4 x 1500 draws"),
    ):
        priors = family.default_priors()
        family.fit(rows, priors, seed=1)
        before = compile_count()
        ours = timed(lambda f=family, r=rows, p=priors: f.fit(r, p, seed=2), 7)
        compiled = compile_count() - before
        report(f"{what}, {compiled} compiled", ours, "a fresh pm.sample", fresh(family, rows))


def news() -> None:
    """Time one news item to a new probability, by weights and in closed form."""
    from forecasting.models.competing_risks import CompetingRisks
    from forecasting.models.encoding.answers import FitCache
    from forecasting.models.encoding.truces import answer_of_draws
    from forecasting.models.exchange import ExchangeCount
    from forecasting.models.survival import Survival

    def later(data: dict[str, np.ndarray], days: float) -> dict[str, np.ndarray]:
        more = {"elapsed_days": data["elapsed_days"] + days}
        return {**data, **more, "history_weeks": data["history_weeks"] + days / 7}

    survival, exchange, risks = Survival("formal-end"), ExchangeCount(), CompetingRisks()
    begun = exchange.simulate(np.random.default_rng(1))[1]
    for family, given, chance, path in (
        (survival, six_spells, lambda d, _: survival.predict(d, [30.0])[:, 0], "psis"),
        (
            exchange,
            lambda days: later(begun, days),
            lambda d, data: exchange.predict(d, data, [30.0])[:, 0],
            "psis",
        ),
        (
            risks,
            lambda days: {"events": np.array([0.0, 2.0, 1.0]), "exposure": np.array(200.0 + days)},
            lambda d, _: risks.predict(d, [60.0])[:, 0, 0],
            "conjugate",
        ),
    ):
        fits, priors, methods = FitCache(0, policy="auto"), family.default_priors(), set()

        def learn(
            days: float,
            family: Any = family,
            given: Any = given,
            chance: Any = chance,
            fits: Any = fits,
            priors: Any = priors,
        ) -> str:
            data = given(days)

            def answer(fit: Any) -> Any:
                return answer_of_draws(chance(fit.draws, data), fit, family.family)

            return str(fits.answer(family, data, priors, answer).method)

        learn(0.0)
        days = iter(np.linspace(0.1, 2.0, 21))
        ours = timed(lambda to=learn, d=days, m=methods: m.add(to(float(next(d)))), 21)
        what = f"one news item, {family.family}, {' '.join(sorted(methods))}"
        if methods != {path}:
            sys.stdout.write(f"{what}: expected {path}\n")
        sampled = {"method": "nuts"} if path == "conjugate" else {}
        report(what, ours, "a fresh pm.sample", fresh(family, given(0.0), **sampled))


def thousand() -> None:
    """Time 1,000 questions of one family on two cores against a loop of pm.sample, from 10."""
    from concurrent.futures import ThreadPoolExecutor

    from forecasting.models.survival import Survival

    family = Survival("formal-end")
    priors = family.default_priors()
    family.fit(six_spells(), priors, seed=1)
    began = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        fits = pool.map(
            lambda seed: family.fit(six_spells(seed / 50), priors, seed, cores=1), range(1000)
        )
        passed = sum(found.report.passed for found in fits)
    ours = time.perf_counter() - began
    theirs = 100 * sum(fresh(family, six_spells(step)) for step in range(10))
    report(f"1,000 questions of one family, {passed} passed", ours, "pm.sample in a loop", theirs)


def scenario() -> None:
    """Time a conditional of 8 nodes with 3 states, with its interval, against a loop over draws."""
    from forecasting.models.scenario_joint import joint

    rng = np.random.default_rng(0)
    draws = 1000
    parents = [(), (0,), (0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 5, 6)]
    tables = [rng.dirichlet(np.ones(3), size=(draws, *[3] * len(p))) for p in parents]
    net = joint(parents, tables)
    pairs = [(asked, seen) for asked in range(8) for seen in range(8) if asked != seen]

    def conditional(asked: int, seen: int) -> None:
        p = net.marginal([asked], {seen: 1})
        p.mean(axis=0), np.quantile(p, [0.05, 0.95], axis=0)

    conditional(*pairs[0])
    slowest = max((timed(lambda pair=pair: conditional(*pair), 3), pair) for pair in pairs)
    asked, seen = slowest[1]

    def loop() -> None:
        shapes = [
            [3 if i in (*above, node) else 1 for i in range(8)]
            for node, above in enumerate(parents)
        ]
        found = np.empty((100, 3))
        for draw in range(100):
            whole = np.ones([3] * 8)
            for table, shape in zip(tables, shapes, strict=True):
                whole = whole * table[draw].reshape(shape)
            part = np.take(whole, [1], axis=seen)
            p = part.sum(axis=tuple(i for i in range(8) if i != asked))
            found[draw] = p / p.sum()
        np.quantile(found, [0.05, 0.95], axis=0)

    report(
        "slowest of 56 conditionals, 8 nodes x 3 states, 1,000 draws",
        slowest[0],
        "enumeration in a loop over draws, 100 of them times 10",
        10 * timed(loop, 1),
    )


def hierarchical() -> None:
    """Time the learned pool on 60,000 forecasts by 2,000 people against a logistic regression."""
    import pandas as pd
    from sklearn.linear_model import LogisticRegression

    from forecasting.pooling import Hierarchical

    rng = np.random.default_rng(0)
    questions, count = 5000, 60_000
    question = np.sort(rng.integers(0, questions, count))
    busy = rng.pareto(1.0, 2000) + 0.1
    outcome = (rng.random(questions) < 0.4).astype(float)
    log_odds = 1.5 * (2 * outcome[question] - 1) + 2 * rng.normal(size=count)
    opened = question / 3.0
    history = pd.DataFrame(
        {
            "question": question,
            "forecaster": rng.choice(2000, count, p=busy / busy.sum()),
            "forecast": np.round(20 / (1 + np.exp(-log_odds))) / 20,
            "issued_at": opened + 30 * rng.random(count),
            "outcome": outcome[question],
            "resolved_at": opened + 30,
        }
    )
    # The peer sees the same rows: the log-odds given, how old they are, and who gave them.
    who = pd.get_dummies(history["forecaster"], dtype=float, sparse=True).sparse.to_coo().tocsr()
    clipped = np.clip(history["forecast"], 0.005, 0.995)
    x = np.log(clipped / (1 - clipped)).to_numpy()
    seen = who.multiply(x[:, None]).tocsr()
    ours = timed(lambda: Hierarchical().fit(history, as_of=1e6), 3)
    theirs = timed(lambda: LogisticRegression(max_iter=1000).fit(seen, outcome[question]), 3)
    report("Hierarchical.fit, 6e4 forecasts", ours, "sklearn, a slope a person", theirs)


if __name__ == "__main__":
    for benchmark in (
        start,
        scores,
        lifetimes,
        ledger,
        single,
        refit,
        news,
        thousand,
        scenario,
        hierarchical,
    ):
        benchmark()
