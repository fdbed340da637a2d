"""The triggers that keep the ledger append-only: no UPDATE, no DELETE, only the next number.

The guard on INSERT does not rest on a pragma: without it ``INSERT OR REPLACE`` would rewrite a row
wherever ``recursive_triggers`` is off. Altering a table can silently drop its triggers, so
:func:`install` runs after every upgrade and is safe to run again.
"""

from collections.abc import Sequence
from typing import get_args, get_type_hints

from sqlalchemy import Connection

from forecasting.domain import Effect
from forecasting.domain.setup import Subject
from forecasting.store.tables import DETAILS

#: The kinds that may be recorded; a later kind widens this list, not a CHECK that nobody can alter.
KINDS = tuple(DETAILS)
#: The forms that an effect may have; likewise.
FORMS: tuple[str, ...] = get_args(get_type_hints(Effect)["form"])
#: What a setup may speak of.
SUBJECTS: tuple[str, ...] = get_args(Subject)
#: What a version of an outcome may be instead of one that stands.
STATUSES = ("disputed", "reopened")
LEDGER = ("entry", *DETAILS, "evidence_effect", "rationale", "receipt")
#: The one trigger that may delete: what a redaction takes out.
REDACTS = "redaction_takes_the_text"
_REDACTED = "EXISTS (SELECT 1 FROM redaction WHERE forecast = {row}.seq)"

# One number for each label; options sum to 1 within [0, 1]. NULL cannot slip through a count.
_COUNTS = {
    "sqlite": (
        "(SELECT count(*) FROM json_each(NEW.entered))",
        "(SELECT count(*) FROM json_each(NEW.labels))",
    ),
    "postgresql": ("json_array_length(NEW.entered::json)", "json_array_length(NEW.labels::json)"),
}
_SUMS = {
    "sqlite": (
        "(SELECT abs(total(value + 0.0) - 1) > 1e-9 OR min(value + 0.0) < 0"
        " OR max(value + 0.0) > 1 FROM json_each(NEW.entered))"
    ),
    "postgresql": (
        "(SELECT abs(sum(v::float8) - 1) > 1e-9 OR min(v::float8) < 0 OR max(v::float8) > 1"
        " FROM json_array_elements_text(NEW.entered::json) AS v)"
    ),
}


def _none_of(column: str, words: Sequence[str]) -> str:
    # SQLite builds a table for a list of three or more, once for every row inserted.
    return " AND ".join(f"NEW.{column} <> '{word}'" for word in words)


