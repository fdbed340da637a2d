"""watch: who looked at which process, and until when nothing happened."""

import click

from forecasting.cli import options, times
from forecasting.cli.options import Command
from forecasting.cli.output import emit, opened, say, settings
from forecasting.errors import InvalidInput

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
