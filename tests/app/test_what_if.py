"""Laws of what if: tables that add up, targets that are met, and no change that is noise."""

import shutil

import numpy as np
import pytest

from forecasting import clock
from forecasting.app.book import Book
from forecasting.app.world import scenario, what_if
from forecasting.cli import run
from forecasting.domain.instants import parse_instant
from forecasting.errors import InvalidInput
from forecasting.inference.fits import FitCache
from forecasting.models.world.reading import values
from forecasting.review import words
from tests.app.quick import SMALL, quick_fit
from tests.workspace import workspace

LATER = parse_instant("2026-11-29T07:45Z")
NOW = parse_instant("2026-08-22T12:00:00Z")


@pytest.fixture(scope="module")
def live(bank_database, tmp_path_factory):
    """The bank simulated once; what is asked of it changes nothing."""
    path = shutil.copy(bank_database, tmp_path_factory.mktemp("live") / "bank.db")
    with pytest.MonkeyPatch.context() as patch, Book.open(str(path), forecaster="ana") as book:
        patch.setattr(FitCache, "fit", quick_fit)
        now = parse_instant("2026-11-22T12:00:00Z")
        yield scenario.live(book.ledger, now=now, draws=4_096)


@pytest.fixture
def one_simulation(monkeypatch):
    """Conditions are read off the one simulation, however few paths meet them."""
    monkeypatch.setattr(what_if, "ENOUGH", 0)
    monkeypatch.setattr(what_if, "TIMES", ())


def test_scenario_tables_sum_to_one_and_no_path_is_in_two(live):
    bank = live.predictor.bank
    assert [each.id for each in bank.scenarios] == ["ladder", "settlement", "summit"]
    for each in bank.scenarios:
        rows = live.shares(each)
        assert sum(row["probability"] for row in rows) == pytest.approx(1.0, abs=1e-12)
        truths = [truth for *_, truth in scenario.partition(live.run, each)]
        assert (sum(truth.astype(int) for truth in truths) == 1).all()
        assert rows[-1]["scenario"] == "otherwise"


@pytest.mark.usefixtures("one_simulation")
def test_joint_marginal_and_conditional_agree_to_the_last_digit(live):
    question = next(q for q in live.questions if q.id == "leaders-meet@2026-12-31")
    (each,) = [one for one in live.predictor.bank.scenarios if one.id == "settlement"]
    weights = live.run.paths.weights(None)
    met = live.truths(live.run, question)["yes"]
    p_met = float(weights @ met)
    rows = live.what_if([question.id], [], each)
    after = {row["question"]: row["after"] for row in rows if row["gate"] == "passed"}
    checked = 0
    for name, _, _, truth in scenario.partition(live.run, each):
        joint = float(weights @ (truth & met))
        if (conditional := after.get(f"scenario:{name}")) is not None:
            assert joint == pytest.approx(p_met * conditional, rel=1e-12, abs=1e-15)
            checked += 1
        # Total probability: the scenario's own number is the mean over both answers.
        other = float(weights @ (truth & ~met))
        row = next(r for r in rows if r["question"] == f"scenario:{name}")
        if row["before"] is not None:
            assert row["before"] == pytest.approx(joint + other, rel=1e-12, abs=1e-15)
    assert checked


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("general-ceasefire-2026@2026-06-30=yes", "is due"),
        ("energy-truce-2025-observed=yes", "is resolved"),
        ("relapse-after-deal=yes", "asks about a time after 2027-12-31 and is left out"),
        ("no-such-question=yes", "no open question and no process has this name"),
    ],
)
def test_a_question_that_these_paths_do_not_answer_is_refused_with_the_reason(live, given, words):
    with pytest.raises(InvalidInput, match=words):
        live.what_if([given], [])


