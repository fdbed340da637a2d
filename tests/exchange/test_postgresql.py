"""The same record, in and out, on PostgreSQL."""

import pytest

from forecasting.app.ledger.export import export_record
from forecasting.app.ledger.importing import import_record
from forecasting.store import Ledger
from forecasting.store.transfer import record_digest
from tests.exchange.conftest import NOW
from tests.exchange.tables import row, table

pytestmark = pytest.mark.deep


def test_the_same_record_on_both_engines(postgresql, ledger, tmp_path):
    rows = [row(), row(day=2, because="=so", forecast="35%"), row(day=3, forecast="withdrawn")]
    file, lines = tmp_path / "given.csv", tmp_path / "lines.jsonl"
    file.write_text(table([*rows, row("p", day=-1)], header=[*row(), "because"]))
    import_record(ledger, file, "csv", now=NOW)
    with Ledger.open(postgresql.url(postgresql.database()), create=True) as there:
        counts = import_record(there, file, "csv", now=NOW)
        assert (counts["added"], len(counts["refused"])) == (3, 1)
        assert import_record(there, file, "csv", now=NOW)["added"] == 0
        assert record_digest(there) == record_digest(ledger)
        assert "".join(export_record(there, "csv")[0]) == "".join(export_record(ledger, "csv")[0])
        export_record(there, "jsonl", out=lines)
        head = there.head()
    with Ledger.open(postgresql.url(postgresql.database()), create=True) as copy:
        assert import_record(copy, lines, "jsonl", now=NOW)["entries"] == head.seq
        assert copy.head() == head
