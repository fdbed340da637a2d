"""Many plain forecasts at once: the same entries as :mod:`.ledger` records, with less to do each.

A track record of a million rows holds nothing but a question, a name, a number and a moment in
each. What is the same in thousands of them is written once. A test holds every byte to the general
writer.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

from sqlalchemy import Connection

from forecasting.domain import Imported, Value
from forecasting.store.canonical import VERSION, clean, dumps, instant_text
from forecasting.store.entries import check_value
from forecasting.store.read import Head

_ENTRIES = (
    "INSERT INTO entry (seq, leaf, hash, kind, recorded_at, tool)"
    " VALUES (?, ?, ?, 'forecast', '{}', '{}')"
)
_FORECASTS = (
    "INSERT INTO forecast (seq, question, question_hash, forecaster, shape, labels, entered,"
    " probability, stated, issued_at, kind, run, claim, gate, meta)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'imported', '', '', '', '{}')"
)
#: How many different values are remembered at once.
_MOST = 50_000


class Plain:
    """A writer of plain forecasts, which remembers what it wrote before."""

    def __init__(self) -> None:
        self._values: dict[int, tuple[str, str, str, tuple[Any, ...]]] = {}
        self._alive: list[Value] = []

    def takes(self, draft: object) -> bool:
        """Whether a draft is a forecast with nothing about it but who, what, when and how much."""
        return type(draft) is Imported and not draft.because

    def append(
        self,
        connection: Connection,
        drafts: Sequence[Imported],
        *,
        head: Head,
        moment: dt.datetime,
        tool: str,
    ) -> Head:
        """Insert forecasts after a head, in the caller's write transaction; give the new head."""
        written = instant_text(moment)
        begins = '\0{"body":{"claim":"","entered":'
        middle = f'}},"kind":"forecast","recorded_at":"{written}","seq":'
        ends = f',"tool":{encode_basestring(tool)},"v":{VERSION}}}'
        sha, previous, seq = hashlib.sha256, bytes.fromhex(head.hash), head.seq
        entries: list[tuple[Any, ...]] = []
        rows: list[tuple[Any, ...]] = []
        text, known = _text, self._values
        for question, digest, forecaster, value, issued_at, _ in drafts:
            seq += 1
            # Equal forecasts of an import are one object, so its place in memory finds it.
            entered, labels, shape, bound = known.get(id(value)) or self._value(value)
            question, quoted_question = text(question)
            forecaster, quoted_forecaster = text(forecaster)
            at = instant_text(issued_at)
            leaf = sha(
                f'{begins}{entered},"forecaster":{quoted_forecaster},"gate":"","issued_at":"{at}"'
                f'{labels}{quoted_question},"question_hash":"{digest}"{shape}{middle}{seq}{ends}'
                .encode()
            ).digest()  # fmt: skip
            previous = sha(b"\x01" + previous + leaf).digest()
            entries.append((seq, leaf.hex(), previous.hex()))
            rows.append((seq, question, digest, forecaster, *bound, at))
        plain = (text.replace("'", "''") for text in (written, tool))
        connection.exec_driver_sql(_ENTRIES.format(*plain), entries)
        connection.exec_driver_sql(_FORECASTS, rows)
        return Head(seq, previous.hex())

    def _value(self, value: Value) -> tuple[str, str, str, tuple[Any, ...]]:
        """Give a value as it is written in the form that is hashed, in its parts, and as bound."""
        check_value(value)
        labels = dumps([clean(label, name="label") for label in value.labels]).decode()
        entered = dumps(list(value.entered)).decode()
        stated = clean(value.stated, name="stated")
        if len(self._values) > _MOST:
            self._values.clear()
            self._alive.clear()
        # Kept alive, so that no other value takes its place.
        self._alive.append(value)
        written = self._values[id(value)] = (
            entered,
            f',"kind":"imported","labels":{labels},"meta":{{}},"question":',
            f',"run":"","shape":"{value.shape}","stated":{encode_basestring(stated)}',
            (value.shape, labels, entered, value.probability, stated),
        )
        return written


@lru_cache(maxsize=65536)
def _text(text: str) -> tuple[str, str]:
    """Give a text as it is stored, and as it is written in the form that is hashed."""
    stored = clean(text, name="forecast")
    return stored, encode_basestring(stored)
