"""The append-only ledger: entries in one chain, read back as plain values."""

from forecasting.store.append import Head, Recorded
from forecasting.store.backup import backup, restore
from forecasting.store.condition import Check, condition
from forecasting.store.drafts import Draft
from forecasting.store.ledger import Ledger
from forecasting.store.migrate import Status, status, upgrade
from forecasting.store.verify import Verification

__all__ = [
    "Check",
    "Draft",
    "Head",
    "Ledger",
    "Recorded",
    "Status",
    "Verification",
    "backup",
    "condition",
    "restore",
    "status",
    "upgrade",
]
