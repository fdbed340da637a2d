"""Words into numbers: the seven bands of ICD-203 and their midpoints.

Source: Office of the Director of National Intelligence, Intelligence Community Directive 203,
*Analytic Standards*, 2 January 2015, section D.6.e(2)(a).
"""

from dataclasses import dataclass

from forecasting.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Band:
    """A verbal probability: its name, its low end, the number scored, its high end."""

    name: str
    low: float
    middle: float
    high: float
    synonyms: tuple[str, ...] = ()


BANDS: tuple[Band, ...] = (
    Band("almost-no-chance", 0.01, 0.03, 0.05, ("remote",)),
    Band("very-unlikely", 0.05, 0.125, 0.20, ("highly-improbable",)),
    Band("unlikely", 0.20, 0.325, 0.45, ("improbable",)),
    Band("even-chance", 0.45, 0.50, 0.55, ("roughly-even-odds", "roughly-even-chance")),
    Band("likely", 0.55, 0.675, 0.80, ("probable",)),
    Band("very-likely", 0.80, 0.875, 0.95, ("highly-probable",)),
    Band("almost-certain", 0.95, 0.97, 0.99, ("nearly-certain",)),
)
#: A flat denial is coded at the middle of the lowest band and also scored at these.
FLAT_DENIAL_ALTERNATIVES = (0.01, 0.10, 0.20)


def band(name: str) -> Band:
    """Look a band up by name or synonym, spaces or hyphens alike.

    >>> band("very likely").middle
    0.875
    """
    wanted = "-".join(name.strip().lower().replace("_", " ").replace("-", " ").split())
    for candidate in BANDS:
        if wanted == candidate.name or wanted in candidate.synonyms:
            return candidate
    raise InvalidInput(f"verbal band ({name}): must be one of {', '.join(b.name for b in BANDS)}")


def milder(first: Band, second: Band) -> Band:
    """Give the band whose midpoint lies nearer to even odds."""
    return min(first, second, key=lambda b: abs(b.middle - 0.5))
