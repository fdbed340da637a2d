"""Adding, showing, retracting news: a refusal writes nothing, what is alike stays apart."""

import datetime as dt
import json
import shlex
from dataclasses import replace
from typing import Any

import pytest

from forecasting.app import news
from forecasting.app.book import Book
from forecasting.domain.forecast import Forecast, binary_value
from forecasting.errors import InvalidInput, NotFound
from forecasting.store import Ledger

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
RUNG = "general-ceasefire-2026@2026-12-31"


@pytest.fixture
def ledger(bank_book: Book) -> Ledger:
    return bank_book.ledger


def _add(ledger: Ledger, title: str = "Envoys leave", *on: str, **more: Any) -> dict[str, Any]:
    given = {"source": "wire", "known_at": NOON, "now": NOW, "on": on} | more
    return news.add(ledger, title, **given)


@pytest.mark.parametrize(
    ("on", "more", "message"),
    [
        ((f"{RUNG}=0/0.2",), {}, "must lie above 0"),
        ((f"{RUNG}=0.6/1.01",), {}, "at most at 1"),
        ((f"{RUNG}=x0",), {}, "above 0 and finite"),
        ((f"{RUNG}=xinf",), {}, "must be a pair"),
        ((f"{RUNG}=x" + "9" * 400,), {}, "above 0 and finite"),
        ((f"{RUNG}=.{'0' * 200}1/.{'0' * 200}1",), {}, "too small"),
        ((f"{RUNG}=",), {}, "must be a pair"),
        (("leaders-meet@2025-12-31=x2",), {}, "had closed"),
        ((RUNG + "=x2", RUNG + "=x3"), {}, "is named twice"),
        (("guarantees-2026=x2",), {}, "yes-no question"),
        (("exchange-1000-2026=delivered=800",), {}, "1005 of the 1000 agreed"),
        (("exchange-1000-2026@2026-12-31=delivered=796",), {}, "at most delivered=795"),
        (
            ("exchange-1000-2026=delivered=1", "exchange-1000-2026@2026-12-31=delivered=1"),
            {},
            "shares its process",
        ),
        (("exchange-1000-2026=violated",), {}, "takes begun or delivered"),
        (("leaders-meet=delivered=3",), {}, "needs a question on an agreed exchange"),
        (
            ("exchange-1000-2026=delivered=3",),
            {"event_at": NOON - 400 * 24 * HOUR},
            "before it was agreed",
        ),
        (
            ("energy-pause-2026-kept=ended",),
            {"known_at": dt.datetime(2026, 1, 20, tzinfo=dt.UTC)},
            "before it began",
        ),
        (
            ("energy-pause-2026-kept=violated",),
            {
                "known_at": dt.datetime(2026, 1, 30, tzinfo=dt.UTC),
                "event_at": dt.datetime(2026, 1, 20, tzinfo=dt.UTC),
            },
            "before it began",
        ),
        ((), {"event_at": NOON + HOUR}, "before it happened"),
        ((), {"known_at": NOW + HOUR}, "in the future"),
        ((), {"grade": "G"}, "must be one of A, B"),
        ((), {"source": " "}, "a title and a source"),
        ((), {"url": "x" * 2001}, "at most 2000"),
        ((), {"story": "\0"}, "NUL"),
    ],
)
def test_what_breaks_a_rule_is_one_clear_line_and_nothing_is_written(
    ledger: Ledger, on: tuple[str, ...], more: dict[str, Any], message: str
) -> None:
    before = ledger.head()
    with pytest.raises(InvalidInput) as refused:
        _add(ledger, "Envoys leave", *on, **more)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert ledger.head() == before


def test_an_unknown_question_names_the_nearest(ledger: Ledger) -> None:
    before = ledger.head()
    with pytest.raises(NotFound) as refused:
        _add(ledger, "Envoys leave", "general-ceasfire-2026=x2")
    assert refused.value.hint == "general-ceasefire-2026"
    assert ledger.head() == before


def test_tranches_add_up_to_the_package_and_no_further(ledger: Ledger) -> None:
    # The bank knows of 205 of the 1,000.
    _add(ledger, "Second stage", "exchange-1000-2026=delivered=395")
    with pytest.raises(InvalidInput, match="at most delivered=400"):
        _add(ledger, "Third stage", "exchange-1000-2026=delivered=401")
    last = _add(ledger, "Third stage", "exchange-1000-2026=delivered=400")
    news.retract(ledger, str(last["seq"]), because="a slip", now=NOW)
    _add(ledger, "Third stage", "exchange-1000-2026=delivered=390")


def test_an_effect_on_a_ladder_is_one_item_on_the_process(ledger: Ledger) -> None:
    row = _add(ledger, "Envoys leave", "general-ceasefire-2026=x0.5", grade="b")
    assert row["on"] == {"general-ceasefire-2026": "x0.5"}
    shown = news.show(ledger, row["key"])
    assert [effect["target"] for effect in shown["effects"]] == ["general-ceasefire-2026"]
    assert shown["effects"][0]["form"] == "likelihood"
    assert shown["grade"] == "B"


