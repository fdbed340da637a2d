"""ask, log, withdraw, history, reveal, redact: a person's probabilities."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from forecasting.cli import options, times
from forecasting.cli.options import Command
from forecasting.cli.output import cell, emit, in_order, line, opened, say, settings
from forecasting.domain import reading
from forecasting.domain.reading import Ambiguous
from forecasting.errors import InvalidInput, NotFound

#: The note after the text of a rationale was taken out.
ELSEWHERE = (
    "the text is out of this database; backups, exports, printed pages and earlier copies "
    "still hold it"
)


def pairs(texts: tuple[str, ...], name: str) -> dict[str, str]:
    """Read NAME=VALUE, each name once."""
    values: dict[str, str] = {}
    for text in texts:
        key, separator, value = text.partition("=")
        if not separator or not key.strip() or not value.strip():
            raise InvalidInput(f"{name} ({text}): must be NAME=VALUE", hint="forecast log --help")
        if key.strip() in values:
            raise InvalidInput(f"{name} ({key.strip()}): given twice")
        values[key.strip()] = value.strip()
    return values


def _meant(text: str, doubt: Ambiguous) -> str | None:
    """Ask on a terminal what a bare 1, or a bare number above it, means; None for no answer."""
    if not text or not times.somebody_there():
        return None
    bare = text.strip()
    meanings = [f"{bare}%", "100%"] if bare.strip(".+,0") == "1" else [f"{bare}%"]
    say(doubt.message)
    for number, meaning in enumerate(meanings, start=1):
        say(f"  {number}  {meaning}")
    last = len(meanings)
    chosen: int = click.prompt("which (0: neither)", type=click.IntRange(0, last), err=True)
    return meanings[chosen - 1] if chosen else None


def warn_certain(rows: list[dict[str, Any]]) -> None:
    """Say what certainty costs, where a probability just logged is 0 or 1."""
    from forecasting.domain.forecast import Quantiles

    names = []
    for row in rows:
        forecast = row.get("forecast")
        # Of options each may be nothing; a quantile of 0 is a number like any other.
        if isinstance(forecast, dict) and not isinstance(forecast, Quantiles):
            forecast = min(forecast.values())
        if forecast in (0, 1):
            names.append(row["question"])
    if names:
        say(f"certain: {', '.join(names)}; if it comes out otherwise, a log score is infinite")


@click.command(cls=Command)
@click.argument("question")
@click.argument("probability", required=False)
@options.EACH
@click.option(
    "--quantile",
    "quantiles",
    multiple=True,
    metavar="LEVEL=VALUE",
    help="Value of a quantile; level in percent.",
)
@click.option(
    "--ladder", "ladder", multiple=True, metavar="DATE=P", help="Probability of one rung."
)
@options.text("--because", help="Your reasons.")
@options.text(
    "--at",
    metavar="TIME",
    help="When the forecast was made; default: now. A day means its noon, in the question's zone.",
)
@options.flag(
    "--sealed", help="Record only the commitment now; `forecast reveal` shows the number later."
)
def log(
    question: str,
    probability: str | None,
    each: tuple[str, ...],
    quantiles: tuple[str, ...],
    ladder: tuple[str, ...],
    because: str,
    at: str,
    sealed: bool,
) -> None:
    r"""Log a probability: 0.35, 35%, 1 in 4, 1:3 (odds) or a verbal band such as likely.

    \b
    Examples:
      forecast log convoy 20% --because "the road is cut"
      forecast log mediator --p egypt=0.5 --p qatar=0.4 --p nobody=0.1
      forecast log pause --ladder 2027-01-31=60% --ladder 2027-03-31=80%
      forecast log convoy 20% --sealed
    """
    arguments: dict[str, Any] = {"because": because, "sealed": sealed}
    for name, texts, option in (
        ("quantiles", quantiles, "--quantile"),
        ("ladder", ladder, "--ladder"),
    ):
        if texts:
            arguments[name] = pairs(texts, option)
    # NAME in --p NAME=VALUE is an option, a rung or a level of a quantile, as the question has.
    shares = pairs(each, "--p") if each else None
    with opened() as book:
        try:
            if at:
                arguments["at"] = times.moment(at, zone_name=book.zone(question), day_means="noon")
            if shares and probability:
                msg = f"probability ({probability}): is given beside --p"
                raise InvalidInput(msg, hint="one of the two")
            rows = book.log(question, shares or probability, **arguments)
        except NotFound as absent:
            raise in_order(absent, book, "log", question, probability or "") from None
        except Ambiguous as doubt:
            meant = _meant(probability or "", doubt)
            if meant is None:
                raise
            rows = book.log(question, meant, **arguments)
    if settings().format == "table" and not sealed:
        for row in rows:
            # The new number is shown beside my last one and the model's.
            beside = {"mine": "forecast", "before": "before", "model": "model"}
            numbers = [f"{n} {cell(row[k])}" for n, k in beside.items() if row[k] is not None]
            line("   ".join([f"logged: {row['question']}", *numbers, row["mark"]]).rstrip())
    else:
        emit(rows[0] if len(rows) == 1 else rows)
    warn_certain(rows)
    if sealed:
        for row in rows:
            say(f"{row['file']} is the only copy of the number: keep another one elsewhere")
        say("`forecast reveal` shows it; a seal never opened is scored as the worst forecast")


@click.command(cls=Command)
@click.argument("question")
@options.text("--at", metavar="TIME", help="When the withdrawal takes effect; default: now.")
def withdraw(question: str, at: str) -> None:
    r"""Withdraw your forecast on a question.

    \b
    Example:
      forecast withdraw convoy
    """
    with opened() as book:
        moment = times.optional(at, zone_name=book.zone(question), day_means="noon")
        emit(book.withdraw(question, at=moment))


@click.command(cls=Command)
@click.argument("question")
@options.FORECASTER
@options.kind("all", default="all")
@options.RUN
def history(question: str, forecaster: str, kind: str, run: str) -> None:
    r"""Show every forecast on a question, and when each was in force.

    With --wide each has the number of its entry, which `forecast redact` takes.

    \b
    Example:
      forecast history convoy --forecaster model
    """
    from forecasting.domain.forecasters import PRIOR, PRIOR_STANDS

    with opened() as book:
        rows = book.history(question, forecaster=forecaster, kind=kind, run=run)
    columns: tuple[str, ...] = (
        *("forecaster", "forecast", "issued_at", "until", "kind", "mark", "lower", "upper"),
        *("recorded_at", "method", "because", "entry"),
    )
    # `redact` and `reveal` take the number of an entry.
    rows = [{"entry": row["seq"], **row} for row in rows]
    # Columns that are empty in all rows are left out, for the reasons need the room.
    seldom = {"mark", "lower", "upper", "method"}
    columns = tuple(c for c in columns if c not in seldom or any(row.get(c) for row in rows))
    emit(rows, columns=columns, title=f"{question}: forecasts in force, times in UTC")
    if any(row["forecaster"] == PRIOR for row in rows):
        say(PRIOR_STANDS)


@click.command(cls=Command)
@click.argument("name", metavar="[ENTRY|QUESTION]", required=False, default="")
@click.option(
    "--file",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="File that holds the sealed number; default: where it was written.",
)
@options.flag("--all", "everything", help="Reveal all your seals whose files are in their place.")
def reveal(name: str, file: Path | None, everything: bool) -> None:
    r"""Reveal what you sealed: the forecast counts from when it was sealed.

    A seal that is not revealed by the time its question resolves is scored as the worst possible
    forecast while it was in force, so hiding one gains nothing.

    \b
    Examples:
      forecast reveal convoy
      forecast reveal 4711 --file ~/copies/1f2e3d4c5b6a.json
      forecast reveal --all
    """
    with opened() as book:
        rows = book.reveal(name, file=file, everything=everything)
    emit(rows)


@click.command(cls=Command)
@click.argument("entry")
@click.option(
    "--because",
    "reason",
    required=True,
    metavar="REASON",
    help="Reason, shown in place of the text.",
)
def redact(entry: str, reason: str) -> None:
    r"""Remove the text of your rationale from the database; the forecast and the chain stay.

    \b
    Example:
      forecast redact 4711 --because "names a source"
    """
    with opened() as book:
        row = book.redact(entry, because=reason)
    emit(row)
    say(ELSEWHERE)
    for copy in row["copies"]:
        say(f"{copy} still holds the text: delete that file when you no longer need it")


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _one(context: click.Context, option: click.Parameter, given: tuple[str, ...]) -> str:
    """Refuse several conditions: only the last would be recorded."""
    if len(given) > 1:
        msg = f"condition ({' and '.join(given)}): a question depends on one other"
        raise InvalidInput(
            msg, hint="a question that asks for all of it, and that one as condition"
        )
    return given[0] if given else ""


def asking(command: Any) -> Any:
    """Add the options that say what is asked."""
    every = (
        options.text("--by", metavar="DAY", help="Deadline: the end of this day."),
        options.text("--opens", metavar="DAY", help="Open since this day; default: from now on."),
        options.text("--ladder", metavar="DAY,DAY", help="Deadlines of a ladder."),
        options.text("--options", "options_", metavar="A,B,C", help="The options."),
        options.text("--ordered", metavar="A,B,C", help="The options, lowest first."),
        options.text("--range", "span", metavar="LO..HI", help="Ask for a number from LO to HI."),
        options.text("--unit", help="Unit of the number."),
        options.text("--base", metavar="PHRASE", help='Base rate, such as "3 in 70 weeks".'),
        options.text("--answer", metavar="PREDICATE", help='Such as "pause=on through close".'),
        click.option(
            "--if",
            "condition",
            multiple=True,
            callback=_one,
            metavar="Q=OUTCOME",
            help="Annulled unless Q comes out so.",
        ),
        click.option("--tag", "tags", multiple=True, help="Tag to add; repeatable."),
        options.text("--slug", help="Short id; default: made from the title."),
        options.text(
            "--criteria", help="Resolution criteria: what counts, and which source decides."
        ),
    )
    for option in reversed(every):
        command = option(command)
    return command


def asked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values of the options as arguments of :meth:`forecasting.app.book.Book.ask`."""
    lists = {"ladder": "ladder", "options": "options_", "ordered": "ordered"}
    plain = ("by", "opens", "span", "unit", "base", "answer", "condition", "tags", "slug")
    return {name: values[name] for name in (*plain, "criteria")} | {
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
      forecast ask "Will it last to June?" 60% --by 2027-06-30 --if a-convoy-reach-el-fasher=yes
    """
    if probability is not None:
        _check_order(title, probability)
    with opened() as book:
        print_question(
            book.ask(title, probability, each=pairs(each, "--p"), because=because, **asked(values))
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
    if question["condition"]:
        line(f"  only if: {question['condition']}; otherwise it is annulled")
    for name in question["questions"]:
        model = question["model"].get(name)
        model_says = "" if model is None else f"   model {cell(model)}"
        line(f"  {name}   mine {cell(mine.get(name))}{model_says}")
    warn_certain(question["forecasts"])
    if question["process"]:
        say(f"once it happens: forecast news add ... --on {question['process']}=event --confirmed")
    if not question["criteria"]:
        say(f"no criteria yet: forecast questions edit {question['id']}")
