"""What shows of a world only in a whole bank: hindsight, bare priors, names that clash."""

from forecasting.bank import check, read_bank


def _added(copy, text):
    """The faults that one more world file brings."""
    before = {str(problem) for problem in check(read_bank(copy))}
    (copy / "worlds" / "zz.yaml").write_text(text, encoding="utf-8")
    return [str(problem) for problem in check(read_bank(copy)) if str(problem) not in before]


ZZ = "questions/worlds/zz.yaml"
SOURCED = "source: somebody, known_by: 2025-01-01, because: so"


def test_a_prior_argued_after_the_question_opened_is_hindsight(copy):
    text = (
        f"processes:\n  zz-a: {{event: once in 1 y, {SOURCED}}}\n"
        f"  zz-b: {{moves: {{off > up: once in 1 y}}, {SOURCED}, since 2024-01-01: off}}\n"
        "links:\n"
        f"  - {{while zz-b=up: zz-a x3 (1..9), {SOURCED}}}\n"
        "questions:\n"
        "  zz-q: {title: A question, opens: 2025-06-01, closes: 2025-12-31, "
        "answer: zz-a by close}\n"
    )
    assert _added(copy, text) == []
    for number, what in ((2, "zz-a: waiting > waiting"), (3, "zz-b: off > up")):
        lines = text.splitlines()
        lines[number - 1] = lines[number - 1].replace("2025-01-01,", "2025-06-02,")
        (fault,) = _added(copy, "\n".join(lines))
        assert fault == (
            f"{ZZ}:{number}: [hindsight] {what}: known by 2025-06-02, after zz-q opened "
            "(2025-06-01T00:00:00Z). Try: base it on what was known before"
        )
        (copy / "worlds" / "zz.yaml").unlink()


def test_a_prior_of_a_class_argued_after_a_question_on_it_opened_is_hindsight(copy):
    assert [each for each in check(read_bank(copy)) if each.rule == "hindsight"] == []
    path = copy / "reference" / "priors.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    (n,) = (n for n, line in enumerate(lines) if line.startswith("truces-formal,theta,"))
    lines[n] = lines[n].replace("2021-12-31", "2026-11-20")
    path.write_text("\n".join(lines), encoding="utf-8")
    faults = [str(each) for each in check(read_bank(copy)) if each.rule == "hindsight"]
    assert faults
    assert all(": class (truces-formal) theta: known by 2026-11-20, after " in x for x in faults)


def test_a_scored_bank_names_the_word_that_its_priors_rest_on(copy):
    assert _added(copy, "processes:\n  zz: {event: once in 1 y}\n") == [
        f"{ZZ}:2: [source] zz: move (waiting > waiting): needs because, source and known_by where "
        "questions are scored. Try: because: ..., source: ..., known_by: 2025-02-28"
    ]


def test_an_answer_must_fit_its_world(copy):
    text = (
        f"processes:\n  zz: {{event: once in 1 y, {SOURCED}}}\n"
        "questions:\n  zz-q:\n    title: A question\n    opens: 2026-06-01\n"
        "    closes: 2026-12-31\n    answer: zy by close\n"
    )
    assert _added(copy, text) == [
        f"{ZZ}:8: [answer] answer: process (zy): the world has no such process; the nearest is zz"
    ]
    assert _added(copy, text.replace("zy by close", "zz by clos")) == [
        f"{ZZ}:8: [answer] answer (zz by clos): a time must be `close` or a day, not clos. "
        "Try: by close or by 2026-12-31"
    ]


def test_a_process_and_a_question_have_different_names(copy):
    text = f"processes:\n  leaders-meet: {{event: once in 1 y, {SOURCED}}}\n"
    (fault,) = _added(copy, text)
    assert fault == (
        f"{ZZ}:2: [name] process (leaders-meet): a question has that name "
        "(questions/bank/talks/leaders-meet.yaml). Try: leaders-meet-process"
    )


def test_a_class_must_be_there(copy):
    text = f"processes:\n  zz: {{moves: {{a > b: class truces-formul}}, {SOURCED}}}\n"
    assert _added(copy, text) == [
        f"{ZZ}:2: [unknown-reference] zz: class (truces-formul): not in reference/classes.csv. "
        "Try: truces-formal"
    ]
