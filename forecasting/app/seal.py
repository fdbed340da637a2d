"""Seal a forecast and reveal it later: the number stays with its forecaster until then."""

import datetime as dt
import json
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.config import data_folder
from forecasting.domain import Forecast, Question, Sealed
from forecasting.domain.forecast import LIVE_WITHIN
from forecasting.domain.forecasters import family
from forecasting.domain.instants import iso
from forecasting.errors import InvalidInput, NotFound
from forecasting.files import read_plain
from forecasting.store import Ledger
from forecasting.store import seal as seals

#: Of a kept file: a long rationale and some hundred quantiles.
MOST_BYTES = 1_000_000


def folder() -> Path:
    """Return where the numbers of sealed forecasts are kept; it need not exist."""
    return data_folder() / "sealed"


def kept_at(commitment: str) -> Path:
    """Return the file in which what opens a seal is kept; it need not exist."""
    return folder() / f"{commitment[:12]}.json"


def record(ledger: Ledger, drafts: Sequence[Forecast], *, now: dt.datetime) -> list[dict[str, Any]]:
    """Record the commitments to some forecasts, and keep the forecasts in files of their own.

    Each file is on the disk before its entry is recorded, readable by its owner alone.

    Returns
    -------
    list of dict
        One row an entry: seq, id, question, forecaster, issued_at, recorded_at, kind
        (``sealed``), commitment, file, hash; no number.

    Raises
    ------
    InvalidInput
        A forecast of the tool's own forecasters, or a folder that cannot be written.
    """
    _refuse_clock(ledger, now)
    made = []
    for draft in drafts:
        if family(draft.forecaster) != "person":
            msg = f"forecaster ({draft.forecaster}): only a person's forecast can be sealed"
            raise InvalidInput(msg, hint="forecaster=NAME")
        made.append(seals.seal(draft))
    files = [_keep(kept) for _, kept in made]
    recorded = ledger.append([sealed for sealed, _ in made], recorded_at=now)
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
        for (sealed, _), entry, file in zip(made, recorded, files, strict=True)
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
    """Open seals: record each forecast as it was when it was sealed, naming its seal.

    Parameters
    ----------
    name : str
        A sealed entry's number or the start of its id, or a question (or a ladder): all that the
        forecaster has sealed on it. Empty with `file` or `everything`.
    forecaster : str
        In whose name; only their own seals are opened.
    file : Path, optional
        The kept file or a copy, if not in its place; opens one seal.
    everything : bool
        Open every seal of the forecaster whose file is in its place.

    Returns
    -------
    list of dict
        One row an entry: seq, id, question, forecaster, forecast, issued_at, recorded_at, kind,
        sealed, hash.

    Raises
    ------
    InvalidInput, NotFound
        Revealed before, another's seal, a file that does not open it, or a question that has been
        reworded since. Nothing was written.
    """
    if (bool(name) + everything != 1) if file is None else everything:
        msg = "reveal: give an entry or a question, or file=FILE, or everything=True"
        raise InvalidInput(msg, hint="forecast reveal --all")
    catalog = Catalog.of(ledger)
    opened = {f.sealed: f for f in ledger.forecasts() if f.sealed is not None}
    held = {seal.seq or 0: seal for seal in ledger.seals()}
    from_file = None if file is None else _read(file)
    if file is not None and from_file is not None:
        chosen = [_of_file(from_file, held.values(), file)]
        if name and chosen[0] not in _asked(ledger, catalog, name, held, forecaster):
            msg = f"file ({file}): belongs to sealed entry {chosen[0].seq}, not to {name}"
            raise InvalidInput(msg, hint=f"forecast reveal --file {file}")
    elif everything:
        chosen = [
            seal
            for seal in held.values()
            if seal.forecaster == forecaster
            and seal.seq not in opened
            and _reworded(catalog, seal) is None
            and kept_at(seal.commitment).exists()
        ]
    else:
        asked = _asked(ledger, catalog, name, held, forecaster)
        chosen = [seal for seal in asked if seal.seq not in opened] or asked[:1]
    if not chosen:
        msg = f"sealed forecast ({forecaster}): none is left to reveal whose file is in {folder()}"
        raise NotFound(msg, hint="forecast reveal --file COPY")
    for seal in chosen:
        _check(catalog, seal, opened.get(seal.seq or 0), forecaster)
    pairs = [(seal, from_file or _read(kept_at(seal.commitment))) for seal in chosen]
    drafts = [seals.reveal(kept, seal) for seal, kept in pairs]
    recorded = ledger.append(drafts, recorded_at=now)
    return [
        {
            "seq": entry.seq,
            "id": entry.id,
            "question": draft.forecast.question,
            "forecaster": draft.forecast.forecaster,
            "forecast": draft.forecast.value.plain,
            "issued_at": draft.forecast.issued_at,
            "recorded_at": entry.recorded_at,
            "kind": draft.forecast.kind,
            "sealed": draft.sealed,
            "hash": entry.hash,
        }
        for draft, entry in zip(drafts, recorded, strict=True)
    ]


