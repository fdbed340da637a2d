"""One way out for every command: data on stdout, narration on stderr, errors in one line."""

import datetime as dt
import math
import os
import re
import shlex
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import click

from forecasting.cli.spelling import as_options
from forecasting.errors import ForecastingError, NotFound

if TYPE_CHECKING:
    from rich.progress import Progress

    from forecasting.app.book import Book
    from forecasting.cli import layout

Format = Literal["table", "json", "csv", "nl"]
Row = Mapping[str, Any]
WIDE_PIPE = 200
#: Columns of prose fold; all others stay whole, for a person types them back.
PROSE = (
    *("title", "paraphrase", "differs", "rule", "url", "because", "source", "note", "message"),
    *("hint", "on", "what", "fit", "link", "step", "story", "parameter", "prior", "reason"),
    *("detail", "worth"),
)
#: Columns that no width drops: what a row is about, and the answer.
ALWAYS = 2
#: What stands between an option with its number and the next.
PAIRS = "  "
#: The least room that a record leaves for its values.
LEAST_ROOM = 20
#: A number from here on is written with an exponent.
LARGEST_PLAIN = 1e15
#: Refused rows of a file that are shown, and those with one reason that are shown one by one.
MOST_REFUSED, ONE_BY_ONE = 20, 5
#: Letters of an error; what is wrong with a file may quote all of it.
LONGEST_ERROR = 1500
# Every control character but line feed and tab, the marks that turn the direction of writing
# around, and halves of surrogate pairs, which no terminal can be sent.
_TURNING = (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)
_SHOWN = {
    **{code: chr(0x2400 + code) for code in range(32) if code not in (9, 10)},
    0x7F: "\N{SYMBOL FOR DELETE}",
    **dict.fromkeys((*range(0x80, 0xA0), *_TURNING, 0x2028, 0x2029), "\N{REPLACEMENT CHARACTER}"),
    **dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}"),
}
_UNSENT = re.compile(f"[\x7f-\x9f\ud800-\udfff\u2028\u2029{''.join(map(chr, _TURNING))}]")


@dataclass
class Settings:
    """What the options that stand anywhere said."""

    db: str | None = None
    forecaster: str | None = None
    format: Format = "table"
    debug: bool = False
    wide: bool = False


_LAST: dict[str, Settings] = {}


def settings() -> Settings:
    """Give the settings of the running command, or of the one that has ended."""
    context = click.get_current_context(silent=True)
    if context is None:
        return _LAST.get("settings", Settings())
    current: Settings = context.find_root().ensure_object(Settings)
    return current


def opened(*, create: bool = False, prefix: str = "") -> "Book[list[dict[str, Any]]]":
    """Open the book of the running command: its database, in its forecaster's name."""
    from forecasting.app.book import Book

    chosen = settings()
    return Book.plain(
        chosen.db,
        forecaster=chosen.forecaster,
        create=create,
        tell=lambda note: relay(prefix + note),
    )


def in_order(
    absent: NotFound, book: "Book[list[dict[str, Any]]]", command: str, name: str, answer: str
) -> NotFound:
    """Give the right order where a question and its answer were typed the other way round."""
    if not answer or absent.message != f"no question named {name}":
        return absent
    try:
        book.question(answer)
    except ForecastingError:
        return absent
    msg = f"{absent.message}: the question comes first"
    return NotFound(msg, hint=shlex.join(["forecast", command, answer, name]))


def plain(value: Any) -> Any:
    """Turn a value into what JSON can say: times with Z, NaN as null, tuples as lists."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dt.datetime):
        from forecasting.domain.instants import iso

        return iso(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | frozenset | set):
        return [plain(item) for item in value]
    if hasattr(value, "item"):
        return plain(value.item())
    return value


def emit(
    rows: Sequence[Row] | Row,
    *,
    columns: Sequence[str] = (),
    title: str = "",
    always: int = ALWAYS,
    quiet: bool = False,
) -> Sequence[str]:
    """Print rows (or one record) in the chosen format; give the columns that a table shows."""
    chosen = settings().format
    if chosen == "json":
        click.echo(_json(plain(rows), indent=1))
        return ()
    records = [rows] if isinstance(rows, Mapping) else list(rows)
    if chosen == "nl":
        for record in records:
            click.echo(_json(plain(record)))
    elif chosen == "csv":
        _csv(records)
    elif isinstance(rows, Mapping):
        _record(rows)
    else:
        return _table(records, columns or _keys(records), title, always=always, quiet=quiet)
    return ()


def counted(n: int, what: str) -> str:
    """Write a count with its noun: 1 source, 2 sources."""
    return f"{n} {what}{'s' * (n != 1)}"


def say(message: str) -> None:
    """Narrate on stderr."""
    text = printable(message)
    if sys.stderr.isatty():
        room = shutil.get_terminal_size().columns
        lines = textwrap.TextWrapper(room, break_long_words=False, break_on_hyphens=False)
        text = "\n".join(lines.fill(part) for part in text.split("\n"))
    click.echo(text, err=True)


def relay(message: str) -> None:
    """Narrate what the library says, with its arguments as options."""
    say(as_options(message))


def relay_refused(name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Narrate the rows of a file that were refused; many with one reason are one line."""
    by_reason: dict[str, list[Any]] = {}
    for row in rows:
        by_reason.setdefault(row["reason"], []).append(row["line"])
    told: list[tuple[str, int]] = []
    for reason, lines in by_reason.items():
        if len(lines) > ONE_BY_ONE:
            more = f"{lines[0]} and {len(lines) - 1:,} more rows"
            told.append((f"{name}:{more}: refused: {reason}", len(lines)))
        else:
            told += [(f"{name}:{each}: refused: {reason}", 1) for each in lines]
    for message, _ in told[:MOST_REFUSED]:
        relay(message)
    if more_rows := sum(count for _, count in told[MOST_REFUSED:]):
        say(f"and {more_rows:,} more refused rows (--json has them)")


