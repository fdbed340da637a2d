"""Worlds of a bank: what a file says, and one line for each thing that cannot be."""

import dataclasses
import datetime as dt
import itertools
import json
import shutil

import pytest

from forecasting.bank import check, read_bank
from forecasting.bank.worlds import read_worlds
from forecasting.domain.instants import iso
from forecasting.domain.process import DELIVERY_MOVES, MoveSpec, Phrase
from forecasting.errors import InvalidInput
from tests.bank.conftest import ROOT

TEN_LINES = """\
processes:
  truce:
    moves: {none > on: "", on > none: median 60 d (15..240) shape 0.8}
    since 2023-10-07: none
    2025-10-10: on
  convoy: {event: 3 in 70 weeks, source: OCHA}
  detainees: {delivery: {agreed: 1200, announced: 2026-11-02, delivered: 0}}
links:
  - while truce=none: convoy x0.3 (0.1..0.8)
    because: no convoy went under fire in 2025
questions:
  truce-holds: {title: The truce holds, closes: 2026-12-31, answer: truce=on through close}
"""


def _read(tmp_path, text, name="own.yaml"):
    folder = tmp_path / "worlds"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return read_worlds(tmp_path)


def _lines(tmp_path, text):
    return [str(problem) for problem in _read(tmp_path, text).problems]


def test_a_screen_is_a_world(tmp_path):
    worlds = _read(tmp_path, TEN_LINES)
    assert worlds.problems == []
    truce, convoy, detainees = worlds.world.processes.values()
    assert (truce.states, truce.start, truce.kind) == (("none", "on"), "none", "states")
    assert [move.name for move in truce.moves] == ["none > on", "on > none"]
    assert truce.moves[0].phrase == Phrase("history")
    assert truce.moves[1].phrase.shape == 0.8
    assert (convoy.states, convoy.moves[0].name) == (("waiting",), "waiting > waiting")
    assert (convoy.moves[0].phrase.count, convoy.moves[0].source) == (3.5, "OCHA")
    assert [(move.start, move.end) for move in detainees.moves] == list(DELIVERY_MOVES)
    assert detainees.delivery is not None
    assert (detainees.delivery.agreed, detainees.delivery.delivered) == (1200.0, 0.0)
    (link,) = worlds.world.links
    assert (link.parent, link.states, link.child, link.into) == ("truce", ("none",), "convoy", ())
    assert (link.median, link.low, link.high, link.once) == (0.3, 0.1, 0.8, False)
    assert link.name == "while truce=none: convoy"
    assert [place.file.slug for place in worlds.questions] == ["truce-holds"]


def test_a_screen_is_a_bank(tmp_path):
    _read(tmp_path, TEN_LINES)
    shutil.copytree(ROOT / "reference", tmp_path / "reference")
    shutil.copytree(ROOT / "events", tmp_path / "events")
    now = dt.datetime(2026, 11, 28, 9, tzinfo=dt.UTC)
    bank = read_bank(tmp_path, now=now)
    (question,) = bank.questions
    assert question.answer == "truce=on through close"
    assert (iso(question.opens), question.zone) == ("2026-11-28T00:00:00Z", "UTC")
    assert (question.type, question.event, question.topic) == ("binary", "truce-holds", "")
    assert question.criteria == "As the title says: The truce holds"
    assert bank.undated == {"truce-holds"}
    assert [fault for fault in check(bank) if "worlds/" in fault.source] == []


def test_on_is_text_and_days_are_keys(tmp_path):
    text = TEN_LINES.replace("2025-10-10: on", "2025-10-10: on\n    2025-12-01: none")
    facts = _read(tmp_path, text).world.processes["truce"].facts
    assert [(fact.state, iso(fact.at)) for fact in facts] == [
        ("on", "2025-10-11T00:00:00Z"),
        ("none", "2025-12-02T00:00:00Z"),
    ]


