"""The same ledger on PostgreSQL: the same laws, hashes and refusals, on a server of our own."""

# The laws imported from the other files are collected here again, with the fixtures of this one.
# ruff: noqa: F401

import json
import re
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from forecasting.cli import run
from forecasting.errors import DatabaseUnusable, InvalidInput
from forecasting.store import Ledger, backup, migrate, restore, status, triggers, upgrade
from forecasting.store.condition import doctor
from tests import databases
from tests.store import attacks
from tests.store.samples import NOW, binary, fill, one_of_each
from tests.store.test_chain import (
    test_an_empty_ledger_has_a_head_of_zeros,
    test_an_entry_hashes_as_anyone_can_work_out_from_its_text,
    test_the_two_spellings_of_a_letter_are_one,
    test_two_rationales_alike_have_commitments_unlike,
)
from tests.store.test_migrations import test_an_effect_of_every_form_is_recorded_and_of_no_other
from tests.store.test_round_trip import (
    BAD,
    test_a_forecast_may_name_a_model_run_of_its_own_batch,
    test_a_head_hides_whatever_came_after_it,
    test_a_reference_to_no_earlier_model_run_is_refused_and_nothing_is_written,
    test_an_ambiguous_id_names_the_candidates,
    test_an_empty_append_writes_nothing,
    test_an_entry_is_named_by_number_or_by_the_start_of_its_id,
    test_any_draft_reads_back_equal_and_verifies,
    test_each_kind_reads_back_equal_after_reopening,
    test_entries_never_go_back_in_time,
    test_forecasts_are_ordered_by_issue_and_filtered_by_name,
    test_the_last_version_of_a_question_and_of_an_outcome_stands,
    test_values_read_back_can_cross_to_another_process,
    test_what_no_entry_can_be_is_refused_whole,
)
from tests.store.test_watches import (
    test_a_watch_of_the_future_or_one_that_goes_backwards_is_refused_whole,
    test_a_watch_reads_back_equal_and_a_head_hides_it,
    test_the_run_of_a_world_and_its_forecasts_read_back_equal,
)

COLUMNS = (
    "question, question_hash, forecaster, kind, shape, labels, entered, {p}, stated, issued_at,"
    " commitment, sd, p05, p50, p95, mcse, method, model_run, run, claim, gate, meta, sealed,"
    " seal_salt"
)


@pytest.fixture
def database(postgresql):
    return postgresql.database()


@pytest.fixture
def path(postgresql, database):
    """Where the other files have a path: `str` gives what opens the ledger."""
    return postgresql.url(database)


@pytest.fixture(scope="module")
def fresh(postgresql):
    """A database after every migration, to make others from."""
    name = postgresql.database()
    Ledger.open(postgresql.url(name), create=True).close()
    return name


@pytest.fixture
def memory(postgresql, fresh):
    with Ledger.open(postgresql.url(postgresql.database(fresh))) as opened:
        yield opened


@pytest.fixture
def ledger(memory):
    return memory


def lines(root):
    """Give the statements of db/README.md, before and after the owner's `forecast init`."""
    text = (root / "db" / "README.md").read_text(encoding="utf-8").partition("## PostgreSQL")[2]
    return [block.split(";\n") for block in re.findall(r"```sql\n(.*?)```", text, re.DOTALL)]


@pytest.fixture(scope="module")
def team(postgresql, root):
    """A team's database, set up by the lines of db/README.md; give the URL of each role."""
    before, after = lines(root)
    postgresql.run(*filter(str.strip, before))
    urls = {
        "owner": postgresql.url("forecasts", user="ledger_owner", password="one"),
        "ana": postgresql.url("forecasts", user="ana", password="two"),
        "chief": postgresql.url("forecasts"),
    }
    with Ledger.open(urls["owner"], create=True) as ledger:
        fill(ledger)
    account = {"database": "forecasts", "user": "ledger_owner", "password": "one"}
    postgresql.run(*filter(str.strip, after), **account)
    return urls


def test_an_analyst_reads_adds_and_verifies(team):
    with Ledger.open(team["ana"]) as ledger:
        before = ledger.verify()
        recorded = fill(ledger)
        assert recorded[0].seq == before.entries + 1
        redacted = recorded[14].seq
        for entry in recorded:
            value = ledger.entry(entry.seq).value
            assert value == (
                replace(entry.value, because="") if entry.seq == redacted else entry.value
            )
        after = ledger.verify()
        assert after.ok
        assert (after.sealed, after.unrevealed, after.redacted) == (
            before.sealed + 1,
            before.unrevealed,
            before.redacted + 1,
        )
    assert [item["check"] for item in doctor(team["ana"]) if not item["ok"]] == []
    for who, words in (("owner", "owns the tables"), ("chief", "is a superuser")):
        (role,) = [item for item in doctor(team[who]) if item["check"] == "role"]
        assert not role["ok"]
        assert words in role["detail"]


