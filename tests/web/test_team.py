"""A team's app: who is who, who may write, and what others can reach."""

import re
import subprocess
import sys
from html import unescape

import pytest
from starlette.testclient import TestClient

from forecasting.app.book import Book
from forecasting.errors import InvalidInput
from forecasting.web.app import create_app
from forecasting.web.house import House
from forecasting.web.serve import serve
from forecasting.web.users import TRIES, Users
from tests.web.conftest import Server
from tests.web.test_browser import AXE

SITE = "https://forecasts.example.org"
WORD = "a long enough password"


@pytest.fixture
def team(database):
    with Book.plain(str(database), forecaster="root") as book:
        house = House(book, host="10.0.0.5", names=("forecasts.example.org",), secure=True)
        house.users.put("ana", WORD)
        house.users.put("ben", WORD, role="reader")
        yield house
        house.close()


def _client(house):
    return TestClient(create_app(house), base_url=SITE, headers={"Origin": SITE})


def _in(house, name, word=WORD):
    client = _client(house)
    client.post("/login", data={"name": name, "password": word})
    return client


def _log(client, p="35"):
    page = client.get("/").text
    match = re.search(r'action="/log".*?name="question" value="([^"]+)', page, re.DOTALL)
    csrf = re.search(r'name="csrf" value="([^"]+)', page)
    fields = {
        "csrf": csrf[1] if csrf else "", "token": "t" * 22, "p": p,
        "question": match[1] if match else "armenia-eu-referendum-2027",
        "forecaster": "eve", "who": "eve",
    }  # fmt: skip
    return client.post("/log", data=fields, follow_redirects=False)


def test_a_stranger_is_asked_to_sign_in(team):
    client = _client(team)
    answer = client.get("/ledger", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?to=%2Fledger")
    assert client.get("/enter?token=guess").url.path == "/login"
    assert client.post("/login", data={"name": "ana", "password": "wrong"}).status_code == 403
    assert client.post("/login", data={"name": "nobody", "password": WORD}).status_code == 403


def test_a_name_comes_from_the_session_and_never_from_a_form(team):
    client = _in(team, "ana")
    client.cookies.set("forecast-likes", "forecaster%3Deve")
    assert _log(client).status_code == 303
    logged = team.book.forecasts()
    assert logged[-1]["forecaster"] == "ana"
    assert "eve" not in {row["forecaster"] for row in logged}


def test_a_reader_reads_and_does_not_write(team):
    head = team.book.head()
    client = _in(team, "ben")
    page = client.get("/")
    assert page.status_code == 200
    assert 'action="/log"' not in page.text
    assert 'href="/ask"' not in page.text
    # Numbers that wait for an answer would never be shown to a reader.
    client.cookies.set("forecast-likes", "hide%3D1")
    assert "hidden until" not in client.get("/q/armenia-eu-referendum-2027").text
    assert "Waits for its outcome" in page.text
    assert "not answered by you" not in page.text
    assert "Your number" not in client.get("/q/armenia-eu-referendum-2027").text
    csrf = team.sessions.of(client.cookies["__Host-forecast-8100"])
    assert csrf is not None
    answer = client.post(
        "/log", data={"csrf": csrf.csrf, "token": "t" * 22, "question": "x", "p": "35"}
    )
    assert answer.status_code == 403
    assert team.book.head() == head


def test_a_reader_is_shown_no_form_that_is_refused(team):
    """On no page, so that nobody types what is lost."""
    from forecasting.web import pages
    from tests.web.test_browser import WALKED

    client = _in(team, "ben")
    theirs = {route.path for route in pages.routes() if route.method == "POST" and route.reader}
    for address in WALKED:
        page = client.get(address).text
        sent = set(re.findall(r'<form method="post" action="([^"?]+)', page))
        # A question's name stands in the place of {name}.
        sent = {re.sub(r"^/q/[^/]+/", "/q/{name}/", each) for each in sent}
        assert sent <= theirs, (address, sent - theirs)


@pytest.mark.parametrize(
    "change", [lambda users: users.strike("ana"), lambda users: users.put("ana", WORD + "!")]
)
def test_who_is_struck_out_or_has_another_password_is_out_at_once(team, change):
    client = _in(team, "ana")
    assert client.get("/", follow_redirects=False).status_code == 200
    change(team.users)
    assert client.get("/", follow_redirects=False).status_code == 303


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("/questions?status=open&text=a%20b", "/questions?status=open&text=a%20b"),
        *((each, "/") for each in ("//evil.org", "/\\evil.org", "https://evil.org", "/a\nb", "")),
    ],
)
def test_signing_in_leads_to_the_page_that_was_asked_for(team, asked, shown):
    client = _client(team)
    page = client.get("/login", params={"to": asked})
    to = unescape(re.search(r'name="to" value="([^"]*)"', page.text)[1])
    answer = client.post(
        "/login", data={"name": "ana", "password": WORD, "to": to}, follow_redirects=False
    )
    assert answer.headers["location"] == to == shown
    # Not what a form was made to say either.
    again = client.post(
        "/login", data={"name": "ana", "password": WORD, "to": asked}, follow_redirects=False
    )
    assert again.headers["location"] == shown


