"""ForecastBench, the Good Judgment Project and iqisa."""

import csv
import gzip
import json

import pytest

from forecasting.app.ledger.importing import import_record
from forecasting.app.scores.frame import Selection
from forecasting.app.scores.score import scores
from forecasting.domain.reading import question_id
from forecasting.domain.resolution import outcomes
from forecasting.errors import InvalidInput
from tests.exchange.conftest import NOW
from tests.exchange.tables import FORMATS

EASTERN = "America/New_York"
COMMON = (
    "question_id,user_id,team_id,probability,answer_option,timestamp,outcome,open_time,"
    "close_time,resolve_time,time_open,n_opts,options,q_status,q_type"
)


def bring(ledger, name, **more):
    return import_record(ledger, FORMATS / name, now=NOW, check_scores=True, **more)


def outcomes_of(ledger):
    return {name: one for name, one in outcomes(ledger.resolutions()).items()}


def reasons(counts):
    return sorted(one["reason"] for one in counts["refused"])


def forecasts_of(ledger):
    return {(one.question, one.forecaster, one.value.entered) for one in ledger.forecasts()}


BRIDGE = "forecastbench-manifold-q6wjthcy-ccfbd5a5"


def test_a_question_of_a_site_recurs_and_its_frozen_price_is_the_markets(ledger):
    counts = bring(ledger, "forecastbench.json")
    assert {x for x in forecasts_of(ledger) if x[0] == BRIDGE} == {
        (BRIDGE, "market:manifold", ("0.21",)),
        (BRIDGE, "market:manifold", ("0.35",)),
        (BRIDGE, "forecastbench:Example/baseline-1", ("0.3",)),
        (BRIDGE, "forecastbench:SbZ1", ("0.75",)),
        (BRIDGE, "forecastbench:SbZ2", ("0.8",)),
    }
    scores = {(x["question"], x["forecaster"]): x["ours"] for x in counts["scores"]["rows"]}
    assert scores[BRIDGE, "market:manifold"] == pytest.approx((0.79**2 + 0.65**2) / 2)
    titles = {one.id: one.title for one in ledger.questions()}
    # The latest set has the last word on what was asked.
    assert titles[BRIDGE] == "Will the bridge open to lorries?"


def test_a_series_is_a_question_for_each_day_and_its_value_is_no_probability(ledger):
    bring(ledger, "forecastbench.json")
    mine = {x for x in forecasts_of(ledger) if "acled" in x[0]}
    assert mine == {
        (f"forecastbench-acled-d331-2025-03-02-{day}", "forecastbench:Example/baseline-1", p)
        for day, p in (("2025-03-09", ("0.5",)), ("2025-04-01", ("0.6",)))
    }
    titles = {one.id: one.title for one in ledger.questions()}
    assert titles["forecastbench-acled-d331-2025-03-02-2025-03-09"] == (
        "Will there be more events in Sumy by 2025-03-09 than by 2025-03-02?"
    )


def test_a_price_of_the_day_is_no_outcome_and_a_half_is_annulled(ledger):
    counts = bring(ledger, "forecastbench.json")
    standing = {name: (one.outcome, one.note) for name, one in outcomes_of(ledger).items()}
    assert standing == {
        BRIDGE: ("yes", ""),
        "forecastbench-metaculus-20895": ("annulled", "resolved to 0.5"),
        "forecastbench-polymarket-0xabc1": ("no", ""),
        "forecastbench-acled-d331-2025-03-02-2025-03-09": ("no", ""),
        "forecastbench-acled-d331-2025-03-02-2025-04-01": ("yes", ""),
    }
    assert "resolved (false): the price of that day, no outcome" in reasons(counts)


def test_what_came_out_before_its_deadline_was_known_by_the_day_of_the_prices(ledger):
    bring(ledger, "forecastbench.json")
    known = outcomes_of(ledger)["forecastbench-polymarket-0xabc1"].resolved_at
    assert known.isoformat() == "2025-05-21T00:00:00+00:00"


