"""An answer: what a model says of one question as of a moment, with its provenance."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from forecasting.domain.forecast import Spread

#: Levels, in percent, at which a numeric question is answered.
LEVELS = tuple(float(level) for level in range(1, 100))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of one question.

    Attributes
    ----------
    numbers
        The probability of yes; one per option; or the quantiles at `LEVELS` of a number.
    spread
        Of P(yes | parameters), or of the first option's; None where it does not apply.
    method
        ``conjugate``, ``psis`` or ``nuts``.
    gate
        ``passed`` or ``refused: ...``.
    fit
        Does the model fit its own class? Empty, or a verdict to print beside the number.
    draw
        Gives P(outcome | parameters) for each posterior draw, shape (S, K): K = 1 for a
        probability of yes, one column per option otherwise; None for a numeric question.
    weights
        Of the draws, shape (S,), where they were reweighted; None: all equal.
    """

    numbers: tuple[float, ...]
    spread: Spread | None
    family: str
    method: str
    seed: int
    priors_hash: str
    evidence_hash: str
    gate: str = "passed"
    fit: str = ""
    diagnostics: Mapping[str, float | str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    draw: Callable[[], NDArray[np.float64]] | None = field(default=None, compare=False, repr=False)
    weights: NDArray[np.float64] | None = field(default=None, compare=False, repr=False)
