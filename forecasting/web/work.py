"""Long work in a process of its own, ``python -m forecasting.web.work``, as the app tells it.

The app stays quick, and work can be ended at any moment: every entry is appended in a transaction,
so that nothing is half written. What is told goes over standard input and output as pickles between
parent and child alone.
"""

import os
import pickle
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

type Tell = Callable[[int, int, str], None]
#: Refused rows that a page shows.
SHOWN = 40
#: The stages of an import, as a page names them.
STAGES = {"reading": "rows read", "recording": "entries recorded"}


def explain(book: Any, tell: Tell, question: str) -> Any:
    """Take a model's number apart."""
    tell(0, 0, "simulating, with one story after another left out")
    explanations = book.explain(question)
    return explanations if isinstance(explanations, list) else [explanations]


def update(book: Any, tell: Tell, **options: Any) -> Any:
    """Bring the model up to the evidence and the clock."""
    names = list(options.pop("questions", ()))
    tell(0, 0, "simulating the world")
    notes: list[str] = []
    rows = book.speaking_as(book.forecaster, tell=notes.append).update(*names, **options)
    return {"rows": rows, "warnings": notes}


def verify(book: Any, tell: Tell) -> Any:
    """Walk the chain."""
    tell(0, 0, "walking the chain from the first entry")
    return book.verify()


def import_(book: Any, tell: Tell, *, once: str = "", file: str, **options: Any) -> Any:
    """Read a track record; with `once`, the act of writing that it is, bring it in."""

    def progress(stage: str, done: int, total: int) -> None:
        tell(done, total, STAGES.get(stage, stage))

    speaking = book.speaking_as(book.forecaster, once=once)
    result: dict[str, Any] = speaking.import_record(
        file, dry_run=not once, check_scores=not once, progress=progress, **options
    )
    # A page shows the first of the refused rows; there may be a million.
    result["n_refused"] = len(result["refused"])
    result["refused"] = result["refused"][:SHOWN]
    if "scores" in result:
        result["scores"].pop("rows")
    return result


CALLS: dict[str, Callable[..., Any]] = {
    "explain": explain,
    "import": import_,
    "update": update,
    "verify": verify,
}
#: Calls that work on a file and simulate nothing.
FILES = ("import",)


def send(stream: IO[bytes], message: Any) -> None:
    """Write one message."""
    body = pickle.dumps(message)
    stream.write(struct.pack(">Q", len(body)) + body)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read one message; None at the end."""
    head = stream.read(8)
    if len(head) < 8:
        return None
    body = stream.read(struct.unpack(">Q", head)[0])
    # From our own child or parent, over a pipe that nobody else holds.
    return pickle.loads(body)


def line_out() -> IO[bytes]:
    """Begin a process beside the app, of lower priority; give the stream of its messages."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # What a library prints is not a message.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # Not every system knows a lower priority; the work is the same without it.
    with suppress(OSError, AttributeError):
        os.nice(5)
    return out


def main() -> None:
    """Do one piece of work."""
    from forecasting.app.book import Book
    from forecasting.errors import ForecastingError
    from forecasting.web.faults import fault_of

    out = line_out()
    order = receive(sys.stdin.buffer)

    def tell(done: int, total: int, words: str) -> None:
        send(out, ("progress", (done, total, words)))

    try:
        with Book.plain(order["database"], forecaster=order["who"]) as book:
            result = CALLS[order["call"]](book, tell, **order["options"])
        send(out, ("result", result))
    except ForecastingError as refused:
        send(out, ("fault", fault_of(refused)))


if __name__ == "__main__":
    main()
