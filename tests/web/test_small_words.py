"""What the pages make of texts, addresses and times, without a server."""

import datetime as dt
import re
import socket

import pytest

from forecasting.domain.forecast import Quantiles
from forecasting.domain.outcome import OutcomeSpace
from forecasting.errors import InvalidInput
from forecasting.review.filters import without_command
from forecasting.web.bodies import pairs
from forecasting.web.faults import Fault, fault_of
from forecasting.web.hosts import answered, authority, loopback
from forecasting.web.pages.question import _to_hundred
from forecasting.web.serve import public_names
from forecasting.web.typed import percent_typed, spread_around
from forecasting.web.view import ago, environment, flowing, host, until

NARROW = "\N{NARROW NO-BREAK SPACE}"
NOON = dt.datetime(2026, 11, 28, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (pairs(b"a=1&b=x%20y").get("b"), "x y"),
        (loopback("127.0.0.1"), True),
        (loopback("localhost"), True),
        (loopback("::1"), True),
        (loopback("0.0.0.0"), False),
        (authority("::1", 8100), "[::1]:8100"),
        (authority("127.0.0.1", 80), "127.0.0.1"),
        (
            sorted(answered("127.0.0.1", 8100)),
            ["127.0.0.1:8100", "[::1]:8100", "localhost:8100"],
        ),
        ("127.0.0.1:8100" in answered("0.0.0.0", 8100), True),
        (f"{socket.gethostname().lower()}:8100" in answered("0.0.0.0", 8100), True),
        ("example.org:8100" in answered("0.0.0.0", 8100), False),
        ("0.0.0.0:8100" in answered("0.0.0.0", 8100), False),
        (percent_typed("35"), "35%"),
        (percent_typed("2.5"), "2.5%"),
        (percent_typed("0.5%"), "0.5%"),
        (percent_typed("1:3"), "1:3"),
        (percent_typed("likely"), "likely"),
        (_to_hundred({"a": 1, "b": 1, "c": 1}, 3), {"a": "33.4", "b": "33.3", "c": "33.3"}),
        (
            spread_around("200", "fairly", OutcomeSpace("numeric", (), 0.0, 1000.0)),
            {"5": "150", "25": "179.5", "50": "200", "75": "220.5", "95": "250"},
        ),
        (public_names(("https://forecasts.example.org",)), (("forecasts.example.org",), True)),
        (
            flowing("One line\nmore of it.\n\nAnother."),
            "<p>One line more of it.</p><p>Another.</p>",
        ),
        (host("https://www.example.org/world/feed.xml"), "example.org/world/feed.xml"),
        (
            without_command("2 seals not revealed count as the worst: forecast reveal"),
            "2 seals not revealed count as the worst",
        ),
        (
            without_command("1 came early, which favours it (past_close=True leaves such out)."),
            "1 came early, which favours it.",
        ),
        (ago(NOON, NOON), "just now"),
        (ago(NOON - dt.timedelta(hours=5), NOON), "5 hours ago"),
        (ago(NOON - dt.timedelta(days=40), NOON), "40 days ago"),
        (until(NOON + dt.timedelta(days=1, hours=3), NOON), "in 1 day"),
        (until(NOON - dt.timedelta(days=2), NOON), "2 days ago"),
    ],
)
def test_what_a_page_makes_of_it(text, expected):
    assert text == expected


def test_quantiles_are_told_from_shares_by_what_they_are():
    numbers = environment().get_template("numbers.html.j2").module
    few = Quantiles({"5": 0.0, "50": 0.25, "95": 0.5})
    assert _text(numbers.short(few)) == "5 %: 0 · 50 %: 0.25 · 95 %: 0.5"
    assert ">0.25<" in str(numbers.number(few))
    assert _text(numbers.short({"5": 0.25, "50": 0.75})) == "5: 25 % · 50: 75 %"
    assert ">75 %<" in str(numbers.number({"5": 0.25, "50": 0.75})).replace(NARROW, " ")
    # Thousands have commas, so that nothing else may be set apart by one.
    people = Quantiles({"5": 10500.0, "50": 26817.0})
    assert _text(numbers.short(people)) == "5 %: 10,500 · 50 %: 26,817"
    assert _text(numbers.brief(people)) == "26,817 10,500 to 26,817"