#: Refused to whoever owns the tables too, beside the table of attacks.
TO_ALL = {
    "shadow a table": "CREATE TEMP TABLE entry AS SELECT 99998 AS seq; INSERT INTO public.entry"
    f" VALUES (99999, 'forecast', '2026-01-02T03:04:05.678901Z', 'x', '{'f' * 64}', '{'f' * 64}')",
    "not a number": f"INSERT INTO forecast SELECT seq, {COLUMNS.format(p="'NaN'")}"
    " FROM forecast WHERE seq = 12",
}
#: Refused to the role that a forecaster has.
TO_ANALYSTS = {
    "drop a trigger": "DROP TRIGGER entry_guard ON entry",
    "disable a trigger": "ALTER TABLE forecast DISABLE TRIGGER ALL",
    "replicate past the triggers": "SET session_replication_role = replica",
    "empty a guard": "CREATE OR REPLACE FUNCTION entry_guard() RETURNS trigger LANGUAGE plpgsql"
    " AS $$ BEGIN RETURN NEW; END $$",
    "add a trigger": "CREATE TRIGGER t BEFORE INSERT ON entry FOR EACH ROW"
    " EXECUTE FUNCTION ledger_keeps_its_rows()",
    "drop a table": "DROP TABLE rationale",
    "rename a table": "ALTER TABLE forecast RENAME TO earlier",
    "drop a rule of a row": "ALTER TABLE forecast DROP CONSTRAINT forecast_probability",
    "add a table": "CREATE TABLE notes (text text)",
    "say that it is newer": "UPDATE alembic_version SET version_num = 'r9999'",
    "say twice which schema": "INSERT INTO alembic_version VALUES ('r0001')",
    "be the owner": "SET ROLE ledger_owner",
    "rewrite by rule": "CREATE RULE r AS ON INSERT TO entry DO INSTEAD NOTHING",
    "take the tables": "ALTER TABLE entry OWNER TO ana",
    "let everyone in": "GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC; UPDATE entry SET seq=1",
}


@pytest.mark.parametrize("who", ["ana", "owner", "chief"])
def test_the_database_refuses_every_change_to_an_entry(team, who):
    import psycopg

    with Ledger.open(team["ana"]) as ledger:
        before = ledger.head(), ledger.content_digest()
        tried = [*TO_ALL.items(), *(TO_ANALYSTS.items() if who == "ana" else ())]
        for name, statements in attacks.on_each(ledger, "postgresql").items():
            tried += [(name, statement) for statement in statements]
    with psycopg.connect(team[who].replace("+psycopg", ""), autocommit=True) as connection:
        for name, attack in tried:
            with pytest.raises(psycopg.Error) as refusal:
                connection.execute(attack)
            assert refusal.value.sqlstate[:2] in {"23", "42"}, (name, refusal.value)
    with Ledger.open(team["ana"]) as ledger:
        assert (ledger.head(), ledger.content_digest()) == before
        assert ledger.verify().ok


@pytest.mark.parametrize(
    "harm",
    [
        "DROP TRIGGER entry_guard ON entry",
        "ALTER TABLE forecast DISABLE TRIGGER forecast_no_change",
        "CREATE OR REPLACE FUNCTION entry_guard() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RETURN NEW; END $$",
        "ALTER FUNCTION entry_guard() RESET ALL",
        "CREATE TRIGGER more BEFORE INSERT ON entry FOR EACH ROW"
        " EXECUTE FUNCTION ledger_keeps_its_rows()",
    ],
)
def test_a_ledger_without_its_triggers_is_read_and_not_written(postgresql, database, path, harm):
    with Ledger.open(path, create=True) as ledger:
        ledger.append(one_of_each(), recorded_at=NOW)
    postgresql.run(harm, database=database)
    with Ledger.open(path) as ledger:
        assert ledger.verify().ok
        with pytest.raises(DatabaseUnusable, match="is not as this program made it"):
            ledger.append([binary()], recorded_at=NOW)
    if "more" not in harm and "DISABLE" not in harm:
        upgrade(path)
        with Ledger.open(path) as ledger:
            assert ledger.append([binary()], recorded_at=NOW)[0].seq == 12


def test_an_edit_past_the_triggers_is_found_at_its_entry(postgresql, database, path):
    with Ledger.open(path, create=True) as ledger:
        ledger.append([*one_of_each(), binary()], recorded_at=NOW)
        postgresql.run(
            "ALTER TABLE forecast DISABLE TRIGGER ALL",
            "UPDATE forecast SET entered = '[\"0.99\"]', probability = 0.99 WHERE seq = 12",
            database=database,
        )
        assert ledger.verify().first_bad == 12


