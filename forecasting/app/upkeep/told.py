"""What a ledger was told of its bank; nothing of the bank is read for it."""

from forecasting.domain.instants import DEFAULT_ZONE
from forecasting.domain.setup import Setup
from forecasting.store import Ledger


def remembered(ledger: Ledger) -> Setup | None:
    """Give what the ledger was told last about its bank."""
    told = [setup for setup in ledger.setups() if setup.subject == "bank"]
    return told[-1] if told else None


def zone_of(ledger: Ledger) -> str:
    """Give the zone of the days of a ledger's bank."""
    last = remembered(ledger)
    if last is not None:
        return last.detail.get("zone", DEFAULT_ZONE)
    if not ledger.questions():
        return DEFAULT_ZONE
    from forecasting.app.upkeep.banks import bank_of

    return bank_of(ledger).zone
