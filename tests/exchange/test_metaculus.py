"""Metaculus: five types of question, aggregates, ends; its own scores come out again."""

import datetime as dt
import io
import math
import random
import zipfile
from itertools import pairwise

import pytest

from forecasting.app.ledger.importing import import_record
from forecasting.app.scores.frame import Selection
from forecasting.app.scores.score import scores
from forecasting.domain import Basis, Forecast, ModelChoice, Question, Resolution
from forecasting.domain.continuous import bucket, cdf_value, location_of, pmf, value_at
from forecasting.domain.forecast import decimal_text, options_value, quantiles_value
from forecasting.domain.outcome import OutcomeSpace
from forecasting.domain.resolution import outcomes
from forecasting.errors import InvalidInput
from forecasting.exchange.format import QuestionHistory
from forecasting.exchange.formats.metaculus import RULES, listed, question
from forecasting.exchange.source import opened
from tests.exchange.conftest import NOW
from tests.exchange.tables import FORMATS, rewritten

ASKED = {
    "id": "q", "title": "How many?", "criteria": "", "background": "", "zone": "UTC",
    "opens": dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
    "closes": dt.datetime(2025, 3, 1, tzinfo=dt.UTC),
    "resolves_by": dt.datetime(2025, 3, 1, tzinfo=dt.UTC), "topic": "t", "event": "q", "tags": (),
    "basis": Basis("context", ()), "model": ModelChoice("", "", "", {}),
}  # fmt: skip
ZIP, TABLE = FORMATS / "metaculus.zip", FORMATS / "metaculus-csv.csv"


@pytest.fixture
def counts(ledger):
    return import_record(ledger, ZIP, now=NOW, me="ana", check_scores=True)


def questions(ledger):
    return {question.id.removeprefix("metaculus-"): question for question in ledger.questions()}


def test_every_outcome_is_kept_as_what_it_is(counts, ledger):
    standing = {
        name.removeprefix("metaculus-"): (one.outcome, one.note)
        for name, one in outcomes(ledger.resolutions()).items()
    }
    assert standing == {
        "1": ("yes", ""),
        "2": ("B", ""),
        "3": ("42.5", ""),
        "4": ("20254", ""),
        "5": (">100", "above_upper_bound"),
        "6": ("no", ""),
        "7": ("annulled", "ambiguous"),
        "8": ("annulled", "annulled"),
    }
    assert dt.date(1970, 1, 1) + dt.timedelta(days=20254) == dt.date(2025, 6, 15)


def test_groups_are_one_event_and_scales_are_those_of_the_grid(counts, ledger):
    asked = questions(ledger)
    assert asked["6"].event == asked["7"].event != asked["1"].event
    assert asked["6"].title == "Will the road open? (by February)"
    assert asked["5"].space.zero_point == pytest.approx(0.0, abs=1e-6)
    assert asked["3"].space.zero_point is None
    assert [asked[name].space.open_bounds for name in "345"] == ["upper", "upper", "both"]


def test_aggregates_are_forecasters_of_their_own(counts, ledger):
    names = {one.forecaster for one in ledger.forecasts()}
    assert names == {"ana", "crowd:metaculus/recency_weighted", "crowd:metaculus/geometric_mean"}


def test_an_end_that_no_forecast_follows_is_a_withdrawal(counts, ledger):
    taken = [(one.question, one.forecaster, one.withdrawn_at.day) for one in ledger.withdrawals()]
    assert taken == [("metaculus-1", "ana", 9)]
    # An end to come is no withdrawal yet, and nothing is wrong with its row.
    assert not any("lies in the future" in one["reason"] for one in counts["refused"])
    assert any("1 forecast will end at a moment to come" in note for note in counts["notes"])
    later = import_record(ledger, ZIP, now=NOW.replace(year=2030), me="ana")
    assert (later["added"], later["withdrawals"]) == (1, 1)


def test_a_list_runs_nothing():
    assert listed("['a', None, \"b's\"]") == ["a", None, "b's"]
    for cell in ("__import__('os').getcwd()", "[" * 5000, "{1: 2}", "1", "[1, open('x')]"):
        with pytest.raises(InvalidInput):
            listed(cell)


def test_their_scores_come_out_again(counts):
    by_rule = {one["rule"]: one for one in counts["scores"]["rules"]}
    assert by_rule["baseline"]["n_stated"] == 4
    assert by_rule["baseline"]["largest_difference"] < 1e-9
    assert by_rule["spot_baseline"]["largest_difference"] < 1e-9
    alone = [one for one in counts["scores"]["rows"] if one["rule"] == "peer"]
    assert [(one["theirs"], one["ours"]) for one in alone] == [(12.5, None)]


