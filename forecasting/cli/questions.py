"""questions list, show, check, add, new, edit, drop."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecasting.cli import options, times
from forecasting.cli.forecasts import asked, asking, print_question
from forecasting.cli.options import Group
from forecasting.cli.output import counted, emit, opened, say, settings
from forecasting.cli.side_by_side import BRIEF, BY, brief
from forecasting.domain.forecasters import MODEL, PRIOR, PRIOR_STANDS
from forecasting.domain.instants import last_day
from forecasting.errors import InvalidInput

if TYPE_CHECKING:
    from forecasting.errors import Problem

#: The columns of matches with questions on other platforms.
MATCHED = ("question", "differs", "complement", "other", "url", "said_by")
COLUMNS = ("id", "mine", "model", "outcome", "by", "difference", "status", "title", "type")
#: With ids that are short, and so say little, the title goes before what can be looked up.
TITLED = ("id", "mine", "model", "outcome", "by", "title", "difference", "status", "type")
SHORT_ID = 22
#: What a ladder shows of its rungs.
RUNGS = ("id", "latest", "outcome", "by", "status", "title", "type")


@click.group(cls=Group)
def questions() -> None:
    """List, show, check, add, change and drop questions."""


@questions.command("list")
@options.choice(
    "--status",
    ("upcoming", "open", "closed", "due", "resolved", "annulled"),
    help="Only questions with this status.",
)
@options.TAG
@options.text(
    "--from", "text", metavar="TEXT", help="Only questions raised by this text, such as 003."
)
def list_(**values: str) -> None:
    r"""List the questions, a row each (a rung of a ladder is one).

    `mine` is your forecast in force, `model` the model's, `difference` yours minus the model's;
    --json and --csv call them `latest`, `latest_model` and `difference`.

    \b
    Example:
      forecast questions list --status open
    """
    with opened() as book:
        rows = book.questions(**values)
    shown: list[Any] = rows
    if settings().format == "table":
        rows = [{**row, "mine": row["latest"], "model": row["latest_model"]} for row in rows]
        shown = [brief(row) for row in rows]
    title = f"{counted(len(rows), 'question')}; {BY}{BRIEF * (shown != rows)}"
    short = all(len(row["id"]) <= SHORT_ID for row in rows)
    emit(shown, columns=TITLED if short else COLUMNS, title=title, always=6)


@questions.command()
@click.argument("question")
def show(question: str) -> None:
    r"""Show a question with its criteria, claims, evidence, forecasts and resolution.

    \b
    Example:
      forecast questions show convoy
    """
    with opened() as book:
        shown = book.question(question)
    if len(shown) == 1:
        (row,) = times.named_days(shown, shown[0]["zone"])
        emit(_whole(row) if settings().format == "table" else shown[0])
        if PRIOR in (shown[0]["latest"] or ()):
            say(PRIOR_STANDS)
    else:
        emit(shown, columns=RUNGS)


def _whole(row: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a question does not have, and let its texts run on over line ends."""
    fields = {name: value for name, value in row.items() if value not in (None, "", [], {})}
    for name in ("criteria", "background"):
        if name in fields:
            parts = str(fields[name]).strip().split("\n\n")
            fields[name] = "\n".join(" ".join(part.split()) for part in parts)
    if row["range"]:
        from forecasting.review import words

        fields["range"] = f"{' to '.join(map(words.amount, row['range']))} {row['unit']}".strip()
        fields.pop("unit", None)
    # `deadline` says the same for a person; `resolves_by` is left out where it is no later.
    for name in ("closes", "by", *(["resolves_by"] if row["resolves_by"] == row["closes"] else [])):
        fields.pop(name, None)
    if row["model"] and MODEL not in (row["latest"] or {}):
        fields["model"] = f"none yet: forecast update {row['id']}"
    return fields


@questions.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
def check(path: Path | None) -> int:
    r"""Check a bank folder or one question file; without PATH the bank of this database.

    \b
    Example:
      forecast questions check questions
    """
    findings = _problems(path)
    problems = [problem for problem in findings if not problem.note]
    rows = [
        {"source": p.source, "line": p.line, "rule": p.rule, "message": p.message, "hint": p.hint}
        for p in problems
    ]
    if settings().format == "table":
        for problem in problems:
            click.echo(str(problem))
    else:
        emit(rows)
    for note in (problem for problem in findings if problem.note):
        say(f"note: {note}")
    if settings().format == "table":
        say(counted(len(problems), "fault") if problems else "no fault found")
    return 1 if problems else 0


def _problems(path: Path | None) -> "list[Problem]":
    """Check what is named, else the workspace's bank, else the bank of the database."""
    from forecasting import config
    from forecasting.app.book import Book

    own = config.bank()
    if path is None and settings().db is None and own is not None:
        path = own
    if path is not None and own is None:
        return Book.check_files(path)
    with opened() as book:
        return book.check(path)


