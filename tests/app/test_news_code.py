"""An item recorded anew keeps everything that nobody changed."""

import datetime as dt
from operator import attrgetter

from forecasting import clock
from forecasting.domain.evidence import parse_effect, standing

NOW = dt.datetime(2026, 11, 28, 12, tzinfo=dt.UTC)
KEPT = attrgetter("title", "source", "url", "known_at", "event_at", "grade", "note")


def _standing(book):
    items = standing(book.ledger.evidence())
    (item,) = [each for each in items if each.title == "A delegation travels"]
    return item


def _added(book):
    book.add_news(
        "A delegation travels",
        source="wire",
        url="https://example.org/a",
        grade="B",
        known_at=NOW - dt.timedelta(days=3),
        event_at=NOW - dt.timedelta(days=4),
        because="two agencies have it",
        on=["ceasefire=accepted=+1"],
        half_life="20",
    )
    return _standing(book)


def test_what_it_does_is_all_that_a_code_changes(bank_book):
    with clock.at(NOW):
        before = _added(bank_book)
        bank_book.code_news(str(before.seq), ["ceasefire=accepted=+2"])
        after = _standing(bank_book)
    assert KEPT(after) == KEPT(before)
    assert after.seq != before.seq
    assert [effect.stated for effect in after.effects] == ["+2"]


def test_what_a_fact_said_of_its_moment_goes_with_it(bank_book):
    with clock.at(NOW):
        bank_book.add_news("A delegation travels", source="wire", grade="B", known_at=NOW)
        before = _standing(bank_book)
        fact = ["ceasefire=accepted"]
        bank_book.code_news(
            str(before.seq), fact, event_at=NOW - dt.timedelta(days=2), grade="A", because="both"
        )
        bank_book.uncode_news(str(_standing(bank_book).seq))
        after = _standing(bank_book)
    assert KEPT(after) == KEPT(before)
    assert after.effects == ()


def test_a_story_is_all_that_joining_one_changes(bank_book):
    with clock.at(NOW):
        before = _added(bank_book)
        bank_book.join_story(str(before.seq), "journey")
        after = _standing(bank_book)
    assert KEPT(after) == KEPT(before)
    assert after.story == "journey"
    assert after.effects == before.effects


def test_only_an_item_after_the_watch_says_that_somebody_looked_further():
    """An item from within the watch moves no end of it, so nothing is said of it."""
    from types import SimpleNamespace

    from forecasting.app.news.code import _watched_until

    watched = dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC)
    plain = SimpleNamespace(
        bank=SimpleNamespace(world=SimpleNamespace(processes={"convoy": None})),
        model=SimpleNamespace(watched_until=lambda names, at: dict.fromkeys(names, watched)),
        at=lambda now: now,
    )
    for hours, ends in ((-24, {}), (0, {}), (1, {"convoy": watched})):
        known_at = watched + dt.timedelta(hours=hours)
        item = SimpleNamespace(known_at=known_at, effects=[parse_effect("convoy", "+1")])
        assert _watched_until(plain, item, watched + dt.timedelta(days=1)) == ends
