"""Files of other platforms in parts, in any order, and several in one zip."""

import csv
import datetime as dt
import io
import itertools
import json
import random
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from forecasting.app.ledger.export import export_record
from forecasting.app.ledger.importing import import_record, import_undo
from forecasting.domain.resolution import outcomes
from forecasting.errors import InvalidInput
from forecasting.store.undone import undone
from tests.exchange.conftest import NOW, memory
from tests.exchange.tables import FORMATS, first_question, rewritten, table

ZONE = {"gjp": "America/New_York"}
HOUR = dt.timedelta(hours=1)


def content_of(ledger):
    """Give what a ledger holds of questions, forecasts and outcomes, whatever their order."""
    return (
        {one.id: repr(one) for one in ledger.questions()},
        {
            (one.question, one.forecaster, one.issued_at): (one.value.entered, one.because)
            for one in ledger.forecasts()
        },
        {
            name: (one.outcome, one.resolved_at, one.note)
            for name, one in outcomes(ledger.resolutions()).items()
        },
    )


def bring(ledger, path):
    zone = ZONE.get(path.stem.partition("-")[0], "")
    return import_record(ledger, path, now=NOW, zone=zone)


def of(path, tmp_path):
    with memory(tmp_path) as ledger:
        bring(ledger, path)
        return content_of(ledger)


@pytest.mark.parametrize(
    ("name", "of_forecast"),
    [("gjp", ("user_id", "ifp_id", "timestamp")), ("iqisa", ("question_id", "user_id"))],
)
@pytest.mark.parametrize("seed", range(4))
def test_a_table_cut_between_forecasts_is_the_whole(name, of_forecast, seed, tmp_path):
    whole = FORMATS / f"{name}.csv"
    first, *rows = list(csv.reader(whole.read_text().splitlines()))
    columns = [first.index(column) for column in of_forecast]
    keys = sorted({tuple(row[i] for i in columns) for row in rows})
    by = random.Random(seed)
    by.shuffle(keys)
    with memory(tmp_path) as ledger:
        for number, some in enumerate((keys[: 2 + seed], keys[2 + seed :])):
            piece = tmp_path / f"{name}-{number}.csv"
            with piece.open("w", newline="") as file:
                mine = [row for row in rows if tuple(row[i] for i in columns) in some]
                csv.writer(file).writerows([first, *mine])
            with suppress(InvalidInput):
                # A piece may hold nothing but what is refused.
                bring(ledger, piece)
        assert content_of(ledger) == of(whole, tmp_path)


def test_candles_in_pieces_after_their_market_are_the_whole(tmp_path):
    items = json.loads((FORMATS / "kalshi.json").read_bytes())["markets"]
    markets = [one for one in items if "event_ticker" in one]
    candles = [
        {**one, "candlesticks": [candle]}
        for one in items
        if "candlesticks" in one
        for candle in one["candlesticks"]
    ]
    random.Random(3).shuffle(candles)
    with memory(tmp_path) as ledger:
        for number, some in enumerate((markets, candles[:3], candles[2:5], candles[4:])):
            piece = tmp_path / f"kalshi-{number}.json"
            piece.write_text(json.dumps(some))
            bring(ledger, piece)
        assert content_of(ledger) == of(FORMATS / "kalshi.json", tmp_path)


@pytest.mark.parametrize(
    "pair",
    [
        ("manifold.json", "manifold-both.zip"),
        ("cultivate.json", "cultivate-pages.zip"),
        ("forecastbench.json", "forecastbench-sets.zip"),
    ],
)
def test_a_zip_of_the_parts_is_the_whole(pair, tmp_path):
    assert of(FORMATS / pair[0], tmp_path) == of(FORMATS / pair[1], tmp_path)


def parts(name, tmp_path):
    """Unpack a zip into files, each named after its format."""
    paths = []
    with zipfile.ZipFile(FORMATS / name) as archive:
        for number, member in enumerate(sorted(archive.namelist())):
            path = tmp_path / f"{name.partition('-')[0]}-{number}{Path(member).suffix}"
            path.write_bytes(archive.read(member))
            paths.append(path)
    return paths


