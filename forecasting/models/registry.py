"""The families of models, found through the entry-point group ``forecasting.models``."""

from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points

from forecasting.errors import NotFound
from forecasting.models.protocol import QuestionModel

__all__ = ["GROUP", "families", "get"]

GROUP = "forecasting.models"

# The same lines stand in pyproject.toml: a checkout that is not installed has no entry points.
BUILT_IN = {
    "base-rate": "forecasting.models.base_rate:BaseRate",
    "competing-risks": "forecasting.models.competing_risks:CompetingRisks",
    "exchange-count": "forecasting.models.exchange:ExchangeCount",
    "news-log-odds": "forecasting.models.news_log_odds:NewsLogOdds",
    "forecaster": "forecasting.models.forecaster:Forecaster",
    "staged": "forecasting.models.staged:StagedProcess",
    "scenario": "forecasting.models.scenario:Scenario",
    "survival": "forecasting.models.survival:Survival",
    "worldview-ensemble": "forecasting.models.worldview_ensemble:WorldviewEnsemble",
}


def _addresses() -> dict[str, str]:
    found = dict(BUILT_IN)
    for point in entry_points(group=GROUP):
        found.setdefault(point.name, point.value)
    return dict(sorted(found.items()))


def families() -> dict[str, type[QuestionModel]]:
    """Return every model family by name, those of installed plug-ins included.

    Returns
    -------
    dict of str to type
        Sorted by name. A plug-in never replaces a built-in family.

    Examples
    --------
    >>> sorted(families())[:3]
    ['base-rate', 'competing-risks', 'exchange-count']
    """
    return {name: _load(address) for name, address in _addresses().items()}


def get(name: str) -> type[QuestionModel]:
    """Return one model family.

    Parameters
    ----------
    name : str
        For example ``"survival"``.

    Returns
    -------
    type
        The class; call it for an instance with default settings.

    Raises
    ------
    NotFound
        If there is no such family; names the nearest.

    Examples
    --------
    >>> get("survival").family
    'survival'
    >>> get("survivel")
    Traceback (most recent call last):
    forecasting.errors.NotFound: model family (survivel): no such family. Try: survival
    """
    addresses = _addresses()
    if name not in addresses:
        near = get_close_matches(name, addresses, n=1, cutoff=0.4)
        message = f"model family ({name}): no such family."
        raise NotFound(message, hint=near[0] if near else ", ".join(addresses))
    return _load(addresses[name])


def _load(address: str) -> type[QuestionModel]:
    module, _, attribute = address.partition(":")
    found: type[QuestionModel] = getattr(import_module(module), attribute)
    return found
