"""Settings, the clock and the files of the package: where each comes from."""

import getpass
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import make_url

from forecasting import clock, config, resources
from forecasting.errors import ForecastingError, InvalidInput


def test_each_source_of_the_database_yields_to_the_one_above_it(home, monkeypatch):
    def said():
        setting = config.database()
        return Path(setting.value.removeprefix("sqlite:///")).name, setting.origin

    assert said() == ("forecasts.db", "default")
    (home / "config.toml").write_text('database = "file.db"\n', encoding="utf-8")
    assert said() == ("file.db", "config file")
    monkeypatch.setenv("FORECASTING_DATABASE_URL", "environment.db")
    assert said() == ("environment.db", "environment")
    assert config.database("flag.db").origin == "flag"
    monkeypatch.setenv("FORECASTING_DATABASE_URL", " ")
    assert said() == ("file.db", "config file")


def test_each_source_of_the_forecaster_yields_to_the_one_above_it(home, monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "login")
    assert config.forecaster() == config.Setting("login", "default")
    (home / "config.toml").write_text('forecaster = "file"\n', encoding="utf-8")
    assert config.forecaster() == config.Setting("file", "config file")
    monkeypatch.setenv("FORECASTING_FORECASTER", "environment")
    assert config.forecaster() == config.Setting("environment", "environment")
    assert config.forecaster("flag") == config.Setting("flag", "flag")


def test_home_moves_both_folders(home, monkeypatch):
    assert config.data_folder() == config.config_folder() == home
    assert config.database().value == f"sqlite:///{home}/forecasts.db"
    monkeypatch.delenv("FORECASTING_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", "/elsewhere/data")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/elsewhere/config")
    assert home not in config.data_folder().parents
    assert config.data_folder().name == config.config_folder().name == "scenario-forecasting"


def test_a_relative_path_starts_where_it_was_written(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert config.database("a/../b.db").value == f"sqlite:///{tmp_path}/b.db"
    (home / "config.toml").write_text('database = "b.db"\n', encoding="utf-8")
    assert config.database().value == f"sqlite:///{home}/b.db"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("/data/f.db", "sqlite:////data/f.db"),
        ("sqlite:////data/f.db", "sqlite:////data/f.db"),
        ("sqlite+pysqlite:////data/a%20b.db", "sqlite:////data/a b.db"),
        (":memory:", "sqlite:///:memory:"),
        ("sqlite://", "sqlite:///:memory:"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("postgresql+psycopg://ana:p%40ss@db/team", "postgresql+psycopg://ana:p%40ss@db/team"),
        ("postgresql://ana@db/team?sslmode=require", "postgresql+psycopg://ana@db/team?sslmode=require"),
        ("postgres://db/team", "postgresql+psycopg://db/team"),
    ],
)  # fmt: skip
def test_a_path_or_url_has_one_meaning(text, url):
    assert config.database_url(text) == url
    assert config.database_url(url) == url


names = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="/\\"), min_size=1)


@given(names.filter(lambda name: name not in {".", ".."} and not name.startswith("~")))
@example("100%25.db")
@example("a%41?b=c.db")
def test_sqlalchemy_opens_the_very_file_that_was_named(name):
    url = config.database_url(f"/data/{name}")
    assert make_url(url).database == f"/data/{name}"
    assert config.sqlite_path(url) == Path(f"/data/{name}")
    assert config.database_url(url) == url


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("mysql://ana:s3cret@db/team", "must be SQLite or PostgreSQL"),
        ("sqlite://f.db", "three slashes"),
        ("sqlite:///f.db?mode=ro", "no options"),
        ("", "must be a path or a URL"),
        ("a\nb.db", "no control character"),
        ("~nobody-of-that-name/f.db", "unknown user"),
        (".", "this is a folder"),
    ],
)
def test_what_is_no_database_is_refused_with_the_way_out(text, rule):
    with pytest.raises(InvalidInput, match=rule) as caught:
        config.database_url(text)
    assert caught.value.hint
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql+psycopg://ana:s3cret@db/team", "postgresql+psycopg://ana:***@db/team"),
        ("postgresql+psycopg://ana:s3@cret@db/team", "postgresql+psycopg://ana:***@db/team"),
        ("postgresql+psycopg://db/t?user=ana&password=s3cret", "postgresql+psycopg://db/t?user=ana&password=***"),
        ("postgresql+psycopg://ana@db:5432/team", "postgresql+psycopg://ana@db:5432/team"),
        ("sqlite:////data/a:b@c.db", "sqlite:////data/a:b@c.db"),
    ],
)  # fmt: skip
def test_a_shown_url_holds_no_password(url, shown):
    assert config.without_password(url) == shown