def line(text: str = "") -> None:
    """Print text for a person on stdout."""
    click.echo(printable(text))


def printable(text: str) -> str:
    r"""Show what would command a terminal or turn the writing around, instead of sending it.

    >>> printable("a\x1b[31mb\x9bc\u202ed"), printable("two\nlines")
    ('a␛[31mb�c�d', 'two\nlines')
    """
    return text.translate(_SHOWN) if not text.isascii() or not text.isprintable() else text


def _json(value: Any, *, indent: int | None = None) -> str:
    """Write JSON as text that says the same and commands no terminal."""
    import json

    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return text if text.isascii() else _UNSENT.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def progress[Item](items: Sequence[Item], label: str, step: Callable[[Item], str | None]) -> None:
    """Do a step for each item, with a bar on a terminal only."""
    if not sys.stderr.isatty():
        for item in items:
            step(item)
        return
    from rich.progress import TimeRemainingColumn

    with _bars(TimeRemainingColumn()) as bar:
        task = bar.add_task(label, total=len(items))
        for item in items:
            note = step(item)
            bar.update(task, advance=1, description=f"{label} {note or ''}".strip())


def _bars(*more: Any) -> "Progress":
    """Give bars on stderr that go when they are full, each with its count and what is added."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), *more)
    return Progress(*columns, console=Console(stderr=True), transient=True)


@contextmanager
def counting(label: str) -> Iterator[Callable[[str, int, int], None]]:
    """Give what a long piece of work tells of itself: a stage, how much is done, of how much."""
    if not sys.stderr.isatty():
        yield lambda stage, done, total: None
        return
    with _bars() as bar:
        task = bar.add_task(label, total=None)
        yield lambda stage, done, total: bar.update(
            task, description=f"{label}: {stage}", completed=done, total=total or None
        )


@contextmanager
def simulating() -> Iterator[None]:
    """Show on a terminal that paths are being simulated."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status("simulating ..."):
        yield


def fail(error: ForecastingError) -> int:
    """Print an error in one line (or as JSON) on stderr and give its exit code."""
    if settings().format in {"json", "nl"}:
        body = {
            "code": error.exit_code,
            "message": as_options(error.message[:LONGEST_ERROR]),
            "hint": as_options(error.hint),
            "where": error.where,
        }
        click.echo(_json({"error": body}), err=True)
    else:
        words = as_options(str(error)[:LONGEST_ERROR]).split()
        click.echo(f"error: {printable(' '.join(words))}", err=True)
    return error.exit_code


def remember(latest: Settings) -> None:
    """Keep the settings for errors that are reported after the command has ended."""
    _LAST["settings"] = latest


def _keys(records: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(key for record in records for key in record))


def _csv(records: Sequence[Row]) -> None:
    import csv
    import json

    keys = _keys(records)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(keys)
    for record in records:
        cells = []
        for key in keys:
            value = record.get(key)
            # A table of text has a word for what JSON cannot say.
            infinite = isinstance(value, float) and math.isinf(value)
            value = str(value) if infinite else plain(value)
            if isinstance(value, dict | list):
                value = json.dumps(value, ensure_ascii=False)
            elif (
                isinstance(value, str)
                and value.startswith(("=", "+", "-", "@", "\t", "\r", "\0"))
                and not infinite
            ):
                value = f"'{value}"
            if isinstance(value, str) and sys.stdout.isatty():
                value = printable(value)
            cells.append("" if value is None else value)
        writer.writerow(cells)


class Amount(float):
    """A number of something, and not a probability or a score: a table writes it as such."""


class Share(float):
    """A share of simulated paths, which tell no rarer thing than one in ten thousand."""