def test_likeness_is_proposed_with_the_command_and_never_merged(ledger: Ledger) -> None:
    first = _add(ledger, "Envoys leave without a date for talks", f"{RUNG}=x0.5")
    assert first["similar"] == []
    second = _add(
        ledger, "Envoys leave without any date for talks", f"{RUNG}=x0.5", source="o'wire",
        known_at=NOON + 20 * HOUR, because="a guess",
    )  # fmt: skip
    (alike,) = second["similar"]
    assert (alike["seq"], alike["why"]) == (first["seq"], "nearly the same title")
    assert news.show(ledger, str(second["seq"]))["story"] == ""
    # The command is whole: it records the same item in the story, instead of this one.
    words = shlex.split(alike["accept"])
    assert words[:3] == ["forecast", "news", "add"]
    given = dict(zip(words[4::2], words[5::2], strict=True))
    assert given == {
        "--source": "o'wire", "--known-at": "2026-11-21T08:00:00Z", "--because": "a guess",
        "--on": f"{RUNG}=x0.5", "--story": first["key"], "--instead-of": str(second["seq"]),
    }  # fmt: skip
    accepted = _add(
        ledger, words[3], given["--on"], source=given["--source"], known_at=NOON + 20 * HOUR,
        because=given["--because"], story=given["--story"], instead_of=given["--instead-of"],
    )  # fmt: skip
    assert accepted["similar"] == []
    assert news.show(ledger, str(second["seq"]))["state"] == "retracted"
    others = news.show(ledger, str(accepted["seq"]))["story_items"]
    assert [(row["seq"], row["state"]) for row in others] == [(first["seq"], "standing")]


def test_the_same_address_is_alike_whatever_the_title(ledger: Ledger) -> None:
    first = _add(ledger, "One title", url="https://www.example.org/a?utm_source=x")
    (alike,) = _add(ledger, "Wholly other words", url="https://example.org/a")["similar"]
    assert (alike["seq"], alike["why"]) == (first["seq"], "same address")


def test_a_retraction_is_an_entry_and_the_item_stays_in_the_record(ledger: Ledger) -> None:
    row = _add(ledger, "Envoys leave", f"{RUNG}=x0.5")
    listed = news.rows(ledger)
    entry = news.retract(ledger, row["id"], because="denied", now=NOW)
    assert entry["retracts"] == row["seq"]
    assert [r for r in listed if r["seq"] != row["seq"]] == news.rows(ledger)
    states = {r["seq"]: r["state"] for r in news.rows(ledger, everything=True)}
    assert (states[row["seq"]], states[entry["seq"]]) == ("retracted", "retraction")
    shown = news.show(ledger, str(row["seq"]))
    assert shown["retracted_by"] == {"seq": entry["seq"], "known_at": NOW, "because": "denied"}
    for name, message in [(row["key"], "retracted already"), (entry["key"], "is a retraction")]:
        with pytest.raises(InvalidInput, match=message):
            news.retract(ledger, name, because="again", now=NOW)


@pytest.mark.parametrize(
    ("because", "known_at", "message"),
    [
        (" ", None, "needs a reason"),
        ("x", NOON - HOUR, "before it was known"),
        ("x", NOW + HOUR, "in the future"),
        ("x" * 20_001, None, "at most 20000"),
    ],
)
def test_a_retraction_needs_a_reason_and_a_time_that_can_be(
    ledger: Ledger, because: str, known_at: dt.datetime | None, message: str
) -> None:
    row = _add(ledger)
    before = ledger.head()
    with pytest.raises(InvalidInput, match=message):
        news.retract(ledger, row["key"], because=because, now=NOW, known_at=known_at)
    assert ledger.head() == before


def test_what_is_no_news_is_not_found_as_news(ledger: Ledger) -> None:
    with pytest.raises(NotFound, match="no such item"):
        news.show(ledger, "99999")
    with pytest.raises(NotFound, match="is a question, no news"):
        news.show(ledger, "1")


def test_showing_an_item_names_the_forecasts_that_it_moved(ledger: Ledger) -> None:
    row = _add(ledger, "Envoys leave", f"{RUNG}=x0.5", story="envoys")
    alone = _add(ledger, "Quite another thing", f"{RUNG}=x2")
    forecast = Forecast(
        question=RUNG, question_hash="0" * 64, forecaster="model", value=binary_value("0.2"),
        issued_at=NOW, kind="live",
        meta={"moved": json.dumps([["envoys", [-0.51]], [alone["key"], 0.4], ["time", [0.1]]])},
    )  # fmt: skip
    question = next(q for q in ledger.questions() if q.id == RUNG)
    forecast = replace(forecast, question_hash=question.wording_hash)
    (entry,) = ledger.append([forecast], recorded_at=NOW)
    (by_story,) = news.show(ledger, row["key"])["moved"]
    assert (by_story["forecast"], by_story["of"], by_story["delta_logit"]) == (
        entry.seq, "story", -0.51,
    )  # fmt: skip
    (by_item,) = news.show(ledger, alone["key"])["moved"]
    assert (by_item["of"], by_item["delta_logit"]) == ("item", 0.4)
