"""What every report weighs on every move: when it came, and at one moment."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, isfinite
from typing import Any

from forecasting.domain.catalog import Catalog
from forecasting.domain.evidence import LASTING, Evidence, half_life_of
from forecasting.evidence import known, learned, without_retracted
from forecasting.evidence.predicates import NewsWorld
from forecasting.evidence.relevant import ancestors, asked
from forecasting.evidence.reports import CodedReport, ends_of, reports, unusable


@dataclass(frozen=True, slots=True)
class Weights:
    """What every report weighs on every move: when it came, and at one moment.

    `over` says when a report ended: its move fired, or its state was left. `rests` gives the
    processes that each question rests on: what acts on none of them has no way to it.
    """

    coded: Mapping[str, tuple[CodedReport, ...]]
    over: Mapping[CodedReport, dt.datetime]
    moment: dt.datetime
    unusable: Mapping[str, str]
    processes: frozenset[str]
    rests: Mapping[str, frozenset[str]]

    @classmethod
    def of(
        cls,
        items: Sequence[Evidence],
        moment: dt.datetime,
        catalog: Catalog,
        world: NewsWorld,
    ) -> "Weights":
        """Weigh the reports known by a moment, with what was learned of their sources by then."""
        trust = learned(items, catalog.questions, catalog.outcomes, moment)
        coded = reports(
            items,
            world.world,
            catalog.questions,
            world.predicates,
            reliability=trust,
            as_of=moment,
        )
        standing = without_retracted(known(items, moment))
        records = {
            name: world.record(process, standing, moment)
            for name, process in world.world.processes.items()
            if any(report.process == name for report in coded)
        }
        by_key: dict[str, list[CodedReport]] = {}
        for report in coded:
            by_key.setdefault(report.key, []).append(report)
        over = {
            report: min(ends)
            for report in coded
            if (
                ends := [
                    end
                    for end in ends_of(records[report.process], report.move)
                    if end > report.known_at
                ]
            )
        }
        lost = unusable(items, world.world, catalog.questions, world.predicates)
        return cls(
            {key: tuple(each) for key, each in by_key.items()},
            over,
            moment,
            {item.key: reason for item, reason in lost},
            frozenset(world.world.processes),
            {
                name: ancestors(world.world.links, asked(predicate))
                for name, predicate in world.predicates.items()
            },
        )

    def on(self, item: Evidence) -> list[dict[str, Any]]:
        """Give the moves that an item acts on, as hazard ratios; none for a copy."""
        return [
            {
                "process": report.process,
                "move": report.move,
                "then": exp(report.log_ratio),
                "now": 1.0 if report in self.over else exp(report.weight_at(self.moment)),
                "half_life": report.half_life if isfinite(report.half_life) else LASTING,
                "bound": exp(report.bound),
                "over": report in self.over,
            }
            for report in self.coded.get(item.key, ())
        ]

    def row(self, item: Evidence) -> dict[str, Any]:
        """Give what a listing shows: the strongest of its moves, then and now."""
        moves = self.on(item)
        reported = [effect for effect in item.effects if effect.reports]
        if not reported:
            return {"then": None, "now": None, "half_life": None, "moves": moves, "unusable": None}
        half_life = half_life_of(reported[0])
        nothing = {"then": 1.0, "now": 1.0}
        first = max(moves, key=lambda way: max(way["then"], 1.0 / way["then"]), default=nothing)
        return {
            "then": first["then"],
            "now": first["now"],
            "half_life": half_life if isfinite(half_life) else LASTING,
            "moves": moves,
            "unusable": self.unusable.get(item.key),
        }