def test_a_survey_before_its_questions_is_the_same_as_after_them(tmp_path):
    survey, asked = sorted(
        parts("gjp-both.zip", tmp_path), key=lambda p: b"q_text" in p.read_bytes()
    )
    both = of(FORMATS / "gjp-both.zip", tmp_path)
    for order in ([survey, asked], [asked, survey], [survey, survey, asked, survey]):
        with memory(tmp_path) as ledger:
            for path in order:
                bring(ledger, path)
            assert content_of(ledger) == both


def test_sets_of_a_question_of_yes_or_no_may_come_before_it(tmp_path):
    whole = json.loads((FORMATS / "cultivate.json").read_bytes())
    for page in whole:
        for key, one in page.items():
            page[key] = [x for x in one if 7 in (x["id"], x.get("question_id"))]
    asked, *sets = (tmp_path / f"cultivate-{n}.json" for n in range(3))
    for path, page in zip([asked, *sets], whole, strict=True):
        path.write_text(json.dumps(page))
    with memory(tmp_path) as first, memory(tmp_path) as second:
        for path in (asked, *sets):
            bring(first, path)
        for path in (*sets, asked):
            bring(second, path)
        assert content_of(first) == content_of(second)
        assert [one.outcome for one in first.resolutions()] == ["yes"]


def test_sets_of_any_question_follow_it_in_a_file_of_their_own(tmp_path):
    pages = json.loads((FORMATS / "cultivate.json").read_bytes())
    asked = [{"questions": page["questions"]} for page in pages if "questions" in page]
    sets = [{"prediction_sets": p["prediction_sets"]} for p in pages if "prediction_sets" in p]
    assert asked
    assert sets
    with memory(tmp_path) as ledger:
        for number, page in enumerate((asked, sets)):
            path = tmp_path / f"cultivate-{number}.json"
            path.write_text(json.dumps(page))
            counts = bring(ledger, path)
            refused = len(counts["refused"])
            assert counts["in"] == counts["added"] + counts["duplicates"] + refused
        assert any(len(one.id.split("-")) == 4 for one in ledger.questions())
        assert content_of(ledger) == of(FORMATS / "cultivate.json", tmp_path)


@pytest.mark.parametrize("name", ["manifold", "polymarket", "kalshi", "forecastbench"])
def test_forecasts_without_their_question_are_refused_with_the_way_out(name, tmp_path, ledger):
    alone = {
        "manifold": [
            {"id": "b", "userId": "u", "contractId": "c", "createdTime": 1748000000000,
             "amount": 1, "probBefore": 0.5, "probAfter": 0.6}
        ],
        "polymarket": {"market": "0xabc", "history": [{"t": 1748000000, "p": 0.5}]},
        "kalshi": {"ticker": "KX", "candlesticks": [
            {"end_period_ts": 1748000000, "price": {"close": 50}}]},
        "forecastbench": {"organization": "E", "forecast_due_date": "2025-03-02", "forecasts": [
            {"id": "a", "source": "manifold", "forecast": 0.5}]},
    }  # fmt: skip
    path = tmp_path / f"{name}.json"
    path.write_text(json.dumps(alone[name]))
    with pytest.raises(InvalidInput, match="neither this file nor the ledger") as refused:
        bring(ledger, path)
    assert "one zip" in str(refused.value)
    assert ledger.head().seq == 0


def tidy(ledger):
    """Give the rows of the table that a ledger writes, whatever their order."""
    return sorted(export_record(ledger, "csv")[0])


def cut(path, member, keys, folder):
    """Cut a table, or one in a zip, in two: the rows of these numbers, and the others."""

    def part(wanted):
        def of(name, rows):
            if name != member:
                return rows
            # When a set of ForecastBench was made, which is in its other rows alone, dates this.
            late = "Was it settled before its deadline?"
            rows = [row for row in rows if row.get("question") != late]
            return [row for n, row in enumerate(rows) if (n in keys) is wanted]

        piece = folder / f"{int(not wanted)}-{path.name}"
        if member:
            return rewritten(path, piece, of)
        reader = csv.DictReader(path.read_text().splitlines())
        piece.write_text(table(of("", list(reader)), header=reader.fieldnames))
        return piece

    return [part(True), part(False)]