def _text(marked):
    """Give what is read of it, with plain spaces."""
    return re.sub(r"<[^>]+>", "", str(marked)).replace(NARROW, " ").replace("\xa0", " ").strip()


def test_a_refusal_of_the_book_stands_at_its_field():
    refused = InvalidInput("probability (7): must lie from 0 to 1", hint="35%")
    assert fault_of(refused) == Fault("p", "7: must lie from 0 to 1. For example: 35%")
    ungraded = InvalidInput("needs a source graded A or B", hint="confirmed=True")
    assert fault_of(ungraded).words == "needs a source graded A or B. Try: tick “I vouch for it”"


@pytest.mark.parametrize(
    ("message", "hint", "words"),
    [
        ("at (2027): lies ahead", "leave out at=TIME", "2027: lies ahead. Try: leave “When” empty"),
        ("deadline (2020): past", "a later day; forecast import x", "2020: past. Try: a later day"),
        ("x: from 2026-11-29T04:04:30.963609Z", "", "x: from 29 Nov 2026, 04:04 UTC"),
        ("x: no", "forecast resolve x yes", "x: no"),
        ("a: b", "s@2027-06-30=0.1 or more, both at once", "a: b. Try: 10 or more by 30 Jun 2027"),
        ("a: b", "unit=percent", "a: b. Try: “Bare numbers are” per cent"),
        ("range (..): must be two numbers", "0..9", "fill both, From and To. For example: 0..9"),
        ("p (5): is 30% meant?", "30%", "5: is 30% meant? For example: 30%"),
        (
            "probabilities (sum 1.1): the options must sum to 1",
            "add -0.1 somewhere",
            "they sum to 110 %, and must sum to 100 %. Try: take 10 away somewhere",
        ),
    ],
)  # fmt: skip
def test_a_way_out_is_one_that_a_form_has(message, hint, words):
    assert fault_of(InvalidInput(message, hint=hint)).words == words


def test_a_moment_of_a_refusal_is_in_the_zone_of_the_page():
    refused = InvalidInput("known_at (2026-11-30T06:00:00Z): lies in the future")
    assert fault_of(refused, "Africa/Addis_Ababa").words == "30 Nov 2026, 09:00: lies in the future"


def test_a_fault_of_a_line_names_it_and_one_of_no_field_stands_where_it_is_mended():
    zone = "zone=Europe/London"
    refused = InvalidInput("Question created (1 May): in which zone", hint=zone, where="fb.csv:2")
    words = "fb.csv:2: Question created (1 May): in which zone. Try: “Zone of its times” "
    assert fault_of(refused) == Fault("zone", f"{words}Europe/London")


@pytest.mark.parametrize("typed", ["0.5", "-3", "-3%", "101", "135%"])
def test_beside_a_percent_sign_a_share_is_asked_about_and_more_than_all_refused(typed):
    with pytest.raises(InvalidInput, match=r"is 50% meant|must lie from 0 to 100") as refused:
        percent_typed(typed)
    words = fault_of(refused.value).words
    assert "from 0 to 1." not in words
    assert percent_typed(refused.value.hint.partition(",")[0])


def test_a_note_names_what_it_is_about_by_titles_and_keeps_the_id_that_it_tells(house):
    from forecasting.web.sessions import Session
    from forecasting.web.visit import Visit

    visit = Visit(house, Session("ana", "forecaster"), "key")
    pairs_of = {
        "its id is power-change-kremlin, since": "its id is power-change-kremlin, since",
        "nobody keeps a list of strike, sanctions: so": (
            "nobody keeps a list of “Russian strike of 500 or more drones and missiles within a "
            "day” and “New American or European sanctions on Russia, ten listings or more”: so"
        ),
        "ceasefire=accepted -2 counts as x0.54": (
            "“General ceasefire on the whole front, for thirty days or more: accepted” -2 counts "
            "as ×0.54"
        ),
        "power-change-kremlin asks about a time after 2027-12-31": (
            "“Will the Russian presidency change hands by 31 December 2026?” asks about a time "
            "after 31 Dec 2027"
        ),
    }
    assert {said: visit.by_title(said) for said in pairs_of} == pairs_of
