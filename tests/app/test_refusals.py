"""What logging, sealing and selecting refuse, and the empty and odd cases that they let pass."""

import datetime as dt
from dataclasses import replace

import pytest

from forecasting.app.ledger import log as use
from forecasting.app.ledger import seal
from forecasting.app.scores.frame import Selection, resolved, scoring_frame, select, shown
from forecasting.comparison.against import same_window
from forecasting.domain import OutcomeSpace, Sealed
from forecasting.domain.catalog import Catalog
from forecasting.domain.forecast import LIVE_WITHIN
from forecasting.domain.provenance import ReplayMark
from forecasting.domain.sealed import as_shown
from forecasting.errors import InvalidInput, NotFound, Repeated
from forecasting.store import seal as seals
from tests import season as ours
from tests.season import DAY, START, Diary


@pytest.fixture
def diary():
    book = Diary()
    rungs = [replace(ours.question(f"truce@2025-0{n}-01"), ladder="truce") for n in (2, 3)]
    book.write(0, ours.question("q"), ours.question("other"), *rungs)
    return book


def logged(diary, name="q", who="ann", day=1, **value):
    value = value if "ladder" in value else {"probability": "0.9"} | value
    return use.log(diary.ledger, name, forecaster=who, now=START + day * DAY, **value)


@pytest.mark.parametrize(
    ("name", "rungs", "error", "words"),
    [
        ("q", {"2025-02-01": "0.1"}, InvalidInput, "q is a single question, not a ladder"),
        ("nowhere", {"2025-02-01": "0.1"}, NotFound, "nowhere"),
        ("truce", {"2025-04-01": "0.1"}, NotFound, "no rung named truce@2025-04-01"),
        ("truce", {"2025-02-01": "0.2", "2025-03-01": "0.1"}, InvalidInput, "less likely"),
        ("truce", {"2025-02-01": "0.1", "1 Feb 2025": "0.2"}, InvalidInput, "is given twice"),
    ],
)
def test_a_ladder_is_logged_on_its_own_rungs(diary, name, rungs, error, words):
    before = diary.ledger.head()
    with pytest.raises(error, match=words):
        logged(diary, name, ladder=rungs)
    assert diary.ledger.head() == before


def test_a_later_word_on_one_rung_is_held_against_the_others_and_not_against_the_model(diary):
    said = ours.said(ours.question("truce@2025-03-01"), "model", 0.05, 0.5)
    diary.write(0.5, said)
    logged(diary, "truce", probability={"2025-02-01": "0.1", "2025-03-01": "0.2"})
    head = diary.ledger.head()
    with pytest.raises(InvalidInput, match="less likely"):
        logged(diary, "truce@2025-03-01", day=2, probability="0.05")
    assert diary.ledger.head() == head
    logged(diary, "truce@2025-03-01", day=2, probability="0.1")


def test_a_fall_of_before_is_not_held_against_a_later_word(diary):
    rungs = [ours.question(f"truce@2025-0{n}-01") for n in (2, 3)]
    diary.write(1, *(ours.said(q, "ann", p, 1) for q, p in zip(rungs, (0.5, 0.3), strict=True)))
    (row,) = logged(diary, "truce@2025-03-01", day=2, probability="0.6")
    assert row["before"] == 0.3


def test_what_stands_is_not_said_again_since_a_moment(diary):
    (row,) = logged(diary, since=START)
    for value in ({"because": "rain"}, {"probability": "0.8"}, {}):
        logged(diary, day=2, since=START, **value)
    with pytest.raises(Repeated) as again:
        logged(diary, day=3, since=START)
    assert again.value.args != (row["seq"],)
    assert again.value.seq == diary.ledger.head().seq
    # What was said before that moment may be said again.
    logged(diary, day=4, since=START + 3 * DAY)


def test_a_new_name_is_told_of_one_much_like_it_unless_a_digit_tells_them_apart(diary):
    notes = []
    for day, who in enumerate(("anna-1", "anna-2", "anna-1"), start=1):
        logged(diary, who=who, day=day, tell=notes.append)
    assert notes == []
    logged(diary, who="ann-1", day=4, tell=notes.append)
    (note,) = notes
    assert note.startswith("ann-1 is a new forecaster beside anna-1;")


