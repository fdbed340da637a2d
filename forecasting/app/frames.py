"""From the ledger to the tidy frame that scores and calibration read: one row a forecast."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecasting.app.catalog import Catalog
from forecasting.bank.check import TOO_SOON
from forecasting.domain.forecast import KINDS, Forecast
from forecasting.domain.question import ANNULLED, Question
from forecasting.errors import InvalidInput, NotFound
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "question",
    "forecaster",
    "forecast",
    "issued_at",
    "withdrawn_at",
    "opens",
    "closes",
    "closed_at",
    "outcome",
    "lower",
    "upper",
    "type",
    "event",
    "topic",
    "tags",
    "resolved_at",
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which forecasts a table is about.

    Attributes
    ----------
    kind
        One of live, replay, elicited, imported: they never mix.
    run
        A replay run; empty for the latest complete one.
    as_of
        Only outcomes known and forecasts issued by then. Of the live kind, only what the ledger
        had recorded by then too: the table as it could have been printed at that moment. The
        other kinds are recorded after the fact, so for them what was known decides.
    """

    kind: str = "live"
    run: str = ""
    forecaster: str = ""
    question: str = ""
    tag: str = ""
    as_of: dt.datetime | None = None


def latest_run(ledger: Ledger) -> str:
    """Give the id of the replay run that finished last; empty where none has."""
    finished = [mark.run for mark in ledger.replay_runs() if mark.event == "finished"]
    return finished[-1] if finished else ""


def head_at(ledger: Ledger, moment: dt.datetime) -> int:
    """Give the number of the last forecast, withdrawal or outcome recorded by a moment."""
    found = 0
    for entries in (ledger.forecasts(), ledger.withdrawals(), ledger.resolutions()):
        for entry in entries:
            if entry.seq and entry.recorded_at is not None and entry.recorded_at <= moment:
                found = max(found, entry.seq)
    return found


def resolved(ledger: Ledger, wanted: Selection) -> "pd.DataFrame":
    """Give the scoring frame of a selection, with only what it may know."""
    head = None if wanted.as_of is None or wanted.kind != "live" else head_at(ledger, wanted.as_of)
    if wanted.question:
        # The name is looked up among all questions, also those published later.
        Catalog.of(ledger).find(wanted.question)
    catalog = Catalog.of(ledger, head=head)
    chosen = select(ledger, catalog, wanted, head=head)
    return scoring_frame(ledger, catalog, chosen, as_of=wanted.as_of, head=head)


def kinds_present(ledger: Ledger) -> list[str]:
    """Give the kinds of forecast that the ledger holds, in their usual order."""
    present = {forecast.kind for forecast in ledger.forecasts()}
    return [kind for kind in KINDS if kind in present]


def select(
    ledger: Ledger, catalog: Catalog, wanted: Selection, *, head: int | None = None
) -> list[Forecast]:
    """Give the forecasts of a selection, oldest first; with `head`, only up to that entry."""
    if wanted.kind not in KINDS:
        msg = f"kind ({wanted.kind}): must be one of {', '.join(KINDS)} or all"
        raise InvalidInput(msg)
    run = None
    if wanted.kind == "replay":
        run = wanted.run or latest_run(ledger)
        known = {mark.run for mark in ledger.replay_runs()}
        if wanted.run and wanted.run not in known:
            msg = f"replay run ({wanted.run}): there is none"
            raise NotFound(msg, hint=", ".join(sorted(known)) or "forecast replay")
        if not run:
            return []
    found = ledger.forecasts(
        kind=wanted.kind, forecaster=wanted.forecaster or None, run=run, head=head
    )
    names = _named(catalog, wanted.question) if wanted.question else None
    return [
        forecast
        for forecast in found
        if (names is None or forecast.question in names)
        and (wanted.as_of is None or forecast.issued_at <= wanted.as_of)
        and (not wanted.tag or _tagged(catalog.questions[forecast.question], wanted.tag))
    ]


def _named(catalog: Catalog, name: str) -> set[str]:
    return {q.id for q in catalog.questions.values() if name in (q.id, q.ladder)}


def _tagged(question: Question, tag: str) -> bool:
    return tag in question.tags or tag in {question.topic, question.event}


