"""Pictures: the same numbers give the same bytes, and labels do not cover each other."""

import base64
import datetime as dt
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.domain.instants import day_begins
from forecasting.errors import InvalidInput
from forecasting.review import charts, draw, plot, tables


def texts(element):
    root = ElementTree.fromstring(element)
    return ["".join(node.itertext()) for node in root.iter() if node.tag.endswith("}text")]


def test_a_reliability_diagram_draws_the_curve_the_band_and_the_counts(review_data):
    calibration = review_data.calibrations["model"]
    figure = draw.reliability(calibration, title="model")
    curve, counts = figure.axes
    line = next(line for line in curve.get_lines() if len(line.get_xdata()) == 12)
    assert list(line.get_xdata()) == [point["forecast"] for point in calibration["curve"]]
    assert list(line.get_ydata()) == [point["event_rate"] for point in calibration["curve"]]
    assert len(curve.collections) == 1
    assert sum(bar.get_height() for bar in counts.patches) == 12


def test_a_forecast_of_one_hundred_percent_is_counted_in_the_last_bar():
    curve = [{"forecast": 1.0, "event_rate": 1.0, "n": 4, "lower": 1.0, "upper": 1.0}]
    bars = draw.reliability({"n": 4, "curve": curve}).axes[1].patches
    assert [bar.get_height() for bar in bars] == [0.0] * 9 + [4.0]


def test_nothing_resolved_is_said_in_the_picture(tmp_path):
    path = draw.save(draw.reliability({"n": 0, "curve": []}), tmp_path / "c.svg")
    assert "Nothing that counts has resolved yet" in texts(path.read_text("utf-8"))


def test_an_image_of_a_page_has_its_words_and_asks_for_nothing(review_data):
    figure = draw.reliability(review_data.calibrations["model"])
    element = draw.image(figure, label='a "model" <b>')
    assert element.startswith('<img alt="a &quot;model&quot; &lt;b&gt;" src="data:image/svg+xml')
    inside = base64.b64decode(element.partition("base64,")[2].rstrip('">')).decode()
    assert "happened" in texts(inside)
    assert "<script" not in inside


def test_the_same_figure_gives_the_same_bytes(review_data, tmp_path):
    calibration = review_data.calibrations["model"]
    for ending in ("svg", "png", "pdf"):
        files = [
            draw.save(draw.reliability(calibration, title="model"), tmp_path / f"{n}.{ending}")
            for n in "ab"
        ]
        assert files[0].read_bytes() == files[1].read_bytes()
        assert files[0].stat().st_size > 2_000


def test_a_saved_svg_stands_alone(review_data, tmp_path):
    path = draw.save(
        draw.reliability(review_data.calibrations["model"], title="$x_1$ & <b>"), tmp_path / "c.svg"
    )
    text = path.read_text(encoding="utf-8")
    assert "$x_1$ & <b>" in texts(text)


def test_a_picture_of_another_format_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="picture ends in"):
        draw.save(draw.reliability({"n": 0}), tmp_path / "c.docx")
    assert not list(tmp_path.iterdir())


def test_a_users_own_settings_change_nothing(review_data, monkeypatch):
    import matplotlib as mpl

    before = draw.image(draw.reliability(review_data.calibrations["model"]))
    monkeypatch.setitem(mpl.rcParams, "font.size", 30.0)
    monkeypatch.setitem(mpl.rcParams, "svg.fonttype", "path")
    assert draw.image(draw.reliability(review_data.calibrations["model"])) == before
    assert mpl.rcParams["font.size"] == 30.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8).map(sorted), st.floats(0.01, 0.12))
def test_labels_keep_their_order_their_distance_and_the_picture(places, room):
    spread = plot.spread(places, room, 0.0, 1.0)
    assert len(spread) == len(places)
    assert all(after - before >= room - 1e-9 for before, after in pairwise(spread))
    assert min(spread) >= -1e-9
    assert max(spread) <= 1 + 1e-9


@pytest.mark.parametrize("days", [1, 3, 9, 30, 60, 130, 285, 400, 900, 2200, 9000])
def test_a_time_axis_has_a_few_round_days_whatever_its_length(days):
    opens = day_begins(dt.date(2025, 3, 21))
    frame = plot.Frame(opens, opens + dt.timedelta(days=days), float(days), True)
    ticks = plot.dates(frame, "Europe/Kyiv")
    assert 1 <= len(ticks) <= 6
    assert all(0 <= at <= days for at, _ in ticks)
    assert len({text for _, text in ticks}) == len(ticks)


def test_days_of_the_axis_are_local_midnights_over_a_change_of_clocks():
    # The clocks change on 30 March 2025 in Kyiv: that day has 23 hours.
    opens = day_begins(dt.date(2025, 3, 29), "Europe/Kyiv")
    frame = plot.Frame(opens, opens + dt.timedelta(days=3), 3.0, True)
    ticks = dict((text, at) for at, text in plot.dates(frame, "Europe/Kyiv"))
    assert np.isclose(ticks["31 Mar"], 2 - 1 / 24)


def test_differences_are_places_around_zero_and_words_for_who_cannot_see_them():
    spans = {
        "model": (-0.2, -0.1, 0.1),
        "worldview:000": (0.05, None, None),
        "ben": (0.3, 0.1, 0.4),
    }
    rows = tuple(
        {"forecaster": name, "mean": 0.25, "difference": d}
        | {"difference_lower": low, "difference_upper": high}
        for name, (d, low, high) in spans.items()
    )
    board = tables.Board("binary", "brier", "half", "", True, None, rows)
    drawn = charts.differences(board, {"ben": "Олена"})
    x = drawn.frame.x
    assert [row.x for row in drawn.rows] == [x(-0.2), x(0.05), x(0.3)]
    assert [row.ends for row in drawn.rows] == [(x(-0.1), x(0.1)), None, (x(0.1), x(0.4))]
    assert drawn.zero == pytest.approx((x.start + x.end) / 2)
    assert drawn.description.startswith("Half Brier score: difference to the base rate")
    assert "Олена: +0.300 (+0.100 to +0.400)" in drawn.description
    assert charts.differences(replace(board, rows=rows[:1]), {}) is None
