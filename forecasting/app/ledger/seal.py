"""Seal a forecast and reveal it later, or redact a rationale: what a reader does not see.

A forecaster who may choose, once the outcome is known, between showing a number and being counted
as silent gains by choosing: with a fair coin, .1 shown only after a no has an expected Brier score
of .13, and an honest .5 has .25. So where scores are compared, a seal that is not opened counts
as the worst number that it could have held, until its forecaster speaks again. Then opening it is
never worse than not, whatever is in it, and what is left is the score of what was said.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from forecasting.domain import ANNULLED, Forecast, Question, Redaction, Sealed, Withdrawal
from forecasting.domain.catalog import Catalog
from forecasting.domain.forecast import LIVE_WITHIN
from forecasting.domain.forecasters import family
from forecasting.domain.instants import iso
from forecasting.domain.sealed import as_shown, placed, worst_value
from forecasting.errors import InvalidInput, NotFound
from forecasting.store import Ledger
from forecasting.store import seal as seals
from forecasting.store.seal import _read_opening, _write_opening, folder, kept_at
from forecasting.store.undone import undone


def record(ledger: Ledger, drafts: Sequence[Forecast], *, now: dt.datetime) -> list[dict[str, Any]]:
    """Record the commitments to some forecasts, each once its own private file is on the disk."""
    _refuse_clock(ledger, now)
    pairs = []
    for draft in drafts:
        if family(draft.forecaster) != "person":
            msg = f"forecaster ({draft.forecaster}): only a person's forecast can be sealed"
            raise InvalidInput(msg, hint="forecaster=NAME")
        pairs.append(seals.seal(draft))
    files = [_write_opening(opening) for _, opening in pairs]
    recorded = ledger.append([sealed for sealed, _ in pairs], recorded_at=now)
    return [
        {
            "seq": entry.seq,
            "id": entry.id,
            "question": sealed.question,
            "forecaster": sealed.forecaster,
            "issued_at": sealed.issued_at,
            "recorded_at": entry.recorded_at,
            "kind": "sealed",
            "commitment": sealed.commitment,
            "file": str(file),
            "hash": entry.hash,
        }
        for (sealed, _), entry, file in zip(pairs, recorded, files, strict=True)
    ]


def reveal(
    ledger: Ledger,
    name: str = "",
    *,
    forecaster: str,
    now: dt.datetime,
    file: Path | None = None,
    everything: bool = False,
) -> list[dict[str, Any]]:
    """Open seals: record each forecast as it was when it was sealed, naming its seal."""
    if (bool(name) + everything != 1) if file is None else everything:
        msg = "reveal: give an entry or a question, or file=FILE, or everything=True"
        raise InvalidInput(msg, hint="forecast reveal --all")
    catalog = Catalog.of(ledger)
    opened = {f.sealed: f for f in ledger.forecasts(kind="live") if f.sealed is not None}
    by_seq = {seal.seq or 0: seal for seal in ledger.seals()}
    from_file = None if file is None else _read_opening(file)
    if file is not None and from_file is not None:
        commitment = from_file.get("commitment")
        to_open = [seal for seal in by_seq.values() if seal.commitment == commitment][:1]
        if not to_open:
            msg = f"file ({file}): opens no seal of this ledger"
            raise NotFound(msg, hint="database=THE_LEDGER_IT_WAS_SEALED_IN")
        if name and to_open[0] not in _seals_named(ledger, catalog, name, by_seq, forecaster):
            msg = f"file ({file}): belongs to sealed entry {to_open[0].seq}, not to {name}"
            raise InvalidInput(msg, hint=f"forecast reveal --file {file}")
    elif everything:
        to_open = [
            seal
            for seal in by_seq.values()
            if seal.forecaster == forecaster
            and seal.seq not in opened
            and _reworded_question(catalog, seal) is None
            and kept_at(seal.commitment).exists()
        ]
    else:
        named = _seals_named(ledger, catalog, name, by_seq, forecaster)
        to_open = [seal for seal in named if seal.seq not in opened] or named[:1]
    if not to_open:
        msg = f"sealed forecast ({forecaster}): none is left to reveal whose file is in {folder()}"
        raise NotFound(msg, hint="forecast reveal --file COPY")
    for seal in to_open:
        _check_revealable(catalog, seal, opened.get(seal.seq or 0), forecaster)
    pairs = [(seal, from_file or _read_opening(kept_at(seal.commitment))) for seal in to_open]
    drafts = [seals.reveal(opening, seal) for seal, opening in pairs]
    recorded = ledger.append(drafts, recorded_at=now)
    return [
        {
            "seq": entry.seq,
            "id": entry.id,
            "question": seal.question,
            "forecaster": seal.forecaster,
            "forecast": draft.forecast.value.plain_of(catalog.questions[seal.question].space),
            "issued_at": seal.issued_at,
            "recorded_at": entry.recorded_at,
            "kind": draft.forecast.kind,
            "sealed": seal.seq,
            "hash": entry.hash,
        }
        for seal, draft, entry in zip(to_open, drafts, recorded, strict=True)
    ]


def hidden(ledger: Ledger, *, head: int | None = None) -> list[Sealed]:
    """Give the seals that nobody had revealed, up to an entry of the ledger."""
    if not (seals := ledger.seals(head=head)):
        return []
    # Only what is live was sealed.
    opened = {forecast.sealed for forecast in ledger.forecasts(kind="live", head=head)}
    return [seal for seal in seals if seal.seq not in opened]


def _seals_named(
    ledger: Ledger, catalog: Catalog, name: str, by_seq: Mapping[int, Sealed], forecaster: str
) -> list[Sealed]:
    """Give the seals that a name means: of a question, the forecaster's own."""
    try:
        questions: tuple[Question, ...] = catalog.find(name)
    except NotFound as unknown:
        try:
            entry = ledger.entry(name)
        except NotFound:
            raise unknown from None
        if entry.seq not in by_seq:
            msg = f"entry ({name}): is a {entry.kind}, not a sealed forecast"
            raise InvalidInput(msg, hint="forecast history QUESTION --wide") from None
        return [by_seq[entry.seq]]
    names = {question.id for question in questions}
    mine = [s for s in by_seq.values() if s.question in names and s.forecaster == forecaster]
    if not mine:
        msg = f"no sealed forecast of {forecaster} on {name}"
        raise NotFound(msg, hint=f"forecast history {name}")
    return mine


