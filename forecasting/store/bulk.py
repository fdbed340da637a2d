"""Many plain forecasts at once: the same entries as :mod:`.ledger` records, with less to do each.

A track record of a million rows holds nothing but a question, a name, a number and a moment in
each. What is the same in thousands of them is written once. A test holds every byte to the general
writer.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from json.encoder import encode_basestring
from typing import Any

from sqlalchemy import Connection, insert
from sqlalchemy.dialects import sqlite

from forecasting.domain import Forecast, Value
from forecasting.domain.forecast import STORED_KINDS
from forecasting.store.canonical import VERSION, clean, dumps, instant_text
from forecasting.store.entries import check_value
from forecasting.store.ledger import positional
from forecasting.store.read import Head
from forecasting.store.tables import entry, forecast

_WRITTEN = (
    *("seq", "question", "question_hash", "forecaster", "kind", "shape", "labels", "entered"),
    *("probability", "stated", "issued_at", "run", "claim", "gate", "meta"),
)
_FORECASTS = str(insert(forecast).compile(dialect=sqlite.dialect(), column_keys=list(_WRITTEN)))
#: How many different values are remembered at once.
_MOST = 50_000


class Plain:
    """A writer of plain forecasts, which remembers what it wrote before."""

    def __init__(self) -> None:
        self._texts: dict[str, tuple[str, str]] = {}
        self._values: dict[int, tuple[str, str, str, str]] = {}
        self._kept: list[Value] = []

    def takes(self, draft: object) -> bool:
        """Whether a draft is a forecast with nothing about it but who, what, when and how much."""
        return (
            type(draft) is Forecast
            and not draft.because
            and draft.spread is None
            and draft.model_run is None
            and draft.sealed is None
            and not draft.meta
        )

    def append(
        self,
        connection: Connection,
        drafts: Sequence[Forecast],
        *,
        head: Head,
        moment: dt.datetime,
        tool: str,
    ) -> Head:
        """Insert forecasts after a head, in the caller's write transaction; give the new head."""
        written = instant_text(moment)
        around = (
            f'}},"kind":"forecast","recorded_at":"{written}","seq":',
            f',"tool":{encode_basestring(tool)},"v":{VERSION}}}',
        )
        sha, previous, seq = hashlib.sha256, bytes.fromhex(head.hash), head.seq
        entries: list[tuple[Any, ...]] = []
        rows: list[tuple[Any, ...]] = []
        text = self._text
        for draft in drafts:
            seq += 1
            value = draft.value
            labels, entered, stated, said = self._value(value)
            question, quoted_question = text(draft.question)
            forecaster, quoted_forecaster = text(draft.forecaster)
            run, quoted_run = text(draft.run)
            claim, quoted_claim = text(draft.claim)
            gate, quoted_gate = text(draft.gate)
            kind, at = STORED_KINDS.get(draft.kind, draft.kind), instant_text(draft.issued_at)
            form = (
                f'{{"body":{{"claim":{quoted_claim},"entered":{entered},'
                f'"forecaster":{quoted_forecaster},"gate":{quoted_gate},'
                f'"issued_at":"{at}","kind":"{kind}","labels":{labels},"meta":{{}},'
                f'"question":{quoted_question},"question_hash":"{draft.question_hash}",'
                f'"run":{quoted_run},"shape":"{value.shape}","stated":{said}'
                f"{around[0]}{seq}{around[1]}"
            ).encode()
            leaf = sha(b"\x00" + form).digest()
            previous = sha(b"\x01" + previous + leaf).digest()
            entries.append((seq, "forecast", written, tool, leaf.hex(), previous.hex()))
            rows.append(
                (seq, question, draft.question_hash, forecaster, kind, value.shape, labels,
                 entered, value.probability, stated, at, run, claim, gate, "{}")
            )  # fmt: skip
        connection.exec_driver_sql(positional(entry), entries)
        connection.exec_driver_sql(_FORECASTS, rows)
        return Head(seq, previous.hex())

    def _text(self, text: str) -> tuple[str, str]:
        """Give a text as it is stored, and as it is written in the form that is hashed."""
        found = self._texts.get(text)
        if found is None:
            kept = clean(text, name="forecast")
            found = self._texts[text] = (kept, encode_basestring(kept))
        return found

    def _value(self, value: Value) -> tuple[str, str, str, str]:
        # Equal forecasts of an import are one object, so its place in memory finds it.
        found = self._values.get(id(value))
        if found is None:
            check_value(value)
            labels = dumps([clean(label, name="label") for label in value.labels]).decode()
            entered = dumps(list(value.entered)).decode()
            stated = clean(value.stated, name="stated")
            if len(self._values) > _MOST:
                self._values.clear()
                self._kept.clear()
            # Kept alive, so that no other value takes its place.
            self._kept.append(value)
            found = (labels, entered, stated, encode_basestring(stated))
            self._values[id(value)] = found
        return found
