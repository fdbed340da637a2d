"""From the ledger to the tidy frame that scores and calibration read: one row a forecast."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from forecasting.app.ledger.seal import Seals, count_worst, read_seals
from forecasting.domain.catalog import Catalog
from forecasting.domain.forecast import KINDS, Forecast, kind_named
from forecasting.domain.instants import DAYS
from forecasting.domain.question import ANNULLED, TOO_SOON, Question
from forecasting.domain.resolution import Reading, Withdrawal
from forecasting.domain.sealed import Sealed, counts_from
from forecasting.errors import InvalidInput, NotFound
from forecasting.scoring.lifetime import where
from forecasting.store import Ledger
from forecasting.store.forecast_columns import ForecastColumns, columns_of, read_columns
from forecasting.store.undone import undone

if TYPE_CHECKING:
    import pandas as pd

type _Last[Read] = WeakKeyDictionary[Ledger, tuple[tuple[Any, ...], Read]]
#: The forecasts of each ledger that were read last, and what was asked for.
_LAST: _Last[list[Forecast]] = WeakKeyDictionary()
_LAST_COLUMNS: _Last[ForecastColumns] = WeakKeyDictionary()
#: So many questions are asked for by name.
FEW = 500
#: What every row of a question says of it.
OF_QUESTION = (
    *("opens", "closes", "closed_at", "outcome", "lower", "upper", "type", "event", "topic"),
    *("tags", "resolved_at", "zero_point", "open_bounds", "beyond", "unit"),
)
#: The kinds that come by the hundred thousand, and without seals.
IN_BULK = ("imported", "replay", "backdated")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which forecasts a table is about.

    Attributes
    ----------
    kind
        One of live, replay, backdated, imported. Kinds are never averaged together.
    run
        A replay run; empty for the latest complete one.
    as_of
        Only outcomes known and forecasts issued by then. Of the live kind, only what the ledger
        had recorded by then too: the table as it could have been printed at that moment. The
        other kinds are recorded after the fact, so for them what was known decides, with the
        version of each outcome that stood in the ledger then, where one had been recorded.
    reading
        Which version of each outcome counts: standing, first or disputed; see
        :func:`forecasting.domain.resolution.outcomes`.
    question
        Only these questions and ladders, one or several.
    closed_by
        Only questions whose scheduled close had passed by then, among which no outcome is
        favoured: of those still open only what ends a question early has an outcome.
    too_soon
        Whether questions that resolved within two days of their opening are scored too.
    """

    kind: str = "live"
    run: str = ""
    forecaster: str = ""
    question: str | tuple[str, ...] = ""
    tag: str = ""
    as_of: dt.datetime | None = None
    reading: Reading = "standing"
    closed_by: dt.datetime | None = None
    too_soon: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", kind_named(self.kind))

    @property
    def names(self) -> tuple[str, ...]:
        """The questions and ladders asked for; none for all."""
        questions = (self.question,) if isinstance(self.question, str) else self.question
        return tuple(filter(None, questions))


def latest_run(ledger: Ledger) -> str:
    """Give the id of the replay run that finished last; empty where none has."""
    finished = [mark.run for mark in ledger.replay_runs() if mark.event == "finished"]
    return finished[-1] if finished else ""


def resolved(
    ledger: Ledger, wanted: Selection, *, seals: Seals = "missing", supposed: Catalog | None = None
) -> "pd.DataFrame":
    """Give the scoring frame of a selection, with only what it may know.

    Tables of scores ask for `seals` as ``worst``, whatever learns from others' numbers as
    ``shown``.
    """
    head, catalog = as_it_stood(ledger, wanted)
    catalog = supposed or catalog
    chosen: Iterable[Forecast] | ForecastColumns
    withdrawals = None
    if wanted.kind in IN_BULK:
        chosen = in_bulk(ledger, catalog, wanted, head=head)
    else:
        forecasts = select(ledger, catalog, wanted, head=head)
        chosen = forecasts
        if among := seals_asked_for(ledger, catalog, wanted, head=head):
            chosen, withdrawals = read_seals(
                ledger, catalog, forecasts, among=among, seals=seals, head=head
            )
    frame = scoring_frame(
        ledger, catalog, chosen, as_of=wanted.as_of, head=head, withdrawals=withdrawals
    )
    if wanted.too_soon:
        frame["too_soon"] = False
    return frame if wanted.closed_by is None else where(frame, frame["closes"] <= wanted.closed_by)


