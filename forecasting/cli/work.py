"""update, replay, review: the models at work."""

import sys
from pathlib import Path
from typing import Any

import click

from forecasting.cli import times
from forecasting.cli.options import Command
from forecasting.cli.output import emit, progress, say, settings


@click.command(cls=Command)
@click.argument("questions", nargs=-1)
@click.option("--as-of", default="", metavar="TIME", help="Knowing only what was known then.")
@click.option("--dry-run", is_flag=True, help="Say what the models say and log nothing.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Random seed.")
@click.option(
    "--accept-because",
    default="",
    metavar="TEXT",
    help="Log what the gate refuses all the same, for this reason, which is recorded.",
)
def update(
    questions: tuple[str, ...], as_of: str, dry_run: bool, seed: int, accept_because: str
) -> int:
    r"""Bring the models up to the evidence and log them; without QUESTIONS, all open ones.

    \b
    Example:
      forecast update general-ceasefire-2026 --dry-run
    """
    from forecasting import clock
    from forecasting.app import update as use
    from forecasting.app.book import Book

    with Book.open(settings().db) as book:
        if sys.stderr.isatty():
            say("fitting ...")
        rows, warnings = use.update(
            book.ledger,
            questions,
            now=clock.now(),
            as_of=times.optional(as_of),
            dry_run=dry_run,
            seed=seed,
            accept_because=accept_because,
        )
    for warning in warnings:
        say(f"warning: {warning}")
    columns = (
        "question",
        "model",
        "before",
        "after",
        "lower",
        "upper",
        "mcse",
        "method",
        "gate",
        "note",
    )
    shown = rows
    if settings().format == "table":
        shown = [{**row, "note": _note(row)} for row in rows]
    emit(shown, columns=columns, title="not logged (--dry-run)" if dry_run else "logged")
    refused = [row for row in rows if str(row["gate"]).startswith("refused")]
    return 1 if rows and len(refused) == len(rows) else 0


def _note(row: dict[str, Any]) -> str:
    """Say what new items moved a probability, in log-odds, and how the model fits its class."""
    moves = [
        f"{move['cause']} {move['change']:+.2f}"
        for move in row["moved"]
        if isinstance(move["change"], float)
    ]
    return "; ".join([*moves, *([row["fit"]] if row["fit"] else [])])


@click.command(cls=Command)
@click.option(
    "--from", "start", default="", metavar="DAY", help="First day; default: the first opening."
)
@click.option(
    "--to",
    "until",
    default="",
    metavar="DAY",
    help="Last day; default: as far as the bank is observed.",
)
@click.option(
    "--every", type=click.IntRange(min=1), default=7, help="Days between steps of long windows."
)
@click.option(
    "--questions",
    "names",
    multiple=True,
    metavar="QUESTION",
    help="Only these (repeat, or separate by commas).",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Random seed.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="Processes that fit ahead; the result is the same to the last digit.",
)
@click.option("--dask", default="", metavar="ADDRESS", help="Fit on a Dask cluster instead.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    metavar="DIR",
    help="Also write the review page there.",
)
def replay(
    start: str,
    until: str,
    every: int,
    names: tuple[str, ...],
    seed: int,
    workers: int,
    dask: str,
    out: Path | None,
) -> None:
    r"""Walk through time with only what was known at each date, score, and review.

    Interrupt it at any moment and run it again: it completes without doubles.

    \b
    Example:
      forecast --db demo.db replay --out review
    """
    from forecasting import clock
    from forecasting.app import replay as use
    from forecasting.app.book import Book
    from forecasting.app.questions import bundled_bank

    bank = bundled_bank()
    with Book.open(settings().db, create=True) as book:
        book.init(bank)
        result = use.replay(
            book.ledger,
            bank,
            clock=clock.now,
            progress=lambda steps, take: progress(steps, "replay", take),
            start=times.optional(start),
            until=times.optional(until),
            every=every,
            names=[part for name in names for part in name.split(",") if part],
            seed=seed,
            workers=workers,
            dask=dask,
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
    say("A replay written with hindsight: it shows the tool and is no evidence of skill.")
    columns = (
        "forecaster",
        "type",
        "mean",
        "lower",
        "upper",
        "n_questions",
        "n_events",
        "coverage",
        "skill",
        "difference",
        "difference_lower",
        "difference_upper",
        "detectable",
        "rule",
    )
    emit(
        rows,
        columns=columns,
        title="scheduled window, smaller is better, Brier convention half; intervals 95 % over "
        "events; difference to the base rate on shared questions; nobody is ranked",
    )


@click.command(cls=Command)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Where index.html goes.",
)
@click.option(
    "--kind", default="", help="live or replay; default: replay where there is one, else live."
)
@click.option("--run", default="", help="Replay run; default: the latest complete one.")
def review(out: Path, kind: str, run: str) -> None:
    r"""Write the review page: one self-contained HTML file.

    \b
    Example:
      forecast review --out review
    """
    from forecasting.app.book import Book

    with Book.open(settings().db) as book:
        emit({"path": str(book.review(out, kind=kind, run=run))})
