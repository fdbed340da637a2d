"""score, calibration, compare, leaderboard, pool: keys, pictures, one line for what is wrong."""

import json

import pytest

from forecasting.cli import run as cli
from tests.app.season import season


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = tmp_path_factory.mktemp("season") / "season.db"
    diary = season(path, events=12)
    diary.ledger.close()
    return str(path)


@pytest.fixture
def forecast(database, home, capsys, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", "2026-06-01T00:00:00Z")
    monkeypatch.setenv("FORECASTING_FORECASTER", "ann")

    def call(*arguments, code=0):
        capsys.readouterr()
        assert cli([*arguments, "--db", database, "--json"]) == code
        out, err = capsys.readouterr()
        return json.loads(out or err)

    return call


def test_keys_of_the_contract(forecast):
    (row, *_) = forecast("score", "--rule", "spherical", "--by", "topic")
    assert {"topic", "mean", "skill", "coverage", "proper"} <= set(row)
    found = forecast("compare", "ann", "bob")
    assert {"n_shared", "n_events", "difference", "cs_lower", "e_a", "reading"} <= set(found)
    board = forecast("leaderboard", "--no-sample")
    assert {"forecaster", "raw", "adjusted", "lower", "upper", "p_best", "component"} <= set(
        board[0]
    )
    pools = forecast("pool", "--score", "--method", "linear", "--method", "trimmed")
    assert [row["forecaster"] for row in pools] == ["pool:linear", "pool:trimmed", "members"]
    topics = forecast("calibration", "--by", "topic")
    assert {"topic", "n", "miscalibration", "null_miscalibration", "reading"} <= set(topics[0])


@pytest.mark.parametrize("picture", ["reliability", "mcb-dsc", "murphy", "over-time", "histogram"])
@pytest.mark.parametrize("ending", [".svg", ".html", ".csv"])
def test_every_picture_has_its_table(forecast, tmp_path, picture, ending):
    path = tmp_path / f"picture{ending}"
    rows = forecast("calibration", "--picture", picture, "--out", str(path))
    assert rows
    assert path.stat().st_size > 100
    if ending == ".csv":
        assert path.read_text().splitlines()[0].split(",") == list(rows[0])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("compare", "ann", "ann"), 2, "must be two"),
        (("compare", "ann", "eve"), 4, "there is none"),
        (("score", "--window", "spot"), 2, "spot"),
        (("score", "--against", "eve"), 4, "eve"),
        (("leaderboard", "--window", "last"), 2, "improper"),
        (("pool",), 2, "name one"),
        (("pool", "q000-0"), 2, "is not open"),
        (("pool", "--score", "--log"), 2, "--score"),
        (("calibration", "--by", "topic", "--picture", "murphy"), 2, "no picture"),
        (("calibration", "--picture", "murphy", "--out", "x.doc"), 2, "must end in"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(forecast, arguments, code, said):
    found = forecast(*arguments, code=code)
    assert said in found["error"]["message"]
    assert "\n" not in found["error"]["message"]
