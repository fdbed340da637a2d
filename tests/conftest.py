"""The world that every test sees: an empty home, no settings, a clock zone nobody lives in."""

import csv
import datetime as dt
import gc
import importlib.util
import os
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# `fast` gives the same examples on each run, so that a red run is red again; `deep` looks further.
settings.register_profile("fast", max_examples=40, deadline=None, derandomize=True, database=None)
settings.register_profile(
    "deep", max_examples=1_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("fast")

SETTINGS = ("FORECASTING_DATABASE_URL", "FORECASTING_FORECASTER", "FORECASTING_NOW")
#: Where every home of every worker keeps its fits: a cache changes no number.
CACHE = "TESTS_CACHE"
DISPLAY = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "LINES")
WORLD = {
    # Twelve and three quarter hours ahead: whatever reads the machine's zone is wrong visibly.
    "TZ": "TST-12:45",
    "LC_ALL": "C.UTF-8",
    "COLUMNS": "120",
    "MPLBACKEND": "Agg",
}


def pytest_addoption(parser):
    parser.addoption(
        "--engine",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="keep every ledger of the tests there; see tests/engines.py",
    )


#: Files of few and long tests. They are handed out first, so that two workers end together.
LONG = tuple(
    f"tests/{name}.py"
    for name in (
        *("web/test_browser", "notebooks/test_notebooks", "app/test_replay"),
        *("packaging/test_wheel", "app/test_world_laws", "app/test_world_faults"),
        *("app/test_what_if", "hostile/test_markup", "hostile/test_corpus", "cli/test_commands"),
        *("models/world/test_engine_questions", "inference/test_model_fit"),
        *("store/test_poisoned_store", "store/test_injected_faults", "store/test_state_machine"),
        *("models/test_graphs", "deep/test_placebo", "deep/test_demo"),
    )
)


def pytest_collection_modifyitems(config, items):
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))
    if config.getoption("--engine") == "postgresql":
        from tests.engines import of_files

        gone = [item for item in items if of_files(item.nodeid)]
        config.hook.pytest_deselected(items=gone)
        items[:] = [item for item in items if item not in gone]


def pytest_collection_finish(session):
    """Tell the collector of garbage that what stands now stands to the end of the run."""
    gc.collect()
    gc.freeze()


def pytest_configure(config):
    """Set the world once for doctests and for fixtures that outlive a test."""
    session_home = tempfile.TemporaryDirectory(prefix="forecasting-")
    config.add_cleanup(session_home.cleanup)
    os.environ["FORECASTING_HOME"] = session_home.name
    if not hasattr(config, "workerinput"):
        os.environ[CACHE] = str(Path(session_home.name) / "cache")
        Path(os.environ[CACHE]).mkdir()
    else:
        (Path(session_home.name) / "cache").symlink_to(os.environ[CACHE])
    for name in (*SETTINGS, *DISPLAY):
        os.environ.pop(name, None)
    os.environ.update(WORLD)
    time.tzset()


def pytest_report_header():
    return f"sqlite {sqlite3.sqlite_version}"


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    """An empty folder for the data and the settings of this test alone; fits are made once."""
    # Counted folders would cost a look at all earlier ones before every test.
    folder = Path(tempfile.mkdtemp(prefix="home", dir=tmp_path_factory.getbasetemp()))
    (folder / "cache").symlink_to(os.environ[CACHE])
    monkeypatch.setenv("FORECASTING_HOME", str(folder))
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture(scope="session")
def root():
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared():
    """The folder of source texts, facts and conformance values beside the checkout."""
    folder = ROOT.parent / "shared"
    if not (folder / "conformance").is_dir():
        pytest.skip("../shared is absent: there is nothing to compare with")
    return folder


@pytest.fixture(scope="session")
def published(shared):
    """The published values of a group, or of all groups that begin so."""
    with (shared / "conformance" / "scalar_reference_values.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return lambda group: [row for row in rows if row["group"].startswith(group)]


@pytest.fixture(scope="session")
def bank_database(tmp_path_factory):
    """A file that holds the bundled bank and nothing else, laid once; tests copy it."""
    from forecasting import clock
    from forecasting.app.book import open_book

    path = tmp_path_factory.mktemp("bank") / "bank.db"
    # Before any moment that a test plays in: what is recorded later than its now does not count.
    with clock.at(dt.datetime(2026, 11, 1, tzinfo=dt.UTC)):
        open_book(str(path), create=True).close()
    return path


@pytest.fixture(scope="session")
def missing():
    """Skip for want of a system part, and say which; under ``CI=true`` that is a failure."""

    def refuse(part):
        reason = f"{part} is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason}, and under CI=true no test may skip", pytrace=False)
        pytest.skip(reason)

    return refuse


@pytest.fixture(scope="session")
def chromium(missing):
    """The path of the system's Chromium, for Playwright's ``executable_path``."""
    found = filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
    return next(found, None) or missing("chromium")


@pytest.fixture(scope="module")
def chrome(chromium):
    """A browser that asks nobody for anything by itself."""
    from playwright.sync_api import sync_playwright

    quiet = ("background-networking", "component-update", "sync")
    with sync_playwright() as started:
        opened = started.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", *(f"--disable-{part}" for part in quiet)],
        )
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def postgresql(missing):
    """A PostgreSQL server of this session's own."""
    from tests.store.server import Server, programs

    found = programs()
    if found is None:
        missing("postgresql")
    if importlib.util.find_spec("psycopg") is None:
        missing("psycopg (pip install 'psycopg[binary]')")
    server = Server(found)
    yield server
    server.stop()


@pytest.fixture(scope="session", autouse=True)
def engine_of_the_session(request):
    """With ``--engine postgresql`` every ledger of a test in this process lies on a server."""
    from tests.databases import Databases, Elsewhere, Ready

    if request.config.getoption("--engine") == "sqlite":
        made = Ready()
    else:
        made = Elsewhere(Databases(request.getfixturevalue("postgresql")))
    with pytest.MonkeyPatch.context() as patch:
        made.install(patch)
        yield made


@pytest.fixture
def as_shipped(engine_of_the_session, monkeypatch):
    """The migrations make a ledger and the disk is waited for; see `tests.databases.Ready`."""
    if hasattr(engine_of_the_session, "remove"):
        engine_of_the_session.remove(monkeypatch)
