"""The forecasters of a page: what they are called, how drawn."""

from collections.abc import Mapping

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


#: The colour of each, by its name in the style sheet, which adds a dash and a width: the palette of
#: Okabe and Ito, which the colour-blind can tell apart.
PENS: Mapping[Family, str] = {
    "person": "ink",
    "model": "model",
    "without-links": "model",
    "without-news": "model",
    "prior": "prior",
    "base-rate": "base",
    "worldview": "faint",
    "pool": "pool",
    "climatology": "faint",
    "uniform": "faint",
    "text": "ink",
    "crowd": "pool",
}


def label(forecaster: str, labels: Mapping[str, str] | None = None) -> str:
    """Give the name to print."""
    if labels and forecaster in labels:
        return labels[forecaster]
    part = family(forecaster)
    if part in ("worldview", "text"):
        return forecaster.replace(":", " ", 1)
    return _LABELS.get(part, forecaster)