def test_a_history_shows_the_seals_of_its_question_and_its_forecaster_alone(diary):
    for name, who in (("q", "ann"), ("q", "bob"), ("other", "ann")):
        logged(diary, name, who, probability="0.9", sealed=True)
    (row,) = use.history(diary.ledger, "q", forecaster="ann")
    assert (row["question"], row["forecaster"], row["kind"]) == ("q", "ann", "sealed")
    assert len(use.history(diary.ledger, "q")) == 2


def seal_of(issued, recorded, commitment="ab" * 32):
    return Sealed("q", ours.question("q").wording_hash, "ann", issued, commitment, recorded, 7)


def test_a_seal_recorded_too_late_to_be_live_cannot_be_opened(diary):
    catalog = Catalog.of(diary.ledger)
    issued = START + DAY
    seal._check_revealable(catalog, seal_of(issued, issued + LIVE_WITHIN), None, "ann")
    late = seal_of(issued, issued + LIVE_WITHIN + dt.timedelta(microseconds=1))
    with pytest.raises(InvalidInput, match="too long after its time"):
        seal._check_revealable(catalog, late, None, "ann")


def test_nothing_is_sealed_by_a_clock_that_is_behind_the_ledger(diary):
    diary.write(9, ours.question("third"))
    before = diary.ledger.head()
    with pytest.raises(InvalidInput, match="is behind the last entry"):
        logged(diary, day=8, probability="0.9", sealed=True)
    assert diary.ledger.head() == before
    seal._refuse_clock(diary.ledger, START + 9 * DAY - LIVE_WITHIN)
    seal._refuse_clock(Diary().ledger, START)


def test_a_seal_that_cannot_be_kept_is_not_recorded(diary, home):
    (home / "sealed").write_text("in the way")
    before = diary.ledger.head()
    with pytest.raises(InvalidInput, match="cannot be written"):
        logged(diary, probability="0.9", sealed=True)
    assert diary.ledger.head() == before


def test_what_opens_a_seal_must_be_a_file(diary):
    (row,) = logged(diary, probability="0.9", sealed=True)
    file = seals.kept_at(row["commitment"])
    file.rename(file.with_suffix(".kept"))
    file.mkdir()
    with pytest.raises(InvalidInput, match="file"):
        seal.reveal(diary.ledger, "q", forecaster="ann", now=START + 2 * DAY)


def test_what_was_said_between_a_seal_and_its_reveal_stands_for_others(diary):
    """Its number is in force from its reveal, unless its forecaster has spoken since the seal."""
    asked = ours.question("q")
    seals = [replace(seal_of(START + DAY, START + DAY), seq=2)]
    revealed = replace(
        ours.said(asked, "ann", 0.9, 1), sealed=2, seq=9, recorded_at=START + 5 * DAY
    )
    between = replace(ours.said(asked, "ann", 0.5, 3), seq=5, recorded_at=START + 3 * DAY)

    def of(*forecasts):
        stream, _ = as_shown(forecasts, seals)
        return [(f.value.numbers[0], f.issued_at) for f in stream]

    assert of(revealed) == [(0.9, START + 5 * DAY)]
    assert of(revealed, between) == [(0.5, START + 3 * DAY)]
    assert of(revealed, replace(between, recorded_at=START + 6 * DAY)) == [
        (0.5, START + 3 * DAY),
        (0.9, START + 5 * DAY),
    ]


def test_a_selection_names_a_kind_and_a_run_that_there_are(diary):
    catalog = Catalog.of(diary.ledger)
    with pytest.raises(InvalidInput, match="must be one of"):
        select(diary.ledger, catalog, Selection(kind="guessed"))
    assert select(diary.ledger, catalog, Selection(kind="replay")) == []
    with pytest.raises(NotFound, match="no replay run"):
        select(diary.ledger, catalog, Selection(kind="replay", run="r1"))
    diary.write(1, ReplayMark("r1", "started", 0, {}))
    assert select(diary.ledger, catalog, Selection(kind="replay", run="r1")) == []
    with pytest.raises(NotFound, match="r2"):
        select(diary.ledger, catalog, Selection(kind="replay", run="r2"))


def test_a_table_of_replays_is_empty_before_the_first_run(diary):
    assert resolved(diary.ledger, Selection(kind="replay")).empty


