"""compare: two forecasters on the questions that they share."""

from typing import Any

import click

from forecasting.cli import options
from forecasting.cli.options import Command
from forecasting.cli.output import counted, emit, opened, relay, say, settings
from forecasting.cli.scores import scope, selection
from forecasting.domain.scores import COMPARED


@click.command(cls=Command)
@click.argument("a")
@click.argument("b")
@options.rule(COMPARED)
@options.CONVENTION
@options.kind()
@options.text("--type", "question_type", help="Question type; default: the most shared.")
@options.WINDOW
@options.flag("--diebold-mariano", help="Add the Diebold-Mariano test, if events close regularly.")
@scope
def compare(a: str, b: str, **values: Any) -> None:
    r"""Compare two forecasters: same questions, same window, intervals over events.

    The difference is A's score less B's: below 0, A is better. The confidence sequence and the
    e-values stay valid however often you look.

    \b
    Example:
      forecast compare model base-rate --kind replay
    """
    wanted = selection(values)
    with opened() as book:
        comparison = book.compare(a, b, **values, **wanted)
        for note in book.left_out(a, b, **wanted):
            relay(note)
    if not comparison["proper"]:
        window = values["window"]
        say(f"window {window} is not a proper score: it can be gamed, so no ranking is shown")
    if settings().format == "table":
        for kind_of_question, n in comparison.pop("other_types").items():
            say(
                f"{counted(n, f'shared {kind_of_question} question')} "
                f"{'is' if n == 1 else 'are'} compared apart: --type {kind_of_question}"
            )
        click.echo(comparison.pop("reading"))
        names = _names(a, b)
        comparison = {names.get(key, key): value for key, value in comparison.items()}
    emit(comparison)


def _names(a: str, b: str) -> dict[str, str]:
    """Give the words of a table for the short keys that scripts read."""
    return {
        "n_a": f"questions of {a}",
        "n_b": f"questions of {b}",
        "n_shared": "shared questions",
        "n_events": "events",
        "detectable": "detectable difference",
        "cs_lower": "sequence lower",
        "cs_upper": "sequence upper",
        "e_a": f"e-value: {a} better",
        "e_b": f"e-value: {b} better",
        "steps": "events in sequence",
        "waiting": "questions waiting",
        "held_by": "waits for",
    }
