"""The app in this process, and the app as its command runs it."""

import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from starlette.testclient import TestClient

from forecasting.app.book import Book, open_book
from forecasting.inference.fits import FitCache
from forecasting.web.app import create_app
from forecasting.web.house import House
from tests.app.quick import quick_fit

PORT = 8100
ORIGIN = f"http://127.0.0.1:{PORT}"


class Browser:
    """A browser without a script: it follows links and sends forms as they stand on a page."""

    #: The event loop that answers all of them; see `one_loop`.
    loop = None

    def __init__(self, house, *, enter=True, raises=True):
        self.house = house
        self.client = TestClient(create_app(house), base_url=ORIGIN, raise_server_exceptions=raises)
        self.client.portal = self.loop
        self.page = None
        if enter:
            token = house.sessions.invite(house.book.forecaster)
            assert self.client.get(f"/enter?token={token}").status_code == 200

    def get(self, address):
        """Open a page."""
        self.page = self.client.get(address)
        return self.page

    def forms(self, action):
        """Give the hidden and filled fields of each form of the page with that action."""
        return forms_of(self.page.text, action)

    def send(self, action, form=0, **typed):
        """Fill a form of the page and send it; the answer is the next page."""
        fields = self.forms(action)[form] if isinstance(form, int) else form
        self.page = self.client.post(action, data=fields | typed, headers={"Origin": ORIGIN})
        return self.page

    def _at_work(self):
        return "/jobs/" in str(self.page.url) and "<progress" in self.page.text

    def settled(self):
        """Look again until the work that the page is of is over; give what came of it."""
        if self._at_work():
            eventually(lambda: self.get(str(self.page.url)) and not self._at_work())
        return self.page

    def finished(self, address):
        """Open a page until its figures are there, as its poll does; give its text."""

        def there():
            head, _, poll = self.get(address).text.partition('class="working"')
            if poll:
                assert "hx-get" in poll[:300]
                assert '<noscript><meta http-equiv="refresh"' in head.partition("</head>")[0]
            return not poll

        eventually(there, 500)
        return str(self.page.text)

    def notes(self):
        """Give what the page says was done."""
        return re.findall(r'<p class="note [^>]*>(.*?)</p>', self.page.text, re.DOTALL)

    def faults(self):
        """Give the faults that the page shows."""
        return re.findall(r'<p class="fault"[^>]*>(.*?)</p>', self.page.text, re.DOTALL)


def eventually(done, seconds=90):
    """Ask until it is so."""
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.1)


def forms_of(text, action):
    """Give the fields of each form with an action, as a browser would send them untouched."""
    from html import unescape

    forms = []
    for attributes, inside in re.findall(r"<form([^>]*)>(.*?)</form>", text, re.DOTALL):
        if f'action="{action}"' not in attributes:
            continue
        fields = {}
        for tag in re.findall(r"<input([^>]*)>", inside):
            attrs = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
            kind = attrs.get("type", "text")
            if "name" in attrs and (kind not in ("checkbox", "radio") or " checked" in tag):
                fields[attrs["name"]] = unescape(attrs.get("value", ""))
        for tag, words in re.findall(r"<textarea([^>]*)>(.*?)</textarea>", inside, re.DOTALL):
            fields[dict(re.findall(r'([\w-]+)="([^"]*)"', tag))["name"]] = unescape(words).strip()
        for tag, words in re.findall(r"<select([^>]*)>(.*?)</select>", inside, re.DOTALL):
            name = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))["name"]
            options = re.findall(r'<option value="([^"]*)"([^>]*)>', words)
            chosen = [v for v, more in options if "selected" in more] or [v for v, _ in options]
            if chosen:
                fields[name] = unescape(chosen[0])
        forms.append(fields)
    return forms


@pytest.fixture(scope="session", autouse=True)
def one_loop():
    """One event loop for all requests: the client begins a thread with its own for each."""
    with start_blocking_portal() as Browser.loop:
        yield
    Browser.loop = None


@pytest.fixture(autouse=True)
def quick_fits(monkeypatch):
    """No sampler in this process: how a number is fitted is no law of a page."""
    monkeypatch.setattr(FitCache, "fit", quick_fit)


@pytest.fixture(scope="session")
def example(tmp_path_factory):
    """A database with the bundled bank, laid once."""
    path = tmp_path_factory.mktemp("web") / "example.db"
    open_book(str(path), forecaster="ana", create=True).close()
    return path


@pytest.fixture
def database(example, tmp_path):
    """A copy of it for one test."""
    return Path(shutil.copy(example, tmp_path / "forecasts.db"))


@contextmanager
def housed(path, **more):
    """The app's house over a database, until it is left."""
    with Book.plain(str(path), forecaster="ana", **more) as book:
        app_house = House(book, port=PORT)
        yield app_house
        app_house.close()


@pytest.fixture
def house(database):
    """The app's house over that copy."""
    with housed(database) as app_house:
        yield app_house


@pytest.fixture
def empty(tmp_path):
    """A browser that is in, over a database without a bank."""
    with housed(tmp_path / "empty.db", create=True) as app_house:
        yield Browser(app_house)


@pytest.fixture
def browser(house):
    """A browser that is in."""
    return Browser(house)


class Server:
    """`forecast serve` as a process of its own."""

    def __init__(self, database, *options, program=("-m", "forecasting"), **environment):
        # A file, for nobody reads a pipe while the server works.
        self.said = database.with_suffix(".stderr")
        with self.said.open("wb") as errors:
            self.process = self._start(program, database, options, environment, errors)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        if not self.address:
            raise RuntimeError(self.said.read_text())
        self.origin = self.address.split("/enter")[0].rstrip("/")

    def _start(self, program, database, options, environment, errors):
        return subprocess.Popen(
            [
                *(sys.executable, *program, "serve", "--port", "0", "--no-open"),
                *("--db", str(database), "--as", "ana", *options),
            ],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=os.environ | environment,
        )

    def stop(self):
        """End it."""
        self.process.terminate()
        self.process.wait(timeout=120)
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def server(database):
    """The app on a port of its own, over a copy of the example."""
    started = Server(database)
    yield started
    started.stop()
