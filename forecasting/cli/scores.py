"""score, calibration, compare, leaderboard: how good the forecasts were."""

import math
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from forecasting.calibration.frame import LEAST_EVENTS
from forecasting.cli import options, times
from forecasting.cli.options import Command
from forecasting.cli.output import Amount, cell, counted, emit, opened, relay, say, settings
from forecasting.cli.spelling import as_options
from forecasting.domain.resolution import READINGS
from forecasting.domain.scores import CALIBRATED, COMPARED, RANKED, SCORES
from forecasting.errors import InvalidInput
from forecasting.scoring.checks import LEAST_CLUSTERS, LEAST_OF_LEVEL

FILTERS = (
    options.FORECASTER,
    options.QUESTION,
    options.TAG,
    options.RUN,
    options.AS_OF,
    options.flag("--too-soon", help="Include questions that resolved within two days of opening."),
    options.flag(
        "--past-close",
        help="Only questions past their scheduled close, so that early answers are not favoured.",
    ),
)


PICTURES = ("reliability", "mcb-dsc", "histogram", "pit")
BY_COLUMNS = (
    *("miscalibration", "null_miscalibration", "p_value", "n", "mean_forecast", "event_rate"),
    *("mean_score", "slope", "intercept"),
)
POOLED_COLUMNS = ("slope_lower", "slope_upper", "reads_20", "reads_80")
WHILE_OPEN = (
    "while open: until the outcome was known; not a proper score, because only one answer comes "
    "early"
)


READING = options.choice(
    "--reading",
    READINGS,
    default="standing",
    help="Which version of each outcome to use: the current, the first or the disputed one.",
)


def selection(values: dict[str, Any]) -> dict[str, Any]:
    """Take the arguments of a selection out of the values of the options."""
    names = ("kind", "run", "forecaster", "question", "tag", "reading", "too_soon", "past_close")
    wanted = {name: values.pop(name) for name in names if name in values}
    return wanted | {"as_of": times.optional(values.pop("as_of"))}


def filters(command: Any) -> Any:
    """Add the options that choose which forecasts a table is about."""
    return FILTERS[0](scope(command))


def scope(command: Any) -> Any:
    """Add them all but the forecaster."""
    for option in reversed(FILTERS[1:]):
        command = option(command)
    return command


@click.command(cls=Command)
@options.rule(SCORES)
@options.CONVENTION
@options.choice(
    "--by",
    ("forecaster", "question", "topic", "tag", "horizon", "month"),
    default="forecaster",
    help="Group by.",
)
@options.kind("all")
@click.option(
    "--window",
    default="scheduled",
    metavar="WINDOW",
    help="Time that is scored: scheduled, spot@SHARE, spot@TIME; until-resolution and last are not "
    "proper.",
)
@options.text(
    "--against",
    metavar="FORECASTER",
    help="Forecaster to compare with, or uniform or climatology; default: the base rate.",
)
@options.choice(
    "--missing",
    ("leave-out", "uniform"),
    default="leave-out",
    help="Questions that a forecaster skipped: leave them out, or score them as uniform.",
)
@READING
@filters
def score(**values: Any) -> None:
    r"""Score forecasters over the lifetime of resolved questions; smaller is better.

    Time without a forecast scores as the uniform forecast does, and so does the time from the
    outcome to the scheduled close. coverage is the share of the scheduled window with a forecast
    before the outcome was known. Questions that a forecaster skipped are left out of their mean, so
    compare two with --against or `forecast compare`. baseline and peer are larger when better; peer
    and relative measure against the others and are not proper scores.

    \b
    Examples:
      forecast score --kind replay
      forecast score --kind replay --rule spherical --by topic --against climatology
    """
    wanted = selection(values)
    kind, by, against, rule = wanted["kind"], values["by"], values["against"], values["rule"]
    with opened() as book:
        rows = book.scores(**values, **wanted)
        if not rows:
            relay(book.why_empty(rule=rule, **wanted))
        for note in book.left_out(**wanted):
            relay(note)
        for note in dict.fromkeys(row["note"] for row in rows if row["mean"] != row["mean"]):
            relay(note)
    compared = by == "forecaster" or bool(against)
    shown = any(row["while_open"] is not None for row in rows)
    if shown:
        say(WHILE_OPEN)
    if by != "question":
        for text in _without_interval(rows):
            say(text)
    # The rule and the unit of each type stand above the table, unless one type has several.
    types = len({row["type"] for row in rows})
    # With several types the same forecasters come once for each, and the type tells them apart.
    several = types > 1
    rules = len({(row["type"], ruled(row)) for row in rows}) > types
    units = len({(row["type"], row["unit"]) for row in rows}) > types
    first = rows[:1]
    if settings().format == "table":
        rows = [_with_intervals(row) for row in rows]
    columns = [
        *([] if by == "forecaster" else [by]),
        "forecaster",
        "mean",
        *(["difference"] if compared else []),
        *(["type"] if several else []),
        *(["rule"] if rules else []),
        *(["while_open"] if shown else []),
        *(["kind"] if kind == "all" else []),
        *(["unit"] if units else []),
        "n_questions",
        "n_events",
        *([] if several else ["type"]),
        "coverage",
        "skill",
        *(["event_rate"] if by == "horizon" else []),
    ]
    if first and not first[0]["proper"]:
        what = f"rule {rule}" if rule in ("peer", "relative") else f"window {values['window']}"
        say(f"{what} is not a proper score: it can be gamed, so no ranking is shown")
    emit(
        rows,
        columns=columns,
        title=_title(rows, kind, by, against, wanted["reading"], each=not rules) if rows else "",
        always=(2 if by == "forecaster" else 3) + compared + several + rules,
    )