def test_a_series_has_no_outcome_before_its_day_whatever_a_market_of_its_set_says(
    ledger, import_text
):
    pages = json.loads((FORMATS / "forecastbench.json").read_bytes())
    for page in pages if isinstance(pages, list) else [pages]:
        for one in page.get("resolutions") or ():
            if one.get("source") == "acled":
                one["resolved"] = True
        if page.get("resolutions"):
            page["resolutions"].append(
                {"id": "x", "source": "manifold", "resolution_date": "2025-03-05",
                 "resolved": False, "resolved_to": 0.4}
            )  # fmt: skip
    import_text(pages)
    known = {
        name: f"{one.resolved_at:%Y-%m-%d}"
        for name, one in outcomes_of(ledger).items()
        if "acled" in name
    }
    assert known == {
        "forecastbench-acled-d331-2025-03-02-2025-03-09": "2025-03-10",
        "forecastbench-acled-d331-2025-03-02-2025-04-01": "2025-04-02",
    }


def test_questions_on_two_at_once_are_refused_and_said(ledger):
    counts = bring(ledger, "forecastbench.json")
    assert reasons(counts).count("id: a question on two at once is not read") == 3
    assert "3 records on two questions at once not read" in counts["notes"]


def test_real_questions_on_ukraine_and_iran_come_in_whole(ledger, shared):
    path = shared / "data" / "forecastbench_ukraine_iran.csv"
    with path.open() as file:
        rows = list(csv.DictReader(file))
    counts = import_record(ledger, path, now=NOW)
    again = import_record(ledger, path, now=NOW)
    assert (again["added"], again["resolutions"], again["questions"]) == (0, 0, 0)
    assert (again["duplicates"], again["refused"]) == (counts["in"], [])
    assert counts["refused"] == []
    assert counts["forecasts"] == len(rows) == 511
    assert counts["resolutions"] == 128
    # The crowd's Brier score of the 262 rows that say so themselves is .0947.
    ends = {name: float(one.outcome == "yes") for name, one in outcomes_of(ledger).items()}
    by_day = {
        (one.question, one.issued_at.date().isoformat()): (one, ends.get(one.question))
        for one in ledger.forecasts()
    }
    brier = []
    for row in rows:
        if row["resolved"] == "True":
            question = question_id(f"forecastbench-{row['source']}-{row['id']}")
            one, end = by_day[question, row["freeze_datetime"][:10]]
            brier.append((one.value.numbers[0] - end) ** 2)
    assert len(brier) == 262
    assert sum(brier) / len(brier) == pytest.approx(0.0946644, abs=1e-6)


def test_answers_of_one_forecast_are_put_together_wherever_their_rows_stand(ledger):
    counts = bring(ledger, "gjp-both.zip", zone=EASTERN)
    assert forecasts_of(ledger) == {
        ("gjp-1001-0", "gjp:600", ("0.1",)),
        ("gjp-1002-0", "gjp:600", ("0.15", "0.8", "0.05")),
        ("gjp-1002-0", "gjp:2986", ("0.333333333", "0.333333333", "0.333333334")),
        ("gjp-1039-1", "gjp:600", ("0",)),
    }
    assert reasons(counts) == [
        "a (NA): must be a number",
        "answers (a, b): the question has a, b, c",
        "outcome (): must be one of a, b",
    ]


def test_a_forecast_of_one_answer_stops_no_other(ledger, tmp_path):
    head, *rows = (FORMATS / "gjp.csv").read_text().splitlines()
    only = (
        '"1003-0","1a",1,"a",NA,"9",-1,1,"a",0.7,"2011-09-02",2,"closed",NA,1,"2011-09-02 17:00:00"'
    )
    path = tmp_path / "survey.csv"
    path.write_text("\n".join([head, only, *rows]) + "\n")
    counts = import_record(ledger, path, now=NOW, zone=EASTERN)
    assert counts["added"] == 5
    assert "options (a): at least two, such as (a) Yes, (b) No" in reasons(counts)


def test_american_dates_of_the_project_are_days_of_the_zone(ledger):
    bring(ledger, "gjp-both.zip", zone=EASTERN)
    asked = {one.id: one for one in ledger.questions()}
    # 9/1/11 is the first of September; the day to close ends at midnight in winter time.
    assert asked["gjp-1001-0"].opens.isoformat() == "2011-09-01T04:00:00+00:00"
    assert asked["gjp-1001-0"].closes.isoformat() == "2012-01-01T05:00:00+00:00"
    assert asked["gjp-1040-0"].title.endswith("(yes: Before 1 March 2012)")
    standing = {name: (one.outcome, one.note) for name, one in outcomes_of(ledger).items()}
    assert standing == {
        "gjp-1001-0": ("no", ""),
        "gjp-1002-0": ("b", ""),
        "gjp-1039-1": ("annulled", "voided"),
        "gjp-1040-0": ("yes", ""),
    }


