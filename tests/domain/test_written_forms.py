"""Small functions between texts, numbers and names: what goes in, what comes out."""

import datetime as dt
from math import inf

import pytest

from forecasting.calibration.binned import bin_edges
from forecasting.domain.continuous import zero_point_of
from forecasting.domain.forecast import kind_named
from forecasting.domain.forecasters import family, ordered
from forecasting.domain.instants import day_ends, deadline
from forecasting.domain.outcome import OutcomeSpace, beyond
from forecasting.domain.process import ProcessSpec
from forecasting.domain.scores import score_range, score_title
from forecasting.evidence.intake import is_address
from forecasting.evidence.leads import moves_of
from forecasting.evidence.likelihood import of_grade
from forecasting.evidence.similar import Likeness, key_of, stems
from forecasting.exchange.cells import forecast_cell
from forecasting.exchange.columns import recognised
from forecasting.exchange.forecasts import value_of
from forecasting.exchange.values import faulty, percent, required, shares

KHARTOUM = "Africa/Khartoum"


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (zero_point_of(1.0, 10.0, 100.0), 0.0),
        (zero_point_of(0.0, 5.0, 10.0), None),
        (kind_named("elicited"), "backdated"),
        (kind_named("live"), "live"),
        (family("model without links"), "without-links"),
        (family("worldview:003"), "worldview"),
        (family("always-0.5"), "uniform"),
        (family("pool:worldviews"), "pool"),
        (family("ana"), "person"),
        (family("market:polymarket"), "crowd"),
        (
            ordered(["text:000", "base-rate", "worldview:001", "model"]),
            ["model", "base-rate", "worldview:001", "text:000"],
        ),
        (beyond(OutcomeSpace("numeric", (), -0.5, 5000.0)), ("<-0.5", ">5000")),
        (score_range("brier", "full"), (0.0, 2.0)),
        (score_range("log"), (0.0, inf)),
        (score_title("brier", "full"), "full Brier score"),
        (score_title("rps", "full"), "ranked probability score (RPS)"),
        (score_title("peer"), "peer"),
        (bin_edges(4).tolist(), [0.0, 0.25, 0.5, 0.75, 1.0]),
        (key_of("a1", "Wire") == key_of("a1", "Post"), False),
        (is_address("https://example.org/feed"), True),
        (is_address("C:/feed.xml"), False),
        (is_address("-"), False),
        (moves_of(ProcessSpec("convoy", "event", ("waiting",), ())), (("waiting", "waiting"),)),
        (round(of_grade("B").mean, 6), 0.8),
        (sorted(stems("Ceasefires: 3 envoys on the ceasefire")), ["ceasef", "envoys", "the"]),
        (percent("35"), "0.35"),
        (percent(0.5), "0.005"),
        (shares({"a": "0.5", "b": "0.5"}), (("a", "0.5"), ("b", "0.5"))),
        (shares({"a": "0.6", "b": "0.39"}), (("a", "0.606060606"), ("b", "0.393939394"))),
        (forecast_cell("5=1.5;50=2"), (("5", "1.5"), ("50", "2"))),
        (forecast_cell('{"a;b": "0.2", "c": 0.8}'), (("a;b", "0.2"), ("c", "0.8"))),
    ],
)
def test_what_comes_out(result, expected):
    assert result == expected


def test_a_deadline_names_the_day_that_it_ends():
    assert deadline(day_ends(dt.date(2026, 12, 31), KHARTOUM), KHARTOUM) == (
        "end of 2026-12-31 Africa/Khartoum"
    )
    assert deadline(dt.datetime(2026, 5, 9, 9, tzinfo=dt.UTC), KHARTOUM) == (
        "before 2026-05-09 11:00+02:00 Africa/Khartoum"
    )


def test_a_title_is_most_like_the_process_that_shares_its_words():
    known = Likeness({"truce": "a general ceasefire holds", "grain": "ships leave with grain"})
    assert [name for name, _ in known.rank("Grain ships wait")] == ["grain"]


def test_headings_in_other_words_are_recognised():
    columns = recognised(["Question", "My probability (%)", "Date", "Mood"], {})
    assert columns.names == ["question", "forecast", "issued_at", ""]
    assert columns.percent
    assert columns.passed == ["Mood"]


def test_a_fault_is_kept_with_its_field():
    with faulty() as fault:
        required({"id": 1}, "title")
    assert fault.reason == "title: is missing"


def test_options_are_kept_in_the_order_of_the_question():
    space = OutcomeSpace("ordered", ("none", "some"))
    value = value_of(space, (("some", "0.2"), ("none", "80%")))
    assert (value.labels, value.entered) == (("none", "some"), ("0.8", "0.2"))
