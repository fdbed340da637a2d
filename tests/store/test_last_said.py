"""What stands in a list is the last forecast that a full reading would find."""

import datetime as dt
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasting.domain.forecast import Forecast, Said
from forecasting.store import Ledger
from tests.store.samples import DAY, NOW, binary, numeric_question

QUESTIONS = ("a", "b", "c")
KINDS = ("live", "elicited")
made = st.builds(
    lambda question, who, kind, day, tenths: binary(
        f"0.{tenths}", question=question, forecaster=who, kind=kind, issued_at=NOW + day * DAY
    ),
    st.sampled_from(QUESTIONS),
    st.sampled_from(["ana", "model"]),
    st.sampled_from([*KINDS, "replay", "imported"]),
    st.integers(0, 6),
    st.integers(1, 9),
)


def _said(forecast: Forecast) -> Said:
    return Said(forecast.question, forecast.value, forecast.issued_at)


def _last(forecasts: list[Forecast], who: str, by: dict[str, dt.datetime]) -> dict[str, Said]:
    found = {}
    for one in forecasts:  # by the moment, then by the number
        if one.forecaster == who and one.kind in KINDS and one.issued_at <= by[one.question]:
            found[one.question] = _said(one)
    return found


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batch=st.lists(made, max_size=20), now=st.integers(0, 6), week=st.integers(0, 6))
def test_the_last_of_each_question(batch: list[Forecast], now: int, week: int) -> None:
    by, otherwise = NOW + now * DAY, NOW + week * DAY
    with Ledger.open("sqlite:///:memory:", create=True) as ledger:
        # A second version of a question is still one question.
        drafts = [numeric_question(id=name) for name in (*QUESTIONS, "a")]
        drafts[-1] = replace(drafts[-1], background="another version")
        ledger.append([*drafts, *batch], recorded_at=NOW + 9 * DAY)
        every = ledger.forecasts()
        mine = _last(every, "ana", dict.fromkeys(QUESTIONS, by))
        assert ledger.last_said("ana", kinds=KINDS, by=by) == mine
        then = {name: mine[name].issued_at if name in mine else otherwise for name in QUESTIONS}
        said = ledger.last_said("model", kinds=KINDS, by=by, since="ana", otherwise=otherwise)
        assert said == _last(every, "model", then)
