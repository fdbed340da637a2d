"""Replay: resumable at any moment, the same to the last digit, coherent, and scored."""

import datetime as dt
import itertools
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from forecasting import clock
from forecasting.app.book import open_book
from forecasting.app.forecast import predict, replay
from forecasting.app.forecast.replay import steps
from forecasting.bank import read_bank, usable
from forecasting.errors import GateRefused, InvalidInput
from forecasting.inference.fit import array_hash
from forecasting.inference.fits import FitCache
from forecasting.models.world.model import WorldModel
from forecasting.resources import locate
from tests.app.quick import SMALL, quick_fit, write_bank

FIT, PATHS, DRAWS = FitCache.fit, predict.REPLAY_DRAWS, 2_048
SLICE = {
    "start": dt.datetime(2026, 5, 1, tzinfo=dt.UTC),
    "until": dt.datetime(2026, 7, 1, tzinfo=dt.UTC),
    "every": 14,
    "seed": 7,
}
#: What is asked of it has every shape, and some of it resolves within the slice.
WORLD = (
    SMALL.replace(
        "  bridge:\n",
        "  level:\n    moves: {none > soft: once in 9 mo, soft > firm: once in 9 mo}\n"
        "    since 2026-01-01: none\n    2026-05-20: soft\n"
        "  people: {delivery: {agreed: 900, announced: 2026-05-02, delivered: 0, unit: people},\n"
        "    2026-05-10: 300}\n  bridge:\n",
    )
    + """\
  firmest: {title: How firm it becomes, type: ordered, options: [none, soft, firm],
    opens: 2026-04-20, closes: 2026-12-31, answer: highest of level by close}
  returned: {title: How many return, type: numeric, lower: 0, upper: 900, unit: people,
    opens: 2026-05-03, closes: 2026-06-20, answer: people total}
  gift-june: {title: The gift comes by June, opens: 2026-03-01, closes: 2026-05-31,
    answer: gift=given by close, resolution: {outcome: no, known: 2026-06-01,
    source: "https://example.org/a", certainty: high}}
  truce-may: {title: A truce, opens: 2026-04-20, answer: truce=on by close,
    ladder: [2026-05-31, 2026-08-31], resolutions: {2026-05-31: {outcome: no, known: 2026-06-01,
    source: "https://example.org/b", certainty: high}}}
"""
)


@pytest.fixture(scope="module", autouse=True)
def quickly(tmp_path_factory):
    """A bank of one's own, fits that take no time, and few draws: no law here is of a number."""
    folder = write_bank(tmp_path_factory.mktemp("bank"), WORLD)
    with pytest.MonkeyPatch.context() as patch:
        for module in (predict, replay):
            patch.setattr(module, "REPLAY_DRAWS", DRAWS)
        patch.setattr(
            usable, "locate", lambda name: folder if name == "questions" else locate(name)
        )
        patch.setattr(FitCache, "fit", quick_fit)
        yield


def _slice(path, **changes):
    with open_book(str(path), create=True) as book:
        result = book.replay(**{**SLICE, **changes})
        result["said"] = [
            (f.question, f.forecaster, f.issued_at, f.value.entered)
            for f in book.ledger.forecasts(run=result["run"])
        ]
        result["verified"] = book.verify()["ok"]
        return result


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("slice") / "whole.db"
    return _slice(path) | {"path": path}


def test_two_runs_agree_to_the_last_digit(whole, tmp_path):
    with clock.at(dt.datetime(2027, 1, 1, tzinfo=dt.UTC)):
        again = _slice(tmp_path / "again.db")
    assert again["said"] == whole["said"]
    assert again["digest"] == whole["digest"]
    assert again["head"] != whole["head"]


@contextmanager
def _cluster():
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
    whole, tmp_path, monkeypatch
):
    ahead = []
    walked = []
    real, answers = replay.answers_of, WorldModel.answers

    def elsewhere(job, moments):
        batch = real(job, moments)
        ahead.extend(batch)
        walked.clear()
        return batch

    def counted(self, variant, *arguments, **options):
        walked.append(variant.name)
        return answers(self, variant, *arguments, **options)

    # A thread takes the place of the processes; those of other laws are real.
    monkeypatch.setattr(replay, "ProcessPoolExecutor", lambda n, **_: ThreadPoolExecutor(1))
    monkeypatch.setattr(replay, "answers_of", elsewhere)
    monkeypatch.setattr(WorldModel, "answers", counted)
    result = _slice(tmp_path / "ahead.db", workers=2)
    assert (result["run"], result["digest"]) == (whole["run"], whole["digest"])
    assert {name for name, _, _ in ahead} >= {"model", "base-rate", "model without links", "prior"}
    # What moved a number is simulated in the walk, and nothing else but the priors.
    assert set(walked) <= {"model", "prior"}


def test_what_is_fitted_ahead_is_all_that_the_replay_needs(tmp_path, monkeypatch):
    collected, used = set(), set()

    def fit(cache, model, data, priors, **options):
        key = (model.family, array_hash(data))
        if cache.wanted is not None:
            collected.add(key)
            raise GateRefused(model.family)
        used.add(key)
        return quick_fit(cache, model, data, priors, **options)

    # Rates that are learned together, with a link and a fact that alter what they learn from, and a
    # class of spells and of deliveries: each variant of the world and each step of an explanation
    # has a fit of its own.
    apart = WORLD
    for old, new in {
        "on > none: median 60 d (15..240) shape 0.8": "on > none: class truces-formal",
        "none\n  convoy: {event: 3 in 70 weeks": "none\n    2026-03-01: on\n  convoy: {event: ",
        "none > soft: once in 9 mo": "none > soft: ",
        "unit: people}": "unit: people, class: exchanges}",
    }.items():
        assert old in apart
        apart = apart.replace(old, new)
    folder = write_bank(tmp_path / "bank", apart)
    monkeypatch.setattr(usable, "locate", lambda _: folder)
    monkeypatch.setattr(replay, "ProcessPoolExecutor", lambda n, **_: ThreadPoolExecutor(1))
    monkeypatch.setattr(FitCache, "fit", fit)
    _slice(tmp_path / "ahead.db", workers=2)
    assert {family for family, _ in used} == {"deliveries", "rates", "spells"}
    assert used <= collected


