"""Families by name, priors as data."""

import tomllib
from datetime import date
from pathlib import Path

import pytest

from forecasting import models
from forecasting.errors import NotFound
from forecasting.models import registry
from forecasting.models.base_rate import KINDS, BaseRate
from forecasting.models.competing_risks import CompetingRisks
from forecasting.models.exchange import ExchangeCount
from forecasting.models.protocol import PriorSpec, QuestionModel, prior_arrays, prior_table
from forecasting.models.survival import Survival

ALL = [
    *(BaseRate(kind) for kind in KINDS),
    *(Survival(setting) for setting in ("formal-end", "first-claim", "peace-agreement")),
    Survival("first-claim", instant=True),
    ExchangeCount(),
    CompetingRisks(),
    CompetingRisks(total="lognormal"),
]


def names(model):
    return f"{model.family} {model.structure}"


def test_the_built_in_families_are_those_of_the_package():
    pyproject = Path(__file__).parents[2] / "pyproject.toml"
    with pyproject.open("rb") as file:
        listed = tomllib.load(file)["project"]["entry-points"][registry.GROUP]
    assert listed.items() <= registry.BUILT_IN.items() | listed.items()
    assert {name: listed[name] for name in registry.BUILT_IN} == registry.BUILT_IN


def test_every_family_is_a_question_model_under_its_own_name():
    for name in registry.BUILT_IN:
        family = models.families()[name]
        assert family.family == name
        assert isinstance(family(), QuestionModel)
        assert family.outcome_types <= {"binary", "categorical", "ordered", "numeric"}


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(NotFound, match="survivel") as caught:
        models.get("survivel")
    assert caught.value.hint == "survival"


@pytest.mark.parametrize("model", ALL, ids=names)
def test_priors_have_sources_dates_and_the_arrays_of_the_graph(model):
    priors = model.default_priors()
    for name, prior in priors.items():
        assert name == prior.name
        assert len(prior.source) > 10
        # The bank's first question opens on 18 Mar 2025; exchanges are asked about from 16 May.
        limit = date(2025, 5, 16) if "exchanges" in prior.source else date(2025, 3, 18)
        if "on record before May 2025" in prior.source:
            limit = date(2025, 5, 16)
        assert prior.known_by < limit
        hash(prior)
    if not isinstance(model, ExchangeCount):
        assert set(prior_arrays(priors, priors)) <= set(model.layout)
    rows = prior_table(model.family, priors)
    assert [set(row) for row in rows] == [
        {"family", "parameter", "prior", "source", "known_by"}
    ] * len(priors)


@pytest.mark.parametrize(
    ("distribution", "values", "match"),
    [
        ("normal", (0.0, 0.0), "positive"),
        ("gamma", (1.0,), "takes"),
        ("cauchy", (0.0, 1.0), "must be one of"),
        ("beta", (1.0, float("inf")), "positive and finite"),
    ],
)
def test_a_prior_that_is_none_is_refused(distribution, values, match):
    with pytest.raises(ValueError, match=match):
        PriorSpec.of("x", distribution, *values, source="a test", known_by=date(2025, 1, 1))


def test_priors_of_another_kind_are_refused():
    model = Survival()
    priors = model.default_priors()
    with pytest.raises(ValueError, match="priors must be for"):
        prior_arrays({"theta": priors["theta"]}, priors)
    swapped = PriorSpec.of("k", "gamma", 2.0, 2.0, source="a test", known_by=date(2025, 1, 1))
    with pytest.raises(ValueError, match="lognormal"):
        prior_arrays({**priors, "k": swapped}, priors)
