"""Today: what needs a person, what a fresh look is worth, and reminders of it."""

import datetime as dt
import email
import email.policy

import pytest

from forecasting import clock
from forecasting.app.book import Book, listed
from forecasting.domain import Resolution, Withdrawal
from forecasting.domain.evidence import Effect
from forecasting.errors import InvalidInput
from forecasting.review.due import MOST, SECTIONS
from forecasting.review.reminders import calendar, mail
from forecasting.store import Ledger
from tests.season import between, item, word
from tests.steps import steps
from tests.workspace import NOW as LATER
from tests.workspace import workspace

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def _question(name, *, opens=-60, closes=40, **more):
    return between(name, NOW + opens * DAY, NOW + closes * DAY, criteria="", **more)


def _forecast(question, who, p, days):
    return word(question, who, p, NOW + days * DAY)


def _news(key, target, days, form="bears"):
    detail = {} if form == "bears" else {"a": 1.0, "b": 0.5, "u": 0.7}
    return item(key, Effect(target, form, detail), NOW + days * DAY)


def today(ledger, now=NOW):
    with clock.at(now):
        return Book(ledger, forecaster="ana", give=listed).today()


def due(ledger, now=NOW, **more):
    with clock.at(now):
        return Book(ledger, forecaster="ana", give=listed).due(**more)


def test_what_is_said_beside_what_is_due_reads_no_forecast_again(ledger, monkeypatch):
    reads, read = [], Ledger.brief_forecasts
    monkeypatch.setattr(Ledger, "brief_forecasts", lambda *a, **k: reads.append(a) or read(*a, **k))
    with clock.at(NOW):
        book = Book(ledger, forecaster="ana", give=listed)
        book.due()
        book.without_criteria()
    assert len(reads) == 2  # mine and the model's


@pytest.fixture
def ledger():
    with Ledger.open("sqlite:///:memory:", create=True) as memory:
        _fill(memory)
        yield memory


def _fill(memory):
    late, soon, calm = _question("late", closes=-2), _question("soon", closes=3), _question("calm")
    moved, new, withdrawn = (
        _question("moved"),
        _question("new", answer="truce = on"),
        _question("gone"),
    )
    done = _question("done")
    memory.append([late, soon, calm, moved, new, withdrawn, done], recorded_at=NOW - 60 * DAY)
    memory.append(
        [
            _forecast(moved, "model", "0.2", -20), _forecast(moved, "ana", "0.2", -15),
            _forecast(calm, "ana", "0.1", -1), _forecast(calm, "model", "0.1", -1),
            _forecast(soon, "ana", "0.5", -1),
            _forecast(withdrawn, "ana", "0.5", -3),
        ],
        recorded_at=NOW - 15 * DAY,
    )  # fmt: skip
    memory.append(
        [
            _forecast(moved, "model", "0.6", -2),
            Withdrawal("gone", "ana", NOW - 2 * DAY),
            Resolution("done", "yes", NOW - DAY, "https://example.org"),
            _news("one", "truce=on", -5), _news("two", "calm", -0.5, "likelihood"),
            _news("old", "done", -5),
        ],
        recorded_at=NOW,
    )  # fmt: skip


def test_the_sections_of_today(ledger):
    rows = today(ledger)
    sections = {
        name: [r.get("question") for r in rows if r["section"] == name] for name in SECTIONS
    }
    assert sections["due"] == ["late"]
    assert sections["closes soon"] == ["soon"]
    assert sections["moved"] == ["moved"]
    assert sections["never answered"] == []
    assert "new" in sections["fresh look"], "a question without a forecast stands in one part"
    assert sections["fresh look"][0] == "moved"
    assert len(sections["fresh look"]) <= MOST
    (news,) = [row for row in rows if row["section"] == "news not coded"]
    assert news["title"] == "News one"
    (moved,) = [row for row in rows if row["section"] == "moved"]
    assert moved["change"] == pytest.approx(0.4)
    assert (moved["mine"], moved["model"]) == (0.2, 0.6)
    assert moved["difference"] == pytest.approx(-0.4)


def test_what_a_fresh_look_is_worth_by_hand(ledger):
    rows = {row["question"]: row for row in due(ledger)}
    assert "done" not in rows
    assert rows["gone"]["reason"] == "withdrawn"
    assert rows["gone"]["mine"] is None
    assert rows["new"]["news_since"] == 1
    moved = rows["moved"]
    # Of 0.2 with 55 days to go, 40 are left: 1 - 0.8^(40/55) remains. 40 of 100 days are left.
    stale = 0.2 - (1 - 0.8 ** (40 / 55))
    assert moved["staleness"] == pytest.approx(stale)
    assert moved["hazard"] == pytest.approx(1 - 0.8 ** (1 / 40))
    assert moved["distance"] == pytest.approx(0.4)
    assert moved["age_days"] == 15
    assert moved["value"] == pytest.approx(0.4 * (0.4**2 + stale**2))
    calm = rows["calm"]
    quiet = 0.1 - (1 - 0.9 ** (40 / 41))
    assert calm["reason"] == "1 news since"
    assert calm["value"] == pytest.approx(0.4 * (quiet**2 + (0.3 * 0.1 * 0.9) ** 2))
    assert rows["new"]["value"] == pytest.approx(0.4 * (1 / 12 + (0.3 * 0.25) ** 2))


def test_the_orders_of_due(ledger):
    by_value = due(ledger)
    assert by_value[0]["question"] == "late"
    values = [row["value"] for row in by_value[1:]]
    assert values == sorted(values, reverse=True)
    by_date = [row["deadline"] for row in due(ledger, by="date")]
    assert by_date == sorted(by_date)
    with pytest.raises(InvalidInput, match="by"):
        due(ledger, by="name")


