"""The file refuses to be changed, whatever its connection has switched off.

Every attack on what stands; then each guard and each rule of a row by itself: the one thing that it
refuses, and that thing put right.
"""

import sqlite3

import pytest

from forecasting.store import Ledger, triggers
from forecasting.store.triggers import FORMS
from tests.store import attacks
from tests.store.samples import fill

H = "f" * 64
LATER = "2026-01-02T03:04:05.678901Z"
#: One past the eighteen entries that :func:`fill` leaves.
NEXT = 19


def entry(seq=NEXT, kind="withdrawal", at=LATER, hash=H):
    return f"INTO entry VALUES ({seq}, '{kind}', '{at}', 'x', '{H}', '{hash}')"


def forecast(**changes):
    whole = {"kind": "live", "shape": "binary", "labels": '["yes"]', "entered": '["0.5"]'}
    whole |= {"question": "q", "saw": "h", "sealed": "NULL", "salt": "NULL", "p": "0.5"}
    return (
        "INSERT INTO forecast VALUES (19, '{question}', '{saw}', 'ana', '{kind}', '{shape}',"
        " '{labels}', '{entered}', {p}, '', '" + LATER + "', NULL, {sd}, NULL, NULL, NULL, NULL,"
        " NULL, NULL, '', '', '', '{{}}', {sealed}, {salt})"
    ).format(**whole | {"sd": "NULL"} | changes)


SAW = "ab" * 32
SEAL = (
    "INSERT INTO sealed VALUES (19, 'q', '" + SAW + "', 'ana', '" + LATER + "', '" + "e" * 64 + "')"
)
#: A seal that nobody has opened, and the entry of what opens it.
SEALED = ("INSERT " + entry(kind="sealed"), SEAL, "INSERT " + entry(20, "forecast", hash="d" * 64))
SPOKEN = ("INSERT " + entry(kind="forecast"),)
PAIR = {"shape": "options", "labels": '["a","b"]', "p": "NULL"}
#: The first effect of an item that was recorded with two.
ITEM = (
    "INSERT " + entry(kind="evidence"),
    "INSERT INTO evidence SELECT 19, key || 'x', kind, title, source, event_at, known_at,"
    " url, certainty, grade, story, stream, note, 2 FROM evidence WHERE seq = 8",
)


def opens(**changes):
    insert = forecast(**{"question": "q", "saw": SAW, "sealed": "19", "salt": f"'{H}'"} | changes)
    return insert.replace("VALUES (19,", "VALUES (20,", 1)


def effect(position, form="bears"):
    return f"INSERT INTO evidence_effect VALUES (19, {position}, 't', '{form}', '{{}}', '')"


def watched(until, process="truce"):
    """Watch what :func:`fill` left watched until the day before."""
    return f"INSERT INTO watch VALUES (19, '{process}', '{until}', 'ben', '')"


