"""Outcome spaces: what a question can resolve to, and what a forecast of it looks like."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from forecasting.domain.instants import DAYS, dated
from forecasting.errors import InvalidInput

QuestionType = Literal["binary", "categorical", "ordered", "numeric"]
QUESTION_TYPES: tuple[QuestionType, ...] = ("binary", "categorical", "ordered", "numeric")
YES, NO = "yes", "no"


@dataclass(frozen=True, slots=True)
class OutcomeSpace:
    """The possible outcomes of a question.

    `type` is ``binary`` (no, yes), ``categorical``, ``ordered`` (options from low to high) or
    ``numeric``, which alone has bounds and a unit, and a `zero_point` where its scale is
    logarithmic. `open_bounds` are those the number may lie beyond (``lower``, ``upper``, ``both``
    or none): only the log score over steps of the range asks, for a number beyond a bound is
    recorded as such whether it is open or not.

    Examples
    --------
    >>> OutcomeSpace.binary().label("yes")
    1
    >>> OutcomeSpace("ordered", ("none", "soft", "firm")).label("firm")
    2
    """

    type: QuestionType
    options: tuple[str, ...] = ()
    lower: float | None = None
    upper: float | None = None
    unit: str = ""
    zero_point: float | None = None
    open_bounds: Literal["", "lower", "upper", "both"] = ""

    @classmethod
    def binary(cls) -> "OutcomeSpace":
        """Give the space of a yes-no question."""
        return cls("binary", (NO, YES))

    def __post_init__(self) -> None:
        if self.type == "numeric":
            if self.lower is None or self.upper is None or not self.lower < self.upper:
                bounds = f"{_plain(self.lower)}, {_plain(self.upper)}"
                raise InvalidInput(f"bounds ({bounds}): the first must be the lower")
            if self.zero_point is not None and self.lower <= self.zero_point <= self.upper:
                raise InvalidInput(f"zero_point ({self.zero_point}): must lie outside the bounds")
            return
        if len(self.options) < 2 or len(set(self.options)) != len(self.options):
            msg = f"options ({', '.join(self.options)}): need two or more, all different"
            raise InvalidInput(msg)

    @property
    def bounds(self) -> tuple[float, float]:
        """The bounds of a numeric question; of others 0 and 1."""
        return (
            0.0 if self.lower is None else self.lower,
            1.0 if self.upper is None else self.upper,
        )

    @property
    def span(self) -> str:
        """The bounds of a number in words, or the days of a date."""
        low, high = beyond(self)
        return f"{self.shown(low)[1:]} to {self.shown(high)[1:]}"

    def shown[Outcome: (str, str | None)](self, outcome: Outcome) -> Outcome:
        """Write an outcome for a reader: the date, where the number counts days.

        Examples
        --------
        >>> space = OutcomeSpace("numeric", lower=20000.0, upper=20999.0, unit=DAYS)
        >>> space.shown("20254.5"), space.shown(">20999"), space.shown("annulled")
        ('2025-06-15', '>2027-06-30', 'annulled')
        """
        if not outcome or self.unit != DAYS:
            return outcome
        side = outcome[0] if outcome[0] in "<>" else ""
        try:
            return side + dated(float(outcome.removeprefix(side)))
        except ValueError:
            return outcome

    def label(self, outcome: str) -> float:
        """Give the integer label of an option, or the number itself for a numeric question.

        A number that is recorded as beyond a bound (``>5000``) stands at the bound.
        """
        if self.type == "numeric":
            if outcome in (sides := beyond(self)):
                return float((self.lower or 0.0, self.upper or 0.0)[sides.index(outcome)])
            try:
                value = float(outcome)
            except ValueError:
                value = float("nan")
            if not (self.lower or 0.0) <= value <= (self.upper or 0.0):
                msg = f"outcome ({self.shown(outcome)}): must be a number from {self.span}"
                raise InvalidInput(msg)
            return value
        if outcome not in self.options:
            raise InvalidInput(f"outcome ({outcome}): must be one of {', '.join(self.options)}")
        return self.options.index(outcome)


def _plain(bound: float | None) -> str:
    return "none" if bound is None else f"{bound:g}"


def beyond(space: OutcomeSpace) -> tuple[str, str]:
    """Give how a number below and one above the bounds of a numeric question are recorded."""
    low, high = (format(Decimal(repr(bound)), "f") for bound in (space.lower, space.upper))
    return f"<{low.removesuffix('.0')}", f">{high.removesuffix('.0')}"
