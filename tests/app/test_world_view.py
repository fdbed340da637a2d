"""The world in Python: one simulation behind every table, and the fits as ArviZ takes them."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from forecasting.app.book import Book
from forecasting.app.forecast.predict import OWN
from forecasting.errors import InvalidInput

NOW = "2026-11-28T12:00:00Z"
CLOSE = "2027-06-30"
WORLD = """
schema: 1
zone: Europe/Kyiv
watched: 2026-11-27
processes:
  truce:
    moves: {none > on: "", on > none: "median 60 d (15..240) shape 0.8"}
    since 2025-01-01: none
    2025-06-01: on
    2025-09-01: none
    2026-10-01: on
  convoy: {event: "", since 2025-01-01: "", 2025-06-22: event, 2026-03-01: event}
  detainees:
    delivery: {agreed: 1200, announced: 2026-11-02, delivered: 0, unit: people}
    2026-11-10: 300
links:
  - while truce=none: convoy x0.3 (0.1..0.8)
    because: no convoy went under fire
    source: judgement
    known_by: 2025-01-01
questions:
  truce-on:
    {title: Truce on, type: binary,
      opens: 2026-11-01, closes: 2027-06-30, answer: truce=on on close}
  convoy-by:
    {title: A convoy, type: binary,
      opens: 2026-11-01, closes: 2027-06-30, answer: convoy by close}
  level:
    {title: State of it, type: categorical, options: [none, on],
      opens: 2026-11-01, closes: 2027-06-30, answer: truce on close}
  home:
    {title: Home, type: numeric, lower: 0, upper: 1200, unit: people,
      opens: 2026-11-01, closes: 2027-06-30, answer: detainees total}
  convoy-given:
    {title: Convoy if not, type: binary,
      opens: 2026-11-01, closes: 2027-06-30, answer: convoy by close given truce=none by close}
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bank")
    (folder / "worlds").mkdir()
    (folder / "worlds" / "small.yaml").write_text(WORLD)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORECASTING_NOW", NOW)
        with Book.open("sqlite:///:memory:", create=True, forecaster="ana") as opened:
            opened.init(folder)
            yield opened, folder


@pytest.fixture(scope="module")
def view(book):
    return book[0].world(bank=book[1])


def test_every_table_is_of_the_same_paths(view):
    states = view.states_at([CLOSE])
    answers = view.answers().set_index(["question", "outcome"])["number"]
    share = (states["truce"] == "on").mean()
    assert view.fan("truce", [CLOSE])["on"].iloc[0] == pytest.approx(share, abs=1e-12)
    assert answers["truce-on", "yes"] == pytest.approx(share, abs=1e-12)
    assert answers["level", "on"] == pytest.approx(share, abs=1e-12)
    assert view.fan("detainees", [CLOSE])["q50"].iloc[0] == answers["home", "median, people"]
    moved = view.event_times()
    convoys = moved[moved["process"] == "convoy"]
    end = dt.datetime(2027, 6, 30, 21, tzinfo=dt.UTC)
    went = convoys[convoys["time"] <= end]["draw"].nunique() / view.draws
    assert answers["convoy-by", "yes"] == pytest.approx(went, abs=1e-12)


def test_event_times_lead_to_the_states(view):
    moved = view.event_times()
    truce = moved[moved["process"] == "truce"]
    last = truce.groupby("draw")["state"].last().astype(str).reindex(range(view.draws))
    at_end = view.states_at([CLOSE])["truce"].astype(str).to_numpy()
    np.testing.assert_array_equal(last.fillna("on").to_numpy(), at_end)
    assert (truce["before"].astype(str) != truce["state"].astype(str)).all()
    assert str(moved["time"].dt.tz) == "UTC"


def test_answers_are_those_of_the_forecasters(view):
    """A question with a condition of its own too: drawn towards it, as an update draws it."""
    forecasts = view.live.predictor.one(OWN[0], view.live.questions, view.as_of)
    answers = view.answers().set_index(["question", "outcome"])
    for name in ("truce-on", "convoy-by", "convoy-given"):
        row = answers.loc[(name, "yes")]
        assert row["number"] == pytest.approx(forecasts[name].numbers[0], abs=4 * row["mcse"])
        assert row["lower"] < row["number"] < row["upper"]
        assert row["gate"] == "passed"


def test_a_condition_weighs_the_same_paths(view):
    rows = view.what_if(given="truce-on=yes").set_index(["question", "state"])
    moved = view.event_times()
    went = set(moved[moved["process"] == "convoy"]["draw"])
    on = np.flatnonzero((view.states_at([CLOSE])["truce"] == "on").to_numpy())
    share = np.mean([draw in went for draw in on])
    assert rows.loc[("convoy-by", ""), "after"] == pytest.approx(share, abs=1e-12)
    assert rows.loc[("level", "on"), "after"] == pytest.approx(1.0)
    done = view.what_if(do=["truce=none@2026-12-01"]).set_index(["question", "state"])
    assert done.loc[("convoy-by", ""), "after"] < rows.loc[("convoy-by", ""), "after"]


def test_a_condition_in_the_words_of_a_question_is_that_question(view):
    # A day is one of the bank's zone, as it is in the question.
    rows = view.what_if(given=f"convoy by {CLOSE}").set_index(["question", "state"])
    assert rows.loc[("convoy-by", ""), "after"] == 1.0
    midnight = pd.Timestamp("2026-12-01", tz="Europe/Kyiv").isoformat()
    day, moment = (view.what_if(do=[f"truce=none@{when}"]) for when in ("2026-12-01", midnight))
    pd.testing.assert_frame_equal(day, moment)


