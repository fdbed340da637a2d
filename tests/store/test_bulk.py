"""Many plain forecasts at once: byte for byte what the general writer records."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.domain import Imported, Value
from forecasting.domain.forecast import binary_value
from forecasting.errors import Repeated
from forecasting.store import Ledger, transfer

DAY = dt.timedelta(days=1)
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
names = st.text(
    st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=12
)
values = st.one_of(
    st.integers(0, 100).map(lambda n: Value("binary", ("yes",), (f"{n / 100:.2f}",), f"{n}%")),
    st.just(Value("options", ("a", "é"), ("0.25", "0.75"))),
    st.just(Value("quantiles", ("5", "50"), ("-1.5", "2"))),
)
moments = st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2026, 1, 1)).map(
    lambda at: at.replace(tzinfo=dt.UTC)
)
forecasts = st.builds(
    Imported,
    question=names,
    question_hash=st.just("ab" * 32),
    forecaster=names,
    value=values,
    issued_at=st.one_of(
        moments, moments.map(lambda at: at.astimezone(dt.timezone(dt.timedelta(hours=3))))
    ),
    because=st.just(""),
)


@given(st.lists(forecasts, max_size=6))
def test_every_byte_is_what_the_general_writer_records(drafts):
    with (
        Ledger.open("sqlite:///:memory:", create=True) as many,
        Ledger.open("sqlite:///:memory:", create=True) as each,
    ):
        assert transfer.record(many, drafts, recorded_at=NOW, head=many.head())
        if drafts:
            each.append(drafts, recorded_at=NOW)
        assert many.head() == each.head()
        assert many.forecasts() == each.forecasts()
        assert many.verify().ok


def test_an_act_of_writing_is_recorded_in_bulk_once(tmp_path):
    drafts = [Imported("q", "ab" * 32, "ana", binary_value("0.5"), NOW - n * DAY) for n in (2, 1)]
    with Ledger.open(str(tmp_path / "a.db"), create=True) as ledger:
        act = "ab" * 32
        # One that the bulk writer takes and one that it does not: still one act.
        mixed = [drafts[0], drafts[1]._replace(because="a reason")]
        assert transfer.record(ledger.once(act), mixed, recorded_at=NOW, head=ledger.head())
        assert ledger.written(act) == ledger.head().seq == 2
        with pytest.raises(Repeated):
            transfer.record(ledger.once(act), drafts, recorded_at=NOW, head=ledger.head())
        assert ledger.head().seq == 2
        assert ledger.verify().ok
