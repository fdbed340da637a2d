"""Extractors propose, repeat themselves, quote what is there, and write nothing."""

from collections.abc import Sequence
from importlib.metadata import EntryPoint

import pytest

from forecasting.domain.evidence import parse_effect
from forecasting.errors import InvalidInput, NotFound
from forecasting.evidence import extract
from forecasting.evidence.extract import Extractor, FakeExtractor, Proposal, checked, get

TEXT = "On 2026-11-20 both sides agreed to meet. It rained.\n\nThe delegation rejected the draft!"


class _Liar:
    name = "liar"

    def propose(self, text: str) -> Sequence[Proposal]:
        return [Proposal("c", "+1", "s", "", "", (1,), "Nobody wrote this.")]


def test_the_stand_in_is_an_extractor_and_repeats_itself() -> None:
    made = get("fake")
    assert isinstance(made, Extractor)
    assert made.propose(TEXT) == FakeExtractor().propose(TEXT)
    first, second = made.propose(TEXT)
    assert (first.effect, first.sentences, first.date) == ("+1", (1,), "2026-11-20T00:00Z")
    assert (second.effect, second.sentences, second.date) == ("-1", (3,), "")
    assert first.quote not in first.claim
    assert all(parse_effect("q", found.effect).form == "likelihood" for found in (first, second))
    assert made.propose("") == []


def test_a_quote_that_does_not_stand_in_the_text_is_refused() -> None:
    assert checked(FakeExtractor().propose(TEXT), TEXT)
    with pytest.raises(InvalidInput, match="does not stand in the text"):
        checked(_Liar().propose(TEXT), TEXT)
    beyond = Proposal("c", "+1", "s", "", "", (9,), "It rained.")
    with pytest.raises(InvalidInput, match="has 3 sentences"):
        checked([beyond], TEXT)


def test_plug_ins_are_found_by_entry_point_and_bad_ones_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points = [
        EntryPoint("fake", "nowhere:Imposter", extract.GROUP),
        EntryPoint("broken", "nowhere:Nothing", extract.GROUP),
        EntryPoint("number", "builtins:int", extract.GROUP),
    ]
    monkeypatch.setattr(
        extract, "entry_points", lambda group: points if group == extract.GROUP else []
    )
    assert isinstance(get("fake"), FakeExtractor)  # a plug-in never replaces a built-in one
    with pytest.raises(InvalidInput, match="cannot be loaded"):
        get("broken")
    with pytest.raises(InvalidInput, match="needs `name` and `propose"):
        get("number")
    with pytest.raises(NotFound, match="fake"):
        get("fkae")
