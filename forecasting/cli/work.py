"""update, replay, review: the models at work."""

from pathlib import Path
from textwrap import shorten
from typing import Any

import click

from forecasting.cli import options, times
from forecasting.cli.options import Command
from forecasting.cli.output import cell, emit, opened, progress, say, settings, simulating
from forecasting.cli.scores import ruled

#: Letters of a title in a note.
NOTED = 36


@click.command(cls=Command)
@click.argument("questions", nargs=-1)
@options.AS_OF
@options.DRY_RUN
@options.SEED
@options.flag(
    "--watched", help="Record that you looked and nothing more happened (see `forecast watch`)."
)
@options.flag("--unwatched", help="Log although nobody has watched the processes for a week.")
@options.flag("--everything", help="Log numbers that did not change too.")
@options.text(
    "--accept-because", metavar="TEXT", help="Log even if diagnostics fail; the reason is recorded."
)
def update(questions: tuple[str, ...], as_of: str, dry_run: bool, **values: Any) -> int:
    r"""Update the model with new evidence and the passing of time; log what changed.

    A number is logged if it is the first, has new evidence, or moved by more than its simulation
    error; the questions of a ladder or a linked group are logged together. `note` says why or why
    not.

    Without QUESTIONS, all open ones. Probabilities change with every watched day; if nobody has
    watched for a week, two numbers are shown (nothing happened since / unknown since).

    \b
    Examples:
      forecast update convoy --dry-run
      forecast update --watched
    """
    with opened(prefix="note: ") as book:
        moment = times.optional(as_of)
        if not (values["watched"] or values["unwatched"] or dry_run) and times.somebody_there():
            values["watched"] = _ask_watched(book.unwatched(*questions, as_of=moment))
        with simulating():
            rows = book.update(*questions, as_of=moment, dry_run=dry_run, **values)
    shown = rows
    if settings().format == "table":
        shown = [{**row, "note": _note(row), "after": _with_interval(row)} for row in rows]
    both = any(row["quiet"] is not None for row in rows)
    columns = ("question", "after", *(["quiet"] if both else []), "logged", "note", "before")
    logged = sum(row["logged"] for row in rows)
    title = "not logged (--dry-run)" if dry_run else f"{logged} of {len(rows)} logged"
    note = "; quiet: if nothing had happened since the last watch" if both else ""
    emit(shown, columns=columns, title=f"{title}; 90 % intervals{note}", always=4 + both)
    if any(row["status"] != "open" for row in rows):
        say("what is due: forecast resolve QUESTION OUTCOME --source URL")
    asked = [row for row in rows if row["status"] == "open"]
    refused = [row for row in asked if str(row["gate"]).startswith("refused")]
    return 1 if asked and len(refused) == len(asked) else 0


def _ask_watched(stale: dict[str, Any]) -> bool:
    """Ask once, on a terminal, whether somebody looked."""
    if not stale:
        return False
    oldest = min(stale.values())
    names = ", ".join(sorted(stale)[:6]) + (" and more" if len(stale) > 6 else "")
    return click.confirm(
        f"Has nothing more happened since {oldest:%d %B %Y} to: {names}?", default=False, err=True
    )


def _with_interval(row: dict[str, Any]) -> Any:
    """Write a number with its interval below it; of options each on a line of its own."""
    if row["intervals"] and row["after"]:
        return "\n".join(
            f"{option} {cell(row['after'][option])} ({_end(low)} to {_end(high)})"
            for option, (low, high) in row["intervals"].items()
        )
    sure = isinstance(row["lower"], float) and (row["lower"] >= 0.9995 or row["upper"] < 0.0005)
    if not isinstance(row["lower"], float) or sure:
        # Facts decide it, or next to: both ends would read alike.
        return row["after"]
    return f"{cell(row['after'])}\n{_end(row['lower'])} to {_end(row['upper'])}"


def _end(p: float) -> str:
    """Write an end of an interval to three decimals; what is nearly certain is not certain."""
    return "<0.001" if 0 < p < 0.0005 else ">0.999" if 0.9995 <= p < 1 else cell(p)


def _note(row: dict[str, Any]) -> str:
    """Say what moved a number, in log-odds or its own unit, and what else there is to know."""
    if row["status"] != "open":
        return f"{row['status']}: resolve it"
    moves = [
        f"{shorten(move['title'], NOTED, placeholder=' …')} {move['change']:+.2f} {move['scale']}"
        for move in row["moved"]
        if isinstance(move["change"], float) and abs(move["change"]) >= 0.005
    ]
    gate = [] if row["gate"] == "passed" else [str(row["gate"])]
    return "; ".join([*gate, row["reason"], *moves, *([row["fit"]] if row["fit"] else [])])


@click.command(cls=Command)
@options.text("--from", "start", metavar="DAY", help="First day; default: the first opening.")
@options.text(
    "--to", "until", metavar="DAY", help="Last day; default: as far as the bank is observed."
)
@click.option(
    "--every", type=click.IntRange(min=1), default=7, help="Days between steps of long windows."
)
@options.QUESTION
@options.SEED
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="Parallel processes to simulate with; the result is the same.",
)
@options.text("--dask", metavar="ADDRESS", help="Simulate on a Dask cluster instead.")
@options.out("Folder to write the review page to.", metavar="DIR")
def replay(
    start: str, until: str, question: tuple[str, ...], out: Path | None, **values: Any
) -> None:
    r"""Replay the past with only the information available by each date; score and review.

    You can interrupt it at any time and run it again: it resumes without duplicates.

    \b
    Example:
      forecast --db demo.db replay --out review
    """
    from forecasting.app.book import Book

    if out is not None:
        Book.page_folder(out)
    with opened(create=True) as book:
        book.reload()
        result = book.replay(
            progress=lambda steps, take: progress(steps, "replay", take),
            start=times.optional(start),
            until=times.optional(until),
            names=question,
            **values,
        )
        if out is not None:
            result["page"] = str(book.review(out, kind="replay", run=result["run"]))
    _print(result)


def _print(result: dict[str, Any]) -> None:
    if settings().format != "table":
        emit(result)
        return
    rows = result.pop("scores")
    emit(result)
    say("A replay written with hindsight: it shows the tool and is not evidence of skill.")
    columns = (
        *("forecaster", "mean", "rule", "type", "lower", "upper", "n_questions", "n_events"),
        *("coverage", "skill", "difference", "difference_lower", "difference_upper", "detectable"),
    )
    emit(
        [{**row, "rule": ruled(row)} for row in rows],
        columns=columns,
        always=3,
        title="scheduled window, smaller is better; intervals 95 % over events; difference to the "
        "base rate on shared questions; no ranking",
    )


@click.command(cls=Command)
@options.out("Folder to write the review page to.", metavar="DIR", required=True)
@options.text("--kind", help="live or replay; default: the latest replay, or live without one.")
@options.RUN
def review(out: Path, kind: str, run: str) -> None:
    r"""Write the review page: one self-contained HTML file.

    \b
    Example:
      forecast review --out review
    """
    with opened() as book:
        emit({"path": str(book.review(out, kind=kind, run=run))})
