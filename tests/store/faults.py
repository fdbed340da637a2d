"""Commands at which a driver fails at the n-th statement, and the track record they work on."""

import datetime as dt
import sqlite3
from dataclasses import replace
from itertools import count

from forecasting.cli import run
from forecasting.domain import OutcomeSpace
from forecasting.errors import DatabaseUnusable
from forecasting.store import Ledger
from tests.season import DAY, START, question, said

NOW = "2026-11-22T12:00:00Z"


#: What each writing command is given.
COMMANDS = {
    "log": ["log", "flood", "35%", "--because", "rain"],
    "log options": ["log", "size", "--p", "none=0.2", "--p", "some=0.5", "--p", "all=0.3"],
    "log ladder": ["log", "truce", "--ladder", "2027-01-31=0.1", "--ladder", "2027-03-31=0.2"],
    "withdraw": ["withdraw", "drought"],
    "news add": [
        *("news", "add", "The river stands high", "--source", "wire"),
        *("--known-at", "2026-11-20T09:00Z", "--on", "flood=x2", "--on", "drought=x0.5"),
    ],
    "news retract": ["news", "retract", "{news}", "--because", "denied"],
    "news import": ["news", "import", "{folder}/news.csv"],
    "resolve": ["resolve", "drought", "no", "--source", "the office", "--sure"],
    "resolve again": [
        *("resolve", "quake", "no", "--source", "the office", "--at", "{at}", "--sure")
    ],
    "annul": ["annul", "flood", "--source", "the office"],
    "dispute": ["dispute", "quake", "no", "--source", "a paper"],
    "reopen": ["reopen", "quake", "--source", "the office"],
    "questions add": ["questions", "add", "{root}/questions/bank/talks/leaders-meet.yaml"],
    "log sealed": ["log", "flood", "0.2", "--sealed"],
    "reveal": ["reveal", "flood"],
    "redact": ["redact", "{entry}", "--because", "names a source"],
    "import csv": ["import", "csv", "{folder}/record.csv"],
    "sources set": ["sources", "set", "wire", "--grade", "A"],
}
#: What comes before some of them.
BEFORE = {
    "reveal": ["log", "flood", "0.2", "--sealed"],
    "redact": ["log", "flood", "0.2", "--because", "Smith says so"],
}
#: These read the bundled bank, so a run of one takes a second.
SLOW = {
    "init": ["init", "--example", "ukraine"],
    "update": ["update", "leaders-meet@2026-12-31", "--unwatched"],
    "replay": [
        *("replay", "--from", "2026-08-15", "--to", "2026-08-18", "--every", "7"),
        *("--question", "leaders-meet@2026-12-31"),
    ],
}
NEWS = """title,source,known_at,on
A dam is watched,wire,2026-11-20T10:00Z,flood=x1.5
A dam is mended,wire,2026-11-21T10:00Z,flood=x0.8
"""
RECORD = """question,title,forecaster,forecast,issued_at,opens,closes,outcome,resolved_at,tags
storm,Will it storm?,ben,0.2,2024-03-02T10:00Z,2024-03-01,2024-04-01,no,2024-04-01,weather
storm,Will it storm?,ben,0.4,2024-03-12T10:00Z,2024-03-01,2024-04-01,no,2024-04-01,weather
frost,Will it freeze?,cat,0.9,2024-03-02T10:00Z,2024-03-01,2024-04-01,yes,2024-03-20,weather
"""


class Aim:
    """Counts what a driver is asked to do, and lets one of it fail."""

    def __init__(self):
        self.left = 0
        self.fault = None

    def at(self, nth, fault):
        self.left, self.fault = nth, fault

    def step(self):
        self.left -= 1
        if not self.left:
            raise self.fault()

    def missed(self):
        """Tell whether the command ended before what was to fail; then aim at nothing."""
        missed, self.left = self.left > 0, 0
        return missed


def failing(name):
    def new_fault():
        fault = sqlite3.OperationalError("injected")
        fault.sqlite_errorname = name
        return fault

    return new_fault