@questions.command()
@click.argument("file", type=click.Path(path_type=Path))
def add(file: Path) -> None:
    r"""Add the question or ladder of a YAML file.

    \b
    Example:
      forecast questions add my-question.yaml
    """
    with opened() as book:
        added = book.add_questions(file)
    rows = [
        {name: getattr(q, name) for name in ("id", "title", "type", "closes")}
        | {"by": last_day(q.closes, q.zone)}
        for q in added
    ]
    emit(rows, columns=("id", "title", "by", "type"), title=BY)


@questions.command()
@click.argument("title", required=False)
@asking
def new(title: str | None, **values: Any) -> None:
    r"""Make a question from options or prompts; `forecast ask` also logs a number.

    \b
    Example:
      forecast questions new "Will the talks resume?" --by 2027-01-31 --tag talks
    """
    if title is None:
        if not times.somebody_there():
            msg = "title: must be given where there is no terminal"
            raise InvalidInput(msg, hint='forecast questions new "Will ...?" --by 2027-01-31')
        title = click.prompt("title", err=True)
        if not (values["by"] or values["ladder"]):
            values["by"] = click.prompt("by which day", err=True)
        for name, words in (
            ("options_", "options, with commas (none: a yes-no question)"),
            ("base", "how often it comes, such as 3 in 70 weeks (none: unknown)"),
            ("criteria", "criteria: what counts, which source decides (none: later)"),
        ):
            if not values[name]:
                values[name] = click.prompt(words, default="", show_default=False, err=True)
    with opened() as book:
        print_question(book.ask(title or "", **asked(values)))


@questions.command()
@click.argument("question")
@click.option(
    "--file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read the YAML from this file instead of an editor.",
)
def edit(question: str, file: Path | None) -> None:
    r"""Open a question as YAML in your editor ($EDITOR), and record a new version of it.

    Once somebody has forecast it, its options and its window cannot change.

    \b
    Example:
      forecast questions edit a-convoy-reach-el-fasher
    """
    with opened() as book:
        text = book.question_yaml(question)
        changed = file.read_text(encoding="utf-8-sig") if file is not None else _edit_text(text)
        try:
            ids = [] if changed is None else book.edit_question(question, changed)
        except InvalidInput as wrong:
            if file is None and changed is not None:
                wrong.hint = f"{_keep_text(question, changed)} ({wrong.hint})".removesuffix(" ()")
            raise
    emit([{"question": name, "changed": True} for name in ids])
    say(f"{len(ids)} changed" if ids else "nothing changed")


def _keep_text(question: str, text: str) -> str:
    """Keep a text that was not taken, and say how to go on with it."""
    name, number = f"{question}.edited.yaml", 1
    while Path(name).exists():
        number += 1
        name = f"{question}.edited-{number}.yaml"
    Path(name).write_text(text, encoding="utf-8")
    return f"your text is kept: forecast questions edit {question} --file {name}"


def _edit_text(text: str) -> str | None:
    try:
        return click.edit(text, extension=".yaml")
    except click.ClickException as failed:
        msg = f"editor: {failed.format_message()}"
        raise InvalidInput(msg, hint="another editor in $EDITOR, or --file FILE") from failed


@questions.command("same-as")
@click.argument("question", required=False)
@click.argument("url", required=False)
@options.text("--differs", metavar="TEXT", help="Where the criteria differ.")
@options.flag("--complement", help="The other question asks the opposite.")
@options.flag("--undo", help="Take the match back.")
def same_as(question: str | None, url: str | None, **values: Any) -> None:
    r"""Match a question with one on another platform; without arguments, list the matches.

    Once that question was imported, its crowd or market stands beside your forecasts in the
    review. It is scored there only where the criteria agree: say with --differs where they do not.

    \b
    Examples:
      forecast questions same-as convoy https://www.metaculus.com/questions/12345
      forecast questions same-as
    """
    if question is not None and url is None:
        msg = f"url: which question is {question} the same as"
        raise InvalidInput(msg, hint=f"forecast questions same-as {question} https://...")
    with opened() as book:
        if question is None or url is None:
            emit(book.matches(), columns=MATCHED, always=4, title="matches")
        else:
            match = book.same_as(question, url, **values)
            emit([match], columns=MATCHED, always=4)
            if not match["other"] and not values["undo"]:
                say("nothing from that address is imported yet; its crowd stands here once it is")


@questions.command()
@click.argument("question")
def drop(question: str) -> None:
    r"""Drop a question that nobody else has forecast; it leaves every list, its entries stay.

    What was forecast of it and the news on it count no more, also if it is asked again. A process
    that it was asked with goes too, unless another question asks about it.

    \b
    Example:
      forecast questions drop a-convoy-reach-el-fasher
    """
    with opened() as book:
        if times.somebody_there():
            click.confirm(f"drop {question} for good?", abort=True, err=True)
        ids = book.drop_question(question)
    emit([{"question": name, "dropped": True} for name in ids])