@pytest.mark.usefixtures("quick_fits")
def test_what_facts_decide_stands_under_outcomes_to_record(tmp_path, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", NOW.isoformat())
    with Book.open(str(tmp_path / "book.db"), forecaster="ana", create=True) as book:
        asked = book.ask("Will a convoy come?", by="2027-01-31", base="3 in 70 weeks")
        monkeypatch.setenv("FORECASTING_NOW", (NOW + 2 * DAY).isoformat())

        def sections():
            rows = today(book.ledger, NOW + 2 * DAY)
            board = {name for name, needs in book.needs().items() if needs}
            assert {row["section"] for row in rows} == board
            return board

        assert sections() == {"fresh look"}
        fact = book.add_news(
            "A convoy came", source="wire", grade="A", on=[f"{asked['process']}=event"],
            known_at=NOW + DAY, confirmed=True,
        )  # fmt: skip
        assert sections() == {"due"}
        (row,) = due(book.ledger, NOW + 2 * DAY)
        assert (row["reason"], row["decided"]) == ("record the outcome, facts say yes", "yes")
        assert mail([row], forecaster="ana", now=NOW).count(b"1 outcome due") == 1
        # A fact from before the question opened, or one that was taken back, decides nothing.
        book.retract_news(str(fact["seq"]), because="it was another convoy")
        assert sections() == {"fresh look"}


BROKEN = """\
watched: 2026-11-20
processes:
  truce: {moves: {none > on: once in 8 mo, on > none: once in 8 mo}, since 2026-03-01: none,
    2026-06-01: on}
questions:
  holds: {title: Will it hold?, opens: 2026-11-15, closes: 2026-12-31,
    answer: truce=on through close}
  breaks: {title: Will it break?, opens: 2026-11-15, closes: 2026-12-31,
    answer: truce=none by close}
"""


def test_what_facts_decide_is_read_with_the_dated_history_of_the_file(tmp_path):
    """Without it the truce had never begun, and that it broke was no news."""
    with clock.at(LATER), Book.open(workspace(tmp_path, BROKEN), forecaster="ana") as book:
        assert not any(row["decided"] for row in due(book.ledger, LATER))
        book.add_news("It broke", source="wire", grade="A", known_at="2026-11-27T09:00Z",
                      on=["truce=none"])  # fmt: skip
        decided = {row["question"]: row["decided"] for row in due(book.ledger, LATER)}
        assert decided == {"holds": "no", "breaks": "yes"}


def test_frames(ledger, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", NOW.isoformat())
    book = Book(ledger, forecaster="ana")
    assert {"section", "question", "mine", "model", "difference"} <= set(book.today())
    assert book.due()["deadline"].dt.tz is not None
    with Ledger.open("sqlite:///:memory:", create=True) as nothing:
        empty = Book(nothing, forecaster="ana")
        assert list(empty.due()) == list(book.due())
        assert "section" in empty.today()


def test_a_calendar_keeps_its_rules():
    row = {
        "question": "q@2026-12-31", "title": "Wird Übermut, Größe; \\ oder\x07 漢字 " * 6,
        "reason": "stale\nand old", "deadline": NOW, "mine": 0.1, "model": None, "value": 0.01,
    }  # fmt: skip
    text = calendar([row, row | {"question": "other"}], NOW)
    raw = text.encode()
    assert raw.endswith(b"END:VCALENDAR\r\n")
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    for line in lines:
        line.decode()  # no fold stands inside a character
        assert not any(byte < 32 for byte in line)
    whole = text.replace("\r\n ", "")
    assert "SUMMARY:Wird Übermut\\, Größe\\; \\\\ oder 漢字" in whole
    uids = [line for line in whole.split("\r\n") if line.startswith("UID:")]
    assert len(set(uids)) == 2
    later = calendar([row], NOW + DAY).replace("\r\n ", "")
    assert uids[0] in later
    assert "DTSTART:20261101T000000Z" in whole


def test_an_outcome_is_due_by_the_day_by_which_it_is_known(ledger):
    known = _question("known", closes=-9, resolves_by=NOW - 3 * DAY)
    ledger.append([known], recorded_at=NOW)
    (row,) = [row for row in due(ledger) if row["question"] == "known"]
    assert (row["deadline"], row["ends"]) == (NOW - 3 * DAY, "end of 2026-10-28 UTC")


def test_a_mail_is_read_back(ledger):
    rows = due(ledger)
    raw = mail(rows, forecaster="ana\nBcc: eve@example.org", now=NOW)
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert message["Bcc"] is None
    assert message["Subject"] == "Forecasts: 1 outcome and 5 forecasts due"
    assert "deadline: end of 2026-12-10 UTC" in message.get_content()
    assert "Will late happen?" in message.get_content()


def test_thousands_of_questions_take_little_longer_than_reading_them(tmp_path):
    with Ledger.open(str(tmp_path / "many.db"), create=True) as many:
        asked = [_question(f"q{i}", closes=i % 400, answer=f"p{i % 50} = on") for i in range(3_000)]
        forecasts = [
            _forecast(question, who, f"0.{10 + i % 80}", -1 - i % 30)
            for i, question in enumerate(asked)
            for who in ("ana", "model")
        ]
        news = [_news(str(i), f"p{i % 50}=on", -(i % 40)) for i in range(150)]
        many.append([*asked, *forecasts, *news], recorded_at=NOW)

        def read():
            many.questions(head=many.head().seq)
            many.forecasts()

        ratio = steps(lambda: today(many)) / steps(read)
    assert ratio < 1.5
