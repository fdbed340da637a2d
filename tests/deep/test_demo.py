"""The main job: the one full replay of the suite, with the sampler and all its paths."""

import datetime as dt
import itertools
import json

import pytest

from forecasting.app.book import open_book

pytestmark = pytest.mark.deep
type Spoken = dict[str, set[tuple[str, dt.datetime]]]
#: Questions under a condition that few of a replay's 8,192 paths meet.
RARE = {"russia-signs-given-soft", "russia-signs-given-firm", "relapse-after-deal"}


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """The one full replay of the suite."""
    with open_book(str(tmp_path_factory.mktemp("demo") / "demo.db"), create=True) as book:
        yield book, book.replay()


def test_the_main_job_has_its_figures(demo):
    book, result = demo
    assert (result["questions"], result["resolved"]) == (48, 30)
    assert result["forecasters"] >= 12
    assert book.verify()["ok"]
    json.dumps(result["scores"])


def test_only_what_few_paths_meet_is_refused(demo):
    """A condition that is rare leaves a number too loose to log; all others are said each time."""
    book, result = demo
    runs = book.ledger.model_runs(run=result["run"])
    refused = [run for run in runs if not run.passed]
    assert len(refused) == result["refused"] < 0.05 * len(runs)
    assert all("Monte Carlo error" in run.gate for run in refused)
    pairs = _spoken(book, result)
    rare = {question for question, _ in pairs["prior"] - pairs["model"]}
    assert rare <= RARE


def _spoken(book, result):
    spoken = {}
    for forecast in book.ledger.forecasts(run=result["run"], kind="replay"):
        spoken.setdefault(forecast.forecaster, set()).add((forecast.question, forecast.issued_at))
    return spoken


def _alike(spoken):
    model = spoken["model"]
    assert spoken["prior"] == model
    for name in ("base-rate", "model without links", "model without news"):
        assert spoken[name] == model
    assert spoken["always-0.5"] | spoken["uniform"] == model
    assert spoken["climatology"] >= spoken["always-0.5"]
    for name in ("003", "004", "001", "000", "002"):
        first = min(moment for _, moment in spoken[f"worldview:{name}"])
        assert spoken[f"worldview:{name}"] == {pair for pair in model if pair[1] >= first}


def test_of_what_is_not_rare_every_forecaster_speaks_at_every_step(demo):
    _alike(
        {
            name: {pair for pair in pairs if pair[0] not in RARE}
            for name, pairs in _spoken(*demo).items()
        }
    )


@pytest.mark.xfail(strict=True, reason="8,192 paths are too few for three rare conditions")
def test_every_forecaster_speaks_at_every_step(demo):
    _, result = demo
    assert result["refused"] == 0
    _alike(_spoken(*demo))


def test_ladders_never_fall_and_options_sum_to_one(demo):
    book, result = demo
    rungs = {}
    for forecast in book.ledger.forecasts(run=result["run"], kind="replay"):
        numbers = forecast.value.numbers
        if forecast.value.shape == "options":
            assert abs(sum(numbers) - 1) <= 1e-9
        if forecast.value.shape == "quantiles":
            assert all(a <= b for a, b in itertools.pairwise(numbers))
        if "@" in forecast.question:
            ladder, _, day = forecast.question.partition("@")
            key = (ladder, forecast.forecaster, forecast.issued_at)
            rungs.setdefault(key, []).append((day, numbers[0]))
    for key, values in rungs.items():
        probabilities = [p for _, p in sorted(values)]
        assert all(a <= b + 1e-12 for a, b in itertools.pairwise(probabilities)), key


def test_no_interval_is_given_for_few_events_and_nobody_is_ranked(demo):
    _, result = demo
    for row in result["scores"]:
        if row["n_events"] < 8:
            assert row["lower"] != row["lower"]
            assert "too few" in row["note"]
    order = [row["forecaster"] for row in result["scores"] if row["type"] == "binary"]
    assert order[:5] == ["model", "model without links", "model without news", "prior", "base-rate"]


def test_texts_are_scored_on_their_claims_alone(demo):
    book, _ = demo
    claims = book.ledger.forecasts(kind="elicited")
    assert {claim.forecaster for claim in claims} == {
        "text:000",
        "text:001",
        "text:003",
        "text:004",
    }
    assert len(claims) == 20
    assert all(claim.claim and claim.meta["sentences"] for claim in claims)


def test_the_review_page_is_written(demo, tmp_path):
    book, _ = demo
    page = book.review(tmp_path / "review").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "hindsight" in page
    assert len(page) < 6_000_000
