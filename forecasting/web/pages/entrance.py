"""Coming in: by the one-use address that the terminal printed, and going out again."""

from starlette.responses import HTMLResponse, Response

from forecasting.web.gate import Refusal
from forecasting.web.routes import get, post
from forecasting.web.view import render
from forecasting.web.visit import Visit


def enter(visit: Visit) -> Response:
    """Change a one-use token for a session; the token leaves the address at once."""
    if visit.session.who:
        return visit.to("/")
    key = None if visit.house.team else visit.house.sessions.redeem(visit.query.get("token"))
    if key is None:
        return HTMLResponse(render("stranger.html.j2", stamp=visit.house.stamp), status_code=401)
    # A page and no redirect: whoever came by a link of another program has the strict cookie only
    # on the step after.
    response = HTMLResponse(render("enter.html.j2", stamp=visit.house.stamp))
    seat(visit, response, key)
    return response


def seat(visit: Visit, response: Response, key: str) -> None:
    """Set the session's cookie."""
    response.set_cookie(
        visit.house.cookie,
        key,
        httponly=True,
        samesite="strict",
        secure=visit.house.secure,
        path="/",
    )


def leave(visit: Visit) -> Response:
    """End the session."""
    visit.house.sessions.close(visit.key)
    response = HTMLResponse(render("left.html.j2", stamp=visit.house.stamp))
    response.delete_cookie(visit.house.cookie, path="/")
    return response


def invite(visit: Visit) -> Response:
    """Make a one-use address for another browser of the same person."""
    if visit.house.team:
        raise Refusal(404, "In a team everybody signs in with a password.")
    token = visit.house.sessions.invite(visit.session.who)
    return visit.page("invite.html.j2", address=f"/enter?token={token}")


ROUTES = [
    get("/enter", enter, free=True),
    post("/leave", leave, reader=True),
    post("/invite", invite, reader=True),
]
