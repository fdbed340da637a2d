"""The app: routes, the gate before them, and plain words for whatever goes wrong."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route as Path

from forecasting.errors import DatabaseUnusable, ForecastingError, NotFound
from forecasting.web import pages
from forecasting.web.assets import assets
from forecasting.web.bodies import Sent, pairs, read
from forecasting.web.gate import Gate, Refusal, cookies
from forecasting.web.house import House
from forecasting.web.preferences import COOKIE, Preferences
from forecasting.web.routes import Route
from forecasting.web.sessions import Session
from forecasting.web.view import capitalize_first, render
from forecasting.web.visit import Visit

#: Requests that may be at the database at once.
WORKERS = 12
_log = logging.getLogger(__name__)


def create_app(house: House) -> Starlette:
    """Make the app of a house."""
    limiter: list[anyio.CapacityLimiter] = []

    async def run(call: Callable[[], Response]) -> Response:
        if not limiter:
            limiter.append(anyio.CapacityLimiter(WORKERS))
        return await anyio.to_thread.run_sync(call, limiter=limiter[0])

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in assets():
            raise HTTPException(404)
        kind, content = assets()[name]
        lasting = "public, max-age=31536000, immutable"
        return Response(content, media_type=kind, headers={"Cache-Control": lasting})

    app = Starlette(
        routes=[
            Path("/assets/{stamp}/{name}", asset, methods=["GET"]),
            *(_path(house, route, run) for route in pages.routes()),
        ],
        exception_handlers=dict.fromkeys(
            (HTTPException, Refusal, ForecastingError, Exception), _fault_page(house)
        ),
    )
    app.add_middleware(Gate, hosts=house.hosts, sessions=house.sessions, cookie=house.cookie)
    return app


def _path(house: House, route: Route, run: Callable[[Any], Awaitable[Response]]) -> Path:
    async def endpoint(request: Request) -> Response:
        session = request.scope["forecast_session"]
        if session is not None and house.team:
            # Who was removed or has another password is signed out; a changed role counts at once.
            user = house.users.all().get(session.who)
            if user is None or user.digest != session.digest:
                house.sessions.close(request.scope["forecast_session_key"])
                session = None
            else:
                session.role = user.role
        if session is None and not route.free:
            return _stranger(house, request)
        query = pairs(request.scope["query_string"])
        form = Sent()
        if route.method == "POST":
            # A body is read only of a visitor with a session; a form without its token is refused.
            form = await read(request, route.most)
            # The form to sign in has no token: it may stand in a tab from before.
            if session and not route.free and not session.owns(form.get("csrf")):
                raise Refusal(
                    403,
                    "This form is out of date, and was not saved. Copy what you typed, open its "
                    "page again, and send it.",
                )
            if session is not None and session.role == "reader" and not route.reader:
                raise Refusal(403, "You may read here, and not write.")
        jar, asked = cookies(request.headers), request.url.query
        address = f"{request.url.path}?{asked}" if asked else request.url.path
        visit = Visit(
            house,
            session or Session("", "reader"),
            key=request.scope["forecast_session_key"],
            here=request.url.path,
            query=query,
            form=form,
            path=request.path_params,
            swaps="hx-request" in request.headers,
            polls="x-poll" in request.headers,
            address=address if route.method == "GET" else "",
            preferences=Preferences.of(jar.get(COOKIE, "")),
            cookies=jar,
        )
        return await run(lambda: route.answer(visit))

    return Path(route.path, endpoint, methods=[route.method])


def _stranger(house: House, request: Request) -> Response:
    """Answer a request without a session."""
    if house.team and request.method == "GET":
        asked = urlencode({"to": f"{request.url.path}?{request.url.query}".rstrip("?")})
        return Response(status_code=303, headers={"Location": f"/login?{asked}"})
    sent = request.method == "POST"
    text = render("stranger.html.j2", stamp=house.stamp, team=house.team, sent=sent)
    return HTMLResponse(text, status_code=401, headers=_beside(request))


def _beside(request: Request) -> dict[str, str]:
    """Put a refusal above the form that a script sent, where what was typed stands still."""
    if request.method != "POST" or "hx-request" not in request.headers:
        return {}
    return {
        "HX-Retarget": "#refused",
        "HX-Reswap": "innerHTML",
        "HX-Reselect": "#refusal",
        "HX-Push-Url": "false",
    }


def _fault_page(house: House) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Say what went wrong in plain words, on a page; never a traceback."""

    async def handler(request: Request, fault: Exception) -> Response:
        status, text = _words(fault)
        if status >= 500:
            _log.error("%s %s", request.method, request.url.path, exc_info=fault)
        if "text/html" not in request.headers.get("accept", "text/html"):
            return PlainTextResponse(text, status_code=status)
        session = request.scope.get("forecast_session")
        headers = _beside(request)
        if status in (408, 413, 415):
            headers["Connection"] = "close"
        return HTMLResponse(
            render("fault.html.j2", status=status, text=text, stamp=house.stamp, inside=session),
            status_code=status,
            headers=headers,
        )

    return handler


def _words(fault: Exception) -> tuple[int, str]:
    if isinstance(fault, Refusal):
        return fault.status, fault.words
    if isinstance(fault, NotFound):
        return 404, f"{capitalize_first(fault.message)}."
    if isinstance(fault, DatabaseUnusable):
        hint = f"On the command line: {fault.hint}." if fault.hint else ""
        return 503, f"{fault.message}. {hint}"
    if isinstance(fault, ForecastingError):
        return 400, f"{capitalize_first(fault.message)}."
    if isinstance(fault, HTTPException):
        known = {404: "There is no such page.", 405: "That is not done this way."}
        return fault.status_code, known.get(fault.status_code, "That does not work.")
    return 500, (
        "Something went wrong on our side. What was reported as saved is saved; "
        "the terminal that runs `forecast serve` says more."
    )
