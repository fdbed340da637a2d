"""What a world learns as of a moment: fits of the three graphs, rates, links, and the news gain."""

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from forecasting.arrays import FloatArray, Recent
from forecasting.domain.commentary import Worldview
from forecasting.domain.evidence import Evidence
from forecasting.domain.process import ProcessSpec, WorldSpec, pools, stated_moves
from forecasting.domain.provenance import Fitted
from forecasting.errors import GateRefused, InvalidInput
from forecasting.evidence.cases import cases_of
from forecasting.evidence.history import DAY, EPOCH, Past, Record
from forecasting.evidence.reports import CodedReport, multiplier
from forecasting.inference.fit import Fit
from forecasting.inference.fits import FitCache
from forecasting.models.news_gain import gain_draws, learned_gain, summary
from forecasting.models.registry import own_hazards
from forecasting.models.spells import SpellDraws
from forecasting.models.world.assembly import Hazard
from forecasting.models.world.classes import ClassDraws, ClassOf, told_apart
from forecasting.models.world.delivery import DeliveryOf
from forecasting.models.world.parameters import Lazily, Parameters, parameters

Key = tuple[str, str]
#: A piece of the past is averaged over so many moments, where reports acted on it.
MOMENTS = 24
#: Draws of processes that are kept: variants of a world share most.
DRAWN = 192


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What one simulation takes from the past.

    `hazards`, `betas`, `gain`: one value a parameter point; those of a process are drawn when it is
    simulated. `posterior` are the fits behind them, and `owners` the processes that rest on each.
    `classes` are the reference classes behind each process. `faults`: processes whose parameters
    cannot be learned, and why; what rests on them is not simulated. `holding` learns again with
    some links at a known log hazard ratio.
    """

    hazards: Mapping[Key, Hazard]
    betas: Mapping[str, FloatArray]
    gain: FloatArray | float
    posterior: Mapping[str, Fit]
    classes: Mapping[str, Sequence[ClassDraws]]
    gain_summary: Mapping[str, float | int]
    faults: Mapping[str, str]
    owners: Mapping[str, frozenset[str]]
    holding: Callable[[Mapping[str, float]], "Learned"]

    def behind(self, names: Collection[str]) -> dict[str, Fitted]:
        """Give the record of the fits that some processes rest on."""
        return {
            name: Fitted(_digest(fit), _gate(fit))
            for name, fit in self.posterior.items()
            if self.owners[name] & set(names)
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
        verdicts = (each.verdict for name in sorted(names) for each in self.classes.get(name, ()))
        return "; ".join(dict.fromkeys(filter(None, verdicts)))


@dataclass(frozen=True, slots=True)
class Learner:
    """Learns from pasts; keeps the fits.

    `openings` is when the first question on a process opened: from then it is in the pooled class.
    `classes` draws the reference classes of spells, `deliveries` the moves of deliveries.
    """

    fits: FitCache
    openings: Mapping[str, dt.datetime]
    seed: int
    classes: ClassOf
    deliveries: DeliveryOf
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
        times = {
            key: piece_multipliers(past, by_move[key])
            for key, past in pasts.items()
            if key in by_move
        }
        cases = cases_of(items)
        hazards: dict[Key, Hazard] = {}
        stated: dict[Key, Hazard] = {}
        shared: dict[str, ProcessSpec] = {}
        faults: dict[str, str] = {}
        posterior: dict[str, Fit] = {}
        owners: dict[str, frozenset[str]] = {}
        draws: dict[str, SpellDraws] = {}
        delivered: dict[str, Fit] = {}
        classes: dict[str, list[ClassDraws]] = {}
        known = cases if variant.history else ()
        for name, process in spec.processes.items():
            try:
                own = own_hazards(process, pasts, points=points, seed=self.seed, shifts=shifts)
            except InvalidInput as fault:
                faults[name] = fault.message
                continue
            if own is not None:
                hazards |= own
                continue
            # Others' rates borrow from it, whatever becomes of its own fits.
            shared[name] = process
            try:
                if process.delivery is not None:
                    moves, fit = self.deliveries(
                        process,
                        records[name],
                        cases,
                        as_of,
                        self.fits,
                        history=variant.history,
                        points=points,
                        seed=self.seed,
                    )
                    own_pace = {move.name for move in stated_moves(process)}
                    for move, hazard in moves.items():
                        # What the bank states of a pace holds; how large parts are, it cannot say.
                        (stated if move in own_pace else hazards)[name, move] = hazard
                    delivered[f"deliveries {name}"] = fit
                    owners[f"deliveries {name}"] = frozenset({name})
                    continue
                for reference in dict.fromkeys(
                    m.phrase.reference for m in process.moves if m.phrase.form == "class"
                ):
                    class_draws = self.classes(reference, known, as_of, self.fits, process)
                    draws[f"{reference}/{name}"] = class_draws.draws
                    posterior[f"spells {reference}/{name}"] = class_draws.fit
                    owners[f"spells {reference}/{name}"] = frozenset({name})
                    classes.setdefault(name, []).append(class_draws)
            except (InvalidInput, GateRefused) as fault:
                faults[name] = f"process ({name}): {fault}"
        drawn: Parameters = parameters(
            told_apart(shared),
            pasts,
            points=points,
            seed=self.seed,
            links=spec.links if variant.links else (),
            fits=self.fits,
            classes=draws,
            pool=[key for key in pasts if self.openings.get(key[0], as_of) <= as_of],
            pooled=variant.pooled,
            history=variant.history,
            multipliers=times,
            shifts=shifts,
            cache=self.drawn,
        )
        if drawn.rates is not None:
            posterior["rates"] = drawn.rates
            owners["rates"] = frozenset(name for name, each in shared.items() if pools(each))
        posterior |= delivered
        gain = learned_gain(pasts, coded) if variant.news else None

        def learned_with(drawn: Parameters) -> Learned:
            def of(key: Key) -> Hazard:
                if key in hazards:
                    return hazards[key]
                paced = drawn.moves[key]
                return replace(paced, size=stated[key].size) if key in stated else paced

            return Learned(
                Lazily([*drawn.moves, *hazards], of),
                Lazily(
                    drawn.betas, lambda name: drawn.betas[name] + np.log(link_shifts.get(name, 1.0))
                ),
                1.0 if gain is None else gain_draws(points, self.seed, gain) * gain_shift,
                posterior,
                classes,
                summary(gain) if gain is not None else {},
                faults,
                owners,
                lambda betas: learned_with(drawn.holding(betas)),
            )

        return learned_with(drawn)


def piece_multipliers(past: Past, coded: Sequence[CodedReport]) -> FloatArray:
    """Give the mean hazard ratio of a move's reports over each piece of its past, at gain 1."""
    multipliers = np.ones(len(past.pieces))
    for place, (piece, ended) in enumerate(zip(past.pieces, past.heard_from, strict=True)):
        length = piece.end - piece.begin
        days = piece.day + length * (np.arange(MOMENTS) + 0.5) / MOMENTS
        acting = [r for r in coded if (r.known_at - EPOCH) / DAY >= ended]
        if acting:
            multipliers[place] = float(np.mean(multiplier(acting, days)))
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


def _digest(fit: Fit) -> str:
    return hashlib.sha256(f"{fit.data_hash}{fit.priors_hash}{fit.seed}".encode()).hexdigest()


def _gate(fit: Fit) -> str:
    return "passed" if fit.report.passed else f"refused: {'; '.join(fit.report.reasons)}"
