"""The clock is read in one place, is always UTC, and stands still when told to."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting import clock

INSTANT = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_the_wall_clock_is_aware_and_utc():
    before = datetime.now(UTC)
    now = clock.now()
    assert now.tzinfo is UTC
    assert before <= now <= datetime.now(UTC)
    assert not clock.overridden()


@given(st.integers(-14 * 60, 14 * 60))
def test_one_instant_is_the_same_in_every_zone(minutes):
    there = INSTANT.astimezone(timezone(timedelta(minutes=minutes)))
    with clock.at(there):
        assert clock.now() == INSTANT
        assert clock.now().tzinfo is UTC


def test_a_stood_clock_runs_again_afterwards_even_after_a_fault():
    later = INSTANT + timedelta(days=1)
    with clock.at(INSTANT):
        with suppress(KeyError), clock.at(later):
            assert clock.now() == later
            raise KeyError
        assert clock.now() == INSTANT
    assert not clock.overridden()


@pytest.mark.parametrize("text", ["2026-01-31T12:00:00Z", "2026-01-31T14:00:00+02:00"])
def test_the_environment_tells_the_time_of_a_process(text, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", text)
    assert clock.overridden()
    assert clock.now() == INSTANT
    assert clock.now().tzinfo is UTC
    with clock.at(INSTANT - timedelta(days=9)):
        assert clock.now() < INSTANT


@pytest.mark.parametrize("text", ["2026-01-31T12:00:00", "2026-01-31", "yesterday"])
def test_a_time_without_its_zone_is_refused(text, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", text)
    with pytest.raises(ValueError, match=re.escape(f"FORECASTING_NOW ({text}): must be ISO 8601")):
        clock.now()
    with pytest.raises(ValueError, match="must name its zone"), clock.at(datetime(2026, 1, 31)):
        pass


def test_no_other_module_reads_the_wall_clock(root):
    reading = re.compile(
        r"\b(datetime|date)\.(now|today|utcnow)\(|\btime\.(time|time_ns|localtime|gmtime)\("
        r"|Timestamp\.(now|today|utcnow)\("
    )
    readers = {
        file.relative_to(root).as_posix()
        for file in (root / "forecasting").rglob("*.py")
        if reading.search(file.read_text(encoding="utf-8"))
    }
    assert readers == {"forecasting/clock.py"}
