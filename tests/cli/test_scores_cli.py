"""score, calibration, compare, leaderboard, pool: keys, pictures, one line for what is wrong."""

import csv
import json
import re
from importlib import resources

import pytest

from forecasting.app.book import Book
from forecasting.cli import run as cli
from forecasting.cli.scores import _say_shares
from forecasting.review.pictures import draw
from forecasting.review.tables import steps
from forecasting.store import Head
from tests.season import Diary, question, resolved, said, season


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

    def call(*arguments, code=0, path=database):
        capsys.readouterr()
        assert cli([*arguments, "--db", path, "--json"]) == code
        out, err = capsys.readouterr()
        return json.loads(out or err)

    call.database = database
    return call


@pytest.mark.parametrize("picture", ["reliability", "mcb-dsc", "histogram"])
@pytest.mark.parametrize("ending", [".svg", ".html", ".csv"])
def test_every_picture_has_its_table(forecast, tmp_path, picture, ending):
    path = tmp_path / f"picture{ending}"
    rows = forecast("calibration", "--picture", picture, "--out", str(path))
    assert rows
    assert path.stat().st_size > 100
    if ending == ".csv":
        assert path.read_text().splitlines()[0].split(",") == list(rows[0])


def test_a_name_is_no_formula_and_no_markup(tmp_path):
    name = '=HYPERLINK("https://example.org")<script>alert(1)</script>'
    parts = {"miscalibration": 0.1, "discrimination": 0.2, "uncertainty": 0.25}
    rows = [{"forecaster": name, "n": 9, **parts, "n_shared": 9}]
    head = Head(7, "ab" * 32)
    for ending in (".csv", ".html"):
        draw("mcb-dsc", rows, tmp_path / f"x{ending}", title=name, head=head)
    with (tmp_path / "x.csv").open(newline="", encoding="utf-8") as file:
        (first, *_) = csv.DictReader(file)
    assert first == {k: str(v) for k, v in rows[0].items()} | {"forecaster": f"'{name}"}
    assert "<script" not in (tmp_path / "x.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("more", [(), ("--picture", "mcb-dsc")])
def test_a_page_may_load_nothing_and_says_what_it_was_made_from(forecast, database, tmp_path, more):
    path = tmp_path / "page.html"
    forecast("calibration", *more, "--out", str(path))
    page = path.read_text(encoding="utf-8")
    template = resources.files("forecasting.review") / "templates" / "page.html.j2"
    (policy,) = re.findall(r"<meta http-equiv=.Content-Security-Policy.*?>", page)
    assert policy in template.read_text(encoding="utf-8")
    with Book.open(database) as book:
        head = book.ledger.head()
    assert f"entry {head.seq}, hash <code>{head.hash}</code>" in page
    assert "<table>" in page


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("score", "--rule", "rps"), "rule rps scores ordered questions: none has resolved"),
        (("calibration", "--by", "month", "--as", "eve"), "ann has one"),
        (("score", "--kind", "imported"), "there are others: --kind live"),
    ],
)
def test_an_empty_table_says_why(forecast, capsys, arguments, words):
    assert cli([*arguments, "--db", forecast.database]) == 0
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("compare", "ann", "ann"), 2, "must be two different names"),
        (("compare", "ann", "eve"), 4, "no forecaster named eve"),
        (("score", "--window", "spot"), 2, "spot"),
        (("score", "--against", "eve"), 4, "eve"),
        (("leaderboard", "--window", "last"), 2, "not a proper score"),
        (("pool",), 2, "name one"),
        (("pool", "q000-0"), 2, "is not open"),
        (("pool", "--score", "--log"), 2, "--score"),
        (("calibration", "--by", "topic", "--picture", "mcb-dsc"), 2, "no picture"),
        (("calibration", "--picture", "mcb-dsc", "--out", "x.doc"), 2, "must end in"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(forecast, arguments, code, words):
    answer = forecast(*arguments, code=code)
    assert words in answer["error"]["message"]
    assert "\n" not in answer["error"]["message"]


def test_beside_the_proper_score_stands_the_one_until_resolution(forecast, capsys):
    rows = forecast("score")
    until = forecast("score", "--window", "until-resolution")
    assert [row["while_open"] for row in rows] == pytest.approx([row["mean"] for row in until])
    assert all(row["proper"] for row in rows)
    assert all(row["while_open"] is None for row in until)
    cli(["score", "--db", forecast.database])
    out, err = capsys.readouterr()
    assert {"while", "mean"} <= set(out.split())
    (line,) = [line for line in err.splitlines() if line.startswith("while open")]
    assert len(line) < 100
    assert "not a proper score" in line


def test_below_eight_events_calibration_says_little(forecast, tmp_path, capsys):
    path = str(tmp_path / "few.db")
    season(path, events=5).ledger.close()
    command = ["calibration", "--forecaster", "ann"]
    review = forecast(*command, path=path)
    assert 0 < review["n"] < 8
    assert review["slope"] is review["intercept"] is review["binned"] is None
    assert sum(row["n"] for row in review["histogram"]) == review["n"]
    assert cli([*command, "--db", path]) == 0
    out = capsys.readouterr().out
    assert "too few to say" in out
    assert "happened" in out
    assert not re.search("slope|miscalibration|uncertainty|resolution|within", out)
    topics = forecast(*command, "--by", "topic", path=path)
    for name in ("slope", "miscalibration", "null_miscalibration", "p_value"):
        assert all(row[name] is None for row in topics), name
    assert all(row["mean_score"] is not None for row in topics)


def printed(forecast, capsys, *command, path=None):
    """What a person reads: the table and the notes, each in one line of words."""
    assert cli([*command, "--db", path or forecast.database]) == 0
    return [" ".join(text.split()) for text in capsys.readouterr()]


def test_a_table_says_what_it_reads_and_what_a_gain_is_over(forecast, capsys):
    out, _ = printed(forecast, capsys, "score", "--by", "horizon")
    assert "forecasts in force before the close, brier (half)" in out
    assert "window 1 d" not in out
    assert "skill = gain over the uniform forecast" in out
    out, _ = printed(forecast, capsys, "score", "--rule", "relative")
    assert "skill = gain over the others" in out
    out, _ = printed(forecast, capsys, "leaderboard", "--no-sample")
    assert "brier (half), smaller is better" in out
    assert "rank lower, upper: 90 %" in out
    out, _ = printed(forecast, capsys, "pool", "--score", "--method", "linear")
    assert "half Brier score" in out
    assert "of n 25, n 50, n 75 questions still open then" in out


def test_a_missing_interval_has_a_reason(forecast, capsys, tmp_path):
    path = str(tmp_path / "few.db")
    season(path, events=5).ledger.close()
    _, err = printed(forecast, capsys, "score", "--against", "uniform", path=path)
    assert "no interval: all 5 means of fewer than 20 events" in err
    assert "all 4 differences on fewer than 8 events" in err
    _, err = printed(forecast, capsys, "score", "--by", "question", path=path)
    assert "no interval" not in err


@pytest.mark.parametrize("command", ["score", "leaderboard --no-sample", "pool --score"])
def test_every_table_says_what_came_early_and_can_leave_it_out(
    forecast, capsys, monkeypatch, command
):
    # In mid-season: of questions that run on, only what ended one early is answered.
    monkeypatch.setenv("FORECASTING_NOW", "2025-03-25T00:00:00Z")
    _, err = printed(forecast, capsys, *command.split(), "--as-of", "2025-03-25")
    assert "answered before a scheduled close that is still to come" in err
    assert "(--past-close leaves such out)" in err
    _, err = printed(forecast, capsys, *command.split(), "--as-of", "2025-03-25", "--past-close")
    assert "still to come" not in err
    assert "before the scheduled close" in err


#: Tables that have nothing where every outcome came within two days; none may say that none came.
EMPTY = (
    *("score", "score --by topic", "calibration", "calibration --by topic", "leaderboard"),
    *("calibration --picture mcb-dsc", "calibration --picture pit", "pool --score"),
    *("score --kind all", "leaderboard --type ordered"),
)


@pytest.fixture
def at_once(tmp_path, monkeypatch):
    """Eight questions that resolved a day after they opened, and one that is still open."""
    monkeypatch.setenv("FORECASTING_NOW", "2026-06-01T00:00:00Z")
    path = tmp_path / "at-once.db"
    diary = Diary(path)
    questions = [question(f"q{n}") for n in range(9)]
    diary.write(0.0, *questions, *(said(asked, "ann", 0.5, 0.0) for asked in questions))
    diary.write(1.0, *(resolved(asked, "yes", 1.0) for asked in questions[:8]))
    diary.ledger.close()
    return str(path)


@pytest.mark.parametrize("words", EMPTY)
def test_no_table_says_that_nothing_resolved_beside_outcomes_that_it_leaves_out(
    at_once, capsys, words
):
    assert cli([*words.split(), "--as", "ann", "--db", at_once]) == 0
    text = " ".join("".join(capsys.readouterr()).split())
    assert "8 questions resolved within two days of opening" in text
    assert not re.search(
        "nothing resolved|nothing has resolved|none of these|has resolved yet", text.lower()
    )
    assert "of a resolved question yet" not in text


def test_calibration_says_why_it_has_nothing_to_read(at_once, forecast):
    """What resolved was not open where it reads; another kind is named where nothing of its own."""
    command = ["calibration", "--too-soon", "--forecaster", "ann"]
    assert forecast(*command, path=at_once)["reading"].startswith(
        "8 questions have resolved, none with a live forecast by ann in force where it is read"
    )
    assert forecast(*command, "--share", "0", path=at_once)["n"] == 8
    other = forecast("calibration", "--kind", "imported", path=at_once)["reading"]
    expected = "No imported forecast of a resolved question yet; there are others: --kind live."
    assert other == expected


@pytest.mark.parametrize(
    ("rows", "expected"), [([{"n": 1.5}, {"n": 1.0}], True), ([{"n": 2}], False)]
)
def test_a_part_of_a_forecast_in_a_count_is_explained(rows, expected, capsys):
    _say_shares(rows)
    assert ("forecasts of one event share that count" in capsys.readouterr().err) == expected


@pytest.mark.parametrize("smeared", [0.0, 0.5])
def test_a_long_curve_has_a_row_for_each_step_and_loses_no_forecast(smeared):
    """Of 200 forecasts the words stood above as many rows, out of sight."""
    rates = [0.1 * (i // 40) + smeared * i / 200 for i in range(200)]
    curve = [
        {"forecast": i / 200, "event_rate": rate, "n": 0.5, "events": 0.5 * rate, "lower": i / 250,
         "upper": i / 150}
        for i, rate in enumerate(rates)
    ]  # fmt: skip
    rows = steps(curve)
    assert len(rows) == (20 if smeared else 5)
    assert sum(row["n"] for row in rows) == pytest.approx(100)
    assert sum(row["events"] for row in rows) == pytest.approx(sum(rates) / 2)
    for row in rows:
        assert row["event_rate"] == pytest.approx(row["events"] / row["n"])
        first, _, last = row["forecast"].partition(" to ")
        assert float(first) / 1.25 <= row["lower"] <= float(last) / 1.25
    assert steps(curve[:20]) == curve[:20]


def test_a_long_curve_fits_a_screen(tmp_path, home, capsys, monkeypatch):
    diary = Diary(tmp_path / "long.db")
    asked = [question(f"q{i}") for i in range(60)]
    diary.write(0, *asked, *(said(q, "ann", 0.3 + i / 200, 0.0) for i, q in enumerate(asked)))
    diary.write(41, *(resolved(q, "yes" if i % 2 else "no", 40) for i, q in enumerate(asked)))
    diary.ledger.close()
    monkeypatch.setenv("FORECASTING_NOW", "2026-06-01T00:00:00Z")
    lines = {}
    for wide in ((), ("--wide",)):
        asked_for = ["calibration", "--as", "ann", "--db", str(tmp_path / "long.db"), *wide]
        assert cli(asked_for) == 0
        out, err = capsys.readouterr()
        lines[wide] = len(out.splitlines())
        assert ("a row for each step" in err) == (not wide)
    assert lines[()] < 45
    assert lines["--wide",] > 75
