"""Which commands there are, each group in a file of its own."""

import click


def load(root: click.Group) -> None:
    """Hang every command on the root, once."""
    if root.commands:
        return
    from forecasting.cli import (
        ask,
        compare,
        database,
        exchange,
        explain,
        forecasts,
        leaderboard,
        models,
        news,
        pool,
        questions,
        resolve,
        scenario,
        scores,
        seal,
        sources,
        watch,
        work,
        worldviews,
    )

    for command in (
        database.init,
        ask.ask,
        ask.due,
        questions.questions,
        forecasts.log,
        forecasts.withdraw,
        seal.reveal,
        seal.redact,
        forecasts.history,
        news.news,
        watch.watch,
        sources.sources,
        models.models,
        work.update,
        explain.explain,
        scenario.scenario,
        resolve.resolve,
        resolve.annul,
        resolve.dispute,
        resolve.reopen,
        resolve.resolutions,
        scores.score,
        scores.calibration,
        compare.compare,
        leaderboard.leaderboard,
        pool.pool,
        worldviews.worldviews,
        work.replay,
        work.review,
        exchange.import_,
        exchange.export,
        database.verify,
        database.anchor,
        database.backup,
        database.restore,
        database.doctor,
        database.db,
    ):
        root.add_command(command)
