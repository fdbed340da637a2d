"""Weak priors of the base rates, one set a kind; a reference class replaces them."""

from datetime import date
from typing import Any, Literal

from forecasting.models.protocol import PriorSpec

__all__ = ["KINDS", "Kind", "default_priors"]

Kind = Literal["rate", "weekly", "share", "dirichlet", "count", "rungs"]
KINDS: tuple[Kind, ...] = ("rate", "weekly", "share", "dirichlet", "count", "rungs")

JUDGEMENT = "worth one case, by judgement: a reference class replaces it"
RECORD = (
    "63 exchanges and 4,552 returned from 24 Feb 2022 to 19 Apr 2025 (164 weeks, one side's "
    "count), discounted to the weight of 6 exchanges"
)


def default_priors(kind: Kind, categories: int) -> tuple[PriorSpec, ...]:
    """Return the priors of one kind of base rate.

    Parameters
    ----------
    kind : str
        One of ``KINDS``.
    categories : int
        Categories of a Dirichlet, or rungs.

    Returns
    -------
    tuple of PriorSpec
        One for each parameter, constants included.

    Examples
    --------
    >>> [prior.text for prior in default_priors("rungs", 2)]
    ['Gamma(1, 1, 365, 365)']
    """
    k = categories
    if kind == "rate":
        return (_judged("rate", "gamma", 1.0, 365.0),)
    if kind == "weekly":
        return (_judged("chance", "beta", 1.0, 51.0),)
    if kind == "share":
        return (_judged("chance", "beta", 1.0, 1.0),)
    if kind == "dirichlet":
        return (_judged("share", "dirichlet", (1.0,) * k),)
    if kind == "rungs":
        return (_judged("rate", "gamma", (1.0,) * k, (365.0,) * k),)
    return (
        _recorded("rate", "gamma", 6.0, 15.6),
        _recorded("inverse_size", "gamma", 12.0, 432.0),
        _recorded("size_shape", "constant", 2.0),
    )


def _judged(name: str, distribution: str, *values: Any) -> PriorSpec:
    return PriorSpec.of(name, distribution, *values, source=JUDGEMENT, known_by=date(2025, 2, 28))


def _recorded(name: str, distribution: str, *values: Any) -> PriorSpec:
    return PriorSpec.of(name, distribution, *values, source=RECORD, known_by=date(2025, 4, 19))
