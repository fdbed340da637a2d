"""The append-only ledger: entries in one chain, read back as plain values."""

from forecasting.store.backup import backup, restore
from forecasting.store.condition import Check, condition
from forecasting.store.entries import Draft, Entry
from forecasting.store.ledger import Ledger
from forecasting.store.migrate import Status, status, upgrade
from forecasting.store.read import Head, Step
from forecasting.store.verify import Verification

__all__ = [
    "Check",
    "Draft",
    "Entry",
    "Head",
    "Ledger",
    "Status",
    "Step",
    "Verification",
    "backup",
    "condition",
    "restore",
    "status",
    "upgrade",
]