def scoring_frame(
    ledger: Ledger,
    catalog: Catalog,
    forecasts: Iterable[Forecast],
    *,
    as_of: dt.datetime | None = None,
    head: int | None = None,
) -> "pd.DataFrame":
    """Give the frame of the resolved questions among some forecasts; annulled ones are left out.

    ``too_soon`` marks the questions that resolved within two days of their first forecast: they
    are shown and left out of means.
    """
    import pandas as pd

    withdrawals: dict[tuple[str, str], list[dt.datetime]] = {}
    for taken in ledger.withdrawals(head=head):
        if as_of is not None and taken.withdrawn_at > as_of:
            continue
        withdrawals.setdefault((taken.question, taken.forecaster), []).append(taken.withdrawn_at)
    rows: list[tuple[Any, ...]] = []
    first: dict[str, dt.datetime] = {}
    for forecast in forecasts:
        question = catalog.questions[forecast.question]
        standing = catalog.outcomes.get(question.id)
        if standing is None or standing.outcome == ANNULLED:
            continue
        if as_of is not None and standing.resolved_at > as_of:
            continue
        begun = max(forecast.issued_at, question.opens)
        first[question.id] = min(begun, first.get(question.id, begun))
        taken_back = [
            moment
            for moment in withdrawals.get((question.id, forecast.forecaster), ())
            # Who withdraws speaks of what they logged, not of what a replay says they would have.
            if moment >= forecast.issued_at and forecast.kind != "replay"
        ]
        rows.append(
            (
                question.id,
                forecast.forecaster,
                _shape(forecast),
                forecast.issued_at,
                min(taken_back, default=None),
                question.opens,
                question.closes,
                standing.resolved_at if standing.resolved_at < question.closes else None,
                question.space.label(standing.outcome),
                question.space.lower,
                question.space.upper,
                question.type,
                question.event,
                question.topic,
                question.tags,
                standing.resolved_at,
            )
        )
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    soon = [
        known - first[question] <= TOO_SOON
        for question, known in zip(frame["question"], frame["resolved_at"], strict=True)
    ]
    frame["too_soon"] = pd.Series(soon, index=frame.index, dtype=bool)
    for column in ("issued_at", "withdrawn_at", "opens", "closes", "closed_at", "resolved_at"):
        frame[column] = pd.to_datetime(frame[column], utc=True)
    return frame


def _shape(forecast: Forecast) -> float | list[float] | dict[float, float]:
    value = forecast.value
    if value.shape == "binary":
        return value.numbers[0]
    if value.shape == "options":
        return list(value.numbers)
    return {
        float(level) / 100: number
        for level, number in zip(value.labels, value.numbers, strict=True)
    }


def same_window(frame: "pd.DataFrame", forecasters: Sequence[str]) -> "pd.DataFrame":
    """Cut a frame to the questions that some forecasters share, from when all of them had spoken.

    A forecast made before that moment counts from it, so that a late comer is compared over the
    same time, and the rest of the window is filled alike for all.
    """
    import pandas as pd

    mine = frame[frame["forecaster"].isin(forecasters)]
    begun = mine["issued_at"].where(mine["issued_at"] >= mine["opens"], mine["opens"])
    first = begun.groupby([mine["question"], mine["forecaster"]]).min().unstack()
    shared = first.dropna() if set(forecasters) <= set(first.columns) else first.iloc[:0]
    start = shared.max(axis=1)
    kept = mine[mine["question"].isin(start.index)].copy()
    if kept.empty:
        return kept
    kept["start"] = pd.to_datetime(kept["question"].map(start), utc=True)
    early = kept["issued_at"] < kept["start"]
    # Of those before the start only the last stands at it.
    last = ~kept[early].duplicated(["question", "forecaster"], keep="last")
    kept = kept[~early | last.reindex(kept.index, fill_value=False)]
    kept["issued_at"] = kept["issued_at"].where(kept["issued_at"] >= kept["start"], kept["start"])
    gone = kept["withdrawn_at"].notna() & (kept["withdrawn_at"] < kept["issued_at"])
    return kept[~gone].drop(columns="start")
