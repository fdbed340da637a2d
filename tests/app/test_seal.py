"""Sealed forecasts: fixed now, shown later, and nothing gained by choosing what to show."""

import datetime as dt
import itertools
import json
import os
import stat
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.app.forecast import pool
from forecasting.app.ledger import log as use
from forecasting.app.ledger import seal
from forecasting.app.scores.compare import compare
from forecasting.app.scores.frame import Selection, resolved, unrevealed
from forecasting.app.scores.score import left_out, scores, seal_note
from forecasting.domain import OutcomeSpace
from forecasting.errors import InvalidInput, NotFound
from forecasting.review import pictures
from forecasting.scoring import lifetime
from forecasting.store import seal as seals
from tests import season as ours
from tests.season import DAY, START, Diary

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
OPTIONS = OutcomeSpace("categorical", ("none", "soft", "firm"), None, None, "")
NUMBERS = OutcomeSpace("numeric", (), 0.0, 200.0, "strikes")


def new_diary(*, space=None, days=40.0):
    diary, asked = Diary(), ours.question("q", days=days, space=space)
    diary.write(0, asked)
    return diary, asked


def sealed(diary, probability, now, *, who="ann", **more):
    forecast = {"probability": probability} if isinstance(probability, str) else probability
    (row,) = use.log(diary.ledger, "q", forecaster=who, now=now, sealed=True, **forecast, **more)
    return row


def opened(diary, name, at, *, who="ann", **more):
    return seal.reveal(diary.ledger, str(name), forecaster=who, now=at, **more)


def test_nothing_of_the_number_is_in_the_ledger_until_it_is_revealed(home):
    diary, asked = new_diary()
    row = sealed(diary, "0.9137", START + DAY, because="told at the table")
    assert row["kind"] == "sealed"
    assert "forecast" not in row
    place = seals.folder() / f"{row['commitment'][:12]}.json"
    assert row["file"] == str(place)
    assert place.parent.parent == home
    assert stat.S_IMODE(os.stat(place).st_mode) == 0o600
    assert [file.name for file in place.parent.iterdir()] == [place.name]
    assert diary.ledger.forecasts() == []
    with diary.ledger._engine.connect() as connection:
        dump = "\n".join(connection.connection.driver_connection.iterdump())
    for secret in ("9137", "told at the table", json.loads(place.read_text())["salt"]):
        assert secret in place.read_text()
        assert secret not in dump
        assert secret not in str(row)
    (shown,) = use.history(diary.ledger, "q")
    assert (shown["kind"], shown["forecast"], shown["because"]) == ("sealed", None, "[sealed]")
    assert (shown["from"], shown["until"]) == (START + DAY, asked.closes)
    verification = diary.ledger.verify()
    assert (verification.ok, verification.sealed, verification.unrevealed) == (True, 1, 1)


def test_a_revealed_forecast_counts_from_when_it_was_sealed_and_names_its_seal():
    diary, asked = new_diary()
    row = sealed(diary, "9:1", START + DAY, because="told at the table")
    diary.write(30, ours.resolved(asked, "yes", 30))
    (shown,) = opened(diary, "q", START + 31 * DAY)
    assert (shown["forecast"], shown["kind"], shown["sealed"]) == (0.9, "live", row["seq"])
    (forecast,) = diary.ledger.forecasts()
    assert (forecast.issued_at, forecast.recorded_at) == (START + DAY, START + 31 * DAY)
    assert (forecast.because, forecast.value.stated) == ("told at the table", "9:1")
    assert forecast.sealed == row["seq"]
    verification = diary.ledger.verify()
    assert (verification.ok, verification.sealed, verification.unrevealed) == (True, 1, 0)
    (line,) = use.history(diary.ledger, "q")
    assert (line["kind"], line["from"], line["sealed"]) == ("live", START + DAY, row["seq"])
    (scored,) = scores(diary.ledger, resamples=99)
    # A day of silence, 29 days at .9, and silence after the answer.
    assert scored["mean"] == pytest.approx((11 * 0.25 + 29 * 0.01) / 40)


SHAPES = {
    "options": (OPTIONS, {"options": {"none": "10%", "soft": "0.6", "firm": "0.3"}}),
    "numbers": (NUMBERS, {"quantiles": {"5": "10", "50": "40", "95": "120"}}),
}


