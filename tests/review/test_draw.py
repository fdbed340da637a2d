"""Pictures: the same numbers give the same bytes, and labels do not cover each other."""

import datetime as dt
import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.domain.instants import day_begins
from forecasting.errors import InvalidInput
from forecasting.review import draw, plot

LINK = "{http://www.w3.org/1999/xlink}href"


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


def test_nothing_resolved_is_said_in_the_picture():
    assert "Nothing that counts has resolved yet" in texts(
        draw.svg(draw.reliability({"n": 0, "curve": []}))
    )


def test_an_element_has_text_as_text_no_metadata_and_no_rules_for_the_page(review_data):
    for name in review_data.calibrations:
        figure = draw.reliability(review_data.calibrations[name])
        element = draw.svg(figure, label="x", prefix="p1-")
        assert not re.search(r"<style|<metadata|<\?xml|<!DOCTYPE|clip-path|<script", element)
        assert "font-family" not in element
        root = ElementTree.fromstring(element)
        ids = [node.attrib["id"] for node in root.iter() if "id" in node.attrib]
        assert all(name.startswith("p1-") for name in ids)
        for node in root.iter():
            href = node.attrib.get("href", "#" + ids[0] if ids else "#")
            assert LINK not in node.attrib
            assert href[1:] in ids or not ids
        # Four decimals of a point are nobody's to see.
        assert not re.search(r"\d\.\d\d", " ".join(re.findall(r' d="([^"]*)"', element)))


def test_colours_are_the_pages_own(review_data):
    element = draw.svg(draw.reliability(review_data.calibrations["model"]))
    bare = re.sub(r"var\(--\w+,#[0-9a-f]{6}\)", "", element)
    assert "var(--model,#0072b2)" in element
    assert not re.search(r"(?:fill|stroke):#(?!000000)[0-9a-f]{6}", bare)


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
    assert "var(" not in text


def test_a_picture_of_another_format_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="picture ends in"):
        draw.save(draw.reliability({"n": 0}), tmp_path / "c.docx")
    assert not list(tmp_path.iterdir())


def test_a_users_own_settings_change_nothing(review_data, monkeypatch):
    import matplotlib as mpl

    before = draw.svg(draw.reliability(review_data.calibrations["model"]))
    monkeypatch.setitem(mpl.rcParams, "font.size", 30.0)
    monkeypatch.setitem(mpl.rcParams, "svg.fonttype", "path")
    assert draw.svg(draw.reliability(review_data.calibrations["model"])) == before
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


def test_a_name_in_any_script_stays_text():
    rows = [{"forecaster": name, "difference": 0.1} for name in ("王小明", "Олена")]
    figure = draw.differences(rows, {})
    assert figure is not None
    assert {"王小明", "Олена"} <= set(texts(draw.svg(figure)))
