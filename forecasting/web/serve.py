"""Running the app: a socket of our own, one process, and its address for the terminal."""

import asyncio
import contextlib
import socket
import sys
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from forecasting.app.book import PlainBook
from forecasting.errors import ForecastingError, InvalidInput
from forecasting.web.hosts import everywhere, loopback
from forecasting.web.house import House

#: Connections at once; what comes on top is told to come again.
MOST_CONNECTIONS = 200


def listen(host: str, port: int) -> socket.socket:
    """Take a port; 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as refused:
        listener.close()
        msg = f"port ({host}:{port}): cannot be listened on ({refused.strerror})"
        raise InvalidInput(msg, hint=f"forecast serve --port {port + 1}") from None
    return listener


def _warm(house: House) -> None:
    # A fault of the database is told by the page that needs it.
    with contextlib.suppress(ForecastingError):
        house.book.needs()


def public_names(at: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """Read the addresses of a proxy: the Host that browsers send, and whether all of it is TLS."""
    names = []
    for address in at:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/"):
            msg = f"at ({address}): must be the address of a site"
            raise InvalidInput(msg, hint="https://forecasts.example.org")
        names.append(parts.netloc)
    return tuple(names), bool(at) and all(address.startswith("https:") for address in at)


def serve(
    book: PlainBook,
    *,
    host: str = "127.0.0.1",
    port: int = 8100,
    at: tuple[str, ...] = (),
    ready: Callable[[str], None],
) -> None:
    """Serve the app until it is interrupted; `ready` is told the address with its one-use token."""
    import uvicorn

    from forecasting.web.app import create_app
    from forecasting.web.patience import Patient

    names, secure = public_names(at)
    house = House(book, host=host, names=names, secure=secure)
    if house.team and not house.users.all():
        reached = f"at ({', '.join(names)})" if names else f"host ({host})"
        msg = f"{reached}: others can reach it, and nobody has a password yet"
        raise InvalidInput(msg, hint="forecast serve --add-user NAME")
    taken = listen(host, port)
    house.port = port = taken.getsockname()[1]
    settings = uvicorn.Config(
        create_app(house),
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        http=Patient,
        loop="asyncio",
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=32_768,
    )
    server = uvicorn.Server(settings)
    # The thread that reads and sends waits this long for each thread that draws a page.
    sys.setswitchinterval(0.001)
    shown = "127.0.0.1" if loopback(host) and host != "::1" else host
    if everywhere(host):
        shown = socket.gethostname()
    name = f"[{shown}]" if ":" in shown else shown
    # A large ledger is read once, before the first request.
    threading.Thread(target=_warm, args=(house,), daemon=True, name="reading").start()
    token = "" if house.team else house.sessions.invite(book.forecaster, lasting=True)
    ready(f"http://{name}:{port}/" + (f"enter?token={token}" if token else ""))
    try:
        asyncio.run(server.serve(sockets=[taken]))
    finally:
        taken.close()
        house.close()
