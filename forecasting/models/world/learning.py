"""What a world learns as of a moment: fits of the three graphs, rates, links, and the news gain."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from forecasting.arrays import FloatArray
from forecasting.domain.commentary import Worldview
from forecasting.domain.evidence import Evidence
from forecasting.domain.process import ProcessSpec, WorldSpec
from forecasting.domain.provenance import Fitted
from forecasting.errors import GateRefused, InvalidInput
from forecasting.evidence.history import Past, Record
from forecasting.evidence.reports import CodedReport
from forecasting.inference.fit import Fit
from forecasting.models.fits import FitCache
from forecasting.models.news_gain import gain_draws, learned_gain, summary
from forecasting.models.own_kind import own_hazards
from forecasting.models.world.assembly import Hazard
from forecasting.models.world.cases import cases_of
from forecasting.models.world.classes import ClassOf, told_apart
from forecasting.models.world.exposed import multiplier
from forecasting.models.world.packages import DeliveryOf
from forecasting.models.world.parameters import Kept, Lazily, Parameters, parameters

Key = tuple[str, str]
#: A piece of the past is averaged over so many moments, where reports acted on it.
MOMENTS = 24


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What one simulation takes from the past.

    Attributes
    ----------
    hazards, betas, gain
        One value a parameter point; those of a process are drawn when it is simulated.
    fits
        The graphs behind them, for the gate and the record; `posterior` has the fits themselves.
    verdicts
        By process, where a reference class does not fit its own cases.
    gain_summary
        Mean and 90 % interval of what reports were found to be worth.
    faults
        Processes whose parameters cannot be learned, and why: what rests on them is not simulated.
    owners
        The processes that rest on each fit.
    """

    hazards: Mapping[Key, Hazard]
    betas: Mapping[str, FloatArray]
    gain: FloatArray | float
    fits: Mapping[str, Fitted]
    posterior: Mapping[str, Fit]
    verdicts: Mapping[str, str]
    gain_summary: Mapping[str, float | int]
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    owners: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def behind(self, names: Collection[str]) -> dict[str, Fitted]:
        """Give the fits that some processes rest on."""
        return {name: fit for name, fit in self.fits.items() if self.owners[name] & set(names)}

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
        return "; ".join(
            dict.fromkeys(self.verdicts[n] for n in sorted(names) if n in self.verdicts)
        )


@dataclass(frozen=True, slots=True)
class Learner:
    """Learns from pasts; keeps the fits.

    Parameters
    ----------
    openings
        When the first question on a process opened: from then it is in the pooled class.
    classes
        What draws the reference classes of spells.
    deliveries
        What draws the moves of deliveries.
    """

    fits: FitCache
    openings: Mapping[str, dt.datetime]
    seed: int
    classes: ClassOf
    deliveries: DeliveryOf
    drawn: Kept = field(default_factory=Kept)

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
        view: Worldview | None = variant.worldview
        shifts, link_shifts, gain_shift = _shifts(view)
        by_move: dict[Key, list[CodedReport]] = {}
        for report in coded:
            by_move.setdefault((report.process, report.move), []).append(report)
        times = {
            key: piece_multipliers(past, by_move[key])
            for key, past in pasts.items()
            if key in by_move
        }
        hazards: dict[Key, Hazard] = {}
        shared: dict[str, ProcessSpec] = {}
        faults: dict[str, str] = {}
        for name, process in spec.processes.items():
            try:
                own = own_hazards(process, pasts, points=points, seed=self.seed, shifts=shifts)
            except InvalidInput as fault:
                faults[name] = fault.message
                continue
            if own is None:
                shared[name] = process
            else:
                hazards |= own
        posterior: dict[str, Fit] = {}
        owners: dict[str, frozenset[str]] = {}
        draws = {}
        verdicts: dict[str, str] = {}
        cases = cases_of(items)
        known = cases if variant.history else ()
        for name, process in list(shared.items()):
            if process.delivery is not None:
                continue
            for reference in {
                m.phrase.reference for m in process.moves if m.phrase.form == "class"
            }:
                try:
                    found = self.classes(reference, known, as_of, self.fits, [process])
                except (InvalidInput, GateRefused) as fault:
                    faults[name] = f"process ({name}): {fault}"
                    shared.pop(name, None)
                    continue
                draws[f"{reference}/{name}"] = found.draws
                posterior[f"spells {reference}/{name}"] = found.fit
                owners[f"spells {reference}/{name}"] = frozenset({name})
                if found.verdict:
                    verdicts[name] = found.verdict
        told: Parameters = parameters(
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
            kept=self.drawn,
        )
        if told.rates is not None:
            posterior["rates"] = told.rates
            owners["rates"] = frozenset(
                name
                for name, process in shared.items()
                if any(move.phrase.form == "history" for move in process.moves)
            )
        for name, process in shared.items():
            if process.delivery is None:
                continue
            try:
                brought = self.deliveries(
                    {name: process},
                    records,
                    cases,
                    as_of,
                    self.fits,
                    history=variant.history,
                    points=points,
                    seed=self.seed,
                )
            except (InvalidInput, GateRefused) as fault:
                faults[name] = f"process ({name}): {fault}"
                continue
            hazards |= brought.hazards
            posterior |= brought.fits
            owners |= dict.fromkeys(brought.fits, frozenset({name}))
        gain = learned_gain(pasts, coded) if variant.news else None
        drawn: FloatArray | float = 1.0
        if gain is not None:
            drawn = gain_draws(points, self.seed, gain) * gain_shift

        def hazard(key: Key) -> Hazard:
            if key in hazards:
                return hazards[key]
            p = told.moves[key]
            return Hazard(p.rate, p.shape, p.at_once, p.for_good, p.size)

        def beta(name: str) -> FloatArray:
            shift: float = np.log(link_shifts.get(name, 1.0))
            return told.betas[name] + shift

        return Learned(
            Lazily([*told.moves, *hazards], hazard),
            Lazily(told.betas, beta),
            drawn,
            {name: Fitted(_digest(fit), _gate(fit)) for name, fit in posterior.items()},
            posterior,
            verdicts,
            summary(gain) if gain is not None else {},
            faults=faults,
            owners=owners,
        )


def piece_multipliers(past: Past, coded: Sequence[CodedReport]) -> FloatArray:
    """Give the mean hazard ratio of a move's reports over each piece of its past, at gain 1."""
    found = np.ones(len(past.pieces))
    ended = -np.inf
    for place, piece in enumerate(past.pieces):
        length = piece.end - piece.begin
        days = piece.day + length * (np.arange(MOMENTS) + 0.5) / MOMENTS
        acting = [r for r in coded if _day(r.known_at) >= ended]
        if acting:
            found[place] = float(np.mean(multiplier(acting, days)))
        if piece.fired:
            ended = piece.day + length
    return found


def _day(moment: dt.datetime) -> float:
    from forecasting.evidence.history import DAY, EPOCH

    return (moment - EPOCH) / DAY


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
    import hashlib

    return hashlib.sha256(f"{fit.data_hash}{fit.priors_hash}{fit.seed}".encode()).hexdigest()


def _gate(fit: Fit) -> str:
    return "passed" if fit.report.passed else f"refused: {'; '.join(fit.report.reasons)}"
