"""What a person types first, wrong or certain: the answer names a way that works here."""

import pytest

from forecasting.cli import run as cli


@pytest.fixture
def output(tmp_path, capsys, monkeypatch):
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
def test_certainty_is_warned_of_when_it_is_logged(output, words, certain):
    assert ("a log score is infinite" in output("log", *words)) is certain


def test_certainty_is_warned_of_when_it_is_asked(output):
    assert "a log score is infinite" in output("ask", "Will it?", "100%", "--by", "2027-01-31")


def test_one_option_takes_the_numbers_of_options_rungs_and_quantiles(output):
    output("log", "who-chairs", "--p", "a=10%", "--p", "b=40%", "--p", "c=50%")
    output("log", "how-many-come", "--p", "5=3", "--p", "50=9", "--p", "95=60")
    assert "@2027-03-31" in output("log", "a-truce-hold", "--p", "2027-03-31=4%")
    assert "one of the two" in output("log", "who-chairs", "0.3", "--p", "a=1", code=2)


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
        (("worldviews", "--over-time"), 0, "the bank has no worldview: a file of worldviews/"),
    ],
)  # fmt: skip
def test_the_way_out_works_here(output, words, code, hint):
    assert hint in output(*words, code=code)


@pytest.mark.parametrize(
    "words",
    [("log", "a-convoy-reach-the-camp", "35"), ("ask", "Will it?", "3%", "--by", "03/04/2027")],
)
def test_no_option_of_a_file_is_advised_where_none_is_read(output, words):
    assert "for a whole" not in output(*words, code=2)


