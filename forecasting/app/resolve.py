"""Resolve a question: the outcome, when it could be known, on whose word; corrections append."""

import datetime as dt
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.app.log import check_moment
from forecasting.app.questions import resolution_row
from forecasting.domain.instants import iso
from forecasting.domain.question import normalised
from forecasting.domain.resolution import Resolution
from forecasting.errors import InvalidInput
from forecasting.store import Ledger


def resolve(
    ledger: Ledger,
    name: str,
    outcome: str,
    *,
    source: str,
    now: dt.datetime,
    at: dt.datetime | None = None,
    note: str = "",
) -> list[dict[str, Any]]:
    """Record an outcome, or a new version of it, and re-score from then on.

    A ladder resolves by its open rungs: ``yes`` at a moment settles every rung whose deadline had
    not passed by then; ``no`` settles the rungs whose deadline has passed.
    """
    catalog = Catalog.of(ledger)
    known_at = at or now
    check_moment(known_at, now)
    if not normalised(source):
        msg = "source: whose word decides must be said"
        raise InvalidInput(msg, hint=f"forecast resolve {name} {outcome} --source URL")
    questions = catalog.find(name)
    if len(questions) > 1:
        wanted = [
            rung
            for rung in questions
            if catalog.outcome(rung) is None
            and (rung.closes >= known_at if outcome == "yes" else rung.closes <= known_at)
        ]
        if not wanted:
            msg = f"ladder ({name}): {outcome} at {iso(known_at)} settles no unresolved rung"
            raise InvalidInput(msg, hint=", ".join(rung.id for rung in questions))
        questions = tuple(wanted)
    drafts = []
    for question in questions:
        question.space.label(outcome)
        if known_at <= question.opens:
            msg = (
                f"question ({question.id}): opened at {iso(question.opens)}, after {iso(known_at)}"
            )
            raise InvalidInput(msg, hint="--at the moment the outcome could be known")
        drafts.append(
            Resolution(
                question=question.id,
                outcome=outcome,
                resolved_at=known_at,
                source=normalised(source),
                note=normalised(note),
                version=1 + len([r for r in ledger.resolutions() if r.question == question.id]),
            )
        )
    recorded = ledger.append(drafts, recorded_at=now)
    return [
        {
            **resolution_row(draft),
            "seq": entry.seq,
            "id": entry.id,
            "recorded_at": entry.recorded_at,
        }
        for draft, entry in zip(drafts, recorded, strict=True)
    ]