def _check_revealable(
    catalog: Catalog, seal: Sealed, opened: Forecast | None, forecaster: str
) -> None:
    if opened is not None:
        msg = f"sealed entry ({seal.seq}): was revealed as entry {opened.seq}"
        raise InvalidInput(msg, hint=f"forecast history {seal.question}")
    if seal.forecaster != forecaster:
        msg = f"sealed entry ({seal.seq}): is {seal.forecaster}'s, and {forecaster} cannot open it"
        raise InvalidInput(msg, hint=f"forecaster={seal.forecaster}")
    if (reworded := _reworded_question(catalog, seal)) is not None:
        msg = f"sealed entry ({seal.seq}): question {reworded.id} was reworded since it was sealed"
        raise InvalidInput(msg, hint=f"forecast log {reworded.id} P")
    if seal.recorded_at is not None and seal.recorded_at - seal.issued_at > LIVE_WITHIN:
        msg = f"sealed entry ({seal.seq}): was recorded too long after its time to count as live"
        raise InvalidInput(msg, hint=f"forecast log {seal.question} P")


def _reworded_question(catalog: Catalog, seal: Sealed) -> Question | None:
    """Give the question if its wording is no longer the one that was sealed on."""
    question = catalog.questions[seal.question]
    return None if question.wording_hash == seal.question_hash else question


def _refuse_clock(ledger: Ledger, now: dt.datetime) -> None:
    """Refuse where the entry would be recorded so late that its reveal could not be live."""
    if not (last := ledger.head().seq):
        return
    recorded = ledger.entry(last).recorded_at
    if recorded - now > LIVE_WITHIN:
        msg = f"clock ({iso(now)}): is behind the last entry of the ledger ({iso(recorded)})"
        raise InvalidInput(msg, hint="correct the clock, then seal")


