"""explain: why the probability is what it is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from forecasting.cli import times
from forecasting.cli.options import Command
from forecasting.cli.output import cell, emit, say, settings

#: Width of a bar on a terminal, in characters on each side of zero.
HALF = 10


@click.command(cls=Command)
@click.argument("question")
@click.option("--as-of", default="", metavar="TIME", help="Knowing only what was known then.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Random seed.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE",
    help="Also draw it: .svg or .png (one yes-no question).",
)
def explain(question: str, as_of: str, seed: int, out: Path | None) -> None:
    r"""Say why the model's probability is what it is: the prior, then each item's effect.

    The prior is the same model at the same moment without evidence. Effects are in log-odds
    (Shapley values over stories), so they add up to the change and no order matters.

    \b
    Example:
      forecast explain general-ceasefire-2026@2026-12-31
    """
    from forecasting import clock
    from forecasting.app import explain as use
    from forecasting.app.book import Book
    from forecasting.errors import InvalidInput

    with Book.open(settings().db) as book:
        found = use.explain(
            book.ledger,
            question,
            now=clock.now(),
            as_of=times.optional(as_of),
            seed=seed,
        )
    if out is not None:
        if len(found) != 1 or not isinstance(found[0]["posterior"], float):
            msg = f"--out ({out.name}): draws one yes-no question"
            raise InvalidInput(msg, hint=f"forecast explain {found[0]['question']} --out {out}")
        from forecasting.review import draw, draw_effects

        draw.save(draw_effects.effects(found[0], title=found[0]["question"]), out)
    if settings().format != "table":
        emit(found[0] if len(found) == 1 else found)
        return
    for one in found:
        _print(one)


def _print(found: Mapping[str, Any]) -> None:
    changes = [row["delta_logit"] for row in found["items"]]
    widest = max((abs(x) for change in changes for x in _options(change).values()), default=0)
    rows = [
        {
            "news": row["news"],
            "known_at": row["known_at"],
            "title": row["title"],
            "option": option,
            "effect": _signed(change),
            "bar": _bar(change, widest),
            "without": _options(row["without"])[option],
        }
        for row in found["items"]
        for option, change in _options(row["delta_logit"]).items()
    ]
    title = (
        f"{found['question']}: prior {cell(found['prior'])}, now {cell(found['posterior'])}; "
        f"effects in {found['scale']}, in all {_listed(found['change'])}"
    )
    several = isinstance(found["posterior"], Mapping)
    columns = ["news", "known_at", "title", "option", "effect", "bar", "without"]
    emit(rows, columns=columns if several else [c for c in columns if c != "option"], title=title)
    known = found["sensitivity"]
    sources = [f"{row['source']} {_listed(row['delta_logit'])}" for row in found["sources"]]
    say(f"by source: {'; '.join(sources)}")
    say(
        f"under other priors (halved, doubled, each worldview): {_range(known)}; without: the "
        f"answer if that row had not been; as of {cell(found['as_of'])}"
    )
    if found["undo"] is not None and abs(found["undo"]["ratio"] - 1) > 0.005:
        grades = [f"{grade} x{value:.3g}" for grade, value in _reachable(found["undo"])]
        say(
            f"to undo the whole change: one report of ratio x{found['undo']['ratio']:.3g} taken at "
            f"its word; stated by a source of grade {', '.join(grades) or 'any: none could'}"
        )


def _reachable(undo: Mapping[str, Any]) -> Sequence[tuple[str, float]]:
    return [(grade, value) for grade, value in undo["by_grade"].items() if value is not None]


def _options(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {"": value}


def _range(known: Mapping[str, Any]) -> str:
    low, high = _options(known["lower"]), _options(known["upper"])
    return "  ".join(f"{name} {cell(low[name])} to {cell(high[name])}".strip() for name in low)


def _listed(change: Any) -> str:
    return "  ".join(f"{name} {_signed(x)}".strip() for name, x in _options(change).items())


def _signed(change: float) -> str:
    return f"{change:+.2f}" if abs(change) >= 0.005 else "0"


def _bar(change: float, widest: float) -> str:
    """Draw a change as a bar to the left or right of a middle line."""
    if not widest:
        return ""
    length = round(HALF * abs(change) / widest)
    left, right = ("█" * length, "") if change < 0 else ("", "█" * length)
    return f"{left:>{HALF}}│{right:<{HALF}}"
