"""serve: the web app."""

import click

from forecasting.cli.options import Command
from forecasting.cli.output import line, say, settings


@click.command(cls=Command)
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), default=8100, help="0: any free one.")
@click.option("--no-open", is_flag=True, help="Print the address and open no browser.")
def serve(host: str, port: int, no_open: bool) -> None:
    r"""Show everything in the browser: today, questions, news, the world, the review.

    The address holds a token that opens one browser, once. Nothing is loaded from anywhere else.

    \b
    Examples:
      forecast serve
      forecast serve --port 8200 --no-open
    """
    from forecasting.app.book import Book
    from forecasting.web.serve import serve as run

    def ready(address: str) -> None:
        line(address)
        say("the address works once; stop with Ctrl-C")
        if not no_open:
            import webbrowser

            webbrowser.open(address)

    with Book.open(settings().db, forecaster=settings().forecaster) as book:
        run(book, host=host, port=port, ready=ready)