def test_a_step_of_the_cdf_is_the_probability_that_is_scored(counts, ledger):
    space = OutcomeSpace("numeric", (), 0.0, 100.0, open_bounds="upper")
    third = next(one for one in ledger.forecasts() if one.question == "metaculus-3")
    quantiles = {
        float(a) / 100: b for a, b in zip(third.value.labels, third.value.numbers, strict=True)
    }
    masses = pmf(quantiles, space)
    assert (len(masses), sum(masses)) == (202, pytest.approx(1))
    step = bucket(space, "42.5", 200)
    row = next(
        one
        for one in counts["scores"]["rows"]
        if (one["question"], one["rule"]) == ("metaculus-3", "baseline")
    )
    assert row["ours"] == pytest.approx(50 * math.log(masses[step] / (0.95 / 200)))
    own = scores(
        ledger, rule="baseline", selection=Selection(kind="imported", question=third.question)
    )
    assert own[0]["mean"] == pytest.approx(row["ours"])


def test_a_cdf_of_many_steps_scores_as_its_integral(ledger, counts):
    [row] = scores(
        ledger, rule="crps", selection=Selection(kind="imported", question="metaculus-3")
    )
    third = next(one for one in ledger.forecasts() if one.question == "metaculus-3")
    levels = [float(label) / 100 for label in third.value.labels]
    points = list(zip([0.0, *third.value.numbers], [0.0, *levels], strict=True))
    total, step = 0.0, 0.01
    for place in range(10_000):
        x = (place + 0.5) * step
        height = next(
            (
                a[1] + (b[1] - a[1]) * (x - a[0]) / (b[0] - a[0])
                for a, b in pairwise(points)
                if a[0] <= x <= b[0] and a[0] < b[0]
            ),
            points[-1][1],
        )
        total += (height - (x >= 42.5)) ** 2 * step
    assert row["mean"] == pytest.approx(total, rel=2e-3)


@pytest.mark.parametrize("zero", [None, 0.0, -50.0, 250.0])
def test_a_location_and_its_value_are_inverse(zero):
    space = OutcomeSpace("numeric", (), 1.0, 100.0, zero_point=zero)
    for place in range(11):
        assert location_of(space, value_at(space, place / 10)) == pytest.approx(place / 10)
    assert (value_at(space, 0), value_at(space, 1)) == pytest.approx((1.0, 100.0))


def test_a_level_cdf_loses_no_step():
    space = OutcomeSpace("numeric", (), 0.0, 4.0, open_bounds="both")
    value = cdf_value(space, ["0.1", "0.3", "0.3", "0.7", "0.9"])
    quantiles = {float(a) / 100: b for a, b in zip(value.labels, value.numbers, strict=True)}
    assert pmf(quantiles, space) == pytest.approx([0.1, 0.2, 0, 0.4, 0.2, 0.1], abs=1e-9)
    for wrong in (["0.1", "0.5", "0.4"], ["0", "1.2", "1"], ["0", "1"]):
        with pytest.raises(InvalidInput):
            cdf_value(space, wrong)


def test_the_benchmarks_table_is_the_same_platform(ledger):
    counts = import_record(ledger, TABLE, now=NOW, check_scores=True)
    assert {one.forecaster for one in ledger.forecasts()} == {"metaculus:pro_a", "metaculus:pro_b"}
    peers = [one for one in counts["scores"]["rows"] if one["rule"] == "peer"]
    by_question = {}
    for one in peers:
        by_question[one["question"]] = by_question.get(one["question"], 0.0) + one["ours"]
    # What one gains the other loses.
    assert set(by_question) == {"metaculus-1", "metaculus-2", "metaculus-3"}
    assert all(total == pytest.approx(0, abs=1e-9) for total in by_question.values())
    closed = outcomes(ledger.resolutions())["metaculus-5"]
    assert closed.resolved_at == dt.datetime(2025, 3, 5, 10, tzinfo=dt.UTC)
    assert "1 forecast made before the opening" in " ".join(counts["notes"])


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return out.getvalue()


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"../question_data.csv": "x", "forecast_data.csv": "y"}, "outside the archive"),
        ({"/etc/question_data.csv": "x"}, "outside the archive"),
        ({"C:\\x\\question_data.csv": "x"}, "outside the archive"),
        ({"question_data.csv": b"\0" * 40_000_000}, "times its size"),
        ({"notes.txt": "x"}, "is a zip archive of notes.txt"),
    ],
)
def test_an_archive_that_means_harm_is_one_line(members, message, ledger, tmp_path):
    path = tmp_path / "data.zip"
    path.write_bytes(zipped(members))
    with pytest.raises(InvalidInput, match=message) as refused:
        import_record(ledger, path, now=NOW)
    assert "\n" not in str(refused.value)
    assert ledger.head().seq == 0