def test_of_the_table_the_rows_marked_as_resolved_are_scored(tmp_path, ledger):
    path = tmp_path / "table.csv"
    first, *rows = (FORMATS / "forecastbench-table.csv").read_text().splitlines()
    # The same question in an earlier set, which did not know its outcome.
    early = rows[0].replace("2025-03-02", "2025-02-16").replace("2025-02-20", "2025-02-06")
    early = early.replace("0.21", "0.9").replace("1.0,True", "0.3,False")
    path.write_text("\n".join([first, early, *rows]) + "\n")
    [rule] = import_record(ledger, path, now=NOW, check_scores=True)["scores"]["rules"]
    scores = [0.79**2, 0.65**2, 0.4**2]
    assert (rule["n_forecasts"], rule["per_forecast"]) == (3, pytest.approx(sum(scores) / 3))


def test_without_a_zone_the_survey_is_refused_with_the_option(ledger):
    with pytest.raises(InvalidInput, match="in which zone") as refused:
        bring(ledger, "gjp.csv")
    assert "zone=America/New_York" in str(refused.value)
    assert ledger.head().seq == 0


def test_the_projects_score_is_over_both_answers_and_all_days(ledger):
    counts = bring(ledger, "gjp-both.zip", zone=EASTERN)
    scores = {(x["question"], x["forecaster"]): x["ours"] for x in counts["scores"]["rows"]}
    assert scores["gjp-1001-0", "gjp:600"] == pytest.approx(2 * 0.1**2)
    assert scores["gjp-1002-0", "gjp:600"] == pytest.approx(0.15**2 + 0.2**2 + 0.05**2)


def ordered_files(folder):
    """Write a question of the project whose four answers are in order, and one forecast of it."""
    asked, survey = folder / "ifps.csv", folder / "survey.csv"
    head = (FORMATS / "gjp-ifps.csv").read_text().splitlines()[0]
    asked.write_text(
        f"{head}\n1113-6,6,When will the post fall vacant?,By its office.,closed,9/1/11,"
        "11/29/11 0:00,11/30/11,11/30/11,c,post,90,4,"
        '"(a) In September, (b) In October, (c) In November, (d) Not before 1 December"\n'
    )
    head = (FORMATS / "gjp.csv").read_text().splitlines()[0]
    rows = [
        f'"1113-6","1a",1,"a",NA,"600",-9,1,"{letter}",{p},"2011-09-02",2,"closed",NA,1,'
        '"2011-09-02 16:20:13"'
        for letter, p in zip("abcd", ("0.15", "0.45", "0.25", "0.15"), strict=True)
    ]
    survey.write_text("\n".join([head, *rows]) + "\n")
    return [asked, survey]


@pytest.mark.parametrize("first", [0, 1])
def test_answers_in_order_are_scored_in_order_whichever_file_comes_first(first, ledger, tmp_path):
    files = ordered_files(tmp_path)
    for path in (files[first], files[1 - first], *files):
        counts = import_record(ledger, path, now=NOW, zone=EASTERN, check_scores=True)
        assert counts["refused"] == []
    [asked] = ledger.questions()
    assert (asked.space.type, asked.space.options) == ("ordered", ("a", "b", "c", "d"))
    [score] = counts["scores"]["rows"]
    # Not .81, the Brier score of answers in no order: the published example of ordered ones.
    assert score["ours"] == pytest.approx(0.27)
    own = scores(ledger, selection=Selection(kind="imported"))
    assert [one["type"] for one in own] == ["ordered"]


