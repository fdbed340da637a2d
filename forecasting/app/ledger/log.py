"""Log or withdraw a forecast in one transaction, in whose name, and read back what stands."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from shlex import quote
from typing import Any

from forecasting.app.ledger import seal
from forecasting.domain import Evidence, Redaction, Resolution, reading
from forecasting.domain.catalog import Catalog
from forecasting.domain.forecast import (
    LIVE_WITHIN,
    Forecast,
    Kind,
    Value,
    binary_value,
    check_ladder,
    kind_named,
    options_value,
    quantiles_value,
)
from forecasting.domain.forecasters import MODEL, OURS, one_letter, plain_name
from forecasting.domain.instants import iso
from forecasting.domain.ladder import falls
from forecasting.domain.outcome import OutcomeSpace
from forecasting.domain.provenance import ModelRun
from forecasting.domain.question import Question
from forecasting.domain.resolution import Withdrawal
from forecasting.domain.sealed import Sealed, placed
from forecasting.domain.setup import Setup
from forecasting.domain.watch import Watch
from forecasting.errors import InvalidInput, NotFound, Repeated
from forecasting.store import Ledger, Step
from forecasting.store.entries import Stored
from forecasting.store.undone import undone

#: Of more new names than these, only those that differ in case, marks or spaces are looked for.
MOST_LETTER_BY_LETTER = 50
#: The columns of the table, also of one without rows.
FORECAST_COLUMNS = (
    *("seq", "question", "forecaster", "kind", "mark", "forecast", "issued_at", "recorded_at"),
    *("because", "run", "claim"),
)
HISTORY_COLUMNS = (
    *("seq", "question", "forecaster", "kind", "forecast", "issued_at", "recorded_at", "mark"),
    *("from", "until", "lower", "upper", "method", "run", "sealed", "because"),
)


def kind_of(issued_at: dt.datetime, recorded_at: dt.datetime) -> Kind:
    """Say whether a forecast was recorded when made (live) or later (backdated)."""
    return "live" if recorded_at - issued_at <= LIVE_WITHIN else "backdated"


def check_moment(issued_at: dt.datetime, now: dt.datetime) -> None:
    """Refuse a moment in the future."""
    if issued_at > now:
        msg = f"time ({iso(issued_at)}): lies in the future (now {iso(now)})"
        raise InvalidInput(msg, hint="leave out at=TIME")


def log(
    ledger: Ledger,
    name: str,
    *,
    forecaster: str,
    now: dt.datetime,
    probability: str | Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    quantiles: Mapping[str, str] | None = None,
    ladder: Mapping[str, str] | None = None,
    at: dt.datetime | None = None,
    because: str = "",
    sealed: bool = False,
    since: dt.datetime | None = None,
    tell: Callable[[str], None] | None = None,
) -> list[dict[str, Any]]:
    """Record one forecast, or one for each rung given of a ladder; a row an entry."""
    forms = [part for part in (probability, options, quantiles, ladder) if part]
    if len(forms) != 1:
        msg = (
            "forecast: give one of a probability, one for each option, quantiles, rungs of a ladder"
        )
        form = form_of(Catalog.about(ledger, name).find(name))
        raise InvalidInput(msg, hint=" ".join(["forecast log", name, *form]))
    if sealed and at is not None:
        msg = f"time ({iso(at)}): a sealed forecast is always made now"
        raise InvalidInput(msg, hint="leave out at=TIME")
    kind: Kind = "live"
    if at is not None:
        check_moment(at, now)
        kind = kind_of(at, now)
    issued_at = at or now
    catalog = Catalog.about(ledger, name)
    if isinstance(probability, Mapping) and catalog.find(name)[0].ladder == name.strip().casefold():
        probability, ladder = None, probability
    if ladder:
        values = rungs(catalog, name, ladder, now)
    else:
        if len(questions := catalog.find(name)) > 1 and isinstance(probability, str):
            msg = f"probability ({probability}): a ladder takes one for each of its days"
            live = [one for one in questions if catalog.status(one, now) == "open"] or questions
            days = [f"--p {one.day}={quote(probability)}" for one in live]
            raise InvalidInput(msg, hint=f"forecast log {name} {' '.join(days)}")
        question = catalog.one(name)
        if isinstance(probability, Mapping):
            numeric = question.type == "numeric"
            options, quantiles = (None, probability) if numeric else (probability, None)
            probability = None
        values = [(question, value_of(question, probability, options or {}, quantiles or {}))]
    drafts = []
    for question, value in values:
        catalog.check_open(question, issued_at)
        wording = question.wording_hash
        drafts.append(Forecast(question.id, wording, forecaster, value, issued_at, kind, because))
    if since is not None and (seq := _repeated_entry(ledger, drafts, since)):
        raise Repeated(seq)
    steps = _check_rungs(ledger, catalog, drafts)
    if tell is not None and forecaster not in {step.forecaster for step in steps}:
        for note in beside(ledger, [forecaster]):
            tell(note)
    if sealed:
        return seal.record(ledger, drafts, now=now)
    recorded = ledger.append(drafts, recorded_at=now)
    last = {(step.question, step.forecaster): step.value for step in steps if step.at <= issued_at}
    return [
        {
            "seq": entry.seq,
            "id": entry.id,
            "question": draft.question,
            "forecaster": draft.forecaster,
            "forecast": draft.value.plain_of(question.space),
            "before": (mine := last.get((question.id, forecaster)))
            and mine.plain_of(question.space),
            "model": (other := last.get((question.id, MODEL))) and other.plain_of(question.space),
            "issued_at": draft.issued_at,
            "recorded_at": entry.recorded_at,
            "kind": draft.kind,
            "mark": catalog.mark(replace(draft, recorded_at=entry.recorded_at)),
            "hash": entry.hash,
        }
        for (question, _), draft, entry in zip(values, drafts, recorded, strict=True)
    ]


def beside(ledger: Ledger, names: Iterable[str], *, of_file: bool = False) -> list[str]:
    """Say of each name that is new to a ledger which name there, or of these, is much like it."""
    new = [name for name in sorted(set(names)) if not OURS.fullmatch(name)]
    if not new or (len(new) == 1 and ledger.spoke(new[0])):
        return []
    on_record = {name for name in ledger.forecasters() if not OURS.fullmatch(name)}
    new = [name for name in new if name not in on_record]
    folds: dict[str, list[str]] = defaultdict(list)
    for name in (*sorted(on_record), *new):
        folds[plain_name(name)].append(name)
    notes = []
    for name in new:
        like = [other for other in folds[plain_name(name)] if other != name and other in on_record]
        like = like or [other for other in folds[plain_name(name)] if other < name]
        if not like and len(new) <= MOST_LETTER_BY_LETTER:
            like = [
                other
                for other in sorted(on_record)
                if one_letter(plain_name(name), plain_name(other))
            ]
        if like:
            back = f"`forecast withdraw` with forecaster={name}, then say it with "
            way = (
                "import undo it and correct the file" if of_file else f"{back}forecaster={like[0]}"
            )
            notes.append(
                f"{name} is a new forecaster beside {' and '.join(like[:2])}; if that is one "
                f"person: {way}"
            )
    return notes


def value_of(
    question: Question,
    probability: str | None,
    options: Mapping[str, str],
    quantiles: Mapping[str, str],
) -> Value:
    """Read what is forecast, as the question's type wants it."""
    space = question.space
    if space.type == "binary" and probability is not None:
        return binary_value(probability)
    if space.type in {"categorical", "ordered"} and options:
        return options_value(space, options)
    if space.type == "numeric" and quantiles:
        return quantiles_value(space, quantiles)
    hint = " ".join(["forecast log", question.id, *form_of([question])])
    msg = f"question ({question.id}): is {question.type} and takes another form of forecast"
    raise InvalidInput(msg, hint=hint)