#: How a table reads seals: what is hidden is missing, or counts as the worst; or every number
#: stands from when it was shown, as for whoever learns from it.
Seals = Literal["missing", "worst", "shown"]


def read_seals(
    ledger: Ledger,
    catalog: Catalog,
    forecasts: Iterable[Forecast],
    *,
    among: Sequence[Sealed],
    seals: Seals,
    head: int | None = None,
) -> tuple[list[Forecast], list[Withdrawal]]:
    """Give the live forecasts of a table, in order, and what was taken back; see `Seals`."""
    result, withdrawals = list(forecasts), list(undone(ledger, head=head).withdrawals)
    if seals == "shown":
        return as_shown(result, among, withdrawals)
    closed = {seal.seq for seal in hidden(ledger, head=head)}
    for seal in among:
        if seal.seq not in closed:
            continue
        worst = _as_worst(catalog, seal) if seals == "worst" else None
        if worst is None:
            withdrawals.append(Withdrawal(seal.question, seal.forecaster, seal.issued_at))
        else:
            result.append(worst)
    return sorted(result, key=placed), withdrawals


def count_worst(
    ledger: Ledger, catalog: Catalog, among: Iterable[Sealed], *, head: int | None = None
) -> int:
    """Count the hidden seals that a table reads as the worst that they could hold."""
    closed = {seal.seq for seal in hidden(ledger, head=head)}
    return sum(seal.seq in closed and _as_worst(catalog, seal) is not None for seal in among)


def _as_worst(catalog: Catalog, seal: Sealed) -> Forecast | None:
    """Give the forecast that a hidden seal counts as; None where nobody could have opened it."""
    question = catalog.questions[seal.question]
    standing = catalog.outcomes.get(question.id)
    if (
        standing is None
        or standing.outcome == ANNULLED
        or _reworded_question(catalog, seal) is not None
    ):
        return None
    return Forecast(
        question=seal.question,
        question_hash=seal.question_hash,
        forecaster=seal.forecaster,
        value=worst_value(question, standing.outcome),
        issued_at=seal.issued_at,
        kind="live",
        recorded_at=seal.recorded_at,
        seq=seal.seq,
    )


def redact(
    ledger: Ledger, name: str, *, forecaster: str, reason: str, now: dt.datetime
) -> dict[str, Any]:
    """Take the text of a forecast's rationale out of the ledger, and record that and why."""
    entry = ledger.entry(name)
    forecast = entry.value
    if not isinstance(forecast, Forecast):
        msg = f"entry ({name}): is a {entry.kind}, and only a forecast has a rationale"
        raise InvalidInput(msg, hint="forecast history QUESTION --wide")
    before = {item.forecast: item for item in ledger.redactions()}.get(entry.seq)
    if before is not None:
        raise InvalidInput(f"entry ({name}): was redacted by entry {before.seq}: {before.reason}")
    if not forecast.because:
        msg = f"entry ({name}): has no rationale to redact"
        raise InvalidInput(msg, hint=f"forecast history {forecast.question}")
    if forecast.forecaster != forecaster:
        msg = f"entry ({name}): is {forecast.forecaster}'s, and {forecaster} cannot redact it"
        raise InvalidInput(msg, hint=f"forecaster={forecast.forecaster}")
    if not (text := " ".join(reason.split())):
        msg = "reason: must be given, because it is shown in place of the text"
        raise InvalidInput(msg, hint='because="names a source"')
    copies = []
    if forecast.sealed is not None:
        file = kept_at(str(ledger.entry(forecast.sealed).row["commitment"]))
        copies = [str(file)] if file.exists() else []
    (recorded,) = ledger.append([Redaction(entry.seq, text)], recorded_at=now)
    return {
        "seq": recorded.seq,
        "id": recorded.id,
        "forecast": entry.seq,
        "question": forecast.question,
        "forecaster": forecaster,
        "reason": text,
        "recorded_at": recorded.recorded_at,
        "copies": copies,
    }


def reasons(ledger: Ledger) -> dict[int, str]:
    """Give what stands where a rationale stood, by the number of its forecast."""
    return {item.forecast: f"[redacted: {item.reason}]" for item in ledger.redactions()}
