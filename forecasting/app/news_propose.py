"""Proposals of an extractor, each with the command that would record it; nothing is written."""

import shlex
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.domain.evidence import parse_effect
from forecasting.domain.instants import iso, parse_when
from forecasting.errors import InvalidInput
from forecasting.evidence import extract
from forecasting.store import Ledger

MOST_CHARACTERS = 1_000_000


def propose(
    ledger: Ledger,
    text: str,
    *,
    extractor: str,
    question: str = "",
    source: str = "",
    known_at: str = "",
) -> list[dict[str, Any]]:
    """List what an extractor finds in a text, each with its ``news add`` line.

    Parameters
    ----------
    question, source, known_at : str
        What the person knows and the extractor may not; they go into the lines.

    Returns
    -------
    list of dict
        `claim, effect, source, story, date, sentences, quote, accept`. The quote is for the reader
        alone: `accept` does not carry it into the ledger. Where nobody said which question it
        bears on, or when it was known, the line says QUESTION or TIME in that place.

    Raises
    ------
    InvalidInput, NotFound
        No text, no such extractor or question, or an extractor that quotes what is not there.
    """
    if not text.strip() or len(text) > MOST_CHARACTERS:
        msg = f"text ({len(text):,} characters): must have 1 to {MOST_CHARACTERS:,}"
        raise InvalidInput(msg)
    if question:
        Catalog.of(ledger).find(question)
    moment = iso(parse_when(known_at, day_means="ends")) if known_at else ""
    made = extract.get(extractor)
    rows = []
    for found in extract.checked(made.propose(text), text):
        about = question or found.question or "QUESTION"
        parse_effect(about, found.effect)
        numbers = ", ".join(str(number) for number in found.sentences)
        words = [
            *("forecast", "news", "add", found.claim),
            *("--source", source or found.source),
            *("--known-at", moment or found.date or "TIME"),
            *("--on", f"{about}={found.effect}"),
            *("--story", found.story) * bool(found.story),
            *("--because", f"proposed by {made.name} from sentence {numbers}"),
        ]
        rows.append(
            {
                "claim": found.claim,
                "effect": found.effect,
                "question": "" if about == "QUESTION" else about,
                "source": source or found.source,
                "story": found.story,
                "date": moment or found.date,
                "sentences": list(found.sentences),
                "quote": found.quote,
                "accept": shlex.join(words),
            }
        )
    return rows
