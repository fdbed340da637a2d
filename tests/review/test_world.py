"""The world's pictures and the first screen: laws of layers, fans, fading news, and what moved."""

import datetime as dt
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.review import (
    Cause,
    Fan,
    LinkRow,
    Moved,
    Point,
    ProcessRow,
    ReviewData,
    Run,
    WorldPage,
    now,
    render,
    tables,
)
from forecasting.review.fans import fan_chart, save
from forecasting.review.graph import arrow_label, layered, world_graph
from tests.review.test_browser import CUT

NAMES = "abcdefg"
DAYS = [dt.datetime(2026, 9, 1, tzinfo=dt.UTC) + dt.timedelta(days=7 * i) for i in range(20)]
pairs = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda p: p[0] != p[1]),
    unique=True,
    max_size=14,
)


@given(pairs)
def test_every_arrow_runs_to_a_later_layer_but_those_that_close_a_loop(arrows):
    layers, turned = layered(NAMES, arrows)
    for parent, child in arrows:
        if (parent, child) in turned:
            assert layers[parent] > layers[child] or layers[parent] >= 0
        else:
            assert layers[parent] < layers[child]
    # Without loops no arrow runs back.
    forward = [(a, b) for a, b in arrows if a < b]
    assert not layered(NAMES, forward)[1]


@given(pairs)
def test_boxes_never_cover_each_other_and_stay_in_the_picture(arrows):
    rows = [ProcessRow(name, name, "none") for name in NAMES]
    links = [LinkRow(f"while {a}=on: {b}", a, b, 2.0, 1.0, 4.0) for a, b in arrows]
    graph = world_graph(WorldPage(rows, links))
    if graph is None:
        assert not links
        return
    assert len(graph.boxes) == len({name for pair in arrows for name in pair})
    boxes = [(b.x, b.y, b.x + graph.wide, b.y + b.tall) for b in graph.boxes]
    for i, one in enumerate(boxes):
        assert min(one) >= 0
        assert one[2] <= graph.width
        assert one[3] <= graph.height + 0.1
        for other in boxes[i + 1 :]:
            assert not (one[0] < other[2] and other[0] < one[2]) or (
                one[3] <= other[1] or other[3] <= one[1]
            )


def test_no_word_of_the_picture_is_cut():
    title = "General ceasefire on the whole front line, declared by both of the sides"
    rates = "; ".join(f"state {n} > state {n + 1}: once in {n} months" for n in range(1, 9))
    rows = [
        ProcessRow("a", title, "none", base_rate=rates),
        ProcessRow(
            "b", "Deal", "begun: 205 of 1,000 persons so far", base_rate="from its own history"
        ),
    ]
    links = [
        LinkRow("while a=signed-soft|signed-firm: b", "a", "b", 30.0, 9.0, 90.0),
        LinkRow("while a=soft-text|firm-text|signed-soft: b", "a", "b", 0.5, 0.3, 0.9),
    ]
    graph = world_graph(WorldPage(rows, links))
    labels = [" ".join(line for _, line in label.lines) for label in graph.arrows[0].labels]
    assert labels == [
        "+ signed-soft or signed-firm: ×30",
        "\N{MINUS SIGN} soft-text or 2 others: ×0.5",
    ]
    assert "while a is soft-text or firm-text or signed-soft: b" in graph.arrows[0].tip
    # What only happens has no state to name.
    assert arrow_label(LinkRow("once a: b", "a", "b", 1.5, 0.8, 3.0)) == "+ ×1.5"
    texts = [" ".join(line.text for line in box.lines) for box in graph.boxes]
    assert texts == [
        f"{title} now: none",
        "Deal now: begun: 205 of 1,000 persons so far from its own history",
    ]
    assert rates in graph.boxes[0].tip
    for box in graph.boxes:
        assert all(box.y < line.y < box.y + box.tall for line in box.lines)
    # Words on one arrow do not cover those on the other.
    places = [(y, label) for label in graph.arrows[0].labels for y, _ in label.lines]
    for y, label in places:
        assert all(abs(y - other) > 11 for other, whose in places if whose is not label)


WIDE = (
    "stalled > round: 4 in 12 mo; round > stalled: median 21 d (10..45)",
    "none > announced: once in 18 mo; announced > verified: once in 12 mo",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
    "broken > holding: once in 8 mo; holding > broken: median 60 d (15..240) shape 0.8",
)