@pytest.mark.parametrize(
    ("name", "member"), [("forecastbench-table.csv", ""), ("metaculus.zip", "forecast_data.csv")]
)
@pytest.mark.parametrize("seed", range(4))
def test_rows_cut_anywhere_in_any_order_write_the_same_table(name, member, seed, tmp_path):
    path = FORMATS / name
    with memory(tmp_path) as ledger:
        bring(ledger, cut(path, member, range(99), tmp_path)[0])
        whole = tidy(ledger)
    keys = {n for n in range(40) if random.Random(f"{seed} {n}").random() < 0.5}
    pieces = cut(path, member, keys, tmp_path)
    for order in (pieces, pieces[::-1], [*pieces, pieces[0]]):
        with memory(tmp_path) as ledger:
            for piece in order:
                with suppress(InvalidInput):
                    # A piece may hold nothing but what is refused.
                    bring(ledger, piece)
            assert tidy(ledger) == whole


def test_an_end_whose_next_forecast_comes_later_is_no_withdrawal(tmp_path):
    path = FORMATS / "metaculus.zip"
    with zipfile.ZipFile(path) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("forecast_data.csv").decode())))
    starts = {(row["Question ID"], row["Forecaster Username"], row["Start Time"]) for row in rows}
    followed = {
        n
        for n, row in enumerate(rows)
        if (row["Question ID"], row["Forecaster Username"], row["End Time"]) in starts
    }
    assert followed
    first, second = cut(path, "forecast_data.csv", followed, tmp_path)
    with memory(tmp_path) as ledger:
        notes = bring(ledger, first)["notes"]
        assert any("unless another part of the record brings it" in note for note in notes)
        before = len(undone(ledger).withdrawals)
        bring(ledger, second)
        assert len(undone(ledger).withdrawals) < before


def moved(name, folder, *, days, settled):
    """Give a platform's file as it stood before its deadlines moved, and what has come out since.

    `settled` False: nothing had come out yet.
    """
    path = folder / f"{days}-{settled}-{name}"

    def earlier(member, rows):
        for one in rows if member == "question_data.csv" else ():
            at = dt.datetime.fromisoformat(one["Scheduled Close Time"])
            one["Scheduled Close Time"] = str(at - dt.timedelta(days=days))
            if not settled:
                one |= {"Resolution": "", "Resolution Known Time": "", "Actual Close Time": ""}
        return rows if settled or member != "score_data.csv" else None

    if name.endswith(".zip"):
        return rewritten(FORMATS / name, path, earlier)
    whole = json.loads((FORMATS / name).read_bytes())
    for one in whole["predictions"] if isinstance(whole, dict) else whole:
        at = dt.datetime.fromisoformat(one["deadline"].replace("Z", "+00:00"))
        one["deadline"] = (at - dt.timedelta(days=days)).isoformat().replace("+00:00", "Z")
        if not settled:
            one["outcome"] = None
    path.write_text(json.dumps(whole))
    return path


@pytest.mark.parametrize("name", ["metaculus.zip", "predictionbook.json"])
@pytest.mark.parametrize("before", [(3, False), (-3, False), (3, True)])
def test_a_deadline_that_the_platform_moves_is_the_later_one_in_every_order(name, before, tmp_path):
    days, settled = before
    old = moved(name, tmp_path, days=days, settled=settled)
    new = moved(name, tmp_path, days=0, settled=True)
    with memory(tmp_path) as ledger:
        bring(ledger, new)
        wanted = content_of(ledger)
    contents = []
    for order in ([old, new], [new, old], [old, new, old], [new, old, new], [old, old, new, new]):
        with memory(tmp_path) as ledger:
            for path in order:
                bring(ledger, path)
            contents.append(content_of(ledger))
            head = ledger.head()
            bring(ledger, order[-1])
            assert ledger.head() == head
    assert all(one == contents[0] for one in contents)
    # Where nothing came out in between, neither file can be shown to be the later one.
    resolved = {key for key, one in wanted[2].items() if one[0] != "annulled"}
    assert len(resolved) > 1
    for of in (0, 2):
        assert {key: contents[0][of][key] for key in resolved} == {
            key: wanted[of][key] for key in resolved
        }