def form_of(questions: Sequence[Question]) -> list[str]:
    """Give the words that a forecast of a question, or of the rungs of a ladder, is made of."""
    first = questions[0]
    if len(questions) > 1:
        return [f"--p {rung.id.partition('@')[2]}=.." for rung in questions]
    if first.type == "binary":
        return ["0.35"]
    if first.type == "numeric":
        return [f"--p {level}=.." for level in (5, 50, 95)]
    return [f"--p {name}=.." for name in first.space.options]


def rungs(
    catalog: Catalog, name: str, ladder: Mapping[str, str], now: dt.datetime
) -> list[tuple[Question, Value]]:
    """Read the probabilities of a ladder's rungs by their days; they must not fall."""
    by_day = {rung.day: rung for rung in catalog.ladder(name)}
    if not by_day:
        catalog.find(name)
        msg = f"{name} is a single question, not a ladder"
        raise InvalidInput(msg, hint=f"forecast log {name} 0.35")
    values: dict[str, Value] = {}
    for day_text, text in ladder.items():
        there, manner = next(iter(by_day.values())).zone, reading.Manner(now=now)
        day = reading.day(day_text, name="rung", zone=there, manner=manner).isoformat()
        if day not in by_day:
            raise NotFound(f"no rung named {name}@{day}", hint=", ".join(by_day))
        if day in values:
            raise InvalidInput(f"rung ({name}@{day}): is given twice")
        values[day] = binary_value(text)
    check_ladder([(dt.date.fromisoformat(day), value) for day, value in values.items()])
    return [(by_day[day], values[day]) for day in sorted(values)]