def test_a_hash_does_not_depend_on_the_database(path, tmp_path, monkeypatch):
    """The same drafts, salts and times give the same chain on both, and a copy keeps it."""
    from forecasting.store import entries

    monkeypatch.setattr(entries.secrets, "token_bytes", bytes)
    heads = []
    for url in (path, str(tmp_path / "a.db")):
        with Ledger.open(url, create=True) as ledger:
            ledger.append(one_of_each(), recorded_at=NOW)
            heads.append((ledger.head(), ledger.content_digest()))
    assert heads[0] == heads[1]


def test_a_backup_goes_into_a_file_and_back_into_a_server(postgresql, path, tmp_path):
    with Ledger.open(path, create=True) as ledger:
        ledger.append([*one_of_each(), *(binary() for _ in range(50))], recorded_at=NOW)
        before = ledger.head(), ledger.content_digest()
    assert backup(path, tmp_path / "copy.db").head_hash == before[0].hash
    with Ledger.open(str(tmp_path / "copy.db")) as ledger:
        assert (ledger.head(), ledger.content_digest()) == before
    with pytest.raises(InvalidInput, match="must be empty"):
        restore(tmp_path / "copy.db", path)
    other = postgresql.url(postgresql.database())
    assert restore(tmp_path / "copy.db", other)[0].entries == 61
    with Ledger.open(other) as ledger:
        assert (ledger.head(), ledger.content_digest()) == before
        assert ledger.append([binary()], recorded_at=NOW)[0].seq == 62


def test_another_schema_is_refused_before_any_write(postgresql, database, path):
    with Ledger.open(path, create=True) as ledger:
        ledger.append([binary()], recorded_at=NOW)
    for revision, words in (("r9999", "newer"), ("r0000", "db upgrade")):
        postgresql.run(f"UPDATE alembic_version SET version_num = '{revision}'", database=database)
        with pytest.raises(DatabaseUnusable, match=words):
            Ledger.open(path, create=True)
        assert status(path).current == revision


@pytest.mark.parametrize(
    ("schema", "later", "earlier"),
    [("r0002", {"sealed", "redaction", "watch", "setup"}, 0), ("r0003", {"watch", "setup"}, 1)],
)
def test_a_frozen_ledger_of_an_earlier_schema_is_upgraded_and_then_used(
    postgresql, database, path, schema, later, earlier
):
    """The schema and the triggers as the program of that time made them, with its entries.

    `later` are the kinds of entry that came after it; `earlier` seals and redactions were in it.
    """
    frozen = Path(__file__).parent / "golden"
    golden = json.loads((frozen / f"{schema}.json").read_text())
    postgresql.run((frozen / f"{schema}.postgresql.sql").read_text(), database=database)
    raw = sqlite3.connect(frozen / f"{schema}.sqlite")
    inserts = []
    # What was redacted is gone already, so that its redaction takes no text.
    of_entries = [kind for kind in triggers.KINDS if kind not in later]
    for table in ("entry", *of_entries, *BESIDE):
        rows = raw.execute(f"SELECT * FROM {table} ORDER BY 1, 2")
        names = ", ".join(column[0] for column in rows.description)
        inserts += [f"INSERT INTO {table} ({names}) VALUES ({literals(row)})" for row in rows]
    raw.close()
    postgresql.run(*inserts, database=database)
    with pytest.raises(DatabaseUnusable, match="older"):
        Ledger.open(path)
    assert upgrade(path).current == migrate.HEAD
    with Ledger.open(path) as ledger:
        assert ledger.verify().ok
        assert (ledger.content_digest(), ledger.head().hash) == (golden["digest"], golden["head"])
        fill(ledger)
        after = ledger.verify()
        counts = (after.ok, after.sealed, after.unrevealed, after.redacted)
        assert counts == (True, earlier + 1, 0, earlier + 1)
        assert [one.process for one in ledger.watches()] == ["truce"]


#: What hangs on no entry of its own.
BESIDE = ("evidence_effect", "rationale")


def literals(row):
    return ", ".join(
        "NULL" if value is None else "'" + str(value).replace("'", "''") + "'" for value in row
    )


def test_the_same_commands_work(path, capsys):
    for words in (
        ["init", "--example", "ukraine"],
        ["log", "leaders-meet@2026-12-31", "0.03", "--because", "no venue", "--as", "ana"],
        ["history", "leaders-meet@2026-12-31"],
        ["verify"],
        ["anchor"],
        ["db", "status"],
        ["db", "upgrade"],
    ):
        assert run([*words, "--db", path]) == 0, capsys.readouterr().err
    assert "forecast-anchor 1" in capsys.readouterr().out


def test_with_the_option_engine_a_ledger_at_a_path_lies_on_the_server(
    postgresql, tmp_path, monkeypatch
):
    databases.Elsewhere(databases.Databases(postgresql)).install(monkeypatch)
    with Ledger.open(str(tmp_path / "a.db"), create=True) as ledger:
        ledger.append([binary()], recorded_at=NOW)
        assert ledger.verify().ok
        assert not (tmp_path / "a.db").read_bytes().startswith(b"SQLite")