@pytest.mark.usefixtures("one_simulation")
def test_conditions_that_exclude_each_other_are_refused_and_named(live):
    with pytest.raises(InvalidInput, match=r"conditions \(summit=russia, summit=ukraine\)"):
        live.what_if(["summit=russia", "summit=ukraine"], [])
    # In the zone of the bank, to the minute.
    local = r"no path meets it, seen from 2026-\d\d-\d\d \d\d:\d\d Europe/Kyiv\."
    with pytest.raises(InvalidInput, match=local):
        live.what_if(["strike count >= 4000 by close"], [])


@pytest.mark.usefixtures("one_simulation")
def test_a_target_is_met_and_nothing_else_about_its_paths_changes(live):
    name = "leaders-meet@2026-12-31"
    (question,) = [q for q in live.questions if q.id == name]
    sets = next(each for each in live.predictor.bank.scenarios if each.id == "summit")
    truth = live.truths(live.run, question)["yes"]
    rows = {
        p: {
            row["question"] + row["state"]: row["after"]
            for row in live.what_if([f"{name}={p}"], [], sets)
        }
        for p in ("no", "yes", "25%", ".5")
    }
    aimed = what_if.aimed(live, live.run, {"x": (f"{name}=yes", 0.25)})
    assert aimed.paths.weights() @ truth == pytest.approx(0.25, abs=1e-9)
    zone = next(q for q in live.questions if q.id == "buffer-zone-2026")
    both = {"x": (f"{name}=yes", 0.25), "y": ("buffer-zone-2026=yes", 0.3)}
    weights = what_if.aimed(live, live.run, both).paths.weights()
    assert weights @ truth == pytest.approx(0.25, abs=1e-8)
    assert weights @ live.truths(live.run, zone)["yes"] == pytest.approx(0.3, abs=1e-8)
    # By the law of total probability: on either side the paths keep their weights.
    for key, after in rows["25%"].items():
        ends = rows["no"].get(key), rows["yes"].get(key)
        if after is not None and None not in ends:
            assert after == pytest.approx(0.75 * ends[0] + 0.25 * ends[1], abs=1e-9)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["leaders-meet=.2", "leaders-meet@2026-12-31=.3"], "no weights of the paths give both"),
        (["leaders-meet=120%"], "must lie from 0 to 1"),
        (["guarantees-2026=.3"], "a probability alone fits a yes-or-no question"),
    ],
)
def test_targets_that_no_weights_meet_are_refused_in_one_line(live, given, words):
    with pytest.raises(InvalidInput, match=words):
        live.what_if(given, [])


#: Nothing leads from the gift to any of these.
APART = {"truce-comes", "truce-comes-too", "text-lies", "both", "convoys", "bridge-holds"}
NUMBER = """\
  how-many: {title: How many convoys, opens: 2026-01-10, closes: 2026-12-31, type: numeric,
    lower: 0, upper: 20, unit: convoys, answer: convoy count}
  given: {title: The gift is given, opens: 2026-01-10, closes: 2026-12-31,
    answer: gift=given by close}
"""


@pytest.mark.parametrize("condition", ["gift=given", "given=60%"])
def test_what_no_link_joins_does_not_move(own_book, condition):
    """Over 12 simulations: about one table in twenty has a row that seems to move."""
    book, moved = own_book(SMALL + NUMBER), []
    for seed in range(12):
        rows = scenario.live(book.ledger, now=NOW, draws=4_096, seed=seed).what_if([condition])
        apart = [row for row in rows if row["question"] in APART and row["change"] is not None]
        assert apart
        moved += [row["change"] != 0 for row in apart]
    assert sum(moved) / len(moved) < 0.12


@pytest.mark.parametrize(("errors", "move"), [(2.5, False), (4.0, True)])
def test_of_many_rows_one_moves_only_as_far_as_noise_moves_none(
    own_book, monkeypatch, errors, move
):
    """Two in forty rows that nothing joins stand beyond two standard errors, and hardly ever 3."""
    live = scenario.live(own_book(SMALL).ledger, now=NOW, draws=4_096)

    def so_many_errors(before, after, raked):
        shares = [float(run.paths.weights(at)[so].sum()) for run, so, at in (before, after)]
        return abs(shares[1] - shares[0]) / errors

    monkeypatch.setattr(what_if, "_change_error", so_many_errors)
    rows = [row for row in live.what_if(["text=table"], []) if row["change"] is not None]
    apart = [row for row in rows if row["before"] != row["after"]]
    assert len(apart) > 5
    assert {row["change"] != 0 for row in apart} == {move}


