"""What somebody's real work produces: each case stands for its kind, and more of the kind with it.

The ten cases of 28 November 2026, with inputs of their own, through the command line.
"""

import json
import shutil

import pytest

from tests.doors.conftest import live, table

HEAD = "question,forecaster,forecast,issued_at,opens,closes,outcome,resolved_at\n"
WINDOW = "2025-01-02T09:00Z,2025-01-01,2025-01-31"


# 3: exponents


# 4: decimal marks


SEMICOLONS = (
    "question;type;lower;upper;forecaster;forecast;issued_at;opens;closes;outcome;resolved_at\n"
)
TIMES = "2025-01-02T09:00Z;2025-01-01;2025-12-31"
AMBIGUOUS = f'n;numeric;0;5000;a;"5=800;50=1100;95=2000";{TIMES};1,234;2025-12-31\n'
CLEAR = (
    f'm;numeric;0;5000;a;"5=800;50=1100;95=2000";{TIMES};1200,5;2025-12-31\n'
    f'o;categorical;;;a;"a=0,2;b=0,8";{TIMES};a;2025-12-31\n'
)


def test_a_mark_is_decided_for_the_file_and_never_guessed(imported, run):
    err = imported(SEMICOLONS + CLEAR + AMBIGUOUS)
    assert json.loads(err)["error"]["where"] == "a.csv:4"
    assert "outcome (1,234): is 1.234 or 1234" in err
    assert "--decimal comma" in err
    assert imported(SEMICOLONS + CLEAR + AMBIGUOUS, "--decimal", "comma")["refused"] == []
    outcomes = {row["id"]: row["outcome"] for row in table(run("--csv", "questions", "list")[1])}
    assert outcomes == {"n": "1.234", "m": "1200.5", "o": "a"}


def test_thousands_where_the_file_says_so(imported, run):
    assert imported(SEMICOLONS + AMBIGUOUS, "--decimal", "point")["refused"] == []
    assert table(run("--csv", "questions", "list")[1])[0]["outcome"] == "1234"


def test_two_marks_in_one_file_are_refused(imported):
    rows = "question;forecaster;forecast;issued_at\nq;a;0,35;2025-01-02\nq;b;0.4;2025-01-02\n"
    assert "two decimal marks in one file" in imported(rows)


# 6: percent columns


def test_a_column_in_percent(imported, run):
    rows = f"p1,a,85,{WINDOW},yes,2025-01-31\np2,a,1,{WINDOW},no,2025-01-31\n"
    err = imported(HEAD + rows)
    assert "--unit percent" in err
    assert imported(HEAD + rows, "--unit", "percent")["forecasts"] == 2
    assert float(table(run("--csv", "history", "p2")[1])[0]["forecast"]) == 0.01


def test_a_heading_in_percent_says_the_unit(imported, run):
    rows = HEAD.replace("forecast,", "Probability (%),", 1).replace("forecaster", "Who")
    counts = imported(rows + f"p1,a,85,{WINDOW},yes,2025-01-31\np2,a,1,{WINDOW},no,2025-01-31\n")
    assert counts["forecasts"] == 2
    assert float(table(run("--csv", "history", "p2")[1])[0]["forecast"]) == 0.01


# 10: what is left out is said


def test_what_resolved_too_soon_is_said_and_scored_when_asked_for(imported, run):
    rows = "".join(
        f"d{i},a,0.9,2025-03-{i:02}T08:00Z,2025-03-{i:02},2025-03-{i:02},yes,2025-03-{i:02}\n"
        for i in range(1, 13)
    )
    counts = imported(HEAD + rows)
    assert "12 resolved within two days of opening" in counts["summary"]
    for command in ("score", "calibration"):
        _, _, err = run(command, "--kind", "imported")
        assert "12 questions resolved within two days of opening (--too-soon scores them)" in err
        assert "of a resolved question yet" not in err
    code, out, err = run("--csv", "score", "--kind", "imported", "--too-soon")
    assert (code, table(out)[0]["n_questions"]) == (0, "12")
    assert "left out" not in err


