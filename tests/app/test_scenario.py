"""Scenarios end to end: as of a moment, what if, what to watch, and repair beside the raw set."""

import dataclasses
import datetime as dt
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from forecasting.app import scenario as use
from forecasting.app import scenario_repair, scenario_watch, scenario_what_if
from forecasting.app.catalog import Catalog
from forecasting.app.log import log
from forecasting.app.news import add
from forecasting.app.predict import Predictor, prior_book
from forecasting.app.questions import bundled_bank, families, load_bank
from forecasting.bank import Bank, check, read_bank
from forecasting.cli import run
from forecasting.domain.scenario import Named, Node, Row, ScenarioGraph
from forecasting.errors import InvalidInput, NotFound
from forecasting.evidence import known
from forecasting.models.encoding.answers import Answers
from forecasting.store import Ledger

ROOT = Path(__file__).parents[2] / "questions"
#: Before the exchange of May 2026 joins: nothing here needs the sampler.
MAY = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 8, 20, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def bank() -> Bank:
    return bundled_bank()


@pytest.fixture(scope="module")
def loaded(bank: Bank, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scenario") / "book.db"
    with Ledger.open(str(path), create=True) as opened:
        load_bank(opened, bank, NOW)
    return path


@pytest.fixture
def ledger(loaded: Path, tmp_path: Path) -> Iterator[Ledger]:
    shutil.copy(loaded, tmp_path / "book.db")
    with Ledger.open(str(tmp_path / "book.db")) as opened:
        yield opened


@pytest.fixture(scope="module")
def found(bank: Bank, loaded: Path) -> use.Live:
    with Ledger.open(str(loaded)) as opened:
        graph = use.find(bank, "settlement")
        return use.live(opened, graph, now=NOW, as_of=MAY, bank=bank)


def test_scenarios_sum_to_one_in_every_draw(found: use.Live) -> None:
    parts = found.partition(found.joint, found.known)
    total = sum((p for _, _, p in parts), np.zeros(found.joint.draws))
    np.testing.assert_allclose(total, 1, atol=1e-9)
    assert all(np.all(p >= 0) for _, _, p in parts)
    rows = use.show(found)
    assert sum(row["probability"] for row in rows) == pytest.approx(1, abs=1e-9)
    assert all(row["lower"] <= row["probability"] <= row["upper"] for row in rows)
    assert [row["scenario"] for row in rows][-1] == "otherwise"


def test_linked_nodes_stand_where_their_models_say(found: use.Live) -> None:
    assert set(found.tied.linked) == {"guarantees", "ceasefire"}
    for name, wanted in found.tied.linked.items():
        got = found.joint.marginal([found.graph.position(name)])
        np.testing.assert_allclose(got, wanted, atol=1e-8)
    assert {row["level"] for row in use.nodes(found)} == {"graph", "model"}


def test_the_exchange_joins_only_once_it_could_be_argued(found: use.Live) -> None:
    names = [node.id for node in found.graph.nodes]
    assert names == ["pressure", "backing", "guarantees", "text", "signature", "ceasefire"]


def test_seeing_speaks_for_causes_and_doing_does_not(found: use.Live) -> None:
    seen = scenario_what_if.what_if(found, given=["guarantees-2026=firm"])
    done = scenario_what_if.what_if(found, do=["guarantees-2026=firm"])

    def moved(rows: list[dict[str, object]], node: str) -> float:
        (row,) = (r for r in rows if r["node"] == node and r["state"] in {"bound", "yes"})
        return float(row["after"]) - float(row["before"])  # type: ignore[arg-type]

    assert moved(seen, "backing") > 0.1
    assert moved(done, "backing") == pytest.approx(0, abs=1e-9)
    assert moved(done, "signature") > 0
    assert {row["basis"] for row in done} == {"rests on the graph, never scored"}
    for rows in (seen, done):
        scenarios = [r for r in rows if str(r["question"]).startswith("scenario:")]
        assert sum(float(r["after"]) for r in scenarios) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(
    ("given", "do", "match"),
    [
        ([], [], "needs a condition"),
        (["guarantees-2026=firmer"], [], "no outcome firmer"),
        (["no-such=firm"], [], "no node"),
        (["guarantees-2026"], [], "must be QUESTION=OUTCOME"),
        (["guarantees=firm", "guarantees-2026=soft"], [], "contradict"),
        (["text=firm"], ["text=firm"], "both seen and brought about"),
    ],
)
def test_conditions_that_make_no_sense_are_refused(
    found: use.Live, given: list[str], do: list[str], match: str
) -> None:
    with pytest.raises(InvalidInput, match=match):
        scenario_what_if.what_if(found, given, do)


def test_a_condition_of_probability_nothing_is_refused(ledger: Ledger, bank: Bank) -> None:
    summit = use.live(ledger, use.find(bank, "summit"), now=NOW, bank=bank)
    with pytest.raises(InvalidInput, match="probability 0"):
        scenario_what_if.what_if(summit, given=["meeting=yes", "venue=none"])
    # The venue, given that they meet, is the class's own share: 13.0 of 15 in May 2026.
    rows = scenario_what_if.what_if(summit, given=["leaders-meet=yes"])
    venue = {r["state"]: r["after"] for r in rows if r["node"] == "venue"}
    assert venue["none"] == pytest.approx(0, abs=1e-12)
    assert venue["third-country"] > 0.8


def test_what_to_watch_is_ranked_by_its_worth(found: use.Live) -> None:
    rows = scenario_watch.watch(found)
    assert [row["question"] for row in rows] == [
        "general-ceasefire-2026@2026-12-31",
        "guarantees-2026",
    ]
    values = [row["value_of_information"] for row in rows]
    assert values == sorted(values, reverse=True)
    for row in rows:
        assert row["per_day"] == pytest.approx(row["value_of_information"] / row["days"])
    (only,) = scenario_watch.watch(found, "general-ceasefire-2026")
    assert only["question"] == "guarantees-2026"
    with pytest.raises(InvalidInput, match="no such node"):
        scenario_watch.watch(found, "signatur")


def test_a_report_moves_the_scenario_with_its_question(ledger: Ledger, bank: Bank) -> None:
    graph = use.find(bank, "settlement")
    before = use.live(ledger, graph, now=NOW, as_of=MAY, bank=bank)
    add(
        ledger,
        "A ceasefire text is near",
        source="wire",
        known_at=MAY - dt.timedelta(days=1),
        now=NOW,
        on=["general-ceasefire-2026@2026-12-31=x6"],
        grade="A",
    )
    after = use.live(ledger, graph, now=NOW, as_of=MAY, bank=bank)
    for node in ("ceasefire", "signature"):
        place = graph.position(node)
        was, now = (live.joint.marginal([place])[:, 0].mean() for live in (before, after))
        assert now > was * 1.2


def test_the_past_is_as_it_was(ledger: Ledger, bank: Bank, found: use.Live) -> None:
    # News of later changes nothing as of May; an outcome known later neither.
    add(
        ledger,
        "Guarantees are signed and ratified",
        source="wire",
        known_at=MAY + dt.timedelta(days=30),
        now=NOW,
        on=["guarantees-2026=firm"],
        grade="A",
    )
    again = use.live(ledger, use.find(bank, "settlement"), now=NOW, as_of=MAY, bank=bank)
    assert use.nodes(again) == use.nodes(found)
    with pytest.raises(InvalidInput, match="could be argued by"):
        use.live(
            ledger,
            use.find(bank, "settlement"),
            now=NOW,
            as_of=dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
            bank=bank,
        )
    with pytest.raises(InvalidInput, match="future"):
        use.live(ledger, use.find(bank, "summit"), now=NOW, as_of=NOW + dt.timedelta(1), bank=bank)


def test_the_three_questions_are_answered_from_their_graphs(bank: Bank) -> None:
    questions = {question.id: question for question in bank.questions}
    evidence = [dataclasses.replace(item, seq=i + 1) for i, item in enumerate(bank.evidence)]
    predictor = Predictor(Catalog(questions, {}), evidence, bank, seed=0)
    for name, world, low, high in (
        ("russia-signs-given-firm", "001", 0.0, 0.25),
        ("russia-signs-given-soft", "001", 0.5, 1.0),
        ("summit-venue", "002", 0.0, 0.2),
    ):
        question = questions[name]
        assert question.model.fitted == "scenario"
        facts = known(evidence, MAY if question.opens < MAY else question.opens)
        moment = max(MAY, question.opens)
        answer = predictor.answer(question, facts, moment)
        assert answer.gate == "passed"
        assert answer.draw is not None
        draws = answer.draw()
        if question.type != "binary":
            np.testing.assert_allclose(draws.sum(axis=1), 1, atol=1e-9)
        np.testing.assert_allclose(draws.mean(axis=0), answer.numbers, atol=1e-9)
        view = next(w for w in bank.worldviews if w.id == world)
        moved = predictor.answer(question, facts, moment, worldview=view)
        assert low < moved.numbers[0] < high
    # At the opening nothing is known beyond the class: Jeffreys, one half.
    first = questions["russia-signs-given-firm"]
    opening = predictor.answer(first, known(evidence, first.opens), first.opens)
    assert opening.numbers[0] == pytest.approx(0.5, abs=1e-3)
    assert predictor.answers.prior(first, first.opens).numbers[0] == pytest.approx(0.5, abs=1e-3)


def test_rows_of_a_scored_question_were_known_at_its_opening(bank: Bank) -> None:
    book = prior_book(bank)
    answers = Answers(book, bank.evidence, seed=0)
    for question in bank.questions:
        if question.model.fitted == "scenario":
            inputs = answers.inputs(question, known(bank.evidence, question.opens), question.opens)
            rows = {name for name in inputs if name.startswith("rows_")}
            assert "rows_exchange" not in rows
            assert rows


def test_a_late_row_under_a_scored_question_is_a_fault(tmp_path: Path) -> None:
    shutil.copytree(ROOT, tmp_path / "questions")
    path = tmp_path / "questions" / "scenarios" / "settlement.yaml"
    path.write_text(path.read_text().replace("2025-11-25", "2025-11-28"), encoding="utf-8")
    faults = check(read_bank(tmp_path / "questions"), families())
    assert {fault.rule for fault in faults} == {"hindsight"}
    assert len(faults) == 2


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("parents: [pressure]", "parents: [text]", "cycle"),
        ("{yes: 0.02, no: 0.98}", "{yes: 0.02, no: 0.9}", "sums to 0.92"),
        ("given: {text: none}", "given: {text: maybe}", "text has no state maybe"),
        ("question: guarantees-2026\n", "question: guarantees-2027\n", "there is none"),
        ("reference: settlement-signature-soft", "reference: exchanges", "is of kind package"),
        ("{signature: no, ceasefire: yes}", "{ceasefire: yes}", "overlaps"),
        ("kappa: 20", "kappa: 200", "kappa"),
    ],
)
def test_a_fault_in_a_scenario_file_is_named_with_its_line(
    tmp_path: Path, bank: Bank, old: str, new: str, match: str
) -> None:
    text = (ROOT / "scenarios" / "settlement.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidInput, match=match) as caught:
        use.find(bank, str(path))
    line = int(caught.value.where.rpartition(":")[2])
    assert line > 20
    assert caught.value.where.startswith(str(path))


def test_an_unknown_scenario_names_the_nearest(bank: Bank) -> None:
    with pytest.raises(NotFound) as caught:
        use.find(bank, "settlment")
    assert caught.value.hint == "settlement"
    with pytest.raises(InvalidInput, match="several"):
        use.find(bank, "")


def _say(ledger: Ledger, name: str, p: str, who: str = "ana") -> int:
    (row,) = log(ledger, name, forecaster=who, now=NOW, probability=p)
    return int(row["seq"])


def test_an_incoherent_ladder_is_stored_twice_raw_and_coherent(
    ledger: Ledger, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Today no door takes it; a record of before may hold it.
    monkeypatch.setattr("forecasting.app.log._check_rungs", lambda *_: None)
    rungs = ("exchange-1000-2026@2026-09-30", "exchange-1000-2026@2026-12-31")
    raw = [_say(ledger, rungs[0], "0.5"), _say(ledger, rungs[1], "0.3")]
    tried = scenario_repair.repair(
        ledger, bank, "exchange-1000-2026", forecaster="ana", now=NOW, dry_run=True
    )
    assert tried["logged_as"] is None
    assert not ledger.forecasts(forecaster="coherent:ana")
    for _ in range(2):
        result = scenario_repair.repair(
            ledger, bank, "exchange-1000-2026", forecaster="ana", now=NOW
        )
        assert result["logged_as"] == "coherent:ana"
    (breach,) = result["breaches"]
    assert (breach["first"], breach["second"]) == rungs
    assert breach["by"] == pytest.approx(0.2)
    stored = ledger.forecasts(forecaster="coherent:ana")
    assert [forecast.value.probability for forecast in stored] == pytest.approx([0.4, 0.4])
    assert all(forecast.meta["raw"] == f"{raw[0]} {raw[1]}" for forecast in stored)
    kept = ledger.forecasts(forecaster="ana")
    assert [forecast.value.probability for forecast in kept] == [0.5, 0.3]
    assert ledger.verify().ok


def test_nothing_to_repair_is_an_answer(ledger: Ledger, bank: Bank) -> None:
    _say(ledger, "exchange-1000-2026@2026-09-30", "0.2")
    _say(ledger, "exchange-1000-2026@2026-12-31", "0.3")
    result = scenario_repair.repair(ledger, bank, "exchange-1000-2026", forecaster="ana", now=NOW)
    assert (result["coherent"], result["logged_as"]) == (True, None)
    assert not ledger.forecasts(forecaster="coherent:ana")
    with pytest.raises(InvalidInput, match="0 stand"):
        scenario_repair.repair(ledger, bank, "exchange-1000-2026", forecaster="bo", now=NOW)
    with pytest.raises(NotFound, match="neither a ladder nor a scenario"):
        scenario_repair.repair(ledger, bank, "exchange", forecaster="ana", now=NOW)


def test_a_scenario_mends_what_its_graph_excludes(ledger: Ledger, bank: Bank) -> None:
    # A graph on which a meeting needs a ceasefire: .5 for the meeting, .2 for the ceasefire.
    def row(given: tuple[str, ...], yes: float) -> Row:
        return Row(given, (yes, 1 - yes), 10, "argued in a test", "a test", dt.date(2025, 1, 1))

    def node(name: str, question: str, parents: tuple[str, ...], *rows: Row) -> Node:
        outcomes = {"yes": "yes", "no": "no"} if question else {}
        return Node(name, name, ("yes", "no"), parents, rows, question=question, outcomes=outcomes)

    graph = ScenarioGraph(
        "needs",
        "a meeting needs a ceasefire",
        (
            node("ceasefire", "general-ceasefire-2026@2026-12-31", (), row((), 0.3)),
            node(
                "meeting",
                "leaders-meet@2026-12-31",
                ("ceasefire",),
                row(("yes",), 0.5),
                row(("no",), 0.0),
            ),
            node("mood", "", (), row((), 0.5)),
        ),
        (Named("meet", "they meet", {"meeting": "yes"}),),
    )
    mine = dataclasses.replace(bank, scenarios=(graph,))
    _say(ledger, "general-ceasefire-2026@2026-12-31", "0.2")
    _say(ledger, "leaders-meet@2026-12-31", "0.5")
    result = scenario_repair.repair(ledger, mine, "needs", forecaster="ana", now=NOW)
    after = {row["event"]: row["after"] for row in result["forecasts"]}
    assert list(after.values()) == pytest.approx([0.35, 0.35], abs=1e-9)
    assert "brings" in result["breaches"][0]["rule"]
    assert result["breaches"][0]["by"] == pytest.approx(0.3)


def test_the_commands_speak_the_contract(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    loaded: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FORECASTING_NOW", "2026-08-20T00:00:00Z")
    database = str(tmp_path / "cli.db")

    def rows(*arguments: str) -> object:
        capsys.readouterr()
        assert run(["--db", database, "--json", *arguments]) == 0
        return json.loads(capsys.readouterr().out)

    shutil.copy(loaded, database)
    assert {row["scenario"] for row in rows("scenario", "list")} == {"settlement", "summit"}
    shown = rows("scenario", "show", "summit")
    assert {"scenario", "probability", "lower", "upper"} <= set(shown[0])
    what = rows("scenario", "what-if", "summit", "--given", "agreement=yes")
    assert {"question", "before", "after", "lower", "upper"} <= set(what[0])
    watched = rows("scenario", "watch", "summit", "--target", "venue")
    assert {"question", "value_of_information"} <= set(watched[0])
    assert run(["--db", database, "scenario", "what-if", "summit", "--given", "venue=moon"]) == 2
    assert run(["--db", database, "scenario", "repair", "leaders-meet", "--forecaster", "x"]) == 2