def cell(value: Any) -> str:
    """Write a value for a person: three decimals, minutes in UTC, a dash for nothing."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Amount):
        return _quantity(value)
    if isinstance(value, Share) and not 0.00005 <= value <= 0.99995:
        return "<0.0001" if value < 0.5 else ">0.9999"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%MZ")
    if isinstance(value, Mapping):
        if not value:
            return "–"
        from forecasting.domain.forecast import Quantiles

        if isinstance(value, Quantiles):
            return PAIRS.join(f"{level} %: {_quantity(item)}" for level, item in value.items())
        return PAIRS.join(f"{printable(str(key))} {cell(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        # Several words in one item would run into the next.
        apart = ", " if all(isinstance(item, str) for item in value) else " "
        return apart.join(cell(item) for item in value) or "–"
    return printable(str(value))


def _number(value: float) -> str:
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if abs(value) >= LARGEST_PLAIN:
        return f"{value:.3g}"
    if value == int(value) and abs(value) >= 10:
        return f"{value:.0f}"
    # What is nearly certain is not written as certain.
    # A difference of two equal means may be off by the last bit.
    value = 0.0 if -1e-12 < value < 0 else value
    places, size = 3, abs(value)
    while 0 < size < 1 and places and not 0 < round(size, places) < 1:
        places = (places + 1) % 7
    if not places:
        text = "<0.000001" if size < 0.5 else ">0.999999"
        return text if value > 0 else f"{'>' if size < 0.5 else '<'}-{text[1:]}"
    text = f"{value:.{places}f}"
    return "0.000" if text == "-0.000" else text


def _quantity(value: float | str) -> str:
    """Write a count or an amount: whole from 100 up, with commas, else four digits; or a date."""
    from forecasting.review import words

    if isinstance(value, str):
        return value
    plain_enough = math.isfinite(value) and abs(value) < LARGEST_PLAIN
    return words.amount(value) if plain_enough else _number(value)


def _table(
    records: Sequence[Row],
    columns: Sequence[str],
    title: str,
    *,
    always: int = ALWAYS,
    quiet: bool = False,
) -> Sequence[str]:
    """Print a table that fits the width, its columns by rank; give those shown."""
    from forecasting.cli import layout

    if not records:
        say("nothing to show")
        return ()
    ranked = [_column(name, records) for name in columns]
    wide = settings().wide
    width = _columns()
    shown = ranked if wide else layout.fitting(ranked, width, always)
    room = max(width, sum(column.whole + layout.GAP for column in ranked)) if wide else width
    above = textwrap.wrap(printable(title), room)
    below = [column for column in ranked if column.name == "title" and column not in shown]
    table = [*layout.lines(shown, room, below[0].cells if below else ())]
    head = next(i for i, text in enumerate(table) if text.strip(" ─") == "")
    # Into a pipe `echo` leaves the styles out.
    if styled():
        above = [click.style(text, italic=True) for text in above]
        table[:head] = [click.style(text, bold=True) for text in table[:head]]
    click.echo("\n".join([*above, "", *table, ""]))
    hidden = [column.name.replace("_", " ") for column in ranked if column not in [*shown, *below]]
    if hidden and not quiet:
        for line in textwrap.wrap(f"hidden columns: {', '.join(hidden)} (--wide shows all)", width):
            say(line)
    return [column.name for column in shown]


def _column(name: str, records: Sequence[Row]) -> "layout.Column":
    """Give a column of a table; prose and lists fold, all else can be typed back."""
    from forecasting.cli import layout

    values = [record.get(name) for record in records]
    return layout.Column.of(
        name,
        printable(name.replace("_", " ")),
        [cell(value).expandtabs(4) for value in values],
        numeric=all(isinstance(value, int | float) or value is None for value in values),
        folds=name in PROSE or any(isinstance(v, Mapping | list | tuple) for v in values),
        pairs=any(isinstance(v, Mapping) for v in values),
    )


def _record(record: Row) -> None:
    """Print one record, a line a key; by hand, for the table's library takes longer than `log`."""
    parts = {
        key: value
        for key, value in record.items()
        if isinstance(value, list | tuple) and value and isinstance(value[0], Mapping)
    }
    plain_ones = {key: cell(value) for key, value in record.items() if key not in parts}
    named = {key: printable(key.replace("_", " ")) for key in plain_ones}
    indent = max(map(len, named.values()), default=0) + 2
    room = max(_columns() - indent, LEAST_ROOM)
    bold = styled()
    for key, text in plain_ones.items():
        lines = [piece for part in text.split("\n") for piece in textwrap.wrap(part, room) or [""]]
        name = f"{named[key]:<{indent}}"
        click.echo(click.style(name, bold=True) if bold else name, nl=False)
        click.echo(f"\n{' ' * indent}".join(lines))
    for key, value in parts.items():
        _table(list(value), _keys(list(value)), key.replace("_", " "))


def styled() -> bool:
    """Say whether bold and slanted letters may be sent: a dumb terminal would print their codes."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _columns() -> int:
    """Give the width to print in: the terminal's, or a wide one into a pipe."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return WIDE_PIPE
    return shutil.get_terminal_size().columns
