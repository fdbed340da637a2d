"""scenario list, show, what-if, watch, repair: questions together."""

from typing import Any

import click

from forecasting.cli import times
from forecasting.cli.options import Group
from forecasting.cli.output import emit, say, settings


@click.group(cls=Group)
def scenario() -> None:
    """Scenarios: several questions as one joint model, and what hangs on what."""


_when = click.option(
    "--as-of", default="", metavar="TIME", help="Knowing only what was known then."
)
_seed = click.option("--seed", type=click.IntRange(min=0), default=0, help="Random seed.")


@scenario.command("list")
def list_() -> None:
    """List the scenarios of the bank."""
    from forecasting.app import scenario as use
    from forecasting.app.questions import bundled_bank

    rows = use.listed(bundled_bank())
    emit(rows, columns=("scenario", "title", "nodes", "questions"), title=f"{len(rows)} scenarios")


@scenario.command()
@click.argument("name", required=False, default="")
@click.option("--nodes", is_flag=True, help="The probability of each node's states instead.")
@click.option("--rows", is_flag=True, help="The elicited rows with their reasons instead.")
@_when
@_seed
def show(name: str, nodes: bool, rows: bool, as_of: str, seed: int) -> None:
    r"""Show how likely each named scenario is; they and the rest sum to one.

    NAME is a scenario of the bank or the path of a scenario file.

    \b
    Example:
      forecast scenario show settlement --nodes
    """
    from forecasting import clock
    from forecasting.app import scenario as use
    from forecasting.app.book import Book
    from forecasting.app.questions import bundled_bank

    bank = bundled_bank()
    graph = use.find(bank, name)
    if rows:
        emit(
            use.elicited(graph),
            columns=("node", "given", "shares", "kappa", "known_by", "source", "because"),
        )
        return
    with Book.open(settings().db) as book:
        found = use.live(
            book.ledger, graph, now=clock.now(), as_of=times.optional(as_of), seed=seed, bank=bank
        )
    _narrate(found.notes)
    if nodes:
        columns = (
            "node",
            "state",
            "probability",
            "lower",
            "upper",
            "from_rows",
            "level",
            "parents",
        )
        emit(use.nodes(found), columns=columns, title=f"{graph.title}, 90 % intervals")
        return
    shown = ("scenario", "probability", "lower", "upper", "title")
    emit(use.show(found), columns=shown, title=f"{graph.title}, 90 % intervals")


@scenario.command("what-if")
@click.argument("name", required=False, default="")
@click.option(
    "--given",
    multiple=True,
    metavar="QUESTION=OUTCOME",
    help="Once this is seen: what led to it becomes likelier too.",
)
@click.option(
    "--do",
    "do",
    multiple=True,
    metavar="QUESTION=OUTCOME",
    help="If this were brought about from outside: rests on the graph, never scored.",
)
@_when
@_seed
def what_if(name: str, given: tuple[str, ...], do: tuple[str, ...], as_of: str, seed: int) -> None:
    r"""Say how every question and scenario would stand.

    \b
    Examples:
      forecast scenario what-if settlement --given guarantees-2026=firm
      forecast scenario what-if settlement --do backing=bound
    """
    from forecasting import clock
    from forecasting.app import scenario as use
    from forecasting.app import scenario_what_if
    from forecasting.app.book import Book
    from forecasting.app.questions import bundled_bank

    bank = bundled_bank()
    graph = use.find(bank, name)
    with Book.open(settings().db) as book:
        found = use.live(
            book.ledger, graph, now=clock.now(), as_of=times.optional(as_of), seed=seed, bank=bank
        )
    rows = scenario_what_if.what_if(found, given, do)
    _narrate(found.notes)
    columns = ("question", "state", "before", "after", "lower", "upper")
    emit(rows, columns=columns, title=f"{rows[0]['basis']}; 90 % intervals" if rows else "")


@scenario.command()
@click.argument("name", required=False, default="")
@click.option(
    "--target",
    default="",
    metavar="NODE",
    help="What is to be forecast; default: which named scenario comes true.",
)
@_when
@_seed
def watch(name: str, target: str, as_of: str, seed: int) -> None:
    r"""Rank open questions by what their answer would be worth; without NAME, of all scenarios.

    \b
    Example:
      forecast scenario watch settlement --target signature
    """
    from forecasting import clock
    from forecasting.app import scenario as use
    from forecasting.app import scenario_watch
    from forecasting.app.book import Book
    from forecasting.app.questions import bundled_bank

    bank = bundled_bank()
    chosen = [use.find(bank, name)] if name or target else list(bank.scenarios)
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    moment = times.optional(as_of)
    with Book.open(settings().db) as book:
        for graph in chosen:
            found = use.live(
                book.ledger, graph, now=clock.now(), as_of=moment, seed=seed, bank=bank
            )
            rows += scenario_watch.watch(found, target)
            notes += [note for note in found.notes if note not in notes]
    _narrate(notes)
    columns = (
        "question",
        "target",
        "value_of_information",
        "lower",
        "upper",
        "mutual_information",
        "days",
        "per_day",
        "rank_per_day",
        "graph",
    )
    emit(rows, columns=columns, title="expected drop of the Brier score from the answer")


@scenario.command()
@click.argument("target")
@click.option("--forecaster", default="", metavar="NAME", help="Whose forecasts; default: yours.")
@click.option("--dry-run", is_flag=True, help="Say what would be stored and store nothing.")
def repair(target: str, forecaster: str, dry_run: bool) -> None:
    r"""Mend standing forecasts on a ladder or a scenario that cannot all be right.

    The forecasts as they were made stay; the coherent set is stored beside them as coherent:NAME.

    \b
    Example:
      forecast scenario repair leaders-meet --dry-run
    """
    from forecasting import clock
    from forecasting.app import scenario_repair
    from forecasting.app.book import Book
    from forecasting.app.questions import bundled_bank

    with Book.open(settings().db, forecaster=settings().forecaster) as book:
        result = scenario_repair.repair(
            book.ledger,
            bundled_bank(),
            target,
            forecaster=forecaster or book.forecaster,
            now=clock.now(),
            dry_run=dry_run,
        )
    if result["coherent"]:
        say("nothing to repair: these forecasts can all be right together")
    emit(result)


def _narrate(notes: Any) -> None:
    for note in notes:
        say(f"note: {note}")
