"""What goes into the ledger comes out of it equal, whatever it is."""

import datetime as dt
import pickle
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasting.domain import Evidence, Forecast, Question, Value
from forecasting.domain.provenance import ModelRun, in_batch
from forecasting.domain.resolution import outcomes
from forecasting.errors import InvalidInput, NotFound
from forecasting.store import Ledger
from tests.store import samples
from tests.store.samples import DAY, NOW, binary, numeric_question, one_of_each


def as_read(draft, recorded):
    """Give a draft as a reading gives it: with its number, its time, a forecast its hash."""
    if isinstance(draft, Question):
        return draft
    stamp = {"seq": recorded.seq, "recorded_at": recorded.recorded_at}
    if isinstance(draft, Forecast):
        stamp["hash"] = recorded.hash
        if draft.model_run is not None and draft.model_run < 0:
            stamp["model_run"] = -draft.model_run
    return replace(draft, **stamp)


def test_each_kind_reads_back_equal_after_reopening(path):
    drafts = one_of_each()
    with Ledger.open(str(path), create=True) as ledger:
        recorded = ledger.append(drafts, recorded_at=NOW)
    expected = [as_read(draft, entry) for draft, entry in zip(drafts, recorded, strict=True)]
    assert [entry.value for entry in recorded] == expected
    with Ledger.open(str(path)) as ledger:
        assert [ledger.entry(seq).value for seq in range(1, len(drafts) + 1)] == expected
        assert [ledger.entry(entry.id) for entry in recorded] == recorded
        assert ledger.questions() == expected[:2]
        assert ledger.model_runs() == expected[2:3]
        assert ledger.replay_runs() == expected[3:4]
        assert ledger.forecasts() == expected[4:7][::-1]  # the later in the batch, the earlier said
        assert ledger.evidence() == expected[7:9]
        assert ledger.resolutions() == expected[9:10]
        assert outcomes(ledger.resolutions()) == {"truce@2026-12-31": expected[9]}
        assert ledger.withdrawals() == expected[10:]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batch=st.lists(samples.drafts, min_size=1, max_size=4))
def test_any_draft_reads_back_equal_and_verifies(memory, batch):
    recorded = memory.append(batch, recorded_at=NOW)
    for draft, entry in zip(batch, recorded, strict=True):
        assert memory.entry(entry.seq).value == as_read(draft, entry) == entry.value
    assert memory.verify().ok


def test_values_read_back_can_cross_to_another_process(memory):
    memory.append(one_of_each(), recorded_at=NOW)
    values = [*memory.forecasts(), *memory.questions(), *memory.evidence(), *memory.model_runs()]
    assert pickle.loads(pickle.dumps(values)) == values


def test_forecasts_are_ordered_by_issue_and_filtered_by_name(memory):
    drafts = [
        binary("0.1", issued_at=NOW + DAY),
        binary("0.2", issued_at=NOW),
        binary("0.3", issued_at=NOW, forecaster="ben"),
        binary("0.4", issued_at=NOW, question="other", kind="replay", run="r1"),
    ]
    memory.append(drafts, recorded_at=NOW)

    def numbers(**by):
        return [forecast.seq for forecast in memory.forecasts(**by)]

    assert numbers() == [2, 3, 4, 1]
    assert numbers(forecaster="ana") == [2, 4, 1]
    assert numbers(question="other") == numbers(kind="replay") == numbers(run="r1") == [4]
    assert numbers(forecaster="ana", kind="live") == [2, 1]


def test_a_head_hides_whatever_came_after_it(memory):
    memory.append([numeric_question(), *one_of_each()[7:]], recorded_at=NOW)
    seq, _ = memory.head()
    readings = (
        *(memory.questions, memory.evidence, memory.resolutions, memory.withdrawals),
        *(memory.forecasts, memory.model_runs, memory.content_digest),
    )
    before = [read(head=seq) for read in readings]
    later = one_of_each()
    later[0] = numeric_question(title="How many, exactly?")
    memory.append([replace(later[4], model_run=None), later[0], *later[7:]], recorded_at=NOW)
    assert before == [read(head=seq) for read in readings]
    assert before[0] != memory.questions()


def test_the_last_version_of_a_question_and_of_an_outcome_stands(memory):
    first, other = numeric_question(), numeric_question(id="other")
    second = replace(first, title="How many strikes, counted by night?")
    yes, no = (replace(one_of_each()[9], outcome=outcome) for outcome in ("yes", "no"))
    memory.append([first, other, second, yes, no], recorded_at=NOW)
    assert memory.questions() == [second, other]
    assert [version.value for version in memory.question_history("strikes")] == [first, second]
    assert [version.seq for version in memory.question_history("strikes")] == [1, 3]
    assert outcomes(memory.resolutions())["truce@2026-12-31"].outcome == "no"
    assert len(memory.resolutions()) == 2


