"""Manifold, Polymarket and Kalshi: prices are probabilities of yes, whoever bought what."""

import json

import pytest

from forecasting.app.ledger.export import export_record
from forecasting.app.ledger.importing import import_record
from forecasting.domain.resolution import outcomes
from tests.exchange.conftest import NOW, memory
from tests.exchange.tables import FORMATS


def bring(ledger, name, **more):
    return import_record(ledger, FORMATS / name, now=NOW, check_scores=True, **more)


def by_title(ledger):
    return {one.title: one.id for one in ledger.questions()}


def numbers(ledger, question):
    forecasts = sorted(ledger.forecasts(question=question), key=lambda one: one.issued_at)
    return [(one.forecaster, one.value.entered[0]) for one in forecasts]


def outcomes_of(ledger):
    titles = {one.id: one.title for one in ledger.questions()}
    return {
        titles[name]: (one.outcome, one.note)
        for name, one in outcomes(ledger.resolutions()).items()
    }


def reasons(counts):
    return sorted(one["reason"] for one in counts["refused"])


def test_a_bet_on_no_is_kept_as_the_price_of_yes_of_the_market_and_of_its_maker(ledger):
    bring(ledger, "manifold.json", me="ana", user="u1")
    bridge = by_title(ledger)["Will the bridge at Oskil open to lorries by July?"]
    assert numbers(ledger, bridge) == [
        ("ana", "0.6"),
        ("market:manifold", "0.6"),
        ("manifold:u2", "0.4"),
        ("market:manifold", "0.4"),
        # Of one millisecond: the order of u1 was filled first, and u3 moved the price on.
        ("ana", "0.9"),
        ("manifold:u3", "0.92"),
        ("market:manifold", "0.92"),
    ]


def test_what_moved_no_price_and_what_holds_no_probability_is_refused(ledger):
    counts = bring(ledger, "manifold.json")
    assert [one.partition(".")[0] for one in reasons(counts)] == [
        "bet: a limit order that nothing filled",
        "bet: a redemption of shares moves no price",
        "market nUm: outcomeType (PSEUDO_NUMERIC): holds no probability",
        "outcomeType (PSEUDO_NUMERIC): holds no probability",
        "question (manifold-gone): neither this file nor the ledger says what was asked",
    ]


def test_ids_that_differ_in_case_alone_are_two_markets(ledger):
    bring(ledger, "manifold.json")
    ids = by_title(ledger)
    assert (
        ids["Will a second envoy ever travel?"]
        != ids["Will the bridge at Oskil open to lorries by July?"]
    )


def test_what_manifold_resolved_to_a_price_or_cancelled_is_annulled(ledger):
    bring(ledger, "manifold.json")
    assert outcomes_of(ledger) == {
        "Will the bridge at Oskil open to lorries by July?": ("yes", ""),
        "Will a second envoy ever travel?": ("annulled", "MKT 0.35"),
        "Where will the talks be held?: Geneva": ("no", ""),
        "Where will the talks be held?: Istanbul": ("yes", ""),
        "Asked in error?": ("annulled", "CANCEL"),
    }


def test_each_answer_is_known_when_it_is_said_to_be_also_while_its_market_is_open(
    ledger, import_text
):
    day, begins = 86_400_000, 1_736_000_000_000
    answers = [
        {"id": "x1", "text": "Geneva", "resolution": "YES", "resolutionTime": begins + 10 * day},
        {"id": "x2", "text": "Doha", "resolution": "NO", "resolutionTime": begins + 20 * day},
        {"id": "x3", "text": "Riyadh"},
        {"text": "nameless"},
    ]
    market = {
        "id": "m", "question": "Where will they meet?", "outcomeType": "MULTIPLE_CHOICE",
        "createdTime": begins, "closeTime": begins + 60 * day, "answers": answers,
    }  # fmt: skip
    bets = [
        {"id": f"b{answer}", "userId": "u", "contractId": "m", "answerId": answer, "amount": 5,
         "createdTime": begins + day, "probBefore": 0.3, "probAfter": 0.4}
        for answer in ("x1", "x2", "x3")
    ]  # fmt: skip
    closed = market | {
        "isResolved": True, "resolution": "CHOOSE_MULTIPLE", "resolutionTime": begins + 50 * day,
        "resolutions": {"x3": 0},
    }  # fmt: skip
    for number, one in enumerate((market, closed)):
        counts = import_text({"markets": [one], "bets": bets})
        assert reasons(counts) == ["answer : id: is missing"]
        known = {
            each.question: (each.outcome, (each.resolved_at.timestamp() * 1000 - begins) / day)
            for each in outcomes(ledger.resolutions()).values()
        }
        names = by_title(ledger)
        assert known == {
            names["Where will they meet?: Geneva"]: ("yes", 10),
            names["Where will they meet?: Doha"]: ("no", 20),
        } | ({names["Where will they meet?: Riyadh"]: ("no", 50)} if number else {})


