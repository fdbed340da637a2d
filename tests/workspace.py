"""A workspace whose world is a text; by default one process, one question, no fit."""

from forecasting import clock
from forecasting.app.book import Book
from forecasting.domain.instants import parse_instant

NOW = parse_instant("2026-11-29T07:45Z")
PEACE = """\
watched: 2026-11-28
processes:
  peace: {moves: {none > signed: once in 8 mo, signed > none: once in 8 mo}, since 2026-09-01: none}
questions:
  peace-2027: {title: Will they sign it?, closes: 2027-03-31, answer: peace=signed by close}
"""


def workspace(folder, world=PEACE, *, forecaster="ana"):
    """Make it as somebody would: make a folder, write the world, load it; give the database."""
    with clock.at(NOW):
        made = Book.make_workspace(folder, forecaster=forecaster)
        (folder / "questions" / "worlds" / "world.yaml").write_text(world)
        Book.make_workspace(folder, forecaster=forecaster)
    return made["database"]