FACTS = """\
zone: Europe/Kyiv
watched: 2026-08-22
processes:
  truce:
    source: https://example.org/default
    moves: {none > on: once in 8 mo, on > none: {rate: once in 6 mo, known_by: 2025-01-19}}
    since 2022-02-24: none
    2025-03-18T18:30+02:00: on
    2025-04-16: {state: none, known: 2025-04-18, source: "https://www.example.org/a", grade: A}
  strike:
    event: ""
    since 2025-01-20: ""
    2025-06-22: event
    watched: 2026-05-30
  detainees:
    delivery: {agreed: 1000, announced: 2025-05-16, unit: people, class: exchanges}
    2025-05-23: 390
    2025-05-24: {amount: 610, title: The rest}
  election: {at: 2026-05-01..2026-10-27}
"""


def test_facts_become_entries(tmp_path):
    entries = {item.key: item for item in _read(tmp_path, FACTS).evidence}
    assert sorted(entries) == [
        "world-detainees-2025-05-23-part",
        "world-detainees-2025-05-24-part",
        "world-strike-2025-06-22-event",
        "world-truce-2025-03-18-on",
        "world-truce-2025-04-16-none",
    ]
    ended = entries["world-truce-2025-04-16-none"]
    (effect,) = ended.effects
    assert (ended.kind, ended.stream, ended.grade) == ("datum", "world", "A")
    assert (ended.source, ended.url) == ("example.org", "https://www.example.org/a")
    assert (effect.target, effect.form) == ("truce", "datum")
    at = "2025-04-16T21:00:00Z"
    assert dict(effect.detail) == {"name": "state", "state": "none", "at": at}
    assert (iso(ended.event_at or ended.known_at), iso(ended.known_at)) == (
        at,
        "2025-04-18T21:00:00Z",
    )
    began = entries["world-truce-2025-03-18-on"]
    assert iso(began.known_at) == "2025-03-18T16:30:00Z"
    struck = entries["world-strike-2025-06-22-event"].effects[0].detail
    assert dict(struck) == {"name": "event", "at": "2025-06-22T21:00:00Z"}
    part = entries["world-detainees-2025-05-24-part"]
    assert part.title == "The rest"
    assert dict(part.effects[0].detail) == {
        "name": "part",
        "at": "2025-05-24T21:00:00Z",
        "value": 610.0,
    }


def test_days_begin_a_watch_and_end_all_else(tmp_path):
    processes = _read(tmp_path, FACTS).world.processes
    truce, strike, detainees, election = processes.values()
    assert truce.since is not None
    assert truce.watched is not None
    assert strike.watched is not None
    assert (iso(truce.since), iso(truce.watched), iso(strike.watched)) == (
        "2022-02-23T22:00:00Z",
        "2026-08-22T21:00:00Z",
        "2026-05-30T21:00:00Z",
    )
    assert detainees.delivery is not None
    assert iso(detainees.delivery.announced) == "2025-05-16T21:00:00Z"
    assert election.at is not None
    assert [iso(moment) for moment in election.at] == [
        "2026-05-01T21:00:00Z",
        "2026-10-27T22:00:00Z",
    ]


def test_a_move_has_the_source_of_its_process_unless_it_says_its_own(tmp_path):
    moves = _read(tmp_path, FACTS).world.processes["truce"].moves
    assert [move.source for move in moves] == ["https://example.org/default"] * 2
    assert [move.known_by for move in moves] == [None, dt.date(2025, 1, 19)]


def test_a_delivery_takes_the_times_of_its_class(tmp_path):
    moves = _read(tmp_path, FACTS).world.processes["detainees"].moves
    assert {move.phrase.reference for move in moves} == {"exchanges"}


