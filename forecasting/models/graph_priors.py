"""The three graphs that a world rests on, and every prior in them."""

from forecasting.models.deliveries import Deliveries
from forecasting.models.delivery_priors import RESUME
from forecasting.models.prior import PriorSpec
from forecasting.models.rates import Rates
from forecasting.models.spell_settings import CASE, SETTINGS
from forecasting.models.spells import Spells

__all__ = ["graph_priors", "prior_rows"]


def graph_priors() -> dict[str, dict[str, PriorSpec]]:
    """Return the default priors by graph, and of spells by what ends them."""
    spells = {
        f"spells ({name})": Spells(name, instant=name == "first-claim").default_priors()
        for name in SETTINGS
    }
    spells["spells (peace-agreement)"][CASE.name] = CASE
    deliveries = Deliveries().default_priors() | {RESUME.name: RESUME}
    return {"rates": Rates().default_priors(), **spells, "deliveries": deliveries}


def prior_rows() -> list[dict[str, str]]:
    """Return one row for each default prior: family, parameter, prior, source, known_by."""
    return [
        {
            "family": family,
            "parameter": prior.name,
            "prior": prior.text,
            "source": prior.source,
            "known_by": prior.known_by.isoformat(),
        }
        for family, priors in graph_priors().items()
        for prior in priors.values()
    ]
