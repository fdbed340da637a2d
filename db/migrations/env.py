"""Run the migrations on the connection that the caller opened, inside its transaction.

With ``--sql`` (offline) the same steps are written as text instead.
"""

from alembic import context

if context.is_offline_mode():
    context.configure(
        dialect_name=context.config.attributes["dialect"],
        literal_binds=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    context.configure(
        connection=context.config.attributes["connection"],
        # The caller has begun: one transaction holds every step, so a failing one leaves nothing.
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