@pytest.mark.parametrize(("space", "forecast"), SHAPES.values(), ids=SHAPES)
def test_every_shape_of_forecast_is_sealed_and_revealed(space, forecast):
    diary, _ = new_diary(space=space)
    sealed(diary, forecast, START + DAY)
    opened(diary, "q", START + 2 * DAY)
    use.log(diary.ledger, "q", forecaster="bob", now=START + 2 * DAY, **forecast)
    mine, theirs = diary.ledger.forecasts()
    assert mine.value == theirs.value
    assert diary.ledger.verify().ok


def test_each_rung_of_a_ladder_has_a_seal_of_its_own():
    diary = Diary()
    days = ("2025-01-11", "2025-01-21")
    rungs = [
        replace(ours.question(f"r@{day}", days=10 * n), ladder="r") for n, day in enumerate(days, 1)
    ]
    diary.write(0, *rungs)
    ladder = dict(zip(days, ("0.1", "0.3"), strict=True))
    rows = use.log(diary.ledger, "r", forecaster="ann", now=START + DAY, ladder=ladder, sealed=True)
    assert len({row["file"] for row in rows}) == 2
    revealed = seal.reveal(diary.ledger, "r", forecaster="ann", now=START + 2 * DAY)
    assert [row["forecast"] for row in revealed] == [0.1, 0.3]


def test_a_sealed_forecast_is_always_of_now():
    diary, _ = new_diary()
    with pytest.raises(InvalidInput, match="a sealed forecast is always made now"):
        sealed(diary, "0.9", START + 2 * DAY, at=START + DAY)
    with pytest.raises(InvalidInput, match="closed at"):
        sealed(diary, "0.9", START + 50 * DAY)
    with pytest.raises(InvalidInput, match="only a person's forecast"):
        sealed(diary, "0.9", START + DAY, who="worldview:001")
    assert not seals.folder().exists()


def test_what_does_not_open_a_seal_says_why_and_writes_nothing(tmp_path):
    diary, asked = new_diary()
    one = sealed(diary, "0.9", START + DAY)
    two = sealed(diary, "0.1", START + DAY + HOUR)
    theirs = sealed(diary, "0.5", START + DAY + 2 * HOUR, who="bob")
    file = seals.folder() / f"{one['commitment'][:12]}.json"
    head = diary.ledger.head()
    now = START + 2 * DAY

    def refused(words, *names, error=InvalidInput, **more):
        with pytest.raises(error, match=words):
            opened(diary, *names, now, **more)
        assert diary.ledger.head() == head

    refused("is bob's, and ann cannot open it", theirs["seq"])
    refused("belongs to sealed entry", two["seq"], file=file)
    refused("no sealed forecast of eve on q", "q", who="eve", error=NotFound)
    refused("no question named nowhere", "nowhere", error=NotFound)
    refused("is a question, not a sealed forecast", 1)
    with pytest.raises(InvalidInput, match="give an entry or a question"):
        opened(diary, "", now)
    copy = tmp_path / "copy.json"
    opening = json.loads(file.read_text())
    for harm in (
        {"forecast": opening["forecast"] | {"entered": ["0.1"]}},
        {"forecast": opening["forecast"] | {"issued_at": "2025-01-01T00:00:00.000000Z"}},
        {"forecast": opening["forecast"] | {"forecaster": "bob"}},
        {"salt": "0" * 64},
        {"because": {"salt": "0" * 64, "text": "I knew"}},
    ):
        copy.write_text(json.dumps(opening | harm))
        refused("does not open it", "", file=copy)
    for harm in (
        {"forecast": "0.9"},
        {"salt": 7},
        {"salt": "no number"},
        {"forecast": {}},
        {"because": ["salt"]},
        {"forecast": opening["forecast"] | {"meta": [1]}},
        {"forecast": opening["forecast"] | {"issued_at": "yesterday"}},
        {"forecast": opening["forecast"] | {"shape": "hunch"}},
    ):
        copy.write_text(json.dumps(opening | harm))
        refused("does not", "", file=copy)
    for text in ("", "[1]", "{", '{"v": 1}', "[" * 100_000):
        copy.write_text(text)
        refused(
            "does not hold a sealed|opens no seal", "", file=copy, error=(InvalidInput, NotFound)
        )
    copy.write_text(json.dumps(opening | {"commitment": two["commitment"]}))
    refused("does not open it", "", file=copy)
    file.rename(tmp_path / "moved.json")
    refused("the number cannot be known", one["seq"], error=NotFound)
    assert opened(diary, "", now, file=tmp_path / "moved.json")[0]["forecast"] == 0.9
    head = diary.ledger.head()
    refused("was revealed as entry", one["seq"])
    diary.write(3, replace(asked, criteria="As reported by two agencies."))
    head = diary.ledger.head()
    refused("was reworded since", two["seq"])


