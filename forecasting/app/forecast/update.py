"""Update: bring the model up to the evidence and the clock, and log what changed.

Up to its watch a process is known to be quiet; beyond it nobody looked. A number that rests on a
process not watched for a week is shown in both readings and logged in neither, unless asked.
"""

import datetime as dt
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from forecasting.app.forecast.predict import OWN, Earlier, ForecasterAnswer, Predictor, drafts
from forecasting.app.forecast.worldviews import spoken_live
from forecasting.app.ledger.log import check_moment, kind_of
from forecasting.app.upkeep.banks import changed_since
from forecasting.bank.usable import told_of_files
from forecasting.domain.catalog import KINDS, Catalog, latest
from forecasting.domain.evidence import retractions
from forecasting.domain.forecast import Forecast
from forecasting.domain.forecasters import MODEL
from forecasting.domain.instants import day_of
from forecasting.domain.process import is_over
from forecasting.domain.question import Question, effect_scale, normalised
from forecasting.domain.watch import Watch
from forecasting.evidence.history import Record
from forecasting.evidence.relevant import asked, groups
from forecasting.evidence.steps import TIME
from forecasting.models.world.reading import Answer
from forecasting.store import Ledger

#: A watch that ended longer ago than this does not count.
FRESH = dt.timedelta(days=7)
#: The note beside a number that rests on a process nobody has watched.
BOTH_SHOWN = "both numbers are shown (nothing happened since / unknown since)"
#: A number that moved by no more than this many Monte Carlo errors did not move.
ERRORS = 2.0
#: Questions that a note names before it counts the rest.
SHOWN = 3
#: The columns of the table, also of one without rows.
UPDATE_COLUMNS = (
    *("question", "model", "before", "after", "lower", "upper", "intervals", "mcse", "method"),
    *("k_hat", "gate", "fit", "moved", "logged", "linked", "reason", "closes", "seconds"),
    *("watched_until", "quiet", "status"),
)


