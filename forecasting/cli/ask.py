"""ask: a question with its number in one command."""

import shlex
from collections.abc import Mapping
from typing import Any

import click

from forecasting.cli import options
from forecasting.cli.forecasts import pairs, warn_certain
from forecasting.cli.options import Command
from forecasting.cli.output import cell, emit, line, opened, say, settings
from forecasting.domain import reading
from forecasting.domain.reading import Ambiguous
from forecasting.errors import InvalidInput


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def asking(command: Any) -> Any:
    """Add the options that say what is asked."""
    every = (
        options.text("--by", metavar="DAY", help="Deadline: the end of this day."),
        options.text("--ladder", metavar="DAY,DAY", help="Deadlines of a ladder."),
        options.text("--options", "options_", metavar="A,B,C", help="The options."),
        options.text("--ordered", metavar="A,B,C", help="The options, lowest first."),
        options.text("--range", "span", metavar="LO..HI", help="Ask for a number from LO to HI."),
        options.text("--unit", help="Unit of the number."),
        options.text("--base", metavar="PHRASE", help='Base rate, such as "3 in 70 weeks".'),
        options.text("--answer", metavar="PREDICATE", help='Such as "pause=on through close".'),
        click.option("--tag", "tags", multiple=True, help="Tag to add; repeatable."),
        options.text("--slug", help="Short id; default: made from the title."),
        options.text(
            "--criteria", help="Resolution criteria: what counts, and which source decides."
        ),
    )
    for option in reversed(every):
        command = option(command)
    return command


def words(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values of the options as arguments of :meth:`forecasting.app.book.Book.ask`."""
    lists = {"ladder": "ladder", "options": "options_", "ordered": "ordered"}
    plain = ("by", "span", "unit", "base", "answer", "tags", "slug", "criteria")
    return {name: values[name] for name in plain} | {
        name: _parts(values[option]) for name, option in lists.items()
    }


@click.command(cls=Command)
@click.argument("title")
@click.argument("probability", required=False)
@asking
@options.EACH
@options.text("--because", help="Your reasons.")
def ask(
    title: str, probability: str | None, each: tuple[str, ...], because: str, **values: Any
) -> None:
    r"""Ask a question and log your number, in one step.

    With --base the model has an event process for the question, and its number is logged
    beside yours. Criteria can follow: `forecast questions edit`.

    \b
    Examples:
      forecast ask "Will a convoy reach El Fasher?" 35% --by 2027-01-31 --base "3 in 70 weeks"
      forecast ask "Who chairs the talks?" --by 2027-01-31 --options egypt,qatar,nobody
      forecast ask "How many cross the border?" --by 2027-01-31 --range 0..5000 --unit people
    """
    if probability is not None:
        _check_order(title, probability)
    with opened() as book:
        print_question(
            book.ask(title, probability, each=pairs(each, "--p"), because=because, **words(values))
        )


def _check_order(title: str, probability: str) -> None:
    """Refuse a probability in the place of the title, and a title in the place of it."""
    if _is_probability(title) and not _is_probability(probability):
        msg = f"title ({title}): is a probability; the title comes first"
        raise InvalidInput(msg, hint=shlex.join(["forecast", "ask", probability, title]))


def _is_probability(text: str) -> bool:
    try:
        reading.probability(text)
    except Ambiguous:
        return True
    except InvalidInput:
        return False
    return True


def print_question(question: dict[str, Any]) -> None:
    """Print a new question: my number, and the model's beside it."""
    if settings().format != "table":
        emit(question)
        return
    mine = {row["question"]: row["forecast"] for row in question["forecasts"]}
    line(f"asked: {question['title']}")
    line(f"  closes: {question['deadline']}")
    for name in question["questions"]:
        model = question["model"].get(name)
        model_says = "" if model is None else f"   model {cell(model)}"
        line(f"  {name}   mine {cell(mine.get(name))}{model_says}")
    warn_certain(question["forecasts"])
    if question["process"]:
        say(f"once it happens: forecast news add ... --on {question['process']}=event --confirmed")
    if not question["criteria"]:
        say(f"no criteria yet: forecast questions edit {question['id']}")
