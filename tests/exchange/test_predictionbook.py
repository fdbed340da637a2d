"""PredictionBook: each wager counts once in its own score; ours stands over time."""

from pathlib import Path

import pytest

from forecasting.app.ledger.importing import import_record
from forecasting.cli import run as cli
from forecasting.domain.resolution import outcomes
from tests.exchange.conftest import NOW

FILE = Path(__file__).parent / "formats" / "predictionbook.json"


@pytest.fixture
def counts(ledger):
    return import_record(ledger, FILE, now=NOW, me="ana k", check_scores=True)


def test_wagers_are_forecasts_and_comments_are_not(counts, ledger):
    forecasts = {(one.question, one.forecaster, one.value.entered[0]) for one in ledger.forecasts()}
    assert forecasts == {
        ("predictionbook-101", "ana k", "0.8"),
        ("predictionbook-101", "predictionbook:ben", "0.6"),
        ("predictionbook-102", "ana k", "0.5"),
        ("predictionbook-102", "ana k", "0.1"),
        ("predictionbook-103", "ana k", "1"),
        ("predictionbook-104", "ana k", "0.05"),
    }
    assert [one["reason"] for one in counts["refused"]] == [
        "response 4: confidence (101): must lie from 0 to 100"
    ]


def test_what_was_withdrawn_is_annulled_and_what_is_open_stays_open(counts, ledger):
    standing = {name: one.outcome for name, one in outcomes(ledger.resolutions()).items()}
    assert standing == {
        "predictionbook-101": "yes",
        "predictionbook-102": "no",
        "predictionbook-104": "annulled",
    }


def test_a_wager_after_the_deadline_is_kept_and_said(counts):
    assert (
        "1 forecast made after the close; kept as said, and scored by no window"
        in (counts["notes"])
    )


def test_its_brier_counts_each_wager_once(counts):
    scores = {(one["question"], one["forecaster"]): one["ours"] for one in counts["scores"]["rows"]}
    assert scores == {
        ("predictionbook-101", "ana k"): pytest.approx(0.04),
        ("predictionbook-101", "predictionbook:ben"): pytest.approx(0.16),
        ("predictionbook-102", "ana k"): pytest.approx((0.25 + 0.01) / 2),
    }


def test_both_means_are_given_and_each_is_what_it_is_called(counts, capsys, tmp_path):
    [rule] = counts["scores"]["rules"]
    # By hand: .8, .6 on a yes; .5, .1 on a no, both of them by one person.
    wagers = [0.2**2, 0.4**2, 0.5**2, 0.1**2]
    assert (rule["n_forecasts"], rule["per_forecast"]) == (4, pytest.approx(sum(wagers) / 4))
    pairs = [wagers[0], wagers[1], (wagers[2] + wagers[3]) / 2]
    assert (rule["n"], rule["ours"]) == (3, pytest.approx(sum(pairs) / 3))
    db = str(tmp_path / "a.db")
    assert (
        cli(["--db", db, "import", str(FILE), "--me", "ana k", "--create", "--check-scores"]) == 0
    )
    shown = capsys.readouterr()
    assert "per forecast: a mean over the n forecasts" in " ".join(shown.out.split())
    assert "0.115" in shown.out
    assert "0.110" in shown.out
    assert "`forecast score` weighs by time, here each wager counts once" in shown.err
    # No word stands for two things: what is said of a difference names neither column.
    difference = next(text for text in shown.err.splitlines() if text.startswith("brier:"))
    assert "ours" not in difference
    assert "theirs" not in difference
    # The score of each question stands in the table too, beside none of theirs.
    assert "differences first" not in shown.out
    assert shown.out.count("predictionbook-") >= 3


@pytest.mark.parametrize("width", ["60", "80", "200"])
def test_the_largest_difference_is_shown_at_every_width(width, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", width)
    path = FILE.with_name("metaculus.zip")
    db = str(tmp_path / "a.db")
    assert cli(["--db", db, "import", str(path), "--me", "ana", "--create", "--check-scores"]) == 0
    shown = capsys.readouterr()
    assert "baseline: each question, the largest differences first" in " ".join(shown.out.split())
    hidden = [text for text in shown.err.splitlines() if text.startswith("hidden columns")]
    assert not any(word in text for text in hidden for word in ("ours", "theirs", "difference"))


def test_later_wagers_of_a_question_are_added_by_a_later_download(import_text):
    import json

    whole = json.loads(FILE.read_bytes())
    early = json.loads(FILE.read_bytes())
    early["predictions"][1] |= {"outcome": None, "updated_at": "2025-05-01T10:00:00.000Z"}
    early["predictions"][1]["responses"].pop()
    import_text(early, me="ana")
    counts = import_text(whole, me="ana")
    assert (counts["forecasts"], counts["resolutions"], counts["questions"]) == (1, 1, 0)
