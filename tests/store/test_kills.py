"""Killed at any instant of any command, what a command reported as saved is there, and whole."""

import os
import random
import select
import shutil
import signal
import subprocess
import sys
from collections import Counter

import pytest

from forecasting.store import Ledger
from tests.store import speaker
from tests.store.faults import NOW, fill

COMMANDS = ("log", "resolve", "news", "import")
#: The bank and the models take ten seconds to be read, which a test of seconds does not have.
UPDATING = (*COMMANDS, "update:leaders-meet@2026-12-31")


class Speaker:
    """The process of :mod:`tests.store.speaker`, and what its children say."""

    def __init__(self, root, path, folder, names):
        self.process = subprocess.Popen(
            [sys.executable, "-m", speaker.__name__, str(path), str(folder), *names],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        assert self.words() == ["ready"]

    def words(self):
        return self.process.stdout.readline().decode().split()

    @staticmethod
    def saved(words):
        name, seq, digest = words
        assert name == "saved"
        return int(seq), digest

    def killed(self, arguments, instant):
        """Let a child speak, kill it at an instant after its first word; give what it had saved."""
        self.process.stdin.write("\t".join(arguments).encode() + b"\n")
        name, pid = self.words()
        assert name == "pid"
        saved = [self.saved(self.words())]
        select.select([], [], [], instant)
        os.kill(int(pid), signal.SIGKILL)
        while (words := self.words())[0] == "saved":
            saved.append(self.saved(words))
        assert words == ["gone", str(int(signal.SIGKILL))]
        return saved

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A ledger in which each command has a question to speak of."""
    path = tmp_path_factory.mktemp("template") / "small.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORECASTING_NOW", NOW)
        fill(str(path))
    return path


@pytest.fixture(scope="module")
def asking(template):
    """The same with a question of the bank whose model has a closed form."""
    from forecasting.bank.usable import bundled_bank

    path = template.with_name("asking.db")
    shutil.copyfile(template, path)
    with Ledger.open(str(path)) as ledger:
        chosen = [each for each in bundled_bank().questions if f"update:{each.id}" in UPDATING]
        ledger.append(chosen, recorded_at=speaker.BEGAN)
    return path


def sizes(path, names):
    """Count the entries of each command by the moment that it spoke at."""
    with Ledger.open(str(path)) as ledger:
        head = ledger.head().seq
        times = Counter(ledger.entry(seq).recorded_at for seq in range(1, head + 1))
    by_command_number = {}
    for moment, entries in times.items():
        number = round((moment - speaker.BEGAN).total_seconds())
        if number > 0:
            by_command_number[number] = (names[number % len(names)], entries)
    return by_command_number


def survives(kills, names, *, longest, template, tmp_path, root):
    """Kill that often; give how many commands had been acknowledged."""
    draw = random.Random(kills)
    undisturbed = tmp_path / "whole.db"
    shutil.copyfile(template, undisturbed)
    speaking = Speaker(root, undisturbed, tmp_path, names)
    wanted = dict(sizes(undisturbed, names).values())
    assert set(wanted) == set(names)
    acknowledged = 0
    for kill in range(kills):
        # Ten kills each, so that the walk along the chain stays short.
        path = tmp_path / f"ledger-{kill // 10}.db"
        if kill % 10 == 0:
            shutil.copyfile(template, path)
        first = len(names) + 1000 * (kill % 10) + draw.randrange(len(names))
        arguments = [str(path), str(tmp_path), str(first), *names]
        saved = speaking.killed(arguments, draw.uniform(0, longest))
        acknowledged += len(saved)
        with Ledger.open(str(path)) as ledger:
            verification = ledger.verify()
            assert verification.ok, verification.reason
            assert [ledger.hash_at(seq) for seq, _ in saved] == [digest for _, digest in saved]
            with ledger._engine.connect() as connection:
                assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert all(wanted[name] == entries for name, entries in sizes(path, names).values())
    speaking.stop()
    return acknowledged


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@needs_fork
def test_a_command_killed_at_any_instant_loses_nothing_that_it_reported(template, tmp_path, root):
    """Logging, resolving, importing: 0 lost, 0 partial, the chain whole."""
    saved = survives(20, COMMANDS, longest=0.3, template=template, tmp_path=tmp_path, root=root)
    assert saved >= 20


@pytest.mark.deep
@needs_fork
def test_two_hundred_kills_of_every_command_that_writes(asking, tmp_path, root):
    """Updating too."""
    saved = survives(200, UPDATING, longest=0.8, template=asking, tmp_path=tmp_path, root=root)
    assert saved >= 200
