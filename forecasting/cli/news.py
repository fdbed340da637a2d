"""news add, list, show, retract, import, propose: evidence."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from forecasting.cli import times
from forecasting.cli.options import Group
from forecasting.cli.output import emit, line, say, settings
from forecasting.cli.spelling import as_options


@click.group(cls=Group)
def news() -> None:
    """News: dated items of evidence and what each bears on."""


@news.command()
@click.argument("title")
@click.option("--source", required=True, help="Who says so.")
@click.option(
    "--known-at",
    required=True,
    metavar="TIME",
    help="When the world could know it, in ISO 8601; a day means the midnight that ends it.",
)
@click.option("--event-at", default="", metavar="TIME", help="When it happened.")
@click.option("--url", default="", help="Where it can be read; it is not fetched.")
@click.option(
    "--on",
    multiple=True,
    metavar="QUESTION=EFFECT",
    help="0.6/0.2, x3, +2..-2, stance=0.7, or a datum such as delivered=205; on a ladder it is "
    "one item on the shared process.",
)
@click.option("--grade", default="F", metavar="A..F", help="Reliability of the source; F: unknown.")
@click.option(
    "--story",
    default="",
    help="Items of one story share this name; EVENT/OUTLET where one event was sourced apart.",
)
@click.option("--because", default="", help="Why the effect is what it is.")
@click.option(
    "--instead-of",
    default="",
    metavar="N",
    help="The item this one corrects: it is retracted with the same stroke.",
)
def add(known_at: str, event_at: str, title: str, **more: Any) -> None:
    r"""Add an item of evidence.

    An item that looks like one already there (same address, or nearly the same title within two
    days) is recorded as it is; how to make the two one story is said on stderr.

    \b
    Example:
      forecast news add "Venue agreed" --source wire --grade B \\
        --known-at 2026-11-20T09:00Z --on leaders-meet=x3
    """
    from forecasting import clock
    from forecasting.app import news as use
    from forecasting.app.book import Book

    with Book.open(settings().db) as book:
        row = use.add(
            book.ledger,
            title,
            known_at=times.moment(known_at, day_means="ends"),
            now=clock.now(),
            event_at=times.optional(event_at, day_means="ends"),
            **more,
        )
    for alike in row["similar"]:
        _propose_story(alike)
    if settings().format == "table":
        row = {key: value for key, value in row.items() if key != "similar"}
    emit(row)


def _propose_story(alike: Mapping[str, Any]) -> None:
    """Say that two items may be one story, and the command that makes them one."""
    database = f" --db {shlex.quote(chosen)}" if (chosen := settings().db) else ""
    say(
        f"note: looks like #{alike['seq']} ({alike['why']}): {alike['title']}\n"
        f"      kept apart; if both tell one story: {alike['accept']}{database}"
    )


@news.command("list")
@click.option("--on", "question", default="", metavar="QUESTION", help="Only what bears on it.")
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Also the tables of reference cases, and what was retracted.",
)
def list_(question: str, everything: bool) -> None:
    r"""List the evidence by the time it was known.

    \b
    Example:
      forecast news list --on general-ceasefire-2026
    """
    from forecasting.app import news as use
    from forecasting.app.book import Book

    with Book.open(settings().db) as book:
        rows = use.rows(book.ledger, question=question, everything=everything)
    columns = ("seq", "known_at", "grade", "source", "title", "on", "story")
    emit(
        rows,
        columns=(*columns, "state") if everything else columns,
        title=f"{len(rows)} items, times in UTC",
    )


@news.command()
@click.argument("item")
def show(item: str) -> None:
    r"""Show an item whole: its effects, its story, what retracts it, what it moved.

    ITEM is its number, the start of its hash, or its key.

    \b
    Example:
      forecast news show 612
    """
    from forecasting.app import news as use
    from forecasting.app.book import Book

    with Book.open(settings().db) as book:
        emit(use.show(book.ledger, item))


@news.command()
@click.argument("item")
@click.option("--because", required=True, help="Why it does not stand.")
@click.option(
    "--known-at",
    default="",
    metavar="TIME",
    help="When the world could know that it was wrong (now); for a slip, the item's own time.",
)
def retract(item: str, because: str, known_at: str) -> None:
    r"""Take an item back, by an entry of its own; the item stays in the record.

    Forecasts as of a moment before the retraction keep the item: it was believed then.

    \b
    Example:
      forecast news retract 612 --because "denied by both sides"
    """
    from forecasting import clock
    from forecasting.app import news as use
    from forecasting.app.book import Book

    moment = times.optional(known_at, day_means="ends")
    with Book.open(settings().db) as book:
        row = use.retract(book.ledger, item, because=because, now=clock.now(), known_at=moment)
    emit(row)


@news.command("import")
@click.argument("file", metavar="FILE_OR_URL")
@click.option(
    "--on",
    multiple=True,
    metavar="QUESTION[=EFFECT]",
    help="For the rows that state no effect; a feed states none.",
)
@click.option("--source", default="", help="For the rows that state none.")
@click.option("--grade", default="F", metavar="A..F", help="For the rows that state none.")
@click.option(
    "--zone", default="", metavar="ZONE", help="Of times without an offset; else they are refused."
)
@click.option("--dates", type=click.Choice(["dmy", "mdy"]), help="The order of dates in figures.")
@click.option("--fetch", is_flag=True, help="FILE is an address of the public web; fetch it.")
@click.option("--dry-run", is_flag=True, help="Say what would be added; write nothing.")
def import_(
    file: str,
    dry_run: bool,
    fetch: bool,
    on: tuple[str, ...],
    source: str,
    grade: str,
    zone: str,
    dates: str | None,
) -> None:
    r"""Add the items of a CSV, JSON-lines, RSS or Atom file; - reads standard input.

    Columns or keys: title, source, known_at, and where there are any event_at, url, on (effects
    separated by ;), grade, story, because; a feed's summaries are kept as its note. Importing a
    file again adds nothing.

    \b
    Examples:
      forecast news import feed.xml --source wire --on leaders-meet --dry-run
      forecast news import --fetch https://example.org/feed.xml --on leaders-meet
    """
    from forecasting import clock
    from forecasting.app.book import Book
    from forecasting.app.news_import import import_news

    content = _fetched(file) if fetch else _content(Path(file), address=file)
    name = file if fetch else Path(file).name
    with Book.open(settings().db) as book:
        found = import_news(
            book.ledger,
            content,
            name=name,
            now=clock.now(),
            on=on,
            source=source,
            grade=grade,
            zone=zone,
            dates=dates or "",
            dry_run=dry_run,
        )
    for refused in found["refused"][:_SHOWN]:
        say(f"{name}:{refused['line']}: refused: {as_options(refused['reason'])}")
    if (more := len(found["refused"]) - _SHOWN) > 0:
        say(f"and {more} more refused rows (--json has them)")
    if alike := found["similar"]:
        first = alike[0]
        say(
            f"note: {len(alike)} rows look like other items, such as line {first['line']} like "
            f"{first['like']!r} ({first['why']}); kept apart (--json has them)"
        )
    if changed := found["updated"]:
        first = changed[0]
        say(
            f"note: {len(changed)} rows are items recorded before, now with another date or title, "
            f"such as line {first['line']} (same {first['same']}); each stays one item"
        )
    if settings().format == "table":
        counted = {key: len(found[key]) for key in ("refused", "updated", "similar")}
        found = {**found, **counted}
    emit(found)


_SHOWN = 20


@news.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--extractor", default="fake", help="Who reads it; fake only looks for cue words.")
@click.option("--on", "question", default="", metavar="QUESTION", help="What the text is about.")
@click.option("--source", default="", help="Whose text it is.")
@click.option("--known-at", default="", metavar="TIME", help="When it was published.")
def propose(file: Path, extractor: str, question: str, source: str, known_at: str) -> None:
    r"""List what an extractor finds in a text, each with the line that would add it.

    Nothing is written: you read the quote, mend the line and run it, or not.

    \b
    Example:
      forecast news propose report.txt --on leaders-meet --source wire --known-at 2026-11-20
    """
    from forecasting.app.book import Book
    from forecasting.app.news_propose import propose as use
    from forecasting.domain.instants import iso
    from forecasting.errors import InvalidInput

    try:
        text = _content(file).decode("utf-8-sig")
    except UnicodeDecodeError as broken:
        msg = f"file ({file.name}): is not UTF-8 text (byte {broken.start})"
        raise InvalidInput(msg, hint="save it as UTF-8") from broken
    with Book.open(settings().db) as book:
        rows = use(
            book.ledger,
            text,
            extractor=extractor,
            question=question,
            source=source,
            known_at=iso(times.moment(known_at, day_means="ends")) if known_at else "",
        )
    if settings().format != "table":
        emit(rows)
        return
    for row in rows:
        numbers = ", ".join(str(number) for number in row["sentences"])
        line(f"{row['effect']}  {row['claim']} (sentence {numbers})")
        line(f"    “{row['quote']}”")
        line(f"    {row['accept']}")
    say(f"{len(rows)} proposals by {extractor}; nothing was written")


def _fetched(address: str) -> bytes:
    from forecasting.app.news_import import fetched

    return fetched(address)


def _content(file: Path, *, address: str = "") -> bytes:
    """Read a file, or standard input for ``-``, up to just beyond what may be read."""
    import sys

    from forecasting.app.news_import import MOST_BYTES, is_address
    from forecasting.errors import InvalidInput
    from forecasting.files import read_plain

    if str(file) == "-":
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    if is_address(address):
        msg = f"address ({address}): is fetched only when that is asked for"
        raise InvalidInput(msg, hint=f"forecast news import --fetch {shlex.quote(address)}")
    try:
        return read_plain(file, most=MOST_BYTES)
    except OSError as unreadable:
        msg = f"file ({file}): cannot be read ({unreadable.strerror})"
        hint = (
            "- reads standard input" if "pipe" in str(unreadable) else "forecast news import FILE"
        )
        raise InvalidInput(msg, hint=hint) from unreadable