A_SEAL = "a seal is opened by its salt"
ITS_SEAL = "a forecast opens the seal that was set on it"
LABELS = "a forecast has a number for each label"
SUMS = "the probabilities of the options sum to 1"
ITEMS = "an item has the effects it was recorded with"
GUARDS = {
    "a salt too short": (A_SEAL, SEALED, opens(salt=f"'{H[1:]}'")),
    "a salt too long": (A_SEAL, SEALED, opens(salt=f"'{H}f'")),
    "a seal without a salt": (A_SEAL, SEALED, opens(salt="NULL")),
    "a salt without a seal": (A_SEAL, SEALED, opens(sealed="NULL")),
    "another question": (ITS_SEAL, SEALED, opens(question="other")),
    "another wording": (ITS_SEAL, SEALED, opens(saw="cd" * 32)),
    "another forecaster": (ITS_SEAL, SEALED, opens().replace("'ana'", "'ben'")),
    "another time": (ITS_SEAL, SEALED, opens().replace(LATER, LATER.replace("05.6", "05.7"))),
    "no such seal": (ITS_SEAL, SEALED, opens(sealed="16")),
    "two labels for one number": (LABELS, SPOKEN, forecast(labels='["yes","no"]')),
    "two numbers for one label": (LABELS, SPOKEN, forecast(entered='["0.5","0.5"]')),
    "one option": (LABELS, SPOKEN, forecast(**PAIR | {"labels": '["a"]'}, entered='["1"]')),
    "three numbers": (LABELS, SPOKEN, forecast(**PAIR, entered='["0.5","0.5","0"]')),
    "one number": (LABELS, SPOKEN, forecast(**PAIR, entered='["1"]')),
    "more than one": (SUMS, SPOKEN, forecast(**PAIR, entered='["0.5","0.50000001"]')),
    "less than one": (SUMS, SPOKEN, forecast(**PAIR, entered='["0.5","0.49999999"]')),
    "one below zero and none above one": (
        SUMS,
        SPOKEN,
        forecast(**PAIR | {"labels": '["a","b","c"]'}, entered='["-0.1","0.5","0.6"]'),
    ),
    "above one by less than the sum may be": (
        SUMS,
        SPOKEN,
        forecast(**PAIR, entered='["1.0000000005","0"]'),
    ),
    "below zero": (SUMS, SPOKEN, forecast(**PAIR, entered='["-0.5","1.5"]')),
    "a second effect first": (ITEMS, ITEM, effect(1)),
    "a third effect": (ITEMS, (*ITEM, effect(0), effect(1)), effect(2)),
    "an effect again": (ITEMS, (*ITEM, effect(0)), effect(0)),
    "an effect of another form": ("no such form of effect", ITEM, effect(0, "feels")),
    "a rationale of no commitment": (
        "a rationale belongs to a forecast that commits to it",
        (*SPOKEN, forecast()),
        f"INSERT INTO rationale VALUES (19, '{H}', 'so')",
    ),
    "a rationale again": (
        "a recorded rationale stays",
        (),
        f"INSERT OR REPLACE INTO rationale VALUES (5, '{H}', 'so')",
    ),
    "a redacted rationale": (
        "a redacted rationale does not come back",
        (),
        f"INSERT INTO rationale VALUES (15, '{H}', 'so')",
    ),
    "a hash again": (
        "an entry has a hash of its own",
        (),
        "INSERT OR REPLACE INTO entry SELECT 19, kind, recorded_at, tool, leaf, hash FROM entry"
        " WHERE seq = 5",
    ),
    "an earlier time": (
        "an entry is not recorded before the one it follows",
        (),
        "INSERT " + entry(at="2020-01-02T03:04:05.678901Z"),
    ),
    "a number left out": ("an entry takes the next number", (), "INSERT " + entry(20)),
    "a number taken": ("an entry takes the next number", (), "INSERT " + entry(17)),
    "another kind": ("no such kind of entry", (), "INSERT " + entry(kind="regret")),
    "a commitment again": (
        "a seal has a commitment of its own",
        ("INSERT " + entry(kind="sealed"),),
        "INSERT OR REPLACE INTO sealed SELECT 19, question, question_hash, forecaster, issued_at,"
        " commitment FROM sealed",
    ),
    "a redaction again": (
        "a rationale is redacted once",
        ("INSERT " + entry(kind="redaction"),),
        "INSERT OR REPLACE INTO redaction VALUES (19, 15, 'why')",
    ),
    "a redaction of nothing": (
        "a redaction takes the rationale of a forecast that has one",
        ("INSERT " + entry(kind="redaction"),),
        "INSERT INTO redaction VALUES (19, 12, 'why')",
    ),
    "another status": (
        "no such status of an outcome",
        ("INSERT " + entry(kind="resolution"),),
        f"INSERT INTO resolution VALUES (19, 'q', 'no', '{LATER}', '', '', '', 1, 'doubtful')",
    ),
    "a watch of the future": (
        "a watch reaches no further than to when it was recorded",
        ("INSERT " + entry(kind="watch"),),
        watched("2026-01-02T03:04:05.678902Z", process="other"),
    ),
    "a watch that goes backwards": (
        "a watch does not go backwards",
        ("INSERT " + entry(kind="watch"),),
        watched("2026-01-01T03:04:05.678900Z"),
    ),
    "a watch again": (
        "a recorded row of watch stays",
        ("INSERT " + entry(kind="watch"), watched(LATER)),
        watched(LATER).replace("INSERT", "INSERT OR REPLACE"),
    ),
    "a watch of another kind": (
        "a row of watch belongs to an entry of its kind",
        SPOKEN,
        watched(LATER),
    ),
    "a row of another kind": (
        "a row of withdrawal belongs to an entry of its kind",
        SPOKEN,
        f"INSERT INTO withdrawal VALUES (19, 'q', 'ana', '{LATER}')",
    ),
    "a row again": (
        "a recorded row of withdrawal stays",
        ("INSERT " + entry(), f"INSERT INTO withdrawal VALUES (19, 'q', 'ana', '{LATER}')"),
        f"INSERT OR REPLACE INTO withdrawal VALUES (19, 'q', 'ben', '{LATER}')",
    ),
}
#: What a row may not hold: the rule of the table that refuses it.
RULES = {
    "no probability": ("forecast", forecast(p="NULL")),
    "above one": ("forecast", forecast(p="1.0000000000000002")),
    "below zero": ("forecast", forecast(p="-1e-300")),
    "infinite": ("forecast", forecast(p="9e999")),
    "text": ("forecast", forecast(p="'often'")),
    "another kind": ("forecast", forecast(kind="remembered")),
    "another shape": ("forecast", forecast(shape="hunch")),
    "half a spread": ("forecast", forecast(sd="0.1")),
    "no number": ("forecast", forecast(entered="[]", labels="[]")),
    "no data": ("forecast", forecast(entered="0.5")),
    "no options": ("forecast", forecast(**PAIR | {"labels": "[]"}, entered="[]")),
    "options with a number of yes": (
        "forecast",
        forecast(**PAIR | {"entered": '["0.5","0.5"]', "p": "0.5"}),
    ),
    "options that are words": ("forecast", forecast(**PAIR, entered='["a","b"]')),
    "a redaction of no forecast": ("redaction", f"INSERT INTO redaction VALUES ({NEXT}, 13, 'x')"),
    "a redaction without a reason": ("redaction", f"INSERT INTO redaction VALUES ({NEXT}, 5, '')"),
    "a short commitment": (
        "sealed",
        f"INSERT INTO sealed VALUES ({NEXT}, 'q', 'h', 'ana', '{LATER}', 'f')",
    ),
    "a watch of nothing": ("watch", f"INSERT INTO watch VALUES ({NEXT}, '', '{LATER}', 'a', '')"),
    "a watch until a local time": (
        "watch",
        f"INSERT INTO watch VALUES ({NEXT}, 'p', '2026-01-01T03:04:05.678901+02:00', 'a', '')",
    ),
    "a watch of nobody": ("watch", f"INSERT INTO watch VALUES ({NEXT}, 'p', '{LATER}', NULL, '')"),
}
SOUND = {
    "a number of yes": (*SPOKEN, forecast()),
    "a seal opened": (*SEALED, opens()),
    "numbers that sum to 1 as decimals do": (
        *SPOKEN,
        forecast(**PAIR | {"labels": '["a","b","c"]'}, entered='["0.1","0.2","0.7000000001"]'),
    ),
    "the ends of the scale": (*SPOKEN, forecast(**PAIR, entered='["0","1"]')),
    "quantiles": (
        *SPOKEN,
        forecast(shape="quantiles", labels='["5","95"]', p="NULL", entered='["-3","90"]'),
    ),
    "an item and its effects": (*ITEM, effect(0), effect(1, FORMS[-1])),
    "at the moment of the one before": ("INSERT " + entry(at=LATER),),
    "a redaction": (
        "INSERT " + entry(kind="redaction"),
        "INSERT INTO redaction VALUES (19, 5, 'why')",
    ),
    "a watch until it is recorded": ("INSERT " + entry(kind="watch"), watched(LATER)),
    "a watch as long as the one before": (
        "INSERT " + entry(kind="watch"),
        watched("2026-01-01T03:04:05.678901Z"),
    ),
    "an earlier watch of another process": (
        "INSERT " + entry(kind="watch"),
        watched("2020-01-01T03:04:05.678901Z", process="other"),
    ),
    **{
        f"an outcome {status}": (
            "INSERT " + entry(kind="resolution"),
            f"INSERT INTO resolution VALUES (19, 'q', 'no', '{LATER}', '', '', '', 1, {status})",
        )
        for status in ("NULL", "'disputed'", "'reopened'")
    },
}


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    file = tmp_path_factory.mktemp("book") / "ledger.db"
    with Ledger.open(str(file), create=True) as ledger:
        fill(ledger)
    return file


