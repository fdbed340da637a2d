"""scenario list, show, what-if, value, paths: questions together, on the same simulated paths."""

from pathlib import Path
from typing import Any

import click

from forecasting.cli import options, times
from forecasting.cli.options import Group
from forecasting.cli.output import (
    Amount,
    Share,
    cell,
    counted,
    emit,
    opened,
    relay,
    say,
    settings,
    simulating,
)


@click.group(cls=Group)
def scenario() -> None:
    """Joint forecasts: named scenarios, conditions, typical stories."""


@scenario.command("list")
def list_() -> None:
    r"""List the sets of named scenarios of the bank.

    \b
    Example:
      forecast scenario list
    """
    with opened() as book:
        rows = book.scenarios()
    if not rows:
        say("the bank names no scenarios: a file of scenarios/ in it does")
    emit(
        rows,
        columns=("scenario", "title", "named", "by"),
        title=counted(len(rows), "set") + " of scenarios",
    )


@scenario.command()
@click.argument("name", required=False, default="")
@options.AS_OF
@options.SEED
def show(name: str, as_of: str, seed: int) -> None:
    r"""Show how likely each named scenario is; with the remainder they sum to one.

    \b
    Example:
      forecast scenario show settlement
    """
    simulation = _live(as_of, seed)
    chosen = simulation.scenarios(name)
    columns = ("scenario", "probability", "lower", "upper", "mcse", "title")
    rows = [_of_paths(row) for row in simulation.shares(chosen)]
    emit(rows, columns=columns, title=f"{chosen.title}; 90 % intervals")


@scenario.command("what-if")
@click.argument("name", required=False, default="")
@click.option(
    "--given",
    multiple=True,
    metavar="CONDITION",
    help="If this is observed: QUESTION=OUTCOME, PROCESS=STATE (until the last close of an open "
    "question) or a predicate, which may say by when; QUESTION=30%: as if this number were right.",
)
@click.option(
    "--do",
    "do",
    multiple=True,
    metavar="CONDITION[@TIME]",
    help="If this were brought about from outside, now or at TIME; depends on the links.",
)
@options.AS_OF
@options.SEED
def what_if(name: str, given: tuple[str, ...], do: tuple[str, ...], as_of: str, seed: int) -> None:
    r"""Say how likely every open question and scenario would be under a condition.

    \b
    Examples:
      forecast scenario what-if --given mediator=egypt
      forecast scenario what-if --do truce=on@2026-12-15
      forecast scenario what-if --given convoy=30%
    """
    from forecasting.review import words

    simulation = _live(as_of, seed)
    rows = simulation.what_if(given, do, simulation.find(name))
    columns = ("question", "state", "after", "change", "before", "lower", "upper", "mcse")
    shown = rows
    if settings().format == "table":
        kinds = [Amount if row["state"].startswith("median") else Share for row in rows]
        shown = [
            _of_paths(row, kind) | {"change": _change(row["change"], kind)}
            for row, kind in zip(rows, kinds, strict=True)
        ]
    emit(
        shown,
        columns=columns,
        always=7,
        title=f"{rows[0]['basis']}; 90 % intervals" if rows else "",
    )
    if still := words.unmoved(rows):
        say(still)
    for why in words.refusals(rows):
        say(why)


def _change(change: float | None, kind: type[float]) -> str | None:
    """Write a change with its sign; one that the paths cannot tell from none is none."""
    if not change:
        return None if change is None else "none"
    return f"{'+' if change > 0 else '-'}{cell(kind(abs(change)))}"


def _of_paths(row: dict[str, Any], kind: type[float] = Share) -> dict[str, Any]:
    """Mark what is a share of paths, or an amount; of none or all the error is not known."""
    numbers = ("probability", "before", "after", "lower", "upper")
    cells = {name: kind(row[name]) for name in numbers if row.get(name) is not None}
    return row | cells | ({} if row["mcse"] else {"mcse": None})


@scenario.command()
@click.argument("name", required=False, default="")
@options.text(
    "--target", metavar="CONDITION", help="What to forecast; default: all other open questions."
)
@options.AS_OF
@options.SEED
def value(name: str, target: str, as_of: str, seed: int) -> None:
    r"""Rank open questions by the value of information: what their answer says about the others.

    With NAME, what it says about which scenario of the set comes true.

    \b
    Examples:
      forecast scenario value
      forecast scenario value --target deal=signed-soft
    """
    simulation = _live(as_of, seed)
    columns = ("question", "value", "days", "rank_per_day")
    rows = simulation.value(target, simulation.find(name) if name else None)
    about = rows[0]["target"] if rows else ""
    title = f"expected drop of the Brier score (half) of {about} from knowing the answer"
    if settings().format == "table":
        rows = [
            {**row, "value": _small(row["value_of_information"]), "days": round(row["days"])}
            for row in rows
        ]
    emit(rows, columns=columns, title=title)
    if numbers := simulation.valueless(target):
        say(f"left out: {', '.join(numbers)}: the answer is a number, not one of a few outcomes")


def _small(value: float) -> str:
    """Write a small drop of a score to four decimals."""
    return f"{value:.4f}" if value >= 0.00005 else "< 0.0001"


@scenario.command()
@options.out("Picture to write, an .svg: each process over time.")
@click.option(
    "--stories", type=click.IntRange(min=1, max=50), default=10, help="Number of stories to tell."
)
@options.AS_OF
@options.SEED
def paths(out: Path | None, stories: int, as_of: str, seed: int) -> None:
    r"""Tell the most typical stories of the simulated paths, and draw the world over time.

    A story is the order in which the processes first move from now on, up to four of them; its
    weight is the share of paths that follow it, and a month is the median of a move among these.
    Processes that no story tells of are named with the reason.

    \b
    Example:
      forecast scenario paths --out world.svg
    """
    if out is not None:
        from forecasting.review import fans

        fans.check_target(out)
    simulation = _live(as_of, seed)
    rows = simulation.stories(stories)
    total = sum(row["weight"] for row in rows)
    about = (
        f"{simulation.title}; weight: share of the paths that first move in this order (together "
        f"{total:.2f}); months are medians among these"
    )
    emit(rows, columns=("weight", "story"), title=about)
    reasons: dict[str, list[str]] = {}
    for process, why in simulation.untold().items():
        reasons.setdefault(why, []).append(process)
    for why, names in reasons.items():
        say(f"in no story: {', '.join(names)}: {why}")
    if out is not None:
        fans.save(simulation.fans(), out, title=simulation.title)
        say(f"drawn: {out}")


def _live(as_of: str, seed: int) -> Any:
    with opened() as book, simulating():
        simulation = book.simulated(as_of=times.optional(as_of), seed=seed)
    for note in simulation.notes:
        relay(f"note: {note}")
    return simulation