@pytest.mark.deep
def test_nor_do_those_of_other_processes_or_of_a_cluster(tmp_path, monkeypatch):
    # Another process knows nothing of the quick fits and the few draws.
    monkeypatch.setattr(FitCache, "fit", FIT)
    for module in (predict, replay):
        monkeypatch.setattr(module, "REPLAY_DRAWS", PATHS)
    whole = _slice(tmp_path / "whole.db")
    ahead = _slice(tmp_path / "ahead.db", workers=2)
    assert (ahead["run"], ahead["digest"]) == (whole["run"], whole["digest"])
    with _cluster() as address:
        far = _slice(tmp_path / "cluster.db", dask=address)
    assert far["digest"] == whole["digest"]


def test_a_cluster_that_is_not_there_is_bad_input(tmp_path):
    pytest.importorskip("distributed")
    with pytest.raises(
        InvalidInput, match=r"dask \(nowhere\): no scheduler answers at this address"
    ):
        _slice(tmp_path / "none.db", dask="nowhere")


def test_another_seed_is_another_run(whole, tmp_path):
    other = _slice(tmp_path / "other.db", seed=8)
    assert other["run"] != whole["run"]
    assert other["said"] != whole["said"]


class _PulledPlug(Exception):
    """Stands for a kill between two steps."""


@pytest.mark.parametrize("stop_after", [pytest.param(0, marks=pytest.mark.deep), 1, 5])
def test_an_interrupted_run_completes_without_doubles(whole, tmp_path, stop_after):
    def interrupted(all_steps, take):
        for count, step in enumerate(all_steps):
            if count == stop_after:
                raise _PulledPlug
            take(step)

    path = tmp_path / "cut.db"
    with open_book(str(path), create=True) as book, pytest.raises(_PulledPlug):
        book.replay(progress=interrupted, **SLICE)
    # What arrives between must not reach the run, whose evidence is cut at its first start, nor lay
    # out other days: 16 May is no day of it.
    with open_book(str(path), create=True) as book:
        for known_at, target in (
            ("2026-05-14T12:00Z", "gift"),
            ("2026-05-16T12:00Z", "gift=given"),
        ):
            on = {target: "given" if target == "gift" else "x2"}
            book.add_news(f"late: {target}", source="x", known_at=known_at, on=on, grade="A")
    resumed = _slice(path)
    assert resumed["run"] == whole["run"]
    assert resumed["said"] == whole["said"]
    assert resumed["verified"]


def test_running_a_finished_run_again_adds_nothing(whole, tmp_path):
    again = _slice(shutil.copy(whole["path"], tmp_path / "twice.db"))
    assert (again["head"], again["forecasts"]) == (whole["head"], whole["forecasts"])


def test_steps_are_daily_for_short_windows_and_weekly_beyond():
    bank = read_bank(locate("questions"))
    questions = {question.id: question for question in bank.questions}
    start, until = questions["energy-truce-2025-extended"].opens, bank.observed_until
    short = questions["exchange-1000-2025@2025-05-25"]
    days = steps([short], [short.closes], [], start=start, until=until, zone=bank.zone)
    assert [(b - a).days for a, b in itertools.pairwise(days)] == [1] * 9
    assert days[0] == short.opens
    long = questions["leaders-meet@2026-12-31"]
    weeks = steps([long], [long.closes], [], start=long.opens, until=until, zone=bank.zone)
    assert {(b - a).days for a, b in itertools.pairwise(weeks)} <= {6, 7}
    news = long.opens + dt.timedelta(days=10, hours=5)
    more = steps([long], [long.closes], [news], start=long.opens, until=until, zone=bank.zone)
    assert len(more) == len(weeks) + 1


def test_each_step_has_every_forecaster_and_no_ladder_falls(whole, tmp_path):
    spoken = {}
    rungs = {}
    for question, forecaster, issued, value in whole["said"]:
        spoken.setdefault(forecaster, set()).add((question, issued))
        if question.startswith("truce-may@"):
            rungs.setdefault((forecaster, issued), []).append((question, float(value[0])))
    model = spoken["model"]
    every = spoken["always-0.5"] | spoken["uniform"]
    assert every >= model
    assert {name for name, _ in every} >= {"firmest", "returned", "gift-june", "truce-comes"}
    for name in ("prior", "base-rate", "model without links", "model without news"):
        assert spoken[name] <= every, name
    assert spoken["climatology"] >= spoken["always-0.5"]
    two = [sorted(pairs) for pairs in rungs.values() if len(pairs) == 2]
    assert two
    assert all(first[1] <= second[1] for first, second in two)
    assert (whole["resolved"], whole["questions"]) == (2, 14)
    json.dumps(whole["scores"])


def test_the_page_of_a_run_is_written(whole, tmp_path):
    with open_book(str(shutil.copy(whole["path"], tmp_path / "page.db"))) as book:
        page = book.review(tmp_path / "review").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "hindsight" in page
    assert len(page) < 6_000_000
