"""What every request passes before a page sees it, and every answer before it leaves.

Host first (another site may point its name here), then the method, the size, where a form was sent
from, and who is asking. Refusals are short plain words; nothing of the request is repeated in them.
"""

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from forecasting.web.sessions import Sessions

#: Everything comes from here; no inline script and no inline style runs, whoever wrote it.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`, with which a browser hides where a form was sent from.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
METHODS = {"GET", "HEAD", "POST"}


class Refusal(Exception):
    """A request that is not answered: a status, and plain words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class Gate:
    """The outermost layer of the app."""

    def __init__(
        self, app: ASGIApp, *, hosts: frozenset[str], sessions: Sessions, cookie: str
    ) -> None:
        self.app = app
        self.hosts = hosts
        self.sessions = sessions
        self.cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            # Web sockets are not answered; messages of the app's start and end pass.
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "private, no-cache")
            await send(message)

        try:
            self._check(scope)
        except Refusal as refusal:
            await _refuse(refusal, guarded)
            return
        scope["forecast_session_key"] = key = cookies(Headers(scope=scope)).get(self.cookie, "")
        scope["forecast_session"] = self.sessions.of(key) if key else None
        await self.app(scope, receive, guarded)

    def _check(self, scope: MutableMapping[str, Any]) -> None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            raise Refusal(
                421, "This app does not answer to that name; forecast serve --at adds one."
            )
        if scope["method"] not in METHODS:
            raise Refusal(405, "This app knows GET and POST.")
        if "upgrade" in headers and scope["method"] == "POST":
            raise Refusal(400, "A form is not sent with an upgrade.")
        if scope["method"] == "POST":
            _check_origin(headers, hosts[0].lower())


def _check_origin(headers: Headers, host: str) -> None:
    """Refuse a form that another site sent, as the browser says it."""
    site = headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise Refusal(403, "This form was sent from another site.")
    origin = headers.get("origin")
    if origin is None:
        if site is None:
            raise Refusal(403, "This form does not say where it was sent from.")
        return
    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https") or parts.netloc.lower() != host:
        raise Refusal(403, "This form was sent from another site.")


def cookies(headers: Headers) -> dict[str, str]:
    """Read the cookies; the first of a name counts."""
    values: dict[str, str] = {}
    for part in "; ".join(headers.getlist("cookie")).split(";"):
        name, separator, value = part.strip().partition("=")
        if separator:
            values.setdefault(name, value)
    return values


async def _refuse(refusal: Refusal, send: Send) -> None:
    body = refusal.words.encode()
    await send(
        {
            "type": "http.response.start",
            "status": refusal.status,
            "headers": [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", str(len(body)).encode()),
                # What is left of its body is not read.
                (b"connection", b"close"),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