def test_what_resolved_too_soon_counts_when_it_is_asked_for(diary):
    asked = ours.question("soon")
    diary.write(0, asked)
    diary.write(0.5, ours.said(asked, "ann", 0.7, 0.5))
    diary.write(1, ours.resolved(asked, "yes", 1))
    for chosen in (False, True):
        frame = resolved(diary.ledger, Selection(too_soon=chosen))
        assert frame["too_soon"].tolist() == [not chosen]


def test_a_tag_is_a_tag_a_topic_or_an_event(diary):
    asked = ours.question("tagged", tags=("air",), topic="strikes", event="strikes-2025")
    diary.write(0, asked)
    diary.write(1, ours.said(asked, "ann", 0.7, 1), ours.said(ours.question("q"), "ann", 0.2, 1))
    catalog = Catalog.of(diary.ledger)
    for tag, n in (("air", 1), ("strikes", 1), ("strikes-2025", 1), ("war", 1), ("sea", 0)):
        assert len(select(diary.ledger, catalog, Selection(tag=tag))) == n


def test_only_live_forecasts_are_read_through_their_seals(diary):
    forecast = ours.said(ours.question("q"), "ann", 0.7, 1, kind="imported")
    diary.write(2, forecast, ours.withdrawn(ours.question("q"), "ann", 1.5))
    forecasts, withdrawals = shown(
        diary.ledger, Catalog.of(diary.ledger), Selection(kind="imported")
    )
    assert [f.value.numbers for f in forecasts] == [(0.7,)]
    assert len(withdrawals) == 1


def test_a_withdrawal_after_the_moment_of_a_table_is_not_in_it(diary):
    asked = ours.question("q")
    diary.write(1, ours.said(asked, "ann", 0.7, 1))
    diary.write(20, ours.withdrawn(asked, "ann", 20))
    diary.write(30, ours.resolved(asked, "yes", 10))
    catalog, forecasts = Catalog.of(diary.ledger), diary.ledger.forecasts()

    def withdrawn(day):
        frame = scoring_frame(diary.ledger, catalog, forecasts, as_of=START + day * DAY)
        return frame.to_dict("list")

    assert withdrawn(19.9) == withdrawn(15)
    assert len(scoring_frame(diary.ledger, catalog, forecasts)) == 1


def test_a_withdrawal_is_of_what_was_said_before_it_alone(diary):
    asked = ours.question("q")
    diary.write(1, ours.said(asked, "ann", 0.7, 1))
    diary.write(2, ours.withdrawn(asked, "ann", 2))
    diary.write(3, ours.said(asked, "ann", 0.6, 3))
    diary.write(30, ours.resolved(asked, "yes", 30))
    frame = resolved(diary.ledger, Selection())
    assert frame["withdrawn_at"].isna().tolist() == [False, True]


def test_forecasters_without_a_question_in_common_share_no_window(diary):
    diary.write(1, ours.said(ours.question("q"), "ann", 0.7, 1))
    diary.write(1, ours.said(ours.question("other"), "bob", 0.7, 1))
    diary.write(30, *(ours.resolved(ours.question(name), "yes", 30) for name in ("q", "other")))
    frame = resolved(diary.ledger, Selection())
    assert len(frame) == 2
    assert len(same_window(frame, ["ann", "bob"])) == 0
    assert len(same_window(frame, ["ann", "nobody"])) == 0
    assert len(same_window(frame, ["ann"])) == 1


def test_a_number_in_another_form_is_refused_with_the_form_that_fits(diary):
    with pytest.raises(InvalidInput) as of_a_ladder:
        use.log(diary.ledger, "truce", forecaster="ann", now=START + DAY)
    assert "--p 2025-02-01=.. --p 2025-03-01=.." in str(of_a_ladder.value.hint)
    spaces = {
        "who": (OutcomeSpace("categorical", ("ann", "ben")), "--p ann=.. --p ben=.."),
        "count": (OutcomeSpace("numeric", lower=0, upper=9), "--p 5=.. --p 50=.. --p 95=.."),
    }
    for name, (space, form) in spaces.items():
        diary.write(0, replace(ours.question(name), space=space))
        with pytest.raises(InvalidInput) as refused:
            logged(diary, name)
        assert form in str(refused.value.hint)
