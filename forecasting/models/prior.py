"""How a prior is written down: plain data with its source, and the arrays that a graph takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput

__all__ = ["PriorSpec", "from_standard", "prior_arrays", "prior_draw", "prior_table"]

Number = float | tuple[float, ...]

# Distribution -> its parameters, in order, each with whether it must be positive.
DISTRIBUTIONS: dict[str, tuple[tuple[str, bool], ...]] = {
    "normal": (("mu", False), ("sd", True)),
    "lognormal": (("mu", False), ("sd", True)),
    "gamma": (("shape", True), ("rate", True)),
    "beta": (("a", True), ("b", True)),
    "dirichlet": (("a", True),),
    "constant": (("value", False),),
}


@dataclass(frozen=True, slots=True)
class PriorSpec:
    """One prior as plain data: printable, hashable, and known by a date.

    Its numbers reach a model as arrays named ``<name>_<parameter>``, for example ``theta_mu``, so
    that another worldview is a refit of the same compiled model. `parameters` are in the order of
    `DISTRIBUTIONS`; a value is a number, or a tuple with one for each category. Of ``lognormal``,
    `mu` and `sd` are those of the logarithm. No question that uses it opens before `known_by`.
    """

    name: str
    distribution: str
    parameters: tuple[tuple[str, Number], ...]
    source: str
    known_by: date

    def __post_init__(self) -> None:
        """Check names and signs, once."""
        rules = DISTRIBUTIONS.get(self.distribution)
        if rules is None:
            message = (
                f"prior {self.name}: distribution ({self.distribution}) must be one of "
                f"{', '.join(DISTRIBUTIONS)}."
            )
            raise InvalidInput(message)
        given, wanted = tuple(key for key, _ in self.parameters), tuple(key for key, _ in rules)
        if given != wanted:
            message = f"prior {self.name}: {self.distribution} takes {wanted}, got {given}."
            raise InvalidInput(message)
        for (key, value), (_, positive) in zip(self.parameters, rules, strict=True):
            numbers = np.asarray(value, dtype=np.float64)
            if not np.all(np.isfinite(numbers)) or (positive and not np.all(numbers > 0)):
                rule = "positive and finite" if positive else "finite"
                message = f"prior {self.name}: {key} ({value}) must be {rule}."
                raise InvalidInput(message)

    @classmethod
    def of(
        cls, name: str, distribution: str, *values: Number, source: str, known_by: date
    ) -> "PriorSpec":
        """Build a prior from its values in order.

        >>> prior = PriorSpec.of("w", "beta", 2, 4, source="judgement", known_by=date(2025, 1, 1))
        >>> prior.text
        'Beta(2, 4)'
        """
        keys = [key for key, _ in DISTRIBUTIONS.get(distribution, ())]
        if len(keys) != len(values):
            keys = [f"value{index}" for index in range(len(values))]
        pairs = tuple(zip(keys, values, strict=True))
        return cls(name, distribution, pairs, source, known_by)

    def with_values(
        self, *values: Number, source: str | None = None, known_by: date | None = None
    ) -> "PriorSpec":
        """Return the same prior with other numbers: how a worldview differs."""
        return PriorSpec.of(
            self.name,
            self.distribution,
            *values,
            source=self.source if source is None else source,
            known_by=self.known_by if known_by is None else known_by,
        )

    def scaled(self, factor: float) -> "PriorSpec":
        """Return the same prior as wide as `factor` times: same centre, other certainty.

        Normal and log-normal: sd times the factor. Gamma, Beta and Dirichlet: the events or cases
        that the prior is worth, divided by its square; the mean stays. A constant stays.

        >>> rate = PriorSpec.of("rate", "gamma", 4, 2, source="data", known_by=date(2025, 1, 1))
        >>> rate.scaled(2).text
        'Gamma(1, 0.5)'
        """
        if not factor > 0:
            message = f"factor ({factor}): must be above 0."
            raise InvalidInput(message)
        if self.distribution == "constant":
            return self
        if self.distribution in ("normal", "lognormal"):
            mu, sd = (value for _, value in self.parameters)
            return self.with_values(mu, _times(sd, factor))
        return self.with_values(*(_times(value, factor**-2) for _, value in self.parameters))

    def value(self, key: str) -> Number:
        """Return one number of the prior by name, for example ``"mu"``."""
        for name, value in self.parameters:
            if name == key:
                return value
        message = f"prior {self.name}: {self.distribution} has no parameter {key!r}."
        raise InvalidInput(message)

    @property
    def text(self) -> str:
        """The prior as it is printed, for example ``LogNormal(-0.223, 0.25)``."""
        shown = {"lognormal": "LogNormal"}.get(self.distribution, self.distribution.capitalize())
        values = (
            ", ".join(f"{number:.4g}" for number in np.atleast_1d(value))
            for _, value in self.parameters
        )
        return f"{shown}({', '.join(values)})"


def _times(value: Number, factor: float) -> Number:
    return tuple(v * factor for v in value) if isinstance(value, tuple) else value * factor


def prior_arrays(
    priors: Mapping[str, PriorSpec], expected: Mapping[str, PriorSpec]
) -> dict[str, FloatArray]:
    """Return priors as the arrays that a model takes, ``<name>_<parameter>``.

    `expected` are the family's defaults, whose names and distributions the graph has: any others
    are refused. Scalars of shape (), or (K,) for a Dirichlet and for priors with one value a
    category.

    >>> w = PriorSpec.of("w", "beta", 2, 4, source="judgement", known_by=date(2025, 1, 1))
    >>> {name: float(value) for name, value in prior_arrays({"w": w}, {"w": w}).items()}
    {'w_a': 2.0, 'w_b': 4.0}
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
    start within the prior of the fit at hand, whatever the model was compiled with. Draws not
    named ``<name>_z`` pass through; the order is that of the priors, constants left out.
    """
    found: dict[str, FloatArray] = {}
    for name, prior in priors.items():
        if f"{name}_z" in draws:
            mu, sd = (float(np.asarray(value)) for _, value in prior.parameters)
            scaled = mu + sd * draws[f"{name}_z"]
            found[name] = np.exp(scaled) if prior.distribution == "lognormal" else scaled
        elif name in draws:
            found[name] = draws[name]
    return found


def prior_table(family: str, priors: Mapping[str, PriorSpec]) -> list[dict[str, str]]:
    """Return one row for each prior: family, parameter, prior, source, known_by."""
    return [
        {
            "family": family,
            "parameter": prior.name,
            "prior": prior.text,
            "source": prior.source,
            "known_by": prior.known_by.isoformat(),
        }
        for prior in priors.values()
    ]


def prior_draw(rng: np.random.Generator, priors: Mapping[str, PriorSpec]) -> dict[str, FloatArray]:
    """Draw every parameter once from its prior, () or (K,) each; constants as they are."""
    found: dict[str, FloatArray] = {}
    for name, prior in priors.items():
        values = [np.asarray(value, dtype=np.float64) for _, value in prior.parameters]
        match prior.distribution:
            case "normal":
                drawn = rng.normal(*values)
            case "lognormal":
                drawn = np.exp(rng.normal(*values))
            case "gamma":
                drawn = rng.gamma(values[0], 1.0 / values[1])
            case "beta":
                drawn = rng.beta(*values)
            case "dirichlet":
                drawn = rng.dirichlet(values[0])
            case _:
                drawn = values[0]
        found[name] = np.asarray(drawn, dtype=np.float64)
    return found