def test_what_was_typed_outlives_the_session(team):
    """A script leaves the form where it is; signed in again, the same form is taken."""
    client = _in(team, "ana")
    form = {
        "csrf": re.search(r'name="csrf" value="([^"]+)', client.get("/").text)[1],
        "token": "t" * 22, "p": "35", "question": "armenia-eu-referendum-2027",
    }  # fmt: skip
    assert "Signed out" in client.post("/leave", data=form).text
    head = team.book.head()
    refused = client.post("/log", data=form, headers={"HX-Request": "true"})
    assert refused.status_code == 401
    assert (refused.headers["HX-Retarget"], refused.headers["HX-Reselect"]) == (
        "#refused", "#refusal",
    )  # fmt: skip
    assert re.search(r'id="refusal"[^>]*>You are signed out, and this was not saved', refused.text)
    assert "forecast serve" not in refused.text
    assert team.book.head() == head
    for name, status in (("ben", 403), ("ana", 303)):
        client.post("/login", data={"name": name, "password": WORD})
        sent = client.post("/log", data=form, follow_redirects=False)
        assert sent.status_code == status, name
        client.cookies.clear()
    assert team.book.head() == head + 1


def test_a_proxy_on_this_machine_is_for_a_team(database):
    with Book.plain(str(database), forecaster="ana") as book:
        assert House(book, names=("forecasts.example.org",)).team
        assert not House(book).team
        with pytest.raises(InvalidInput, match="nobody has a password"):
            serve(book, at=("https://forecasts.example.org",), ready=lambda address: None)


def test_somebody_changes_their_own_password(team):
    here, there = _in(team, "ben"), _in(team, "ben")
    csrf = re.search(r'name="csrf" value="([^"]+)', here.get("/settings").text)[1]
    for old, new, fault in (
        ("guess", WORD + "?", "not your present password"),
        (WORD, "short", "10 letters"),
        (WORD, f" {WORD}", ""),
    ):
        page = here.post("/password", data={"csrf": csrf, "password": old, "new": new})
        assert (page.status_code, fault in page.text) == (422 if fault else 200, True)
        assert 'type="password"' in page.text
        assert not {old, new} & set(re.findall(r'value="([^"]*)"', page.text))
    assert there.get("/", follow_redirects=False).status_code == 303
    assert here.get("/", follow_redirects=False).status_code == 200
    assert team.users.all()["ben"].role == "reader"
    assert _in(team, "ben", f" {WORD}").get("/", follow_redirects=False).status_code == 200


def test_guessing_has_to_wait(team):
    client = _client(team)
    for _ in range(TRIES):
        assert "wrong" in client.post("/login", data={"name": "ana", "password": "guess"}).text
    assert "Wait" in client.post("/login", data={"name": "ana", "password": WORD}).text


def test_the_file_holds_no_password_and_is_its_owners_alone(tmp_path):
    users = Users(tmp_path / "users.json")
    users.put("ana", WORD)
    users.put("ben", WORD)
    text = users.path.read_text()
    assert WORD not in text
    assert users.path.stat().st_mode & 0o077 == 0
    digests = {each.digest for each in users.all().values()}
    assert len(digests) == 2
    with pytest.raises(InvalidInput, match="10 letters"):
        users.put("eve", "short")