def as_it_stood(ledger: Ledger, wanted: Selection) -> tuple[int | None, Catalog]:
    """Give the entry up to which a selection is read (None: all) and the catalogue at it."""
    live = wanted.kind == "live"
    head = ledger.head_at(wanted.as_of) if live and wanted.as_of is not None else None
    by = None if live else wanted.as_of
    return head, Catalog.of(ledger, head=head, reading=wanted.reading, recorded_by=by)


def shown(
    ledger: Ledger, catalog: Catalog, wanted: Selection, *, head: int | None = None
) -> tuple[list[Forecast], list[Withdrawal]]:
    """Give the forecasts of a selection as others could see them, and what was taken back."""
    chosen = select(ledger, catalog, wanted, head=head)
    if wanted.kind != "live":
        return chosen, undone(ledger, head=head).withdrawals
    among = seals_asked_for(ledger, catalog, wanted, head=head)
    return read_seals(ledger, catalog, chosen, among=among, seals="shown", head=head)


def kinds_present(ledger: Ledger) -> list[str]:
    """Give the kinds of forecast that the ledger holds, in their usual order."""
    present = ledger.kinds()
    return [kind for kind in KINDS if kind in present]


def select(
    ledger: Ledger, catalog: Catalog, wanted: Selection, *, head: int | None = None
) -> list[Forecast]:
    """Give the forecasts of a selection, oldest first; a live one recorded too late is left out."""
    return [
        forecast
        for forecast in _asked_for(ledger, catalog, wanted, head=head)
        if not _left_out(catalog, forecast)
    ]


def spoken(
    ledger: Ledger, catalog: Catalog, wanted: Selection, *, head: int | None = None
) -> Iterable[tuple[str, str, dt.datetime]]:
    """Give of what each forecaster of a selection spoke, and when (of UTC, without a zone)."""
    if wanted.kind in IN_BULK:
        columns = in_bulk(ledger, catalog, wanted, head=head)
        moments = columns.issued_at.tolist()
        return zip(columns.question, columns.forecaster, moments, strict=True)
    chosen = select(ledger, catalog, wanted, head=head)
    return ((one.question, one.forecaster, plain_utc(one.issued_at)) for one in chosen)


def plain_utc(moment: dt.datetime) -> dt.datetime:
    """Give a moment of UTC without its zone."""
    return moment.astimezone(dt.UTC).replace(tzinfo=None)


def in_bulk(
    ledger: Ledger, catalog: Catalog, wanted: Selection, *, head: int | None = None
) -> ForecastColumns:
    """Give the forecasts of a selection in columns, of the kinds that are never sealed."""
    import numpy as np

    run = _run(ledger, wanted)
    if wanted.kind == "replay" and not run:
        return columns_of([])
    few = _few(catalog, wanted)
    forecasts = _read(_LAST_COLUMNS, ledger, wanted, run, head, few, partial(read_columns, ledger))
    if wanted.kind == "imported" and (undone_seqs := undone(ledger, head=head).forecasts):
        forecasts = forecasts.only(~np.isin(forecasts.seq, list(undone_seqs)))
    if wanted.names or wanted.tag:
        asks = _asks(wanted)
        asked = {name for name in set(forecasts.question) if asks(catalog.questions[name])}
        forecasts = forecasts.only(
            np.array([name in asked for name in forecasts.question], dtype=bool)
        )
    if wanted.as_of is not None:
        moment = np.datetime64(plain_utc(wanted.as_of), "us")
        forecasts = forecasts.only(forecasts.issued_at <= moment)
    return forecasts


def late(ledger: Ledger, wanted: Selection) -> int:
    """Count the live forecasts of a selection that a table leaves out, for they came too late."""
    if wanted.kind not in ("live", "all"):
        return 0
    wanted = replace(wanted, kind="live")
    head, catalog = as_it_stood(ledger, wanted)
    asked = _asked_for(ledger, catalog, wanted, head=head)
    return sum(_left_out(catalog, forecast) for forecast in asked)


def unrevealed(ledger: Ledger, wanted: Selection) -> int:
    """Count the live seals that a table of scores reads as the worst that they could hold."""
    if wanted.kind not in ("live", "all"):
        return 0
    wanted = replace(wanted, kind="live")
    head, catalog = as_it_stood(ledger, wanted)
    among = seals_asked_for(ledger, catalog, wanted, head=head)
    by = wanted.as_of
    known = {q for q, one in catalog.outcomes.items() if by is None or one.resolved_at <= by}
    seals = [seal for seal in among if seal.question in known]
    return count_worst(ledger, catalog, seals, head=head)


