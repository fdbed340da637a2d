"""An exported ledger read back: as it was where it fits, else as statements of somebody else."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from forecasting.domain import Evidence, Forecast, Question, Resolution, Withdrawal
from forecasting.domain.instants import iso
from forecasting.domain.question import normalised
from forecasting.errors import InvalidInput
from forecasting.exchange.jsonl_read import records
from forecasting.exchange.record import WITHDRAWN, Facts, Refused, Said, Settled, Statements
from forecasting.store import Entry, Head, Ledger, transfer

_KINDS = {
    "question": "questions",
    "forecast": "forecasts",
    "withdrawal": "withdrawals",
    "resolution": "resolutions",
    "evidence": "news",
}
_WHY_NOT = {
    "model_run": "a model fit belongs to the ledger that it was computed in",
    "replay_run": "a replay belongs to the ledger that it was computed in",
    "sealed": "a sealed forecast can be opened only in its own ledger",
    "redaction": "a redaction belongs to its own ledger",
    "setup": "a ledger has its own bank and processes",
    "watch": "a watch belongs to the ledger in which it was recorded",
}


def whole(found: bytes, name: str) -> transfer.Whole | None:
    """Read the first line of an exported ledger; None for any other stream of records."""
    if b'"ledger"' not in found[:400].partition(b"\n")[0]:
        return None
    line, first = next(records(found, name=name, lexical=False))
    return transfer.whole(first, f"{name}:{line}") if first.get("kind") == "ledger" else None


def _chained(found: bytes, name: str, declared: transfer.Whole) -> Iterator[Entry]:
    lines = records(found, name=name, lexical=False)
    next(lines)
    return transfer.chained(lines, declared, name)


def restored(
    ledger: Ledger,
    found: bytes,
    name: str,
    declared: transfer.Whole,
    *,
    now: dt.datetime,
    dry_run: bool,
) -> dict[str, Any] | None:
    """Record an exported ledger as it is; None where the ledger here is another."""
    here, lines = ledger.head(), _chained(found, name, declared)
    kinds: Counter[str] = Counter()
    if ledger.hash_at(declared.entries) == declared.head or not declared.entries:
        before = sum(1 for _ in lines)
    elif not _begins(lines, here):
        return None
    else:
        before = here.seq
        lines = _counted(_chained(found, name, declared), kinds, now, name, after=before)
        if dry_run:
            for _ in lines:
                pass
        else:
            transfer.restore_lines(ledger, lines, after=before)
    added = kinds.total()
    return {
        "in": before + added,
        "added": added,
        "duplicates": before,
        "entries": added,
        **{shown: kinds[kind] for kind, shown in _KINDS.items()},
        "refused": [],
        "notes": [],
    }


def _begins(lines: Iterable[Entry], here: Head) -> bool:
    """Whether a ledger holds the beginning of these lines and no more."""
    return not here.seq or any(one.seq == here.seq and one.hash == here.hash for one in lines)


def _counted(
    lines: Iterable[Entry], kinds: Counter[str], now: dt.datetime, name: str, *, after: int
) -> Iterator[Entry]:
    for one in lines:
        if one.recorded_at > now:
            msg = f"entry ({one.seq}): recorded at {iso(one.recorded_at)}, after now ({iso(now)})"
            raise InvalidInput(
                msg, hint="set the clock of this machine", where=f"{name}:{one.line}"
            )
        kinds[one.kind] += one.seq > after
        yield one


def foreign(
    found: bytes, name: str, declared: transfer.Whole
) -> tuple[Statements, list[tuple[int, Evidence]]]:
    """Read the export of another ledger as what somebody states; give its news apart.

    Its forecasts will be imported ones: that ledger's clock is not this one's. Of a question the
    latest wording counts. Replays, model fits and sealed forecasts stay where they were computed.
    """
    into = Statements()
    news: list[tuple[int, Evidence]] = []
    wordings: dict[str, tuple[int, Question]] = {}
    for one in _chained(found, name, declared):
        into.rows += 1
        match one.value:
            case Question() as question:
                if (older := wordings.get(question.id)) is not None:
                    into.refused.append(
                        Refused(older[0], f"question ({question.id}): was reworded")
                    )
                wordings[question.id] = (one.line, question)
            case Forecast(kind="replay") as replayed:
                reason = f"forecast ({replayed.forecaster}): was computed afterwards, in a replay"
                into.refused.append(Refused(one.line, reason))
            case Forecast() as made:
                into.said.append(_said(one.line, made))
            case Withdrawal() as taken:
                into.said.append(
                    Said(one.line, taken.question, taken.forecaster, WITHDRAWN, taken.withdrawn_at)
                )
            case Resolution() as settled:
                into.settled.append(_settled(one.line, settled))
            case Evidence() as item:
                news.append((one.line, item))
            case _:
                into.refused.append(Refused(one.line, _WHY_NOT[one.kind]))
    into.facts = [Facts(q.id, _stated(q), line, whole=q) for line, q in wordings.values()]
    return into, news


def _said(line: int, made: Forecast) -> Said:
    value = made.value
    pairs = tuple(zip(value.labels, value.entered, strict=True))
    said = value.entered[0] if value.shape == "binary" else pairs
    return Said(line, made.question, made.forecaster, said, made.issued_at, made.because)


def _settled(line: int, found: Resolution) -> Settled:
    return Settled(
        line=line,
        question=found.question,
        outcome=found.outcome,
        resolved_at=found.resolved_at,
        source=found.source,
        note=found.note,
        certainty=found.certainty,
        version=found.version,
        status=found.status,
    )


def _stated(question: Question) -> dict[str, Any]:
    """Give what may not differ from a question of the same id here."""
    space = question.space
    return {
        "title": normalised(question.title),
        "criteria": normalised(question.criteria),
        "type": space.type,
        "options": space.options,
        "lower": space.lower,
        "upper": space.upper,
        "unit": space.unit,
        "zone": question.zone,
        "opens": question.opens,
        "closes": question.closes,
        "resolves_by": question.resolves_by,
    }
