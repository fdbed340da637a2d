"""Reports with coded likelihoods, applied to a model's answers.

A report on a rung is about the event happening by that rung's deadline; on a ladder, by its last
open deadline. Given the report, P(T <= d_k) is reweighted: time up to the deadline by a, later by
b. So a ladder stays monotone, and one item on a ladder is one item on the shared process.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import exp

from forecasting.domain.evidence import Evidence
from forecasting.domain.question import Question
from forecasting.evidence.likelihood import (
    MOST_LOG_ODDS,
    ReliabilityOf,
    Report,
    shift_probability,
    total_log_odds,
)
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
    before = [answers[rung.id].numbers[0] for rung in rungs]
    log_odds = min(max(log_odds, -MOST_LOG_ODDS), MOST_LOG_ODDS)
    after = reweigh(before, about, exp(log_odds))
    for rung, new in zip(rungs, after, strict=True):
        answer = answers[rung.id]
        spread = answer.spread
        if spread is not None:
            low, middle, high = (
                float(shift_probability(p, log_odds)) for p in (spread.p05, spread.p50, spread.p95)
            )
            scale = new * (1 - new) / max(answer.numbers[0] * (1 - answer.numbers[0]), 1e-12)
            spread = replace(
                spread,
                p05=low,
                p50=middle,
                p95=high,
                sd=spread.sd * scale,
                mcse=spread.mcse * scale,
            )
        answers[rung.id] = replace(answer, numbers=(new,), spread=spread)