def test_words_stay_inside_their_boxes(chrome):
    names = [
        "Comprehensive peace agreement between Kinshasa and the AFC/M23",
        "MMMM WWWW MMMM WWWW",
    ]
    rows = [
        ProcessRow(f"p{k}", names[k % 2], "a-state-with-a-very-long-name-indeed", base_rate=rate)
        for k, rate in enumerate(WIDE)
    ]
    links = [LinkRow(f"while p{k}=on: p{k + 1}", f"p{k}", f"p{k + 1}", 2.0, 1, 4) for k in range(3)]
    page = chrome.new_page(viewport={"width": 1400, "height": 900})
    page.set_content(render(ReviewData(Run("live", DAYS[0]), world=WorldPage(rows, links))))
    assert page.locator(".world .box text").count() >= 12
    assert page.evaluate(OUTSIDE) == []
    page.close()


OUTSIDE = """() => [...document.querySelectorAll('.world .box')].flatMap(box => {
  const frame = box.querySelector('rect').getBoundingClientRect();
  return [...box.querySelectorAll('text')].filter(text => {
    const at = text.getBoundingClientRect();
    return at.left < frame.left || at.right > frame.right || at.bottom > frame.bottom })
    .map(text => text.textContent) })"""


def test_hastening_and_slowing_differ_by_sign_and_by_colour(review_data):
    graph = world_graph(review_data.world)
    assert graph is not None
    drawn = render(review_data)
    assert '<text class="label model"' in drawn
    labels = {
        (" ".join(line for _, line in label.lines), label.pen)
        for arrow in graph.arrows
        for label in arrow.labels
    }
    assert ("+ agreed: ×4", "model") in labels
    assert ("− soft: ×0.4", "base") in labels
    # It has no links, and stands in the table.
    assert "Convoys" not in {line.text for box in graph.boxes for line in box.lines}


def test_the_bands_of_a_fan_fill_the_picture_at_every_moment():
    shares = np.random.default_rng(1).dirichlet([1.0, 2.0, 3.0], size=len(DAYS))
    chart = fan_chart(Fan("p", "P", DAYS, ("a", "b", "c"), shares))
    y = chart.plot.y
    for edge, tops in zip(chart.edges, np.cumsum(shares, axis=1).T, strict=True):
        places = [float(each.split()[1]) for each in re.split("[ML]", edge)[1:]]
        assert places == [y(top) for top in tops]
    assert (y.low, y.high) == (0.0, 1.0)


def test_a_fan_says_its_last_numbers_whole():
    names = ("none", "third-country-of-another-continent")
    chart = fan_chart(Fan("p", "P", DAYS, names, np.tile([0.87, 0.13], (len(DAYS), 1))))
    narrow = "\N{NARROW NO-BREAK SPACE}%"
    assert [label.text for label in chart.labels] == [
        f"third-country-\N{HORIZONTAL ELLIPSIS} 13{narrow}", f"none 87{narrow}",
    ]  # fmt: skip
    assert chart.description.endswith(f"none 87{narrow}, {names[1]} 13{narrow}")
    total = Fan("p", "P", DAYS, quantiles=np.zeros((len(DAYS), 5)), unit="persons")
    assert [label.text for label in fan_chart(total).labels] == ["5, 50 and 95 %: 0"]
    assert fan_chart(total).title == "P (persons)"
    assert [text for _, text in fan_chart(total).plot.x_ticks] == ["Sep 2026", "Dec"]
    long = Fan("p", "P", [DAYS[0], DAYS[0] + dt.timedelta(days=400)], ("a",), [[1], [1]])
    assert [text for _, text in fan_chart(long).plot.x_ticks] == ["Oct 2026", "Jul 2027"]


@pytest.mark.parametrize(
    ("low", "high"), [(205, 205), (0, 0), (0, 3), (203.0, 207.0), (204.9, 205.3), (0.0, 0.004)]
)
def test_the_marks_of_an_amount_differ(low, high):
    quantiles = np.tile(np.linspace(low, high, 5), (len(DAYS), 1))
    chart = fan_chart(Fan("p", "P", DAYS, quantiles=quantiles, levels=(5, 25, 50, 75, 95)))
    marks = [text for _, text in chart.plot.y_ticks]
    assert len(marks) >= 2
    assert len(set(marks)) == len(marks)
    assert [place for place, _ in chart.plot.y_ticks] == [chart.plot.y(float(m)) for m in marks]
    if (low, high) == (203.0, 207.0):
        assert all(mark.isdigit() for mark in marks), "what is counted has whole marks"


