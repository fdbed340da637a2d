"""explain, models: why the probability is what it is, and what it rests on."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from forecasting.cli import options, times
from forecasting.cli.options import Command, Group
from forecasting.cli.output import Amount, cell, counted, emit, line, opened, say, settings

#: Width of a bar on a terminal, in characters on each side of zero.
HALF = 10
#: Links that are printed.
MOST_LINKS = 8
#: The scale of a probability; others are amounts.
LOG_ODDS = "log-odds"


@click.command(cls=Command)
@click.argument("question")
@options.AS_OF
@options.SEED
def explain(question: str, as_of: str, seed: int) -> None:
    r"""Say why the model's probability is what it is, step by step.

    From the start (at the opening, without history, evidence or links) by the history before the
    opening, each fact, the passing of time and the links, with the facts that act through them, to
    each story of reports. The steps add up in log-odds; one below twice its Monte Carlo error is
    told as 0 with that error beside it, and what such steps leave together is a row of its own.

    \b
    Example:
      forecast explain convoy
    """
    with opened() as book:
        explanations = book.explanations(question, as_of=times.optional(as_of), seed=seed)
        zone = book.zone(question)
    if settings().format != "table":
        emit(explanations[0] if len(explanations) == 1 else explanations)
        return
    for one in times.named_days(explanations, zone):
        _print(one)


def _print(explanation: Mapping[str, Any]) -> None:
    from forecasting.review import words

    rows_of = [
        (row, option, change, *(_options(row[key])[option] for key in ("mcse", "clear")))
        for row, changes in words.steps(explanation)
        for option, change in changes.items()
    ]
    full, digits = explanation["full_bar"], words.step_digits(explanation)
    rows = [
        {
            "step": row["title"],
            "option": option,
            "effect": _effect(change, error, clear=clear, digits=digits),
            "bar": _bar(change if clear else 0.0, full),
            "known_at": row["known_at"],
            "then": _times(row.get("weight_then")),
            "now": _times(row.get("weight_now")),
            "news": row["news"],
        }
        for row, option, change, error, clear in rows_of
    ]
    interval = (
        ""
        if explanation["lower"] is None
        else f" ({cell(explanation['lower'])} to {cell(explanation['upper'])})"
    )
    number = explanation["scale"] != LOG_ODDS
    start, now = (
        cell(Amount(explanation[name]) if number else explanation[name])
        for name in ("prior", "posterior")
    )
    answer = f"start {start}, now {now}{interval}"
    title = f"{explanation['question']}: {answer}"
    several = isinstance(explanation["posterior"], Mapping)
    columns = ["step", "option", "effect", "bar", "known_at", "then", "now", "news"]
    if not any(row["then"] for row in rows):
        columns = [name for name in columns if name not in {"then", "now"}]
    if not several:
        columns.remove("option")
    seen: Sequence[str] = ()
    if rows:
        seen = emit(rows, columns=columns, title=title, always=3 if several else 2)
    else:
        line(f"{title}\n")
    bar = f"; a full bar is {words.amount(full)}" if "bar" in seen else ""
    ages = [name for name in ("then", "now") if name in seen]
    report = {"then": "when it came", "now": "today"}
    ratio = f"hazard ratio of a report {' and '.join(report[name] for name in ages)}"
    say(
        f"start: as of the opening, {cell(explanation['opened'])}, without history, evidence or "
        "links (the forecaster `prior` has the links), and it does not age. Effects are changes in "
        f"{explanation['scale']} and add up to {_whole_change(explanation, digits)}{bar}; as of "
        f"{cell(explanation['as_of'])}" + (f"; {', '.join(ages)}: {ratio}" if ages else "")
    )
    if explanation["unmoved"]:
        say(f"facts that move nothing here: {'; '.join(explanation['unmoved'])}")
    if explanation["decided"]:
        say(f"what is known decides the question: {explanation['decided']}")
    _print_links(explanation)
    unwatched = {name: end for name, end in explanation["watched_until"].items()}
    oldest = min(unwatched.values())
    subject = f"{len(unwatched)} processes were" if len(unwatched) > 1 else "process was"
    say(f"its {subject} watched until {cell(oldest)} or later")
    if explanation["gain"]:
        gain = explanation["gain"]
        many = "" if gain["moves"] == 1 else "s"
        taught = f"learned from {gain['moves']} kind{many} of move that reports spoke of"
        learned = taught if gain["moves"] else "as believed before any move could teach it"
        say(
            f"reports weigh x{gain['mean']:.2f} of what was coded ({gain['lower']:.2f} to "
            f"{gain['upper']:.2f}; {learned})"
        )
    if explanation["undo"] is not None:
        reach = [
            grade for grade, value in explanation["undo"]["by_grade"].items() if value is not None
        ]
        grades = " or ".join([", ".join(reach[:-1]), reach[-1]] if len(reach) > 1 else reach)
        could = f"one report of a source graded {grades} could do that"
        if not reach:
            could = "no single report could do that"
        elif len(reach) == len(explanation["undo"]["by_grade"]):
            could = "one report of any source could do that"
        ratio = explanation["undo"]["ratio"]
        if ratio is None:
            say("to undo the whole change: no news on the question could, from x0.001 to x1000")
        else:
            say(
                f"to undo the whole change: lasting news on it that weighs x{ratio:.3g} "
                f"({'towards' if ratio > 1.0 else 'away from'} yes) from now on; {could}"
            )


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"x{ratio:.2f}"


def _options(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {"": value}


def _whole_change(explanation: Mapping[str, Any], digits: int) -> str:
    errors, clear = _options(explanation["mcse"]), _options(explanation["clear"])
    return "  ".join(
        f"{name} {_effect(change, errors[name], clear=clear[name], digits=digits)}".strip()
        for name, change in _options(explanation["change"]).items()
    )


def _effect(change: float, error: float, *, clear: bool, digits: int = 2) -> str:
    least = 0.5 * 10.0**-digits
    text = f"{change:+,.{digits}f}" if abs(change) >= least else "0"
    return text if clear or error < least else f"{text} ±{error:,.{digits}f}"


def _bar(change: float, full: float) -> str:
    """Draw a change as a bar to the left or right of a middle line."""
    length = round(HALF * abs(change) / full)
    left, right = ("█" * length, "") if change < 0 else ("", "█" * length)
    return f"{left:>{HALF}}│{right:<{HALF}}"


def _print_links(explanation: Mapping[str, Any]) -> None:
    """Print the links that move the answer, and name how many do not."""
    clear = [row for row in explanation["links"] if row["clear"]]
    if clear:
        emit(
            [
                {
                    "link": row["link"],
                    "answer at its low end": _precise(row["at_low"], explanation["scale"]),
                    "at its high end": _precise(row["at_high"], explanation["scale"]),
                    "ratio": f"x{row['ratio']:g} ({row['low']:g}..{row['high']:g})",
                    "because": row["because"],
                }
                for row in clear[:MOST_LINKS]
            ],
            columns=("link", "answer at its low end", "at its high end", "ratio"),
            title="Links are judgement: the answer at either end of each 90 % range",
        )
    more = clear[MOST_LINKS:]
    if more:
        say(f"{len(more)} links move it less than these: --json lists them")
    if still := len(explanation["links"]) - len(clear):
        which = "more of its links" if clear else "of its links"
        moves = "moves" if still == 1 else "move"
        say(f"{still} {which} {moves} it, from end to end, by less than the simulation can tell")


def _precise(answer: Any, scale: str) -> str:
    """Give an answer with one digit more than others, since ends lie near each other."""
    if isinstance(answer, Mapping):
        return "  ".join(f"{name} {_precise(x, scale)}" for name, x in answer.items())
    return f"{answer:.4f}" if scale == LOG_ODDS else cell(Amount(answer))


@click.group(cls=Group)
def models() -> None:
    """Show the fitted models, the kinds of process, and every prior with its source."""


@models.command("list")
def list_() -> None:
    r"""List the fitted models, and the kinds of process that a world may have.

    \b
    Example:
      forecast models list
    """
    from forecasting.app.book import Book

    emit(Book.graphs(), columns=("name", "what", "is"))


@models.command()
@click.argument("name")
def show(name: str) -> None:
    r"""Show a fitted model: what it is, and its latest fits with the verdict of the gate.

    \b
    Example:
      forecast models show rates
    """
    with opened() as book:
        emit(book.graph(name))


@models.command()
@options.QUESTION
def priors(question: tuple[str, ...]) -> None:
    r"""List every prior, or those of a question, with its source and when it was known.

    \b
    Example:
      forecast models priors --question convoy
    """
    with opened() as book:
        rows = book.priors(*question)
    if settings().format == "table":
        rows = [
            {**row, "parameter": _parameter_name(row), "source": row["source"] or row["because"]}
            for row in rows
        ]
    emit(
        rows,
        columns=("parameter", "prior", "source", "known_by", "worldview"),
        title=counted(len(rows), "prior"),
        always=3,
    )


def _parameter_name(row: dict[str, Any]) -> str:
    """Name a parameter in words, with its letter; moves and links have names of their own."""
    named = {"rates": "rate", "spells": "duration", "deliveries": "delivery", "news": "reports"}
    of = named.get(row["family"], row["family"])
    return f"{of}: {row['is']} ({row['parameter']})" if row["is"] else row["parameter"]
