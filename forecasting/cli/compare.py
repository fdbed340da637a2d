"""compare: two forecasters on the questions that they share."""

import click

from forecasting.cli.forecasts import KINDS
from forecasting.cli.options import Command
from forecasting.cli.output import emit, opened, say, settings
from forecasting.cli.scores import scope, selection
from forecasting.cli.spelling import as_options


@click.command(cls=Command)
@click.argument("a")
@click.argument("b")
@click.option(
    "--rule",
    type=click.Choice(["brier", "log", "spherical", "rps", "crps"]),
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
@click.option("--type", "question_type", default="", help="Question type; default: most shared.")
@click.option("--window", default="scheduled", metavar="WINDOW", help="scheduled or spot@SHARE.")
@click.option(
    "--diebold-mariano", is_flag=True, help="Add that test, where events close regularly."
)
@scope
def compare(
    a: str,
    b: str,
    rule: str | None,
    convention: str,
    kind: str,
    question_type: str,
    window: str,
    diebold_mariano: bool,
    question: tuple[str, ...],
    tag: str,
    run: str,
    as_of: str,
) -> None:
    r"""Compare two forecasters: same questions, same window, intervals over events.

    The difference is A's score less B's: below 0, A is the better. The confidence sequence and
    the e-values may be looked at after every resolution.

    \b
    Example:
      forecast compare model base-rate --kind replay
    """
    wanted = selection(kind, run, "", question, tag, as_of)
    with opened() as book:
        found = book.compare(
            a,
            b,
            rule=rule or "",
            convention=convention,
            window=window,
            question_type=question_type,
            diebold_mariano=diebold_mariano,
            **wanted,
        )
        for note in book.left_out(a, b, **wanted):
            say(as_options(note))
    if not found["proper"]:
        say(f"window {window} is improper: it can be gained by strategy, and ranks nobody")
    if settings().format == "table":
        for kind_of_question, n in found.pop("other_types").items():
            say(f"{n} shared {kind_of_question} questions stand apart: --type {kind_of_question}")
        click.echo(found.pop("reading"))
    emit(found)