def update(
    ledger: Ledger,
    names: Sequence[str],
    *,
    now: dt.datetime,
    as_of: dt.datetime | None = None,
    dry_run: bool = False,
    seed: int = 0,
    accept_because: str = "",
    watched: bool = False,
    unwatched: bool = False,
    everything: bool = False,
    watcher: str = "",
) -> tuple[list[dict[str, Any]], list[str]]:
    """Forecast the named questions (or every open one) from what is known and recorded by now."""
    moment = as_of or now
    check_moment(moment, now)
    kind = kind_of(moment, now)
    catalog = Catalog.of(ledger, recorded_by=moment)
    questions, due = _open_and_due(catalog, names, moment)
    spoken, because = spoken_live(ledger), normalised(accept_because)
    predictor = Predictor.of(
        ledger, catalog, moment, now, seed=seed, accept_because=because, spoken=spoken
    )
    bank = predictor.bank
    able = [question for question in questions if question.id in predictor.asks]
    silent = predictor.silent
    warnings = _silent({q.id: silent[q.id] for q in questions if q.id in silent})
    rests = {q.id: predictor.model.rests(q) for q in able}
    processes = sorted(frozenset().union(*rests.values()))
    new_watches: list[Watch] = []
    if watched:
        ends = predictor.watched(moment)
        new_watches = [
            Watch(name, moment, watcher=watcher)
            for name in processes
            if ends.get(name) is None or ends[name] < moment
        ]
        predictor.watches = (*predictor.watches, *new_watches)
    ends = predictor.model.watched_until(processes, predictor.at(moment))
    unlooked = _unlooked(predictor, processes, moment)
    stale = {q.id: {name: unlooked[name] for name in rests[q.id] if name in unlooked} for q in able}
    unseen_of = {name: _unseen(since, bank.zone) for name, since in stale.items()}
    before = standing(ledger, moment)
    earlier = {
        name: Earlier(f.issued_at, f.value.numbers, f.seq if kind == "live" else None)
        for name, f in before.items()
    }
    began = time.perf_counter()
    answers = predictor.say(able, moment, earlier)
    # As if somebody had watched every process up to now, and nothing happened.
    all_watched = {name: moment for name in bank.world.processes}
    waiting = [q for q in able if stale[q.id]]
    quiet = {
        name: answer.plain(catalog.questions[name])
        for name, answer in predictor.one(OWN[0], waiting, moment, watched=all_watched).items()
    }
    seconds = (time.perf_counter() - began) / max(len(able), 1)
    model_answers = {item.question.id: item for item in answers if item.forecaster == MODEL}
    warnings += [
        f"{q.id}: {why}" for q in able if (why := predictor.model.faults.get((q.id, moment)))
    ]
    warnings += [
        f"{name}: what is said of {_day(record, step.at)} ({step.said}) counts for nothing, "
        f"for it was {record.state} on {_day(record, record.entered)}: "
        f"forecast news retract {step.key}"
        for name, record in predictor.model.records(predictor.at(moment)).items()
        for step in record.late
    ]
    warnings += told_of_files(bank)
    if changed_since(ledger, bank):
        warnings.append("the bank's files changed since they were loaded: forecast init loads them")
    own = frozenset(
        name for name, item in model_answers.items() if _has_moved(item, before.get(name))
    )
    changed = _changed_questions(predictor, able, own)
    if unseen := sorted({name for q in able for name in stale[q.id]}):
        since = str(day_of(min(ends[name] for name in unseen), bank.zone))
        more = f" and {len(unseen) - 3} more" if len(unseen) > 4 else ""
        which = ", ".join(unseen[:3] if more else unseen) + more
        since = f"since {since}" if len(unseen) == 1 else f"for a week, one not since {since}"
        warnings.append(
            f"nobody has watched {which} {since} (forecast watch lists them): "
            f"{BOTH_SHOWN}" + ("" if unwatched else ", neither is logged")
        )
    retracted = {item.key for item in retractions(predictor.evidence).values()}
    titles = {item.key: item.title for item in predictor.evidence}
    rows, logged = [], set()
    for q in able:
        if (item := model_answers.get(q.id)) is None:
            continue
        last, linked = before.get(q.id), q.id in changed - own
        wanted = everything or q.id in changed
        if item.value is not None and wanted and (unwatched or not stale[q.id]):
            logged.add(q.id)
        row = _row(q, last, item, titles) | {
            "logged": q.id in logged and not dry_run,
            "linked": q.id in logged and linked,
            "reason": _reason(item, last, linked, everything, unseen_of[q.id], retracted),
            "seconds": seconds,
            "watched_until": min((ends[name] for name in rests[q.id]), default=None),
            "quiet": quiet.get(q.id),
        }
        rows.append(row)
    rows += [_row(q, before.get(q.id)) | {"status": catalog.status(q, moment)} for q in due]
    if not dry_run:
        to_log = [item for item in answers if item.question.id in logged]
        # A forecast names its run by its place in the batch, so the watches come last.
        entries = [*drafts(to_log, moment, kind=kind), *new_watches]
        if entries:
            ledger.append(entries, recorded_at=now)
    return rows, warnings


def unwatched(
    ledger: Ledger, names: Sequence[str], *, now: dt.datetime, as_of: dt.datetime | None = None
) -> dict[str, dt.datetime]:
    """Give the processes that nobody has watched for a week, and until when each was watched."""
    moment = as_of or now
    check_moment(moment, now)
    catalog = Catalog.of(ledger, recorded_by=moment)
    questions, _ = _open_and_due(catalog, names, moment)
    predictor = Predictor.of(ledger, catalog, moment, now, seed=0)
    resting = [predictor.model.rests(q) for q in questions if q.id in predictor.asks]
    processes = sorted(frozenset().union(*resting))
    return _unlooked(predictor, processes, moment)


def _unlooked(
    predictor: Predictor, names: Iterable[str], moment: dt.datetime
) -> dict[str, dt.datetime]:
    """Give the processes that nobody has watched for a week; one that is over need not be."""
    world, record_of = predictor.bank.world, predictor.model.records(predictor.at(moment))
    return {
        name: record_of[name].free
        for name in names
        if moment - record_of[name].free > FRESH
        and not is_over(world.processes[name], record_of[name].state)
    }


def _unseen(ends: Mapping[str, dt.datetime], zone: str) -> str:
    """Say which process has been unwatched the longest, and since when; empty for none."""
    if not ends:
        return ""
    first = min(ends, key=lambda name: (ends[name], name))
    return f"{first} not watched since {day_of(ends[first], zone)}"


def _day(record: Record, moment: dt.datetime) -> dt.date:
    return day_of(moment, record.process.zone)


def _changed_questions(
    predictor: Predictor, questions: Sequence[Question], own: frozenset[str]
) -> set[str]:
    """Give the questions of each group in which the number of at least one (`own`) changed."""
    group = groups(predictor.bank.world, {q.id: asked(predictor.asks[q.id]) for q in questions})
    moved = {group.get(name, name) for name in own}
    return {q.id for q in questions if group.get(q.id, q.id) in moved}