def test_a_folder_that_a_browser_unpacked_may_be_packed_again(tmp_path, ledger):
    folder = tmp_path / "metaculus-data"
    with zipfile.ZipFile(ZIP) as whole:
        whole.extractall(folder)
    with pytest.raises(InvalidInput, match="a folder, not a file") as refused:
        opened(folder)
    assert refused.value.hint.endswith(f"zip -r metaculus-data.zip {folder}")
    again = tmp_path / "metaculus-data.zip"
    with zipfile.ZipFile(again, "w") as out:
        for one in sorted(folder.iterdir()):
            out.write(one, f"metaculus-data/{one.name}")
    assert import_record(ledger, again, now=NOW)["added"] == 23


def test_a_sparse_giant_is_not_read(tmp_path):
    path = tmp_path / "giant.zip"
    with path.open("wb") as file:
        file.truncate(5_000_000_000)
    with pytest.raises(InvalidInput, match="larger than"):
        opened(path)
    path.write_bytes(b"\0" * 1000)
    with pytest.raises(InvalidInput, match="zero bytes"):
        opened(path)


def asked(kind, lower, upper, values):
    """Give a row of the questions as the site writes it, its range cut to days where of dates."""
    cells = dict.fromkeys(("Label", "Categories", "CP Reveal Time", "Resolution"), "")
    return cells | {
        "Question Type": kind, "Question Title": "When?", "Post ID": "1", "Question URL": "",
        "Open Time": "2025-01-01 00:00:00+00:00", "Post Published Time": "",
        "Scheduled Close Time": "2025-03-01 00:00:00+00:00", "Continuous Range": repr(values),
        "Lower Bound": lower, "Upper Bound": upper,
        "Open Lower Bound": "False", "Open Upper Bound": "True",
    }  # fmt: skip


@pytest.mark.parametrize("hours", [0, 7, 17.5])
@pytest.mark.parametrize("days", [2, 3, 30, 364, 365, 366, 1001])
def test_a_range_of_dates_cut_to_days_is_linear_over_odd_and_even_days(days, hours):
    begins = dt.datetime(2025, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=hours)
    for extra in (0, 0.4, 0.9):
        span = dt.timedelta(days=days + extra)
        values = [f"{begins + span * place / 200:%Y-%m-%d}" for place in range(201)]
        stated, _ = question(asked("date", values[0], values[-1], values))
        assert "zero_point" not in stated


def test_a_logarithmic_range_of_dates_and_one_of_numbers_keep_their_zero_point():
    space = OutcomeSpace("numeric", (), 20089.0, 84000.0, zero_point=18000.0)
    grid = [value_at(space, place / 200) for place in range(201)]
    epoch = dt.date(1970, 1, 1)
    values = [f"{epoch + dt.timedelta(days=int(value))}" for value in grid]
    stated, _ = question(asked("date", values[0], values[-1], values))
    assert stated["zero_point"] == pytest.approx(18000, abs=2)
    small = OutcomeSpace("numeric", (), 0.0, 1.0, zero_point=-0.5)
    values = [value_at(small, place / 200) for place in range(201)]
    stated, _ = question(asked("numeric", "0.0", "1.0", values))
    assert stated["zero_point"] == pytest.approx(-0.5)


@pytest.mark.parametrize("edges", range(3, 14))
def test_a_grid_of_any_number_of_values_shows_its_scale(edges):
    even = [str(place) for place in range(edges)]
    stated, _ = question(asked("discrete", even[0], even[-1], even))
    assert "zero_point" not in stated
    space = OutcomeSpace("numeric", (), 0.0, 100.0, zero_point=-4.0)
    grid = [value_at(space, place / (edges - 1)) for place in range(edges)]
    stated, _ = question(asked("discrete", "0", "100", grid))
    assert stated["zero_point"] == pytest.approx(-4)


def scales():
    """Give logarithmic and linear scales of all sizes, with the two that rounding broke."""
    yield 1.0, 100000.0, 0.0
    yield 0.0, 100.0, -1.0
    by = random.Random(7)
    for _ in range(300):
        low = round(by.uniform(-1000, 1000), by.choice([0, 2]))
        high = low + round(10 ** by.uniform(0, 7), 2)
        span = high - low
        zero = by.choice([low - span * 10 ** by.uniform(-5, 1), high + span * by.uniform(0.01, 9)])
        yield low, high, by.choice([None, zero, zero])


