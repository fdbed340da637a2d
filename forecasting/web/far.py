"""The process of `compute`, ``python -m forecasting.web.far``: it reads, and answers one by one."""

import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO, Any

from forecasting.app.book import Book, PlainBook
from forecasting.errors import ForecastingError
from forecasting.web import figures
from forecasting.web.work import line_out, receive, send

type Call = Callable[..., Any]
#: Each takes the book, a function that is told each step, and what the page gave.
CALLS: Mapping[str, Call] = {
    "world": figures.world,
    "what-if": figures.what_if,
    "news": figures.news_effect,
    "views": figures.views,
    "review": figures.review,
    "question": figures.question_scores,
}


def main() -> None:
    """Answer what comes in until it ends."""
    # Ctrl-C in the terminal is for the app, which ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = line_out()
    warnings.simplefilter("ignore")
    database = receive(sys.stdin.buffer)
    if database is None:
        return
    # The app has gone, and nobody waits for an answer.
    with suppress(BrokenPipeError), Book.plain(database) as book:
        while (order := receive(sys.stdin.buffer)) is not None:
            send(out, answer(book, out, *order))
    with suppress(BrokenPipeError):  # nor for the rest of it
        out.close()


def answer(book: PlainBook, out: IO[bytes], name: str, args: tuple[Any, ...]) -> tuple[str, Any]:
    """Compute one set of figures; the head that they are of comes with them."""
    try:
        head = book.head()
        return "done", (head, CALLS[name](book, lambda step: send(out, ("step", step)), *args))
    except ForecastingError as refused:
        return "failed", refused.message
    except BrokenPipeError:
        raise
    except Exception:
        # The page says that it failed, the terminal why.
        traceback.print_exc()
        return "failed", "something went wrong; the terminal that runs `forecast serve` says more"


if __name__ == "__main__":
    main()
