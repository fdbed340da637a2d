"""Cultivate: the member's number and the crowd's told apart; daily, ordinal and relative Brier."""

import json
from pathlib import Path

import pytest

from forecasting.app.ledger.importing import import_record
from forecasting.domain.resolution import outcomes
from forecasting.errors import InvalidInput
from tests.exchange.conftest import NOW

FILE = Path(__file__).parent / "formats" / "cultivate.json"


@pytest.fixture
def counts(ledger):
    return import_record(ledger, FILE, now=NOW, me="ana", user="aa11", check_scores=True)


@pytest.fixture
def named(counts, ledger):
    return {one.title: one for one in ledger.questions()}


def scores(counts, question, rule):
    return {
        one["forecaster"]: one["ours"]
        for one in counts["scores"]["rows"]
        if (one["question"], one["rule"]) == (question.id, rule)
    }


def test_the_members_number_is_forecasted_and_the_crowds_is_final(ledger, named):
    forecasts = {
        (one.forecaster, one.issued_at.day, one.value.entered[0])
        for one in ledger.forecasts(question=named["Will the crossing open?"].id)
    }
    assert forecasts == {
        ("ana", 1, "0.9"),
        ("cultivate:bb22", 1, "0.25"),
        ("cultivate:bb22", 3, "0.2"),
        ("ana", 4, "0.95"),
        ("cultivate:cc33", 6, "0.99"),
        # Two sets of one instant: after the later one the crowd stood at .575.
        ("crowd:cultivate", 1, "0.575"),
        ("crowd:cultivate", 3, "0.55"),
        ("crowd:cultivate", 4, "0.575"),
        ("crowd:cultivate", 6, "0.7133"),
    }


def test_the_worked_example_of_the_platform_comes_out(counts, named):
    crossing = named["Will the crossing open?"]
    daily = scores(counts, crossing, "brier")
    assert daily["ana"] == pytest.approx(0.0114, abs=5e-5)
    assert daily["cultivate:cc33"] == pytest.approx(0.0002)
    relative = scores(counts, crossing, "relative")
    assert set(relative) == {"ana", "cultivate:bb22", "cultivate:cc33"}
    assert relative["ana"] == pytest.approx(-0.43, abs=5e-4)
    assert relative["cultivate:bb22"] == pytest.approx(0.7943, abs=5e-5)
    assert relative["cultivate:cc33"] == pytest.approx(-0.00137, abs=5e-6)


def test_ordered_answers_are_scored_over_their_cuts(counts, named):
    convoys = named["How many convoys will cross?"]
    assert convoys.space.type == "ordered"
    assert convoys.space.options == ("Fewer than 10", "10 to 19", "20 to 29", "30 or more")
    assert scores(counts, convoys, "brier")["ana"] == pytest.approx(0.81)
    assert scores(counts, convoys, "ordinal")["ana"] == pytest.approx(0.27)
    assert scores(counts, named["Will the crossing open?"], "ordinal") == {}


def test_outcomes_stand_when_the_answer_was_known_and_void_ones_are_annulled(ledger, named):
    titles = {one.id: one.title for one in named.values()}
    standing = {titles[k]: one for k, one in outcomes(ledger.resolutions()).items()}
    assert {title: one.outcome for title, one in standing.items()} == {
        "Will the crossing open?": "yes",
        "How many convoys will cross?": "20 to 29",
        "Was this asked in error?": "annulled",
        "Which of them will travel?: The envoy": "yes",
        "Which of them will travel?: The minister": "no",
    }
    # Resolved on the 9th, set back to the 8th.
    assert standing["Will the crossing open?"].resolved_at.day == 8
    assert standing["Was this asked in error?"].note == "duplicate"


def test_what_cannot_be_kept_says_why(counts):
    reasons = [one["reason"].partition(". Try")[0] for one in counts["refused"]]
    assert sorted(reasons)[:3] == [
        "options (sum 0.6): must sum to 1",
        "prediction: made after the answer was known",
        "question (cultivate-14-b044cb37): neither this file nor the ledger says what was asked",
    ]
    assert "type (Forecast::Continuous::Question): is not read" in reasons


def test_a_set_on_two_pages_counts_once_and_is_said(counts):
    assert "1 item of earlier pages not read again" in counts["notes"]


def test_one_number_on_two_sites_is_two_questions(ledger, import_text):
    for name in ("Asked on one site?", "Asked on another?"):
        question = {
            "id": 3,
            "name": name,
            "type": "Forecast::YesNoQuestion",
            "state": "active",
            "starts_at": "2025-05-01T00:00:00Z",
            "ends_at": "2027-05-01T00:00:00Z",
            "scoring_start_time": None,
            "answers": [{"id": 1, "name": "Yes", "probability": 0.3}],
        }
        import_text([question])
    assert {one.title for one in ledger.questions()} == {"Asked on one site?", "Asked on another?"}


MINE = {"me": "ana", "user": "aa11"}


def test_questions_alone_come_in_whoever_is_named_as_oneself(import_text):
    pages = json.loads(FILE.read_bytes())
    asked = [one for page in pages for one in page.get("questions", ())]
    assert import_text(asked, **MINE)["questions"] > 2


def test_refused_rows_keep_their_reasons_when_nobody_is_left_to_be_oneself(import_text):
    pages = json.loads(FILE.read_bytes())
    sets = [one for page in pages for one in page.get("prediction_sets", ())]
    mine = [one for one in sets if one.get("membership_guid") == "aa11"]
    others = [one for one in sets if one.get("membership_guid") == "bb22"]
    for one in mine:
        for prediction in one["predictions"]:
            prediction["made_after_correctness_known"] = True
    for some in (mine, mine + others):
        with pytest.raises(InvalidInput, match="after the answer was known"):
            import_text(some, **MINE)
    with pytest.raises(InvalidInput, match="nobody in the file is called so"):
        import_text(others, **MINE)


def test_a_file_of_sets_has_as_many_rows_before_its_questions_as_after_them(import_text):
    pages = json.loads(FILE.read_bytes())
    sets = [page for page in pages if "prediction_sets" in page]
    first = import_text(sets)
    import_text([page for page in pages if "questions" in page])
    then = import_text(sets)
    assert first["in"] == then["in"]
    lines = [one["line"] for one in first["refused"]]
    # A set is refused once, though it states a member's number and the crowd's.
    assert len(lines) == len(set(lines)) > 0
    for counts in (first, then):
        assert counts["in"] == counts["added"] + counts["duplicates"] + len(counts["refused"])
