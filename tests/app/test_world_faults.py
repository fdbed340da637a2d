"""Laws of faults: what breaks in one process silences what rests on it, and nothing else."""

import dataclasses
import datetime as dt

import pytest

from forecasting.app.forecast.predict import OWN
from forecasting.app.forecast.update import update
from forecasting.app.world import scenario
from forecasting.bank.usable import bundled_bank
from forecasting.domain.instants import parse_instant
from forecasting.domain.provenance import fits_of
from forecasting.errors import GateRefused, InvalidInput
from forecasting.inference.fits import FitCache
from forecasting.models.spells import Spells
from forecasting.models.world import assembly, model, parameters
from tests.app import quick
from tests.app.quick import SMALL, predictor

NOW = parse_instant("2026-08-22T12:00:00Z")
PACT = SMALL.replace(
    "  bridge:\n",
    "  pact:\n    moves: {on > off: class peace-agreements}\n    since 2026-01-01: on\n  bridge:\n",
).replace(
    "links:\n",
    "links:\n  - while truce=on: pact=off x0.5 (0.2..1.2)\n    because: it is kept then\n"
    "    source: judgement\n    known_by: 2025-12-31\n",
) + (
    "  pact-holds: {title: The pact holds, opens: 2026-01-10, closes: 2026-12-31,\n"
    "    answer: pact=on through close}\n"
)


def _open_rows(book):
    rows, warnings = update(book.ledger, [], now=NOW, dry_run=True)
    return {row["question"]: row for row in rows if row["status"] == "open"}, warnings


def _numbers(rows, but=frozenset()):
    return {name: row["after"] for name, row in rows.items() if name not in but}


def in_the_fit(monkeypatch, fault):
    def breaks(cache, model, *arguments, **options):
        if isinstance(model, Spells):
            raise fault
        return quick.quick_fit(cache, model, *arguments, **options)

    monkeypatch.setattr(FitCache, "fit", breaks)


def in_the_draw(monkeypatch, fault, process="pact"):
    real = parameters.Parameters._draw

    def breaks(drawn, one):
        if one.name == process:
            raise fault
        return real(drawn, one)

    monkeypatch.setattr(parameters.Parameters, "_draw", breaks)


def in_the_assembly(monkeypatch, fault):
    real = assembly._process

    def breaks(spec, *arguments):
        if spec.name == "pact":
            raise fault
        return real(spec, *arguments)

    monkeypatch.setattr(assembly, "_process", breaks)


@pytest.mark.parametrize(
    ("breaks", "fault", "words"),
    [
        (in_the_fit, InvalidInput("prior k: no such thing"), "prior k: no such thing"),
        (in_the_fit, GateRefused("no start"), "no start"),
        (in_the_draw, ValueError("rate: broken"), "rate: broken"),
        (in_the_assembly, KeyError("k"), "KeyError: 'k'"),
        (in_the_assembly, ValueError("v"), "ValueError: v"),
        (in_the_assembly, ZeroDivisionError("z"), "ZeroDivisionError: z"),
    ],
)
def test_a_fault_in_one_process_leaves_every_other_update_standing(
    own_book, monkeypatch, breaks, fault, words
):
    book = own_book(PACT)
    whole, warnings = _open_rows(book)
    assert not warnings
    assert whole["pact-holds"]["after"] is not None
    breaks(monkeypatch, fault)
    rows, warnings = _open_rows(book)
    # The truce that hastens it and all that hangs on that truce stand, to the last digit.
    assert _numbers(rows) == _numbers(whole, but={"pact-holds"})
    assert warnings == [f"pact-holds: process (pact): {words}"]


def test_every_question_that_rests_on_a_fault_is_named_and_the_others_are_logged(
    own_book, monkeypatch
):
    book = own_book()
    whole, _ = _open_rows(book)
    in_the_draw(monkeypatch, ValueError("rate: broken"), "text")
    rows, warnings = _open_rows(book)
    silent = whole.keys() - rows.keys()
    assert silent
    assert rows
    assert _numbers(rows) == _numbers(whole, but=silent)
    assert set(warnings) == {f"{name}: process (text): rate: broken" for name in silent}
    logged, _ = update(book.ledger, [], now=NOW)
    assert {row["question"] for row in logged if row["logged"]} == {
        name for name, row in rows.items() if row["gate"] == "passed"
    }


