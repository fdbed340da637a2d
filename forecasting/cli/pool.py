"""pool: the forecasters in force combined into one."""

from typing import Any

import click

from forecasting.cli import options
from forecasting.cli.options import Command
from forecasting.cli.output import emit, opened, relay, say
from forecasting.cli.scores import scope, selection
from forecasting.domain.pools import METHODS, RENAMED
from forecasting.errors import InvalidInput


def _left_out(row: dict[str, Any]) -> str:
    """Say who spoke and is no member, by reason, and how to have them."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in row["left_out"].items():
        by_reason.setdefault(reason, []).append(name)
    text = "; ".join(f"{', '.join(names)} ({reason})" for reason, names in by_reason.items())
    kinds = [kind for kind in ("backdated", "imported") if kind in by_reason]
    more = "".join(f", or --kind {kind}" for kind in kinds)
    return f"left out: {text}; --members names who is in{more}"


@click.command(cls=Command)
@click.argument("name", metavar="[QUESTION]", required=False, default="")
@click.option(
    "--method",
    "methods",
    type=click.Choice((*METHODS, *RENAMED)),
    multiple=True,
    help="Pooling method; default: geometric-odds, or all with --score. hierarchical: old name of "
    "learned.",
)
@options.flag("--all", "everything", help="Use every method.")
@click.option(
    "--members",
    multiple=True,
    metavar="FORECASTER",
    help="Forecasters to pool; repeat, or separate by commas.",
)
@options.kind()
@options.flag("--log", "log", help="Log the result as forecaster pool:METHOD.")
@options.flag("--score", help="Score the pools on resolved questions instead.")
@scope
def pool(
    name: str,
    methods: tuple[str, ...],
    everything: bool,
    members: tuple[str, ...],
    log: bool,
    score: bool,
    **values: Any,
) -> None:
    r"""Combine the forecasts in force on a question, or on each rung of a ladder.

    Members are the people, crowds, worldviews and the model that have a forecast in force; pools,
    priors, base rates and, beside people, the model without a part are in only by --members. Who
    is left out is said. A pool learns only from what was answered and past its scheduled close by
    then, or early answers would come in ahead of the others. A pooled ladder never falls from one
    deadline to the next: rungs that did are made equal (isotonic regression), and a note says so.
    With --score each pool is scored as a forecaster at 25, 50 and 75 % of the windows of resolved
    questions.

    \b
    Examples:
      forecast pool convoy --method neyman-roughgarden --log
      forecast pool --score --kind replay
    """
    who = [part.strip() for member in members for part in member.split(",") if part.strip()]
    if score and (log or name):
        what = "log" if log else f"question ({name})"
        msg = f"{what}: belongs to a pool of one question, and --score takes none"
        raise InvalidInput(msg, hint="forecast pool --score --question " + (name or "QUESTION"))
    if not score and not name:
        msg = "question (none): name one, or score the pools"
        raise InvalidInput(msg, hint="forecast pool --score")
    if not score and (values["question"] or values["tag"]):
        msg = "question, tag: choose among resolved questions, with --score"
        raise InvalidInput(msg, hint=f"forecast pool {name}")
    wanted = selection(values)
    with opened() as book:
        if score:
            chosen = METHODS if everything else methods
            rows = book.pool_scores(methods=chosen, members=who, **wanted)
            if not rows:
                relay(book.why_empty(**wanted))
            for note in book.left_out(**wanted, counted=False):
                relay(note)
        else:
            rows = []
            for method in METHODS if everything else methods or ("geometric-odds",):
                rows += book.pool(name, method=method, members=who, log=log, **wanted)
    for text in dict.fromkeys(_left_out(row) for row in rows if row.get("left_out")):
        say(text)
    columns: tuple[str, ...] = ("question", "method", "forecast", "members")
    if not score and any(row["note"] for row in rows):
        columns = (*columns, "note")
    title = "logged" if log else "not logged (--log does)"
    if score:
        columns = (
            "forecaster", "mean", "lower", "upper", "n_questions", "n_events", "skill",
            "difference", "difference_lower", "difference_upper", "mean_25", "mean_50", "mean_75",
            "n_25", "n_50", "n_75",
        )  # fmt: skip
        title = (
            f"{wanted['kind']} forecasts pooled at 25, 50, 75 % of each window from what had been "
            "answered and closed by then, two or more of them; half Brier score, smaller is "
            "better; where there is no pool, after the outcome too, .25 as always 50 %; difference "
            "to geometric-odds; 95 % over events; mean 25, 50, 75: of n 25, n 50, n 75 questions "
            "still open then"
        )
    emit(rows, columns=columns, title=title if rows else "", always=2 if score else 3)