def test_a_market_that_never_closes_is_open_to_the_end_of_the_calendar(ledger):
    bring(ledger, "manifold.json")
    never = by_title(ledger)["Will a second envoy ever travel?"]
    closes = {one.id: one.closes for one in ledger.questions()}[never]
    assert closes.year == 2999


def test_manifold_scores_the_middle_of_the_prices_before_and_after_a_bet(ledger):
    counts = bring(ledger, "manifold.json", me="ana", user="u1")
    bridge = by_title(ledger)["Will the bridge at Oskil open to lorries by July?"]
    scores = {
        one["forecaster"]: one["ours"]
        for one in counts["scores"]["rows"]
        if one["question"] == bridge
    }
    # Middles: ana .55 and .65, u2 .5, u3 .91; what the market stood at is no bet of its own.
    assert scores == {
        "ana": pytest.approx((0.45**2 + 0.35**2) / 2),
        "manifold:u2": pytest.approx(0.25),
        "manifold:u3": pytest.approx(0.09**2),
    }


def test_each_bet_counts_once_whoever_moved_the_price_on_in_the_same_millisecond(import_text):
    at = 1746093600000
    bets = [
        ("a", "u1", 0.5, 0.6, at), ("b", "u2", 0.6, 0.7, at), ("c", "u1", 0.7, 0.8, at),
        ("d", "u3", 0.8, 0.4, at + 9), ("e", "u1", 0.4, 0.6, at + 99),
    ]  # fmt: skip
    market = {"id": "m1", "question": "Will it hold?", "outcomeType": "BINARY",
              "createdTime": at - 9999, "closeTime": at + 10**10, "resolution": "YES",
              "resolutionTime": at + 10**9}  # fmt: skip
    market["bets"] = [
        {"id": one, "userId": who, "contractId": "m1", "createdTime": when, "amount": 1,
         "probBefore": before, "probAfter": after}
        for one, who, before, after, when in bets
    ]  # fmt: skip
    [rule] = import_text([market], check_scores=True)["scores"]["rules"]
    each = [(1 - (before + after) / 2) ** 2 for _, _, before, after, _ in bets]
    assert rule["n_forecasts"] == len(bets)
    assert rule["per_forecast"] == pytest.approx(sum(each) / len(bets))


def test_the_price_of_no_is_turned_over_and_every_market_has_one_forecaster(ledger):
    counts = bring(ledger, "polymarket.json")
    truce = by_title(ledger)["Will a truce be signed by June 30?"]
    assert numbers(ledger, truce) == [
        ("market:polymarket", "0.42"),
        # The price of No at that second says the same: .595.
        ("market:polymarket", "0.405"),
        ("market:polymarket", "0.3"),
    ]
    assert counts["duplicates"] == 1
    assert reasons(counts) == [
        "history (9999): no market here or in the file is called so",
        "p (1.2): must lie from 0 to 1",
    ]


def test_polymarket_stands_resolved_only_where_the_oracle_has_spoken(ledger):
    bring(ledger, "polymarket.json")
    assert outcomes_of(ledger) == {
        "Will a truce be signed by June 30?": ("no", ""),
        "Who wins the run-off? (Petrova)": ("annulled", "resolved to 0.5 and 0.5"),
    }


@pytest.mark.parametrize(
    ("prices", "outcome"),
    [(("0.9995", "0.0005"), "yes"), (("0.004", "0.996"), "no"), (("0.6", "0.4"), "annulled")],
)
def test_what_the_oracle_paid_is_read_from_prices_that_stopped_a_cent_short(
    ledger, import_text, prices, outcome
):
    items = json.loads((FORMATS / "polymarket.json").read_bytes())
    items[0] |= {"outcomePrices": json.dumps(prices)}
    import_text(items[:1])
    assert [word for word, _ in outcomes_of(ledger).values()] == [outcome]


def test_a_history_in_a_zip_is_its_markets_by_token_or_slug(ledger):
    bring(ledger, "polymarket-histories.zip")
    truce = by_title(ledger)["Will a truce be signed by June 30?"]
    assert [price for _, price in numbers(ledger, truce)] == ["0.42", "0.405", "0.3"]


