"""Coming in: by the one-use address that the terminal printed, and going out again."""

import math
import re

from starlette.responses import HTMLResponse, Response

from forecasting.errors import InvalidInput
from forecasting.review.words import plural
from forecasting.web.faults import Fault
from forecasting.web.gate import Refusal
from forecasting.web.pages.ledger import settings
from forecasting.web.routes import get, post
from forecasting.web.sessions import Session
from forecasting.web.view import capitalize_first, render
from forecasting.web.visit import Visit


def enter(visit: Visit) -> Response:
    """Change a one-use token for a session; the token leaves the address at once."""
    if visit.session.who:
        return visit.to("/")
    if visit.house.team:
        return visit.to("/login")
    key = visit.house.sessions.redeem(visit.query.get("token"))
    if key is None:
        text = render("stranger.html.j2", stamp=visit.house.stamp, team=False, sent=False)
        return HTMLResponse(text, status_code=401)
    # A page and no redirect: a browser that followed a link of another program sends a strict
    # cookie only with its next request.
    response = HTMLResponse(render("enter.html.j2", stamp=visit.house.stamp))
    visit.keep(response, visit.house.cookie, key, lasting=False)
    return response


def _asked_for(visit: Visit) -> str:
    """Give the page that somebody asked for before they signed in: one of ours, or Today."""
    to = visit.form.get("to") or visit.query.get("to")
    return to if re.fullmatch(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*", to) else "/"


def login(visit: Visit, *, problem: str = "") -> Response:
    """Show the form by which somebody of a team signs in."""
    if not visit.house.team:
        raise Refusal(404, "There is no such page.")
    if visit.session.who:
        return visit.to(_asked_for(visit))
    text = render(
        "login.html.j2",
        stamp=visit.house.stamp,
        problem=problem,
        name=visit.form.get("name"),
        to=_asked_for(visit),
    )
    return HTMLResponse(text, status_code=403 if problem else 200)


def sign_in(visit: Visit) -> Response:
    """Open a session for a name and its password."""
    house, name = visit.house, visit.form.get("name")
    if not house.team:
        raise Refusal(404, "There is no such page.")
    if wait := house.users.waits(name):
        return login(
            visit, problem=f"Too many wrong passwords. Wait {plural(math.ceil(wait), 'second')}."
        )
    user = house.users.knows(name, _secret(visit, "password"))
    if user is None:
        return login(visit, problem="The name or the password is wrong.")
    response = visit.to(_asked_for(visit))
    key = house.sessions.open(Session(name, user.role, user.digest))
    visit.keep(response, house.cookie, key, lasting=False)
    return response


def _secret(visit: Visit, name: str) -> str:
    """Give a password as it was typed: spaces belong to it."""
    typed = [value for key, value in visit.form.fields if key == name]
    return typed[-1] if typed else ""


def change_password(visit: Visit) -> Response:
    """Give oneself another password, which ends one's other sessions."""
    users, who = visit.house.users, visit.session.who
    if not visit.house.team:
        raise Refusal(404, "There is no such page.")
    user = None if users.waits(who) else users.knows(who, _secret(visit, "password"))
    if user is None:
        return settings(visit, faults=(Fault("password", "That is not your present password."),))
    try:
        users.put(who, _secret(visit, "new"), role=user.role)
    except InvalidInput as refused:
        return settings(visit, faults=(Fault("new", capitalize_first(refused.message)),))
    visit.session.digest = users.all()[who].digest
    visit.note("Your password is changed; every other browser of yours is signed out.")
    return visit.to("/settings")


def leave(visit: Visit) -> Response:
    """End the session."""
    visit.house.sessions.close(visit.key)
    response = HTMLResponse(render("left.html.j2", stamp=visit.house.stamp, team=visit.house.team))
    response.delete_cookie(visit.house.cookie, path="/")
    return response


def invite(visit: Visit) -> Response:
    """Make a one-use address for another browser of the same person."""
    if visit.house.team:
        raise Refusal(404, "In a team everybody signs in with a password.")
    token = visit.house.sessions.invite(visit.session.who)
    return visit.page("invite.html.j2", address=f"/enter?token={token}")


ROUTES = [
    get("/login", login, free=True),
    post("/login", sign_in, free=True, most=4_000),
    get("/enter", enter, free=True),
    post("/leave", leave, reader=True),
    post("/password", change_password, reader=True, most=4_000),
    post("/invite", invite, reader=True),
]
