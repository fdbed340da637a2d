"""The long work of one app: each piece in a process with its progress, each may be ended.

Files that are read or brought in take turns among themselves, so that they do not wait for a
simulation; all other work takes turns too. What only shows a file of an ordinary size writes
nothing and is soon over, and waits for neither.
"""

import secrets
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from forecasting.web.bodies import Sent
from forecasting.web.faults import Fault
from forecasting.web.work import FILES, receive, send

#: Pieces of work that are remembered.
MOST = 60
#: Seconds that an answer waits for short work, before it shows how far it is.
PATIENCE = 2.5
#: Bytes of a file of an ordinary size (some ten thousand rows), and how many are shown at once.
ORDINARY, AT_ONCE = 4_000_000, 2


@dataclass(slots=True)
class Job:
    """One piece of work: `then` shows what came of it, `total` 0 is unknown, `form` began it."""

    id: str
    title: str
    call: str
    who: str
    options: dict[str, Any]
    then: str
    head: int = 0
    form: Sent | None = field(default=None, repr=False)
    state: Literal["waiting", "running", "done", "failed", "ended"] = "waiting"
    done: int = 0
    total: int = 0
    words: str = "waits for what runs before it"
    result: Any = field(default=None, repr=False)
    fault: Fault | None = None
    process: Any = field(default=None, repr=False)
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> int:
        """For how long it has been there."""
        return int(time.monotonic() - self.began)

    @property
    def over(self) -> bool:
        """Whether nothing more happens."""
        return self.state in ("done", "failed", "ended")


class Jobs:
    """What runs, what waits, what is over."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._turn, self._files = threading.Semaphore(1), threading.Semaphore(1)
        self._shown = threading.Semaphore(AT_ONCE)
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._over = threading.Condition(self._lock)

    def start(
        self,
        title: str,
        call: str,
        *,
        who: str,
        then: str,
        head: int = 0,
        form: Sent | None = None,
        **options: Any,
    ) -> Job:
        """Begin work that saw the ledger up to `head`, or give the one like it that is not over."""
        with self._lock:
            for job in self._jobs.values():
                if not job.over and (job.call, job.who, job.options) == (call, who, options):
                    return job
            job = Job(secrets.token_urlsafe(9), title, call, who, options, then, head, form)
            self._jobs[job.id] = job
            over = [key for key, each in self._jobs.items() if each.over]
            for key in over[: max(0, len(self._jobs) - MOST)]:
                del self._jobs[key]
        threading.Thread(target=self._run, args=(job,), daemon=True, name=job.title).start()
        return job

    def wait(self, job: Job, seconds: float = PATIENCE) -> None:
        """Wait a moment for work that may be short."""
        with self._over:
            self._over.wait_for(lambda: job.over, seconds)

    def of(self, key: str) -> Job | None:
        """Give a piece of work by its id."""
        with self._lock:
            return self._jobs.get(key)

    def last(self, call: str, **options: Any) -> Job | None:
        """Give the piece of work of this kind that was done last, whoever asked for it."""
        with self._lock:
            alike = [j for j in self._jobs.values() if (j.call, j.options) == (call, options)]
        return next((job for job in reversed(alike) if job.state == "done"), None)

    def running(self) -> list[Job]:
        """Give the work that is not over."""
        with self._lock:
            return [job for job in self._jobs.values() if not job.over]

    def end(self, job: Job) -> None:
        """End a piece of work; what it recorded until then stays."""
        with self._lock:
            if job.over:
                return
            job.state, job.words = "ended", "ended; what was recorded until then stays"
            self._over.notify_all()
            process = job.process
        if process is not None:
            process.kill()
            # Once the process has ended, the ledger says what it wrote.
            process.wait()

    def close(self) -> None:
        """End everything."""
        with self._lock:
            mine = list(self._jobs.values())
        for job in mine:
            self.end(job)

    def _lane(self, job: Job) -> threading.Semaphore:
        """Give what a piece of work waits for."""
        if job.call not in FILES:
            return self._turn
        file = Path(job.options["file"])
        ordinary = file.exists() and file.stat().st_size <= ORDINARY
        return self._shown if ordinary and not job.options.get("once") else self._files

    def _run(self, job: Job) -> None:
        with self._lane(job):
            with self._lock:
                if job.over:
                    return
                job.state, job.words = "running", "starting"
                job.process = subprocess.Popen(
                    [sys.executable, "-m", "forecasting.web.work"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            process = job.process
            try:
                order = {"database": self._database, "who": job.who, "call": job.call}
                send(process.stdin, order | {"options": job.options})
                self._listen(job, process)
            except OSError:
                pass  # the process ended, and how it ended is told below
            finally:
                process.stdin.close()
                process.stdout.close()
                process.wait()
            with self._lock:
                if not job.over:
                    job.state, job.words = "failed", "it stopped and gave no reason; try again"
                    self._over.notify_all()

    def _listen(self, job: Job, process: Any) -> None:
        while (message := receive(process.stdout)) is not None:
            kind, value = message
            with self._lock:
                if job.over:
                    return
                if kind == "progress":
                    job.done, job.total, job.words = value
                    continue
                if kind == "result":
                    job.result, job.state = value, "done"
                else:
                    job.state, job.words, job.fault = "failed", value.words, value
                self._over.notify_all()