FAULTS = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_IOERR_WRITE": "the disk failed",
    "SQLITE_BUSY": "locked by another program",
    "SQLITE_READONLY": "read-only",
}


def fill(url):
    """Write a small track record: what each command needs, and nothing else."""
    days = (dt.datetime.fromisoformat(NOW) - START) // DAY
    asked = {
        name: replace(question(name, opens=days - 30, days=90), answer="strike by close")
        for name in ("flood", "drought", "quake")
    }
    size = question(
        "size", opens=days - 30, days=90, space=OutcomeSpace("ordered", ("none", "some", "all"))
    )
    with Ledger.open(url, create=True) as ledger:
        ledger.append([*asked.values(), size, *rungs(days)], recorded_at=START + (days - 30) * DAY)
        ledger.append(
            [said(one, "ana", 0.4, days - 20 + i) for i, one in enumerate(asked.values())],
            recorded_at=START + (days - 17) * DAY,
        )
    for words in (
        ["news", "add", "A dry month", "--source", "wire", "--known-at", "2026-11-12T09:00Z",
         "--on", "drought=x2"],
        ["resolve", "quake", "yes", "--source", "the office", "--at", "2026-11-15T00:00Z"],
    ):  # fmt: skip
        assert run([*words, "--db", url]) == 0


def rungs(days):
    return [
        replace(question(f"truce@{day}", opens=days - 30, days=span), ladder="truce", event="truce")
        for day, span in (("2027-01-31", 100), ("2027-03-31", 160))
    ]


def words_of(name, url, tmp_path, root):
    """Give the arguments of a command, after what has to come before it."""
    if name in BEFORE:
        assert run([*BEFORE[name], "--db", url]) == 0
    with Ledger.open(url) as ledger:
        values = {"news": ledger.evidence()[0].seq, "entry": ledger.head().seq}
    values |= {"folder": tmp_path, "root": root, "at": "2026-11-15T00:00Z"}
    return [word.format(**values) for word in COMMANDS[name]]


def state(url):
    """Give the head and the content digest; what is no ledger yet holds nothing."""
    try:
        with Ledger.open(url) as ledger:
            return ledger.head(), ledger.content_digest()
    except DatabaseUnusable as fault:
        if str(fault).startswith("no database at"):
            return None
        raise


def refused_at_each(
    url, words, aim, faults, *, capsys, renew, stride=1, first=1, whole=True, look=lambda: None
):
    """Run a command with a fault at each statement in turn; give how many there are.

    A command whose fault comes after its commit has written all of it; `renew` then sets the
    ledger up again. Not `whole`: the command is many transactions, and the next run goes on.
    """
    names = sorted(faults)
    before, landed = state(url), []
    for tried in count():
        nth = first + tried * stride
        name = names[tried % len(names)]
        wrong, message = faults[name]
        capsys.readouterr()
        aim.at(nth, wrong)
        code = run([*words, "--db", url])
        missed = aim.missed()
        err = capsys.readouterr().err
        after = state(url)
        if missed:
            assert code == 0, err
            assert not whole or all(_content(after) == _content(other) for other in landed)
            return nth - 1, before, after
        if code:
            assert (code, err.count("error: ")) == (3, 1), (nth, name, err)
            assert message in err, (nth, name, err)
            assert "Traceback" not in err
        if not whole:
            with Ledger.open(url) as ledger:
                assert ledger.verify().ok
        elif code == 0 or after != before:
            landed.append(after)
            renew()
        look()
    raise AssertionError


def _content(pair):
    """Leave out the hash of the head, in which the salt of a rationale is."""
    return pair[0].seq, pair[1]


EACH = {name: (failing(name), message) for name, message in FAULTS.items()}


def turned(faults, turn):
    """Let another fault come first; four turns meet each fault at each statement."""
    names = sorted(faults)
    return {str(i): faults[name] for i, name in enumerate(names[turn:] + names[:turn])}