@pytest.fixture
def raw(book):
    connection = sqlite3.connect(book, isolation_level=None)
    for pragma in ("recursive_triggers", "foreign_keys", "trusted_schema"):
        connection.execute(f"PRAGMA {pragma} = OFF")
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    connection.rollback()
    connection.close()


@pytest.mark.parametrize("name", attacks.NAMES["sqlite"])
def test_whoever_opens_the_file_changes_nothing_that_stands(book, raw, name):
    with Ledger.open(str(book)) as ledger:
        statements = attacks.on_each(ledger, "sqlite")[name]
    for statement in statements:
        with pytest.raises(sqlite3.IntegrityError):
            raw.execute(statement)


@pytest.mark.parametrize(("message", "sound", "refused"), GUARDS.values(), ids=GUARDS)
def test_a_guard_says_what_it_refuses(raw, message, sound, refused):
    for statement in sound:
        raw.execute(statement)
    with pytest.raises(sqlite3.IntegrityError, match=f"^{message}$"):
        raw.execute(refused)


@pytest.mark.parametrize("statements", SOUND.values(), ids=SOUND)
def test_what_is_sound_passes_every_guard(raw, statements):
    for statement in statements:
        raw.execute(statement)


@pytest.mark.parametrize(("kind", "row"), RULES.values(), ids=RULES)
def test_a_row_that_is_not_what_its_table_holds_is_refused(raw, kind, row):
    raw.execute("INSERT " + entry(kind=kind))
    with pytest.raises(sqlite3.IntegrityError):
        raw.execute(row)