def _repeated_entry(ledger: Ledger, drafts: Sequence[Forecast], since: dt.datetime) -> int | None:
    """Give the last entry that says all of this, if all of it stands and was said since then."""
    repeats = []
    for draft in drafts:
        steps = standing(ledger, ledger.steps({draft.question}, {draft.forecaster}))
        last = next((step.seq for step in reversed(steps) if step.at <= draft.issued_at), None)
        mine = ledger.forecasts(question=draft.question, forecaster=draft.forecaster)
        repeats += [
            one.seq
            for one in mine
            if (one.seq, one.because) == (last, draft.because)
            and (one.value.labels, one.value.entered) == (draft.value.labels, draft.value.entered)
            and one.issued_at >= since
        ]
    return max((seq or 0 for seq in repeats), default=None) if len(repeats) == len(drafts) else None


def _check_rungs(ledger: Ledger, catalog: Catalog, drafts: Sequence[Forecast]) -> Sequence[Step]:
    """Refuse a ladder that falls at some moment; give what its forecaster and the model said."""
    who, first = drafts[0].forecaster, catalog.questions[drafts[0].question]
    rungs = catalog.ladder(first.ladder) if first.ladder else (first,)
    earlier = standing(ledger, ledger.steps({rung.id for rung in rungs}, {who, MODEL}))
    if len(rungs) < 2:
        return earlier
    steps: dict[str, list[tuple[dt.datetime, Decimal | None]]] = {
        rung.id: [(catalog.ends(rung), None)] for rung in rungs
    }
    for one in earlier:
        if one.forecaster == who:
            p = Decimal(one.value.entered[0]) if one.value else None
            steps[one.question].append((one.at, p))
    for draft in drafts:
        steps[draft.question].append((draft.issued_at, Decimal(draft.value.entered[0])))
    if len([rung for rung, each in steps.items() if len(each) > 1]) < 2:
        return earlier  # One rung alone cannot fall.
    new = {draft.question for draft in drafts}
    for fall in falls(steps):
        if fall.at >= drafts[0].issued_at and {fall.early, fall.late} & new:
            raise fall.refused()
    return earlier


