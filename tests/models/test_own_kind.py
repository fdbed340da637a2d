"""A kind of process of one's own: its class fills in states and moves, and gives their hazards."""

import datetime as dt
import sys
from math import exp

import numpy as np
import pytest

from forecasting import models
from forecasting.app.forecast.predict import OWN, Predictor
from forecasting.app.upkeep.banks import load_bank
from forecasting.bank import read_bank
from forecasting.domain.catalog import Catalog
from forecasting.domain.forecasters import MODEL
from forecasting.store import Ledger

NOW = dt.datetime(2026, 11, 28, 12, tzinfo=dt.UTC)
KIND = '''
"""A ladder of escalation: each rung is left upwards, and downwards, as fast as every other."""

import numpy as np

from dataclasses import replace
from forecasting.domain.process import MoveSpec, Phrase
from forecasting.errors import InvalidInput
from forecasting.models.world.assembly import Hazard

SEEN = []


class Escalation:
    """rungs that are climbed and left one by one, each as fast as every other"""

    def process(self, spec):
        rungs = tuple(spec.settings.get("rungs", ()))
        if len(rungs) < 2:
            raise InvalidInput(f"rungs ({len(rungs)}): two or more", hint="rungs: [calm, war]")
        ways = [*zip(rungs, rungs[1:]), *zip(rungs[1:], rungs)]
        phrase = Phrase("history")
        return replace(spec, states=rungs, moves=tuple(MoveSpec(a, b, phrase) for a, b in ways))

    def hazards(self, spec, pasts, points, seed):
        SEEN.append((spec.name, dict(pasts)))
        answer = spec.settings.get("give", "hazard")
        if answer == "nothing":
            return {}
        if answer == "fault":
            raise ZeroDivisionError("by hand")
        rate = float(spec.settings.get("rate", 0.01))
        given = np.full(points + (answer == "shape"), rate)
        return {move.name: Hazard(given) for move in spec.moves}
'''
WORLD = """
schema: 1
zone: UTC
watched: 2026-11-28
processes:
  border:
    kind: escalation
    settings: {{rungs: [calm, clashes, war]{more}}}
    since 2026-01-01: calm
    2026-03-01: clashes
    2026-03-11: calm
  envoys:
    moves: {{away > here: "", here > away: ""}}
    since 2026-01-01: away
    2026-05-01: here
    2026-06-01: away
{links}
questions:
  war-2026: {{title: War, type: binary, closes: 2026-12-31, answer: border=clashes by close}}
  envoys-2026: {{title: Envoys, type: binary, closes: 2026-12-31, answer: envoys=here by close}}
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install the kind: a module, and the two files by which a distribution is found."""
    (tmp_path / "escalation_kind.py").write_text(KIND)
    information = tmp_path / "escalation_kind-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: escalation-kind\nVersion: 1\n"
    )
    (information / "entry_points.txt").write_text(
        "[forecasting.processes]\nescalation = escalation_kind:Escalation\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import escalation_kind

    yield escalation_kind
    sys.modules.pop("escalation_kind")


def bank_of(folder, more="", links=""):
    (folder / "own" / "worlds").mkdir(parents=True, exist_ok=True)
    (folder / "own" / "worlds" / "own.yaml").write_text(WORLD.format(more=more, links=links))
    return read_bank(folder / "own", now=NOW)


def predictor_of(bank, draws=4_096):
    assert not bank.problems, bank.problems[0]
    ledger = Ledger.open("sqlite:///:memory:", create=True)
    load_bank(ledger, bank, NOW)
    predictor = Predictor(Catalog.of(ledger), ledger.evidence(), bank, seed=0, draws=draws)
    ledger.close()
    return predictor


def asked(predictor):
    questions = list(predictor.catalog.questions.values())
    answers = predictor.one(OWN[0], questions, NOW)
    return {name: answer.numbers[0] for name, answer in answers.items()}


def test_its_states_and_moves_are_those_of_the_class(installed, tmp_path):
    border = bank_of(tmp_path).world.processes["border"]
    assert border.states == ("calm", "clashes", "war")
    assert [move.name for move in border.moves][:2] == ["calm > clashes", "clashes > war"]
    assert "escalation" in models.kinds()
    assert models.get("escalation") is installed.Escalation


def test_its_hazards_are_simulated(installed, tmp_path):
    """One exit at a constant rate, watched to the moment: 1 - exp(-rate x days left)."""
    days = (dt.datetime(2027, 1, 1, tzinfo=dt.UTC) - NOW) / dt.timedelta(days=1)
    for rate in (0.004, 0.03):
        chances = asked(predictor_of(bank_of(tmp_path, f", rate: {rate}")))
        assert chances["war-2026"] == pytest.approx(1 - exp(-rate * days), abs=0.006)


def test_it_sees_its_own_past_and_no_other(installed, tmp_path):
    asked(predictor_of(bank_of(tmp_path)))
    name, pasts = installed.SEEN[-1]
    assert name == "border"
    assert set(pasts) == {"calm > clashes", "clashes > war", "clashes > calm", "war > clashes"}
    up, down = pasts["calm > clashes"], pasts["clashes > calm"]
    assert (up.count, down.count) == (1, 1)
    assert down.exposure == pytest.approx(10.0)


def test_nobody_borrows_from_it(installed, tmp_path):
    """The pooled fit, and so the other process, is the same whatever the kind says."""
    slow = asked(predictor_of(bank_of(tmp_path, ", rate: 0.001")))
    quick = asked(predictor_of(bank_of(tmp_path, ", rate: 0.2")))
    assert slow["war-2026"] < 0.1 < quick["war-2026"]
    assert slow["envoys-2026"] == quick["envoys-2026"]


def test_links_act_on_it(installed, tmp_path):
    link = """
links:
  - while envoys=away: border=clashes x5 (3..8)
    because: nobody speaks
    source: judgement
    known_by: 2026-01-01
"""
    alone = asked(predictor_of(bank_of(tmp_path, ", rate: 0.004")))
    linked = asked(predictor_of(bank_of(tmp_path, ", rate: 0.004", link)))
    assert linked["war-2026"] > 2 * alone["war-2026"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (", give: nothing", "no Hazard for calm > clashes"),
        (", give: fault", "ZeroDivisionError: by hand"),
        (", give: shape", "of calm > clashes has shape ("),
        (", rate: -1", "rate of calm > clashes is -1"),
        (", rate: .nan", "rate of calm > clashes is nan"),
    ],
)
def test_a_fault_of_its_class_silences_its_questions_alone(installed, tmp_path, more, words):
    predictor = predictor_of(bank_of(tmp_path, more))
    assert list(asked(predictor)) == ["envoys-2026"]
    assert words in predictor.model.faults["war-2026", NOW]


def test_a_worldview_shifts_its_rates(installed, tmp_path):
    from forecasting.models.registry import own_hazards

    border = bank_of(tmp_path).world.processes["border"]
    options = {"points": 4, "seed": 0}
    plain = own_hazards(border, {}, shifts={}, **options)
    shifted = own_hazards(border, {}, shifts={("border", "calm > clashes"): np.log(5)}, **options)
    assert plain is not None
    assert shifted is not None
    key, other = ("border", "calm > clashes"), ("border", "clashes > war")
    np.testing.assert_allclose(shifted[key].rate, 5 * np.asarray(plain[key].rate))
    np.testing.assert_array_equal(shifted[other].rate, plain[other].rate)
    assert OWN[0].name == MODEL
