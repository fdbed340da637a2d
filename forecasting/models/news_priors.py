"""Priors of the news family, with their sources; a class's rows in the bank replace them."""

from datetime import date
from typing import Any, Literal

from forecasting.models.protocol import PriorSpec

__all__ = ["SCALES", "default_priors"]

#: The scales of the state-space model, all log-normal: a density that is positive at zero lets a
#: chain fall into the funnel where noise and latents vanish together.
SCALES = ("tau", "house", "story", "noise")

LINZER = "Linzer 2013, doi:10.1080/01621459.2012.737735"
JACKMAN = "Jackman 2005, doi:10.1080/10361140500302472"
HEIDEMANNS = "Heidemanns, Gelman, Morris 2020, doi:10.1162/99608f92.fc62f1e1"
_JUDGED, _WEAK = date(2025, 2, 28), "worth one case, by judgement: a reference class replaces it"


def default_priors(kind: Literal["event", "share"]) -> dict[str, PriorSpec]:
    """Return the priors by parameter.

    Parameters
    ----------
    kind : {"event", "share"}
        A rate a day, or the chance of one occasion.

    Returns
    -------
    dict of str to PriorSpec
        ``tau, house, story, noise, level, bias, beta``, and ``rate`` or ``chance``.

    Examples
    --------
    >>> default_priors("event")["tau"].text
    'LogNormal(-2.659, 0.5)'
    """
    found = [
        _of("tau", "lognormal", -2.659260, 0.5, of=f"a random walk of log-odds: {LINZER}"),
        _of("house", "lognormal", -0.693147, 0.5, of=f"effects of a house: {JACKMAN}"),
        _of("story", "lognormal", -0.693147, 0.5, of="reports of one story, as large as a house's"),
        _of("noise", "lognormal", -0.510826, 0.4, of=f"error of one report: {JACKMAN}"),
        _of("level", "constant", 1.0, of="sd of opinion's level about the base rate"),
        _of("bias", "constant", 0.5, of=f"an error that all houses share: {HEIDEMANNS}"),
        _of("beta", "normal", 0.5, 0.25, of="half of what opinion moves is news of the process"),
    ]
    if kind == "event":
        found.append(PriorSpec.of("rate", "gamma", 1.0, 365.0, source=_WEAK, known_by=_JUDGED))
    else:
        found.append(PriorSpec.of("chance", "beta", 1.0, 1.0, source=_WEAK, known_by=_JUDGED))
    return {prior.name: prior for prior in found}


def _of(name: str, distribution: str, *values: Any, of: str) -> PriorSpec:
    source = f"{of}; its size by judgement"
    return PriorSpec.of(name, distribution, *values, source=source, known_by=_JUDGED)