def test_what_is_linked_moves_and_stands_first(own_book):
    found = scenario.live(own_book(SMALL + NUMBER).ledger, now=NOW, draws=8_192)
    rows = found.what_if(["text-lies=yes"])
    row = next(row for row in rows if row["question"] == "truce-comes")
    assert row["change"] == row["after"] - row["before"] > 0.05
    changes = [row["change"] for row in rows]
    told = [change for change in changes if change is not None]
    assert changes[len(told) :] == [None] * (len(changes) - len(told))
    moving = [change for change in told if change]
    assert told == moving + [0.0] * (len(told) - len(moving))
    assert 0 < len(moving) < len(told)
    still = len(told) - len(moving)
    assert words.unmoved(rows).startswith(f"{still} of {len(rows)} do")
    assert words.unmoved([row]) == ""


def test_what_is_barred_until_a_deadline_may_come_after_it(own_book):
    """``gift-soon=no`` bars the gift until 15 October; it may be given by the end of December."""
    live = scenario.live(own_book(SMALL + NUMBER).ledger, now=NOW, draws=8_192)
    rows = {row["question"]: row for row in live.what_if(do=["gift-soon=no"])}
    assert 0.05 < rows["gift-comes"]["after"] < rows["gift-comes"]["before"] - 0.05
    rows = {row["question"]: row for row in live.what_if(do=["gift-comes=no"])}
    assert rows["gift-soon"]["after"] == 0.0


def test_to_bring_about_that_a_state_holds_is_to_bar_the_others(own_book):
    """It was no more than to force the state that holds now, which could end the next day."""
    text = SMALL.replace("truce=on: convoy x0.5 (0.2..1.2)", "bridge=down: convoy x8 (4..16)")
    live = scenario.live(own_book(text).ledger, now=NOW, draws=8_192)
    rows = {row["question"]: row for row in live.what_if(do=["bridge-holds=yes"])}
    other = {row["question"]: row for row in live.what_if(do=["bridge=down"])}
    assert rows["convoys"]["after"] < rows["convoys"]["before"] - 0.02
    assert other["convoys"]["after"] > rows["convoys"]["before"] + 0.1


@pytest.mark.parametrize(
    ("do", "message"),
    [
        (["truce=on", "truce=none"], "contradict each other"),
        (["truce-comes=no", "truce=on@2026-10-01"], "contradict each other"),
        (["bridge-holds=no"], "which state comes instead is not said. Try: bridge=STATE@TIME"),
        (["truce=on@2026-08-01"], "has passed.*Try: truce=on for now, or truce=on@2026-08-23"),
    ],
)
def test_what_cannot_be_brought_about_is_refused_with_what_can(own_book, do, message):
    live = scenario.live(own_book().ledger, now=NOW, draws=2_048)
    with pytest.raises(InvalidInput, match=message):
        live.what_if(do=do)
    for fine in (["truce=on", "truce=none@2026-10-01"], ["truce=on@2026-08-23"]):
        assert live.what_if(do=fine)


def test_a_target_that_is_the_number_there_was_moves_nothing(own_book):
    found = scenario.live(own_book(SMALL + NUMBER).ledger, now=NOW, draws=4_096)
    before = next(
        row["before"] for row in found.what_if(["gift=given"]) if row["question"] == "text-lies"
    )
    rows = found.what_if([f"text-lies={before + 0.002:.4f}"])
    assert {row["change"] for row in rows} <= {0.0, None}