def test_answers_in_order_are_in_order_in_the_common_schema(ledger, tmp_path):
    path = tmp_path / "common.csv"
    rows = [
        f"{place},1113.0,600.0,NA,{p},{letter},2011-09-02 20:20:13+00:00,c,"
        "2011-09-01 04:00:00+00:00,2011-11-29 05:00:00+00:00,2011-11-30 05:00:00+00:00,90 days,4,"
        f'"(a) In September, (b) In October, (c) In November, (d) Later",resolved,{kind}'
        for kind in ("6", "6.0", "0")
        for place, (letter, p) in enumerate(
            zip("abcd", ("0.15", "0.45", "0.25", "0.15"), strict=True)
        )
    ]
    for number, kind in enumerate(("ordered", "ordered", "categorical")):
        some = [
            one.replace("1113.0", f"111{number}.0") for one in rows[4 * number : 4 * number + 4]
        ]
        path.write_text("\n".join(["," + COMMON, *some]) + "\n")
        assert import_record(ledger, path, now=NOW)["added"] == 1
        assert {one.space.type for one in ledger.questions() if f"111{number}" in one.id} == {kind}


def test_the_common_schema_tells_its_sources_apart(ledger):
    counts = bring(ledger, "iqisa.csv")
    one_third = ("0.004975124", "0.990049752", "0.004975124")
    assert forecasts_of(ledger) == {
        ("iqisa-101-20100501", "iqisa:ana", ("0.8",)),
        ("iqisa-101-20100501", "iqisa:ben", ("0.6",)),
        ("iqisa-102-20100501", "iqisa:ana", ("0.5",)),
        ("iqisa-103-20100501", "iqisa:ana", ("0.25",)),
        # Its deadline had passed when it was asked.
        ("iqisa-104-20100501", "iqisa:ana", ("1",)),
        ("iqisa-101-20160501", "crowd:metaculus", ("0.55",)),
        ("iqisa-1001-20110901", "iqisa:600", ("0.1",)),
        ("iqisa-1002-20110901", "iqisa:600", one_third),
        ("iqisa-1039-1-20110901", "iqisa:600", ("0.7",)),
    }
    assert {name: one.outcome for name, one in outcomes_of(ledger).items()} == {
        "iqisa-101-20100501": "yes",
        "iqisa-101-20160501": "no",
        "iqisa-102-20100501": "annulled",
        "iqisa-104-20100501": "yes",
        "iqisa-1001-20110901": "no",
        "iqisa-1002-20110901": "b",
        "iqisa-1039-1-20110901": "annulled",
    }
    assert reasons(counts) == [
        "answers (a): the question has a, b, c",
        "probability (1.3): must lie from 0 to 1",
    ]


def test_real_forecasts_of_a_site_come_in_whole_through_the_common_schema(ledger, tmp_path, shared):
    with gzip.open(shared / "data" / "crowd_history.csv.gz", "rt") as file:
        rows = [row for row in csv.DictReader(file) if int(row["question"]) % 20 == 0]
    path = tmp_path / "iqisa.csv"
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(COMMON.split(","))
        for row in rows:
            times = [row[k].replace("Z", "+00:00") for k in ("opens", "closes", "resolved_at")]
            out.writerow(
                (
                    *(row["question"], row["forecaster"], 0, row["forecast"], 1, row["issued_at"]),
                    *(f"{row['outcome']}.0", *times, "", 2, "(0) No, (1) Yes", "resolved", 0),
                )
            )
    counts = import_record(ledger, path, now=NOW, check_scores=True)
    assert counts["added"] + counts["duplicates"] + len(counts["refused"]) == counts["in"]
    assert counts["refused"] == []
    # Every row, whatever it states; three rows stand twice on the site itself.
    assert counts["in"] == len(rows)
    assert counts["forecasts"] == len(rows) - counts["duplicates"]
    ends = {name: float(one.outcome == "yes") for name, one in outcomes_of(ledger).items()}
    brier = [(one.value.numbers[0] - ends[one.question]) ** 2 for one in ledger.forecasts()]
    once = {(r["question"], r["forecaster"], r["issued_at"]): r for r in rows}.values()
    expected = [(float(row["forecast"]) - float(row["outcome"])) ** 2 for row in once]
    assert sum(brier) / len(brier) == pytest.approx(sum(expected) / len(expected))
    again = import_record(ledger, path, now=NOW)
    assert (again["added"], again["duplicates"], again["refused"]) == (0, counts["in"], [])