def _left_out(catalog: Catalog, forecast: Forecast) -> bool:
    return forecast.kind == "live" and bool(catalog.mark(forecast))


def _asked_for(
    ledger: Ledger, catalog: Catalog, wanted: Selection, *, head: int | None
) -> list[Forecast]:
    if wanted.kind not in KINDS:
        raise InvalidInput(f"kind ({wanted.kind}): must be one of {', '.join(KINDS)} or all")
    run = _run(ledger, wanted)
    if wanted.kind == "replay" and not run:
        return []
    forecasts = _read(_LAST, ledger, wanted, run, head, _few(catalog, wanted), ledger.forecasts)
    if wanted.kind == "imported":
        forecasts = undone(ledger, head=head).left(forecasts)
    about = _is_about(catalog, wanted)
    return [forecast for forecast in forecasts if about(forecast)]


def _read[Read](
    last: _Last[Read],
    ledger: Ledger,
    wanted: Selection,
    run: str | None,
    head: int | None,
    few: tuple[str, ...] | None,
    read: Callable[..., Read],
) -> Read:
    """Read the forecasts of a kind once: a table asks for them a second time for its notes."""
    # What was recorded up to a head stays.
    head = ledger.head().seq if head is None else head
    asked: dict[str, Any] = {"kind": wanted.kind, "forecaster": wanted.forecaster or None}
    asked |= {"run": run, "question": few}
    key = (*asked.values(), head)
    if last.get(ledger, ((),))[0] != key:
        last[ledger] = (key, read(**asked, head=head))
    return last[ledger][1]


def _few(catalog: Catalog, wanted: Selection) -> tuple[str, ...] | None:
    """Give the questions of a selection where they are few: then no others need be read."""
    if not wanted.names and not wanted.tag:
        return None
    asked = tuple(q.id for q in filter(_asks(wanted), catalog.questions.values()))
    return asked if len(asked) <= FEW else None


def _run(ledger: Ledger, wanted: Selection) -> str | None:
    """Give the replay run that is asked for, empty if no run finished; None for other kinds."""
    if wanted.kind != "replay":
        return None
    known = {mark.run for mark in ledger.replay_runs()}
    if wanted.run and wanted.run not in known:
        msg = f"no replay run {wanted.run}"
        raise NotFound(msg, hint=", ".join(sorted(known)) or "forecast replay")
    return wanted.run or latest_run(ledger)


def seals_asked_for(
    ledger: Ledger, catalog: Catalog, wanted: Selection, *, head: int | None
) -> list[Sealed]:
    """Give the seals that a selection is about, opened or not, but for those set too late."""
    about = _is_about(catalog, wanted)
    return [
        seal
        for seal in ledger.seals(head=head)
        if wanted.forecaster in (seal.forecaster, "")
        and about(seal)
        and seal.recorded_at is not None
        and seal.recorded_at < catalog.ends(catalog.questions[seal.question])
    ]


def _is_about(catalog: Catalog, wanted: Selection) -> Callable[[Forecast | Sealed], bool]:
    """Say of an entry whether a selection asks for it."""
    asks, by = _asks(wanted), wanted.as_of
    return lambda entry: (
        (by is None or entry.issued_at <= by) and asks(catalog.questions[entry.question])
    )


def _asks(wanted: Selection) -> Callable[[Question], bool]:
    """Say of a question whether a selection asks for it."""
    names, tag = frozenset(wanted.names), wanted.tag

    def asks(question: Question) -> bool:
        return (not names or question.id in names or question.ladder in names) and (
            not tag or tag in (*question.tags, question.topic, question.event)
        )

    return asks


