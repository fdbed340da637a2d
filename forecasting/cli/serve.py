"""serve: the web app."""

import sys
from typing import Literal

import click

from forecasting.cli import options
from forecasting.cli.options import Command
from forecasting.cli.output import line, opened, say


@click.command(cls=Command)
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), default=8100, help="0: any free one.")
@options.flag("--no-open", help="Print the address and open no browser.")
@click.option("--at", multiple=True, metavar="URL", help="An address of a proxy; repeatable.")
@options.text("--add-user", metavar="NAME", help="Give somebody a password, and stop.")
@options.flag("--reader", help="With --add-user: may read and not write.")
@options.text("--remove-user", metavar="NAME", help="Remove somebody, and stop.")
def serve(
    host: str,
    port: int,
    no_open: bool,
    at: tuple[str, ...],
    add_user: str,
    reader: bool,
    remove_user: str,
) -> None:
    r"""Show everything in the browser: today, questions, news, the world, the review.

    The address holds a token that opens one browser, once. Nothing is loaded from anywhere else.

    For a team put a proxy with TLS on this machine before it and name its address with --at: then
    everybody signs in with a password. So they do with a --host that others can reach; what goes
    over the network to it is not encrypted.

    \b
    Examples:
      forecast serve
      forecast serve --port 8200 --no-open
      forecast serve --add-user ana
      forecast serve --at https://forecasts.example.org
    """
    from forecasting.web.hosts import loopback
    from forecasting.web.serve import serve as run

    if add_user or remove_user:
        from forecasting.web.users import Users

        users = Users()
        if remove_user:
            users.strike(remove_user)
            say(f"{remove_user} is removed, and signed out at once")
            return
        role: Literal["forecaster", "reader"] = "reader" if reader else "forecaster"
        users.put(add_user, _password(add_user), role=role)
        say(f"{add_user} may sign in as a {role}")
        return

    def ready(address: str) -> None:
        line(address)
        if at:
            say(f"everybody signs in at {' or '.join(at)}; stop with Ctrl-C")
        elif loopback(host):
            say("the address works once; stop with Ctrl-C")
        else:
            say("it answers to this machine's own names and addresses; --at URL adds one")
        if not loopback(host):
            say("not encrypted: TLS is the work of a proxy before it; stop with Ctrl-C")
        if not no_open and not at and loopback(host):
            import webbrowser

            webbrowser.open(address)

    with opened() as book:
        run(book, host=host, port=port, at=at, ready=ready)


def _password(name: str) -> str:
    """Ask for a password twice on a terminal; elsewhere it is a line of standard input."""
    if sys.stdin.isatty():
        asked: str = click.prompt(
            f"a password for {name}", hide_input=True, confirmation_prompt=True, err=True
        )
        return asked
    return sys.stdin.readline().rstrip("\n")