def ruled(row: Mapping[str, Any]) -> str:
    """Name the rule of a row with its convention: brier (half), crps."""
    convention = row.get("convention")
    return f"{row['rule']} ({convention})" if convention else str(row["rule"])


def _with_intervals(row: dict[str, Any]) -> dict[str, Any]:
    """Write a score and a difference each with its interval below it, so that no width hides it."""
    cells = {**row, "rule": ruled(row), "mean": _over(row["mean"], row["lower"], row["upper"])}
    if "difference" in row:
        ends = row["difference_lower"], row["difference_upper"]
        cells["difference"] = _over(row["difference"], *ends)
    return cells


def _over(value: float | None, lower: float | None, upper: float | None) -> Any:
    if any(end is None or math.isnan(end) for end in (lower, upper)):
        return value
    return f"{cell(value)}\n{cell(lower)} to {cell(upper)}"


def _title(
    rows: list[dict[str, Any]], kind: str, by: str, against: str, reading: str, *, each: bool
) -> str:
    row = rows[0]
    by_type = {
        one["type"]: one["rule"] + (f" in {one['unit']}" if one["unit"] else "") for one in rows
    }
    rules = next(iter(by_type.values())) if each else "each type by its rule"
    if len(by_type) > 1 and each:
        rules = ", ".join(f"{type_} by {rule}" for type_, rule in by_type.items())
    window = "forecasts in force before the close" if by == "horizon" else f"window {row['window']}"
    window += ", month of the scheduled close" if by == "month" else ""
    over = "the others" if SCORES[row["rule"].partition(" ")[0]].crowd else "the uniform forecast"
    return (
        f"{kind} forecasts, {reading} outcomes, {window}, "
        f"{rules}, {row['orientation']} is better; "
        "below each its 95 % interval over events, "
        f"skill = gain over {over} in units of the score, "
        f"difference = score - {against or 'base rate'}'s on shared questions"
    )