def test_all_opens_what_can_be_opened_and_only_ones_own():
    diary, _ = new_diary()
    for n, who in enumerate(("ann", "bob", "ann")):
        sealed(diary, f"0.{n + 1}", START + DAY + n * HOUR, who=who)
    revealed = opened(diary, "", START + 2 * DAY, everything=True)
    assert [row["forecast"] for row in revealed] == [0.1, 0.3]
    with pytest.raises(NotFound, match="none is left"):
        opened(diary, "", START + 2 * DAY, everything=True)


# What a table makes of seals.


def outcome_of(values, shown, outcome, *, space=None, seals="worst", day=30, rule="brier"):
    """Give the score of sealing some values, an hour apart, and showing some when it is known."""
    diary, asked = new_diary(space=space)
    rows = [sealed(diary, value, START + DAY + n * HOUR) for n, value in enumerate(values)]
    diary.write(day, ours.resolved(asked, outcome, day))
    for n in shown:
        opened(diary, rows[n]["seq"], START + (day + 1) * DAY)
    frame = resolved(diary.ledger, Selection(), seals=seals)
    return lifetime.score(frame, rule=rule)["score"].item() if len(frame) else 0.25


def honest(probability, outcome):
    """Logged openly on day 1: a day of silence, 29 days of it, ten after the answer."""
    return (11 * 0.25 + 29 * (probability - (outcome == "yes")) ** 2) / 40


CHOICES = ((), (0,), (1,), (0, 1))


@pytest.mark.parametrize("values", [("0.9", "0.1"), ("0.1", "0.9"), ("0.1",), ("0.99", "0.5")])
def test_sealing_both_sides_and_showing_the_better_one_gains_nothing(values):
    choices = [shown for shown in CHOICES if max(shown, default=0) < len(values)]
    best = {
        outcome: min(outcome_of(values, shown, outcome) for shown in choices)
        for outcome in ("yes", "no")
    }
    for p in (0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95):
        mine = p * best["yes"] + (1 - p) * best["no"]
        truth = p * honest(p, "yes") + (1 - p) * honest(p, "no")
        # The first of two seals stands for an hour of forty days.
        assert mine >= truth - 1 / (24 * 40)


def test_counting_a_hidden_seal_as_silence_would_pay():
    """Why it counts as the worst: who may be silent afterwards, is when it would have cost."""
    best = {
        outcome: min(outcome_of(("0.1",), shown, outcome, seals="missing") for shown in CHOICES[:2])
        for outcome in ("yes", "no")
    }
    gained = 0.5 * honest(0.5, "yes") + 0.5 * honest(0.5, "no") - 0.5 * sum(best.values())
    assert gained > 0.08


unit = st.integers(0, 100).map(lambda percent: f"{percent}%")
shares = st.lists(st.integers(0, 10), min_size=3, max_size=3).filter(sum)
KINDS = {
    "binary": (None, unit, st.sampled_from(["yes", "no"])),
    "options": (
        OPTIONS,
        shares.map(
            lambda parts: {
                "options": {
                    name: f"{part / sum(parts):.12f}"
                    for name, part in zip(OPTIONS.options, parts, strict=True)
                }
            }
        ),
        st.sampled_from(OPTIONS.options),
    ),
    "ordered": (
        replace(OPTIONS, type="ordered"),
        st.sampled_from(OPTIONS.options).map(
            lambda sure: {"options": {o: str(int(o == sure)) for o in OPTIONS.options}}
        ),
        st.sampled_from(OPTIONS.options),
    ),
    "numbers": (
        NUMBERS,
        st.lists(st.integers(0, 200), min_size=3, max_size=3).map(
            lambda n: {"quantiles": dict(zip(("1", "50", "99"), map(str, sorted(n)), strict=True))}
        ),
        st.integers(0, 200).map(str),
    ),
}
RULE = {"binary": "brier", "options": "brier", "ordered": "rps", "numbers": "crps"}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=6)
@given(data=st.data())
def test_to_open_every_seal_is_never_worse_than_to_hide_some(kind, data):
    space, value, outcome = KINDS[kind]
    values = data.draw(st.lists(value, min_size=1, max_size=2))
    happened = data.draw(outcome)
    every = tuple(range(len(values)))
    hidden = data.draw(st.sampled_from(every))
    rule = RULE[kind]
    best = outcome_of(values, every, happened, space=space, rule=rule)
    others = tuple(n for n in every if n != hidden)
    assert outcome_of(values, others, happened, space=space, rule=rule) >= best - 1e-6


