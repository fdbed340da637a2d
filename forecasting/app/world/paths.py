"""Typical stories of a world's paths, and its processes over time as fans."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from forecasting.app.world.scenario import Live
from forecasting.domain.process import WorldSpec
from forecasting.models.world.paths import FAN
from forecasting.review.data import Fan

#: Dates of a fan.
POINTS = 60


def stories(found: Live, count: int) -> list[dict[str, Any]]:
    """Give the most frequent stories of the linked processes, each step with its median month.

    Streams that nothing hangs on are left out, for they move in every path.
    """
    told = found.run.paths.stories(count, processes=joined(found.run.spec))
    origin = found.run.world.origin
    rows = []
    for story in told:
        steps = [
            f"{step} in {origin + dt.timedelta(days=day):%B %Y}"
            for step, day in zip(story.steps, story.days, strict=True)
        ]
        rows.append({"weight": story.share, "story": ", ".join(steps) or "no move"})
    return rows


def joined(spec: WorldSpec) -> list[str]:
    """Give the processes that a link joins to another; all where no two are."""
    names = {name for link in spec.links for name in (link.parent, link.child)}
    return [name for name in spec.processes if name in names] or list(spec.processes)


def fans(found: Live, *, linked: bool = False) -> list[Fan]:
    """Give each process over time: shares of states, or quantiles of what was delivered.

    With `linked`, only those that a link joins to another.
    """
    names = joined(found.run.spec) if linked else list(found.run.spec.processes)
    step = (found.until - found.as_of) / POINTS
    moments = [found.as_of + step * k for k in range(POINTS)]
    return [_fan(found, name, moments) for name in names]


def _fan(found: Live, name: str, moments: Sequence[dt.datetime]) -> Fan:
    process = found.run.spec.processes[name]
    shown = process.title or name
    drawn = found.run.paths.fan(name, moments).tolist()
    if process.kind in {"event", "delivery"}:
        unit = process.delivery.unit if process.delivery else "events"
        return Fan(name, shown, moments, quantiles=drawn, levels=FAN, unit=unit)
    return Fan(name, shown, moments, states=process.states, shares=drawn)
