"""Outsiders: found by name, shown only what was known, refused what they may have read."""

import datetime as dt
import importlib
import sys

import pytest

from forecasting.domain.evidence import Evidence
from forecasting.errors import InvalidInput, NotFound
from forecasting.models import outside
from forecasting.models.outside import FixedForecaster, OutsideForecaster, ask, installed, refusal

PLUGIN = '''
class Counter:
    """Says how much it was shown."""

    name = "counter"
    knowledge_cutoff = None

    def forecast(self, question, as_of, evidence):
        return min(1.0, len(evidence) / 10)

broken = object()
'''


def day(number):
    return dt.datetime(2026, 2, 1, tzinfo=dt.UTC) + dt.timedelta(days=number)


@pytest.fixture(scope="module")
def question():
    from forecasting.app.questions import bundled_bank

    found = {item.id: item for item in bundled_bank().questions}
    return found["general-ceasefire-2026@2026-03-31"]


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A package as an installer leaves it: a module and its .dist-info folder, on the path."""

    def place(*points):
        (tmp_path / "counting_oracle.py").write_text(PLUGIN)
        info = tmp_path / "counting_oracle-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: counting-oracle\nVersion: 1.0\n"
        )
        lines = "\n".join([f"[{outside.GROUP}]", *points])
        (info / "entry_points.txt").write_text(lines + "\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        importlib.invalidate_caches()

    yield place
    sys.modules.pop("counting_oracle", None)


def item(key, at, title="news"):
    return Evidence(key, "report", title, "wire", known_at=day(at), effects=())


def test_a_plug_in_is_found_by_its_entry_point(plugin, question):
    plugin("counter = counting_oracle:Counter")
    found = installed()
    assert isinstance(found["counter"], OutsideForecaster)
    said = ask(outside.get("counter"), question, day(20), [item("a", 1), item("b", 30)])
    assert said.forecaster == "outside:counter"
    # Of two items one was known by then.
    assert said.value.probability == 0.1
    assert said.meta["evidence"] == "1"
    assert said.question_hash == question.wording_hash
    with pytest.raises(NotFound, match="countr") as caught:
        outside.get("countr")
    assert caught.value.hint == "counter"


def test_a_plug_in_that_is_no_forecaster_is_refused(plugin):
    plugin("broken = counting_oracle:broken")
    with pytest.raises(InvalidInput, match="broken"):
        installed()


def test_the_same_question_gives_the_same_answer(question):
    fixed = FixedForecaster("fixed", 0.3)
    assert isinstance(fixed, OutsideForecaster)
    one, two = (ask(fixed, question, day(20), []) for _ in range(2))
    assert one == two
    assert one.value.probability == 0.3


@pytest.mark.parametrize(
    ("cutoff", "reason"),
    [
        (None, ""),
        (day(-30), ""),
        (day(1), "before the knowledge cutoff"),
        (day(40), "may have read what came after"),
        (dt.datetime(2026, 1, 1), "time zone"),
    ],
)
def test_a_back_test_of_what_it_may_have_read_is_refused(question, cutoff, reason):
    # The question opens on 1 February in Kyiv; asked as of the 21st.
    oracle = FixedForecaster("oracle", 0.9, knowledge_cutoff=cutoff)
    assert (reason in refusal(oracle, question, day(20))) if reason else True
    if reason:
        with pytest.raises(InvalidInput, match=reason):
            ask(oracle, question, day(20), [], kind="replay")
    else:
        assert ask(oracle, question, day(20), [], kind="replay").kind == "replay"


def test_the_boundary_is_the_opening_itself(question):
    at = FixedForecaster("oracle", knowledge_cutoff=question.opens)
    assert refusal(at, question, question.opens) == ""
    later = FixedForecaster("oracle", knowledge_cutoff=question.opens + dt.timedelta(seconds=1))
    assert refusal(later, question, day(20))


@pytest.mark.parametrize("p", [float("nan"), -0.1, 1.1])
def test_an_answer_that_is_no_probability_is_refused(question, p):
    with pytest.raises(InvalidInput, match="from 0 to 1"):
        ask(FixedForecaster("odd", p), question, day(20), [])


def test_it_has_no_privilege(question):
    for name in ("model", "worldview:003", "pool:worldviews", ""):
        with pytest.raises(InvalidInput, match="name of its own"):
            ask(FixedForecaster(name), question, day(20), [])
    for moment in (day(-5), question.closes):
        with pytest.raises(InvalidInput, match="not open"):
            ask(FixedForecaster(), question, moment, [])