def standing(ledger: Ledger, steps: Sequence[Step]) -> Sequence[Step]:
    """Give the steps without those that an import brought and its undoing took back."""
    if not {"", "imported"} <= {step.kind for step in steps}:
        return steps
    undo = undone(ledger)
    ends = {one.seq for one in undo.withdrawals}
    return [
        step
        for step in steps
        if (step.seq in ends if not step.kind else step.seq not in undo.forecasts)
    ]


def withdraw(
    ledger: Ledger, name: str, *, forecaster: str, now: dt.datetime, at: dt.datetime | None = None
) -> list[dict[str, Any]]:
    """Take a forecaster's standing forecasts of a question (or of a ladder's rungs) back."""
    moment = at or now
    check_moment(moment, now)
    questions = [
        question
        for question in Catalog.about(ledger, name).find(name)
        if _is_in_force(ledger, question, forecaster, moment)
    ]
    if not questions:
        msg = f"{forecaster} has no forecast on {name} to withdraw"
        raise NotFound(msg, hint=f"forecast history {name}")
    drafts = [Withdrawal(question.id, forecaster, moment) for question in questions]
    recorded = ledger.append(drafts, recorded_at=now)
    return [
        {
            "seq": e.seq,
            "id": e.id,
            "question": d.question,
            "forecaster": forecaster,
            "withdrawn_at": moment,
        }
        for d, e in zip(drafts, recorded, strict=True)
    ]


def _is_in_force(ledger: Ledger, question: Question, forecaster: str, moment: dt.datetime) -> bool:
    """Whether a forecast, or a seal, of a forecaster stands at a moment, not yet withdrawn."""
    steps = standing(ledger, ledger.steps({question.id}, {forecaster}))
    times = [step.at for step in steps if step.kind]
    times += [
        sealed.issued_at
        for sealed in ledger.seals(question=question.id)
        if sealed.forecaster == forecaster
    ]
    last = max((at for at in times if at <= moment), default=None)
    back = max((step.at for step in steps if not step.kind and step.at <= moment), default=None)
    return last is not None and (back is None or back < last)


def forecasts(
    ledger: Ledger, *, kind: str | None = None, forecaster: str | None = None
) -> list[dict[str, Any]]:
    """Give a row for every forecast but those of undone imports."""
    catalog = Catalog.of(ledger)
    return [
        {
            "seq": f.seq,
            "question": f.question,
            "forecaster": f.forecaster,
            "kind": f.kind,
            "mark": catalog.mark(f),
            "forecast": f.value.plain_of(catalog.questions[f.question].space),
            "issued_at": f.issued_at,
            "recorded_at": f.recorded_at,
            "because": f.because,
            "run": f.run,
            "claim": f.claim,
        }
        for f in undone(ledger).left(ledger.forecasts(forecaster=forecaster))
        if kind is None or f.kind == kind_named(kind)
    ]


def history(
    ledger: Ledger,
    name: str,
    *,
    forecaster: str = "",
    kind: str = "all",
    catalog: Catalog | None = None,
    said: Sequence[Forecast] | None = None,
) -> list[dict[str, Any]]:
    """Give one row per forecast or hidden seal, with the time it stood from and until."""
    catalog = catalog or Catalog.of(ledger)
    kind = kind_named(kind)
    rows: list[dict[str, Any]] = []
    undo, redacted = undone(ledger), seal.reasons(ledger)
    hidden = seal.hidden(ledger) if kind in ("live", "all") else []
    for question in catalog.find(name):
        entries = undo.left(
            ledger.forecasts(question=question.id, forecaster=forecaster or None)
            if said is None
            else said
        )
        of_kind = [f for f in entries if kind in (f.kind, "all")]
        groups: dict[tuple[str, str, str], list[Forecast | Sealed]] = {}
        for forecast in of_kind:
            key = (forecast.forecaster, forecast.kind, forecast.run)
            groups.setdefault(key, []).append(forecast)
        for sealed in hidden:
            if sealed.question == question.id and forecaster in (sealed.forecaster, ""):
                groups.setdefault((sealed.forecaster, "live", ""), []).append(sealed)
        for (who, _, _), mine in sorted(groups.items()):
            withdrawn = [
                w.withdrawn_at
                for w in undo.withdrawals
                if (w.question, w.forecaster) == (question.id, who)
            ]
            mine.sort(key=placed)
            rows.extend(_rows_in_force(catalog, question, mine, withdrawn))
    return [
        {**row, "because": redacted.get(row["seq"] or 0, row["because"])} if redacted else row
        for row in rows
    ]


