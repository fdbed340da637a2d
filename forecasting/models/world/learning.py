"""What a world learns as of a moment: fits of the three graphs, rates, links, and the news gain."""

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from forecasting.arrays import FloatArray, Recent
from forecasting.domain.commentary import Worldview
from forecasting.domain.evidence import Evidence
from forecasting.domain.process import LinkSpec, ProcessSpec, WorldSpec, pools, stated_moves
from forecasting.domain.provenance import Fitted
from forecasting.errors import GateRefused, InvalidInput
from forecasting.evidence.cases import cases_of
from forecasting.evidence.history import DAY, EPOCH, Past, Record
from forecasting.evidence.reports import CodedReport, multiplier
from forecasting.inference.fit import Fit
from forecasting.inference.fits import FitCache
from forecasting.models.news_gain import edges, gain_draws, learned_gain, summary
from forecasting.models.registry import own_hazards
from forecasting.models.world.assembly import Hazard
from forecasting.models.world.classes import ClassDraws, SpellClasses
from forecasting.models.world.delivery import DeliveryClasses
from forecasting.models.world.parameters import Parameters, parameters
from forecasting.models.world.values import Size

Key = tuple[str, str]
#: Draws of processes that are kept: variants of a world share most.
DRAWN = 192


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What one simulation takes from the past, one value a parameter point.

    `drawn` are the moves that a phrase states, and the links; `own` the moves of deliveries and of
    kinds of one's own; `sizes` those of parts whose pace a phrase states. `posterior` are the fits
    behind them, and `owners` the processes that rest on each. `classes` are reference classes by
    process and name. What rests on a process that cannot be learned is not simulated.
    """

    drawn: Parameters
    own: Mapping[Key, Hazard]
    sizes: Mapping[Key, Size | None]
    link_shifts: Mapping[str, float]
    gain: FloatArray | float
    gain_summary: Mapping[str, float | int]
    posterior: Mapping[str, Fit]
    owners: Mapping[str, Collection[str]]
    classes: Mapping[Key, ClassDraws]

    def hazard(self, process: str, move: str) -> Hazard:
        """Give the parameters of a move, drawn when they are asked for."""
        key = (process, move)
        if key in self.own:
            return self.own[key]
        return replace(self.drawn.hazard(*key), size=self.sizes.get(key))

    def beta(self, link: LinkSpec) -> FloatArray:
        """Give the log hazard ratio of a link."""
        return self.drawn.beta(link) + float(np.log(self.link_shifts.get(link.name, 1.0)))

    def holding(self, betas: Mapping[str, float]) -> "Learned":
        """Learn again with some links at a known log hazard ratio."""
        return replace(self, drawn=replace(self.drawn, fixed=betas))

    def behind(self, names: Collection[str]) -> dict[str, Fitted]:
        """Give the record of the fits that some processes rest on."""
        return {
            name: _fitted(fit)
            for name, fit in self.posterior.items()
            if not set(names).isdisjoint(self.owners[name])
        }

    def gate(self, names: Collection[str]) -> str:
        """Give ``passed``, or what a graph behind some processes was refused for."""
        refused = [
            f"{n}: {f.gate.removeprefix('refused: ')}"
            for n, f in self.behind(names).items()
            if f.gate != "passed"
        ]
        return "passed" if not refused else f"refused: {'; '.join(refused)}"

    def verdict(self, names: frozenset[str]) -> str:
        """Say whether the classes behind some processes fit their own cases."""
        each = sorted(self.classes.items(), key=lambda one: one[0][0])
        verdicts = (drawn.verdict for (name, _), drawn in each if name in names)
        return "; ".join(dict.fromkeys(filter(None, verdicts)))


@dataclass(frozen=True, slots=True)
class Learner:
    """Learns from pasts; keeps the fits.

    `openings` is when the first question on a process opened: from then it is in the pooled class.
    `spells` and `deliveries` are the bank's reference classes.
    """

    fits: FitCache
    openings: Mapping[str, dt.datetime]
    seed: int
    spells: SpellClasses
    deliveries: DeliveryClasses
    drawn: Recent[str, Any] = field(default_factory=lambda: Recent(DRAWN))

    def learn(
        self,
        variant: Any,
        spec: WorldSpec,
        records: Mapping[str, Record],
        pasts: Mapping[Key, Past],
        coded: Sequence[CodedReport],
        *,
        items: Sequence[Evidence],
        as_of: dt.datetime,
        points: int,
    ) -> Learned:
        """Learn every parameter of a part of the world as of a moment."""
        shifts, link_shifts, gain_shift = _shifts(variant.worldview)
        by_move: dict[Key, list[CodedReport]] = {}
        for report in coded:
            by_move.setdefault((report.process, report.move), []).append(report)
        cases = cases_of(items)
        own: dict[Key, Hazard] = {}
        sizes: dict[Key, Size | None] = {}
        shared: dict[str, ProcessSpec] = {}
        faults: dict[str, str] = {}
        classes: dict[Key, ClassDraws] = {}
        delivered: dict[str, Fit] = {}
        for name, process in spec.processes.items():
            try:
                mine = own_hazards(process, pasts, points=points, seed=self.seed, shifts=shifts)
            except InvalidInput as fault:
                faults[name] = fault.message
                continue
            if mine is not None:
                own |= mine
                continue
            # Others' rates borrow from it, whatever becomes of its own fits.
            shared[name] = process
            try:
                if process.delivery is not None:
                    moves, delivered[name] = self.deliveries.hazards(
                        process,
                        records[name],
                        cases,
                        as_of,
                        history=variant.history,
                        points=points,
                        seed=self.seed,
                    )
                    paced = {move.name for move in stated_moves(process)}
                    # What the bank states of a pace holds; how large parts are, it cannot say.
                    own |= {(name, m): hazard for m, hazard in moves.items() if m not in paced}
                    sizes |= {(name, m): moves[m].size for m in paced}
                    continue
                for move in process.moves:
                    key = (name, move.phrase.reference)
                    if move.phrase.form == "class" and key not in classes:
                        known = cases if variant.history else ()
                        classes[key] = self.spells.draws(key[1], known, as_of, process)
            except (InvalidInput, GateRefused) as fault:
                faults[name] = f"process ({name}): {fault}"
        drawn = parameters(
            shared,
            pasts,
            points=points,
            seed=self.seed,
            links=spec.links if variant.links else (),
            fits=self.fits,
            classes={key: each.draws for key, each in classes.items()},
            pool=[key for key in pasts if self.openings.get(key[0], as_of) <= as_of],
            pooled=variant.pooled,
            history=variant.history,
            multipliers={
                key: piece_multipliers(pasts[key], mine)
                for key, mine in by_move.items()
                if key in pasts
            },
            shifts=shifts,
            cache=self.drawn,
            faults=faults,
        )
        behind = [(f"spells {of}/{name}", each.fit, {name}) for (name, of), each in classes.items()]
        if drawn.pool is not None and drawn.pool.fit is not None:
            behind.append(
                ("rates", drawn.pool.fit, {n for n, each in shared.items() if pools(each)})
            )
        behind += [(f"deliveries {name}", fit, {name}) for name, fit in delivered.items()]
        gain = learned_gain(pasts, by_move) if variant.news else None
        return Learned(
            drawn,
            own,
            sizes,
            link_shifts,
            1.0 if gain is None else gain_draws(points, self.seed, gain) * gain_shift,
            {} if gain is None else summary(gain),
            {name: fit for name, fit, _ in behind},
            {name: owners for name, _, owners in behind},
            classes,
        )


def piece_multipliers(past: Past, coded: Sequence[CodedReport]) -> FloatArray:
    """Give the mean hazard ratio of a move's reports over each piece of its past, at gain 1."""
    multipliers = np.ones(len(past.pieces))
    for place, (piece, ended) in enumerate(zip(past.pieces, past.heard_from, strict=True)):
        until = piece.day + piece.end - piece.begin
        acting = [r for r in coded if ended <= (r.known_at - EPOCH) / DAY < until]
        if acting and until > piece.day:
            cuts = edges(acting, piece.day, until)
            ratios = multiplier(acting, (cuts[1:] + cuts[:-1]) / 2.0)
            multipliers[place] = float(ratios @ np.diff(cuts)) / (until - piece.day)
    return multipliers


def _shifts(view: Worldview | None) -> tuple[dict[Key, float], dict[str, float], float]:
    """Give what a worldview changes: log factors of rates, factors of links, and of the gain."""
    rates: dict[Key, float] = {}
    links: dict[str, float] = {}
    gain = 1.0
    for change in view.changes if view is not None else ():
        if change.link:
            links[change.link] = change.times
        elif change.process:
            rates[change.process, change.move] = float(np.log(change.times))
        else:
            gain *= change.times
    return rates, links, gain


def _fitted(fit: Fit) -> Fitted:
    digest = hashlib.sha256(f"{fit.data_hash}{fit.priors_hash}{fit.seed}".encode()).hexdigest()
    passed, reasons = fit.report.passed, "; ".join(fit.report.reasons)
    return Fitted(digest, "passed" if passed else f"refused: {reasons}")
