"""Freeze a database of the present schema: ``python -m tests.store.golden.make``.

Run once, when a schema is released; the file is never made anew, for what must be upgraded is what
the program of that time wrote.
"""

import json
import sqlite3
import tempfile
from datetime import timedelta
from pathlib import Path

from forecasting.store import Ledger, status
from forecasting.store.triggers import KINDS
from tests.store.samples import DAY, NOW, binary, fill, one_of_each

FOLDER = Path(__file__).resolve().parent


def main():
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ledger.db"
        with Ledger.open(str(file), create=True) as ledger:
            fill(ledger)
            for n in range(12):
                moment = NOW + n * DAY
                spoken = binary(f"0.{n:02d}", because=f"reason {n}" * (n % 2), issued_at=moment)
                ledger.append([spoken], recorded_at=moment + timedelta(minutes=1))
            ledger.append(one_of_each()[:2] + one_of_each()[5:], recorded_at=NOW + 20 * DAY)
            head = ledger.head()
            facts = {"entries": head.seq, "head": head.hash, "digest": ledger.content_digest()}
            facts["kinds"] = len(KINDS)
        current = status(str(file)).current
        target = FOLDER / f"{current}.sqlite"
        if target.exists():
            raise SystemExit(f"{target.name} is frozen")
        raw = sqlite3.connect(file)
        raw.execute("PRAGMA journal_mode=DELETE")
        raw.execute("PRAGMA page_size=1024")
        raw.execute("VACUUM INTO ?", (str(target),))
        raw.close()
        target.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