def test_score_and_calibration_count_the_same_questions(imported, run):
    rows = "m,ben,0.5,2025-01-02T09:00Z,2025-01-01,2025-01-31,yes,2025-01-31\n"
    rows += "m,ana,0.9,2025-01-30T09:00Z,2025-01-01,2025-01-31,yes,2025-01-31\n"
    imported(HEAD + rows)
    who = ("--kind", "imported", "--forecaster", "ana")
    assert table(run("--csv", "score", *who)[1])[0]["n_questions"] == "1"
    assert table(run("--csv", "calibration", *who, "--share", "0.99")[1])[0]["n"] == "1"


# 17: infinite values on the way out


def test_a_certainty_that_failed_prints(imported, run):
    imported(HEAD + "".join(f"q,{p},{WINDOW},yes,2025-01-31\n" for p in ("a,0", "b,0.5")))
    for rule in ("log", "baseline", "peer"):
        code, out, err = run("score", "--kind", "imported", "--rule", rule)
        assert (code, "∞" in out, "Traceback" in err) == (0, True, False)
    code, out, err = run("compare", "a", "b", "--kind", "imported", "--rule", "log")
    assert (code, "∞" in out) == (0, True)
    mean = table(run("--csv", "score", "--kind", "imported", "--rule", "log")[1])[0]["mean"]
    assert mean == "inf"


# 25 and 34: feeds


@pytest.fixture
def banked(bank_database, tmp_path):
    """The database that the commands of these tests name holds the bundled bank."""
    shutil.copy(bank_database, tmp_path / "t.db")


def feed(*items):
    elements = "".join(
        "<item>" + "".join(f"<{tag}>{text}</{tag}>" for tag, text in item.items()) + "</item>"
        for item in items
    )
    return f"<rss version='2.0'><channel><title>Wire</title>{elements}</channel></rss>"


@pytest.mark.usefixtures("banked")
def test_a_time_that_is_not_understood_is_not_added(run, file):
    zones = ("GMT-0500", "MSK", "", "EST", "+0000", "Mars")
    items = [
        {"title": f"Report {n}", "link": f"https://example.org/{n}",
         "pubDate": f"Thu, 26 Nov 2026 12:00:00 {zone}".strip()}
        for n, zone in enumerate(zones)
    ]  # fmt: skip
    path = file(feed(*items), "feed.xml")
    code, out, err = run("--json", "news", "import", path, "--on", "leaders-meet")
    counts = json.loads(out)
    assert (code, counts["added"], [one["line"] for one in counts["refused"]]) == (0, 3, [2, 3, 6])
    assert "zone MSK is ambiguous" in err
    assert "must carry a zone" in err
    listed = json.loads(run("--json", "news", "list", "--on", "leaders-meet@2026-12-31")[1])
    known = {row["title"]: row["known_at"] for row in listed if row["title"].startswith("Report")}
    assert known == {
        "Report 0": "2026-11-26T17:00:00Z",
        "Report 3": "2026-11-26T17:00:00Z",
        "Report 4": "2026-11-26T12:00:00Z",
    }
    more = ("--on", "leaders-meet", "--zone", "Europe/Moscow")
    assert json.loads(run("--json", "news", "import", path, *more)[1])["added"] == 1


@pytest.mark.usefixtures("banked")
@pytest.mark.parametrize(
    ("first", "second", "added"),
    [
        ({"guid": "a"}, {"guid": "a"}, 0),
        ({"guid": "a"}, {"guid": "a", "title": "Talks agreed for Friday, says envoy"}, 0),
        ({"guid": "a"}, {"guid": "b"}, 1),
        ({"link": "https://x.org/a"}, {"link": "https://www.x.org/a/?utm_source=rss#top"}, 0),
        ({"link": "https://x.org/a"}, {"link": "https://x.org/b"}, 1),
        ({"guid": "a", "link": "https://x.org/a"}, {"link": "http://x.org/a"}, 0),
        ({}, {}, 0),
        ({}, {"title": "TALKS agreed  for Friday"}, 0),
        ({}, {"title": "Talks agreed for Monday"}, 1),
        ({}, {"day": 23}, 1),
    ],
)
def test_a_bumped_date_makes_no_second_item(run, file, first, second, added):

    def items(hour, day=26, title="Talks agreed for Friday", **more):
        return {"title": title, **more, "pubDate": f"{day} Nov 2026 {hour}:00:00 +0000"}

    there = ("--on", "leaders-meet=x2", "--grade", "B")
    one = run("--json", "news", "import", file(feed(items("09", **first)), "a.xml"), *there)
    assert json.loads(one[1])["added"] == 1
    two = run("--json", "news", "import", file(feed(items("11", **second)), "b.xml"), *there)
    counts = json.loads(two[1])
    assert (counts["added"], counts["duplicates"], counts["refused"]) == (added, 1 - added, [])
    assert len(counts["updated"]) == 1 - added


