"""The forecasters of a page: in which fixed order they stand, what they are called, how drawn."""

from collections.abc import Mapping
from dataclasses import dataclass

from forecasting.domain.forecasters import Family, family

_LABELS: Mapping[Family, str] = {
    "model": "model",
    "without-links": "model without links",
    "without-news": "model without news",
    "prior": "prior alone",
    "base-rate": "base rate",
    "pool": "pool of worldviews",
    "climatology": "climatology",
    "uniform": "uniform",
}


@dataclass(frozen=True, slots=True)
class Pen:
    """How a forecaster is drawn: a colour by its name in the style sheet, a dash, a width."""

    colour: str
    dash: str | tuple[float, tuple[float, ...]]
    width: float


# Okabe and Ito's palette, which the colour-blind can tell apart; dash and width say it again.
PENS: Mapping[Family, Pen] = {
    "person": Pen("ink", "-", 2.0),
    "model": Pen("model", "-", 2.2),
    "without-links": Pen("model", (0, (3, 1.6)), 1.3),
    "without-news": Pen("model", (0, (1, 1.4)), 1.3),
    "prior": Pen("prior", (0, (1.2, 1.6)), 1.7),
    "base-rate": Pen("base", (0, (5, 2.2)), 1.9),
    "worldview": Pen("faint", "-", 0.9),
    "pool": Pen("pool", (0, (6, 1.8, 1.2, 1.8)), 1.8),
    "climatology": Pen("faint", (0, (2, 2)), 1.0),
    "uniform": Pen("faint", (0, (2, 2)), 1.0),
    "text": Pen("ink", "-", 1.0),
    "crowd": Pen("pool", (0, (2, 1.2)), 1.4),
}


def label(forecaster: str, labels: Mapping[str, str] | None = None) -> str:
    """Give the name to print."""
    if labels and forecaster in labels:
        return labels[forecaster]
    part = family(forecaster)
    if part in ("worldview", "text"):
        return forecaster.replace(":", " ", 1)
    return _LABELS.get(part, forecaster)
