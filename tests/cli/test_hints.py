"""Questions end in a question mark, and the answer to a slip names a way that works here."""

import re
from pathlib import Path

import pytest

from forecasting import clock
from forecasting.bank import check, read_bank
from forecasting.bank.schema import ScenarioFile
from forecasting.bank.yaml_file import read_yaml
from forecasting.cli import run as cli
from forecasting.cli.output import styled
from forecasting.domain.instants import zone
from forecasting.domain.phrase import parse_phrase
from forecasting.domain.predicate_text import parse_predicate
from forecasting.domain.reading import probability
from forecasting.domain.reading.instants import day
from forecasting.errors import InvalidInput
from forecasting.evidence.reliability import check_grade
from forecasting.web.typed import percent_typed
from tests.workspace import NOW, workspace

BANK = Path(__file__).parents[2] / "questions"


@pytest.fixture
def output(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    database = workspace(tmp_path / "w", forecaster="ben")

    def call(*words):
        capsys.readouterr()
        with clock.at(NOW):
            cli(["--db", database, "--as", "ben", *words])
        return "".join(capsys.readouterr())

    return call


@pytest.mark.parametrize("ask", [
    lambda: probability("40"),
    lambda: percent_typed("0.35"),
])  # fmt: skip
def test_a_question_ends_in_a_question_mark_and_its_way_out_follows(ask):
    with pytest.raises(InvalidInput, match=r"\? Try: ") as asked:
        ask()
    assert "?. " not in str(asked.value)


@pytest.mark.parametrize(("name", "hint"), [
    ("Africa/Kinshas", "Africa/Kinshasa"),
    ("Europe/Kiev ", "Europe/Kiev"),
    ("Africa/Goma", "the city that names its zone, such as Africa/Khartoum"),
])  # fmt: skip
def test_a_zone_that_is_none_is_answered_by_the_one_that_was_meant_or_by_the_rule(name, hint):
    with pytest.raises(InvalidInput) as wrong:
        zone(name)
    assert wrong.value.hint == hint


def test_the_pair_of_the_admiralty_code_is_told_which_half_is_a_grade():
    assert check_grade("b") == "B"
    with pytest.raises(InvalidInput, match="B, the letter alone"):
        check_grade("B2")
    with pytest.raises(InvalidInput, match="A reliable"):
        check_grade("X2")


def test_hints_name_what_was_meant(output):
    assert "peace has none, signed. Try: peace=signed" in output(
        "scenario", "what-if", "--given", "peace=sgned"
    )
    output("log", "peace-2027", "30%")
    output("log", "peace-2027", "30%", "--as", "bo")
    output("update")
    missed = output("compare", "zoe", "ben")
    assert "no forecaster named zoe. Try: ben" in missed
    # Two letters of six are no slip of the pen: the names are listed.
    assert "no forecaster named nobody. Try: ben, bo" in output("compare", "nobody", "ana")
    lacking = output("news", "add", "x", "--source", "s")
    assert "--known-at" in lacking.partition("Try: ")[2]
    assert not lacking.rstrip().endswith("\\")


def test_more_parts_than_were_agreed_is_not_answered_by_a_number_below_nothing(tmp_path):
    (tmp_path / "worlds").mkdir()
    text = (
        "processes:\n  back:\n    delivery: {announced: 2026-01-01, agreed: 100}\n"
        "    2026-02-01: 90\n    2026-03-01: 300\n"
    )
    (tmp_path / "worlds" / "w.yaml").write_text(text)
    with clock.at(NOW):
        (fault,) = check(read_bank(tmp_path))
    assert fault.hint == "at most 10"


def test_the_time_since_a_number_is_told_in_whole_days(output):
    output("log", "peace-2027", "30%", "--at", "2026-11-29T01:00Z")
    assert "0.281" not in output("due", "--wide")


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_codes_go_to_a_terminal_that_shows_them(monkeypatch, name, value):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert styled()
    monkeypatch.setenv(name, value)
    assert not styled()


@pytest.mark.parametrize(
    ("read", "text", "hint"),
    [
        (probability, "1/20", "1 in 20"),
        (probability, "3 / 4", "3 in 4"),
        (probability, "~30%", "30%"),
        (probability, "4/3", "0.35, 35%, 1:3 or a verbal band such as likely"),
        (parse_phrase, "3 per year", "3 in 1 year"),
        (parse_phrase, "2 times a month", "2 in 1 month"),
        (day, "31.11.2026", "2026-11-30"),
        (day, "30 Feb 2028", "2028-02-29"),
        (day, "2026-02-31", "2026-02-28"),
        (day, "45.11.2026", "2026-12-31"),
    ],
)
def test_the_way_out_is_what_was_meant(read, text, hint):
    with pytest.raises(InvalidInput) as error:
        read(text)
    assert error.value.hint == hint
    if "verbal" not in hint:
        read(hint)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("export", "csv", "out.csv"), "forecast export csv --out out.csv"),
        (("annul", "q", "--source", "x", "--because", "y"), "--note TEXT"),
    ],
)
def test_an_option_that_was_meant_is_named(words, hint, capsys):
    assert cli([*words]) == 2
    assert capsys.readouterr().err.rstrip().endswith(f"Try: {hint}")