def test_the_command_says_none_and_why_in_one_line(own_book, tmp_path, capsys, monkeypatch):
    own_book(SMALL + NUMBER)
    monkeypatch.setenv("COLUMNS", "80")
    with clock.at(NOW):
        asked = ["scenario", "what-if", "--given", "gift=given"]
        assert run(["--db", str(tmp_path / "own0.db"), *asked]) == 0
    out, err = capsys.readouterr()
    line = next(line for line in out.splitlines() if line.lstrip().startswith("text-lies"))
    assert "none" in line.split()
    assert sum("does not move" in each or "do not move" in each for each in err.splitlines()) == 1
    assert "by chance among so many rows" in err


def test_whose_value_is_not_asked_for_is_named(own_book, tmp_path, capsys):
    live = scenario.live(own_book(SMALL + NUMBER).ledger, now=NOW, draws=1_024)
    valued = {row["question"] for row in live.value()}
    assert live.valueless() == ["how-many"]
    assert valued | {"how-many"} == {question.id for question in live.questions}
    with clock.at(NOW):
        assert run(["--db", str(tmp_path / "own0.db"), "scenario", "value"]) == 0
    assert "left out: how-many" in capsys.readouterr().err


def test_more_paths_are_drawn_until_every_number_can_be_told_or_it_says_why(own_book, monkeypatch):
    drawn = []
    real = what_if._drawn_towards

    def towards(*arguments):
        drawn.append(arguments[-1])
        return real(*arguments)

    monkeypatch.setattr(what_if, "_drawn_towards", towards)
    book = own_book()
    live = scenario.live(book.ledger, now=NOW, draws=4_096)
    rows = live.what_if(["text-lies=yes"])
    assert drawn[0] == what_if.TIMES[0]
    left = [row["mcse"] for row in rows if row["gate"] != "passed"]
    assert not left or drawn == list(what_if.TIMES) or min(left) > 0.01 * 2**0.5
    # Where every number can be told at once, nothing is drawn again.
    drawn.clear()
    monkeypatch.setattr(what_if, "ENOUGH", 0)
    real_row = what_if._row
    monkeypatch.setattr(what_if, "_row", lambda *a: real_row(*a) | {"gate": "passed"})
    live.what_if(["text-lies=yes"])
    assert drawn == []
    # Where one cannot, it is told which, why, and what else to do.
    monkeypatch.setattr(what_if, "_row", lambda *a: real_row(*a) | {"gate": "refused: so and so"})
    *lines, way_out = words.refusals(live.what_if(["text-lies=yes"]))
    assert drawn == list(what_if.TIMES)
    assert "convoys has no number: so and so" in lines
    # Where twice the paths could tell none, they are not drawn.
    drawn.clear()
    far = {"gate": "refused: so and so", "mcse": 0.0142}
    monkeypatch.setattr(what_if, "_row", lambda *a: real_row(*a) | far)
    live.what_if(["text-lies=yes"])
    assert drawn == [what_if.TIMES[0]]
    assert "likelier" in way_out


KINDS = """\
watched: 2026-11-28
processes:
  truce: {moves: {none > on: once in 8 mo, on > none: once in 60 d}, since 2026-01-01: none}
  strike: {event: 40 in 70 weeks, since 2026-11-01: ""}
links:
  - {while truce=on: strike x0.3 (0.1..0.8), because: those who hold a truce strike less}
questions:
  first: {title: Which comes first, type: categorical, options: [truce, strike, neither],
    closes: 2027-03-31, answer: "first of truce: truce=on, strike: strike, else neither"}
  furthest: {title: How far it comes, type: ordered, options: [none, on], closes: 2027-03-31,
    answer: highest of truce by close}
  in-march: {title: How it is in March, type: categorical, options: [none, on],
    closes: 2027-06-30, answer: truce on 2027-03-31}
  comes: {title: A truce comes, closes: 2027-03-31, answer: truce=on by close}
  struck: {title: Two strikes in truce, closes: 2027-03-31,
    answer: strike count >= 2 by close given truce=on by 2027-02-28}
  strikes: {title: How many strikes, type: numeric, lower: 0, upper: 20, closes: 2027-03-31,
    answer: strike count}
  strikes-then: {title: How many in truce, type: numeric, lower: 0, upper: 20, closes: 2027-03-31,
    answer: strike count given truce=on by 2027-02-28}
"""


