"""Reports with coded likelihoods, applied to a model's answers.

A report on a rung is about the event happening by that rung's deadline; on a ladder, by its last
open deadline. Given the report, P(T <= d_k) is reweighted: time up to the deadline by a, later by
b. So a ladder stays monotone, and one item on a ladder is one item on the shared process.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import exp

import numpy as np

from forecasting.domain.evidence import Evidence
from forecasting.domain.question import Question
from forecasting.evidence.likelihood import (
    MOST_LOG_ODDS,
    ReliabilityOf,
    Report,
    total_log_odds,
)
from forecasting.inference.gate import weighted_quantiles
from forecasting.models.encoding.answer import Answer


def reports_on(items: Iterable[Evidence], targets: set[str]) -> list[Report]:
    """Give the coded reports on any of some names, in an order of their own."""
    found = [
        Report(
            key=f"{item.key}/{effect.target}",
            source=item.source,
            grade=item.grade,
            story=item.story or item.key,
            a=float(effect.detail["a"]),
            b=float(effect.detail["b"]),
            u=float(effect.detail["u"]),
        )
        for item in items
        for effect in item.effects
        if effect.form == "likelihood" and effect.target in targets
    ]
    return sorted(found, key=lambda report: report.key)


def reweigh(probabilities: Sequence[float], about: int, ratio: float) -> list[float]:
    """Reweigh nested probabilities by a report on one of them.

    Parameters
    ----------
    probabilities : sequence of float
        P(T <= d_k), not falling.
    about : int
        The position that the report is about.
    ratio : float
        Its likelihood ratio, yes over no.

    Examples
    --------
    >>> [round(p, 4) for p in reweigh([0.1, 0.2, 0.5], 1, 3.0)]
    [0.2143, 0.4286, 0.6429]
    """
    pivot = probabilities[about]
    total = pivot * ratio + 1.0 - pivot
    return [
        (p * ratio if p <= pivot else pivot * ratio + p - pivot) / total if total else p
        for p in probabilities
    ]


def with_reports(
    questions: Sequence[Question],
    answers: Mapping[str, Answer],
    items: Sequence[Evidence],
    *,
    reliability: ReliabilityOf | None = None,
) -> dict[str, Answer]:
    """Give the answers moved by the coded reports; questions without any stay as they are.

    Parameters
    ----------
    reliability : ReliabilityOf, optional
        What resolved claims taught about each source, as
        :func:`forecasting.evidence.reliability.learned` gives it for the same moment; without it
        each source has the Beta of its grade.
    """
    moved = dict(answers)
    groups: dict[str, list[Question]] = {}
    for question in questions:
        if question.type == "binary" and question.id in answers:
            groups.setdefault(question.ladder or question.id, []).append(question)
    for slug, rungs in groups.items():
        rungs.sort(key=lambda rung: rung.closes)
        for position, rung in enumerate(rungs):
            targets = {rung.id} | ({slug} if position == len(rungs) - 1 else set())
            reports = reports_on(items, targets)
            if reports:
                shift = total_log_odds(reports, reliability=reliability)
                _apply(moved, rungs, position, shift)
    return moved


def _apply(
    answers: dict[str, Answer], rungs: Sequence[Question], about: int, log_odds: float
) -> None:
    ratio = exp(min(max(log_odds, -MOST_LOG_ODDS), MOST_LOG_ODDS))
    before = [answers[rung.id] for rung in rungs]
    after = reweigh([answer.numbers[0] for answer in before], about, ratio)
    pivot = before[about]
    for rung, answer, new in zip(rungs, before, after, strict=True):
        answers[rung.id] = _moved(answer, pivot, new, ratio)


def _moved(answer: Answer, pivot: Answer, new: float, ratio: float) -> Answer:
    """Move one answer by a report on another (or on itself), its posterior draws with it.

    Each draw's probability moves as the whole does, and draws under which the report was likelier
    count for more: their weighted mean is the new probability exactly.
    """
    if answer.draw is None or pivot.draw is None:
        return replace(answer, numbers=(new,), spread=None)
    own, other = answer.draw()[:, 0], pivot.draw()[:, 0]
    # Draws of different numbers are of different fits: then only the answer's own can be used.
    about = other if len(other) == len(own) else own
    chance = about * ratio + 1.0 - about
    up_to = np.where(own <= about, own * ratio, about * ratio + own - about)
    p = up_to / np.where(chance > 0.0, chance, 1.0)
    weights = chance * (1.0 if answer.weights is None else answer.weights)
    weights = weights / weights.sum()
    spread = answer.spread
    if spread is not None:
        low, middle, high = weighted_quantiles(p, (0.05, 0.5, 0.95), weights)
        sd = float(np.sqrt(np.sum(weights * (p - np.sum(weights * p)) ** 2)))
        # The Monte Carlo error moves as the mean does: by the slope of new against old.
        old = answer.numbers[0]
        slope = new * (1 - new) / max(old * (1 - old), 1e-12)
        spread = replace(
            spread, sd=sd, p05=float(low), p50=float(middle), p95=float(high),
            mcse=spread.mcse * slope,
        )  # fmt: skip
    return replace(answer, numbers=(new,), spread=spread, draw=lambda: p[:, None], weights=weights)