def test_a_later_word_ends_the_cost_of_a_hidden_seal_and_a_late_withdrawal_does_not():
    diary, asked = new_diary()
    sealed(diary, "0.1", START + DAY)
    diary.write(2, ours.said(asked, "ann", 0.5, 2))
    diary.write(30, ours.resolved(asked, "yes", 30))
    (row,) = scores(diary.ledger, resamples=99)
    assert row["mean"] == pytest.approx((39 * 0.25 + 1) / 40)
    diary, asked = new_diary()
    sealed(diary, "0.1", START + DAY)
    diary.write(30, ours.resolved(asked, "yes", 30))
    before = scores(diary.ledger, resamples=99)[0]["mean"]
    use.withdraw(diary.ledger, "q", forecaster="ann", now=START + 31 * DAY, at=START + DAY + MINUTE)
    assert (
        scores(diary.ledger, resamples=99)[0]["mean"]
        == before
        == pytest.approx(40 / 40 * (11 * 0.25 + 29) / 40)
    )


def test_what_is_left_out_as_of_a_day_stays_what_it_was_then():
    diary, asked = new_diary()
    other, annulled = ours.question("other"), ours.question("gone")
    diary.write(0, other, annulled, ours.said(annulled, "ann", 0.5, 0.0))
    sealed(diary, "0.1", START + DAY)
    diary.write(2, ours.said(asked, "bob", 0.5, 2), ours.resolved(annulled, "yes", 2))
    use.log(
        diary.ledger, "other", forecaster="ann", now=START + 3 * DAY, sealed=True, probability="0.3"
    )
    wanted = Selection(as_of=START + 10 * DAY)
    then = left_out(diary.ledger, wanted), left_out(diary.ledger, wanted, counted=False)
    assert "1 question without an outcome yet" in then[0][0]
    seal.reveal(diary.ledger, forecaster="ann", now=START + 12 * DAY, everything=True)
    diary.write(13, ours.said(other, "cyd", 0.5, 13), ours.resolved(other, "yes", 13))
    diary.write(20, ours.resolved(asked, "annulled", 20), ours.resolved(annulled, "annulled", 2))
    assert (left_out(diary.ledger, wanted), left_out(diary.ledger, wanted, counted=False)) == then


def test_a_withdrawal_in_time_ends_the_cost_of_a_hidden_seal():
    diary, asked = new_diary()
    sealed(diary, "0.1", START + DAY)
    use.withdraw(diary.ledger, "q", forecaster="ann", now=START + 2 * DAY)
    diary.write(30, ours.resolved(asked, "yes", 30))
    (row,) = scores(diary.ledger, resamples=99)
    assert row["mean"] == pytest.approx((39 * 0.25 + 1) / 40)
    (line,) = use.history(diary.ledger, "q")
    assert (line["kind"], line["until"]) == ("sealed", START + 2 * DAY)


def test_a_seal_takes_back_what_was_said_before_and_costs_nothing_before_the_answer():
    diary, asked = new_diary()
    diary.write(1, ours.said(asked, "ann", 0.8, 1), ours.said(asked, "bob", 0.4, 1))
    sealed(diary, "0.1", START + 2 * DAY)
    assert scores(diary.ledger, resamples=99) == []
    now = START + 3 * DAY
    (row,) = pool.pool(diary.ledger, "q", now=now, method="linear")
    assert row["members"] == ["bob"]
    (earlier, hidden) = [r for r in use.history(diary.ledger, "q", forecaster="ann")]
    assert (earlier["until"], hidden["kind"]) == (START + 2 * DAY, "sealed")
    opened(diary, "q", START + 4 * DAY)
    (row,) = pool.pool(diary.ledger, "q", now=START + 5 * DAY, method="linear")
    assert row["said"] == {"ann": 0.1, "bob": 0.4}
    (row,) = pool.pool(diary.ledger, "q", now=now, method="linear", selection=Selection(as_of=now))
    assert row["members"] == ["bob"]