@pytest.fixture
def kinds(tmp_path):
    with Book.open(workspace(tmp_path, KINDS)) as book:
        yield scenario.live(book.ledger, now=LATER, draws=4_096)


@pytest.mark.usefixtures("one_simulation")
@pytest.mark.parametrize("name", ["first", "furthest", "in-march", "comes"])
def test_what_is_given_of_a_question_is_how_its_own_paths_answer(kinds, name):
    """The entry of an option was taken for the option: first or second, by then or at the close."""
    (question,) = [q for q in kinds.questions if q.id == name]
    shares, after = [], []
    for outcome, hit in kinds.truths(kinds.run, question).items():
        if not hit.any():
            continue
        met, unmet = what_if.sides(kinds, kinds.run, f"{name}={outcome}")
        assert (met == hit).all()
        assert (unmet == ~hit).all()
        shares.append(hit.mean())
        rows = kinds.what_if([f"{name}={outcome}"])
        after.append({(r["question"], r["state"]): r for r in rows})
    for key, row in after[0].items():
        each = [rows[key]["after"] for rows in after]
        if None not in each and key[0] in {"first", "furthest", "in-march", "comes"} - {name}:
            whole = sum(p * q for p, q in zip(shares, each, strict=True))
            assert whole == pytest.approx(row["before"], abs=1e-9)


@pytest.mark.usefixtures("one_simulation")
def test_a_question_that_counts_under_its_condition_alone_is_given_and_aimed_at_so(kinds):
    """That it says yes is that its condition holds as well; its number is one under it."""
    paths, (question,) = kinds.run.paths, [q for q in kinds.questions if q.id == "struck"]
    counts, yes = kinds.counts(kinds.run, question), kinds.truths(kinds.run, question)["yes"]
    met, unmet = what_if.sides(kinds, kinds.run, "struck=yes")
    assert (met == (yes & counts)).all()
    assert (unmet == (~yes & counts)).all()
    rows = {(r["question"], r["state"]): r for r in kinds.what_if(["struck=yes"])}
    assert rows["comes", ""]["after"] == 1.0
    before = paths.weights()
    aimed = what_if.aimed(kinds, kinds.run, {"x": ("struck=yes", 0.1)}).paths.weights()
    assert aimed @ met / (aimed @ counts) == pytest.approx(0.1, abs=1e-9)
    assert aimed @ counts == pytest.approx(before @ counts, abs=1e-12)
    assert aimed[~counts] == pytest.approx(before[~counts], abs=1e-15)


@pytest.mark.usefixtures("one_simulation")
def test_a_number_under_a_condition_is_read_off_the_paths_that_meet_it(kinds):
    (question,) = [q for q in kinds.questions if q.id == "strikes-then"]
    counts = kinds.counts(kinds.run, question)
    strikes = values(kinds.run.paths, kinds.predictor.asks["strikes-then"], question)
    rows = {r["question"]: r for r in kinds.what_if(["in-march=none"])}
    assert rows["strikes-then"]["before"] == pytest.approx(np.median(strikes[counts]))
    assert rows["strikes"]["before"] == pytest.approx(np.median(strikes))
    assert rows["strikes-then"]["before"] < rows["strikes"]["before"]


@pytest.mark.usefixtures("one_simulation")
def test_an_event_is_brought_about_by_the_word_that_facts_have(kinds):
    rows = kinds.what_if(do=["strike=event"])
    assert rows == kinds.what_if(do=["strike"]) == kinds.what_if(do=["strike=waiting"])
    after = {row["question"]: row for row in rows}
    assert after["strikes"]["after"] > after["strikes"]["before"]


def test_what_a_target_says_of_itself_is_of_no_value(kinds):
    assert "first" not in {row["question"] for row in kinds.value("first=truce")}
    assert "comes" not in {row["question"] for row in kinds.value("comes=yes")}