def _guards(dialect: str) -> dict[str, dict[str, str]]:
    """Give what each table refuses on INSERT: the message, and the condition."""
    guards = {
        "entry": {
            "an entry takes the next number": (
                "NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM entry)"
            ),
            "an entry has a hash of its own": "EXISTS (SELECT 1 FROM entry WHERE hash = NEW.hash)",
            "no such kind of entry": _none_of("kind", KINDS),
            "an entry is not recorded before the one it follows": (
                "NEW.recorded_at < (SELECT recorded_at FROM entry WHERE seq = NEW.seq - 1)"
            ),
        },
        "rationale": {
            "a rationale belongs to a forecast that commits to it": (
                "NOT EXISTS (SELECT 1 FROM forecast WHERE seq = NEW.seq AND commitment IS NOT NULL)"
            ),
            "a recorded rationale stays": "EXISTS (SELECT 1 FROM rationale WHERE seq = NEW.seq)",
            "a redacted rationale does not come back": _REDACTED.format(row="NEW"),
        },
        "receipt": {
            "an act of writing has one receipt": (
                "EXISTS (SELECT 1 FROM receipt WHERE act = NEW.act)"
            ),
            "a receipt is for what was written with it": (
                "NEW.seq <> (SELECT max(seq) FROM entry)"
            ),
        },
        "evidence_effect": {
            "an item has the effects it was recorded with": (
                "NEW.position <> (SELECT count(*) FROM evidence_effect WHERE seq = NEW.seq)"
                " OR NOT EXISTS (SELECT 1 FROM evidence WHERE seq = NEW.seq"
                " AND effects > NEW.position)"
            ),
            "no such form of effect": _none_of("form", FORMS),
        },
    }
    for kind in DETAILS:
        guards[kind] = {
            f"a row of {kind} belongs to an entry of its kind": (
                f"NOT EXISTS (SELECT 1 FROM entry WHERE seq = NEW.seq AND kind = '{kind}')"
            ),
            f"a recorded row of {kind} stays": f"EXISTS (SELECT 1 FROM {kind} WHERE seq = NEW.seq)",
        }
    numbers, labels = _COUNTS[dialect]
    guards["forecast"] |= {
        "a forecast has a number for each label": (
            f"CASE WHEN NEW.shape = 'binary' THEN {numbers} <> 1 OR {labels} <> 1"
            f" ELSE {numbers} < 2 OR {numbers} <> {labels} END"
        ),
        "the probabilities of the options sum to 1": (
            f"NEW.shape = 'options' AND {_SUMS[dialect]}"
        ),
        "a seal is opened by its salt": (
            "(NEW.sealed IS NULL) <> (NEW.seal_salt IS NULL)"
            " OR (NEW.seal_salt IS NOT NULL AND length(NEW.seal_salt) <> 64)"
        ),
        "a forecast opens the seal that was set on it": (
            "NEW.sealed IS NOT NULL AND NOT EXISTS (SELECT 1 FROM sealed WHERE seq = NEW.sealed"
            " AND seq < NEW.seq AND question = NEW.question AND forecaster = NEW.forecaster"
            " AND question_hash = NEW.question_hash AND issued_at = NEW.issued_at)"
        ),
        "a seal is opened once": (
            "NEW.sealed IS NOT NULL AND EXISTS (SELECT 1 FROM forecast WHERE sealed = NEW.sealed)"
        ),
    }
    guards["sealed"]["a seal has a commitment of its own"] = (
        "EXISTS (SELECT 1 FROM sealed WHERE commitment = NEW.commitment)"
    )
    guards["redaction"] |= {
        "a rationale is redacted once": (
            "EXISTS (SELECT 1 FROM redaction WHERE forecast = NEW.forecast)"
        ),
        "a redaction takes the rationale of a forecast that has one": (
            "NOT EXISTS (SELECT 1 FROM forecast WHERE seq = NEW.forecast"
            " AND commitment IS NOT NULL)"
        ),
    }
    guards["watch"] |= {
        "a watch reaches no further than to when it was recorded": (
            "NEW.until > (SELECT recorded_at FROM entry WHERE seq = NEW.seq)"
        ),
        "a watch does not go backwards": (
            "EXISTS (SELECT 1 FROM watch WHERE process = NEW.process AND until > NEW.until)"
        ),
    }
    guards["setup"]["no such subject of a setup"] = _none_of("subject", SUBJECTS)
    guards["resolution"]["no such status of an outcome"] = (
        f"NEW.status IS NOT NULL AND {_none_of('status', STATUSES)}"
    )
    return guards


def _sqlite() -> list[str]:
    statements = []
    for table, guards in _guards("sqlite").items():
        for event in ("update", "delete"):
            name = f"{table}_no_{event}"
            unless = ""
            if (table, event) == ("rationale", "delete"):
                unless = f"\nWHEN NOT {_REDACTED.format(row='OLD')}"
            statements += [
                f"DROP TRIGGER IF EXISTS {name}",
                f"CREATE TRIGGER {name} BEFORE {event.upper()} ON {table}{unless}\nBEGIN\n"
                f"  SELECT RAISE(ABORT, 'the ledger is append-only: {table} keeps its rows');\n"
                "END",
            ]
        body = "".join(
            f"  SELECT RAISE(ABORT, '{message}')\n    WHERE {rule};\n"
            for message, rule in guards.items()
        )
        statements += [
            f"DROP TRIGGER IF EXISTS {table}_guard",
            f"CREATE TRIGGER {table}_guard BEFORE INSERT ON {table}\nBEGIN\n{body}END",
        ]
    return [
        *statements,
        f"DROP TRIGGER IF EXISTS {REDACTS}",
        f"CREATE TRIGGER {REDACTS} AFTER INSERT ON redaction\nBEGIN\n"
        "  DELETE FROM rationale WHERE seq = NEW.forecast;\nEND",
    ]


