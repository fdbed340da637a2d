"""Items that are alike, and shares of a change."""

import datetime as dt
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.domain.evidence import Evidence
from forecasting.evidence.shapley import EXACT, shapley
from forecasting.evidence.similar import WITHIN, Index, address, same_title, words

NOON = dt.datetime(2026, 5, 9, 12, tzinfo=dt.UTC)


def _item(key, title, *, url="", story="", at=NOON):
    return Evidence(key, "report", title, "wire", at, (), url=url, story=story, stream="news")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Envoys leave without a date", "ENVOYS LEAVE, without a date!", True),
        ("Envoys leave Geneva without a date", "Envoys leave without any date", False),
        ("Envoys leave Geneva without a date", "Envoys leave Geneva without any date", True),
        ("205 prisoners freed on each side", "307 prisoners freed on each side", False),
        ("205 prisoners freed on each side", "prisoners freed on each side", True),
        ("Café reopens", "Cafe\u0301 reopens", True),
        ("", "", False),
        ("!!!", "???", False),
    ],
)
def test_titles_that_are_nearly_the_same(one, other, same):
    assert same_title(words(one), words(other)) is same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://www.example.org/a/", "http://example.org/a"),
        ("https://example.org/a?utm_source=x&id=3#top", "https://example.org/a?id=3"),
        ("https://m.example.org/a?b=1&c=2", "https://example.org/a?c=2&b=1"),
    ],
)
def test_one_address_in_two_spellings(one, other):
    assert address(one) == address(other) != ""


@pytest.mark.parametrize("url", ["", "not an address", "http://[bad", "ETH/PRIO | x"])
def test_what_is_no_address_is_like_nothing(url):
    index = Index([_item("a", "One thing", url=url)])
    assert index.like("Another matter", url=url, known_at=NOON) == []


def test_the_same_address_counts_at_any_time_and_a_title_for_two_days():
    old = _item("a", "Envoys leave without a date", url="https://example.org/a")
    index = Index([old])

    def reasons(url, after):
        return [
            alike.why
            for alike in index.like("Envoys leave without a date", url=url, known_at=NOON + after)
        ]

    assert reasons("https://example.org/a", 30 * WITHIN) == ["same address"]
    assert reasons("https://other.org/b", WITHIN) == ["nearly the same title"]
    assert reasons("https://other.org/b", WITHIN + dt.timedelta(seconds=1)) == []


def test_what_shares_the_story_already_is_not_proposed_again():
    index = Index([_item("a", "Envoys leave", story="summit/wire"), _item("b", "Envoys leave")])
    like = index.like("Envoys leave", url="", known_at=NOON, story="summit/own-reporter")
    assert [alike.item.key for alike in like] == ["b"]
    assert index.like("Envoys leave", url="", known_at=NOON, story="b")[0].item.key == "a"


@given(st.integers(0, 10_000))
def test_the_index_finds_exactly_what_comparing_with_all_finds(seed):
    rng = random.Random(seed)
    vocabulary = ["a", "b", "c", "d", "e", "f", "7", "9"]
    titles = [" ".join(rng.choices(vocabulary, k=rng.randint(1, 6))) for _ in range(30)]
    items = [_item(f"k{i}", title) for i, title in enumerate(titles)]
    asked = " ".join(rng.choices(vocabulary, k=rng.randint(1, 6)))
    like = Index(items).like(asked, url="", known_at=NOON)
    expected = {item.key for item in items if same_title(words(item.title), words(asked))}
    assert {alike.item.key for alike in like} == expected


def test_sampled_shares_add_up_and_agree_with_exact_ones():
    rng = np.random.default_rng(3)
    weights = rng.normal(size=EXACT + 3)

    def worth(coalition):
        return np.array([np.tanh(sum(weights[i] for i in coalition)), len(coalition) ** 0.5])

    everyone = frozenset(range(EXACT + 3))
    drawn = shapley(EXACT + 3, worth, seed=1)
    assert np.allclose(drawn.sum(axis=0), worth(everyone) - worth(frozenset()), atol=1e-12)
    exact = shapley(EXACT, worth)
    # The second game is the same for every player: each gets an equal share.
    assert np.allclose(exact[:, 1], EXACT**0.5 / EXACT)
    assert np.allclose(drawn[:, 1], (EXACT + 3) ** 0.5 / (EXACT + 3), atol=1e-9)
