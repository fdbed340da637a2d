"""leaderboard: who scores best, freed from the choice of questions."""

import sys
from typing import Any

import click

from forecasting.cli import options
from forecasting.cli.options import Command
from forecasting.cli.output import emit, opened, relay, say
from forecasting.cli.scores import filters, selection
from forecasting.domain.scores import RANKED

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
@options.rule(RANKED)
@options.CONVENTION
@options.kind()
@click.option(
    "--type",
    "question_type",
    default="binary",
    help="Question type; default: binary.",
)
@options.WINDOW
@click.option(
    "--sample/--no-sample",
    default=True,
    help="Sample the probabilities of rank, or approximate them.",
)
@options.SEED
@filters
def leaderboard(sample: bool, **values: Any) -> None:
    r"""Show scores adjusted for the difficulty of the questions that each forecaster chose.

    There is no ranking across groups that share no question, with fewer than 8 events, or in a
    replay. An interval says how far a forecaster is from the others on these questions; it needs 20
    events.

    \b
    Example:
      forecast leaderboard --kind imported --no-sample
    """
    wanted = selection(values)
    with opened() as book:
        if sample and sys.stderr.isatty():
            say("comparing ...")
        rows = book.leaderboard(sample=sample, **values, **wanted)
        for note in book.left_out(**wanted):
            relay(note)
    title = (
        f"{wanted['kind']} forecasts, window {values['window']}, smaller is better; "
        "lower, upper: 95 % interval over events of how far each is from the others on these "
        "questions, not of how hard such questions are; none below 20 events"
    )
    emit(rows, columns=COLUMNS, title=title if rows else "")