def _without_interval(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Say why means and differences have no interval, each reason with its number of rows."""
    rows = list(rows)
    few = sum(row["n_events"] < LEAST_OF_LEVEL for row in rows)
    apart = [row for row in rows if row.get("difference") is not None]
    alone = sum(row["n_shared_events"] < LEAST_CLUSTERS for row in apart)
    other = sum(
        row["note"] != "" and row["n_events"] >= LEAST_OF_LEVEL and row["mean"] == row["mean"]
        for row in rows
    )
    reasons = [
        (few, len(rows), f"mean{{s}} of fewer than {LEAST_OF_LEVEL} events, too few for one"),
        (alone, len(apart), f"difference{{s}} on fewer than {LEAST_CLUSTERS} events"),
        (other, len(rows), "mean{s} hardly varying between events, or infinite"),
    ]
    texts = [
        f"{'all ' * (n == of > 1)}{n} {text.format(s='s' * (n > 1))}"
        for n, of, text in reasons
        if n
    ]
    return [f"no interval: {'; '.join(texts)}"] if texts else []


@click.command(cls=Command)
@options.kind()
@click.option(
    "--share", type=float, default=0.5, help="Read each forecast at this fraction of its window."
)
@options.out("File to write: .svg, .png, .csv or .html.")
@options.choice("--by", ("forecaster", "topic", "horizon", "month"), help="Group by.")
@options.choice(
    "--picture",
    PICTURES,
    help="Picture for --out; default: reliability. Without --out its numbers are printed.",
)
@options.choice(
    "--score",
    ("brier", "log"),
    default="brier",
    help="Score to decompose: half Brier, or log in nats.",
)
@READING
@filters
def calibration(
    share: float,
    out: Path | None,
    by: str,
    picture: str,
    score: str,
    forecaster: str,
    **values: Any,
) -> None:
    r"""Review calibration: the curve, its band, the parts of the Brier score, in plain words.

    Without --forecaster it is yours for live forecasts, the model's for a replay, and everybody's
    for imported ones; mcb-dsc then shows everybody.

    \b
    Examples:
      forecast calibration --kind replay --forecaster model --out model.svg
      forecast calibration --kind replay --picture mcb-dsc --out all.png
      forecast calibration --kind replay --by forecaster
    """
    if by and (picture or out):
        msg = f"by ({by}): gives a table, which has no picture"
        raise InvalidInput(msg, hint=f"forecast calibration --by {by} --csv")
    from forecasting.review.tables import steps

    kind, reading = values["kind"], values["reading"]
    with opened() as book:
        usual = {"replay": "model", "imported": ""}
        who = forecaster or usual.get(kind, book.forecaster)
        shown = forecaster if picture == "mcb-dsc" or by == "forecaster" else who
        wanted = selection(values) | {"forecaster": shown}
        book.known(forecaster)
        types: tuple[str, ...] = ("numeric",) if picture == "pit" else ("binary",)
        each = by == "horizon" or picture == "histogram"
        for note in book.left_out(
            counted=picture == "mcb-dsc",
            early=bool(by or picture),
            share=None if each else share,
            types=types if by or picture else CALIBRATED,
            **wanted,
        ):
            relay(note)
        more: tuple[str, ...] = ()
        if by:
            rows = book.calibration_by(by, share=share, **wanted)
            title = f"{shown or 'everybody'} ({kind}, {reading} outcomes), one forecast an event"
            more = POOLED_COLUMNS if by == "forecaster" else ()
            columns: tuple[str, ...] = (by, *BY_COLUMNS, *more)
        elif picture:
            title = f"{book.titled(picture)}: {shown or 'everybody'} ({kind}, {reading} outcomes)"
            rows = book.picture(picture, share=share, out=out, title=title, **wanted)
            title, columns = title if rows else "", ()
        else:
            result = book.calibration(share=share, score=score, **wanted)
            rows = [result.numbers] if result.numbers["n"] else []
        if not rows and (by or picture):
            relay(book.why_empty(types=types, whose=True, share=share, **wanted))
        if out is not None:
            if not picture:
                result.save(out, title=f"{who or 'everybody'} ({kind}, {reading} outcomes)")
            say(f"written: {out}")
    if by or picture:
        emit(rows, columns=columns, title=title)
        if by and rows:
            say(
                "mean_score: half Brier score; p_value: of calibrated forecasts like these, the "
                "share at least as miscalibrated, so by chance one row in twenty has .05 or less; "
                f"neither parts nor slope below {LEAST_EVENTS} events"
            )
        if more and rows:
            say("slope: with its 90 % interval, partially pooled over forecasters")
        _say_shares(rows)
        return
    numbers = {**result.numbers, "reading": as_options(result.numbers["reading"])}
    record = {"forecaster": who or "everybody", "kind": kind, "outcomes": reading, **numbers}
    if settings().format == "table":
        record.pop("pooled")
        record.pop("pooled_note", None)
        click.echo(record.pop("reading"))
        if of_numbers := record.pop("numbers", None):
            click.echo(of_numbers["reading"])
        if result.few:
            few = ("forecaster", "kind", "outcomes", "n", "n_questions", "n_events", "mean_score")
            record = {name: record[name] for name in (*few, "histogram")}
        else:
            # One decomposition is enough on a terminal; --json has the other.
            record.pop("binned", None)
            record.pop("histogram")
            curve = record["curve"] if settings().wide else steps(record["curve"])
            record["curve"] = [_of_curve(point) for point in curve]
    emit(record)
    if settings().format == "table" and record["n"]:
        _say_words(record, of=len(numbers["curve"]))
    _say_shares(record.get("histogram", ()))


def _of_curve(point: dict[str, Any]) -> dict[str, Any]:
    """Name the columns of a curve so that no word of it means something else above it."""
    names = {"events": "came_true", "lower": "band_lower", "upper": "band_upper"}
    counts = {name: Amount(round(point[name], 1)) for name in ("n", "events")}
    return {names.get(name, name): value for name, value in (point | counts).items()}


def _say_words(record: Mapping[str, Any], *, of: int) -> None:
    """Say what the counts and the parts of a calibration mean, and which band it has."""
    several = record.get("picks", 1) > 1
    mean = f"; a mean over {record.get('picks')} picks where an event has several" * several
    rule = "half Brier score" if record.get("score", "brier") == "brier" else "log score in nats"
    say(
        f"n: forecasts that are read, one question an event{mean}; n_events: different events; "
        f"mean_score: {rule}, one forecast an event, so not that of `forecast score`"
    )
    if record.get("histogram"):
        say("happened: how many of n ended yes, a count and not a share")
    if record.get("curve"):
        say(
            f"band: {100 * record['level']:.0f} % consistency band, where chance alone puts the "
            "curve of a calibrated forecaster; came_true: how many of n ended yes"
        )
        if len(record["curve"]) < of:
            say("the curve has a row for each step, with the band at its middle (--wide shows all)")


def _say_shares(rows: Iterable[Mapping[str, Any]]) -> None:
    """Say what a part of a forecast is, where a count has one."""
    counts = (row.get("n") for row in rows)
    if any(isinstance(n, float) and n != round(n) for n in counts):
        say(
            "n: each event counts once at most, so forecasts of one event share that count: of two "
            "that stand in two bins each bin has 0.5; one that is not read leaves its part out"
        )


@click.command(cls=Command)
@click.argument("a")
@click.argument("b")
@options.rule(COMPARED)
@options.CONVENTION
@options.kind()
@options.text("--type", "question_type", help="Question type; default: the most shared.")
@options.WINDOW
@scope
def compare(a: str, b: str, **values: Any) -> None:
    r"""Compare two forecasters: same questions, same window, intervals over events.

    The difference is A's score less B's: below 0, A is better. The confidence sequence and the
    e-values stay valid however often you look.

    \b
    Example:
      forecast compare model base-rate --kind replay
    """
    wanted = selection(values)
    with opened() as book:
        comparison = book.compare(a, b, **values, **wanted)
        for note in book.left_out(a, b, **wanted):
            relay(note)
    if not comparison["proper"]:
        window = values["window"]
        say(f"window {window} is not a proper score: it can be gamed, so this ranks neither")
    if settings().format == "table":
        for kind_of_question, n in comparison.pop("other_types").items():
            say(
                f"{counted(n, f'shared {kind_of_question} question')} "
                f"{'is' if n == 1 else 'are'} compared apart: --type {kind_of_question}"
            )
        click.echo(comparison.pop("reading"))
        names = _names(a, b)
        comparison = {names.get(key, key): value for key, value in comparison.items()}
    emit(comparison)


def _names(a: str, b: str) -> dict[str, str]:
    """Give the words of a table for the short keys that scripts read."""
    return {
        "n_a": f"questions of {a}",
        "n_b": f"questions of {b}",
        "n_shared": "shared questions",
        "n_events": "events",
        "detectable": "detectable difference",
        "cs_lower": "sequence lower",
        "cs_upper": "sequence upper",
        "e_a": f"e-value: {a} better",
        "e_b": f"e-value: {b} better",
        "steps": "events in sequence",
        "waiting": "questions waiting",
        "held_by": "waits for",
    }


COLUMNS = (
    *("forecaster", "adjusted", "rank", "lower", "upper", "p_best", "raw", "component"),
    *("n_questions", "n_events", "rank_lower", "rank_upper"),
)


@click.command(cls=Command)
@options.rule(RANKED)
@options.CONVENTION
@options.kind()
@click.option("--type", "question_type", default="binary", help="Question type; default: binary.")
@options.WINDOW
@click.option(
    "--sample/--no-sample",
    default=True,
    help="Sample the probabilities of rank, or approximate them.",
)
@options.SEED
@filters
def leaderboard(sample: bool, **values: Any) -> None:
    r"""Show scores adjusted for the difficulty of the questions that each forecaster chose.

    There is no ranking across groups that share no question, with fewer than 8 events, or in a
    replay. An interval says how far a forecaster is from the others on these questions; it needs 20
    events.

    \b
    Example:
      forecast leaderboard --kind imported --no-sample
    """
    wanted = selection(values)
    with opened() as book:
        if sample and sys.stderr.isatty():
            say("comparing ...")
        rows = book.leaderboard(sample=sample, **values, **wanted)
        for note in book.left_out(**wanted):
            relay(note)
    title = (
        f"{wanted['kind']} forecasts, window {values['window']}, "
        f"{ruled(rows[0]) if rows else ''}, smaller is better; "
        "lower, upper: 95 % interval over events of how far each is from the others on these "
        f"questions, not of how hard such questions are; none below {LEAST_OF_LEVEL} events; "
        "rank lower, upper: 90 %"
    )
    emit(rows, columns=COLUMNS, title=title if rows else "")
