"""Every default prior says where it comes from and could be known before the first question."""

import datetime as dt

from forecasting.models.deliveries import Deliveries
from forecasting.models.priors import CASE, RESUME, SETTINGS
from forecasting.models.rates import Rates
from forecasting.models.spells import Spells


def graph_priors():
    """Give the default priors by graph, and of spells by what ends them."""
    spells = {
        f"spells ({name})": Spells(name, instant=name == "first-claim").default_priors()
        for name in SETTINGS
    }
    spells["spells (peace-agreement)"][CASE.name] = CASE
    deliveries = Deliveries().default_priors() | {RESUME.name: RESUME}
    return {"rates": Rates().default_priors(), **spells, "deliveries": deliveries}


def test_every_prior_has_a_source_known_before_march_2025():
    for name, priors in graph_priors().items():
        for prior in priors.values():
            assert prior.known_by < dt.date(2025, 3, 1), (name, prior.name)
            assert len(prior.source) > 20, (name, prior.name)
            assert "judgement" in prior.source or "doi:" in prior.source, (name, prior.name)
