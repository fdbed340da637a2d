"""A setup: what a ledger was told about itself, in the order in which it was told.

``bank``: where the bank lies that its models use, with the hash of its content. ``process``: a
process that somebody stated in one phrase beside a question. ``dropped``: a question that was made
by mistake and is left out of every list and count; its entries stay. ``same-as``: a question here
and one on another platform that somebody looked at and found to ask the same, with where they
differ. ``import``: the first and last entry of an import that brought no forecast by which it could
be known; once it was undone, `detail` says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Subject = Literal["bank", "process", "dropped", "same-as", "import"]


@dataclass(frozen=True, slots=True)
class Setup:
    """One statement, by subject and `name` (a place, process, question or run); the last counts."""

    subject: Subject
    name: str
    detail: Mapping[str, str]
    said_by: str = ""
    recorded_at: datetime | None = None
    seq: int | None = None
