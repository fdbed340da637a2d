"""How a prior is written down: plain data with its source, and the arrays that a graph takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput

__all__ = ["PriorSpec", "from_standard", "prior_arrays"]

#: Distribution -> its parameters in order; all but a mean must be positive.
DISTRIBUTIONS = {
    "normal": ("mu", "sd"),
    "lognormal": ("mu", "sd"),
    "gamma": ("shape", "rate"),
    "beta": ("a", "b"),
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
            if not np.isfinite(value) or (key != "mu" and not value > 0):
                rule = "finite" if key == "mu" else "positive and finite"
                message = f"prior {self.name}: {key} ({value}) must be {rule}."
                raise InvalidInput(message)

    @classmethod
    def of(
        cls, name: str, distribution: str, *values: float, source: str, known_by: date
    ) -> "PriorSpec":
        """Build a prior from its values in order.

        >>> prior = PriorSpec.of("w", "beta", 2, 4, source="judgement", known_by=date(2025, 1, 1))
        >>> prior.text
        'Beta(2, 4)'
        """
        return cls(name, distribution, values, source, known_by)

    @property
    def parameters(self) -> tuple[tuple[str, float], ...]:
        """Its numbers with their names."""
        return tuple(zip(DISTRIBUTIONS[self.distribution], self.values, strict=True))

    def value(self, key: str) -> float:
        """Return one number of the prior by name, for example ``"mu"``."""
        return dict(self.parameters)[key]

    @property
    def text(self) -> str:
        """The prior as it is printed, for example ``LogNormal(-0.223, 0.25)``."""
        shown = {"lognormal": "LogNormal"}.get(self.distribution, self.distribution.capitalize())
        return f"{shown}({', '.join(f'{value:.4g}' for value in self.values)})"


def prior_arrays(
    priors: Mapping[str, PriorSpec], expected: Mapping[str, PriorSpec]
) -> dict[str, FloatArray]:
    """Return priors as the arrays that a model takes, ``<name>_<parameter>``, () each.

    `expected` are the family's defaults, whose names and distributions the graph has: any others
    are refused.
    """
    if set(priors) != set(expected):
        message = f"priors must be for {sorted(expected)}, got {sorted(priors)}."
        raise InvalidInput(message)
    arrays: dict[str, FloatArray] = {}
    for name, prior in priors.items():
        if prior.distribution != expected[name].distribution:
            message = (
                f"prior {name}: the model has a {expected[name].distribution} prior there, "
                f"got {prior.distribution}."
            )
            raise InvalidInput(message)
        for key, value in prior.parameters:
            arrays[f"{name}_{key}"] = np.asarray(value, dtype=np.float64)
    return arrays


def from_standard(
    draws: Mapping[str, FloatArray], priors: Mapping[str, PriorSpec]
) -> dict[str, FloatArray]:
    """Turn draws of standardised variables ``<name>_z`` into draws of the parameters.

    A normal prior is sampled as mu + sd z and a log-normal one as exp(mu + sd z): chains then
    start within the prior of the fit at hand, whatever the model was compiled with. Other draws
    pass through; the order is that of the priors.
    """
    found: dict[str, FloatArray] = {}
    for name, prior in priors.items():
        if f"{name}_z" in draws:
            mu, sd = prior.values
            scaled = mu + sd * draws[f"{name}_z"]
            found[name] = np.exp(scaled) if prior.distribution == "lognormal" else scaled
        elif name in draws:
            found[name] = draws[name]
    return found