# 33: ladders


RUNGS = ("l@2029-06-30", "l@2029-09-30", "l@2029-12-31")


@pytest.fixture
def ladder(imported, run):
    for rung in RUNGS:
        imported(live(rung, closes=rung[2:]), name="q.jsonl")
    return run


def test_forecasts_of_a_ladder_may_not_fall_in_any_order(ladder):
    run = ladder
    falling = ("log", "l", "--ladder", "2029-06-30=30%", "--ladder", "2029-12-31=10%")
    assert run(*falling)[0] == 2
    assert run("log", RUNGS[0], "30%")[0] == 0
    for late in RUNGS[1:]:
        code, _, err = run("log", late, "10%")
        assert code == 2
        assert "cannot be less likely" in err
    assert run("log", RUNGS[2], "40%")[0] == 0
    assert run("log", RUNGS[1], "50%")[0] == 2
    assert run("log", RUNGS[0], "45%")[0] == 2, "an earlier rung is held against the later ones"
    assert run("log", RUNGS[1], "35%")[0] == 0
    assert run("log", RUNGS[0], "60%", "--at", "2026-11-01")[0] == 0, "what stood then may differ"
    assert run("--as", "ben", "log", RUNGS[2], "1%")[0] == 0, "others may think otherwise"
    lower = [f"--ladder={rung[2:]}={p}%" for rung, p in zip(RUNGS, (5, 6, 7), strict=True)]
    assert run("log", "l", *lower)[0] == 0, "all at once may go down"


def test_an_earlier_moment_is_held_against_what_came_after_it(ladder):
    run = ladder
    assert run("log", RUNGS[0], "30%", "--at", "2026-11-10T12:00Z")[0] == 0
    code, _, err = run("log", RUNGS[2], "10%", "--at", "2026-11-01T12:00Z")
    assert (code, "cannot be less likely" in err) == (2, True)
    assert run("withdraw", RUNGS[0])[0] == 0
    assert run("log", RUNGS[2], "10%")[0] == 0


def test_an_import_keeps_what_falls_and_says_so(ladder, imported):
    records = "".join(
        json.dumps({"kind": "forecast", "question": rung, "forecaster": "c", "forecast": p,
                    "issued_at": "2026-03-01T00:00Z"}) + "\n"
        for rung, p in zip(RUNGS, ("0.3", "0.4", "0.1"), strict=True)
    )  # fmt: skip
    counts = imported(records, name="f.jsonl")
    assert (counts["forecasts"], counts["refused"]) == (3, [])
    assert "1 forecast of a ladder fall" in " ".join(counts["notes"])


def test_a_yes_settles_the_other_rungs_that_it_decides_and_a_correction_takes_it_back(ladder):
    """Each later one, and each whose deadline was still to come when it was known."""
    run = ladder

    def outcomes():
        return [row["outcome"] for row in table(run("--csv", "questions", "list")[1])]

    assert run("log", RUNGS[2], "20%")[0] == 0
    code, _, err = run("resolve", RUNGS[1], "yes", "--source", "x", "--at", "2026-11-20T00:00Z")
    assert (code, outcomes()) == (0, ["yes", "yes", "yes"])
    for rung in (RUNGS[0], RUNGS[2]):
        assert f"{rung} is yes with it" in err
    assert run("log", RUNGS[2], "20%")[0] == 2, "it has resolved"
    assert run("resolve", RUNGS[2], "no", "--source", "x", "--sure")[0] == 2
    assert run("reopen", RUNGS[1], "--source", "x")[0] == 0
    assert outcomes() == ["", "", ""]
