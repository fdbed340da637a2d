"""Replay: resumable at any moment, the same to the last digit, coherent, and scored."""

import datetime as dt
import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from forecasting import clock
from forecasting.app import predict, replay_ahead
from forecasting.app import replay as walk
from forecasting.app.book import Book, open_book
from forecasting.app.schedule import steps
from forecasting.errors import InvalidInput
from forecasting.models.fits import FitCache
from forecasting.models.world.model import WorldModel
from tests.app import quick

DRAWS = 1_024

SLICE = {
    "names": [
        "energy-truce-2025-runs-term",
        "black-sea-truce-2025-announced",
        "general-ceasefire-2025",
        "modular-path-2025",
        "exchange-1000-2025-delivered",
    ],
    "start": dt.datetime(2025, 5, 9, 21, tzinfo=dt.UTC),
    "until": dt.datetime(2025, 5, 30, 21, tzinfo=dt.UTC),
    "seed": 7,
}


def _slice(path: Path, **changes: Any) -> dict[str, Any]:
    with open_book(str(path)) as book:
        result = book.replay(**{**SLICE, **changes})
        result["said"] = [
            (f.question, f.forecaster, f.issued_at, f.value.entered)
            for f in book.ledger.forecasts(run=result["run"])
        ]
        result["verified"] = book.verify()["ok"]
        return result


