"""Domain values to rows: a row is a dict by column name, with aware times and plain data in it."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import fsum
from typing import Any

from forecasting.domain import (
    Evidence,
    Forecast,
    Question,
    Redaction,
    Resolution,
    Reveal,
    Sealed,
    Value,
    Withdrawal,
)
from forecasting.domain.forecast import SUM_TOLERANCE
from forecasting.domain.instants import utc
from forecasting.domain.provenance import ModelRun, ReplayMark, plain
from forecasting.domain.setup import Setup
from forecasting.domain.watch import Watch
from forecasting.errors import InvalidInput
from forecasting.store.canonical import clean, clean_data, commitment

#: What the ledger gives back; a reveal is recorded as the forecast that it shows.
type Stored = (
    Question
    | Forecast
    | Evidence
    | Resolution
    | Withdrawal
    | ModelRun
    | ReplayMark
    | Sealed
    | Redaction
    | Watch
    | Setup
)
type Draft = Stored | Reveal
type Row = dict[str, Any]

_FORECAST_TEXTS = ("question", "question_hash", "forecaster", "kind", "run", "claim", "gate")
_SPREAD = ("sd", "p05", "p50", "p95", "mcse")
_NO_SPREAD: Row = dict.fromkeys((*_SPREAD, "method"))
_YES = ("yes",)
_DECIMAL = re.compile(r"-?(\d+(\.\d*)?|\.\d+)")


@dataclass(slots=True)
class Prepared:
    """A draft as rows, before it has a number."""

    kind: str
    detail: Row
    effects: list[Row] = field(default_factory=list)
    salt: str = ""
    because: str = ""


def prepare(draft: Draft) -> Prepared:
    """Turn a draft into rows; what no row may hold is refused.

    Raises
    ------
    InvalidInput
        A naive time, a number that is not finite, a probability outside [0, 1], text that no
        database can hold.
    """
    match draft:
        case Forecast():
            return _forecast(draft)
        case Evidence():
            return _evidence(draft)
        case Question():
            return Prepared("question", _question(draft))
        case Resolution():
            row = _texts(draft, "question", "outcome", "source", "certainty", "note")
            row |= {"resolved_at": utc(draft.resolved_at), "version": int(draft.version)}
            row["status"] = clean(draft.status, name="status") or None
            return Prepared("resolution", row)
        case Withdrawal():
            row = _texts(draft, "question", "forecaster")
            return Prepared("withdrawal", row | {"withdrawn_at": utc(draft.withdrawn_at)})
        case Sealed():
            row = _texts(draft, "question", "question_hash", "forecaster", "commitment")
            return Prepared("sealed", row | {"issued_at": utc(draft.issued_at)})
        case Reveal():
            because_salt = bytes.fromhex(draft.because_salt)
            made = _forecast(draft.forecast, because_salt=because_salt)
            made.detail |= {"sealed": int(draft.sealed), "seal_salt": draft.salt}
            return made
        case Redaction():
            row = _texts(draft, "reason") | {"forecast": int(draft.forecast)}
            return Prepared("redaction", row)
        case Watch():
            row = _texts(draft, "process", "watcher", "because") | {"until": utc(draft.until)}
            return Prepared("watch", row)
        case Setup():
            row = _texts(draft, "subject", "name", "said_by")
            row["detail"] = clean_data(plain(draft.detail), name="detail")
            return Prepared("setup", row)
        case ModelRun():
            return Prepared("model_run", _model_run(draft))
        case ReplayMark():  # pragma: no branch
            row = _texts(draft, "run", "event") | {"evidence_head": int(draft.evidence_head)}
            row["config"] = clean_data(draft.config, name="config")
            return Prepared("replay_run", row)


def _texts(draft: object, *names: str) -> Row:
    row: Row = {}
    for name in names:
        text: str = getattr(draft, name)
        # What `clean` gives back as it is, without a call for each of it.
        row[name] = text if text.isascii() and "\0" not in text else clean(text, name=name)
    return row


def _number(number: float | None, *, name: str) -> float | None:
    if number is None:
        return None
    number = float(number)
    if number - number != 0.0:  # NaN and both infinities; a NaN would be stored as NULL
        msg = f"{name} ({number}): must be a finite number"
        raise InvalidInput(msg)
    return number


def _forecast(draft: Forecast, *, because_salt: bytes = b"") -> Prepared:
    value, spread = draft.value, draft.spread
    check_value(value)
    salt = (because_salt or secrets.token_bytes(32)) if draft.because else b""
    because = clean(draft.because, name="because") if salt else ""
    row = _texts(draft, *_FORECAST_TEXTS)
    row["shape"] = value.shape
    row["labels"] = ["yes"] if value.labels == _YES else _labels(value.labels)
    row["entered"] = list(value.entered)
    row["probability"] = value.probability
    row["stated"] = clean(value.stated, name="stated")
    row["issued_at"] = utc(draft.issued_at)
    row["commitment"] = commitment(salt, because) if because else None
    if spread is None:
        row |= _NO_SPREAD
    else:
        row |= {name: _number(getattr(spread, name), name=name) for name in _SPREAD}
        row["method"] = clean(spread.method, name="method")
    row["model_run"] = None if draft.model_run is None else int(draft.model_run)
    row["meta"] = clean_data(draft.meta, name="meta") if draft.meta else {}
    row["sealed"] = row["seal_salt"] = None
    return Prepared("forecast", row, salt=salt.hex(), because=because)


def _labels(labels: Sequence[str]) -> list[str]:
    return [clean(label, name="label") for label in labels]


def check_value(value: Value) -> None:
    """Refuse a value that is no forecast: not decimals, outside [0, 1], or not summing to 1."""
    entered = value.entered
    if not entered or None in map(_DECIMAL.fullmatch, entered):
        msg = f"forecast ({', '.join(entered)}): must be plain decimal numbers"
        raise InvalidInput(msg, hint="0.35")
    binary = value.shape == "binary"
    if len(entered) != len(value.labels) or binary != (len(entered) == 1):
        msg = (
            f"forecast ({', '.join(entered)}): needs one number for each of "
            f"{', '.join(value.labels)}"
        )
        raise InvalidInput(msg)
    if binary:
        if not 0.0 <= float(entered[0]) <= 1.0:
            msg = f"forecast ({entered[0]}): a probability must lie from 0 to 1"
            raise InvalidInput(msg, hint="0.35")
        return
    if value.shape == "quantiles":
        return
    numbers = value.numbers
    if min(numbers) < 0.0 or max(numbers) > 1.0:
        msg = f"forecast ({', '.join(entered)}): a probability must lie from 0 to 1"
        raise InvalidInput(msg, hint="0.35")
    if abs(fsum(numbers) - 1.0) > SUM_TOLERANCE:
        msg = f"forecast ({', '.join(entered)}): the probabilities of the options must sum to 1"
        raise InvalidInput(msg)


def _evidence(draft: Evidence) -> Prepared:
    row = _texts(
        draft,
        *("key", "kind", "title", "source", "url", "certainty", "grade", "story", "stream", "note"),
    )
    row["event_at"] = None if draft.event_at is None else utc(draft.event_at)
    row["known_at"] = utc(draft.known_at)
    row["effects"] = len(draft.effects)
    effects = [
        _texts(effect, "target", "form", "stated")
        | {"position": position, "detail": clean_data(plain(effect.detail), name="detail")}
        for position, effect in enumerate(draft.effects)
    ]
    return Prepared("evidence", row, effects=effects)


def _question(draft: Question) -> Row:
    row = _texts(
        draft,
        *("id", "title", "criteria", "background", "zone", "topic", "event", "source"),
    )
    row["question"] = row.pop("id")
    space, condition = draft.space, draft.condition
    row |= {
        "wording_hash": _wording_hash(draft),
        "type": space.type,
        "options": clean_data(space.options, name="options"),
        "lower": _number(space.lower, name="lower"),
        "upper": _number(space.upper, name="upper"),
        "unit": clean(space.unit, name="unit"),
        "opens": utc(draft.opens),
        "closes": utc(draft.closes),
        "resolves_by": utc(draft.resolves_by),
        "tags": clean_data(draft.tags, name="tags"),
        "basis": clean_data(
            {
                "kind": draft.basis.kind,
                "texts": draft.basis.texts,
                "sentences": draft.basis.sentences,
            },
            name="basis",
        ),
        "model": clean_data(
            {
                "family": draft.model.family,
                "fitted": draft.model.fitted,
                "reference": draft.model.reference,
                "settings": plain(draft.model.settings),
            },
            name="model",
        ),
        "ladder": None if draft.ladder is None else clean(draft.ladder, name="ladder"),
        "parent": None if draft.parent is None else clean(draft.parent, name="parent"),
        "condition_question": None,
        "condition_outcome": None,
        "answer": clean(draft.answer, name="answer") or None,
        "zero_point": _number(space.zero_point, name="zero_point"),
        "open_bounds": space.open_bounds or None,
    }
    if condition is not None:
        row["condition_question"] = clean(condition.question, name="condition")
        row["condition_outcome"] = clean(condition.outcome, name="condition")
    return row


def _wording_hash(draft: Question) -> str:
    """Give the hash of the wording; refuse one that would hash otherwise once it is stored."""
    wording = draft.wording
    if clean_data(wording, name="wording") != wording:
        msg = f"question ({draft.id}): its options, unit and condition must be Unicode in NFC"
        raise InvalidInput(msg)
    return draft.wording_hash


def _model_run(draft: ModelRun) -> Row:
    row = _texts(
        draft,
        *("family", "fitted", "worldview", "priors_hash", "evidence_hash", "method", "gate", "run"),
    )
    # Text, because seeds may be wider than any integer column.
    row |= {"as_of": utc(draft.as_of), "seed": str(int(draft.seed))}
    row["diagnostics"] = clean_data(draft.diagnostics, name="diagnostics")
    row["versions"] = clean_data(draft.versions, name="versions")
    return row
