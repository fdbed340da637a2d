"""Numbers of imported forecasts that a withdrawal may have taken back, and of questions."""

import datetime as dt

from sqlalchemy import and_, select

from forecasting.domain import Withdrawal
from forecasting.store.ledger import Ledger
from forecasting.store.read import up_to, without_dropped
from forecasting.store.tables import entry, forecast, question, withdrawal


def at_one_instant(ledger: Ledger, *, head: int | None = None) -> list[tuple[int, int]]:
    """Pair imported forecasts with withdrawals by the same person at the same instant."""
    together = and_(
        forecast.c.question == withdrawal.c.question,
        forecast.c.forecaster == withdrawal.c.forecaster,
        forecast.c.issued_at == withdrawal.c.withdrawn_at,
    )
    statement = (
        select(forecast.c.seq, withdrawal.c.seq)
        .select_from(withdrawal.join(forecast, together))
        .where(
            forecast.c.kind == "imported",
            *without_dropped(forecast, head),
            *up_to(withdrawal, head),
        )
    )
    with ledger.reading() as connection:
        return [
            (forecast_seq, withdrawal_seq)
            for forecast_seq, withdrawal_seq in connection.execute(statement)
        ]


def brought_with(ledger: Ledger, taken: Withdrawal, last: int) -> list[int]:
    """Give the imported forecasts up to a number that were recorded at the moment of one end."""
    statement = (
        select(forecast.c.seq)
        .select_from(forecast.join(entry, entry.c.seq == forecast.c.seq))
        .where(
            forecast.c.kind == "imported",
            forecast.c.seq <= last,
            entry.c.recorded_at == taken.recorded_at,
        )
        .order_by(forecast.c.seq.desc())
    )
    with ledger.reading() as connection:
        return list(connection.execute(statement).scalars())


def versions(ledger: Ledger) -> list[tuple[int, str, dt.datetime]]:
    """Give every version of every question, by number: its id, and when it was recorded."""
    statement = (
        select(question.c.seq, question.c.question, entry.c.recorded_at)
        .select_from(question.join(entry, entry.c.seq == question.c.seq))
        .where(*without_dropped(question, None))
        .order_by(question.c.seq)
    )
    with ledger.reading() as connection:
        return [(seq, name, at) for seq, name, at in connection.execute(statement)]