def _postgresql(schema: str = "public") -> list[str]:
    # Without a path of its own a guard would look into a temporary table of the same name, which
    # any session may make.
    path = f"SET search_path = {schema}, pg_temp"
    statements = [
        "CREATE OR REPLACE FUNCTION ledger_keeps_its_rows() RETURNS trigger\n"
        f"LANGUAGE plpgsql {path} AS $$\nBEGIN\n"
        "  RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation',\n"
        "    MESSAGE = 'the ledger is append-only: ' || TG_TABLE_NAME || ' keeps its rows';\n"
        "END $$",
        "CREATE OR REPLACE FUNCTION rationale_no_change() RETURNS trigger\n"
        f"LANGUAGE plpgsql {path} AS $$\nBEGIN\n"
        f"  IF TG_OP = 'DELETE' AND {_REDACTED.format(row='OLD')} THEN\n"
        "    RETURN OLD;\n  END IF;\n"
        "  RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation',\n"
        "    MESSAGE = 'the ledger is append-only: rationale keeps its rows';\n"
        "END $$",
        # The owner's right to delete, for this one statement: an analyst has none.
        f"CREATE OR REPLACE FUNCTION {REDACTS}() RETURNS trigger\n"
        f"LANGUAGE plpgsql SECURITY DEFINER {path} AS $$\nBEGIN\n"
        "  DELETE FROM rationale WHERE seq = NEW.forecast;\n  RETURN NULL;\nEND $$",
        f"CREATE OR REPLACE TRIGGER {REDACTS} AFTER INSERT ON redaction"
        f" FOR EACH ROW EXECUTE FUNCTION {REDACTS}()",
    ]
    for table, guards in _guards("postgresql").items():
        keeps = "rationale_no_change" if table == "rationale" else "ledger_keeps_its_rows"
        body = "".join(
            f"  IF ({rule}) THEN\n    RAISE EXCEPTION '{message}'"
            " USING ERRCODE = 'integrity_constraint_violation';\n  END IF;\n"
            for message, rule in guards.items()
        )
        statements += [
            f"CREATE OR REPLACE FUNCTION {table}_guard() RETURNS trigger LANGUAGE plpgsql\n"
            f"{path} AS $$\n"
            f"BEGIN\n{body}  RETURN NEW;\nEND $$",
            f"CREATE OR REPLACE TRIGGER {table}_guard BEFORE INSERT ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {table}_guard()",
            f"CREATE OR REPLACE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {keeps}()",
            f"CREATE OR REPLACE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger_keeps_its_rows()",
        ]
    return statements


def statements(dialect: str) -> list[str]:
    """Give the statements that make the ledger append-only on ``sqlite`` or ``postgresql``."""
    return _postgresql() if dialect == "postgresql" else _sqlite()


def install(connection: Connection) -> None:
    """Install or renew every trigger of the ledger, in the caller's transaction."""
    if connection.dialect.name == "postgresql":
        schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
        commands = _postgresql(schema)
    else:
        commands = _sqlite()
    for statement in commands:
        connection.exec_driver_sql(statement)


def missing(connection: Connection) -> list[str]:
    """Name the triggers that are gone, altered, disabled, or not this program's."""
    read = _present_postgresql if connection.dialect.name == "postgresql" else _present_sqlite
    present = read(connection)
    expected = wanted(connection.dialect.name)
    return sorted(name for name in {*expected, *present} if expected.get(name) != present.get(name))


def wanted(dialect: str) -> dict[str, str]:
    """Give the triggers as this program makes them, by name."""
    if dialect == "sqlite":
        texts = [sql for sql in _sqlite() if sql.startswith("CREATE")]
        return {sql.split()[2]: sql for sql in texts}
    bodies = {}
    named = {}
    for sql in _postgresql():
        words = sql.split()
        if words[3] == "FUNCTION":
            bodies[words[4].removesuffix("()")] = sql.split("$$")[1].strip()
        else:
            named[words[4]] = words[-1].removesuffix("()")
    return {name: bodies[function] for name, function in named.items()}


def _present_sqlite(connection: Connection) -> dict[str, str]:
    query = "SELECT name, sql FROM {} WHERE type = 'trigger'"
    rows = [
        row
        for schema in ("sqlite_schema", "sqlite_temp_schema")
        for row in connection.exec_driver_sql(query.format(schema))
    ]
    return {name: sql for name, sql in rows}


def _present_postgresql(connection: Connection) -> dict[str, str]:
    # A trigger that is not enabled for an ordinary session stands, and does nothing.
    rows = connection.exec_driver_sql(
        "SELECT t.tgname, t.tgenabled, p.prosrc, p.proconfig FROM pg_trigger t"
        " JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid"
        " WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"
    )
    return {
        name: body.strip()
        for name, enabled, body, settings in rows
        if (enabled.decode() if isinstance(enabled, bytes) else enabled) in "OA"
        and any(setting.endswith(", pg_temp") for setting in settings or ())
    }
