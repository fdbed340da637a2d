"""news, watch, sources: evidence, the silence that somebody watched, and who reported."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from forecasting.cli import options, times
from forecasting.cli.options import Command, Group
from forecasting.cli.output import counted, emit, opened, relay, relay_refused, say, settings
from forecasting.errors import InvalidInput


@click.group(cls=Group)
def news() -> None:
    """News: dated items of evidence and the questions each concerns."""


@news.command()
@click.argument("title")
@click.option("--source", required=True, help="Name of the source.")
@click.option(
    "--known-at",
    required=True,
    metavar="TIME",
    help="When it could be known; a day means the midnight that ends it.",
)
@options.text("--event-at", metavar="TIME", help="When it happened, if earlier.")
@options.text("--url", help="Address of the item; it is not fetched.")
@click.option(
    "--on",
    multiple=True,
    metavar="TARGET=EFFECT",
    help="A report: a question, ladder, process or process=state, then =x3, =0.6/0.2 or =+2..-2. "
    "A fact: process=state, process=event or process=205. A name alone: the item concerns it.",
)
@options.text(
    "--half-life",
    metavar="TIME",
    help="Time after which half of a report's weight is left; default: 30d.",
)
@options.flag("--lasting", help="Its reports keep their weight.")
@options.flag("--confirmed", help="Accept a fact although its source is graded below B.")
@options.grade(default="F")
@options.text(
    "--story",
    help="Story that the item belongs to; EVENT/OUTLET for independent sources of one event.",
)
@options.text("--because", help="Your reasons for the effect.")
@options.text(
    "--instead-of", metavar="N", help="Replaces item N, which is retracted in the same transaction."
)
def add(known_at: str, event_at: str, title: str, **more: Any) -> None:
    r"""Add an item of evidence.

    A report hastens or slows the moves that lead to its target, within what the source's grade
    allows, and fades. A fact enters its process as certain, so it needs a source graded A or B, or
    --confirmed; otherwise it is recorded as a report of +2. A fact that decides a question prints
    the command that resolves it.

    An item that looks like one already there (same address, or nearly the same title within two
    days) is recorded as given; stderr says how to make the two one story.

    \b
    Examples:
      forecast news add "The road is open" --source wire --grade B \
        --known-at 2026-11-20T09:00Z --on convoy=x3 --half-life 10d
      forecast news add "It has arrived" --source ministry --grade A \
        --known-at 2026-11-20 --on convoy-event=event
    """
    with opened() as book:
        zone, here = book.zone(), times.here(book)
        row = book.add_news(
            title,
            known_at=times.moment(known_at, zone_name=here, day_means="ends"),
            event_at=times.optional(event_at, zone_name=here, day_means="ends"),
            **more,
        )
    for alike in row["similar"]:
        say(
            f"note: looks like #{alike['seq']} ({alike['why']}): {alike['title']}\n"
            f"      kept apart; if both tell one story: {alike['accept']}{_database()}"
        )
    for note in row["notes"]:
        relay(f"note: {note}")
    for each in row["resolves"]:
        say(f"note: decides {each['question']}; if so: {each['accept']}{_database()}")
    if settings().format == "table":
        row = {k: v for k, v in row.items() if k not in ("similar", "notes", "resolves")}
        row = _in_words(row)
    emit(times.named_days([row], zone)[0])


def _in_words(row: dict[str, Any]) -> dict[str, Any]:
    """Call a fact so, which entries call a datum."""
    if row["kind"] != "datum":
        return row
    fact = {**row, "kind": "fact"}
    if "effects" in row:
        fact["effects"] = [
            {**each, "form": "fact"} if each["form"] == "datum" else each for each in row["effects"]
        ]
    return fact


def _database() -> str:
    return f" --db {shlex.quote(chosen)}" if (chosen := settings().db) else ""


@news.command("list")
@options.text(
    "--on", "question", metavar="TARGET", help="Only items on this question, ladder or process."
)
@options.flag(
    "--all", "everything", help="Also reference cases, the world's history, and retracted items."
)
def list_(question: str, everything: bool) -> None:
    r"""List the evidence by the time it was known, with what it weighed then and weighs now.

    A weight multiplies the hazard of the move that a report acts on most; its logarithm halves in
    the time shown beside it.

    \b
    Example:
      forecast news list --on convoy
    """
    with opened() as book:
        items = book.evidence(question=question, everything=everything)
        rows = times.named_days(items, book.zone())
    columns = ("seq", "title", "on", "source", "known_at", "weight")
    if settings().format == "table":
        rows = [{**row, "weight": _weight(row), "source": _source_with_grade(row)} for row in rows]
    emit(
        rows,
        columns=(*columns, "state") if everything else columns,
        title=f"{counted(len(rows), 'item')}, each source with its grade, times in UTC",
        always=4,
    )


def _source_with_grade(row: Mapping[str, Any]) -> str:
    return f"{row['source']} ({row['grade']})" if row["grade"] else str(row["source"])


def _weight(row: Mapping[str, Any]) -> str:
    """Say in a few characters what a report weighed, weighs, and how fast it fades."""
    if row["then"] is None:
        return ""
    if row["then"] == 1.0 == row["now"]:
        return "x1"
    fades = "lasting" if row["half_life"] == "lasting" else f"{row['half_life']:g} d"
    return f"x{row['then']:.2f}, now x{row['now']:.2f} ({fades})"


@news.command()
@click.argument("item")
def show(item: str) -> None:
    r"""Show an item in full: its effects and weights, its story, its retraction, what it moved.

    ITEM is its number, the start of its hash, or its key.

    \b
    Example:
      forecast news show 612
    """
    with opened() as book:
        (row,) = times.named_days([book.news(item)], book.zone())
    if settings().format == "table":
        from forecasting.evidence.intake import without_tags

        row = _in_words({**row, "because": without_tags(row["because"] or "")})
    emit(row)
    bearing = [each["target"] for each in row["effects"] if each["form"] == "bears"]
    if row["kind"] == "report" and row["state"] == "standing" and bearing:
        words = [row["title"], "--source", row["source"], "--instead-of", str(row["seq"])]
        words += [word for target in bearing for word in ("--on", f"{target}=x2")]
        say(f"to code it: forecast news add {shlex.join(words)}")


@news.command()
@click.argument("item")
@click.option("--because", required=True, help="Why the item is wrong.")
@options.text(
    "--known-at",
    metavar="TIME",
    help="When it could be known that the item was wrong; default: now.",
)
def retract(item: str, because: str, known_at: str) -> None:
    r"""Retract an item with a new entry; the item stays in the record.

    Forecasts as of a moment before the retraction keep the item: it was believed then.

    \b
    Example:
      forecast news retract 612 --because "denied by both sides"
    """
    moment = times.optional(known_at, day_means="ends")
    with opened() as book:
        row = book.retract_news(item, because=because, known_at=moment)
        (row,) = times.named_days([row], book.zone())
    emit(row)


@news.command("import")
@click.argument("file", metavar="FILE_OR_URL")
@click.option(
    "--on",
    multiple=True,
    metavar="TARGET[=EFFECT]",
    help="Effect of rows that state none, as in a feed.",
)
@options.text("--source", help="Source of rows that state none.")
@click.option(
    "--grade", default="F", metavar="A..F", help="Admiralty grade of rows that state none."
)
@options.ZONE
@options.DATES
@options.flag("--fetch", help="Fetch FILE from an address of the public web.")
@options.DRY_RUN
def import_(file: str, fetch: bool, **values: Any) -> None:
    r"""Add the items of a CSV, JSON-lines, RSS or Atom file; - reads standard input.

    Columns or keys: title, source, known_at (or date), and where there are any event_at, url (or
    link), on (effects separated by ;), grade, story, because, half_life; a feed's summaries are its
    note.
    Importing a file again adds nothing.

    \b
    Examples:
      forecast news import feed.xml --source wire --on convoy --dry-run
      forecast news import --fetch https://example.org/feed.xml --on convoy
    """
    from forecasting.app.book import Book

    content = Book.fetched(file) if fetch else _content(file)
    name = file if fetch else Path(file).name
    with opened() as book:
        result = book.import_news(content, name=name, **values)
    relay_refused(name, result["refused"])
    if alike := result["similar"]:
        first = alike[0]
        say(
            f"note: {len(alike)} rows look like other items, such as line {first['line']} like "
            f"{first['like']!r} ({first['why']}); kept apart (--json has them)"
        )
    if changed := result["updated"]:
        first = changed[0]
        say(
            f"note: {len(changed)} rows are items recorded before, now with another date or title, "
            f"such as line {first['line']} (same {first['same']}); each stays one item"
        )
    for note in result["notes"][:_SHOWN]:
        relay(f"note: {name}:{note['line']}: {note['note']}")
    for each in result["resolves"][:_SHOWN]:
        say(f"note: {name}:{each['line']}: decides {each['question']}; if so: {each['accept']}")
    if settings().format == "table":
        counted = ("refused", "updated", "similar", "notes", "resolves")
        result = {**result, **{key: len(result[key]) for key in counted}}
    emit(result)


_SHOWN = 20


def _content(file: str) -> bytes:
    """Read a file, or standard input for ``-``, up to just beyond what may be read."""
    from forecasting.evidence.intake import MOST_BYTES, is_address
    from forecasting.files import read_plain, unreadable

    if file == "-":
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    if is_address(file):
        msg = f"address ({file}): is fetched only when that is asked for"
        raise InvalidInput(msg, hint=f"forecast news import --fetch {shlex.quote(file)}")
    try:
        return read_plain(Path(file), most=MOST_BYTES)
    except OSError as fault:
        hint = "- reads standard input" if "pipe" in str(fault) else "forecast news import FILE"
        raise unreadable("file", Path(file), fault, hint=hint) from fault


COLUMNS = ("process", "until", "recorded_at", "days", "watcher", "because")


@click.command(cls=Command)
@click.argument("processes", nargs=-1, metavar="[PROCESS]...")
@options.text(
    "--until",
    metavar="TIME",
    help="Time up to which you looked; default: now. A day means the midnight that ends it.",
)
@options.flag("--all", "every", help="Watch every process of the bank.")
@options.text("--because", help="Where you looked.")
def watch(processes: tuple[str, ...], until: str, every: bool, because: str) -> None:
    r"""Record that you looked and that nothing more had happened by a given time.

    Up to a watch, silence counts as evidence, so a probability with a deadline falls day by day;
    after it, nothing is known. A watch cannot be withdrawn, but what you learn later overrides it.

    Without a process and without --all, list the time until which each process is watched; `days`
    is how long ago that was.

    \b
    Examples:
      forecast watch
      forecast watch --all
      forecast watch truce convoy --until 2026-11-21 --because "the week's wires"
    """
    with opened() as book:
        if not processes and not every:
            if until or because:
                msg = "watch: name the processes that you looked at"
                raise InvalidInput(msg, hint="forecast watch --all")
            rows = book.watches()
            if settings().format == "table":
                rows = [{**row, "until": row["until"] or "not watched"} for row in rows]
            title = "until when each process is watched, times in UTC"
            emit(rows, columns=COLUMNS, title=title)
            return
        moment = None
        if until:
            moment = times.moment(
                until, zone_name=book.zone(*processes) if processes else None, day_means="ends"
            )
        if every and times.somebody_there() and (bare := book.without_list()):
            names = ", ".join(bare)
            asked = f"Nobody keeps a list of {names}. Did you look there too, and nothing happened?"
            click.confirm(asked, abort=True, err=True)
        watches = book.watch(*processes, until=moment, every=every, because=because)
    emit(watches, columns=("process", "until", "recorded_at", "watcher", "because"))
    say(f"{len(watches)} watched; `forecast update` brings the models up to it")


@click.group(cls=Group, invoke_without_command=True)
@click.pass_context
def sources(context: click.Context) -> None:
    """Show how reliable each source is, by its Admiralty grade and its track record."""
    if context.invoked_subcommand is None:
        context.invoke(list_sources)


@sources.command("list")
@options.flag("--all", "everything", help="List each source of the data sets too.")
@options.kind()
@options.AS_OF
def list_sources(everything: bool = False, kind: str = "live", as_of: str = "") -> None:
    r"""List the sources: those of your own news first, then those with resolved claims.

    `reliability, lower, upper` are the mean and the 90 % interval as learned; `prior` is the
    grade's. A claim is a report with a coded likelihood on a question that has resolved since.

    `worth` reviews a source like a forecaster: the mean half Brier score of the model's numbers on
    yes-or-no questions past their scheduled close after its reports, less that of the same numbers
    without what they moved, with a 95 % interval; below 0 is better after. With fewer than 8 events
    nothing is said.

    \b
    Examples:
      forecast sources
      forecast sources list --kind replay
    """
    with opened() as book:
        rows = book.sources(as_of=times.optional(as_of), kind=kind)
        data = settings().format != "table" or everything
        shown = rows if data else book.folded(rows)
    judged = any(row.get("verdict") for row in rows)
    if settings().format == "table":
        shown = [{**row, "worth": _worth(row)} for row in shown]
    emit(
        shown,
        columns=(
            *("source", "reliability", "lower", "upper", *(("worth",) if judged else ())),
            *("bound", "grade", "items", "claims"),
            *("right", "wrong", "prior", "prior_lower", "prior_upper"),
        ),
        always=4 + judged,
        title=f"{counted(len(rows), 'source')}; reliability with its 90 % interval; bound: the "
        "most that one multiplies a hazard by"
        + (
            "; worth: half Brier score after its reports less before, a mean over the model's "
            "numbers, 95 % over events; by chance alone one source in twenty stands out" * judged
        )
        + ("; --all lists those of data sets" * (len(shown) < len(rows))),
    )
    if rows and not judged:
        from forecasting.scoring.checks import LEAST_CLUSTERS

        say(
            f"what reports were worth: no {kind} number of the model that a report moved is on a "
            "question that is answered and past its scheduled close, and it takes "
            f"{LEAST_CLUSTERS} events"
        )


def _worth(row: Mapping[str, Any]) -> str | None:
    """Say whether numbers were better after a source's reports: how much, and of how many."""
    from forecasting.review import words

    if not row.get("verdict"):
        return None
    n = counted(row["moved_events"], "event")
    if row["change"] is None:
        return str(row["verdict"])
    text = words.signed(row["change"])
    if row["change_lower"] is not None:
        text += f" ({words.span(row['change_lower'], row['change_upper'], sign=True)})"
    return f"{row['verdict']}: {text}, {n}"


@sources.command("set")
@click.argument("name")
@options.grade(required=True)
@options.text("--because", help="Your reasons.")
@options.flag("--new", help="Accept a source that no news item has yet.")
def set_(name: str, grade: str, because: str, new: bool) -> None:
    r"""Grade a source from now on; this overrides the grades of its items.

    \b
    Example:
      forecast sources set wire --grade B --because "its sources are named"
    """
    with opened() as book:
        row = book.grade_source(name, grade, because=because, new=new)
    emit(row)
    if row["reweighed"]:
        one = row["reweighed"] == 1
        reports = "1 report" if one else f"{row['reweighed']} reports"
        say(
            f"{reports} of {row['source']} that {'stands weighs' if one else 'stand weigh'} "
            f"as graded {row['grade']} from now on"
        )
