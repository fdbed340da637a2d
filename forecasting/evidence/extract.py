"""Extractors: they read a text and propose items of evidence; a person accepts each, or not.

An extractor is a plug-in in the entry-point group ``forecasting.extractors``. It writes nothing,
and the core never asks one for a number that is logged. No extractor that reaches a network is
shipped; :class:`FakeExtractor` is a deterministic stand-in for tests and for trying the command.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Protocol, runtime_checkable

from forecasting.errors import InvalidInput, NotFound

GROUP = "forecasting.extractors"
#: The same lines stand in pyproject.toml: a checkout that is not installed has no entry points.
BUILT_IN = {"fake": "forecasting.evidence.extract:FakeExtractor"}


@dataclass(frozen=True, slots=True)
class Proposal:
    """One report that an extractor found in a text.

    Attributes
    ----------
    claim
        The report in the extractor's own words; it becomes the item's title.
    effect
        A code as ``news add --on`` takes it (``+1``, ``x0.5``, ``0.6/0.2``, ``stance=0.7``).
    source
        Who says so.
    story
        The story's id, so that rewrites are not counted twice.
    date
        When it became known, ISO 8601 with zone; empty where the text does not say.
    sentences
        The numbers of the sentences it rests on, from 1.
    quote
        Those sentences word for word, for the person who accepts. It is shown and never recorded:
        the ledger holds paraphrase and sentence numbers.
    question
        The question or ladder it bears on, where the extractor knows; empty: the person says.
    """

    claim: str
    effect: str
    source: str
    story: str
    date: str
    sentences: tuple[int, ...]
    quote: str
    question: str = ""


@runtime_checkable
class Extractor(Protocol):
    """What reads a text and proposes.

    `name` identifies it and its version in what it proposes; `propose` is a pure function of the
    text: no network unless the user chose an extractor that says so.
    """

    name: str

    def propose(self, text: str) -> Sequence[Proposal]:
        """Give the reports that the text holds, in its order."""
        ...


class FakeExtractor:
    """A stand-in that looks for cue words, sentence by sentence: no reader, only repeatable.

    Examples
    --------
    >>> (found,) = FakeExtractor().propose("It rained. On 2026-11-20 both sides agreed to meet.")
    >>> found.effect, found.sentences, found.date
    ('+1', (2,), '2026-11-20T00:00Z')
    """

    name = "fake"
    _CUES = (
        ("+2", "signed", ("signed", "ratified")),
        ("+1", "agreed", ("agreed", "accepts", "accepted")),
        ("-1", "refused", ("refused", "rejects", "rejected", "postponed")),
        ("-2", "broken off", ("collapsed", "withdrew", "cancelled")),
    )
    _DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")

    def propose(self, text: str) -> Sequence[Proposal]:
        """Propose a report for each sentence with a cue word; the first cue counts."""
        found = []
        for number, sentence in enumerate(sentences(text), start=1):
            spoken = set(re.findall(r"\w+", sentence.casefold()))
            for effect, what, cues in self._CUES:
                if spoken & set(cues):
                    day = self._DAY.search(sentence)
                    found.append(
                        Proposal(
                            claim=f"Sentence {number} speaks of something {what}",
                            effect=effect,
                            source="unknown",
                            story=f"text-{what.replace(' ', '-')}",
                            date=f"{day.group()}T00:00Z" if day else "",
                            sentences=(number,),
                            quote=sentence,
                        )
                    )
                    break
        return found


def sentences(text: str) -> list[str]:
    """Split a text into sentences, so that an extractor and a person count alike.

    Examples
    --------
    >>> sentences("One.  Two! Three")
    ['One.', 'Two!', 'Three']
    """
    parts = re.split(r"(?<=[.!?…])\s+|\n\s*\n", text.strip())
    return [" ".join(part.split()) for part in parts if part.strip()]


def extractors() -> dict[str, str]:
    """Give the address of every extractor by name; a plug-in never replaces a built-in one."""
    found = dict(BUILT_IN)
    for point in entry_points(group=GROUP):
        found.setdefault(point.name, point.value)
    return dict(sorted(found.items()))


def get(name: str) -> Extractor:
    """Make an extractor.

    Raises
    ------
    NotFound
        There is none of that name; names the nearest.
    InvalidInput
        The plug-in cannot be loaded or is no extractor.
    """
    addresses = extractors()
    if name not in addresses:
        near = get_close_matches(name, addresses, n=1, cutoff=0.4)
        msg = f"extractor ({name}): there is none"
        raise NotFound(msg, hint=near[0] if near else ", ".join(addresses))
    module, _, attribute = addresses[name].partition(":")
    try:
        made = getattr(import_module(module), attribute)()
    except Exception as broken:
        msg = f"extractor ({name}): cannot be loaded from {addresses[name]} ({broken})"
        raise InvalidInput(msg, hint=f"one of {', '.join(addresses)}") from broken
    if not isinstance(made, Extractor):
        msg = f"extractor ({name}): needs `name` and `propose(text)`"
        raise InvalidInput(msg, hint="forecasting.evidence.extract.Extractor")
    return made


def checked(proposals: Iterable[Proposal], text: str) -> list[Proposal]:
    """Give the proposals whose quote stands in the text; refuse one that made its quote up.

    Raises
    ------
    InvalidInput
        A quote that the text does not hold, or a sentence number that it does not have.
    """
    whole = " ".join(text.split())
    count = len(sentences(text))
    kept = []
    for proposal in proposals:
        if " ".join(proposal.quote.split()) not in whole:
            msg = f"proposal ({proposal.claim[:60]}): its quote does not stand in the text"
            raise InvalidInput(msg, hint="another --extractor")
        if not all(1 <= number <= count for number in proposal.sentences):
            msg = f"proposal ({proposal.claim[:60]}): the text has {count} sentences"
            raise InvalidInput(msg, hint="another --extractor")
        kept.append(proposal)
    return kept
