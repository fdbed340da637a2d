"""A question's path: what was said stands until it changes, and news stands where it was known."""

import datetime as dt
import math
import re
from dataclasses import replace

import pytest

from forecasting.review import Mark, Point, charts
from forecasting.review.news_strip import weight_at
from forecasting.review.path_chart import path_chart
from forecasting.review.plot import NARROW, WIDE, over_time

ZONE = "Europe/Kyiv"
DAY = dt.timedelta(days=1)


def drawn(question, **more):
    return path_chart(question, zone=ZONE, **more)


def test_a_forecast_holds_until_the_next_and_ends_with_the_question(make_binary):
    question = make_binary(
        "q", "Q?", "2025-03-21", "2025-03-30", outcome="yes", resolved="2025-03-26", evidence=0
    )
    two = [Point(question.opens, (0.2,)), Point(question.opens + 2 * DAY, (0.6,))]
    (panel,) = drawn(replace(question, paths={"model": two})).panels
    x, y = panel.plot.x, panel.plot.y
    # Known at the midnight that ends 26 March: 6 days after the opening.
    wanted = f"M{x(0):g} {y(0.2):g}H{x(2):g}V{y(0.6):g}H{x(6):g}"
    assert [line.d for line in panel.lines] == [wanted]
    assert panel.after is not None
    assert panel.after[0] == x(6)


def test_the_ring_stands_where_the_outcome_could_be_known(make_binary):
    for outcome, height in (("yes", 1.0), ("no", 0.0)):
        question = make_binary(
            "q", "Q?", "2025-03-21", "2025-03-30", outcome=outcome, resolved="2025-03-26"
        )
        (panel,) = drawn(question).panels
        outcome_label = f"outcome: {outcome}"
        assert panel.outcome == (panel.plot.x(6), panel.plot.y(height), outcome_label)
        assert outcome_label in [label.text for label in panel.labels]


def test_an_annulled_question_has_no_ring(make_binary):
    question = make_binary(
        "q", "Q?", "2025-03-21", "2025-03-30", outcome="annulled", resolved="2025-03-26"
    )
    assert [panel.outcome for panel in drawn(question).panels] == [None]


def test_news_has_the_numbers_of_its_list(make_binary):
    question = make_binary("q", "Q?", "2025-03-21", "2025-12-31", evidence=22)
    seen = []
    for mark in drawn(question).news:
        first, _, last = mark.number.partition("–")
        seen.extend(range(int(first), int(last or first) + 1))
    assert seen == list(range(1, 23))


def test_several_options_have_a_panel_each(review_data):
    question = next(q for q in review_data.questions if q.type == "ordered")
    chart = drawn(question)
    assert [panel.title for panel in chart.panels] == list(question.options)
    assert chart.strip is not None


def test_many_people_are_drawn_thin_and_named_together(make_binary):
    """A team of twelve is no twelve names beside one line; one's own stays one's own."""
    question = make_binary("q", "Q?", "2025-03-21", "2025-03-30", evidence=0)
    for n, names in ((5, [f"p{k}" for k in range(1, 6)]), (11, ["11 others"])):
        paths = {f"p{k}": [Point(question.opens, (k / 20,))] for k in range(n + 1)}
        (panel,) = drawn(replace(question, paths=paths), me="p0").panels
        assert {label.text for label in panel.labels} == {"p0", *names}
        roles = [line.role for line in panel.lines if line.name != "p0"]
        assert (set(roles) == {"others"}) is (n == 11)
        assert len(roles) == n
        assert all(line.dots for line in panel.lines)


def test_the_fan_that_is_shaded_is_ones_own(review_data):
    numeric = next(q for q in review_data.questions if q.type == "numeric")
    points = numeric.paths["model"]
    wide = [replace(p, values=(0.0, *p.values[1:])) for p in points]
    question = replace(numeric, paths={"ana": points, "ben": wide})
    shades = [drawn(question, me=me).panels[0].bands for me in ("ana", "ben")]
    assert shades[0] != shades[1]


