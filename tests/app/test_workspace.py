"""A workspace: made, found from below, completed, with no other bank than its own."""

import datetime as dt
import re

import pytest

import forecasting as fc
from forecasting import config
from forecasting.app.book import Book
from forecasting.app.upkeep import banks
from forecasting.app.upkeep.banks import load_bank, zone_of
from forecasting.app.upkeep.workspace import init
from forecasting.bank import check, read_bank, usable
from forecasting.errors import DatabaseUnusable, InvalidInput

NOW = dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)
WORLD = """\
zone: Africa/Khartoum
processes:
  pause:
    moves: {none > on: once in 8 mo, on > none: "median 60 d (15..240)"}
    since 2026-01-01: none
    2026-10-10: on
  convoy: {event: 3 in 70 weeks, since 2026-01-01: ""}
questions:
  convoy-2027: {title: Will a convoy arrive?, closes: 2027-01-31, answer: convoy by close}
"""


def initialised(folder, **more):
    return init(folder, now=NOW, **more)


@pytest.fixture
def sudan(tmp_path, monkeypatch):
    """A workspace with a bank of its own, in which one stands."""
    place = tmp_path / "sudan"
    initialised(place, forecaster="ana")
    (place / "questions" / "worlds" / "world.yaml").write_text(WORLD, encoding="utf-8")
    monkeypatch.chdir(place)
    return place


def test_a_new_workspace_has_a_settings_file_an_empty_bank_and_a_database(tmp_path):
    row = initialised(tmp_path / "a", forecaster='an "a"')
    assert (row["created"], row["questions"], row["added"]) == (True, 0, 0)
    assert {path.name for path in (tmp_path / "a").iterdir()} >= {
        "forecast.toml",
        "questions",
        "forecasts.db",
    }
    assert config.stated(tmp_path / "a")["forecaster"] == 'an "a"'
    bank = read_bank(tmp_path / "a" / "questions")
    assert bank.problems == ()
    assert bank.questions == ()
    assert not bank.world.processes


def test_the_commented_world_is_sound_once_its_marks_are_taken_away(tmp_path):
    initialised(tmp_path)
    file = tmp_path / "questions" / "worlds" / "world.yaml"
    text = file.read_text(encoding="utf-8")
    lines = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# ")][1:]
    file.write_text("\n".join(lines), encoding="utf-8")
    bank = read_bank(tmp_path / "questions")
    assert bank.problems == ()
    assert set(bank.world.processes) == {"truce", "convoy"}
    assert len(bank.world.links) == 1


def test_a_workspace_is_found_from_below_and_a_flag_or_a_variable_wins(sudan, monkeypatch):
    below = sudan / "notes" / "deep"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    chosen = config.database()
    assert chosen.origin == "workspace"
    assert config.sqlite_path(chosen.value) == sudan / "forecasts.db"
    assert config.forecaster().value == "ana"
    monkeypatch.setenv("FORECASTING_DATABASE_URL", "other.db")
    monkeypatch.setenv("FORECASTING_FORECASTER", "ben")
    assert (config.database().origin, config.forecaster().value) == ("environment", "ben")
    assert config.database("mine.db").origin == "flag"
    assert config.forecaster("cat").value == "cat"


def test_init_again_as_somebody_else_is_refused_and_not_ignored(sudan):
    before = (sudan / "forecast.toml").read_text()
    with pytest.raises(InvalidInput, match=r"forecaster \(bob\): .*forecast.toml says ana"):
        initialised(sudan, forecaster="bob")
    initialised(sudan, forecaster="ana")
    assert (sudan / "forecast.toml").read_text() == before


def test_init_again_loads_what_is_new_and_then_nothing(sudan):
    first = initialised(sudan)
    assert (first["created"], first["added"], first["evidence"]) == (False, 1, 1)
    again = initialised(sudan)
    assert (again["added"], again["changed"], again["evidence"]) == (0, 0, 0)
    with Book.open() as book:
        assert len([s for s in book.ledger.setups() if s.subject == "bank"]) == 2


