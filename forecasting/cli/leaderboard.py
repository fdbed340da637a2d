"""leaderboard: who scores best, freed from the choice of questions."""

import sys

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
@click.option(
    "--rule",
    type=click.Choice(RANKED),
    default=None,
    help="Scoring rule; default: the usual one of each question type.",
)
@click.option(
    "--convention",
    type=click.Choice(["half", "full"]),
    default="half",
    help="Brier score from 0 to 1 (half) or from 0 to 2 (full).",
)
@options.kind()
@click.option(
    "--type",
    "question_type",
    default="binary",
    help="Question type; default: binary.",
)
@click.option(
    "--window",
    default="scheduled",
    metavar="WINDOW",
    help="Time that is scored: scheduled or spot@SHARE.",
)
@click.option(
    "--sample/--no-sample",
    default=True,
    help="Sample the probabilities of rank, or approximate them.",
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

    There is no ranking across groups that share no question, with fewer than 8 events, or in a
    replay. An interval says how far a forecaster is from the others on these questions; it needs 20
    events.

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
        for note in book.left_out(**wanted):
            relay(note)
    title = (
        f"{kind} forecasts, window {window}, smaller is better; lower, upper: 95 % interval over "
        "events of how far each is from the others on these questions, not of how hard such "
        "questions are; none below 20 events"
    )
    emit(rows, columns=COLUMNS, title=title if rows else "")
