"""Scores against the others on the same question at the same moment: peer and relative.

Neither is proper over a lifetime, so neither ranks anybody: who expects to trail the others
gains by silence, and who knows more gains by keeping it from them.
"""

from typing import Literal

import numpy as np

from forecasting.arrays import FloatArray, IntArray
from forecasting.domain.scores import SCORES
from forecasting.scoring.timeline import Timeline

type CrowdRule = Literal["peer", "relative"]

RULES = tuple(name for name, one in SCORES.items() if one.crowd)
#: The score that is compared, and how the result is scaled.
BASIS = {"peer": "log", "relative": "brier"}
PEER_POINTS = "100 x log gain over the others"
_BATCH = 4_000_000


def difference(score: FloatArray, group: IntArray, rule: CrowdRule | str) -> FloatArray:
    r"""Compare each score with those of its group: the forecasts in force at one moment.

    .. math:: \text{peer}_i = 100 \Bigl( \frac{1}{N-1} \sum_{j \ne i} s_j - s_i \Bigr), \qquad
              \text{relative}_i = s_i - \operatorname{median}_j s_j.

    Of log scores the first is Metaculus' peer score (larger is better); of Brier scores the second
    is that of Cultivate and Fatebook, whose median includes i (smaller is better). One alone has 0.
    A probability of zero for what happened loses infinitely to anybody above zero; where all share
    it there is no difference.
    """
    return _ahead(score, group) if rule == "peer" else score - _median(score, group)


def integrated(line: Timeline, score: FloatArray, rule: CrowdRule | str) -> FloatArray:
    """Integrate the difference over the microseconds that each forecast stood; shape (n,)."""
    total = np.zeros(len(score))
    begin = np.maximum(line.issued, line.opens)
    finish = np.minimum(line.stop, line.end)
    rows = np.flatnonzero(finish > begin)
    if len(rows) == 0:
        return total
    rows = rows[np.argsort(line.question[rows], kind="stable")]
    left, right, length = _pieces(line.question[rows], begin[rows], finish[rows])
    spans = right - left
    # A question is never cut in two: its crowd is in one batch.
    reached = np.cumsum(spans) - spans
    _, first, code = np.unique(line.question[rows], return_index=True, return_inverse=True)
    batch = (reached[first] // _BATCH)[code]
    for number in np.unique(batch):
        mine = np.flatnonzero(batch == number)
        owner = np.repeat(mine, spans[mine])
        start = np.cumsum(spans[mine]) - spans[mine]
        piece = np.arange(len(owner)) - np.repeat(start, spans[mine]) + left[owner]
        ahead = difference(score[rows[owner]], piece - piece.min(), rule)
        part = np.bincount(owner, weights=ahead * length[piece], minlength=len(rows))
        total[rows[mine]] = part[mine]
    return total


def _pieces(
    question: IntArray, begin: IntArray, finish: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Cut each question's time where its crowd changes: each row's first and last cut, lengths."""
    both = np.concatenate([question, question])
    instant = np.concatenate([begin, finish])
    order = np.lexsort((instant, both))
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (np.diff(both[order]) != 0) | (np.diff(instant[order]) != 0)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.cumsum(fresh) - 1
    cuts = instant[order][fresh]
    # No forecast covers the piece after a question's last cut.
    length = np.append(np.diff(cuts), 0)
    return place[: len(question)], place[len(question) :], length


def _ahead(score: FloatArray, group: IntArray) -> FloatArray:
    lost = np.isinf(score)
    finite = np.where(lost, 0.0, score)
    n = np.bincount(group)[group]
    others = np.maximum(n - 1, 1)
    gain = 100 * ((np.bincount(group, weights=finite)[group] - finite) / others - finite)
    zeros = np.bincount(group, weights=lost)[group]
    gain = np.where(~lost & (zeros > 0), np.inf, gain)
    gain = np.where(lost, np.where(zeros == n, 0.0, -np.inf), gain)
    return np.where(n > 1, gain, 0.0)


def _median(score: FloatArray, group: IntArray) -> FloatArray:
    order = np.lexsort((score, group))
    n = np.bincount(group)
    first = np.cumsum(n) - n
    ranked = score[order]
    # Groups without a score have no middle; clipped, their place is never looked up.
    last = len(order) - 1
    low = ranked[np.minimum(first + (n - 1) // 2, last)]
    high = ranked[np.minimum(first + n // 2, last)]
    middle: FloatArray = ((low + high) / 2)[group]
    return middle
