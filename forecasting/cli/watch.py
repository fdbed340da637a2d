"""watch: who looked at which process, and until when nothing happened."""

import datetime as dt
from typing import TYPE_CHECKING

import click

from forecasting.cli import times
from forecasting.cli.options import Command
from forecasting.cli.output import emit, say, settings
from forecasting.errors import InvalidInput

if TYPE_CHECKING:
    from forecasting.domain.process import WorldSpec

COLUMNS = ("process", "until", "recorded_at", "days", "watcher", "because")


@click.command(cls=Command)
@click.argument("processes", nargs=-1, metavar="[PROCESS]...")
@click.option(
    "--until",
    default="",
    metavar="TIME",
    help="Time up to which you looked; default: now. A day means the midnight that ends it.",
)
@click.option("--all", "every", is_flag=True, help="Watch every process of the bank.")
@click.option("--because", default="", help="Where you looked.")
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
      forecast watch ceasefire talks --until 2026-11-21 --because "the week's wires"
    """
    from forecasting import clock
    from forecasting.app import watch as use
    from forecasting.app.book import Book

    with Book.open(settings().db, forecaster=settings().forecaster) as book:
        world, now = use.world_of_the_bank(book.ledger), clock.now()
        if not processes and not every:
            if until or because:
                msg = "watch: name the processes that you looked at"
                raise InvalidInput(msg, hint="forecast watch --all")
            emit(
                use.rows(book.ledger, now=now, world=world),
                columns=COLUMNS,
                title="until when each process is watched, times in UTC",
            )
            return
        made = use.watch(
            book.ledger,
            processes,
            until=_moment(until, processes, world) or now,
            now=now,
            every=every,
            who=book.forecaster,
            because=because,
            world=world,
        )
    emit(made, columns=("process", "until", "recorded_at", "watcher", "because"))
    say(f"{len(made)} watched; `forecast update` brings the models up to it")


def _moment(text: str, processes: tuple[str, ...], world: "WorldSpec") -> dt.datetime | None:
    """Read the end of a watch in the zone of the processes, where they have one zone."""
    zones = {world.processes[name].zone for name in processes if name in world.processes}
    zone_name = zones.pop() if len(zones) == 1 else None
    return times.optional(text, zone_name=zone_name, day_means="ends")