PROCESS = "processes:\n  truce:\n    moves: {none > on: once in 1 y, on > none: once in 1 y}\n"
SINCE = PROCESS + "    since 2025-01-01: none\n"
DELIVERY = "processes:\n  d:\n    delivery: {agreed: 100, announced: 2025-05-16}\n"
LINKED = SINCE + "  convoy: {event: once in 8 w}\nlinks:\n  - "
AT = "questions/worlds/own.yaml"
BAD_WORLDS = [
    # Links.
    (
        LINKED + "while truse=none: convoy x0.3 (0.1..0.8)\n",
        "7: [link] link (while truse=none: convoy): no process named truse. Try: truce",
    ),
    (
        LINKED + "while truce=nine: convoy x0.3 (0.1..0.8)\n",
        "7: [link] link (while truce=nine: convoy): truce has no state nine. Try: none",
    ),
    (
        LINKED + "while truce=none: convoy=on x0.3 (0.1..0.8)\n",
        "7: [link] link (while truce=none: convoy=on): convoy is an event and has no states. "
        "Try: convoy x3 (1..9)",
    ),
    (
        LINKED + "while convoy: truce=on x0.3 (0.1..0.8)\n",
        "7: [link] link (while convoy: truce=on): convoy is an event, which has no duration. "
        "Try: once convoy: ...",
    ),
    (
        LINKED + "once convoy: truce=on x3 (1..9)\n",
        "7: [link] link (once convoy: truce=on): convoy has no dated history, so its share of the "
        "past must be stated. Try: past: 40%",
    ),
    (
        LINKED.replace("on > none: once in 1 y", "on > none: at 2027-01-15")
        + "once convoy: truce=none x3 (1..9)\n    past: 40%\n",
        "7: [link] link (once convoy: truce=none): on > none has a fixed date, which no link can "
        "change. Try: a move with a rate",
    ),
    (
        LINKED + "while truce=none: convoy x0.3 (0.4..0.8)\n",
        "7: [link] link (while truce=none): ratio (x0.3 (0.4..0.8)): the range 0.4..0.8 must hold "
        "its median 0.3. Try: (0.1..0.9)",
    ),
    (
        LINKED + "while truce=none: convoy x0.3\n",
        "7: [link] link (while truce=none): ratio (x0.3): needs its 90 % range. "
        "Try: x0.3 (LOW..HIGH)",
    ),
    (
        LINKED + "while truce=none: convoy\n",
        "7: [link] link (while truce=none): must say what it speeds up or slows, and how much. "
        "Try: while truce=none: convoy x0.3 (0.1..0.8)",
    ),
    (
        LINKED + "while truce=none: convoy x0.3 (0.1..0.8)\n  "
        "- while truce=none: convoy x3 (1..9)\n",
        "8: [link] link (while truce=none: convoy): is stated at questions/worlds/own.yaml:7 "
        "already",
    ),
    (
        LINKED + "because: why\n",
        "7: [link] link: needs one while or once. Try: while truce=none: convoy x0.3 (0.1..0.8)",
    ),
    # Phrases.
    (
        PROCESS.replace("none > on: once in 1 y", "none > on: 3"),
        "3: [phrase] truce: phrase (3): a count needs the time over which it was counted. "
        "Try: 3 in 70 weeks",
    ),
    (
        PROCESS.replace("on > none: once in 1 y", "on > none: median 60 d (70..240)"),
        "3: [phrase] truce: phrase (median 60 d (70..240)): the range 70..240 must hold its "
        "median 60. Try: (20..1.8e+02)",
    ),
    (
        "processes:\n  c: {event: once in 1 y at once 5%}\n",
        "2: [phrase] c: an event takes no `at once`, no `for good` and no day. "
        "Try: event: 3 in 70 weeks",
    ),
    # States and moves.
    (
        "processes:\n  p:\n    moves:\n      none > on: once in 1 y\n      of > on: once in 1 y\n",
        "5: [state] p: state (of): no moves lead there from none. Try: none > of, or on",
    ),
    (
        "processes:\n  p:\n    states: [none, on]\n    moves:\n      none > on: once in 1 y\n"
        "      onn > none: once in 1 y\n",
        "6: [move] p: move (onn > none): no state named onn. Try: on",
    ),
    (
        "processes:\n  p:\n    moves: {none - on: once in 1 y, none > on: once in 1 y}\n",
        "3: [move] p: move (none - on): must be written STATE > STATE. Try: none > on",
    ),
    (
        DELIVERY + "    moves: {agreed > stalled: once in 1 y}\n",
        "4: [move] d: move (agreed > stalled): a delivery has no such move. Try: "
        + ", ".join(" > ".join(way) for way in DELIVERY_MOVES),
    ),
    # Facts.
    (
        SINCE + "    2025-03-18: held\n",
        "5: [state] truce: 2025-03-18: state (held): truce has none, on",
    ),
    (
        SINCE + "    2025-03-18: none\n",
        "5: [fact] truce: 2025-03-18: no move leads from none to none. Try: moves: none > none",
    ),
    (
        SINCE + "    2025-03-18: on\n    2025-03-01: none\n",
        "6: [fact] truce: 2025-03-01: comes after a later fact. Try: facts in order, oldest first",
    ),
    (
        SINCE + "    2025-03-18: on\n    2025-03-19T00:00Z: none\n",
        "6: [fact] truce: 2025-03-19T00:00Z: another fact has the same day. "
        "Try: one fact a day, or quoted moments that differ",
    ),
    (
        SINCE + "    2025-03-18: {state: on, known: 2025-03-17}\n",
        "5: [fact] truce: 2025-03-18: known (2025-03-18T00:00:00Z) before it happened "
        "(2025-03-19T00:00:00Z). Try: known: 2025-03-19",
    ),
    (
        SINCE + "    2024-03-18: on\n",
        "5: [fact] truce: 2024-03-18: comes before its record begins (2025-01-01T00:00:00Z)",
    ),
    (
        SINCE + "    watched: 2025-03-01\n    2025-03-18: on\n",
        "6: [fact] truce: 2025-03-18: comes after the end of its watch (2025-03-02T00:00:00Z). "
        "Try: watched: 2025-03-18",
    ),
    (
        SINCE + "    watched: 2024-03-01\n",
        "4: [fact] truce: is watched until 2024-03-02T00:00:00Z, before its record begins. "
        "Try: watched: a later day",
    ),
    (
        PROCESS + "    2025-03-18: on\n",
        "4: [fact] truce: its facts need the day from which it was watched. "
        "Try: since 2025-01-20: none",
    ),
    (
        PROCESS + "    since 2025-01-01: nine\n",
        "4: [fact] truce: since (nine): truce has none, on. Try: none",
    ),
    (
        SINCE + "    2025-03-18: true\n",
        "5: [fact] truce: 2025-03-18: names no state. Try: none, on",
    ),
    # Deliveries.
    (
        DELIVERY + "    2025-05-20: 60\n    2025-05-21: 50\n",
        "5: [delivery] d: 2025-05-21: 110 delivered of 100 agreed. Try: at most 40",
    ),
    (
        DELIVERY + "    2025-05-20: -60\n",
        "4: [delivery] d: 2025-05-20: part (-60): must be above 0",
    ),
    (
        DELIVERY + "    2025-05-20: failed\n    2025-05-21: 50\n",
        "5: [delivery] d: 2025-05-21: a part cannot come after it was failed",
    ),
    (
        "processes:\n  d:\n    delivery:\n      agreed: 100\n      announced: 2025-05-16\n"
        "      delivered: 100\n",
        "6: [delivery] d: delivered (100): must be from 0 to less than was agreed. Try: below 100",
    ),
    # Processes.
    (
        "processes:\n  p:\n    moves: {none > on: [1]}\n",
        "3: [field] processes.p.moves.none > on: must hold fields",
    ),
    (
        "processes:\n  p: {source: somebody}\n",
        "2: [process] p: needs one of moves, event, delivery, at and kind. "
        "Try: event: 3 in 70 weeks",
    ),
    (
        "processes:\n  p: {event: once in 1 y, at: 2026-01-01}\n",
        "2: [process] p: needs one of moves, event, delivery, at and kind. "
        "Try: event: 3 in 70 weeks",
    ),
    (
        "processes:\n  not: {event: once in 1 y}\n",
        "2: [process] process (not): is a reserved word of predicates. Try: a name of its own",
    ),
    (
        "processes:\n  Truce: {event: once in 1 y}\n",
        "2: [process] process (Truce): lower case with hyphens. Try: a name of its own",
    ),
    (
        "processes:\n  p: {evnt: once in 1 y, event: once in 1 y}\n",
        "2: [field] p: evnt: no such field. Try: event",
    ),
    (
        "processes:\n  e: {at: 2026-10-27..2026-05-01}\n",
        "2: [time] e: at (2026-10-27..2026-05-01): must be first possible..planned day. "
        "Try: 2026-05-01..2026-10-27",
    ),
    (
        "processes:\n  p: {kind: no-such-kind}\n",
        "2: [kind] p: kind (no-such-kind): no such kind is installed. "
        "Try: an entry point in forecasting.processes",
    ),
    (
        "zone: Mars/Base\n",
        "1: [zone] zone (Mars/Base): not an IANA time zone. "
        "Try: the city that names its zone, such as Africa/Khartoum",
    ),
]