@pytest.fixture(scope="module", autouse=True)
def quickly() -> Iterator[None]:
    """Fits that take no time and few paths, for all but the whole replay."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FitCache, "fit", quick.quick_fit)
        patch.setattr(predict, "REPLAY_DRAWS", DRAWS)
        patch.setattr(walk, "REPLAY_DRAWS", DRAWS)
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return _slice(tmp_path_factory.mktemp("slice") / "whole.db")


def test_two_runs_agree_to_the_last_digit(whole: dict[str, Any], tmp_path: Path) -> None:
    with clock.at(dt.datetime(2027, 1, 1, tzinfo=dt.UTC)):
        again = _slice(tmp_path / "again.db")
    assert again["said"] == whole["said"]
    assert again["digest"] == whole["digest"]
    assert again["head"] != whole["head"]


@contextmanager
def _cluster() -> Iterator[str]:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=False,
        host="127.0.0.1",
        protocol="tcp://",
        dashboard_address=None,
    ) as cluster:
        yield cluster.scheduler_address


def test_answers_simulated_ahead_change_no_digit_and_are_not_simulated_again(
    whole: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead: list[Any] = []
    walked: list[str] = []
    real, answers = replay_ahead.answers_of, WorldModel.answers

    def elsewhere(job: bytes, moments: Any) -> Any:
        found = real(job, moments)
        ahead.extend(found)
        walked.clear()
        return found

    def counted(self: WorldModel, variant: Any, *arguments: Any, **options: Any) -> Any:
        walked.append(variant.name)
        return answers(self, variant, *arguments, **options)

    # A thread takes the place of the processes; those of other laws are real.
    monkeypatch.setattr(replay_ahead, "ProcessPoolExecutor", lambda n, **_: ThreadPoolExecutor(1))
    monkeypatch.setattr(replay_ahead, "answers_of", elsewhere)
    monkeypatch.setattr(WorldModel, "answers", counted)
    found = _slice(tmp_path / "ahead.db", workers=2)
    assert (found["run"], found["digest"]) == (whole["run"], whole["digest"])
    assert {name for name, _, _ in ahead} >= {"model", "base-rate", "model without links", "prior"}
    # What moved a number is simulated in the walk, and nothing else but the priors.
    assert set(walked) <= {"model", "prior"}


@pytest.mark.deep
def test_nor_do_those_of_other_processes_or_of_a_cluster(
    whole: dict[str, Any], tmp_path: Path
) -> None:
    ahead = _slice(tmp_path / "ahead.db", workers=2)
    assert (ahead["run"], ahead["digest"]) == (whole["run"], whole["digest"])
    with _cluster() as address:
        far = _slice(tmp_path / "cluster.db", dask=address)
    assert far["digest"] == whole["digest"]


def test_a_cluster_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    with pytest.raises(InvalidInput, match=r"dask \(nowhere\): no scheduler answers there"):
        _slice(tmp_path / "none.db", dask="nowhere")


def test_another_seed_is_another_run(whole: dict[str, Any], tmp_path: Path) -> None:
    other = _slice(tmp_path / "other.db", seed=8)
    assert other["run"] != whole["run"]
    assert other["said"] != whole["said"]


class _PulledPlug(Exception):
    """Stands for a kill between two steps."""


@pytest.mark.parametrize("stop_after", [pytest.param(0, marks=pytest.mark.deep), 1, 5])
def test_an_interrupted_run_completes_without_doubles(
    whole: dict[str, Any], tmp_path: Path, stop_after: int
) -> None:
    def interrupted(all_steps: Any, take: Any) -> None:
        for count, step in enumerate(all_steps):
            if count == stop_after:
                raise _PulledPlug
            take(step)

    path = tmp_path / "cut.db"
    with open_book(str(path)) as book, pytest.raises(_PulledPlug):
        book.replay(progress=interrupted, **SLICE)
    # What arrives between must not reach the run: its evidence is cut at its first start.
    with open_book(str(path)) as book:
        book.add_news(
            "late",
            source="x",
            known_at="2025-03-20T00:00Z",
            on={"energy-truce-2025-runs-term": "ended"},
        )
    resumed = _slice(path)
    assert resumed["run"] == whole["run"]
    assert resumed["said"] == whole["said"]
    assert resumed["verified"]


def test_running_a_finished_run_again_adds_nothing(whole: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "twice.db"
    first = _slice(path)
    second = _slice(path)
    assert second["head"] == first["head"]
    assert second["forecasts"] == first["forecasts"] == whole["forecasts"]


def test_steps_are_daily_for_short_windows_and_weekly_beyond() -> None:
    from forecasting.app.questions import bundled_bank

    bank = bundled_bank()
    questions = {question.id: question for question in bank.questions}
    start, until = questions["energy-truce-2025-extended"].opens, bank.observed_until
    short = questions["exchange-1000-2025@2025-05-25"]
    days = steps([short], [short.closes], [], start=start, until=until)
    assert [(b - a).days for a, b in itertools.pairwise(days)] == [1] * 9
    assert days[0] == short.opens
    long = questions["leaders-meet@2026-12-31"]
    weeks = steps([long], [long.closes], [], start=long.opens, until=until)
    assert {(b - a).days for a, b in itertools.pairwise(weeks)} <= {6, 7}
    news = long.opens + dt.timedelta(days=10, hours=5)
    more = steps([long], [long.closes], [news], start=long.opens, until=until)
    assert len(more) == len(weeks) + 1


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Book, dict[str, Any]]]:
    """The one full replay of the suite."""
    with open_book(str(tmp_path_factory.mktemp("demo") / "demo.db")) as book:
        yield book, book.replay()


def test_the_main_job_has_its_figures(demo: tuple[Book, dict[str, Any]]) -> None:
    book, result = demo
    assert (result["questions"], result["resolved"]) == (48, 30)
    assert result["forecasters"] >= 12
    assert result["refused"] == 0
    assert book.verify()["ok"]
    json.dumps(result["scores"])


def test_every_forecaster_speaks_at_every_step(demo: tuple[Book, dict[str, Any]]) -> None:
    book, result = demo
    spoken: dict[str, set[tuple[str, dt.datetime]]] = {}
    for forecast in book.ledger.forecasts(run=result["run"], kind="replay"):
        spoken.setdefault(forecast.forecaster, set()).add((forecast.question, forecast.issued_at))
    model = spoken["model"]
    assert spoken["prior"] == model
    assert spoken["base-rate"] == model
    assert spoken["always-0.5"] | spoken["uniform"] == model
    assert spoken["climatology"] == spoken["always-0.5"]
    for name in ("003", "004", "001", "000", "002"):
        first = min(moment for _, moment in spoken[f"worldview:{name}"])
        assert spoken[f"worldview:{name}"] == {pair for pair in model if pair[1] >= first}


def test_ladders_never_fall_and_options_sum_to_one(demo: tuple[Book, dict[str, Any]]) -> None:
    book, result = demo
    rungs: dict[tuple[str, str, dt.datetime], list[tuple[str, float]]] = {}
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


def test_no_interval_is_given_for_few_events_and_nobody_is_ranked(
    demo: tuple[Book, dict[str, Any]],
) -> None:
    _, result = demo
    for row in result["scores"]:
        if row["n_events"] < 8:
            assert row["lower"] != row["lower"]
            assert "too few" in row["note"]
    order = [row["forecaster"] for row in result["scores"] if row["type"] == "binary"]
    assert order[:3] == ["model", "prior", "base-rate"]


def test_texts_are_scored_on_their_claims_alone(demo: tuple[Book, dict[str, Any]]) -> None:
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


def test_the_review_page_is_written(demo: tuple[Book, dict[str, Any]], tmp_path: Path) -> None:
    book, _ = demo
    page = book.review(tmp_path / "review").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "hindsight" in page
    assert len(page) < 6_000_000
