"""What runs in the process beside the app: it reads the same database and answers one at a time."""

import os
import signal
import traceback
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from forecasting.app import figures
from forecasting.app.book import Book
from forecasting.errors import ForecastingError

type Call = Callable[..., Any]
#: Each takes the book, a function that is told each step, and what the page gave.
CALLS: Mapping[str, Call] = {
    "world": figures.world,
    "what-if": figures.what_if,
    "news": figures.news_effect,
    "views": figures.views,
    "review": figures.review,
}


def listen(line: Connection, database: str) -> None:
    """Answer what comes down the line until it is closed."""
    # Ctrl-C in the terminal is for the app, which closes the line.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError, AttributeError):
        os.nice(5)
    warnings.simplefilter("ignore")
    with suppress(EOFError, OSError, BrokenPipeError), Book.open(database) as book:
        while True:
            name, args = line.recv()
            line.send(_answer(book, line, name, args))


def _answer(book: Book, line: Connection, name: str, args: tuple[Any, ...]) -> tuple[str, Any]:
    try:
        head = book.head()
        return "done", (head, CALLS[name](book, lambda step: line.send(("step", step)), *args))
    except ForecastingError as refused:
        return "failed", refused.message
    except (EOFError, OSError, BrokenPipeError):
        raise
    except Exception:
        # A page says that it failed; the terminal says why.
        traceback.print_exc()
        return "failed", "something went wrong; the terminal that runs `forecast serve` says more"