def test_nothing_after_the_colon_states_nothing(tmp_path):
    for old, new in (('none > on: "",', "none > on: ,"), ("event: 3 in 70 weeks,", "event: ,")):
        worlds = _read(tmp_path, TEN_LINES.replace(old, new))
        assert worlds.problems == []
        process = worlds.world.processes["truce" if "none" in old else "convoy"]
        assert process.moves[0].phrase == Phrase("history")


@pytest.mark.parametrize(("text", "line"), BAD_WORLDS)
def test_what_cannot_be_is_one_line(tmp_path, text, line):
    assert _lines(tmp_path, text) == [f"{AT}:{line}"]


def test_every_fault_is_listed_and_the_rest_is_read(tmp_path):
    text = TEN_LINES.replace("3 in 70 weeks", "3").replace("2025-10-10: on", "2025-10-10: off")
    worlds = _read(tmp_path, text)
    assert [problem.rule for problem in worlds.problems] == ["state", "phrase"]
    assert list(worlds.world.processes) == ["detainees"]
    assert worlds.world.links == ()


def test_two_files_may_share_a_process_and_not_differ_on_it(tmp_path):
    _read(tmp_path, SINCE, "a.yaml")
    assert _read(tmp_path, "# The same.\n" + SINCE, "b.yaml").problems == []
    other = SINCE.replace("on > none: once in 1 y", "on > none: once in 2 y")
    assert [str(problem) for problem in _read(tmp_path, other, "b.yaml").problems] == [
        "questions/worlds/b.yaml:2: [duplicate-process] process (truce): "
        "questions/worlds/a.yaml:2 defines it differently. Try: a name of its own"
    ]