def test_a_fan_reaches_the_outermost_of_its_edges(review_data):
    numeric = next(q for q in review_data.questions if q.type == "numeric")
    values = [(0.0, 1, 2, 3, 1000), (0, 10, 20, 30, 1000), (0, 10, 20, 50, 900)]
    points = [Point(numeric.opens + dt.timedelta(days=i), v) for i, v in enumerate(values)]
    (panel,) = drawn(replace(numeric, paths={"model": points})).panels
    highest = [min(float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", d)) for d, _ in panel.bands]
    assert highest == [panel.plot.y(1000), panel.plot.y(50)]


def test_a_text_is_a_diamond_at_its_claim_named_once(review_data):
    question = next(q for q in review_data.questions if any("text:" in n for n in q.paths))
    name = next(n for n in question.paths if n.startswith("text:"))
    panels = drawn(question).panels
    point = question.paths[name][0]
    plot = panels[0].plot
    assert (plot.at(point.at), plot.y(point.values[0])) in [c[:2] for c in panels[0].claims]
    assert all(claim[2] for claim in panels[0].claims)
    assert not [claim for panel in panels[1:] for claim in panel.claims if claim[2]]


def test_a_chart_is_described_in_words(review_data):
    numeric = next(q for q in review_data.questions if q.type == "numeric")
    words = path_chart(numeric, zone="UTC").said
    assert "from 16 May 2025 to end of 24 May 2025" in words
    assert "outcome: 697 persons" in words


def test_a_hidden_forecaster_leaves_no_trace(make_binary):
    question = make_binary("q", "Q?", "2025-03-21", "2025-03-30")
    chart = drawn(question, hidden=lambda name: name == "model")
    assert "model" not in chart.said
    assert not [line for panel in chart.panels for line in panel.lines if line.name == "model"]


def test_half_of_a_report_is_left_after_its_half_life_and_all_of_a_lasting_one():
    mark = Mark(dt.datetime(2026, 9, 1, tzinfo=dt.UTC), "x", weight=-0.8, half_life=10.0)
    assert weight_at(mark, 10.0) == pytest.approx(-0.4)
    assert weight_at(mark, 20.0) == pytest.approx(-0.2)
    assert weight_at(replace(mark, half_life=math.inf), 1e4) == -0.8


def test_the_strip_shows_each_report_where_it_became_known(make_binary):
    question = make_binary("q", "Q?", "2025-03-21", "2025-12-31", evidence=0)
    assert drawn(question).strip is None
    marks = [
        Mark(question.opens + days * DAY, "x", weight=weight)
        for days, weight in ((10, 0.9), (40, -0.4))
    ]
    strip = drawn(replace(question, evidence=marks)).strip
    assert strip is not None
    x, y = strip.plot.x, strip.plot.y
    assert list(strip.bars) == [(x(10), y(0.9), "model"), (x(40), y(-0.4), "base")]
    # An area begins and ends on the line of no effect.
    assert all(d.startswith("M") and d.endswith(f" {strip.zero:g}Z") for d, _ in strip.fades)


def test_a_band_that_does_not_exist_is_not_drawn(review_data):
    pooled = charts.reliability(review_data.calibrations["text:003"]["pooled"])
    assert pooled is not None
    assert not pooled.band
    assert not pooled.whiskers


def test_the_bars_below_a_curve_hold_its_forecasts(review_data):
    curve = review_data.calibrations["model"]["curve"]
    chart = charts.reliability(curve)
    assert chart is not None
    total = sum(float(re.search(r": ([\d.,]+) forecast", bar.tip)[1]) for bar in chart.bars)
    assert total == sum(point["n"] for point in curve) == 12
    certain = [{"forecast": 1.0, "event_rate": 1.0, "n": 4, "lower": 1.0, "upper": 1.0}]
    (bar,) = charts.reliability(certain).bars
    assert "said 90 to 100 %: 4 forecasts, 4 came true" in bar.tip.replace("\u202f", " ")


def test_the_marks_of_an_axis_never_run_into_each_other_and_the_widest_amount_has_room():
    start = dt.datetime(2026, 11, 29, tzinfo=dt.UTC)
    for hours in (0.3, 5, 15, 30, 47, 500, 9000):
        for size in (WIDE, NARROW):
            plot = over_time(
                start,
                start + dt.timedelta(hours=hours),
                zone="Africa/Addis_Ababa",
                y_ticks=[(0, "0"), (1, "1,000,000")],
                size=size,
            )
            assert plot.x_ticks
            reach = -1.0
            for place, text in plot.x_ticks:
                wide = 6.6 * len(text)
                begin = place - wide * {"start": 0, "middle": 0.5, "end": 1}[plot.anchored(place)]
                assert begin > reach
                reach = begin + wide
            assert plot.x.start - 6 >= 7 * len("1,000,000")


def test_the_picture_of_a_first_day_begins_shortly_before_its_first_word(make_binary):
    """Fifteen hours without a word take no room: what was said then lies apart."""
    question = make_binary("q", "Q?", "2026-11-28", "2027-03-31", evidence=0)
    first = question.opens + dt.timedelta(hours=15)
    paths = {
        name: [Point(first + dt.timedelta(minutes=10 * n), (0.2 + n / 10,))]
        for n, name in enumerate(("model", "tom"))
    }
    (panel,) = drawn(replace(question, paths=paths), until=first + dt.timedelta(minutes=40)).panels
    plot = panel.plot
    assert plot.zero is not None
    assert plot.zero > question.opens
    assert plot.at(first) > plot.x.start
    apart = plot.at(first + dt.timedelta(minutes=10)) - plot.at(first)
    assert apart > 0.1 * (plot.x.end - plot.x.start)


@pytest.mark.parametrize(("resolved", "part"), [("2026-11-29", 1), ("2027-03-01", 93)])
def test_a_question_that_was_settled_early_is_drawn_up_to_its_outcome(make_binary, resolved, part):
    """The scheduled rest has nothing to show; what was said has nearly all of the width."""
    question = make_binary(
        "q", "Q?", "2026-11-28", "2027-12-31", outcome="yes", resolved=resolved, evidence=0
    )
    paths = {"model": [Point(question.opens, (0.2,))]}
    (panel,) = drawn(replace(question, paths=paths)).panels
    across = panel.plot.x.end - panel.plot.x.start
    assert panel.outcome is not None
    assert panel.plot.at(question.opens) == pytest.approx(panel.plot.x.start, abs=0.1)
    assert (panel.outcome[0] - panel.plot.x.start) / across == pytest.approx(1 / 1.15, abs=0.01)
    assert panel.after is not None


def test_names_beside_the_lines_take_no_more_room_than_they_need(make_binary):
    question = make_binary("q", "Q?", "2026-11-28", "2027-03-31", evidence=0)
    point = [Point(question.opens, (0.2,))]
    for size in (WIDE, NARROW):
        widths = []
        for name in ("tom", "a-forecaster-of-a-long-name"):
            (panel,) = drawn(replace(question, paths={name: point}), size=size).panels
            widths.append(panel.plot.x.end)
            text = max(panel.labels, key=lambda label: len(label.text))
            assert text.x + 6 * len(text.text) <= size.width + 12
        assert widths[0] > widths[1] >= size.width - size.right
    assert widths[0] > 0.85 * NARROW.width


@pytest.mark.parametrize(
    ("values", "top", "marks"),
    [
        ((0.011, 0.04), 0.05, ["0 %", "1 %", "2 %", "3 %", "4 %", "5 %"]),
        ((0.011, 0.041), 0.25, ["0 %", "5 %", "10 %", "15 %", "20 %", "25 %"]),
        ((0.3, 0.2), 0.5, ["0 %", "10 %", "20 %", "30 %", "40 %", "50 %"]),
        ((0.011, 0.41), 1.0, ["0 %", "25 %", "50 %", "75 %", "100 %"]),
    ],
)
def test_rare_chances_of_an_open_question_have_the_room_that_they_need(
    make_binary, values, top, marks
):
    question = make_binary("q", "Q?", "2025-03-21", "2025-12-31", evidence=0)
    paths = {"model": [Point(question.opens + k * DAY, (p,)) for k, p in enumerate(values)]}
    (panel,) = drawn(replace(question, paths=paths)).panels
    assert panel.plot.y(top) == pytest.approx(panel.plot.y.end)
    assert [text for _, text in panel.plot.y_ticks] == marks
    # What the band, another line or a text needs counts too; an outcome takes the whole axis.
    wide = [replace(point, p05=0.0, p95=0.9) for point in paths["model"]]
    for more in ({"model": wide}, {**paths, "text:hopeful": [Point(question.opens, (0.9,))]}):
        assert drawn(replace(question, paths=more)).panels[0].plot.y(1.0) == panel.plot.y.end
    over = replace(question, paths=paths, outcome="no", resolved_at=question.opens + 5 * DAY)
    assert drawn(over).panels[0].plot.y(1.0) == panel.plot.y.end
