"""Scores freed from how hard the questions were that each forecaster chose."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.arrays import FloatArray, IntArray
from forecasting.errors import InvalidInput
from forecasting.scoring import checks


@dataclass(frozen=True, slots=True)
class DifficultyAdjusted:
    """Forecasters' scores as if all had answered the same questions.

    Of shape (F,), in the order of first appearance: `raw` means, `adjusted` (the expected score on
    the average question of the component that is ranked; NaN in others, which cannot be compared
    with it), `component` (0 has the most scores) and `n`. Of shape (Q,): `difficulty`, the expected
    score of the average forecaster there, and each question's component.
    """

    forecaster: NDArray[np.object_]
    raw: FloatArray
    adjusted: FloatArray
    component: IntArray
    n: IntArray
    question: NDArray[np.object_]
    difficulty: FloatArray
    question_component: IntArray
    n_components: int


def difficulty_adjusted(
    score: ArrayLike,
    forecaster: Iterable[object],
    question: Iterable[object],
    *,
    component: int = 0,
) -> DifficultyAdjusted:
    r"""Two-way effects of forecasters and questions by sparse least squares.

    The scores are fitted by

    .. math:: s_{fq} = a_f + d_q + \varepsilon_{fq},

    and `adjusted` is :math:`a_f` plus the mean of :math:`d_q` over the questions of the component.
    Where everybody answered every question it is the plain mean. Nothing links the effects of two
    components without a shared forecaster or question, so only one at a time has numbers.

    Parameters
    ----------
    score : array_like, shape (N,)
        One score for each (forecaster, question), of one rule and window; smaller is better. A
        pair may have several, each counts.
    forecaster, question : iterable, length N
        Whose score on which question.
    component : int
        The component to adjust; 0, the largest in scores.

    Raises
    ------
    InvalidInput
        On NaN, infinities, empty input, lengths that differ, a missing name, no such component.

    References
    ----------
    J. M. Abowd, F. Kramarz, D. N. Margolis (1999). High wage workers and high wage firms.
    Econometrica 67. https://doi.org/10.1111/1468-0262.00020

    Examples
    --------
    Ann took the hard question too; on the easy one she did as well as Bob.

    >>> result = difficulty_adjusted(
    ...     [0.1, 0.5, 0.1, 0.2], ["ann", "ann", "bob", "cat"], ["easy", "hard", "easy", "other"]
    ... )
    >>> result.raw.tolist(), result.adjusted.round(3).tolist(), result.component.tolist()
    ([0.3, 0.1, 0.2], [0.3, 0.3, nan], [0, 0, 1])
    """
    values = checks.floats(score, "score")
    people, asked = _codes(forecaster, "forecaster"), _codes(question, "question")
    for name, (codes, _) in (("forecaster", people), ("question", asked)):
        if values.shape != codes.shape:
            message = f"score and {name} (shapes {values.shape} and {codes.shape}): must be equal"
            raise InvalidInput(message)
    if np.isinf(values).any():
        message = f"score (infinite at {int(np.argmax(np.isinf(values)))}): must be finite"
        raise InvalidInput(message, hint="the Brier score, or leave the question out for all")
    (person, names), (item, questions) = people, asked
    n = np.bincount(person, minlength=len(names))
    of_person, of_item = _components(person, item, names, len(questions))
    count = int(of_person.max()) + 1
    if component not in range(count):
        raise InvalidInput(f"component ({component!r}): must be 0..{count - 1}")
    adjusted, difficulty = np.full(len(names), np.nan), np.full(len(questions), np.nan)
    rows = of_person[person] == component
    inside, items = np.flatnonzero(of_person == component), np.flatnonzero(of_item == component)
    own, hard = _effects(
        values[rows], np.searchsorted(inside, person[rows]), np.searchsorted(items, item[rows])
    )
    adjusted[inside], difficulty[items] = own + hard.mean(), hard + own.mean()
    return DifficultyAdjusted(
        forecaster=names,
        raw=np.bincount(person, weights=values, minlength=len(names)) / n,
        adjusted=adjusted,
        component=of_person,
        n=n,
        question=questions,
        difficulty=difficulty,
        question_component=of_item,
        n_components=count,
    )


def _codes(names: Iterable[object], what: str) -> tuple[IntArray, NDArray[np.object_]]:
    import pandas as pd

    entries = list(names)
    labels = np.empty(len(entries), dtype=object)
    labels[:] = entries
    codes, unique = pd.factorize(labels)
    if len(codes) == 0 or (codes < 0).any():
        where = f"missing at {int(np.argmin(codes))}" if len(codes) else "empty"
        raise InvalidInput(f"{what} ({where}): every score needs one")
    return codes.astype(np.int64), np.asarray(unique, dtype=object)


def _components(
    person: IntArray, item: IntArray, names: NDArray[np.object_], n_items: int
) -> tuple[IntArray, IntArray]:
    """Components of forecasters and of questions, numbered by their scores and then by name."""
    from scipy import sparse

    people = len(names)
    links = sparse.coo_array(
        (np.ones(len(person)), (person, people + item)), shape=(people + n_items,) * 2
    )
    count, component = sparse.csgraph.connected_components(links, directed=False)
    size = np.bincount(component[person], minlength=count)
    first: dict[int, str] = {}
    for name, part in zip(names, component[:people].tolist(), strict=True):
        first[part] = min(first.get(part, str(name)), str(name))
    order = sorted(range(count), key=lambda part: (-size[part], first[part]))
    number = np.empty(count, dtype=np.int64)
    number[order] = np.arange(count)
    return number[component[:people]], number[component[people:]]


def _effects(values: FloatArray, person: IntArray, item: IntArray) -> tuple[FloatArray, FloatArray]:
    """Effects of forecasters and questions in one component, up to a shift between the two."""
    from scipy import sparse
    from scipy.sparse.linalg import lsmr

    people = int(person.max()) + 1
    column = np.concatenate([person, people + item])
    # Columns of unit length: a forecaster with 3 scores weighs on the solver like one with 3,000.
    weight = 1 / np.sqrt(np.bincount(column))
    row = np.tile(np.arange(len(values)), 2)
    design = sparse.csr_array((weight[column], (row, column)))
    # Centred first, so that the residuals lose no digits to a common level.
    level = values.mean()
    solution = lsmr(
        design, values - level, atol=1e-14, btol=1e-14, conlim=0, maxiter=20 * len(weight)
    )
    effects = solution[0] * weight
    return effects[:people], effects[people:] + level