def test_a_number_too_is_told_where_enough_paths_meet_the_condition_and_there_alone(view):
    some, few = (
        view.what_if(given=f"convoy count >= {n} by close").set_index("question").loc["home"]
        for n in (3, 11)
    )
    assert some["gate"] == "passed"
    assert 300 <= some["lower"] <= some["after"] <= some["upper"] <= 1200
    assert "fewer than 100 paths" in few["gate"]
    assert pd.isna([few["after"], few["lower"], few["upper"]]).all()


def test_a_state_without_a_moment_says_until_when_it_counts(view):
    rows = view.what_if(given="truce=none")
    assert rows["basis"].str.contains("truce=none: at any moment until 2027-06-30").all()
    assert not view.what_if(given="truce=none by 2027-01-31")["basis"].str.contains("moment").any()
    assert not view.what_if(given="truce-on=yes")["basis"].str.contains("moment").any()


def test_stories_are_shares_of_the_paths(view):
    stories = view.stories(200)
    assert stories["weight"].is_monotonic_decreasing
    assert 0 < stories["weight"].sum() <= 1 + 1e-12
    assert len(view.stories(3)) == 3


@pytest.mark.usefixtures("quick_fits")
def test_stories_begin_now_and_tell_of_all_that_can_move(tmp_path, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", NOW)
    folder = tmp_path / "bank"
    (folder / "worlds").mkdir(parents=True)
    more = """
  lull: {moves: {none > on: once in 2 mo}, since 2026-01-01: none}
  strike: {event: 60 in 70 weeks, since 2026-01-01: ""}
  idle: {moves: {none > on: once in 2 mo}, since 2026-01-01: none}
  over: {moves: {none > on: once in 2 mo}, since 2026-01-01: none, 2026-03-01: on}
links:"""
    asked = WORLD + "".join(
        f"""
  {name}-by: {{title: {name}, opens: 2026-11-01, closes: 2027-06-30, answer: {event} by close}}"""
        for name, event in (("lull", "lull=on"), ("strike", "strike"), ("over", "over=on"))
    )
    text = asked.replace("watched: 2026-11-27\n", "").replace("\nlinks:", more)
    (folder / "worlds" / "small.yaml").write_text(text)
    with Book.open("sqlite:///:memory:", create=True, forecaster="ana") as book:
        book.init(folder)
        view = book.world(bank=folder, draws=2_048)
    left = view.live.untold()
    assert set(left) == {"strike", "idle", "over"}
    assert left["strike"] == "it moves in every path, and nothing hangs on it"
    assert left["idle"] == "no open question rests on it"
    assert left["over"] == "it moves in no path"
    # Nobody watched since January: what is simulated of the past is no step of a story.
    assert view.live.run.world.day(view.as_of) > 100
    assert view.stories(200)["story"].str.contains("lull=on").any()
    for story in view.stories(200)["story"]:
        assert "2026" not in story.replace("November 2026", "").replace("December 2026", ""), story


def test_arviz_takes_the_fits(view):
    import arviz as az
    from matplotlib import pyplot

    fits = view.fits
    rates = az.summary(fits, var_names=["rates.mu", "rates.sigma"], round_to="none")
    assert (rates["ess_bulk"] > 400).all()
    drawn = az.plot_trace_dist(fits, var_names=["rates.mu"], backend="matplotlib")
    assert drawn is not None
    again, counts = (
        fits["posterior_predictive"]["rates.counts"],
        fits["observed_data"]["rates.counts"],
    )
    assert again.shape[2:] == counts.shape
    assert sorted(counts.to_numpy().tolist()) == [2.0, 2.0]
    # Rates that have learned from two events each tell of about two, less what the pool says.
    assert 0.8 < float(again.mean()) < 3.0
    az.plot_ppc_dist(fits, var_names=["rates.counts"], kind="ecdf", backend="matplotlib")
    pyplot.close("all")


def test_a_smaller_and_an_earlier_world(book):
    """As of October the truce was on and the parts had not come; the same seed, the same paths."""
    first = book[0].world("2026-11-05T00:00Z", bank=book[1], draws=1_600)
    again = book[0].world("2026-11-05T00:00Z", bank=book[1], draws=1_600)
    assert first.draws == 1_600
    assert first.event_times().equals(again.event_times())
    assert first.fan("detainees", ["2026-11-06"])["q95"].iloc[0] < 300


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda view: view.fan("trcue", [CLOSE]), "process (trcue)"),
        (lambda view: view.states_at(["2031-01-01"]), "the paths end at"),
        (lambda view: view.what_if(given="truce-on=perhaps"), "must be one of no, yes"),
        (lambda view: view.what_if(), "needs a condition"),
    ],
)
def test_what_cannot_be_asked_is_refused(view, ask, words):
    with pytest.raises(InvalidInput) as refused:
        ask(view)
    assert words in str(refused.value)


def test_draws_and_banks_are_checked(book, tmp_path):
    with pytest.raises(InvalidInput, match="multiple of 16"):
        book[0].world(bank=book[1], draws=100)
    (tmp_path / "worlds").mkdir()
    (tmp_path / "worlds" / "bad.yaml").write_text(WORLD.replace("convoy x0.3", "convey x0.3"))
    with pytest.raises(InvalidInput, match="convey"):
        book[0].world(bank=tmp_path)
