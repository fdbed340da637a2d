"""leaderboard: who scores best, freed from the choice of questions."""

import sys

import click

from forecasting.cli.forecasts import KINDS
from forecasting.cli.options import Command
from forecasting.cli.output import emit, opened, say
from forecasting.cli.scores import filters, selection
from forecasting.cli.spelling import as_options

COLUMNS = (
    "forecaster",
    "adjusted",
    "rank",
    "lower",
    "upper",
    "p_best",
    "raw",
    "component",
    "n_questions",
    "n_events",
    "rank_lower",
    "rank_upper",
)


@click.command(cls=Command)
@click.option(
    "--rule",
    type=click.Choice(["brier", "spherical", "rps", "crps"]),
    default=None,
    help="Default: the usual one of the question type.",
)
@click.option(
    "--convention",
    type=click.Choice(["half", "full"]),
    default="half",
    help="Brier on [0, 1] or [0, 2].",
)
@click.option(
    "--kind", type=click.Choice(KINDS[:-1]), default="live", help="Only forecasts of this kind."
)
@click.option("--type", "question_type", default="binary", help="Question type; one at a time.")
@click.option("--window", default="scheduled", metavar="WINDOW", help="scheduled or spot@SHARE.")
@click.option(
    "--sample/--no-sample",
    default=True,
    help="Sample the probabilities of rank, or approximate them at once.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Random seed.")
@filters
def leaderboard(
    rule: str | None,
    convention: str,
    kind: str,
    question_type: str,
    window: str,
    sample: bool,
    seed: int,
    forecaster: str,
    question: tuple[str, ...],
    tag: str,
    run: str,
    as_of: str,
) -> None:
    r"""Show scores adjusted for the difficulty of the questions that each forecaster chose.

    Nobody is ranked across groups that share no question, with fewer than 8 events, or in a
    replay. Intervals are 95 % over events.

    \b
    Example:
      forecast leaderboard --kind imported --no-sample
    """
    wanted = selection(kind, run, forecaster, question, tag, as_of)
    with opened() as book:
        if sample and sys.stderr.isatty():
            say("comparing ...")
        rows = book.leaderboard(
            rule=rule or "",
            convention=convention,
            window=window,
            question_type=question_type,
            sample=sample,
            seed=seed,
            **wanted,
        )
        if not rows:
            say(book.why_empty(**wanted))
        for note in book.left_out(**wanted):
            say(as_options(note))
    title = f"{kind} forecasts, window {window}, smaller is better; 95 % over events"
    emit(rows, columns=COLUMNS, title=title if rows else "")
