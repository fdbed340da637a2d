"""Rows back to domain values: the inverse of :mod:`forecasting.store.drafts`."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forecasting.domain import (
    Basis,
    Condition,
    Effect,
    Evidence,
    Forecast,
    ModelChoice,
    OutcomeSpace,
    Question,
    Redaction,
    Resolution,
    Sealed,
    Spread,
    Value,
    Withdrawal,
)
from forecasting.domain.provenance import ModelRun, ReplayMark
from forecasting.domain.setup import Setup
from forecasting.domain.watch import Watch
from forecasting.store.drafts import Stored


def restore(
    kind: str,
    row: Mapping[str, Any],
    *,
    seq: int,
    recorded_at: dt.datetime,
    hash: str,
    effects: Sequence[Mapping[str, Any]] = (),
    because: str = "",
) -> Stored:
    """Turn rows back into the domain value that they were, with when and where it was recorded."""
    return _RESTORE[kind](row, _Stamp(seq, recorded_at, hash, effects, because))


@dataclass(slots=True)
class _Stamp:
    seq: int
    recorded_at: dt.datetime
    hash: str
    effects: Sequence[Mapping[str, Any]]
    because: str


def _to_forecast(row: Mapping[str, Any], stamp: _Stamp) -> Forecast:
    return Forecast(
        question=row["question"],
        question_hash=row["question_hash"],
        forecaster=row["forecaster"],
        value=Value(row["shape"], tuple(row["labels"]), tuple(row["entered"]), row["stated"]),
        issued_at=row["issued_at"],
        kind=row["kind"],
        because=stamp.because,
        spread=None
        if row["method"] is None
        else Spread(
            row["sd"], row["p05"], row["p50"], row["p95"], row["mcse"], method=row["method"]
        ),
        model_run=row["model_run"],
        run=row["run"],
        claim=row["claim"],
        recorded_at=stamp.recorded_at,
        seq=stamp.seq,
        hash=stamp.hash,
        gate=row["gate"],
        meta=row["meta"],
        sealed=row["sealed"],
    )


def _to_evidence(row: Mapping[str, Any], stamp: _Stamp) -> Evidence:
    return Evidence(
        effects=tuple(
            Effect(e["target"], e["form"], _numbers(e["detail"]), e["stated"])
            for e in stamp.effects
        ),
        recorded_at=stamp.recorded_at,
        seq=stamp.seq,
        **{
            name: row[name]
            for name in (
                *("key", "kind", "title", "source", "known_at", "event_at", "url", "certainty"),
                *("grade", "story", "stream", "note"),
            )
        },
    )


def _to_question(row: Mapping[str, Any], _: _Stamp) -> Question:
    basis, model = row["basis"], row["model"]
    names = ("title", "criteria", "background", "zone", "opens", "closes", "resolves_by")
    return Question(
        id=row["question"],
        space=OutcomeSpace(
            row["type"],
            tuple(row["options"]),
            row["lower"],
            row["upper"],
            row["unit"],
            zero_point=row["zero_point"],
            open_bounds=row["open_bounds"] or "",
        ),
        tags=tuple(row["tags"]),
        basis=Basis(
            basis["kind"],
            tuple(basis["texts"]),
            {text: tuple(numbers) for text, numbers in basis["sentences"].items()},
        ),
        model=ModelChoice(
            model["family"], model["fitted"], model["reference"], _numbers(model["settings"])
        ),
        condition=None
        if row["condition_question"] is None
        else Condition(row["condition_question"], row["condition_outcome"]),
        answer=row["answer"] or "",
        **{name: row[name] for name in (*names, "topic", "event", "ladder", "parent", "source")},
    )


def _to_resolution(row: Mapping[str, Any], stamp: _Stamp) -> Resolution:
    names = ("question", "outcome", "resolved_at", "source", "certainty", "note", "version")
    return Resolution(
        recorded_at=stamp.recorded_at,
        seq=stamp.seq,
        status=row["status"] or "",
        **{name: row[name] for name in names},
    )


def _to_withdrawal(row: Mapping[str, Any], stamp: _Stamp) -> Withdrawal:
    return Withdrawal(
        row["question"], row["forecaster"], row["withdrawn_at"], stamp.recorded_at, stamp.seq
    )


def _to_sealed(row: Mapping[str, Any], stamp: _Stamp) -> Sealed:
    names = ("question", "question_hash", "forecaster", "issued_at", "commitment")
    return Sealed(
        recorded_at=stamp.recorded_at, seq=stamp.seq, **{name: row[name] for name in names}
    )


def _to_redaction(row: Mapping[str, Any], stamp: _Stamp) -> Redaction:
    return Redaction(row["forecast"], row["reason"], stamp.recorded_at, stamp.seq)


def _to_watch(row: Mapping[str, Any], stamp: _Stamp) -> Watch:
    return Watch(
        recorded_at=stamp.recorded_at,
        seq=stamp.seq,
        **{name: row[name] for name in ("process", "until", "watcher", "because")},
    )


def _to_setup(row: Mapping[str, Any], stamp: _Stamp) -> Setup:
    return Setup(
        recorded_at=stamp.recorded_at,
        seq=stamp.seq,
        **{name: row[name] for name in ("subject", "name", "detail", "said_by")},
    )


def _to_model_run(row: Mapping[str, Any], stamp: _Stamp) -> ModelRun:
    names = ("family", "fitted", "priors_hash", "evidence_hash", "as_of", "method", "gate")
    return ModelRun(
        seed=int(row["seed"]),
        recorded_at=stamp.recorded_at,
        seq=stamp.seq,
        **{name: row[name] for name in (*names, "worldview", "diagnostics", "versions", "run")},
    )


def _to_replay_run(row: Mapping[str, Any], stamp: _Stamp) -> ReplayMark:
    return ReplayMark(
        row["run"], row["event"], row["evidence_head"], row["config"], stamp.recorded_at, stamp.seq
    )


_RESTORE: dict[str, Callable[[Mapping[str, Any], _Stamp], Stored]] = {
    "forecast": _to_forecast,
    "evidence": _to_evidence,
    "question": _to_question,
    "resolution": _to_resolution,
    "withdrawal": _to_withdrawal,
    "model_run": _to_model_run,
    "replay_run": _to_replay_run,
    "sealed": _to_sealed,
    "redaction": _to_redaction,
    "watch": _to_watch,
    "setup": _to_setup,
}


def _numbers(data: Mapping[str, Any]) -> dict[str, Any]:
    """Give decoded data as the domain types it: whole numbers as floats, lists as tuples."""
    return {
        name: tuple(value)
        if isinstance(value, list)
        else float(value)
        if isinstance(value, int) and not isinstance(value, bool)
        else value
        for name, value in data.items()
    }
