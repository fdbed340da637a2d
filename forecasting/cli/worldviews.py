"""worldviews: the theses as forecasters, weighed by what they said before."""

from typing import Any

import click

from forecasting.cli import options, times
from forecasting.cli.options import Command
from forecasting.cli.output import cell, emit, opened, settings


@click.command(cls=Command)
@options.AS_OF
@options.choice(
    "--kind",
    ("live", "replay"),
    help="live or replay; default: live, or the latest replay without live forecasts.",
)
@options.RUN
def worldviews(as_of: str, **values: Any) -> None:
    r"""Show each worldview's weight, track record and claims, and where it differs now.

    Without --as-of the weights are those of now, or of the end of a replay. They come from one
    moment per event: each worldview's forecast in the middle of the window.

    \b
    Example:
      forecast worldviews --kind replay
    """
    with opened() as book:
        rows = book.worldviews(as_of=times.optional(as_of), **values)
    if settings().format != "table":
        emit(rows)
    else:
        _print(rows)


def _print(rows: list[dict[str, object]]) -> None:
    columns = (
        *("worldview", "weight", "differs", "title", "n_events", "brier", "n_claims"),
        *("claims_score", "claims_model", "range", "n_resolved", "n_scored"),
    )
    shown = []
    for row in rows:
        differs = row["differs"]
        span = f"{cell(row['claims_low'])} to {cell(row['claims_high'])}" if row["n_claims"] else ""
        count = len(differs) if isinstance(differs, list) else 0
        shown.append({**row, "range": span, "differs": count})
    emit(
        shown,
        columns=columns,
        title="differs: open questions on which it differs from the model; Brier convention half, "
        "smaller is better, no ranking; claims at their text's own date, with the range over their "
        "band",
        always=4,
    )
    lines = [
        {"worldview": row["worldview"], **difference}
        for row in rows
        if isinstance(row["differs"], list)
        for difference in row["differs"]
    ]
    if lines:
        emit(
            lines,
            columns=("question", "says", "model", "worldview"),
            always=4,
            title="open questions on which a worldview differs from the model",
        )
