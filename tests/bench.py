"""Benchmarks: each a ratio to a named peer or floor, measured in the same process and minute."""

import datetime as dt
import sqlite3
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from statistics import median

import numpy as np

from tests.bench_floors import as_it_is, least, same_rows, track_record

#: A forecast as a bare table would keep it.
TABLE = "CREATE TABLE f (seq INTEGER PRIMARY KEY, q TEXT, who TEXT, p REAL, at TEXT, h TEXT)"
INSERT = "INSERT INTO f (q, who, p, at, h) VALUES (?, ?, ?, ?, ?)"
ROW = ("q", "ana", 0.5, "2026-01-01T00:00:00Z", "0" * 64)


def timed(work, repeats, clock=time.perf_counter):
    """Give the median seconds of some repeats, by a clock."""
    seconds = []
    for _ in range(repeats):
        began = clock()
        work()
        seconds.append(clock() - began)
    return median(seconds)


def report(what, ours, peer, theirs):
    """Print one ratio: below 1 is faster than the peer."""
    sys.stdout.write(
        f"{what:52s} {ours / theirs:10.3f} x {peer}   ({ours:.4f} s : {theirs:.4f} s)\n"
    )


def start():
    """Time two commands as whole processes against importing what they cannot do without."""
    python = sys.executable

    def process(*words):
        return timed(lambda: subprocess.run([python, *words], capture_output=True, check=True), 9)

    report(
        "start: forecast --help (at most 1.6)",
        process("-m", "forecasting", "--help"),
        "import click",
        process("-c", "import click"),
    )
    with tempfile.TemporaryDirectory() as folder:
        forecast = ("-m", "forecasting", "--db", str(Path(folder) / "forecasts.db"))
        for made in (
            ("init", folder),
            ("ask", "Will it last?", "0.5", "--by", "2099-01-01", "--slug", "last"),
        ):
            subprocess.run([python, *forecast, *made], capture_output=True, check=True)
        report(
            "forecast log as a process (at most 1.5)",
            process(*forecast, "log", "last", "0.03"),
            "import sqlalchemy.orm, click",
            process("-c", "import sqlalchemy.orm, click"),
        )


def today():
    """Time today's view and the list of 10,000 questions, with three forecasts each."""
    from forecasting.app.upkeep.banks import told_of
    from forecasting.bank import Bank
    from forecasting.domain import Basis, Forecast, ModelChoice, OutcomeSpace, Question
    from forecasting.domain.forecast import binary_value
    from forecasting.store import Ledger

    now = dt.datetime.now(dt.UTC)
    day = dt.timedelta(days=1)
    words = ("t", "e", (), Basis("context", ()), ModelChoice("none", "none", "", {}))
    questions = [
        Question(
            f"q-{k}", f"Will number {k} happen?", "As it says.", "", OutcomeSpace.binary(), "UTC",
            now - 30 * day, *[now + (k % 200 + 1) * day] * 2, *words,
        )
        for k in range(10_000)
    ]  # fmt: skip
    forecasts = [
        Forecast(
            q.id, q.wording_hash, who, binary_value(f"0.{k % 90 + 10}"), now - ago * day, "live"
        )
        for k, q in enumerate(questions)
        for who, ago in (("model", 12), ("ana", 10), ("model", 1))
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "many.db")
        with Ledger.open(path, create=True) as held:
            # As `init` leaves it; without, the bank of the package is read for its zone.
            held.append(told_of(held, Bank()), recorded_at=now - 20 * day)
            held.append(questions, recorded_at=now - 20 * day)
            held.append(forecasts, recorded_at=now)
        for words_said in ((), ("due",), ("questions", "list")):
            command = (sys.executable, "-m", "forecasting", "--db", path, "--as", "ana")
            ours = timed(
                lambda more=words_said, start=command: subprocess.run(
                    [*start, *more], capture_output=True, check=True
                ),
                3,
            )
            what = " ".join(("forecast", *words_said))
            report(f"{what}, 10,000 questions", ours, "1 s", 1.0)


def scores():
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


def season(forecasts, questions, forecasters):
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

    def moment(seconds):
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


def lifetimes():
    """Time lifetime scores of a million forecasts against a Python loop over questions."""
    from forecasting.scoring import lifetime

    frame = season(1_000_000, 100_000, 1_000)
    ours = timed(lambda: lifetime.score(frame), 3)
    some = frame[frame["question"] < 200]

    def loop():
        for _, part in some.groupby("question"):
            lifetime.score(part)

    theirs = timed(loop, 1) * 100_000 / some["question"].nunique()
    report("lifetime, 1e6 forecasts on 1e5 questions", ours, "a loop over questions", theirs)
    plain = frame[frame["question"] < 2_000]

    def by_hand():
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


