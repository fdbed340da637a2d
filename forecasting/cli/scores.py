"""score, calibration: how good the forecasts were."""

from pathlib import Path
from typing import Any

import click

from forecasting.cli.forecasts import KINDS
from forecasting.cli.options import Command
from forecasting.cli.output import emit, say, settings

FILTERS = (
    click.option("--forecaster", default="", help="Only this one's."),
    click.option("--question", default="", help="Only this question or ladder."),
    click.option("--tag", default="", help="Only with this tag, topic or event."),
    click.option("--run", default="", help="Replay run; default: the latest complete one."),
    click.option("--as-of", "as_of", default="", metavar="TIME", help="With what was known then."),
)


def filters(command: Any) -> Any:
    """Add the options that choose which forecasts a table is about."""
    for option in reversed(FILTERS):
        command = option(command)
    return command


@click.command(cls=Command)
@click.option(
    "--rule",
    type=click.Choice(["brier", "log", "rps", "crps"]),
    default=None,
    help="Default: each question type by its own.",
)
@click.option(
    "--convention",
    type=click.Choice(["half", "full"]),
    default="half",
    help="Brier on [0, 1] or [0, 2].",
)
@click.option(
    "--by",
    type=click.Choice(["forecaster", "question", "topic", "tag", "horizon", "month"]),
    default="forecaster",
)
@click.option("--kind", type=click.Choice(KINDS), default="live", help="Kinds never mix.")
@click.option(
    "--window",
    default="scheduled",
    metavar="WINDOW",
    help="scheduled, spot@SHARE, or (improper) until-resolution, last.",
)
@filters
def score(
    rule: str | None,
    convention: str,
    by: str,
    kind: str,
    window: str,
    forecaster: str,
    question: str,
    tag: str,
    run: str,
    as_of: str,
) -> None:
    r"""Score forecasters over the lifetime of resolved questions; smaller is better.

    \b
    Example:
      forecast score --kind replay
    """
    from forecasting.app import frames
    from forecasting.app import score as use
    from forecasting.app.book import Book
    from forecasting.domain.instants import parse_when

    with Book.open(settings().db) as book:
        wanted = frames.Selection(
            kind, run, forecaster, question, tag, parse_when(as_of) if as_of else None
        )
        rows = use.scores(
            book.ledger,
            rule=rule or "",
            convention=convention,
            by=by,
            window=window,
            selection=wanted,
        )
        if not rows:
            say(use.empty_note(book.ledger, kind))
    columns = [
        *([] if by == "forecaster" else [by]),
        "forecaster",
        "type",
        "mean",
        "lower",
        "upper",
        "n_questions",
        "n_events",
        "coverage",
        "skill",
        *(["difference", "difference_lower", "difference_upper"] if by == "forecaster" else []),
        "rule",
    ]
    if rows and not rows[0]["proper"]:
        say(f"window {window} is improper: it can be gained by strategy, and ranks nobody")
    emit(rows, columns=columns, title=_title(kind, convention, window) if rows else "")


def _title(kind: str, convention: str, window: str) -> str:
    return (
        f"{kind} forecasts, window {window}, Brier convention {convention}, smaller is better; "
        "intervals 95 % over events, skill = uniform forecast's score - mean, "
        "difference = score - base rate's on shared questions"
    )


@click.command(cls=Command)
@click.option("--kind", type=click.Choice(KINDS[:-1]), default="live", help="Kinds never mix.")
@click.option(
    "--share", type=float, default=0.5, help="At which share of each window forecasts are read."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE",
    help=".svg, .png, .csv or .html",
)
@filters
def calibration(
    kind: str,
    share: float,
    out: Path | None,
    forecaster: str,
    question: str,
    tag: str,
    run: str,
    as_of: str,
) -> None:
    r"""Review calibration: the curve, its band, the parts of the Brier score, in plain words.

    Without --forecaster it is yours for live forecasts, and the model's for a replay.

    \b
    Example:
      forecast calibration --kind replay --forecaster model --out model.svg
    """
    from forecasting.app import frames
    from forecasting.app.book import Book
    from forecasting.domain.instants import parse_when

    with Book.open(settings().db, forecaster=settings().forecaster) as book:
        who = forecaster or ("model" if kind == "replay" else book.forecaster)
        wanted = frames.Selection(
            kind, run, who, question, tag, parse_when(as_of) if as_of else None
        )
        result = book.calibration_of(wanted, share=share)
        if not result["n"]:
            from forecasting.app.score import empty_note

            say(empty_note(book.ledger, kind))
        if out is not None:
            book.save_calibration(result, out, title=f"{who} ({kind})")
            say(f"written: {out}")
    record = {"forecaster": who, "kind": kind, **result}
    if settings().format == "table":
        record.pop("pooled")
        click.echo(record.pop("reading"))
    emit(record)