@pytest.mark.parametrize(
    ("content", "line", "rule"),
    [
        (b'forecaster = "ana"\ndatabase = f.db\n', ":2", "must be TOML"),
        (b'forecaster = "ana"\n# \xff\n', ":2", "must be UTF-8"),
        (b'databse = "f.db"\n', "", r"key \(databse\): config.toml knows .*Try: database = "),
        (b"forecaster = 7\n", "", r"forecaster \(7\): must be text in quotes"),
        (b'database = " "\n', "", "must be text in quotes"),
    ],
)
def test_a_broken_config_file_is_named_with_its_line(content, line, rule, home):
    file = home / "config.toml"
    file.write_bytes(content)
    with pytest.raises(InvalidInput, match=rule) as caught:
        config.database()
    assert caught.value.where == f"{file}{line}"
    assert caught.value.exit_code == 2
    assert config.database("flag.db").origin == "flag", "a flag needs no file"


def test_a_config_file_that_cannot_be_read_is_named(home):
    (home / "config.toml").mkdir()
    with pytest.raises(InvalidInput, match=r"must be a file that can be read"):
        config.forecaster()


def test_a_byte_order_mark_is_no_fault(home):
    (home / "config.toml").write_bytes(b'\xef\xbb\xbfforecaster = "ana"\n')
    assert config.forecaster().value == "ana"


def test_a_login_without_a_name_asks_for_one(monkeypatch):
    def nameless():
        raise OSError

    monkeypatch.setattr(getpass, "getuser", nameless)
    with pytest.raises(InvalidInput, match=r"must be named.*Try: forecaster=NAME"):
        config.forecaster()


@pytest.mark.parametrize("name", ["", "  ", "ana\nbo", "ana\x1b[2J"])
def test_a_forecaster_has_a_name_on_one_line(name):
    with pytest.raises(InvalidInput, match=re.escape(repr(name))):
        config.forecaster(name)


def test_a_told_time_without_its_zone_is_bad_input(monkeypatch):
    config.check_clock()
    monkeypatch.setenv("FORECASTING_NOW", "2026-01-31T12:00:00")
    with pytest.raises(InvalidInput, match=r"ISO 8601 with Z.*Try: unset FORECASTING_NOW"):
        config.check_clock()


INSTANT = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_the_wall_clock_is_aware_and_utc():
    before = datetime.now(UTC)
    now = clock.now()
    assert now.tzinfo is UTC
    assert before <= now <= datetime.now(UTC)
    assert not clock.overridden()


@given(st.integers(-14 * 60, 14 * 60))
def test_one_instant_is_the_same_in_every_zone(minutes):
    there = INSTANT.astimezone(timezone(timedelta(minutes=minutes)))
    with clock.at(there):
        assert clock.now() == INSTANT
        assert clock.now().tzinfo is UTC


def test_a_stood_clock_runs_again_afterwards_even_after_a_fault():
    later = INSTANT + timedelta(days=1)
    with clock.at(INSTANT):
        with suppress(KeyError), clock.at(later):
            assert clock.now() == later
            raise KeyError
        assert clock.now() == INSTANT
    assert not clock.overridden()


@pytest.mark.parametrize("text", ["2026-01-31T12:00:00Z", "2026-01-31T14:00:00+02:00"])
def test_the_environment_tells_the_time_of_a_process(text, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", text)
    assert clock.overridden()
    assert clock.now() == INSTANT
    assert clock.now().tzinfo is UTC
    with clock.at(INSTANT - timedelta(days=9)):
        assert clock.now() < INSTANT


@pytest.mark.parametrize("text", ["2026-01-31T12:00:00", "2026-01-31", "yesterday"])
def test_a_time_without_its_zone_is_refused(text, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", text)
    with pytest.raises(ValueError, match=re.escape(f"FORECASTING_NOW ({text}): must be ISO 8601")):
        clock.now()
    with pytest.raises(ValueError, match="must name its zone"), clock.at(datetime(2026, 1, 31)):
        pass


def test_no_other_module_reads_the_wall_clock(root):
    reading = re.compile(
        r"\b(datetime|date)\.(now|today|utcnow)\(|\btime\.(time|time_ns|localtime|gmtime)\("
        r"|Timestamp\.(now|today|utcnow)\("
    )
    readers = {
        file.relative_to(root).as_posix()
        for file in (root / "forecasting").rglob("*.py")
        if reading.search(file.read_text(encoding="utf-8"))
    }
    assert readers == {"forecasting/clock.py"}


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "forecasting"
    folder.mkdir()
    return folder


def test_the_bundle_comes_before_the_checkout(package):
    beside = package.parent / "questions"
    beside.mkdir()
    (package.parent / "pyproject.toml").touch()
    assert resources.locate("questions", package=package) == beside
    bundled = package / "_bundled" / "questions"
    bundled.mkdir(parents=True)
    assert resources.locate("questions", package=package) == bundled


def test_a_folder_of_another_distribution_is_not_ours(package):
    (package.parent / "questions").mkdir()
    with pytest.raises(ForecastingError, match=r"resource \(questions\): must be at .*Try: pip"):
        resources.locate("questions", package=package)


def test_this_checkout_has_both(root):
    assert resources.locate("migrations") == root / "db" / "migrations"
    assert resources.locate("questions") == root / "questions"