def scoring_frame(
    ledger: Ledger,
    catalog: Catalog,
    forecasts: Iterable[Forecast] | ForecastColumns,
    *,
    as_of: dt.datetime | None = None,
    head: int | None = None,
    withdrawals: Sequence[Withdrawal] | None = None,
) -> "pd.DataFrame":
    """Give the frame of the resolved questions among some forecasts; annulled ones are left out."""
    import numpy as np
    import pandas as pd

    columns = forecasts if isinstance(forecasts, ForecastColumns) else columns_of(forecasts)
    names = list(dict.fromkeys(columns.question))
    place = {name: number for number, name in enumerate(names)}
    question_of = np.fromiter((place[name] for name in columns.question), np.int64, len(columns))
    about = _about(names, catalog, as_of)
    # Another platform may take forecasts after the end; those are in force at no scored moment.
    ends = about["ends"].to_numpy()
    counts = about["counts"].to_numpy(dtype=bool)[question_of] & (
        columns.issued_at < ends[question_of]
    )
    columns, question_of = columns.only(counts), question_of[counts]
    frame = pd.DataFrame(
        {
            "question": about["question"].take(question_of).array,
            "forecaster": pd.array(columns.forecaster, dtype="str"),
            "forecast": columns.answers if columns.answers else pd.Series([], dtype=object),
            "issued_at": pd.DatetimeIndex(columns.issued_at).tz_localize("UTC"),
        }
    )
    # A second forecast of the same instant corrects the first: the later entry counts.
    twice = frame.duplicated(["question", "forecaster", "issued_at"], keep="last").to_numpy()
    if twice.any():
        frame, question_of, columns = (
            frame[~twice].reset_index(drop=True),
            question_of[~twice],
            columns.only(~twice),
        )
    every_withdrawal = undone(ledger, head=head).withdrawals if withdrawals is None else withdrawals
    frame["withdrawn_at"] = _withdrawal_times(
        columns, [one for one in every_withdrawal if as_of is None or one.withdrawn_at <= as_of]
    )
    for name in OF_QUESTION:
        frame[name] = about[name].take(question_of).array
    frame["too_soon"] = about["too_soon"].to_numpy(dtype=bool)[question_of]
    return frame


def _about(names: Sequence[str], catalog: Catalog, as_of: dt.datetime | None) -> "pd.DataFrame":
    """Give what every row of a question says of it, and whether it counts."""
    import pandas as pd

    rows = []
    for name in names:
        question, standing = catalog.questions[name], catalog.outcomes.get(name)
        space = question.space
        counts = standing is not None and standing.outcome != ANNULLED
        # Whole numbers, as labels are: what is not known yet must not change the column's type.
        known, side = question.closes, 0
        outcome: float = 0
        if standing is not None and counts:
            known = standing.resolved_at
            counts = as_of is None or known <= as_of
            if counts:
                outcome = space.label(standing.outcome)
            if space.type == "numeric":
                side = {"<": -1, ">": 1}.get(standing.outcome[:1], 0)
        # A score of dates is a number of days.
        unit = "days" if space.unit == DAYS else space.unit
        rows.append(
            (
                name, question.opens, question.closes,
                known if known < question.closes else None,
                outcome, space.lower, space.upper, space.type, question.event, question.topic,
                question.tags, known, space.zero_point,
                space.open_bounds, side, unit, counts, min(known, question.closes),
                known - question.opens <= TOO_SOON,
            )
        )  # fmt: skip
    frame = pd.DataFrame(rows, columns=["question", *OF_QUESTION, "counts", "ends", "too_soon"])
    for column in ("opens", "closes", "closed_at", "resolved_at", "ends"):
        frame[column] = pd.to_datetime(frame[column], utc=True).dt.as_unit("us")
    frame["ends"] = frame["ends"].dt.tz_localize(None)
    return frame


def _withdrawal_times(
    forecasts: ForecastColumns, withdrawals: Sequence[Withdrawal]
) -> "pd.Series[Any]":
    """Give for each forecast when it was first taken back; missing where it never was."""
    import numpy as np
    import pandas as pd

    withdrawn: dict[tuple[str, str], list[Withdrawal]] = {}
    for withdrawal in withdrawals:
        withdrawn.setdefault((withdrawal.question, withdrawal.forecaster), []).append(withdrawal)
    times = np.full(len(forecasts), np.datetime64("NaT", "us"))
    for row, about in enumerate(
        zip(forecasts.question, forecasts.forecaster, strict=True) if withdrawn else ()
    ):
        # A withdrawal is of what was logged, not of what a replay computes in the same name.
        if about not in withdrawn or forecasts.kind[row] == "replay":
            continue
        live = forecasts.kind[row] == "live"
        moments = [
            np.datetime64(
                plain_utc(counts_from(withdrawal) if live else withdrawal.withdrawn_at), "us"
            )
            for withdrawal in withdrawn[about]
        ]
        later = [moment for moment in moments if moment >= forecasts.issued_at[row]]
        if later:
            times[row] = min(later)
    return pd.Series(pd.DatetimeIndex(times).tz_localize("UTC"))