def ledger():
    """Time appending forecasts against a bare executemany with the same pragmas."""
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
        bare.execute(TABLE)

        def insert():
            bare.executemany(INSERT, [ROW] * count)
            bare.commit()

        theirs = timed(insert, 3)
        bare.close()
        same = same_rows(Path(folder) / "a.db", Path(folder) / "c.db", count)
    what = f"append {count} forecasts, hashed and chained"
    report(what, ours, "bare executemany, six columns", theirs)
    report(what, ours, "bare executemany of the same rows, same guards", same)


def single():
    """Time one durable append of one forecast against a bare insert with the same pragmas.

    The two take turns, for what a sync of the disk takes changes from minute to minute.
    """
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
        bare.execute(TABLE)

        def insert():
            bare.execute("BEGIN IMMEDIATE")
            bare.execute(INSERT, ROW)
            bare.execute("COMMIT")

        with Ledger.open(str(Path(folder) / "a.db"), create=True) as opened:
            turns = [
                (timed(lambda: opened.append(said, recorded_at=now), 1), timed(insert, 1))
                for _ in range(300)
            ]
        bare.close()
    ours, theirs = (median(seconds) for seconds in zip(*turns, strict=True))
    report("one durable append, median of 300", ours, "a bare insert, same pragmas", theirs)


def imports():
    """Time a track record from its file to its commit against what its rows alone need.

    All in seconds of CPU, of the user and of the system, for others use the machine too. The two
    take turns; the strictest floor inserts the table's own columns and nothing else.
    """
    for count, turns in ((200_000, 3), (1_000_000, 1)):
        with tempfile.TemporaryDirectory() as folder:
            table = track_record(Path(folder), count)
            found = [import_turn(table, Path(folder) / str(turn)) for turn in range(turns)]
        new, again, own, stored_rows, guarded = map(median, zip(*found, strict=True))
        what = f"import {count:,} forecasts from a table"
        floor = "read, SHA-256 of a row, bare executemany of"
        report(f"{what} (at most 5)", new, f"{floor} the table's own columns", own)
        report(what, new, f"{floor} all stored columns", stored_rows)
        report(f"{what} again, 0 added", again, f"{floor} the table's own columns", own)
        # What of the ratio is SQLite's with every index, check and guard, and cannot be ours.
        report("of it, executemany of the same rows, same guards", guarded, "the first floor", own)


def import_turn(table, folder):
    """Give the seconds of an import, of the same again, and of the three floors."""
    from forecasting.app.ledger.importing import import_record
    from forecasting.store import Ledger

    folder.mkdir()
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    with Ledger.open(str(folder / "a.db"), create=True) as opened:
        new, again = (
            timed(lambda: import_record(opened, table, "csv", now=now), 1, time.process_time)
            for _ in range(2)
        )
    own = as_it_is(table, folder / "b.db")
    whole = least(table, folder / "a.db", folder / "c.db")
    guarded = same_rows(folder / "a.db", folder / "d.db", 2**31, time.process_time)
    return new, again, own, whole, guarded


def graphs():
    """Give the three graphs, each with simulated data of about the bank's size."""
    from forecasting.models.deliveries import Deliveries
    from forecasting.models.rates import Rates
    from forecasting.models.spells import Spells
    from tests.models.oracles import simulated

    rng = np.random.default_rng(1)
    rates = {"counts": rng.poisson(1.0, 30).astype(float), "exposures": rng.uniform(50, 1500, 30)}
    return [
        (Rates(), rates),
        (Spells("formal-end"), simulated(Spells("formal-end"), rng)[1]),
        (Deliveries(), simulated(Deliveries(), rng)[1]),
    ]


def fresh(graph, data):
    """Time a fresh `pm.sample` of a graph on data: what compiling it each time costs."""
    import pymc as pm

    module = import_module("forecasting.inference.fit")
    pack, packed = module.pack, []
    module.pack = lambda *given, **named: packed.append(pack(*given, **named)) or packed[-1]
    try:
        graph.fit(data, graph.default_priors(), 1)
    finally:
        module.pack = pack

    def sample():
        with graph.build_model():
            pm.set_data({"inputs": packed[0]})
            pm.sample(draws=1000, tune=500, chains=4, random_seed=1, progressbar=False, quiet=True)

    return timed(sample, 1)


def refit():
    """Time a warm refit of each graph against a fresh pm.sample of it; give the seconds of all."""
    from forecasting.inference import compile_count

    total = 0.0
    for graph, data in graphs():
        priors = graph.default_priors()
        graph.fit(data, priors, 1)
        before = compile_count()
        ours = timed(lambda g=graph, d=data, p=priors: g.fit(d, p, 2), 5)
        theirs = fresh(graph, data)
        total += theirs
        what = f"warm refit of {graph.family}, {compile_count() - before} compiled"
        report(what, ours, "a fresh pm.sample", theirs)
    return total