def test_cents_dollars_and_quotes_are_one_price(ledger):
    counts = bring(ledger, "kalshi.json")
    june = by_title(ledger)["Will a truce be signed? (By June 30)"]
    assert numbers(ledger, june) == [
        ("market:kalshi", "0.43"),
        ("market:kalshi", "0.01"),
        ("market:kalshi", "0.47"),
        ("market:kalshi", "0.515"),
    ]
    september = by_title(ledger)["Will a truce be signed? (By September 30)"]
    assert numbers(ledger, september) == [("market:kalshi", "0.55")]
    assert reasons(counts) == [
        "candle: no trade, and no bid and ask to stand for one",
        "market_type (scalar): its price is no probability",
    ]
    assert outcomes_of(ledger) == {
        "Will a truce be signed? (By June 30)": ("yes", ""),
        "Will a truce be signed? (By September 30)": ("annulled", "result void"),
    }
    events = {one.event for one in ledger.questions() if "truce" in one.title}
    assert len(events) == 1


def test_kalshi_knows_an_outcome_when_it_settled_not_when_the_market_may_expire_at_last(
    ledger, import_text
):
    items = json.loads((FORMATS / "kalshi.json").read_bytes())
    market = items["markets"][0] | {"expiration_time": "2099-01-01T00:00:00Z"}
    del market["settlement_ts"]
    import_text({"markets": [market]})
    (outcome,) = outcomes(ledger.resolutions()).values()
    assert f"{outcome.resolved_at:%Y-%m-%d %H:%M}" == "2025-06-30 23:59"


def test_a_history_by_token_or_slug_finds_the_market_of_an_earlier_file(ledger, import_text):
    items = json.loads((FORMATS / "polymarket.json").read_bytes())
    markets = [{**one, "history": []} for one in items if "clobTokenIds" in one]
    histories = [
        {"token": "7112", "history": [{"t": 1746273600, "p": 0.7}]},
        {"token": "7131", "history": [{"t": 1746273600, "p": 0.2}]},
        {"token": "run-off", "history": [{"t": 1746273600, "p": 0.61}]},
        {"token": "9999", "history": [{"t": 1746273600, "p": 0.5}]},
    ]
    import_text(markets)
    counts = import_text(histories)
    assert {(one.question[-1], one.value.entered[0]) for one in ledger.forecasts()} == {
        ("1", "0.3"), ("2", "0.61"), ("3", "0.2"),
    }  # fmt: skip
    assert [one["reason"] for one in counts["refused"]] == [
        "history (9999): no market here or in the file is called so"
    ]
    assert counts["in"] == counts["added"] + counts["duplicates"] + len(counts["refused"]) == 4


@pytest.mark.parametrize("resolved", [False, True])
def test_a_market_that_states_no_close_comes_alone_as_with_its_bets(
    resolved, import_text, tmp_path
):
    start, day = 1735732800123, 86_400_000
    market = {"id": "m", "question": "Will it end?", "createdTime": start, "outcomeType": "BINARY"}
    if resolved:
        market |= {"isResolved": True, "resolution": "YES", "resolutionTime": start + 20 * day}
    bets = [
        {"id": f"b{n}", "userId": "u", "contractId": "m", "createdTime": start + n * day,
         "amount": 1, "probBefore": 0.5 + n / 20, "probAfter": 0.55 + n / 20}
        for n in range(1, 4)
    ]  # fmt: skip
    open_one = {name: market[name] for name in ("id", "question", "createdTime", "outcomeType")}
    files = {"both": [market, *bets], "market": [market], "bets": bets, "open": [open_one]}
    tables = []
    orders = [["both"], ["market", "bets"], ["market", "bets", "open"], ["open", "bets", "market"]]
    for order in orders:
        with memory(tmp_path) as ledger:
            for name in order:
                assert import_text(files[name], into=ledger)["refused"] == []
            tables.append(list(export_record(ledger, "csv")[0]))
            (asked,) = ledger.questions()
            assert asked.closes.year == (2025 if resolved else 2999)
    assert all(one == tables[0] for one in tables)
    assert len(tables[0]) == 1 + 2 * 3


def test_markets_whose_prices_were_the_same_are_two_questions_and_no_renaming(ledger, tmp_path):
    for number in (1, 2):
        market = {
            "conditionId": f"0x{number:064}", "question": f"Will candidate {number} win?",
            "slug": f"candidate-{number}", "outcomes": '["Yes", "No"]',
            "outcomePrices": "[0.5, 0.5]", "clobTokenIds": f'["7{number}", "8{number}"]',
            "startDate": "2025-05-01T00:00:00Z", "endDate": "2025-06-30T12:00:00Z",
            "history": [{"t": 1746273600, "p": 0.5}],
        }  # fmt: skip
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps([market]))
        counts = import_record(ledger, path, now=NOW)
        assert counts["added"] == 2
        assert not any("renamed" in one for one in counts["notes"])