class Wave:
    """A kind of one's own: so many states in a row, the same pace between them."""

    def process(self, spec):
        number = spec.settings["crests"]
        if not isinstance(number, int) or number < 1:
            msg = f"crests ({number}): a whole number from 1"
            raise InvalidInput(msg, hint="crests: 3")
        states = tuple(f"crest-{k}" for k in range(number + 1))
        moves = tuple(
            MoveSpec(start, end, Phrase("count", count=1.0, exposure=30.0))
            for start, end in itertools.pairwise(states)
        )
        return dataclasses.replace(spec, states=states, moves=moves)


def test_a_kind_of_ones_own_fills_in_its_states(tmp_path, monkeypatch):
    class Installed:
        name = "wave"

        def load(self):
            return Wave

    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [Installed()])
    text = (
        "processes:\n  w: {kind: wave, settings: {crests: 2}, "
        "since 2025-01-01: crest-0, 2025-02-01: crest-1}\n"
    )
    worlds = _read(tmp_path, text)
    assert worlds.problems == []
    assert worlds.world.processes["w"].states == ("crest-0", "crest-1", "crest-2")
    assert _lines(tmp_path, text.replace("crests: 2", "crests: none")) == [
        f"{AT}:2: [kind] w: crests (none): a whole number from 1. Try: crests: 3"
    ]
    assert _lines(tmp_path, text.replace("kind: wave", "kind: waves")) == [
        f"{AT}:2: [kind] w: kind (waves): no such kind is installed. Try: wave"
    ]


def test_editors_get_the_dated_keys():
    schema = json.loads((ROOT / "schema" / "world.v1.json").read_text(encoding="utf-8"))
    process = schema["$defs"]["_ProcessShape"]
    assert process["additionalProperties"] is False
    assert any(pattern.startswith("^since ") for pattern in process["patternProperties"])