def corrected(folder, outcome, known, *, closed=20, of="metaculus"):
    """Give a file in which one question that closed early has this outcome, known on a day."""
    begun = dt.datetime(2025, 1, 6, tzinfo=dt.UTC)
    path = folder / f"{outcome}-{known}.{'zip' if of == 'metaculus' else 'json'}"
    at = {day: str(begun + dt.timedelta(days=day)) for day in (0, 1, closed, known, 90)}
    if of == "cultivate":
        answer = {"id": 1, "name": "Yes", "probability": float(outcome == "yes"),
                  "correctness_known_at": at[closed]}  # fmt: skip
        asked = {"id": 5, "name": "Will it hold?", "type": "Forecast::YesNoQuestion",
                 "starts_at": at[0], "ends_at": at[90], "scoring_start_time": at[0],
                 "answers": [answer], "state": "resolved", "resolved_at": at[known]}  # fmt: skip
        path.write_text(json.dumps({"questions": [asked]}))
        return path
    cells = {"Open Time": at[0], "Scheduled Close Time": at[90], "Actual Close Time": at[closed],
             "Resolution": outcome, "Resolution Known Time": at[known]}  # fmt: skip
    return first_question(path, cells)


@pytest.mark.parametrize(
    ("of", "versions"),
    [
        ("metaculus", [("yes", 20), ("no", 40), ("annulled", 50)]),
        ("metaculus", [("annulled", 20), ("yes", 40)]),
        ("metaculus", [("yes", 20), ("no", 40), ("yes", 60)]),
        ("cultivate", [("yes", 20), ("no", 40)]),
        ("cultivate", [("no", 20), ("yes", 40), ("no", 60)]),
    ],
)
def test_the_outcome_that_became_known_last_stands_in_every_order(of, versions, tmp_path):
    files = [corrected(tmp_path, outcome, known, of=of) for outcome, known in versions]
    results = []
    for order in itertools.permutations(files):
        with memory(tmp_path) as ledger:
            for path in order:
                counts = bring(ledger, path)
            if path.stem.partition("-")[0] != versions[-1][0]:
                words = "which became known later and stands"
                assert any(one.endswith(words) for one in counts["notes"])
            (standing,) = outcomes(ledger.resolutions()).values()
            # A correction is no later day of the outcome: forecasts count up to the close.
            assert standing.resolved_at.day == 26
            results.append((standing.outcome, standing.note, tidy(ledger)))
            bring(ledger, files[0])
            assert next(iter(outcomes(ledger.resolutions()).values())).outcome == standing.outcome
    assert all(one == results[0] for one in results)
    assert results[0][0] == versions[-1][0]


def test_outcomes_of_which_nothing_shows_the_later_are_named_in_both_orders(tmp_path):
    files = [corrected(tmp_path, "yes", 20), corrected(tmp_path, "no", 20)]
    stand = []
    for order in (files, files[::-1]):
        with memory(tmp_path) as ledger:
            bring(ledger, order[0])
            for path in (order[1], files[1]):
                # Whenever a file says another outcome than the one that stands.
                notes = bring(ledger, path)["notes"]
                assert any("nothing shows which was said later" in one for one in notes)
            (one,) = outcomes(ledger.resolutions()).values()
            stand.append(one.outcome)
    assert stand == ["yes", "yes"]


def test_words_that_somebody_changed_here_do_not_come_back_with_the_same_file(tmp_path, ledger):
    from forecasting.app.ledger.ask import edit

    path = FORMATS / "predictionbook.json"
    bring(ledger, path)
    name = ledger.questions()[0].id
    edit(ledger, name, {"title": "A better wording?"}, NOW)
    bring(ledger, path)
    assert {one.id: one.title for one in ledger.questions()}[name] == "A better wording?"


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_in_whatever_order_imports_are_undone_the_last_outcome_left_stands(order, tmp_path):
    told = (("yes", 20), ("no", 40), ("annulled", 50))
    with memory(tmp_path) as ledger:
        runs = [
            import_record(ledger, corrected(tmp_path, *each), now=NOW + n * HOUR)["run"]
            for n, each in enumerate(told)
        ]
        left = [0, 1, 2]
        for n, k in enumerate(order, start=3):
            import_undo(ledger, runs[k], now=NOW + n * HOUR)
            left.remove(k)
            stands = [one.outcome for one in outcomes(ledger.resolutions()).values()]
            assert stands == [told[n][0] for n in left[-1:]]