def test_the_tables_say_how_many_seals_count_as_the_worst():
    diary, asked = new_diary()
    diary.write(1, ours.said(asked, "bob", 0.5, 1))
    rows = [sealed(diary, "0.2", START + DAY), sealed(diary, "0.9", START + 2 * DAY)]
    everybody = Selection()
    assert unrevealed(diary.ledger, everybody) == 0, "nobody is charged before the answer"
    diary.write(30, ours.resolved(asked, "no", 30))
    assert unrevealed(diary.ledger, everybody) == 2
    note = (
        "2 seals not revealed count as the worst forecasts they could hold (forecast reveal opens "
        "them)"
    )
    assert seal_note(diary.ledger, everybody) == note
    assert seal_note(diary.ledger, everybody, "bob", "ann") == note
    assert "2 seals not revealed left out" in seal_note(diary.ledger, everybody, counted=False)
    assert seal_note(diary.ledger, Selection(forecaster="bob")) == ""
    (row,) = [row for row in scores(diary.ledger) if row["forecaster"] == "ann"]
    assert pictures.seals_of("mcb-dsc") == "worst"
    assert row["mean"] > 0.5
    assert seal_note(diary.ledger, Selection(kind="imported")) == ""
    assert unrevealed(diary.ledger, Selection(as_of=START + 29 * DAY)) == 0
    opened(diary, rows[0]["seq"], START + 31 * DAY)
    assert seal_note(diary.ledger, everybody).startswith("1 seal not revealed counts as")
    opened(diary, rows[1]["seq"], START + 31 * DAY)
    assert seal_note(diary.ledger, everybody) == ""


def test_a_question_under_seal_keeps_its_place_in_the_sequence():
    diary = Diary()
    slow, quick = ours.question("q", days=10.0), ours.question("r", days=20.0)
    diary.write(0, slow, quick)
    diary.write(1, ours.said(slow, "bob", 0.5, 1))
    sealed(diary, "0.2", START + DAY)
    diary.write(2, *(ours.said(quick, who, 0.5, 2) for who in ("ann", "bob")))
    diary.write(21, ours.resolved(quick, "yes", 20))
    comparison = compare(diary.ledger, "ann", "bob", now=START + 30 * DAY)
    assert (comparison["steps"], comparison["held_by"]) == (0, "q")


def test_nobody_is_charged_for_a_seal_that_the_question_outgrew():
    diary, asked = new_diary()
    sealed(diary, "0.1", START + DAY)
    diary.write(2, replace(asked, criteria="As reported by two agencies."))
    diary.write(30, ours.resolved(asked, "yes", 30))
    assert scores(diary.ledger, resamples=99) == []


def test_the_order_of_showing_decides_nothing():
    """Of two seals in one instant the later set stands, in whichever order they are shown."""
    tables = []
    for order in itertools.permutations((0, 1)):
        diary, asked = new_diary()
        rows = [sealed(diary, p, START + DAY) for p in ("0.9", "0.2")]
        diary.write(30, ours.resolved(asked, "yes", 30))
        for n in order:
            opened(diary, rows[n]["seq"], START + 31 * DAY)
        frame = resolved(diary.ledger, Selection(), seals="worst")
        listed = [forecast.value.probability for forecast in diary.ledger.forecasts()]
        tables.append((frame["forecast"].tolist(), listed))
    assert tables == [([0.2], [0.9, 0.2])] * 2


def test_the_commands(forecast):
    name = "leaders-meet@2026-12-31"
    command = partial(forecast, now="2026-12-02T12:00:00Z")
    command("log", name, "0.2222", "--sealed", "--at", "2026-12-02T11:00:00Z", code=2)
    result = command("log", name, "0.2222", "--sealed", "--because", "heard")
    assert "keep another one elsewhere" in result.err
    for text in (
        result.out,
        result.err,
        command("history", name).out,
        command("questions", "show", name).out,
    ):
        assert "2222" not in text
        assert "heard" not in text
    assert json.loads(command("verify", "--json").out)["unrevealed"] == 1
    command = partial(forecast, now="2026-12-05T12:00:00Z")
    (row,) = json.loads(command("reveal", name, "--json").out)
    assert (row["forecast"], row["issued_at"]) == (0.2222, "2026-12-02T12:00:00Z")
    assert json.loads(command("history", name, "--json").out)[0]["forecast"] == 0.2222
    assert "was revealed" in command("reveal", name, code=2).err