def test_a_question_without_an_opening_keeps_the_one_it_was_added_with(sudan):
    initialised(sudan)
    with Book.open() as book:
        (question,) = book.ledger.questions()
        later = read_bank(sudan / "questions", now=NOW + dt.timedelta(days=9))
        assert later.questions[0].opens != question.opens
        counts = load_bank(book.ledger, later, NOW + dt.timedelta(days=9))
        assert counts["changed"] == 0
        assert book.ledger.questions() == [question]


def test_the_models_use_the_bank_of_the_database_and_no_other(sudan, monkeypatch, tmp_path):
    initialised(sudan)
    # Not where one stands decides, but what the database was told.
    monkeypatch.chdir(tmp_path)
    with Book.open(str(sudan / "forecasts.db")) as book:
        assert set(banks.bank_of(book.ledger).world.processes) == {"pause", "convoy"}
        assert zone_of(book.ledger) == "Africa/Khartoum"
        assert not banks.changed_since(book.ledger, banks.bank_of(book.ledger))
        (sudan / "questions" / "worlds" / "more.yaml").write_text("processes: {}\n")
        assert banks.changed_since(book.ledger, banks.bank_of(book.ledger))


def test_a_moved_workspace_keeps_its_bank(sudan, tmp_path, monkeypatch):
    initialised(sudan)
    monkeypatch.chdir(tmp_path)
    sudan.rename(tmp_path / "moved")
    with Book.open(str(tmp_path / "moved" / "forecasts.db")) as book:
        assert "pause" in banks.bank_of(book.ledger).world.processes


def test_a_bank_that_is_gone_is_said(sudan):
    initialised(sudan)
    (sudan / "questions").rename(sudan / "elsewhere")
    with Book.open() as book, pytest.raises(InvalidInput, match="is missing"):
        banks.bank_of(book.ledger)


def test_an_example_is_copied_whole_and_never_over_a_bank(sudan, tmp_path):
    (name,) = usable.examples()
    initialised(tmp_path / "example", example=name)
    copied = read_bank(tmp_path / "example" / "questions")
    assert copied.digest == usable.bundled_bank().digest
    with pytest.raises(InvalidInput, match="not empty"):
        initialised(sudan, example=name)
    with pytest.raises(InvalidInput, match="no such example"):
        initialised(tmp_path / "b", example="atlantis")
    assert not (tmp_path / "b").exists()


def test_a_bank_with_faults_leaves_no_database(sudan):
    (sudan / "forecasts.db").unlink()
    (sudan / "questions" / "worlds" / "world.yaml").write_text("processes: 3\n")
    with pytest.raises(InvalidInput, match="faults"):
        initialised(sudan)
    assert not (sudan / "forecasts.db").exists()


@pytest.mark.parametrize("text", ["bank = 3\n", "banc = 'q'\n", "zone =\n", "\0"])
def test_a_broken_settings_file_is_named_with_its_place(sudan, text):
    (sudan / "forecast.toml").write_text(text)
    with pytest.raises(InvalidInput) as fault:
        config.database()
    assert str(sudan / "forecast.toml") in (fault.value.where or "")


#: What belongs to one conflict, and so into a bank.
ONE_CONFLICT = re.compile(
    r"kyiv|ukrain|russia|kremlin|donbas|donetsk|moscow|zelensk|\bputin\b|truces-(claim|formal)|"
    r"truce-extensions|peace-agreements",
    re.IGNORECASE,
)


def test_nothing_about_one_conflict_stands_in_the_program(root):
    lines = [
        f"{path.relative_to(root)}:{number}: {line.strip()}"
        for path in sorted((root / "forecasting").rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if ONE_CONFLICT.search(line)
    ]
    assert lines == []


def test_no_question_or_process_of_the_example_stands_in_help_hints_or_docstrings(root):
    """A hint that names one cannot be pasted anywhere else."""
    bank = usable.bundled_bank()
    names = {*bank.world.processes, *bank.scenarios, *bank.texts, *bank.worldviews}
    names = {getattr(name, "slug", name) for name in names if isinstance(name, str)}
    names |= {q.id.partition("@")[0] for q in bank.questions}
    # A single word, such as talks or zone, may be said of any conflict.
    wanted = sorted(name for name in names if "-" in name)
    assert {"leaders-meet", "exchange-1000-2025", "guarantees-2026", "black-sea"} <= set(wanted)
    pattern = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, wanted))})(?![\w-])")
    places = [
        f"{path.relative_to(root)}: {match[1]}"
        for path in sorted((root / "forecasting").rglob("*"))
        if path.suffix in {".py", ".j2", ".js", ".css", ".md", ".json", ".yaml", ".toml", ".csv"}
        for match in pattern.finditer(path.read_text(encoding="utf-8"))
    ]
    assert places == []