def test_no_letter_of_a_fan_is_cut_on_a_page_or_in_a_file(chrome, tmp_path):
    states = ("none", "third-country-of-another-continent", "ministers-withdrew", "мир", "x", "y")
    shares = np.tile(np.full(6, 1 / 6), (len(DAYS), 1))
    quantiles = np.tile(np.linspace(0, 1_200_000, 5), (len(DAYS), 1))
    fans = [
        Fan("p", "A title of many words " * 6, DAYS, states, shares),
        Fan("q", "<b>&</b>", DAYS, quantiles=quantiles, unit="persons"),
        Fan("r", "no dates", ()),
    ]
    save(fans, tmp_path / "w.svg", title="World & <more>")
    page = chrome.new_page(viewport={"width": 390, "height": 900})
    world = WorldPage([ProcessRow("p", "P", "none")], fans=fans)
    data = ReviewData(Run("live", DAYS[0]), world=world)
    for shown in (render(data), (tmp_path / "w.svg").read_text("utf-8")):
        page.set_content(shown)
        assert page.locator("text >> text=95 %: 1,200,000").count() == 1
        assert page.evaluate(CUT) == []
    root = ElementTree.parse(tmp_path / "w.svg").getroot()
    assert "var(" not in ElementTree.tostring(root, "unicode")
    page.close()


def test_what_is_likely_now_is_the_last_word_with_its_interval_and_its_change(make_binary):
    question = make_binary("q", "Q?", "2025-03-21", "2025-12-31")
    at = [question.opens + dt.timedelta(days=days) for days in (0, 7, 30)]
    points = [
        Point(at[0], (0.2,), 0.1, 0.3),
        Point(at[1], (0.26,), 0.12, 0.41),
        Point(at[2], (0.5,), 0.2, 0.8),
    ]
    question = replace(question, paths={"model": points})
    row = now.likely([question], at[1] + dt.timedelta(days=1))[0]
    answer = row.answers[0]
    assert (answer.said[:2], answer.interval, answer.change) == ("26", "12 to 41", "+6.0")
    assert not now.likely([question], question.closes)
    assert not now.likely([question], question.opens - dt.timedelta(seconds=1))


def test_what_moved_is_told_by_size_with_its_causes(make_binary):
    question = make_binary("q", "Q?", "2025-03-21", "2025-12-31")
    at = [question.opens + dt.timedelta(days=days) for days in (0, 7)]
    causes = [
        Cause("time", {"": -0.1}),
        Cause("Talks put off", {"": -0.7}),
        Cause("x", {"": 0.001}),
    ]
    small = replace(
        question,
        paths={"model": [Point(at[0], (0.4,)), Point(at[1], (0.23,))]},
        moved=[Moved(at[1], causes)],
    )
    large = replace(small, id="large", moved=[Moved(at[1], [Cause("Signed", {"": 2.0})])])
    rows = now.changes([small, large], at[1] + dt.timedelta(days=2))
    assert [row.question.id for row in rows] == ["large", "q"]
    assert [cause.title for cause, _ in rows[1].causes] == ["Talks put off", "time"]
    assert rows[1].before[:2] == "40"
    assert rows[1].after[:2] == "23"
    assert not now.changes([small], at[1] + dt.timedelta(days=31))


def test_a_part_is_read_by_its_interval(review_data):
    row = dict(review_data.parts[0])
    readings = {
        (0.01, 0.03): "worse without it",
        (-0.03, -0.01): "better without it",
        (-0.01, 0.01): "may be chance",
        (None, None): "too few events to say",
    }
    for (low, high), reading in readings.items():
        parts = tables.parts([{**row, "difference_lower": low, "difference_upper": high}])
        assert parts[0][1] == reading


def test_the_page_opens_with_results_and_folds_what_explains_them(review_data):
    page = render(review_data)
    order = ["now-table", 'id="moved"', 'id="due"', 'id="scoreboard"', 'id="parts"',
             'id="calibration"', 'id="links-table"', 'id="questions"', 'id="worldviews"',
             'id="texts"', 'id="left-out"']  # fmt: skip
    places = [page.index(part) for part in order]
    assert places == sorted(places)
    folded = page.count('<details class="how"')
    assert folded >= 8
    assert page.count("How to read") == folded