def test_the_example_of_a_scenario_file_is_one(tmp_path):
    text = (BANK / "README.md").read_text(encoding="utf-8").partition("## Scenarios")[2]
    file = tmp_path / "ladder.yaml"
    file.write_text(re.search(r"```yaml\n(.*?)```", text, re.S)[1], encoding="utf-8")
    example, _, faults = read_yaml(file, ScenarioFile, "ladder.yaml")
    assert faults == []
    world = read_bank(BANK).world
    assert len([parse_predicate(each.when, world=world) for each in example.scenarios]) == 2


@pytest.fixture
def answer(tmp_path, capsys, monkeypatch):
    """Run a command in a workspace of one's own; give its output and its narration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORECASTING_NOW", "2026-11-22T12:00:00Z")
    assert cli(["init", ".", "--as", "ana"]) == 0

    def call(*words, code=0):
        capsys.readouterr()
        assert cli(list(words)) == code, capsys.readouterr().err
        out, err = capsys.readouterr()
        return " ".join((out + err).split())

    call("ask", "Will a convoy reach the camp?", "35%", "--by", "2027-01-31")
    call("ask", "Convoy and truce?", "35%", "--by", "2027-01-31")
    call("ask", "Who chairs?", "--by", "2027-01-31", "--options", "a,b,c")
    call("ask", "How many come?", "--by", "2027-01-31", "--range", "0..90")
    call("ask", "Will a truce hold?", "--ladder", "2027-01-31,2027-03-31")
    return call


@pytest.mark.parametrize(
    ("words", "certain"),
    [
        (("a-convoy-reach-the-camp", "100%"), True),
        (("a-convoy-reach-the-camp", "0%"), True),
        (("a-convoy-reach-the-camp", "99.999999%"), False),
        (("who-chairs", "--p", "a=0", "--p", "b=40%", "--p", "c=60%"), True),
        (("who-chairs", "--p", "a=1%", "--p", "b=40%", "--p", "c=59%"), False),
        (("how-many-come", "--p", "5=0", "--p", "50=1", "--p", "95=60"), False),
        (("how-many-come", "--p", "10=0", "--p", "50=0.4", "--p", "90=0.6"), False),
    ],
)
def test_certainty_is_warned_of_when_it_is_logged(answer, words, certain):
    assert ("a log score is infinite" in answer("log", *words)) is certain


def test_certainty_is_warned_of_when_it_is_asked(answer):
    assert "a log score is infinite" in answer("ask", "Will it?", "100%", "--by", "2027-01-31")


def test_one_option_takes_the_numbers_of_options_rungs_and_quantiles(answer):
    answer("log", "who-chairs", "--p", "a=10%", "--p", "b=40%", "--p", "c=50%")
    answer("log", "how-many-come", "--p", "5=3", "--p", "50=9", "--p", "95=60")
    assert "@2027-03-31" in answer("log", "a-truce-hold", "--p", "2027-03-31=4%")
    assert "one of the two" in answer("log", "who-chairs", "0.3", "--p", "a=1", code=2)


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (("log", "a-convoy", "1%"), 4, "Try: a-convoy-reach-the-camp"),
        (("log", "convoy", "1%"), 4, "Try: a-convoy-reach-the-camp, convoy-and-truce"),
        (("log", "convoy-and-trace", "1%"), 4, "Try: convoy-and-truce"),
        (("log", "a-truce-hold", "4%"), 2,
         "Try: forecast log a-truce-hold --p 2027-01-31=4% --p 2027-03-31=4%"),
        (("ask", "Who leads?", "30%", "--by", "2027-01-31", "--options", "a,b"), 2,
         "Try: --p a=.. --p b=.."),
        (("ask",), 2, "forecast questions new asks for each"),
        (("annul", "who-chairs", "--because", "x"), 2, "Try: --note TEXT"),
        (("log", "who-chairs", "--note", "x"), 2, "Try: --because TEXT"),
        (("log", "30%", "who-chairs"), 4, "Try: forecast log who-chairs 30%"),
        (("log", "30%", "40%"), 4, "Try: forecast questions list"),
        (("resolve", "a", "who-chairs", "--source", "x"), 4, "Try: forecast resolve who-chairs a"),
        (("dispute", "a", "who-chairs", "--source", "x"), 4, "Try: forecast dispute who-chairs a"),
        (("ask", "40%", "Will it rain?", "--by", "2027-01-31"), 2,
         "Try: forecast ask 'Will it rain?' 40%"),
        (("ask", "likely", "Will it rain?", "--by", "2027-01-31"), 2,
         "Try: forecast ask 'Will it rain?' likely"),
        (("ask", " ", "40%", "--by", "2027-01-31"), 2, 'Try: forecast ask "Will ...?" 35%'),
        (("ask", "When does it rain?", "--by", "2028-12-31", "--range", "2027-01-31..2028-12-31"),
         2, "Try: --ladder 2027-01-31,2028-12-31, and days between them"),
        (("ask", "Is it so?", "--by", "2027-01-31", "--unit", "x"), 2, "Try: --range 0..5000"),
        (("log", "how-many-come"), 2, "Try: forecast log how-many-come --p 5=.."),
        (("log", "who-chairs"), 2, "Try: forecast log who-chairs --p a=.. --p b=.. --p c=.."),
        (("log", "a-truce-hold"), 2, "Try: forecast log a-truce-hold --p 2027-01-31=.. --p"),
        (("log", "how-many-come", "--p", "50=95", "--p", "90=99"), 2, "in the range, 0 to 90"),
        (("questions", "list", "--tag", "who-chair"), 4, "no question with the tag who-chair"),
        (("score", "--tag", "who-chair"), 4, "Try: who-chairs"),
        (("calibration", "--tag", "nowhere"), 4, "Try: forecast questions list"),
        (("scenario", "list"), 0, "the bank names no scenarios: a file of scenarios/"),
        (("worldviews",), 0, "the bank has no worldview: a file of worldviews/"),
    ],
)  # fmt: skip
def test_the_way_out_works_here(answer, words, code, hint):
    assert hint in answer(*words, code=code)


@pytest.mark.parametrize(
    "words",
    [("log", "a-convoy-reach-the-camp", "35"), ("ask", "Will it?", "3%", "--by", "03/04/2027")],
)
def test_no_option_of_a_file_is_advised_where_none_is_read(answer, words):
    assert "for a whole" not in answer(*words, code=2)


def test_a_reopened_question_has_no_moment_of_an_outcome(answer, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", "2026-11-23T12:00:00Z")
    answer("resolve", "who-chairs", "a", "--sure", "--source", "https://example.org")
    again = answer(
        "resolve", "who-chairs", "a", "--sure", "--source", "https://example.org", code=2
    )
    assert "is already resolved a" in again
    shown = answer("reopen", "who-chairs", "--source", "https://example.org")
    assert "reopened at" in shown
    assert "resolved at" not in shown


def test_an_edited_text_that_is_not_taken_is_kept(answer, tmp_path, monkeypatch):
    shown = {}

    def edited(text, **_):
        shown["text"] = text
        return text.replace("title:", "titel:")

    monkeypatch.setattr("click.edit", edited)
    wrong = answer("questions", "edit", "who-chairs", code=2)
    assert "titel: there is no such field" in wrong
    assert "your text is kept: forecast questions edit who-chairs --file" in wrong
    assert "(title)" in wrong
    file = tmp_path / "who-chairs.edited.yaml"
    assert file.read_text(encoding="utf-8") == shown["text"].replace("title:", "titel:")
    answer("questions", "edit", "who-chairs", code=2)
    assert (tmp_path / "who-chairs.edited-2.yaml").exists()
    file.write_text(shown["text"].replace("Who chairs?", "Who chairs the talks?"), encoding="utf-8")
    assert "1 changed" in answer("questions", "edit", "who-chairs", "--file", str(file))


def test_a_missing_argument_is_answered_by_an_example(answer):
    assert 'Try: forecast news retract 612 --because "denied' in answer(
        "news", "retract", "612", code=2
    )
    assert "Try: forecast annul convoy --source" in answer("annul", "who-chairs", code=2)


def test_a_table_of_news_is_read_by_the_usual_names_and_shown_without_tags(answer, tmp_path):
    (tmp_path / "news.csv").write_text(
        "Headline,Publisher,Date,Link,Note\n"
        "Trucks turned back,wire,2026-11-20,https://example.org/1,<p>So <b>told</b> &amp; all</p>\n"
    )
    words = ("news", "import", "news.csv", "--on", "a-convoy-reach-the-camp")
    assert "added 1" in answer(*words)
    shown = answer("news", "show", "Trucks", code=4) and answer("--json", "news", "list")
    seq = shown.partition('"seq": ')[2].partition(",")[0]
    shown = answer("news", "show", seq)
    assert "because So told & all" in shown
    assert (
        f"to code it: forecast news add 'Trucks turned back' --source wire --instead-of {seq}"
        in (shown)
    )
    assert "<b>" in answer("--json", "news", "show", seq)
    (tmp_path / "late.csv").write_text("title,source,known_at\nx,wire,2027-01-01\n")
    late = answer("news", "import", "late.csv", code=0)
    assert "refused" in late
    assert "--known-at" not in late
    (tmp_path / "plain.txt").write_text("The convoy turned back, they say.\n")
    assert "is no feed, no JSON lines and no table" in answer("news", "import", "plain.txt", code=2)


def test_a_range_below_nothing_and_a_question_too_short_say_what_is_wrong(answer):
    asking = ("ask", "How warm is it?", "--by", "2027-01-31", "--slug", "warm")
    answer(*asking, "--range", "-5..5")
    assert "must have 3 letters or more (got 'W?')" in answer(
        "ask", "W?", "--by", "2027-01-31", "--slug", "w", code=2
    )
    shown = answer("ask", "Does it?", "--ladder", "2027-03-31,2027-01-31", code=2)
    assert "question: a ladder needs two deadlines or more, rising" in shown
    assert "its fields are" not in shown
    assert answer("log", "warm", "--p", "5=-2", "--quantile", "95=-0.5", code=2)


@pytest.mark.parametrize("name", ["a\nb", " ", "x" * 201])
def test_a_workspace_is_not_made_for_nobody(answer, tmp_path, name):
    answer("--as", name, "init", str(tmp_path / "new"), code=2)
    assert not (tmp_path / "new").exists()


def test_the_next_command_can_be_pasted_after_a_name_with_a_space(answer, tmp_path):
    shown = answer("--as", "ana", "init", str(tmp_path / "with space"))
    assert f"cd '{tmp_path / 'with space'}', then " in shown


def test_a_match_and_an_outcome_say_at_any_width_whether_they_count(answer, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", "2026-11-23T12:00:00Z")
    there = "https://www.metaculus.com/questions/12345/some-words"
    match = ("questions", "same-as", "a-convoy-reach-the-camp", there)
    text = answer(*match, "--differs", "another day and another source")
    assert "nothing from that address is imported yet" in text
    for width in ("60", "80", "200"):
        monkeypatch.setenv("COLUMNS", width)
        shown = answer("questions", "same-as").partition("hidden")[0].split()
        assert {"differs", "complement", "another"} <= set(shown)
        answer("resolve", "who-chairs", "a", "--sure", "--source", "x", "--note", f"at {width}")
        shown = answer("resolutions", "who-chairs").partition("hidden")[0].split()
        assert {"status", "stands", "outcome"} <= set(shown)


def test_what_to_try_can_be_pasted_into_a_shell(answer):
    days = ("--ladder", "2027-01-31,2027-03-31")
    first, later = (f"--p {day}='1 in 5'" for day in ("2027-01-31", "2027-03-31"))
    assert f"{first} {later}" in answer("ask", "Does it?", "1 in 5", *days, code=2)
    answer("ask", "Does it?", *days, "--slug", "does")
    assert f"{first} {later}" in answer("log", "does", "1 in 5", code=2)
