"""Typical stories of a world's paths, and its processes over time as fans."""

import datetime as dt
from typing import Any

from forecasting.app.scenario import Live
from forecasting.models.world.tables import FAN
from forecasting.review.data import Fan

#: Dates of a fan.
POINTS = 60


def title(found: Live) -> str:
    """Name what is shown."""
    last = max(question.closes for question in found.questions)
    return (
        f"Simulated from {found.as_of:%d %B %Y} to {last:%d %B %Y}: "
        f"{found.run.world.draws:,} paths of {len(found.run.world.processes)} processes"
    )


def stories(found: Live, count: int) -> list[dict[str, Any]]:
    """Give the most frequent stories with their weights."""
    return [
        {"weight": story.share, "story": ", then ".join(story.steps) or "nothing moves"}
        for story in found.run.paths.stories(count)
    ]


def fans(found: Live) -> list[Fan]:
    """Give each process over time: shares of states, or quantiles of what was delivered."""
    last = max(question.closes for question in found.questions)
    step = (last - found.as_of) / (POINTS - 1)
    moments = [found.as_of + step * k for k in range(POINTS)]
    return [_fan(found, name, moments) for name in found.run.spec.processes]


def _fan(found: Live, name: str, moments: list[dt.datetime]) -> Fan:
    process = found.run.spec.processes[name]
    shown = process.title or name
    drawn = found.run.paths.fan(name, moments).tolist()
    if process.kind in {"event", "delivery"}:
        unit = process.delivery.unit if process.delivery else "events"
        return Fan(name, shown, moments, quantiles=drawn, levels=FAN, unit=unit)
    return Fan(name, shown, moments, states=process.states, shares=drawn)