def test_a_reopened_question_has_no_moment_of_an_outcome(output, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", "2026-11-23T12:00:00Z")
    output("resolve", "who-chairs", "a", "--sure", "--source", "https://example.org")
    again = output(
        "resolve", "who-chairs", "a", "--sure", "--source", "https://example.org", code=2
    )
    assert "is already resolved a" in again
    shown = output("reopen", "who-chairs", "--source", "https://example.org")
    assert "reopened at" in shown
    assert "resolved at" not in shown


def test_an_edited_text_that_is_not_taken_is_kept(output, tmp_path, monkeypatch):
    shown = {}

    def edited(text, **_):
        shown["text"] = text
        return text.replace("title:", "titel:")

    monkeypatch.setattr("click.edit", edited)
    wrong = output("questions", "edit", "who-chairs", code=2)
    assert "titel: there is no such field" in wrong
    assert "your text is kept: forecast questions edit who-chairs --file" in wrong
    assert "(title)" in wrong
    file = tmp_path / "who-chairs.edited.yaml"
    assert file.read_text(encoding="utf-8") == shown["text"].replace("title:", "titel:")
    output("questions", "edit", "who-chairs", code=2)
    assert (tmp_path / "who-chairs.edited-2.yaml").exists()
    file.write_text(shown["text"].replace("Who chairs?", "Who chairs the talks?"), encoding="utf-8")
    assert "1 changed" in output("questions", "edit", "who-chairs", "--file", str(file))


def test_a_fault_of_a_field_names_the_fields_that_are_there(output, tmp_path):
    world = tmp_path / "questions" / "worlds" / "world.yaml"
    world.write_text("processes:\n  aid: {delivery: {amount: 5}, since 2026-01-01: }\n")
    shown = output("questions", "check", code=1)
    assert "its fields are agreed, announced, known, delivered, unit, class" in shown


def test_a_missing_argument_is_answered_by_an_example(output):
    assert 'Try: forecast news retract 612 --because "denied' in output(
        "news", "retract", "612", code=2
    )
    assert "Try: forecast annul convoy --source" in output("annul", "who-chairs", code=2)


def test_a_table_of_news_is_read_by_the_usual_names_and_shown_without_tags(output, tmp_path):
    (tmp_path / "news.csv").write_text(
        "Headline,Publisher,Date,Link,Note\n"
        "Trucks turned back,wire,2026-11-20,https://example.org/1,<p>So <b>told</b> &amp; all</p>\n"
    )
    words = ("news", "import", "news.csv", "--on", "a-convoy-reach-the-camp")
    assert "added 1" in output(*words)
    shown = output("news", "show", "Trucks", code=4) and output("--json", "news", "list")
    seq = shown.partition('"seq": ')[2].partition(",")[0]
    shown = output("news", "show", seq)
    assert "because So told & all" in shown
    assert (
        f"to code it: forecast news add 'Trucks turned back' --source wire --instead-of {seq}"
        in (shown)
    )
    assert "<b>" in output("--json", "news", "show", seq)
    (tmp_path / "late.csv").write_text("title,source,known_at\nx,wire,2027-01-01\n")
    late = output("news", "import", "late.csv", code=0)
    assert "refused" in late
    assert "--known-at" not in late
    (tmp_path / "plain.txt").write_text("The convoy turned back, they say.\n")
    assert "is no feed, no JSON lines and no table" in output("news", "import", "plain.txt", code=2)


def test_a_range_below_nothing_and_a_question_too_short_say_what_is_wrong(output):
    asking = ("ask", "How warm is it?", "--by", "2027-01-31", "--slug", "warm")
    output(*asking, "--range", "-5..5")
    assert "must have 3 letters or more (got 'W?')" in output(
        "ask", "W?", "--by", "2027-01-31", "--slug", "w", code=2
    )
    shown = output("ask", "Does it?", "--ladder", "2027-03-31,2027-01-31", code=2)
    assert "question: a ladder needs two deadlines or more, rising" in shown
    assert "its fields are" not in shown
    assert output("log", "warm", "--p", "5=-2", "--quantile", "95=-0.5", code=2)


def test_what_to_try_can_be_pasted_into_a_shell(output):
    days = ("--ladder", "2027-01-31,2027-03-31")
    first, later = (f"--p {day}='1 in 5'" for day in ("2027-01-31", "2027-03-31"))
    assert f"{first} {later}" in output("ask", "Does it?", "1 in 5", *days, code=2)
    output("ask", "Does it?", *days, "--slug", "does")
    assert f"{first} {later}" in output("log", "does", "1 in 5", code=2)


def test_a_fault_of_a_file_names_its_line(output, tmp_path):
    (tmp_path / "p.yaml").write_text(
        "slug: p\ntitle: Does it come?\ncloses: 2027-01-31\nresolves_by: 2026-12-31\n"
    )
    assert "p.yaml:4: [value] resolves_by (2026-12-31)" in output(
        "questions", "check", str(tmp_path / "p.yaml"), code=1
    )


@pytest.mark.parametrize("name", ["a\nb", " ", "x" * 201])
def test_a_workspace_is_not_made_for_nobody(output, tmp_path, name):
    output("--as", name, "init", str(tmp_path / "new"), code=2)
    assert not (tmp_path / "new").exists()


def test_the_next_command_can_be_pasted_after_a_name_with_a_space(output, tmp_path):
    shown = output("--as", "ana", "init", str(tmp_path / "with space"))
    assert f"cd '{tmp_path / 'with space'}', then " in shown


def test_a_match_and_an_outcome_say_at_any_width_whether_they_count(output, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", "2026-11-23T12:00:00Z")
    there = "https://www.metaculus.com/questions/12345/some-words"
    match = ("questions", "same-as", "a-convoy-reach-the-camp", there)
    text = output(*match, "--differs", "another day and another source")
    assert "nothing from that address is imported yet" in text
    for width in ("60", "80", "200"):
        monkeypatch.setenv("COLUMNS", width)
        shown = output("questions", "same-as").partition("hidden")[0].split()
        assert {"differs", "complement", "another"} <= set(shown)
        output("resolve", "who-chairs", "a", "--sure", "--source", "x", "--note", f"at {width}")
        shown = output("resolutions", "who-chairs").partition("hidden")[0].split()
        assert {"status", "stands", "outcome"} <= set(shown)
