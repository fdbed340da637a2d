"""Pictures: the same numbers give the same bytes, and labels do not cover each other."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.domain.instants import day_begins
from forecasting.errors import InvalidInput
from forecasting.review import Point, QuestionPath, ReviewData, draw, draw_paths, layout

LINK = "{http://www.w3.org/1999/xlink}href"


def texts(element: str) -> list[str]:
    root = ElementTree.fromstring(element)
    return ["".join(node.itertext()) for node in root.iter() if node.tag.endswith("}text")]


def test_a_reliability_diagram_draws_the_curve_the_band_and_the_counts(
    review_data: ReviewData,
) -> None:
    calibration = review_data.calibrations["model"]
    figure = draw.reliability(calibration, title="model")
    curve, counts = figure.axes
    line = next(line for line in curve.get_lines() if len(line.get_xdata()) == 12)
    assert list(line.get_xdata()) == [point["forecast"] for point in calibration["curve"]]
    assert list(line.get_ydata()) == [point["event_rate"] for point in calibration["curve"]]
    assert len(curve.collections) == 1
    assert sum(bar.get_height() for bar in counts.patches) == 12


def test_a_forecast_of_one_hundred_percent_is_counted_in_the_last_bar() -> None:
    curve = [{"forecast": 1.0, "event_rate": 1.0, "n": 4, "lower": 1.0, "upper": 1.0}]
    bars = draw.reliability({"n": 4, "curve": curve}).axes[1].patches
    assert [bar.get_height() for bar in bars] == [0.0] * 9 + [4.0]


def test_a_band_that_does_not_exist_is_not_drawn(review_data: ReviewData) -> None:
    figure = draw.pooled(review_data.calibrations["text:003"])
    assert not figure.axes[0].collections
    assert not [text for text in texts(draw.svg(figure)) if "band" in text]


def test_nothing_resolved_is_said_in_the_picture() -> None:
    assert "Nothing resolved yet" in texts(draw.svg(draw.reliability({"n": 0, "curve": []})))


def test_an_element_has_text_as_text_no_metadata_and_no_rules_for_the_page(
    review_data: ReviewData,
) -> None:
    for question in review_data.questions:
        element = draw.svg(draw_paths.path(question), label="x", prefix="p1-")
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


def test_colours_are_the_pages_own(review_data: ReviewData) -> None:
    element = draw.svg(draw_paths.path(review_data.questions[0]))
    bare = re.sub(r"var\(--\w+,#[0-9a-f]{6}\)", "", element)
    assert "var(--model,#0072b2)" in element
    assert not re.search(r"(?:fill|stroke):#(?!000000)[0-9a-f]{6}", bare)


def test_the_same_figure_gives_the_same_bytes(review_data: ReviewData, tmp_path: Path) -> None:
    calibration = review_data.calibrations["model"]
    for ending in ("svg", "png", "pdf"):
        files = [
            draw.save(draw.reliability(calibration, title="model"), tmp_path / f"{n}.{ending}")
            for n in "ab"
        ]
        assert files[0].read_bytes() == files[1].read_bytes()
        assert files[0].stat().st_size > 2_000


def test_a_saved_svg_stands_alone(review_data: ReviewData, tmp_path: Path) -> None:
    path = draw.save(
        draw.reliability(review_data.calibrations["model"], title="$x_1$ & <b>"), tmp_path / "c.svg"
    )
    text = path.read_text(encoding="utf-8")
    assert "$x_1$ & <b>" in texts(text)
    assert "var(" not in text


def test_a_picture_of_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="picture ends in"):
        draw.save(draw.reliability({"n": 0}), tmp_path / "c.docx")
    assert not list(tmp_path.iterdir())


def test_a_users_own_settings_change_nothing(
    review_data: ReviewData, monkeypatch: pytest.MonkeyPatch
) -> None:
    import matplotlib as mpl

    before = draw.svg(draw_paths.path(review_data.questions[0]))
    monkeypatch.setitem(mpl.rcParams, "font.size", 30.0)
    monkeypatch.setitem(mpl.rcParams, "svg.fonttype", "path")
    assert draw.svg(draw_paths.path(review_data.questions[0])) == before
    assert mpl.rcParams["font.size"] == 30.0


def test_a_forecast_holds_until_the_next_and_ends_with_the_question(
    make_binary: Callable[..., QuestionPath],
) -> None:
    question = make_binary(
        "q", "Q?", "2025-03-21", "2025-03-30", outcome="yes", resolved="2025-03-26", evidence=0
    )
    opens = question.opens
    two = [Point(opens, (0.2,)), Point(opens + dt.timedelta(days=2), (0.6,))]
    figure = draw_paths.path(replace(question, paths={"model": two}))
    line = next(line for line in figure.axes[0].get_lines() if len(line.get_xdata()) > 2)
    # Known at the midnight that ends 26 March: 6 days after the opening.
    assert list(line.get_xdata()) == [0, 2, 2, 6]
    assert list(line.get_ydata()) == [0.2, 0.2, 0.6, 0.6]


def test_pictures_show_the_outcome_where_it_could_be_known(
    make_binary: Callable[..., QuestionPath],
) -> None:
    for outcome, height in (("yes", 1.0), ("no", 0.0)):
        question = make_binary(
            "q", "Q?", "2025-03-21", "2025-03-30", outcome=outcome, resolved="2025-03-26"
        )
        figure = draw_paths.path(question)
        ring = [line for line in figure.axes[0].get_lines() if line.get_marker() == "o"]
        assert [(list(r.get_xdata()), list(r.get_ydata())) for r in ring] == [([6.0], [height])]
        assert f"outcome: {outcome}" in texts(draw.svg(figure))


def test_an_annulled_question_has_no_ring(make_binary: Callable[..., QuestionPath]) -> None:
    question = make_binary(
        "q", "Q?", "2025-03-21", "2025-03-30", outcome="annulled", resolved="2025-03-26"
    )
    lines = draw_paths.path(question).axes[0].get_lines()
    assert not [line for line in lines if line.get_marker() == "o"]


def test_evidence_has_the_numbers_of_its_list(make_binary: Callable[..., QuestionPath]) -> None:
    question = make_binary("q", "Q?", "2025-03-21", "2025-12-31", evidence=22)
    element = draw.svg(draw_paths.path(question))
    numbers = [text for text in texts(element) if re.fullmatch(r"\d+(–\d+)?", text)]
    seen = []
    for text in numbers:
        first, _, last = text.partition("–")
        seen.extend(range(int(first), int(last or first) + 1))
    assert seen == list(range(1, 23))


def test_several_options_have_a_panel_each(review_data: ReviewData) -> None:
    question = next(q for q in review_data.questions if q.type == "ordered")
    figure = draw_paths.path(question)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[: len(question.options)] == list(question.options)
    assert len(titles) == len(question.options) + 1  # the strip of news


def test_a_fan_is_drawn_where_its_edges_move_on_different_days(review_data: ReviewData) -> None:
    numeric = next(q for q in review_data.questions if q.type == "numeric")
    values = [(0.0, 1, 2, 3, 1000), (0, 10, 20, 30, 1000), (0, 10, 20, 50, 900)]
    points = [Point(numeric.opens + dt.timedelta(days=i), v) for i, v in enumerate(values)]
    figure = draw_paths.path(replace(numeric, paths={"model": points}))
    outer, inner = figure.axes[0].collections[:2]
    assert outer.get_paths()[0].get_extents().y1 == 1000
    assert inner.get_paths()[0].get_extents().y1 == 50


def test_a_picture_is_described_in_words(review_data: ReviewData) -> None:
    numeric = next(q for q in review_data.questions if q.type == "numeric")
    words = draw_paths.describe(numeric)
    assert "from 16 May 2025 to end of 24 May 2025" in words
    assert "outcome: 697 persons" in words


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=8).map(sorted),
    st.floats(0.01, 0.12),
)
def test_labels_keep_their_order_their_distance_and_the_picture(
    places: list[float], room: float
) -> None:
    found = layout.spread(places, room, 0.0, 1.0)
    assert len(found) == len(places)
    assert all(after - before >= room - 1e-9 for before, after in pairwise(found))
    assert min(found) >= -1e-9
    assert max(found) <= 1 + 1e-9


def test_labels_that_stand_apart_are_not_moved() -> None:
    assert layout.spread([0.1, 0.5, 0.9], 0.1, 0, 1) == [0.1, 0.5, 0.9]


@pytest.mark.parametrize("days", [1, 3, 9, 30, 60, 130, 285, 400, 900, 2200, 9000])
def test_a_time_axis_has_a_few_round_days_whatever_its_length(days: int) -> None:
    opens = day_begins(dt.date(2025, 3, 21))
    frame = layout.Frame(opens, opens + dt.timedelta(days=days), float(days), True)
    ticks = layout.dates(frame, "Europe/Kyiv")
    assert 1 <= len(ticks) <= 6
    assert all(0 <= at <= days for at, _ in ticks)
    assert len({text for _, text in ticks}) == len(ticks)


def test_days_of_the_axis_are_local_midnights_over_a_change_of_clocks() -> None:
    # The clocks change on 30 March 2025 in Kyiv: that day has 23 hours.
    opens = day_begins(dt.date(2025, 3, 29), "Europe/Kyiv")
    frame = layout.Frame(opens, opens + dt.timedelta(days=3), 3.0, True)
    ticks = dict((text, at) for at, text in layout.dates(frame, "Europe/Kyiv"))
    assert np.isclose(ticks["31 Mar"], 2 - 1 / 24)


def test_a_name_in_any_script_stays_text(make_binary: Callable[..., QuestionPath]) -> None:
    question = make_binary("q", "Q?", "2025-03-21", "2025-03-30")
    points = question.paths["model"]
    figure = draw_paths.path(replace(question, paths={"王小明": points, "Олена": points}))
    assert {"王小明", "Олена"} <= set(texts(draw.svg(figure)))
