"""The bank: complete, without faults, without a sentence of the texts, without hindsight."""

import dataclasses
import datetime as dt
import hashlib
import re
from pathlib import Path

import pytest

from forecasting.bank import check, read_bank, sentences, text_speaks_at
from forecasting.bank.snapshot import SCHEMAS, json_schema
from forecasting.bank.world_check import first_openings

ROOT = Path(__file__).parents[2] / "questions"


@pytest.fixture(scope="module")
def bank():
    return read_bank(ROOT)


def test_it_has_no_fault(bank):
    assert [str(problem) for problem in check(bank)] == []


def test_it_has_48_questions_30_of_them_resolved_in_12_events(bank):
    assert len(bank.questions) == 48
    assert len(bank.resolutions) == 30
    events = {question.id: question.event for question in bank.questions}
    assert len({events[resolution.question] for resolution in bank.resolutions}) == 12


def test_every_question_says_what_it_asks_of_the_world(bank):
    assert [question.id for question in bank.questions if not question.answer] == []
    first = first_openings(bank)
    assert set(first) == set(bank.world.processes), "a process that feeds no question"


def test_only_one_question_resolves_too_soon_to_count(bank):
    questions = {question.id: question for question in bank.questions}
    soon = [
        r.question
        for r in bank.resolutions
        if (r.resolved_at - questions[r.question].opens).days <= 2
    ]
    assert soon == ["energy-truce-2025-observed"]


def test_nested_rungs_share_their_event(bank):
    for ladder in {question.ladder for question in bank.questions if question.ladder}:
        rungs = [question for question in bank.questions if question.ladder == ladder]
        assert len({rung.event for rung in rungs}) == 1
        assert len({rung.opens for rung in rungs}) == 1


def test_every_claim_was_read_twice_and_the_milder_is_scored(bank):
    claims = [claim for text in bank.texts for claim in text.claims]
    assert len(claims) == 22
    for claim in claims:
        assert abs(claim.scored.middle - 0.5) == min(
            abs(claim.first.middle - 0.5), abs(claim.second.middle - 0.5)
        )


def test_a_text_speaks_at_noon_of_the_last_day_of_its_range(bank):
    dates = {text.id: text_speaks_at(text).isoformat() for text in bank.texts}
    assert dates == {
        "000": "2026-02-01T10:00:00+00:00",
        "001": "2025-11-26T10:00:00+00:00",
        "002": "2026-05-31T09:00:00+00:00",
        "003": "2025-03-21T10:00:00+00:00",
        "004": "2025-05-17T09:00:00+00:00",
    }


def test_the_wording_hash_covers_what_a_forecaster_commits_to(bank):
    question = bank.questions[0]
    for change in ({"criteria": "Other criteria."}, {"title": "Another title"}):
        assert dataclasses.replace(question, **change).wording_hash != question.wording_hash
    for same in (
        {"topic": "other"},
        {"tags": ("x",)},
        {"background": "Other."},
        {"answer": "convoy by close"},
    ):
        assert dataclasses.replace(question, **same).wording_hash == question.wording_hash


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_the_shipped_schema_is_the_generated_one(name):
    assert (ROOT / "schema" / f"{name}.v1.json").read_text(encoding="utf-8") == json_schema(name)


def test_texts_are_the_ones_that_were_read(bank, shared):
    for text in bank.texts:
        path = shared / "texts" / text.file
        assert hashlib.sha256(path.read_bytes()).hexdigest() == text.sha256
        assert len(sentences(path.read_text(encoding="utf-8"))) == text.sentences


def _nine_grams(text):
    words = re.findall(r"[a-z0-9']+", text.lower().replace("’", "'"))
    return {" ".join(words[i : i + 9]) for i in range(len(words) - 8)}


def test_no_nine_words_in_a_row_are_taken_from_a_text(shared):
    taken = set().union(
        *(
            _nine_grams(path.read_text(encoding="utf-8"))
            for path in (shared / "texts").glob("*.txt")
        )
    )
    for path in sorted(p for p in ROOT.rglob("*") if p.suffix in {".yaml", ".csv", ".md"}):
        assert not _nine_grams(path.read_text(encoding="utf-8")) & taken, path.name


def test_the_agreements_have_the_known_survival(bank):
    # Kaplan-Meier shares ended by 30 d, 90 d, 1 y, 5 y: 3.8, 10.1, 20.9, 31.7 %, n = 368.
    import numpy as np

    from forecasting.models import weibull
    from forecasting.models.world.classes import agreement_rows

    reference = bank.classes["peace-agreements"]
    rows = agreement_rows(bank.evidence, reference, dt.datetime(2025, 1, 1, tzinfo=dt.UTC))
    age, ended = rows["lower"], rows["kind"] != weibull.HELD
    age = np.where(rows["kind"] == weibull.BETWEEN, rows["upper"], age)
    assert len(age) == 368

    def share_ended(days):
        alive = 1.0
        for moment in np.unique(age[ended & (age <= days)]):
            alive *= 1 - (ended & (age == moment)).sum() / (age >= moment).sum()
        return 1 - alive

    shares = [round(100 * share_ended(days), 1) for days in (30, 90, 365, 1826)]
    assert shares == pytest.approx([3.8, 10.1, 20.9, 31.7], abs=0.25)