@pytest.mark.parametrize("ends", ["", "both"])
def test_two_hundred_steps_stay_two_hundred_within_the_bounds_on_every_scale(ends):
    heights = [0.02 * bool(ends) + 0.95 * place / 200 for place in range(201)]
    if not ends:
        heights[0], heights[-1] = 0.0, 1.0
    masses = [heights[0], *(b - a for a, b in pairwise(heights)), 1 - heights[-1]]
    for low, high, zero in scales():
        space = OutcomeSpace("numeric", (), low, high, zero_point=zero, open_bounds=ends)
        value = cdf_value(space, [decimal_text(one) for one in heights])
        numbers = value.numbers
        assert low <= numbers[0]
        assert numbers[-1] <= high
        assert (value_at(space, 0), value_at(space, 1)) == (low, high)
        # What a table holds of it is taken again, to the last digit.
        pairs = dict(zip(value.labels, value.entered, strict=True))
        assert quantiles_value(space, pairs).entered == value.entered
        asked = Question(**ASKED, space=space)
        outcome = decimal_text(value_at(space, 0.372))
        history = QuestionHistory(
            asked,
            Resolution("q", outcome, ASKED["closes"], "s"),
            [Forecast("q", "", "ana", value, ASKED["opens"], "imported")],
        )
        place = bucket(space, outcome, 200)
        chance = (1 - 0.05 * 2 * bool(ends)) / 200
        wanted = 50 * math.log(masses[place] / chance)
        assert RULES["baseline"].score(history)["ana"] == pytest.approx(wanted, abs=1e-9)


def test_a_score_against_others_says_the_true_reason_of_a_difference():
    space = OutcomeSpace("categorical", ("A", "B", "Other"))
    asked = Question(**ASKED, space=space)
    resolution = Resolution("q", "B", ASKED["closes"], "s")

    def explained(*numbers):
        forecasts = [
            Forecast(
                "q",
                "",
                who,
                options_value(space, dict(zip(space.options, one, strict=True))),
                ASKED["opens"],
                "imported",
            )
            for who, one in zip(("ana", "ben"), numbers, strict=True)
        ]
        history = QuestionHistory(asked, resolution, forecasts)
        assert len(RULES["peer"].score(history)) == 2
        return RULES["peer"].because(history)

    # Both stand in the file: that it holds one person alone is no reason.
    late = explained(("0.2", "0.5", "0.3"), ("0.6", "0", "0.4"))
    whole = explained(("0.2", "0.5", "0.3"), ("0.5", "0.1", "0.4"))
    assert "read from the last option" in late
    assert "counts everybody in the file" in whole


def zip_of(path, **changed):
    """Give the fixture with other cells in the row of each question that is named by its number."""

    def change(member, rows):
        for one in rows if member == "question_data.csv" else ():
            one |= changed.get(f"q{one['Question ID']}", {})
        return rows

    return rewritten(ZIP, path, change)


def test_forecasts_of_a_question_that_cannot_be_read_say_why_it_cannot(tmp_path, ledger):
    path = zip_of(tmp_path / "m.zip", q1={"Categories": "nothing that is a list"})
    reasons = [one["reason"] for one in import_record(ledger, path, now=NOW)["refused"]]
    of_forecasts = [one for one in reasons if one.startswith("forecast_data.csv: question 1 ")]
    assert of_forecasts
    for one in of_forecasts:
        assert "is refused in line 2 of question_data.csv" in one
        assert "is no list" in one


@pytest.mark.parametrize(("cell", "ends"), [("t", "upper"), ("True", "upper"), ("f", "")])
def test_open_bounds_are_read_as_any_program_writes_them(cell, ends, tmp_path, ledger):
    path = zip_of(tmp_path / "m.zip", q3={"Open Upper Bound": cell, "Open Lower Bound": "f"})
    import_record(ledger, path, now=NOW)
    assert questions(ledger)["3"].space.open_bounds == ends


def test_an_open_bound_that_is_neither_is_refused(tmp_path, ledger):
    path = zip_of(tmp_path / "m.zip", q3={"Open Upper Bound": "maybe"})
    reasons = [one["reason"] for one in import_record(ledger, path, now=NOW)["refused"]]
    assert any("open bound (maybe): must be true or false" in one for one in reasons)


def test_a_discrete_forecast_is_shown_by_five_levels_and_one_that_was_typed_by_its_own():
    space = OutcomeSpace("numeric", (), -0.5, 10.5)
    heights = [decimal_text(round((n / 11) ** 1.3, 15)) for n in range(12)]
    assert list(cdf_value(space, heights).plain) == ["5", "25", "50", "75", "95"]
    typed = {"2.5": "0", "10": "1", "25": "2", "50": "3", "75": "4", "90": "5", "97.5": "6"}
    assert list(quantiles_value(space, typed).plain) == list(typed)


def test_the_first_rows_are_shown_by_the_title_of_their_question(counts, ledger):
    titles = {one.id: one.title for one in ledger.questions()}
    assert counts["first"]
    assert all(one["title"] == titles[one["question"]] for one in counts["first"])