def world():
    """Time the bank's world: a year, a news item, what-if, explain, a move, and its memory.

    The peer of what has none is the second, or the megabyte, that it may take.
    """
    import tracemalloc
    from dataclasses import replace

    from forecasting import clock
    from forecasting.app.book import open_book
    from forecasting.app.forecast.explain import Explanation
    from forecasting.app.forecast.predict import OWN, Predictor
    from forecasting.app.world import scenario
    from forecasting.bank.usable import bundled_bank
    from forecasting.domain import Effect, Evidence
    from forecasting.domain.catalog import Catalog
    from forecasting.domain.watch import Watch
    from forecasting.models.world.simulate import simulate

    sampled = refit()
    bank = bundled_bank()
    now = dt.datetime(2026, 8, 22, 12, tzinfo=dt.UTC)
    catalog = Catalog({question.id: question for question in bank.questions}, {})
    looked = [Watch(name, now) for name in bank.world.processes]
    seeds = iter(range(10_000))

    def predictor(*more):
        return Predictor(catalog, [*bank.evidence, *more], bank, seed=0, watches=looked)

    standing = predictor()
    asked = catalog.open_at(now)
    plain = [q for q in asked if standing.asks[q.id].given is None]
    standing.one(OWN[0], asked, now)

    def run(one):
        return one.model.run(OWN[0], plain, one.at(now), until=now + dt.timedelta(days=365))

    found = run(standing)
    year = found.world.day(now) + 365.0
    ours = timed(lambda: simulate(found.world, year, seed=next(seeds)), 5)
    size = f"{len(found.world.processes)} processes, {found.world.draws:,} paths, a year"
    report(f"simulate: {size}", ours, "1 s", 1.0)

    # Cost by move: all rates four times as fast fire about four times as many moves.
    quick = replace(
        found.world,
        processes=tuple(
            replace(p, moves=tuple(replace(m, rate=np.asarray(m.rate) * 4.0) for m in p.moves))
            for p in found.world.processes
        ),
    )
    slow, fast = (len(simulate(one, year, seed=0).rows.time) for one in (found.world, quick))
    more = timed(lambda: simulate(quick, year, seed=next(seeds)), 5)
    many, few = 1e6 * more / fast, 1e6 * ours / slow
    report(f"a million moves, of {fast:,}", many, f"a million, of {slow:,}", few)

    tracemalloc.start()
    simulate(found.world, year, seed=1)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    report("memory of that simulation, MB by tracemalloc", peak, "400 MB", 400.0)

    effect = Effect("deal=soft-text", "likelihood", {"a": 0.6, "b": 0.3, "u": 0.45})
    number = iter(range(10_000))
    base = list(standing.evidence)

    def item():
        known = now - dt.timedelta(minutes=next(number) + 1)
        added = Evidence("new", "report", "n", "wire", known_at=known, effects=(effect,), grade="B")
        standing.evidence = (*base, added)
        for kept in (standing.model._answers, standing.model._runs, standing.model._learned):
            kept.clear()
        touched = [q for q in asked if standing.model.touching(q, [added])]
        standing.one(OWN[0], touched, now)

    ours = timed(item, 5)
    standing.evidence = tuple(base)
    report("a news item to all that it touches", ours, "0.5 s", 0.5)
    report("a news item to all that it touches", ours, "pm.sample of the three graphs", sampled)

    with tempfile.TemporaryDirectory() as folder, clock.at(now):
        book = open_book(str(Path(folder) / "bench.db"), create=True)
        live = scenario.live(book.ledger, now=now)
        book.close()
    sets = bank.scenarios[0]
    given = "guarantees-2026=firm"
    live.what_if([given], [], sets)
    ours = timed(lambda: live.what_if([given], [], sets), 3)
    report(f"what-if --given {given}, all questions and scenarios", ours, "1 s", 1.0)
    question = catalog.questions["general-ceasefire-2026@2026-12-31"]
    ours = timed(lambda: Explanation(predictor(), question, now, 0).as_dict(), 3)
    report("explain, in process", ours, "2 s", 2.0)


def learned_pool():
    """Time the learned pool on 60,000 forecasts by 2,000 people against a logistic regression."""
    import pandas as pd
    from sklearn.linear_model import LogisticRegression

    from forecasting.pooling import LearnedPool

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
    ours = timed(lambda: LearnedPool().fit(history, as_of=1e6), 3)
    theirs = timed(lambda: LogisticRegression(max_iter=1000).fit(seen, outcome[question]), 3)
    report("LearnedPool.fit, 6e4 forecasts", ours, "sklearn, a slope a person", theirs)


if __name__ == "__main__":
    for benchmark in (
        start,
        today,
        scores,
        lifetimes,
        ledger,
        single,
        imports,
        world,
        learned_pool,
    ):
        benchmark()
