"""The schema's history: one source, whole or not at all, and snapshots that follow it."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import inspect

from forecasting.domain import Effect, Evidence, parse_effect
from forecasting.domain.provenance import fits_of
from forecasting.domain.watch import Watch
from forecasting.errors import DatabaseUnusable, InvalidInput
from forecasting.resources import locate
from forecasting.store import Ledger, guard, migrate, snapshot, status, triggers, upgrade
from forecasting.store.condition import doctor
from forecasting.store.engine import connect
from forecasting.store.tables import metadata
from tests.store.samples import DAY, NOW, one_of_each

HEAD = migrate.HEAD
LATER = f"r{int(HEAD[1:]) + 1:04d}"
GOLDEN = sorted((Path(__file__).parent / "golden").glob("r*.sqlite"))
FAILING = """
from alembic import op
revision, down_revision = "{next}", "{head}"
branch_labels = depends_on = None

def upgrade():
    op.execute("CREATE TABLE later (seq INTEGER)")
    op.execute("ALTER TABLE withdrawal ADD COLUMN reason TEXT")
    op.execute("DROP TRIGGER IF EXISTS entry_guard")
    {fault}
"""

pytestmark = pytest.mark.usefixtures("as_shipped")


def dump(path):
    raw = sqlite3.connect(path)
    try:
        return list(raw.iterdump())
    finally:
        raw.close()


@pytest.fixture
def later(tmp_path, monkeypatch):
    """A program one migration ahead; give the function that says how that migration ends."""
    folder = tmp_path / "100% later" / "migrations"
    shutil.copytree(locate("migrations"), folder, ignore=shutil.ignore_patterns("__pycache__"))

    def add(fault):
        text = FAILING.format(fault=fault, next=LATER, head=HEAD)
        (folder / "versions" / f"{LATER}_later.py").write_text(text)
        monkeypatch.setattr(migrate, "locate", lambda name: folder)
        monkeypatch.setattr(migrate, "HEAD", LATER)

    return add


def test_the_committed_snapshots_follow_the_migrations():
    assert snapshot.main(["--check"]) == 0, "run python -m forecasting.store.snapshot"


def test_a_stale_snapshot_is_named(tmp_path, monkeypatch, capsys):
    (tmp_path / "migrations").mkdir()
    monkeypatch.setattr(snapshot, "locate", lambda name: tmp_path / "migrations")
    assert snapshot.main(["--check"]) == 1
    assert "schema.postgresql.sql (stale)" in capsys.readouterr().err
    assert snapshot.main([]) == 0
    assert snapshot.main(["--check"]) == 0


def test_a_fresh_database_is_the_snapshot(ledger):
    text = (locate("migrations").parent / "schema.sqlite.sql").read_text(encoding="utf-8")
    assert snapshot.dump(ledger._engine) == text


def test_the_snapshot_for_sqlite_can_be_run():
    raw = sqlite3.connect(":memory:")
    raw.executescript(snapshot.sqlite())
    count = raw.execute("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'").fetchone()
    assert count == (3 * len(triggers.LEDGER) + 1,)
    raw.close()


def test_there_is_one_head_and_the_program_knows_it():
    from alembic.script import ScriptDirectory

    assert ScriptDirectory.from_config(migrate._config()).get_heads() == [migrate.HEAD]


def test_the_tables_that_queries_see_are_the_tables_that_migrations_make(ledger):
    with ledger._engine.connect() as connection:
        inspector = inspect(connection)
        assert {*metadata.tables, "alembic_version"} == set(inspector.get_table_names())
        for name, table in metadata.tables.items():
            migrated = {
                column["name"]: (str(column["type"]), column["nullable"])
                for column in inspector.get_columns(name)
            }
            seen = {
                column.name: (column.type.compile(connection.dialect), column.nullable)
                for column in table.columns
            }
            assert list(migrated.items()) == list(seen.items()), name
            strict = connection.exec_driver_sql(
                f"SELECT strict FROM pragma_table_list WHERE name = '{name}'"
            )
            assert strict.scalar_one() == 1, name


def test_a_failing_upgrade_changes_nothing(path, later):
    with Ledger.open(str(path), create=True) as ledger:
        ledger.append(one_of_each(), recorded_at=NOW)
    before = dump(path)
    later("raise ArithmeticError('half-way')")
    with pytest.raises(DatabaseUnusable, match="db upgrade"):
        Ledger.open(str(path))
    with pytest.raises(ArithmeticError):
        upgrade(str(path))
    assert dump(path) == before
    later("op.execute('no such statement')")
    with pytest.raises(DatabaseUnusable):
        upgrade(str(path))
    assert dump(path) == before


def test_an_upgrade_renews_the_triggers_and_leaves_every_entry_as_it_was(path, later):
    """A column added later is NULL in older entries, so their form and their hashes stay."""
    with Ledger.open(str(path), create=True) as ledger:
        ledger.append(one_of_each(), recorded_at=NOW)
        digest, head = ledger.content_digest(), ledger.head()
    later("pass")
    assert upgrade(str(path)).current == LATER
    raw = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="next number"):
        raw.execute("INSERT INTO entry SELECT 99, kind, recorded_at, tool, leaf, 'f' FROM entry")
    raw.close()
    with Ledger.open(str(path)) as ledger:
        assert ledger.verify().ok
        assert (ledger.content_digest(), ledger.head()) == (digest, head)


def test_an_upgrade_of_a_current_database_changes_nothing(path):
    with Ledger.open(str(path), create=True) as ledger:
        ledger.append(one_of_each(), recorded_at=NOW)
    before = dump(path)
    assert upgrade(str(path)) == status(str(path))
    assert dump(path) == before


def test_the_status_says_where_a_database_stands(path):
    with Ledger.open(str(path), create=True) as ledger:
        assert status(str(path)).ledger_head == "0" * 64
        recorded = ledger.append(one_of_each(), recorded_at=NOW)
    state = status(str(path))
    assert state.database == str(path)
    assert (state.current, state.head) == (HEAD, HEAD)
    assert (state.entries, state.ledger_head) == (len(recorded), recorded[-1].hash)
    assert state.sqlite_version == sqlite3.sqlite_version


def test_a_failing_first_migration_leaves_no_schema(path, later):
    later("raise ArithmeticError('half-way')")
    with pytest.raises(ArithmeticError):
        Ledger.open(str(path), create=True)
    assert dump(path) == ["BEGIN TRANSACTION;", "COMMIT;"]


def test_installing_the_triggers_again_changes_nothing(ledger):
    before = snapshot.dump(ledger._engine)
    with ledger._engine.begin() as connection, guard.lifted(connection):
        triggers.install(connection)
    assert snapshot.dump(ledger._engine) == before


def test_the_schema_for_postgresql_guards_every_table():
    text = snapshot.postgresql()
    for table in triggers.LEDGER:
        for trigger in ("guard", "no_change", "no_truncate"):
            assert f"CREATE OR REPLACE TRIGGER {table}_{trigger} BEFORE" in text
    assert "%%" not in text


def test_the_migrations_do_not_import_the_program():
    """A migration must mean the same thing years later, whatever the program has become."""
    for file in locate("migrations").rglob("*.py"):
        lines = file.read_text(encoding="utf-8").splitlines()
        imports = [line for line in lines if line.startswith(("import ", "from "))]
        assert all("forecasting" not in line for line in imports), file


def test_connecting_twice_to_a_new_database_makes_one(path):
    first, second = (connect(str(path), create=True) for _ in range(2))
    migrate.bring_up(first, "first")
    migrate.bring_up(second, "second")
    first.dispose()
    second.dispose()
    assert status(str(path)).entries == 0


@pytest.fixture(params=GOLDEN, ids=lambda file: file.stem)
def frozen(request, path):
    """A database as the program of an earlier schema wrote it, and what it said of itself."""
    shutil.copy(request.param, path)
    return path, json.loads(request.param.with_suffix(".json").read_text())


def test_every_earlier_schema_has_a_frozen_database():
    assert [file.stem for file in GOLDEN] == [f"r{n:04d}" for n in range(1, int(HEAD[1:]))]


def test_a_database_of_an_earlier_schema_is_upgraded_and_then_used(frozen):
    path, golden = frozen
    for use in (Ledger.open, lambda url: Ledger.open(url, create=True)):
        with pytest.raises(DatabaseUnusable, match="forecast db upgrade"):
            use(str(path))
    state = upgrade(str(path))
    assert (state.current, state.entries, state.ledger_head) == (
        HEAD,
        golden["entries"],
        golden["head"],
    )
    with Ledger.open(str(path)) as ledger:
        assert ledger.verify().ok
        assert ledger.content_digest() == golden["digest"]
        kinds = {ledger.entry(seq).value.__class__ for seq in range(1, golden["entries"] + 1)}
        assert len(kinds) == golden.get("kinds", 7)
        later = ledger.append(one_of_each(), recorded_at=NOW + 30 * DAY)
        assert later[0].seq == golden["entries"] + 1
        assert ledger.content_digest(head=golden["entries"]) == golden["digest"]
        watched = [watch.until for watch in ledger.watches()]
        ledger.append([Watch("truce", NOW, watcher="ana")], recorded_at=NOW + 31 * DAY)
        assert [watch.until for watch in ledger.watches()] == [*watched, NOW]
        assert ledger.questions()[0].answer == ""
        assert ledger.questions()[0].space.zero_point is None
        assert ledger.verify().ok
    assert [item for item in doctor(str(path)) if not item["ok"]] == []


def test_the_frozen_databases_hold_runs_of_families_that_are_gone_and_read_them(frozen):
    """A forecast keeps its run, whatever models there are now."""
    path, _ = frozen
    upgrade(str(path))
    with Ledger.open(str(path)) as ledger:
        runs = {run.seq: run for run in ledger.model_runs()}
        assert {run.family for run in runs.values()} == {"staged"}
        fitted = [f for f in ledger.forecasts() if f.model_run is not None]
        assert fitted
        assert all(runs[f.model_run].passed and fits_of(runs[f.model_run]) == {} for f in fitted)


def test_the_schema_of_an_upgraded_database_is_that_of_a_fresh_one(frozen, tmp_path):
    path, _ = frozen
    upgrade(str(path))
    with (
        Ledger.open(str(path)) as upgraded,
        Ledger.open(str(tmp_path / "fresh.db"), create=True) as fresh,
    ):
        assert snapshot.dump(upgraded._engine) == snapshot.dump(fresh._engine)
        with upgraded._engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []


def test_an_effect_of_every_form_is_recorded_and_of_no_other(ledger):
    assert triggers.FORMS == ("likelihood", "stance", "datum", "bears")
    texts = ("0.6/0.15", "stance=0.7", "stance=-2", "stance=1.0", "delivered=205")
    effects = (*(parse_effect("truce", text) for text in texts), Effect("truce", "bears", {}))
    item = Evidence("n1", "report", "A view", "desk", NOW, effects)
    (recorded,) = ledger.append([item], recorded_at=NOW)
    assert recorded.value.effects == ledger.evidence()[0].effects == effects
    assert ledger.verify().ok
    hunch = Evidence("n2", "report", "A view", "desk", NOW, (Effect("truce", "hunch", {}),))
    with pytest.raises(InvalidInput, match="no such form of effect"):
        ledger.append([hunch], recorded_at=NOW)