def test_nobody_can_reach_it_before_somebody_has_a_password(database):
    with Book.plain(str(database), forecaster="ana") as book:
        with pytest.raises(InvalidInput, match="nobody has a password"):
            serve(book, host="0.0.0.0", port=0, ready=lambda address: None)
        with pytest.raises(InvalidInput, match="address of a site"):
            serve(book, host="0.0.0.0", port=0, at=("javascript:x",), ready=lambda address: None)


def test_the_command_adds_and_strikes_out(home):
    command = [sys.executable, "-m", "forecasting", "serve"]
    done = subprocess.run(
        [*command, "--add-user", "ana", "--reader"], input=f"{WORD}\n", text=True,
        capture_output=True, check=True,
    )  # fmt: skip
    assert "ana may sign in as a reader" in done.stderr
    assert Users().all()["ana"].role == "reader"
    subprocess.run([*command, "--remove-user", "ana"], check=True, capture_output=True)
    assert Users().all() == {}
    refused = subprocess.run(
        [*command, "--remove-user", "ana"], capture_output=True, text=True, check=False
    )
    assert (refused.returncode, "Traceback" in refused.stderr) == (2, False)


@pytest.fixture(params=[1280, 390])
def browsers(database, tmp_path, chrome, request):
    """The address of a team's app, and a browser of a width."""
    Users(tmp_path / "web-users.json").put("ana", WORD)
    server = Server(database, "--at", "http://f.example.org", FORECASTING_HOME=str(tmp_path))
    with chrome.new_context(viewport={"width": request.param, "height": 900}) as context:
        yield server.origin, context
    server.stop()


def test_somebody_signs_in_and_goes_on_where_a_session_ended(browsers):
    """What was typed stays while they sign in again, in another tab; keys alone are enough."""
    site, context = browsers
    page, other = context.new_page(), context.new_page()
    page.goto(f"{site}/q/armenia-eu-referendum-2027")
    page.locator("#name:focus").wait_for()
    page.evaluate(AXE.read_text("utf-8"))
    assert page.evaluate("axe.run().then(report => report.violations)") == []
    page.keyboard.type("ana")
    page.keyboard.press("Tab")
    page.keyboard.type(WORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/q/armenia-eu-referendum-2027")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    page.get_by_label("Your probability, in percent").fill("35")
    page.get_by_label("Why (kept with the number)").fill("a long thought")
    other.goto(f"{site}/settings")
    other.get_by_role("button", name="Sign out").click()
    other.locator("h1", has_text="Signed out").wait_for()
    page.get_by_role("button", name="Log", exact=True).click()
    page.locator("#refused", has_text="this was not saved").wait_for()
    assert page.get_by_label("Why (kept with the number)").input_value() == "a long thought"
    other.get_by_role("link", name="Sign in again").click()
    other.get_by_label("Name").fill("ana")
    other.get_by_label("Password").fill(WORD)
    other.get_by_role("button", name="Sign in").click()
    other.locator("h1", has_text="Today").wait_for()
    page.get_by_role("button", name="Log", exact=True).click()
    page.locator(".note.done", has_text="Logged 35").wait_for()
    assert page.get_by_text("a long thought").count() == 1


def test_a_team_writes_to_its_server(postgresql, tmp_path):
    """On PostgreSQL the same form still writes once, and everybody in their own name."""
    url = postgresql.url(postgresql.database())
    with Book.plain(url, forecaster="root", create=True) as book:
        house = House(book, host="10.0.0.5", names=("forecasts.example.org",), secure=True)
        house.users.put("ana", WORD)
        client = _in(house, "ana")
        page = client.get("/ask").text
        csrf = re.search(r'name="csrf" value="([^"]+)', page)[1]
        asked = {
            "csrf": csrf, "token": "t" * 22, "title": "Will the ferry sail?", "p": "20",
            "by": "2031-01-31", "kind": "yes-no",
        }  # fmt: skip
        assert client.post("/ask", data=asked).status_code == 200
        head = book.head()
        assert "not written twice" in client.post("/ask", data=asked).text
        assert book.head() == head
        assert {row["forecaster"] for row in book.forecasts()} == {"ana"}
        for address in ("/", "/questions", "/q/the-ferry-sail", "/ledger", "/settings"):
            assert client.get(address).status_code == 200
        assert book.verify()["ok"]