def test_a_forecast_may_name_a_model_run_of_its_own_batch(memory):
    run = one_of_each()[2]
    memory.append([binary()], recorded_at=NOW)
    recorded = memory.append([binary(), run, binary(model_run=in_batch(1))], recorded_at=NOW)
    assert recorded[2].value.model_run == recorded[1].seq == 3
    assert memory.append([binary(model_run=3)], recorded_at=NOW)[0].value.model_run == 3


OF_A_BATCH = "must be a model run that comes before"


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        ([binary(model_run=in_batch(1)), one_of_each()[2]], OF_A_BATCH),  # after it
        ([binary(), binary(model_run=in_batch(0))], OF_A_BATCH),  # no model run
        ([binary(model_run=in_batch(0))], OF_A_BATCH),  # itself
        ([binary(model_run=in_batch(7))], OF_A_BATCH),  # nothing
        ([binary(model_run=1)], None),  # an entry of another kind
        ([binary(model_run=99)], None),  # no entry
    ],
)
def test_a_reference_to_no_earlier_model_run_is_refused_and_nothing_is_written(
    memory, batch, words
):
    memory.append([binary()], recorded_at=NOW)
    with pytest.raises(InvalidInput, match=words):
        memory.append(batch, recorded_at=NOW)
    assert memory.head().seq == 1


def test_an_entry_is_named_by_number_or_by_the_start_of_its_id(memory):
    recorded = memory.append([binary() for _ in range(40)], recorded_at=NOW)
    for entry in recorded:
        assert memory.entry(entry.id) == memory.entry(entry.hash) == memory.entry(str(entry.seq))
        assert memory.entry(entry.id.upper()) == entry
    for name in (0, 41, "ffffffffffff", "", "abc", "%", "-1", "9" * 40):
        with pytest.raises(NotFound):
            memory.entry(name)


def test_an_ambiguous_id_names_the_candidates(memory):
    # Four digits: 65536 starts, so 1000 entries share one with probability near 1 - e^-7.6.
    recorded = memory.append([binary() for _ in range(1000)], recorded_at=NOW)
    starts = [entry.hash[:4] for entry in recorded if not entry.hash[:4].isdigit()]
    shared = next((start for start in starts if starts.count(start) > 1), None)
    if shared is None:
        pytest.skip("no two of 1000 random ids share their first four digits this time")
    with pytest.raises(NotFound, match="more than one id"):
        memory.entry(shared)


def test_entries_never_go_back_in_time(memory):
    memory.append([binary()], recorded_at=NOW)
    (entry,) = memory.append([binary()], recorded_at=NOW - DAY)
    assert entry.recorded_at == NOW
    assert memory.forecasts()[1].recorded_at == NOW


NAIVE = dt.datetime(2026, 1, 2)
BAD = {
    "naive issued_at": binary(issued_at=NAIVE),
    "naive known_at": Evidence("k", "datum", "t", "s", NAIVE, ()),
    "nan": replace(binary(), value=Value("binary", ("yes",), ("NaN",))),
    "infinite": replace(binary(), value=Value("quantiles", ("5", "95"), ("1", "inf"))),
    "above one": replace(binary(), value=Value("binary", ("yes",), ("1.01",))),
    "below zero": replace(binary(), value=Value("binary", ("yes",), ("-0.01",))),
    "sum": replace(binary(), value=Value("options", ("a", "b"), ("0.5", "0.6"))),
    "one option": replace(binary(), value=Value("options", ("a",), ("1",))),
    "no option": replace(binary(), value=Value("options", (), ())),
    "labels": replace(binary(), value=Value("options", ("a", "b", "c"), ("0.5", "0.5"))),
    "nan spread": replace(
        one_of_each()[4], model_run=None, spread=replace(one_of_each()[4].spread, mcse=float("nan"))
    ),
    "infinite spread": replace(
        one_of_each()[4], model_run=None, spread=replace(one_of_each()[4].spread, mcse=float("inf"))
    ),
    "nul": binary(because="a\0b"),
    "surrogate": binary(because="\ud800"),
    "kind": binary(kind="remembered"),
    "grade": replace(one_of_each()[7], kind="rumour"),
    "version": replace(one_of_each()[9], version=0),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_what_no_entry_can_be_is_refused_whole(memory, bad):
    with pytest.raises(InvalidInput):
        memory.append([binary(), bad], recorded_at=NOW)
    assert memory.head() == (0, "0" * 64)


def test_a_naive_recording_time_is_refused(memory):
    with pytest.raises(InvalidInput, match="zone"):
        memory.append([binary()], recorded_at=NAIVE)


@pytest.mark.parametrize("gate", ["", "refused", "refused: ", "fine"])
def test_a_gate_says_passed_or_gives_a_reason(gate):
    with pytest.raises(InvalidInput, match="gate"):
        ModelRun("a", "a", "", "", NOW, 1, "nuts", gate)


def test_an_empty_append_writes_nothing(memory):
    assert memory.append([], recorded_at=NOW) == []
    assert memory.head().seq == 0