def _rows_in_force(
    catalog: Catalog,
    question: Question,
    mine: Sequence[Forecast | Sealed],
    withdrawn: Sequence[dt.datetime],
) -> list[dict[str, Any]]:
    rows = []
    for position, forecast in enumerate(mine):
        ends = [catalog.ends(question), *(w for w in withdrawn if w >= forecast.issued_at)]
        if position + 1 < len(mine):
            ends.append(mine[position + 1].issued_at)
        opened = None if isinstance(forecast, Sealed) else forecast
        spread = None if opened is None else opened.spread
        rows.append(
            {
                "seq": forecast.seq,
                "question": question.id,
                "forecaster": forecast.forecaster,
                "kind": "sealed" if opened is None else opened.kind,
                "forecast": None if opened is None else opened.value.plain_of(question.space),
                "issued_at": forecast.issued_at,
                "recorded_at": forecast.recorded_at,
                "mark": "" if opened is None else catalog.mark(opened),
                "from": forecast.issued_at,
                "until": min(ends),
                "lower": None if spread is None else spread.p05,
                "upper": None if spread is None else spread.p95,
                "method": None if spread is None else spread.method,
                "run": "" if opened is None else opened.run,
                "sealed": forecast.seq if opened is None else opened.sealed,
                "because": "[sealed]" if opened is None else opened.because,
            }
        )
    return rows


NO_UNIT = OutcomeSpace.binary()


def entries(ledger: Ledger, *, before: int | None = None, most: int = 50) -> list[dict[str, Any]]:
    """Give the last entries, or the last before a number, newest first, each with a few words."""
    redacted = seal.reasons(ledger)
    shown = ledger.entries(before=before, most=most)
    about = {
        entry.value.question for entry in shown if isinstance(entry.value, Forecast | Resolution)
    }
    spaces = {one.id: one.space for one in ledger.questions(about=about)} if about else {}
    return [
        {
            "seq": entry.seq,
            "id": entry.id,
            "hash": entry.hash,
            "kind": entry.kind.replace("_", " "),
            "recorded_at": entry.recorded_at,
            **dict(zip(("who", "about", "said"), _entry(entry.value, spaces), strict=True)),
            "redacted": entry.seq in redacted,
        }
        for entry in shown
    ]


def _entry(value: Stored, spaces: Mapping[str, OutcomeSpace]) -> tuple[str, str, Any]:
    """Say whose entry it is, of which question, and what it says."""
    match value:
        case Forecast():
            kind = "" if value.kind == "live" else value.kind
            # A question that was dropped has none any more.
            space = spaces.get(value.question, NO_UNIT)
            return value.forecaster, value.question, (value.value.plain_of(space), kind)
        case Question():
            return "", value.id, value.title
        case Resolution():
            shown = spaces.get(value.question, NO_UNIT).shown(value.outcome)
            return "", value.question, value.said if value.status else shown
        case Withdrawal():
            return value.forecaster, value.question, "withdrawn"
        case Sealed():
            return value.forecaster, value.question, "sealed"
        case Redaction():
            return "", "", f"the text of entry {value.forecast}: {value.reason}"
        case Evidence():
            return value.source, "", value.title
        case Watch():
            return value.watcher, "", f"looked at {value.process}"
        case Setup():
            return value.said_by, "", f"{value.subject} {value.name}"
        case ModelRun():
            return "", "", f"{value.family}: {value.gate}"
    return "", "", f"replay {value.run} {value.event}"