def hidden(ledger: Ledger, *, head: int | None = None) -> list[Sealed]:
    """Give the seals that nobody had revealed, up to an entry of the ledger."""
    if not (seals := ledger.seals(head=head)):
        return []
    # Only what is live was sealed.
    opened = {forecast.sealed for forecast in ledger.forecasts(kind="live", head=head)}
    return [seal for seal in seals if seal.seq not in opened]


def _asked(
    ledger: Ledger,
    catalog: Catalog,
    name: str,
    held: Mapping[int, Sealed],
    forecaster: str,
) -> list[Sealed]:
    """Give the seals that a name means: of a question, the forecaster's own."""
    try:
        questions: tuple[Question, ...] = catalog.find(name)
    except NotFound as unknown:
        try:
            entry = ledger.entry(name)
        except NotFound:
            raise unknown from None
        if entry.seq not in held:
            msg = f"entry ({name}): is a {entry.kind}, not a sealed forecast"
            raise InvalidInput(msg, hint="forecast history QUESTION") from None
        return [held[entry.seq]]
    names = {question.id for question in questions}
    found = [s for s in held.values() if s.question in names and s.forecaster == forecaster]
    if not found:
        msg = f"no sealed forecast of {forecaster} on {name}"
        raise NotFound(msg, hint=f"forecast history {name}")
    return found


def _of_file(kept: Mapping[str, Any], held: Iterable[Sealed], file: Path) -> Sealed:
    for seal in held:
        if seal.commitment == kept.get("commitment"):
            return seal
    msg = f"file ({file}): opens no seal of this ledger"
    raise NotFound(msg, hint="database=THE_LEDGER_IT_WAS_SEALED_IN")


def _check(catalog: Catalog, seal: Sealed, opened: Forecast | None, forecaster: str) -> None:
    if opened is not None:
        msg = f"sealed entry ({seal.seq}): was revealed as entry {opened.seq}"
        raise InvalidInput(msg, hint=f"forecast history {seal.question}")
    if seal.forecaster != forecaster:
        msg = f"sealed entry ({seal.seq}): is {seal.forecaster}'s, and {forecaster} cannot open it"
        raise InvalidInput(msg, hint=f"forecaster={seal.forecaster}")
    if (reworded := _reworded(catalog, seal)) is not None:
        msg = f"sealed entry ({seal.seq}): question {reworded.id} was reworded since it was sealed"
        raise InvalidInput(msg, hint=f"forecast log {reworded.id} P")
    if seal.recorded_at is not None and seal.recorded_at - seal.issued_at > LIVE_WITHIN:
        msg = f"sealed entry ({seal.seq}): was recorded too long after its time to count as live"
        raise InvalidInput(msg, hint=f"forecast log {seal.question} P")


def _reworded(catalog: Catalog, seal: Sealed) -> Question | None:
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


def _keep(kept: dict[str, Any]) -> Path:
    """Write what opens a seal, for its owner alone, and have it on the disk."""
    target = kept_at(kept["commitment"])
    made = target.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(made, flags, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as out:
                json.dump(kept, out, indent=1, ensure_ascii=False)
                out.write("\n")
                out.flush()
                os.fsync(out.fileno())
            os.replace(made, target)
        finally:
            made.unlink(missing_ok=True)
        if os.name == "posix":  # pragma: no branch
            place = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(place)
            finally:
                os.close(place)
    except OSError as fault:
        msg = f"file ({target}): cannot be written ({fault.strerror or fault})"
        raise InvalidInput(msg, hint="FORECASTING_HOME=FOLDER that you can write to") from fault
    return target


def _read(file: Path) -> dict[str, Any]:
    try:
        kept = json.loads(read_plain(file, most=MOST_BYTES).decode("utf-8"))
    except FileNotFoundError:
        msg = f"file ({file}): does not exist, and without it the number cannot be known"
        raise NotFound(msg, hint="file=COPY") from None
    except OSError as fault:
        msg = f"file ({file}): cannot be read ({fault.strerror})"
        raise InvalidInput(msg, hint="file=COPY") from fault
    except (ValueError, RecursionError) as broken:
        msg = f"file ({file}): does not hold a sealed forecast"
        raise InvalidInput(msg, hint="file=COPY") from broken
    if not isinstance(kept, dict):
        msg = f"file ({file}): does not hold a sealed forecast"
        raise InvalidInput(msg, hint="file=COPY")
    return kept
