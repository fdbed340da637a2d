"""Reference classes and the priors that rest on them: plain data with a source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import isfinite

from forecasting.errors import InvalidInput

#: Distribution -> its parameters in order; all but a mean must be positive.
DISTRIBUTIONS = {
    "normal": ("mu", "sd"),
    "lognormal": ("mu", "sd"),
    "gamma": ("shape", "rate"),
    "beta": ("a", "b"),
}

#: The parameters of a class of deliveries, with what each prior is; in the order of its draws.
DELIVERY_PRIORS = {
    "w": "beta",
    "stall": "beta",
    "whole": "beta",
    "mean": "beta",
    "delta": "gamma",
    "theta": "normal",
    "first": "lognormal",
    "later": "lognormal",
    "precision": "lognormal",
}

_SPELLS = {"theta": "normal", "k": "lognormal", "beta": "normal"}
#: What may be stated of a reference class of each kind.
CLASS_PRIORS = {
    "package": DELIVERY_PRIORS,
    "claim": _SPELLS,
    "formal": _SPELLS,
    "agreement": _SPELLS | {"lasting": "beta"},
}


@dataclass(frozen=True, slots=True)
class PriorSpec:
    """One prior as plain data: printable, hashable, and known by a date.

    Its numbers reach a model as arrays named ``<name>_<parameter>``, for example ``theta_mu``, so
    that another worldview is a refit of the same compiled model. Of ``lognormal``, mu and sd are
    those of the logarithm. No question that uses it opens before `known_by`.
    """

    name: str
    distribution: str
    values: tuple[float, ...]
    source: str
    known_by: date

    def __post_init__(self) -> None:
        """Check names and signs, once."""
        names = DISTRIBUTIONS.get(self.distribution)
        if names is None:
            message = (
                f"prior {self.name}: distribution ({self.distribution}) must be one of "
                f"{', '.join(DISTRIBUTIONS)}."
            )
            raise InvalidInput(message)
        if len(names) != len(self.values):
            message = f"prior {self.name}: {self.distribution} takes {names}, got {self.values}."
            raise InvalidInput(message)
        for key, value in self.parameters:
            if not isfinite(value) or (key != "mu" and not value > 0):
                rule = "finite" if key == "mu" else "positive and finite"
                raise InvalidInput(f"prior {self.name}: {key} ({value}) must be {rule}.")

    @property
    def parameters(self) -> tuple[tuple[str, float], ...]:
        """Its numbers with their names."""
        return tuple(zip(DISTRIBUTIONS[self.distribution], self.values, strict=True))

    def value(self, key: str) -> float:
        """Return one number of the prior by name, for example ``"mu"``."""
        return dict(self.parameters)[key]

    @property
    def text(self) -> str:
        """The prior as it is printed.

        >>> PriorSpec("w", "beta", (2, 4), "judgement", date(2025, 1, 1)).text
        'Beta(2, 4)'
        """
        shown = {"lognormal": "LogNormal"}.get(self.distribution, self.distribution.capitalize())
        return f"{shown}({', '.join(f'{value:.4g}' for value in self.values)})"


@dataclass(frozen=True, slots=True)
class ReferenceClass:
    """A class of comparable cases; time outside what was observed is unobserved, not quiet."""

    id: str
    family: str
    kind: str
    title: str
    observed_from: datetime
    observed_until: datetime
    source: str
    certainty: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ClassPrior:
    """A prior that a bank states of one parameter of a reference class."""

    reference: str
    prior: PriorSpec


def stated_over(
    usual: Mapping[str, PriorSpec], stated: Sequence[ClassPrior], reference: str
) -> dict[str, PriorSpec]:
    """Give the priors of a reference class: what its bank states, else what is usual."""
    own = {each.prior.name: each.prior for each in stated if each.reference == reference}
    return {name: own.get(name, prior) for name, prior in usual.items()}
