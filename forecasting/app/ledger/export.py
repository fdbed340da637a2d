"""A track record written out, as tables or a whole ledger; and such a ledger read back."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from forecasting.domain import Evidence, Forecast, Question, Resolution, Withdrawal
from forecasting.domain.catalog import Catalog
from forecasting.domain.instants import iso
from forecasting.domain.question import normalised
from forecasting.domain.setup import Setup
from forecasting.errors import InvalidInput, NotFound, nearest
from forecasting.exchange.columns import schema
from forecasting.exchange.formats.csv import write_csv
from forecasting.exchange.formats.fatebook import Left, write_fatebook
from forecasting.exchange.formats.jsonl import records
from forecasting.exchange.formats.parquet import write_parquet
from forecasting.exchange.record import (
    WITHDRAWN,
    Facts,
    Refused,
    StatedForecast,
    StatedOutcome,
    Statements,
)
from forecasting.files import drafted, written
from forecasting.store import Entry, Ledger, transfer
from forecasting.store.undone import undone

#: The formats that a track record is written in.
WRITTEN = ("csv", "jsonl", "parquet", "fatebook", "schema")


def export_record(
    ledger: Ledger,
    format: str,
    *,
    out: Path | None = None,
    force: bool = False,
    forecaster: str = "",
) -> tuple[Iterator[str], dict[str, Any]]:
    """Give the lines of a track record (none where a file took them), and what is said of them."""
    if format not in WRITTEN:
        raise InvalidInput(f"format ({format}): must be one of {', '.join(WRITTEN)}")
    if format == "parquet" and out is None:
        raise InvalidInput("out: a Parquet table needs a file", hint="out=record.parquet")
    head = ledger.head()
    about: dict[str, Any] = {"format": format, "entries": head.seq, "head": head.hash}
    left = Left()
    lines: Iterator[str]
    match format:
        case "jsonl":
            lines = (f"{line}\n" for line in transfer.export(ledger))
        case "fatebook":
            undone_seqs = undone(ledger).forecasts
            spoke = {one.forecaster for one in transfer.forecast_rows(ledger, without=undone_seqs)}
            if spoke and forecaster not in spoke:
                msg = f"no forecast by {forecaster} to write"
                raise NotFound(msg, hint=f"forecaster={nearest(forecaster, spoke) or min(spoke)}")
            lines = _counting_left_out(write_fatebook(_csv(ledger), forecaster, left), left, about)
        case "schema":
            lines = iter([json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"])
        case _:
            lines = _csv(ledger)
    if out is None:
        return lines, about
    wrote = _write(lines, out, force=force, parquet=format == "parquet")
    about |= {"file": str(out), "lines": wrote}
    return iter(()), about


def _counting_left_out(lines: Iterable[str], left: Left, about: dict[str, Any]) -> Iterator[str]:
    """Give lines, and say at their end what was left out of them."""
    yield from lines
    about |= {"left_out": left.count, "of_others": left.others}


def _csv(ledger: Ledger) -> Iterator[str]:
    catalog = Catalog.of(ledger)
    undo = undone(ledger)
    forecasts = transfer.forecast_rows(ledger, without=undo.forecasts)
    return write_csv(forecasts, undo.withdrawals, catalog.questions, catalog.outcomes)


def _write(lines: Iterable[str], out: Path, *, force: bool, parquet: bool) -> int:
    if out.exists() and not force:
        raise InvalidInput(f"file ({out}): already exists", hint="another name, or force=True")
    count = 0
    with written(out), drafted(out) as draft:
        if parquet:
            return write_parquet(lines, draft)
        with draft.open("w", encoding="utf-8", newline="") as file:
            for line in lines:
                file.write(line)
                count += 1
    return count


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
    "setup": "a ledger has its own bank, processes and imports",
    "watch": "a watch belongs to the ledger in which it was recorded",
}
#: Why entries of another ledger are refused that a copy of the whole would keep.
NOT_HERE = frozenset(_WHY_NOT.values())


def whole(content: bytes, name: str) -> transfer.Whole | None:
    """Read the first line of an exported ledger; None for any other stream of records."""
    if b'"ledger"' not in content[:400].partition(b"\n")[0]:
        return None
    line, first = next(records(content, name=name, lexical=False))
    return transfer.whole(first, f"{name}:{line}") if first.get("kind") == "ledger" else None


def _entries_of(content: bytes, name: str, declared: transfer.Whole) -> Iterator[Entry]:
    lines = records(content, name=name, lexical=False)
    next(lines)
    return transfer.chained(lines, declared, name)


def restored(
    ledger: Ledger,
    content: bytes,
    name: str,
    declared: transfer.Whole,
    *,
    now: dt.datetime,
    dry_run: bool,
) -> dict[str, Any] | None:
    """Record an exported ledger as it is; None where the ledger here is another."""
    here, lines = ledger.head(), _entries_of(content, name, declared)
    kinds: Counter[str] = Counter()
    if ledger.hash_at(declared.entries) == declared.head or not declared.entries:
        before = sum(1 for _ in lines)
    elif here.seq and all((one.seq, one.hash) != (here.seq, here.hash) for one in lines):
        # The ledger is not the beginning of these lines.
        return None
    else:
        before = here.seq
        lines = _counted(_entries_of(content, name, declared), kinds, now, name, after=before)
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
        **{label: kinds[kind] for kind, label in _KINDS.items()},
        "refused": [],
        "notes": [],
    }


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
    content: bytes, name: str, declared: transfer.Whole
) -> tuple[Statements, list[tuple[int, Evidence]]]:
    """Read the export of another ledger as what somebody states; give its news apart.

    Its forecasts will be imported ones, for that ledger's clock is not this one's.
    """
    into = Statements()
    news: list[tuple[int, Evidence]] = []
    wordings: dict[str, tuple[int, Question]] = {}
    lines_of: dict[int, int] = {}
    for one in _entries_of(content, name, declared):
        into.rows += 1
        lines_of[one.seq] = one.line
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
            case Forecast() as forecast:
                into.forecasts.append(_statement(one.line, forecast))
            case Withdrawal() as withdrawal:
                into.forecasts.append(
                    StatedForecast(
                        one.line,
                        withdrawal.question,
                        withdrawal.forecaster,
                        WITHDRAWN,
                        withdrawal.withdrawn_at,
                    )
                )
            case Resolution() as settled:
                into.outcomes.append(_settled(one.line, settled))
            case Evidence() as item:
                news.append((one.line, item))
            case Setup(subject="import", name=run, detail=detail):
                if detail:
                    _remove_undone_ends(into, run, lines_of)
                into.refused.append(Refused(one.line, _WHY_NOT["setup"]))
            case Setup(subject="dropped", name=question_id):
                _drop(into, question_id, wordings.pop(question_id, None))
                into.refused.append(Refused(one.line, _WHY_NOT["setup"]))
            case _:
                into.refused.append(Refused(one.line, _WHY_NOT[one.kind]))
    into.facts = [Facts(q.id, _fixed_fields(q), line, whole=q) for line, q in wordings.values()]
    return into, news


def _remove_undone_ends(into: Statements, run: str, lines_of: Mapping[int, int]) -> None:
    """Remove the withdrawals that came with an import which was undone there."""
    first, _, last = run.partition("-")
    undone_lines = {lines_of.get(seq, 0) for seq in range(int(first), int(last) + 1)}
    back = [one.line for one in into.forecasts if one.line in undone_lines]
    into.forecasts = [one for one in into.forecasts if one.line not in undone_lines]
    into.refused += [Refused(line, "withdrawal: its import was undone") for line in back]


def _drop(into: Statements, question_id: str, wording: tuple[int, Question] | None) -> None:
    """Take out what was stated of a question until it was dropped there."""
    lines = [] if wording is None else [wording[0]]
    lines += [one.line for one in into.forecasts if one.question == question_id]
    lines += [one.line for one in into.outcomes if one.question == question_id]
    into.forecasts = [one for one in into.forecasts if one.question != question_id]
    into.outcomes = [one for one in into.outcomes if one.question != question_id]
    into.refused += [Refused(line, f"question ({question_id}): was dropped") for line in lines]


def _statement(line: int, forecast: Forecast) -> StatedForecast:
    value = forecast.value
    pairs = tuple(zip(value.labels, value.entered, strict=True))
    entered = value.entered[0] if value.shape == "binary" else pairs
    return StatedForecast(
        line, forecast.question, forecast.forecaster, entered, forecast.issued_at, forecast.because
    )


def _settled(line: int, resolution: Resolution) -> StatedOutcome:
    return StatedOutcome(
        line=line,
        question=resolution.question,
        outcome=resolution.outcome,
        resolved_at=resolution.resolved_at,
        source=resolution.source,
        note=resolution.note,
        certainty=resolution.certainty,
        version=resolution.version,
        status=resolution.status,
    )


def _fixed_fields(question: Question) -> dict[str, Any]:
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
