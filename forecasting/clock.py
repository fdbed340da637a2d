"""The only reader of the wall clock.

Every other module is given the time, so that every "as of" can be tested. For tests and
demonstrations the clock can be stood still: inside :func:`at`, or for a whole process by the
environment variable ``FORECASTING_NOW`` (ISO 8601 with ``Z``, such as ``2026-01-31T12:00:00Z``).
A ledger written under such a clock records the times that it was told.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

VARIABLE = "FORECASTING_NOW"

_override: ContextVar[datetime | None] = ContextVar("forecasting_now", default=None)


def now() -> datetime:
    """Return the present instant in UTC: of :func:`at`, FORECASTING_NOW, or the clock."""
    instant = _override.get()
    if instant is not None:
        return instant
    text = os.environ.get(VARIABLE, "").strip()
    return _instant(text) if text else datetime.now(UTC)


def overridden() -> bool:
    """Say whether :func:`now` is told rather than read, so that output can say so too."""
    return _override.get() is not None or bool(os.environ.get(VARIABLE, "").strip())


@contextmanager
def at(instant: datetime) -> Iterator[datetime]:
    """Stand the clock still at an instant, for this thread or task alone."""
    if instant.tzinfo is None:
        raise ValueError(f"instant ({instant.isoformat()}): must name its zone")
    inner = instant.astimezone(UTC)
    token = _override.set(inner)
    try:
        yield inner
    finally:
        _override.reset(token)


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        message = f"{VARIABLE} ({text}): must be ISO 8601 with Z, such as 2026-01-31T12:00:00Z"
        raise ValueError(message)
    return instant.astimezone(UTC)
