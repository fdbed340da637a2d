"""What may be watched, and what is refused at the door; the command and the book say the same."""

import datetime as dt
import json
from dataclasses import replace

import pytest

from forecasting import clock
from forecasting.app.upkeep import banks
from forecasting.app.world import processes as use
from forecasting.cli import run
from forecasting.domain.process import ProcessSpec, WorldSpec, is_over
from forecasting.domain.watch import Watch
from forecasting.errors import InvalidInput, NotFound
from forecasting.evidence.history import records
from forecasting.store import Ledger
from tests.app.small_world import WORLD as SMALL_WORLD
from tests.store.samples import binary

NOW = dt.datetime(2026, 11, 28, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
STREAM = dt.datetime(2026, 8, 22, tzinfo=dt.UTC)


def process(name, **more):
    return ProcessSpec(name, "states", ("none", "on"), (), **more)


WORLD = WorldSpec(
    {
        "truce": process("truce", watched=STREAM, title="Truce for energy sites"),
        "convoy": process("convoy", zone="Asia/Tokyo"),
        "relief": process("relief", watched=STREAM),
    }
)


def look(ledger, *names, until=NOW, now=NOW, **more):
    arguments = {"who": "ana", "world": WORLD} | more
    return use.watch(ledger, names, until=until, now=now, **arguments)


def test_a_watch_is_recorded_in_the_name_of_who_looked(ledger):
    (row,) = look(ledger, "truce", until=NOW - DAY, because=" the wires ")
    entry = ledger.entry(1)
    expected = {"process": "truce", "until": NOW - DAY, "watcher": "ana", "because": "the wires"}
    assert row == {"seq": 1, "id": entry.id, "recorded_at": NOW} | expected
    assert ledger.watches() == (Watch("truce", NOW - DAY, "the wires", NOW, 1, "ana"),)


def test_every_process_is_watched_in_one_transaction(ledger):
    rows = look(ledger, every=True)
    assert [row["process"] for row in rows] == ["truce", "convoy", "relief"]
    assert [one.until for one in ledger.watches()] == [NOW] * 3
    with pytest.raises(NotFound):
        look(ledger, "truce", "convoi", now=NOW + DAY, until=NOW + DAY)
    assert ledger.head().seq == 3
    assert [row["process"] for row in look(ledger, "relief", "relief")] == ["relief"]


@pytest.mark.parametrize(
    ("names", "more", "kind", "words", "hint"),
    [
        (["convoi"], {}, NotFound, "no process named convoi", "convoy"),
        (["zzz"], {}, NotFound, "no process named zzz", "forecast watch"),
        (["truce"], {"until": NOW + DAY}, InvalidInput, "lies in the future", "until="),
        (["truce"], {"until": NOW - 3 * DAY}, InvalidInput, "does not go backwards", "watch"),
        ([], {"every": True, "until": NOW - 3 * DAY}, InvalidInput, "go backwards", "watch"),
        ([], {}, InvalidInput, "name the processes that you looked at", "--all"),
        (["truce"], {"every": True}, InvalidInput, "name processes or watch all", "--all"),
        (["truce"], {"world": WorldSpec({})}, InvalidInput, "the bank has no process", "check"),
        (["truce"], {"because": "x" * 20_001}, InvalidInput, "at most", ""),
    ],
)
def test_what_cannot_be_watched_is_refused_in_one_line(ledger, names, more, kind, words, hint):
    look(ledger, "truce", until=NOW - 2 * DAY)
    with pytest.raises(kind) as refused:
        look(ledger, *names, **more)
    assert words in str(refused.value)
    assert hint in refused.value.hint
    assert "\n" not in str(refused.value)
    assert ledger.head().seq == 1


def test_a_watch_does_not_go_behind_that_of_the_file(ledger):
    with pytest.raises(InvalidInput, match="relief is watched until 2026-08-22") as refused:
        look(ledger, "relief", until=STREAM - DAY)
    assert (refused.value.exit_code, len(ledger.watches())) == (2, 0)
    look(ledger, "relief", until=STREAM)
    # To a clock that is told, what the file says of later days is not yet known.
    early = STREAM - 9 * DAY
    look(ledger, "truce", until=early, now=early)
    assert {row["until"] for row in use.rows(ledger, now=early, world=WORLD)} >= {early}


def test_the_same_end_is_no_step_backwards_whoever_looks(ledger):
    look(ledger, "truce", until=NOW - DAY)
    look(ledger, "truce", until=NOW - DAY, who="ben")
    assert [one.watcher for one in ledger.watches()] == ["ana", "ben"]


def test_the_listing_gives_the_end_of_each_watch_the_oldest_first(ledger):
    ledger.append([binary()], recorded_at=NOW - 9 * DAY)
    look(ledger, "truce", until=NOW - 8 * DAY, now=NOW - 7 * DAY)
    look(ledger, "truce", until=NOW - 5 * DAY, now=NOW - DAY)
    ledger.append([Watch("relief", STREAM - DAY)], recorded_at=NOW - DAY)
    rows = use.rows(ledger, now=NOW, world=WORLD)
    assert [(row["process"], row["until"], row["days"], row["watcher"]) for row in rows] == [
        ("convoy", None, None, ""),
        ("relief", STREAM, 98, "bank"),
        ("truce", NOW - 5 * DAY, 5, "ana"),
    ]
    assert [row["recorded_at"] for row in rows] == [None, None, NOW - DAY]
    rows_without = use.rows(ledger, now=NOW, world=WorldSpec({"convoy": WORLD.processes["convoy"]}))
    assert [row["process"] for row in rows_without] == ["convoy", "relief", "truce"]


@pytest.fixture
def banked(monkeypatch, tmp_path):
    """The bank has this world, now is fixed; give a database."""
    monkeypatch.setattr(banks, "world_of", lambda ledger: WORLD)
    path = str(tmp_path / "ledger.db")
    Ledger.open(path, create=True).close()
    with clock.at(NOW):
        yield path


def test_a_day_that_is_not_over_is_watched_until_now(ledger):
    """As the paths and the page of the world have it; never days that are yet to come."""
    early = STREAM - DAY / 8
    since = {name: replace(WORLD.processes[name], since=STREAM - DAY) for name in WORLD.processes}
    by_process = records(WorldSpec(since), (), early, watched={}, made={})
    listed = {row["process"]: row for row in use.rows(ledger, now=early, world=WorldSpec(since))}
    for name in ("truce", "relief"):
        assert listed[name]["until"] == by_process[name].free == early
        assert listed[name]["days"] == 0


def ask(path, capsys, *words, code=0):
    assert run(["watch", *words, "--db", path, "--as", "ana"]) == code, capsys.readouterr().err
    return capsys.readouterr()


def test_the_command_records_lists_and_speaks_json(banked, capsys):
    rows = json.loads(ask(banked, capsys, "--all", "--until", "2026-11-20", "--json").out)
    assert [row["until"] for row in rows] == ["2026-11-21T00:00:00Z"] * 3  # midnight in UTC
    rows = json.loads(ask(banked, capsys, "convoy", "--until", "2026-11-21", "--json").out)
    assert rows[0]["until"] == "2026-11-21T15:00:00Z"  # midnight of the process, in Tokyo
    output = ask(banked, capsys, "truce", "--because", "the wires")
    assert "1 watched" in output.err
    assert "2026-11-28 12:00Z" in output.out
    listed = json.loads(ask(banked, capsys, "--json").out)
    assert {row["process"]: row["days"] for row in listed} == {"relief": 7, "convoy": 6, "truce": 0}
    assert list(listed[0])[:2] == ["process", "title"]
    table = ask(banked, capsys).out
    for heading in ("process", "until", "recorded at", "days"):
        assert heading in table


def test_a_bank_without_a_world_has_nothing_to_watch():
    with Ledger.open("sqlite:///:memory:", create=True) as ledger:
        assert banks.world_of(ledger) == WorldSpec({})


@pytest.mark.parametrize(
    ("name", "state", "over"),
    [
        *(("truce", "on", False), ("guarantees", "firm", True), ("convoy", "waiting", False)),
        *(
            ("election", "held", False),
            ("detainees", "stalled", False),
            ("detainees", "done", True),
        ),
    ],
)
def test_nothing_is_left_to_watch_where_no_way_leads_out(name, state, over):
    assert is_over(SMALL_WORLD.processes[name], state) is over