def test_a_fault_in_one_process_leaves_every_other_scenario_standing(own_book, monkeypatch):
    book = own_book(PACT)

    def what_if_numbers():
        simulated = scenario.live(book.ledger, now=NOW, draws=4_096)
        rows = simulated.what_if(do=["truce-comes=yes"])
        return {row["question"]: (row["before"], row["after"]) for row in rows}, simulated

    whole, live = what_if_numbers()
    assert "while truce=on: pact=off" in live.learned()
    in_the_draw(monkeypatch, ValueError("rate: broken"))
    rows, live = what_if_numbers()
    assert (
        rows == {name: numbers for name, numbers in whole.items() if name != "pact-holds"} != whole
    )
    assert "pact-holds is left out: process (pact): rate: broken" in live.notes
    # What the page of the world shows: the links of all others were learned.
    assert set(live.learned()) == {link.name for link in live.run.spec.links}


def test_so_does_a_question_that_cannot_be_read(own_book, monkeypatch):
    book = own_book(PACT)
    whole, _ = _open_rows(book)
    real = model.read

    def breaks(paths, predicate, question):
        if question.id == "pact-holds":
            raise KeyError("k")
        return real(paths, predicate, question)

    monkeypatch.setattr(model, "read", breaks)
    rows, warnings = _open_rows(book)
    assert set(rows) == set(whole) - {"pact-holds"}
    assert warnings == ["pact-holds: KeyError: 'k'"]


def test_a_fault_at_one_moment_is_not_told_of_another(own_book, monkeypatch):
    own_book(PACT)
    one = predictor(bundled_bank())
    asked = [one.catalog.questions["pact-holds"]]
    before = NOW - dt.timedelta(days=1)
    with monkeypatch.context() as broken:

        def breaks(*_, **__):
            raise GateRefused("no start")

        broken.setattr(FitCache, "fit", breaks)
        assert not one.one(OWN[0], asked, before)
    assert one.one(OWN[0], asked, NOW)
    assert list(one.model.faults) == [("pact-holds", before)]


def _refuse_fits(monkeypatch, of=object):
    def doubtful(cache, model, *arguments, **options):
        fit = quick.quick_fit(cache, model, *arguments, **options)
        if not isinstance(model, of):
            return fit
        report = dataclasses.replace(fit.report, passed=False, reasons=("R-hat 1.20 above 1.01",))
        return dataclasses.replace(fit, report=report)

    monkeypatch.setattr(FitCache, "fit", doubtful)


def test_a_refused_fit_refuses_what_rests_on_it_and_nothing_else(own_book, monkeypatch):
    book = own_book(PACT)
    whole, _ = _open_rows(book)
    _refuse_fits(monkeypatch, Spells)
    rows, _ = _open_rows(book)
    assert rows["pact-holds"]["after"] is None
    assert "R-hat 1.20" in rows["pact-holds"]["gate"]
    assert _numbers(rows, but={"pact-holds"}) == _numbers(whole, but={"pact-holds"})
    update(book.ledger, [], now=NOW)
    said_of = {f.question for f in book.ledger.forecasts(forecaster="model")}
    assert said_of == {name for name, row in rows.items() if row["gate"] == "passed"}


UNSTATED = """\
zone: UTC
watched: 2026-08-22
processes:
  convoy: {event: "", since 2026-01-01: ""}
  parcels: {delivery: {agreed: 700, announced: 2026-06-01, unit: persons}, 2026-07-01: 157}
questions:
  struck: {title: It is struck, opens: 2026-06-02, closes: 2026-10-31, answer: convoy by close}
  all-came: {title: All, opens: 2026-06-02, closes: 2026-10-31, answer: parcels=done by close}
"""


def test_a_delivery_shares_no_pace_and_a_refused_pool_of_rates_leaves_it_its_number(
    own_book, monkeypatch
):
    book = own_book(UNSTATED)
    whole, _ = _open_rows(book)
    _refuse_fits(monkeypatch)
    rows, _ = _open_rows(book)
    assert rows["struck"]["after"] is None
    assert rows["all-came"]["after"] == whole["all-came"]["after"] is not None
    update(book.ledger, [], now=NOW)
    (forecast,) = book.ledger.forecasts(forecaster="model")
    (model_run,) = (
        model_run for model_run in book.ledger.model_runs() if model_run.seq == forecast.model_run
    )
    assert set(fits_of(model_run)) == {"deliveries parcels"}
