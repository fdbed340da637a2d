"""Whatever is said, attacked or broken off, a ledger reads as a plain list does, on both engines.

The machine speaks through the program's own use cases and keeps a list of what it said. The tests
below it are tests of it: it finds each of three defects that are put into the program on purpose.
"""

from contextlib import suppress

import pytest

from forecasting.store import engine, guard, triggers, verify
from tests import databases
from tests.store import attacks
from tests.store.as_a_list import run

DEEP = pytest.mark.deep


@pytest.mark.parametrize(
    ("name", "examples", "steps"),
    [
        ("sqlite", 6, 20),
        ("postgresql", 3, 20),
        pytest.param("sqlite", 400, 40, marks=DEEP),
        pytest.param("postgresql", 150, 40, marks=DEEP),
    ],
)
def test_a_ledger_reads_as_a_list_whatever_is_done_to_it(name, examples, steps, request):
    run(databases.of(name, request), examples=examples, steps=steps)


def without(monkeypatch, *messages):
    """Leave rules out of the guards on INSERT, by what they say; the triggers are then so made."""
    guards = triggers._guards

    def fewer(dialect):
        return {
            table: {
                message: rules[message]
                for message in rules
                if not any(m in message for m in messages)
            }
            or {"nothing": "1 = 0"}
            for table, rules in guards(dialect).items()
        }

    monkeypatch.setattr(triggers, "_guards", fewer)


@pytest.mark.parametrize("name", ["sqlite", pytest.param("postgresql", marks=DEEP)])
def test_it_finds_the_guard_of_the_sequence_off(name, monkeypatch, request):
    """Nothing asks whether an entry takes the next number: the keys still refuse a number twice."""
    without(monkeypatch, "takes the next number")
    # Few kinds of attack, so that few steps meet the one that goes through.
    few = {each: attacks.ON_BOTH[each] for each in ("leave a gap", "number again")}
    with pytest.raises(AssertionError, match="went through: leave a gap"):
        run(databases.of(name, request), examples=200, steps=20, table=few)


STAYS = ("hash of its own", "takes the next number", "stays")


def test_it_finds_recursive_triggers_off(monkeypatch, request):
    """REPLACE deletes without a trigger's asking, and then no guard on INSERT is there to ask.

    With the guards gone the pragma alone refuses a REPLACE to the program's own connections, and
    with the pragma gone the guards alone: either is enough, so both must be off to be seen.
    """
    configure = engine._configure

    def here():
        """Make databases by the triggers of the moment."""
        return databases.of("sqlite", request)

    def lax(connection, **more):
        configure(connection, **more)
        connection.set_authorizer(None)
        connection.execute("PRAGMA recursive_triggers = OFF")
        connection.set_authorizer(guard.answer)

    few = ("replace an entry", "replace a detail")
    table = {name: attacks.ON["sqlite"][name] for name in few}
    with monkeypatch.context() as lenient:
        without(lenient, *STAYS)
        run(here(), examples=1, steps=20, attackers=("program",), table=table)
    with monkeypatch.context() as off:
        off.setattr(engine, "_configure", lax)
        run(here(), examples=1, steps=20, table=table)
        without(off, *STAYS)
        with pytest.raises(AssertionError, match="went through: replace"):
            run(here(), examples=40, steps=20, attackers=("program",), table=table)


@pytest.mark.parametrize(
    ("name", "link"),
    [
        ("sqlite", 2),
        pytest.param("sqlite", 4, marks=DEEP),
        pytest.param("postgresql", 2, marks=DEEP),
    ],
)
def test_it_finds_one_link_unchecked(name, link, monkeypatch, request):
    """Verification takes one link of the chain as it stands."""
    check = verify._check

    def lenient(item, previous, earlier):
        if item.seq != link:
            return check(item, previous, earlier)
        with suppress(verify._Bad):
            return check(item, previous, earlier)
        return bytes.fromhex(item.hash)

    monkeypatch.setattr(verify, "_check", lenient)
    with pytest.raises(AssertionError, match="the edit was not found"):
        # The search ends at the first find; the later the link, the fewer steps meet it.
        run(databases.of(name, request), examples=400, steps=20)