def test_not_a_number_is_stored_as_null_and_refused(raw):
    """NaN binds as NULL, which a bare CHECK lets through."""
    raw.execute(SPOKEN[0])
    with pytest.raises(sqlite3.IntegrityError, match="forecast_probability"):
        raw.execute(forecast(p=":p"), {"p": float("nan")})


def test_a_redaction_takes_its_own_rationale_and_no_other(raw):
    before = {seq for (seq,) in raw.execute("SELECT seq FROM rationale")}
    for statement in SOUND["a redaction"]:
        raw.execute(statement)
    assert {seq for (seq,) in raw.execute("SELECT seq FROM rationale")} == before - {5}


def test_a_trigger_that_is_gone_altered_or_foreign_is_named(path):
    with Ledger.open(str(path), create=True) as ledger, ledger._engine.connect() as connection:
        assert triggers.missing(connection) == []
    with sqlite3.connect(path) as raw:
        raw.execute("DROP TRIGGER entry_no_delete")
        raw.execute("DROP TRIGGER forecast_guard")
        raw.execute("CREATE TRIGGER forecast_guard BEFORE INSERT ON forecast BEGIN SELECT 1; END")
        raw.execute("CREATE TRIGGER another BEFORE INSERT ON forecast BEGIN SELECT 1; END")
    raw.close()
    with Ledger.open(str(path)) as ledger, ledger._engine.connect() as connection:
        named = triggers.missing(connection)
        assert named == ["another", "entry_no_delete", "forecast_guard"]
