"""Figures that take seconds, computed in one process beside the app, so that pages stay quick.

A page asks the desk for figures by name. What is known for the ledger's head is there at once; else
the process computes it, the page waits a moment, then shows what there was and how far it is. The
process (`far`) only reads, keeps what it learned of the world between two questions, is started
when it is first needed and ends when it was idle for a while. Work that writes is a `jobs.Job`.
"""

import subprocess
import sys
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from forecasting.web.work import receive, send

if TYPE_CHECKING:
    from forecasting.web.visit import Visit

#: Seconds that a page waits for its figures before it shows how far they are.
PATIENCE = 2.5
#: Seconds after which a process that computes nothing ends.
IDLE = 900.0
#: Results that are kept, and requests that may wait; the oldest go.
KEEP, MOST_WAITING = 60, 12

type State = Literal["waiting", "running", "done", "failed", "stopped"]


@dataclass(eq=False, slots=True)
class Work:
    """One computation: what was asked, how far it is, and what came of it."""

    call: str
    args: tuple[Any, ...]
    head: int
    state: State = "waiting"
    step: str = ""
    result: Any = None
    words: str = ""
    began: float = field(default_factory=time.monotonic)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def key(self) -> tuple[Any, ...]:
        """What is computed, whatever the head."""
        return (self.call, *self.args)

    @property
    def seconds(self) -> int:
        """How long ago it was asked for."""
        return int(time.monotonic() - self.began)

    @property
    def going(self) -> bool:
        """Whether the result is still to come."""
        return self.state in ("waiting", "running")

    def stop(self) -> None:
        """Give the work up, so that whoever waits for it goes on."""
        self.state = "stopped"
        self.ended.set()


@dataclass(frozen=True, slots=True)
class Figures:
    """What a page shows: a result with the head that it is of, and the work that renews it."""

    result: Any = None
    head: int = 0
    work: Work | None = None
    behind: int = 0
    #: Whether newer figures are on their way: as the page was made, for the work may end meanwhile.
    going: bool = False


class Desk:
    """Takes requests, hands them one by one to its process, and keeps what came back."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._going: OrderedDict[tuple[Any, ...], Work] = OrderedDict()
        self._done: OrderedDict[tuple[Any, ...], Work] = OrderedDict()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def latest(self, call: str, *args: Any) -> Work | None:
        """Give the last work of this name that ended by itself, of whatever head."""
        with self._lock:
            return self._done.get((call, *args))

    def ask(self, call: str, *args: Any, head: int, again: bool = False) -> Work:
        """Ask for figures of a head: those that are there, those on their way, or new ones."""
        with self._lock:
            done = self._done.get((call, *args))
            if done is not None and done.head >= head and not again:
                self._done.move_to_end(done.key)
                return done
            going = self._going.get((call, *args))
            if going is not None and going.head >= head:
                return going
            if going is not None and going.state == "waiting":
                going.stop()
            work = Work(call, args, head)
            self._going[work.key] = work
            waiting = [each for each in self._going.values() if each.state == "waiting"]
            for late in waiting[:-MOST_WAITING]:
                late.stop()
                del self._going[late.key]
            self._queue.put(work)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, daemon=True, name="desk")
                self._thread.start()
        return work

    def close(self) -> None:
        """End the process."""
        with self._lock:
            thread, self._thread = self._thread, None
            for work in self._going.values():
                work.stop()
            self._going.clear()
            if self._process is not None:
                self._process.kill()
        if thread is not None:
            self._queue.put(None)
            thread.join(timeout=10)

    def _run(self) -> None:
        while True:
            try:
                work = self._queue.get(timeout=IDLE)
            except Empty:
                with self._lock:
                    if not self._queue.empty():
                        continue
                    self._thread = None
                break
            if work is None:
                break
            self._compute(work)
        self._hang_up()

    def _compute(self, work: Work) -> None:
        process = self._at_work()
        with self._lock:
            if work.state != "waiting":
                return
            work.state = "running"
        try:
            send(process.stdin, (work.call, work.args))  # type: ignore[arg-type]
            while work.state == "running":
                message = receive(process.stdout)  # type: ignore[arg-type]
                if message is None:
                    raise EOFError
                self._hear(work, *message)
        except (EOFError, OSError):
            if not work.ended.is_set():
                work.words = "the computation broke off; the terminal says more"
                self._end(work, "failed")
            self._hang_up()

    def _hear(self, work: Work, kind: str, value: Any) -> None:
        if kind == "step":
            work.step = value
        elif kind == "done":
            # The ledger may have grown meanwhile, so the child says which head it read.
            head, work.result = value
            work.head = max(head, 0)
            self._end(work, "done")
        else:
            work.words = value
            self._end(work, "failed")

    def _end(self, work: Work, state: State) -> None:
        with self._lock:
            if work.state == "stopped":
                return
            work.state = state
            if self._going.get(work.key) is work:
                del self._going[work.key]
            self._done[work.key] = work
            self._done.move_to_end(work.key)
            while len(self._done) > KEEP:
                self._done.popitem(last=False)
        work.ended.set()

    def _at_work(self) -> "subprocess.Popen[bytes]":
        """Give the process; start one if none runs."""
        if self._process is None or self._process.poll() is not None:
            self._hang_up()
            started = subprocess.Popen(
                [sys.executable, "-m", "forecasting.web.far"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            # As a message: an address may hold a password, and others can read a command line.
            send(started.stdin, self._database)  # type: ignore[arg-type]
            with self._lock:
                self._process = started
        return self._process

    def _hang_up(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                # What was written and not yet read is lost with the process.
                with suppress(OSError):
                    stream.close()
        process.wait()


def figures(
    visit: "Visit",
    call: str,
    *args: Any,
    patience: float = PATIENCE,
    renew: bool = True,
    again: bool = False,
) -> Figures:
    """Give the figures of a page, `again` or anew (`renew`) when it asks, as far as they are."""
    desk = visit.house.desk
    known = desk.latest(call, *args)
    if known is not None and known.state == "done" and not renew and not again:
        return Figures(known.result, known.head, None, max(visit.head - known.head, 0))
    work = desk.ask(call, *args, head=visit.head, again=again)
    if patience and work.going:
        work.ended.wait(patience)
    # Read once. What was given up for another's wish is asked for again when the page asks again.
    state = work.state
    if state == "done":
        return Figures(work.result, work.head, None, max(visit.head - work.head, 0))
    going = state != "failed"
    if known is not None and known.state == "done":
        return Figures(known.result, known.head, work, max(visit.head - known.head, 0), going)
    return Figures(None, 0, work, going=going)


def address(visit: "Visit", **more: str) -> str:
    """Give the address of a page as it was asked for, but for the wish to compute anew."""
    fields = [(name, value) for name, value in visit.query.fields if name != "again"]
    fields += list(more.items())
    return f"{visit.here}?{urlencode(fields)}" if fields else visit.here