def test_a_database_that_is_not_there_is_not_made_by_opening_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORECASTING_HOME", str(tmp_path / "home"))
    for named in (str(tmp_path / "typo.db"), None):
        with pytest.raises(DatabaseUnusable, match=r"no database at .*forecasting.init\(FOLDER\)"):
            fc.open(named)
    assert [path.name for path in tmp_path.rglob("*.db")] == []
    # An empty one that is there stays as it is, too.
    fc.Book.open("empty.db", create=True).close()
    with fc.open("empty.db") as book:
        assert book.ledger.head().seq == 0
    with fc.open("typo.db", create=True) as book:
        assert book.ledger.head().seq > 0


LATER = "2026-11-28T12:00:00Z"
YEAR, MONTH = 365.25, 365.25 / 12
SIX = """\
watched: 2026-11-28
processes:
  convoy: {event: 3 in 70 weeks, since 2026-11-28: ""}
  raid: {event: 0 in 2 y, since 2026-11-28: ""}
  truce: {moves: {none > on: once in 8 mo}, since 2026-11-28: none}
  corridor: {moves: {shut > open: 1 in 3 y}, since 2026-11-28: shut}
  siege: {moves: {on > lifted: once in 2 y}, since 2026-11-28: on}
  talks: {event: 2 in 1 y, since 2026-11-28: ""}
questions:
  convoy-2027: {title: Will a convoy arrive?, closes: 2027-06-30, answer: convoy by close}
  raid-2027: {title: Will there be a raid?, closes: 2027-06-30, answer: raid by close}
  truce-2027: {title: Will a truce begin?, closes: 2027-06-30, answer: truce=on by close}
  corridor-2027: {title: Will it open?, closes: 2027-06-30, answer: corridor=open by close}
  siege-2027: {title: Does the siege go on?, closes: 2027-06-30, answer: siege=on through close}
  talks-2027: {title: Will they meet?, closes: 2027-06-30, answer: talks by close}
"""
#: Cases, and days; the answer is that something happens, but for the siege.
RATES = {
    "convoy-2027": (3.5, 490.0),
    "raid-2027": (0.5, 2 * YEAR),
    "truce-2027": (1.0, 8 * MONTH),
    "corridor-2027": (1.5, 3 * YEAR),
    "siege-2027": (1.0, 2 * YEAR),
    "talks-2027": (2.5, YEAR),
}


def test_six_processes_on_one_screen_come_out_as_by_hand(tmp_path, monkeypatch):
    assert len(SIX.splitlines()) <= 24
    assert max(map(len, SIX.splitlines())) <= 100
    monkeypatch.setenv("FORECASTING_NOW", LATER)
    with fc.init(tmp_path / "sudan", forecaster="ana") as book:
        folder = tmp_path / "sudan" / "questions"
        (folder / "worlds" / "world.yaml").write_text(SIX)
        assert check(read_bank(folder)) == []
        book.reload()
        table = book.update().set_index("question")
    ahead = dt.datetime(2027, 7, 1, tzinfo=dt.UTC) - dt.datetime(2026, 11, 28, 12, tzinfo=dt.UTC)
    days = ahead / dt.timedelta(days=1)
    assert table["logged"].all()
    for name, (cases, seen) in RATES.items():
        quiet = (seen / (seen + days)) ** cases
        right = quiet if name.startswith("siege") else 1 - quiet
        assert table.loc[name, "after"] == pytest.approx(right, abs=0.01), name
