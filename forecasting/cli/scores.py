"""score, calibration: how good the forecasts were."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from forecasting.cli import options, times
from forecasting.cli.forecasts import KINDS
from forecasting.cli.options import Command
from forecasting.cli.output import emit, say, settings
from forecasting.cli.spelling import as_options
from forecasting.domain.resolution import READINGS, Reading

_TOO_SOON = f"{__name__}.too_soon"


def _keep_too_soon(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    context.meta[_TOO_SOON] = value


FILTERS = (
    options.FORECASTER,
    options.QUESTION,
    options.TAG,
    options.RUN,
    options.AS_OF,
    click.option(
        "--too-soon",
        is_flag=True,
        expose_value=False,
        callback=_keep_too_soon,
        help="Also questions that resolved within two days of their opening.",
    ),
)


PICTURES = ("reliability", "mcb-dsc", "murphy", "over-time", "histogram", "pit")
EVERYBODY = ("mcb-dsc", "murphy", "over-time")
BY_COLUMNS = (
    "miscalibration",
    "null_miscalibration",
    "p_value",
    "n",
    "mean_forecast",
    "event_rate",
    "mean_score",
    "slope",
    "intercept",
)
POOLED_COLUMNS = ("slope_lower", "slope_upper", "reads_20", "reads_80")
WHILE_OPEN = (
    "while open: only until the outcome was known; improper, because only one answer comes early"
)
RULES = ("brier", "log", "spherical", "rps", "crps", "baseline", "peer", "relative")


READING = click.option(
    "--reading",
    type=click.Choice(READINGS),
    default="standing",
    help="Which version of each outcome counts: what stands, the first, or the contested one.",
)


def selection(
    kind: str,
    run: str,
    forecaster: str,
    question: tuple[str, ...],
    tag: str,
    as_of: str,
    reading: Reading = "standing",
) -> Any:
    """Give the selection that the filters name."""
    from forecasting.app.frames import Selection

    moment = times.optional(as_of)
    too_soon = bool(click.get_current_context().meta.get(_TOO_SOON))
    return Selection(kind, run, forecaster, question, tag, moment, reading, too_soon=too_soon)


def filters(command: Any) -> Any:
    """Add the options that choose which forecasts a table is about."""
    return FILTERS[0](scope(command))


def scope(command: Any) -> Any:
    """Add them all but the forecaster."""
    for option in reversed(FILTERS[1:]):
        command = option(command)
    return command


@click.command(cls=Command)
@click.option(
    "--rule",
    type=click.Choice(RULES),
    default=None,
    help="Default: each question type by its own.",
)
@click.option(
    "--convention",
    type=click.Choice(["half", "full"]),
    default="half",
    help="Brier on [0, 1] or [0, 2].",
)
@click.option(
    "--by",
    type=click.Choice(["forecaster", "question", "topic", "tag", "horizon", "month"]),
    default="forecaster",
)
@click.option(
    "--kind", type=click.Choice(KINDS), default="live", help="Only forecasts of this kind."
)
@click.option(
    "--window",
    default="scheduled",
    metavar="WINDOW",
    help="scheduled, spot@SHARE or spot@TIME, or (improper) until-resolution, last.",
)
@click.option(
    "--against",
    default="",
    metavar="FORECASTER",
    help="Difference to this one, to uniform or to climatology; default: the base rate.",
)
@click.option(
    "--missing",
    type=click.Choice(["leave-out", "uniform"]),
    default="leave-out",
    help="Questions without a word: out of the mean, or as the uniform forecast.",
)
@READING
@filters
def score(
    rule: str | None,
    convention: str,
    by: str,
    kind: str,
    window: str,
    against: str,
    missing: str,
    reading: Reading,
    forecaster: str,
    question: tuple[str, ...],
    tag: str,
    run: str,
    as_of: str,
) -> None:
    r"""Score forecasters over the lifetime of resolved questions; smaller is better.

    Time without a forecast scores as the uniform forecast does. Questions on which a forecaster
    never spoke are left out of their mean, so compare two by --against or `forecast compare`.
    baseline and peer are larger when better; peer and relative measure against the others and
    are improper.

    \b
    Examples:
      forecast score --kind replay
      forecast score --kind replay --rule spherical --by topic --against climatology
    """
    from forecasting.app import score as use
    from forecasting.app.book import Book
    from forecasting.app.score_notes import empty_note, left_out

    wanted = selection(kind, run, forecaster, question, tag, as_of, reading)
    with Book.open(settings().db) as book:
        rows = use.scores(
            book.ledger,
            rule=rule or "",
            convention=convention,
            by=by,
            window=window,
            selection=wanted,
            against=against,
            missing=missing,
        )
        if not rows:
            say(as_options(empty_note(book.ledger, kind, rule=rule or "", wanted=wanted)))
        for note in left_out(book.ledger, wanted):
            say(as_options(note))
    compared = by == "forecaster" or bool(against)
    shown = any(row["while_open"] is not None for row in rows)
    if shown:
        say(WHILE_OPEN)
    columns = [
        *([] if by == "forecaster" else [by]),
        "forecaster",
        "mean",
        *(["while_open"] if shown else []),
        *(["kind"] if kind == "all" else []),
        "type",
        "lower",
        "upper",
        "n_questions",
        "n_events",
        "coverage",
        "skill",
        *(["difference", "difference_lower", "difference_upper"] if compared else []),
        *(["event_rate"] if by == "horizon" else []),
        "rule",
    ]
    if rows and not rows[0]["proper"]:
        what = f"rule {rule}" if rule in ("peer", "relative") else f"window {window}"
        say(f"{what} is improper: it can be gained by strategy, and ranks nobody")
    emit(
        rows,
        columns=columns,
        title=_title(rows[0], kind, against, reading) if rows else "",
        always=2 if by == "forecaster" else 3,
    )


def _title(row: dict[str, Any], kind: str, against: str, reading: str) -> str:
    return (
        f"{kind} forecasts, {reading} outcomes, window {row['window']}, "
        f"{row['rule']} ({row['convention']}), {row['orientation']} is better; "
        "intervals 95 % over events, "
        "skill = gain over the uniform forecast, "
        f"difference = score - {against or 'base rate'}'s on shared questions"
    )


@click.command(cls=Command)
@click.option(
    "--kind", type=click.Choice(KINDS[:-1]), default="live", help="Only forecasts of this kind."
)
@click.option(
    "--share", type=float, default=0.5, help="At which share of each window forecasts are read."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE",
    help=".svg, .png, .csv or .html",
)
@click.option(
    "--by",
    type=click.Choice(["forecaster", "topic", "horizon", "month"]),
    default=None,
    help="A row for each.",
)
@click.option(
    "--picture",
    type=click.Choice(PICTURES),
    default=None,
    help="What --out shows; default reliability. Printed as a table without --out.",
)
@click.option(
    "--score",
    type=click.Choice(["brier", "log"]),
    default="brier",
    help="Whose parts: half Brier, or log in nats.",
)
@click.option(
    "--past-close",
    is_flag=True,
    help="Only questions whose scheduled close has passed: no outcome is favoured among them.",
)
@READING
@filters
def calibration(
    kind: str,
    share: float,
    out: Path | None,
    by: str | None,
    picture: str | None,
    score: str,
    past_close: bool,
    reading: Reading,
    forecaster: str,
    question: tuple[str, ...],
    tag: str,
    run: str,
    as_of: str,
) -> None:
    r"""Review calibration: the curve, its band, the parts of the Brier score, in plain words.

    Without --forecaster it is yours for live forecasts, the model's for a replay, and everybody's
    for imported ones; mcb-dsc, murphy and over-time then show everybody.

    \b
    Examples:
      forecast calibration --kind replay --forecaster model --out model.svg
      forecast calibration --kind replay --picture mcb-dsc --out all.png
      forecast calibration --kind replay --by forecaster
    """
    from forecasting import clock
    from forecasting.app import calibrate, pictures
    from forecasting.app.book import Book
    from forecasting.app.publish import save_calibration
    from forecasting.app.references import known_forecaster
    from forecasting.app.score_notes import empty_note, left_out
    from forecasting.errors import InvalidInput

    if by and (picture or out):
        msg = f"by ({by}): is a table, and has no picture"
        raise InvalidInput(msg, hint=f"forecast calibration --by {by} --csv")
    with Book.open(settings().db, forecaster=settings().forecaster) as book:
        known_forecaster(book.ledger, forecaster)
        usual = {"replay": "model", "imported": ""}
        who = forecaster or usual.get(kind, book.forecaster)
        shown = forecaster if picture in EVERYBODY or by == "forecaster" else who
        wanted = selection(kind, run, shown, question, tag, as_of, reading)
        if past_close:
            wanted = replace(wanted, closed_by=wanted.as_of or clock.now())
        counted = picture in pictures.COMPARED
        for note in left_out(book.ledger, wanted, counted=counted):
            say(as_options(note))
        if by:
            rows = calibrate.by_group(
                book.ledger, by, selection=wanted, share=share, now=clock.now()
            )
            if not rows:
                say(as_options(empty_note(book.ledger, kind, forecaster=shown, wanted=wanted)))
            title = f"{shown or 'everybody'} ({kind}, {reading} outcomes), one forecast an event"
            more = POOLED_COLUMNS if by == "forecaster" else ()
            emit(rows, columns=(by, *BY_COLUMNS, *more), title=title)
            return
        if picture:
            rows = pictures.table(book.ledger, picture, selection=wanted, share=share)
            what = pictures.PICTURES[picture]
            title = f"{what}: {shown or 'everybody'} ({kind}, {reading} outcomes)"
            if not rows:
                say(as_options(empty_note(book.ledger, kind, forecaster=shown, wanted=wanted)))
            if out is not None:
                pictures.draw(picture, rows, out, title=title, head=book.ledger.head())
                say(f"written: {out}")
            emit(rows, title=title if rows else "")
            return
        result = calibrate.calibration(
            book.ledger, selection=wanted, share=share, score=score, now=clock.now()
        )
        if not result["n"]:
            say(as_options(empty_note(book.ledger, kind, forecaster=shown, wanted=wanted)))
        if out is not None:
            whose = f"{who or 'everybody'} ({kind}, {reading} outcomes)"
            save_calibration(result, out, title=whose, head=book.ledger.head())
            say(f"written: {out}")
    record = {"forecaster": who or "everybody", "kind": kind, "outcomes": reading, **result}
    if settings().format == "table":
        record.pop("pooled")
        click.echo(record.pop("reading"))
        if numbers := record.pop("numbers", None):
            click.echo(numbers["reading"])
        if record["n"] < calibrate.LEAST_EVENTS:
            few = ("forecaster", "kind", "outcomes", "n", "n_questions", "n_events", "mean_score")
            record = {name: record[name] for name in (*few, "histogram")}
        else:
            # One decomposition is enough on a terminal; --json has the other.
            record.pop("binned", None)
            record.pop("histogram")
    emit(record)