def _has_moved(item: ForecasterAnswer, before: Forecast | None) -> bool:
    """Say whether a number is new, has new evidence, or moved by more than its error."""
    if before is None or item.moved or item.value is None:
        return True
    if item.answer is None or item.value.labels != before.value.labels:
        return True
    return item.answer.moved_from(before.value.numbers, errors=ERRORS)


def _reason(
    item: ForecasterAnswer,
    before: Forecast | None,
    linked: bool,
    everything: bool,
    unseen: str,
    retracted: Collection[str],
) -> str:
    """Say why a number is to be logged or not; `retracted`: the keys of what takes items back."""
    if item.value is None:
        return "no number"
    if unseen:
        return unseen
    if before is None:
        return "its first number"
    if item.moved:
        taken_back = all(cause in retracted or cause == TIME for cause, _ in item.moved)
        return "evidence was taken back" if taken_back else "new evidence"
    if _has_moved(item, before):
        return "moved by more than its error"
    if linked:
        return "one linked to it changed"
    return "all are logged" if everything else "unchanged within its error"


def _silent(reasons: Mapping[str, str]) -> list[str]:
    """Say which questions no model answers, and why: one line a reason, however many there are."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        by_reason.setdefault(reason, []).append(name)
    lines = []
    for reason, names in by_reason.items():
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        why = f" {reason}"
        if len(names) > 1:
            why = f": {reason}".replace(": has ", " have ").replace(
                "speaks of it", "speaks of them"
            )
        lines.append(f"{', '.join(names[:SHOWN])}{more}{why}")
    return lines


def _open_and_due(
    catalog: Catalog, names: Sequence[str], moment: dt.datetime
) -> tuple[list[Question], list[Question]]:
    """Give the open questions asked for, and those that are due."""

    def due(questions: Iterable[Question]) -> list[Question]:
        return [q for q in questions if catalog.status(q, moment) in {"due", "closed"}]

    if not names:
        late = sorted(due(catalog.questions.values()), key=lambda q: (q.closes, q.id))
        return list(catalog.open_at(moment)), late
    chosen: dict[str, Question] = {}
    waiting: dict[str, Question] = {}
    for name in names:
        matches = catalog.find(name)
        open_ones = catalog.open_at(moment, matches)
        late = due(matches)
        if not open_ones and not late:
            raise catalog.not_open(name, moment, hint="forecast questions list --status open")
        chosen.update({question.id: question for question in open_ones})
        waiting.update({question.id: question for question in late})
    return list(chosen.values()), list(waiting.values())


def standing(ledger: Ledger, moment: dt.datetime) -> dict[str, Forecast]:
    """Give the model's forecast in force on each question at a moment."""
    forecasts = (f for kind in KINDS for f in ledger.forecasts(forecaster=MODEL, kind=kind))
    return {question: last for (question, _), last in latest(forecasts, at=moment).items()}


def _intervals(question: Question, answer: Answer | None) -> dict[str, Sequence[float]] | None:
    """Give the 90 % interval of each option; None where there are no options or no number."""
    if answer is None or not answer.intervals:
        return None
    return dict(zip(question.space.options, answer.intervals, strict=True))


def _row(
    question: Question,
    before: Forecast | None,
    item: ForecasterAnswer | None = None,
    titles: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Show a question's answer beside the one before; one that is due has no answer any more."""
    answer, spread = item and item.answer, item and item.spread
    after, moved = item and item.value, item.moved if item else ()
    return {
        "question": question.id,
        "model": "world",
        "before": before and before.value.plain,
        "after": after and after.plain,
        "lower": spread and spread.p05,
        "upper": spread and spread.p95,
        "intervals": _intervals(question, item.answer if item else None),
        "mcse": spread and spread.mcse,
        "method": answer and answer.method,
        "k_hat": None,
        "gate": answer and answer.gate,
        "fit": answer and answer.fit,
        "moved": [
            {
                "cause": cause,
                "title": titles.get(cause, cause),
                "change": change[0] if len(change) == 1 else list(change),
                "scale": effect_scale(question),
            }
            for cause, change in moved
        ],
        "logged": False,
        "linked": False,
        "reason": "",
        "closes": question.closes,
        "seconds": 0.0,
        "watched_until": None,
        "quiet": None,
        "status": "open",
    }
