"""explain: why the probability is what it is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from forecasting.cli import options, times
from forecasting.cli.options import Command
from forecasting.cli.output import cell, emit, opened, say, settings

#: Width of a bar on a terminal, in characters on each side of zero.
HALF = 10


@click.command(cls=Command)
@click.argument("question")
@options.AS_OF
@options.SEED
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE",
    help="Picture to write, .svg or .png (one yes-no question).",
)
def explain(question: str, as_of: str, seed: int, out: Path | None) -> None:
    r"""Say why the model's probability is what it is, step by step.

    From the prior (no history, no evidence) by the history before the opening, each fact, the
    passing of time and the links to each story of reports. The steps add up in log-odds.

    \b
    Example:
      forecast explain general-ceasefire-2026@2026-12-31
    """
    from forecasting.errors import InvalidInput

    with opened() as book:
        found = book.explanations(question, as_of=times.optional(as_of), seed=seed)
    if out is not None:
        if len(found) != 1 or not isinstance(found[0]["posterior"], float):
            msg = f"--out ({out.name}): must draw one yes-no question"
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
            "step": row["title"],
            "option": option,
            "effect": _signed(change),
            "bar": _bar(change, widest),
            "known_at": row["known_at"],
            "then": _times(row.get("weight_then")),
            "now": _times(row.get("weight_now")),
            "news": row["news"],
        }
        for row in found["items"]
        for option, change in _options(row["delta_logit"]).items()
    ]
    interval = (
        "" if found["lower"] is None else f" ({cell(found['lower'])} to {cell(found['upper'])})"
    )
    answer = f"prior {cell(found['prior'])}, now {cell(found['posterior'])}{interval}"
    title = f"{found['question']}: {answer}"
    several = isinstance(found["posterior"], Mapping)
    columns = ["step", "option", "effect", "bar", "known_at", "then", "now", "news"]
    if not any(row["then"] for row in rows):
        columns = [name for name in columns if name not in {"then", "now"}]
    if not several:
        columns.remove("option")
    emit(rows, columns=columns, title=title, always=3 if several else 2)
    say(
        f"effects are changes in {found['scale']} and add up to {_listed(found['change'])}; as of "
        f"{cell(found['as_of'])}; then, now: hazard ratio of a report when it came and today"
    )
    if found["decided"]:
        say(f"what is known decides the question: {found['decided']}")
    if found["links"]:
        emit(
            [
                {
                    "link": row["link"],
                    "answer at its low end": row["at_low"],
                    "at its high end": row["at_high"],
                    "ratio": f"x{row['ratio']:g} ({row['low']:g}..{row['high']:g})",
                    "because": row["because"],
                }
                for row in found["links"][:8]
            ],
            columns=("link", "answer at its low end", "at its high end", "ratio"),
            title="Links are judgement: the answer at either end of each 90 % range",
        )
    unwatched = {name: end for name, end in found["watched_until"].items()}
    oldest = min(unwatched.values())
    subject = f"{len(unwatched)} processes were" if len(unwatched) > 1 else "process was"
    say(f"its {subject} watched until {cell(oldest)} or later")
    if found["gain"]:
        gain = found["gain"]
        say(
            f"reports weigh x{gain['mean']:.2f} of what was coded ({gain['lower']:.2f} to "
            f"{gain['upper']:.2f}; learned from {gain['moves']} moves)"
        )
    if found["undo"] is not None:
        reach = [grade for grade, value in found["undo"]["by_grade"].items() if value is not None]
        grades = " or ".join([", ".join(reach[:-1]), reach[-1]] if len(reach) > 1 else reach)
        could = f"one report of a source graded {grades} could do that"
        if not reach:
            could = "no single report could do that"
        elif len(reach) == len(found["undo"]["by_grade"]):
            could = "one report of any source could do that"
        say(
            f"to undo the whole change: a hazard x{found['undo']['ratio']:.3g} from now on; {could}"
        )


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"x{ratio:.2f}"


def _options(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {"": value}


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
