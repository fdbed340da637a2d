"""One visit: what was asked, in whose name, and the ways to answer it."""

import datetime as dt
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, RedirectResponse, Response

from forecasting import clock, config
from forecasting.app.book import PlainBook
from forecasting.errors import ForecastingError, InvalidInput, NotFound, Repeated
from forecasting.review import words
from forecasting.web.bodies import Sent
from forecasting.web.faults import Fault, fault_of
from forecasting.web.gate import Refusal
from forecasting.web.house import House, receipt_key
from forecasting.web.preferences import Preferences
from forecasting.web.sessions import Note, Session
from forecasting.web.view import capitalize_first, render, shows, unfolded

type Undo = tuple[str, Mapping[str, str]] | None
#: Fields of a form that are no part of what is written.
SILENT = {"csrf", "token", "seen", "was"}
#: For this long the same number in the same words is not logged again: somebody who goes back in
#: the browser sends what was typed a second time, with another token.
LATELY = dt.timedelta(minutes=10)
#: What may be an id in a message: a word with a hyphen, since one without could be any word.
#: The id of a question is itself what a message tells where it says "id is".
_ID = re.compile(
    r"(?<=watched )[a-z0-9]+\b(?!-)|^[a-z0-9]+(?= asks )"
    r"|(?<!id is )\b[a-z0-9]+(?:-[a-z0-9]+)+(?:@\d{4}-\d\d-\d\d)?"
)
#: A state of a process.
_TARGET = re.compile(r"(?<![\w-])([a-z0-9]+(?:-[a-z0-9]+)*)=[a-z][a-z0-9|-]*")
#: Processes set apart by commas, whose names may be single words.
_LISTED = re.compile(r"(?<=keeps a list of )[^:]+(?=:)")


@dataclass
class Visit:
    """A request as the pages see it.

    `here` is the address without its query; `address` the whole one of a page, empty for the answer
    to a form. `swaps`: a script asked, to put the answer in place of the page it is on. `polls`: it
    asked how far a part of its page is, so the address and the notes stay.
    """

    house: House
    session: Session
    key: str = field(repr=False)
    here: str = "/"
    query: Sent = field(default_factory=Sent)
    form: Sent = field(default_factory=Sent)
    path: Mapping[str, Any] = field(default_factory=dict)
    preferences: Preferences = field(default_factory=Preferences)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    swaps: bool = False
    polls: bool = False
    address: str = ""

    @cached_property
    def now(self) -> dt.datetime:
        """The moment of this visit."""
        return clock.now()

    @property
    def lately(self) -> dt.datetime:
        """The moment since which the same number in the same words is the same form sent again."""
        return self.now - LATELY

    @property
    def who(self) -> str:
        """In whose name the visitor speaks: in a team the one who signed in, never a form's."""
        if self.house.team:
            return self.session.who
        return self.preferences.forecaster or self.session.who

    @property
    def may_write(self) -> bool:
        """Whether the visitor may do more than read."""
        return self.session.role == "forecaster"

    @cached_property
    def book(self) -> PlainBook:
        """The book in the visitor's name, to read from."""
        return self.house.book.speaking_as(self.who)

    @cached_property
    def head(self) -> int:
        """The number of the last entry when this visit first looked."""
        return self.book.head()

    @cached_property
    def zone(self) -> str:
        """The visitor's zone: their own, the workspace's, or the bank's."""
        own = self.preferences.zone or config.zone()
        return own or self.kept("zone", self.book.zone)

    @cached_property
    def _unanswered(self) -> frozenset[str]:
        # Who only reads never answers, and would never see them.
        hidden = self.preferences.hide and self.may_write
        return self.book.unanswered() if hidden else frozenset()

    def hides(self, question: str) -> bool:
        """Say whether others' numbers of a question are kept back: it is open and unanswered."""
        return question in self._unanswered

    @property
    def without_list(self) -> str:
        """What a watch of everything says of processes of which nobody keeps a list."""
        from forecasting.domain.watch import no_list

        text: str = self.kept("without list", lambda: no_list(self.book.without_list(), self.zone))
        return self.by_title(text)

    def kept(self, key: Any, make: Callable[[], Any]) -> Any:
        """Compute once for a head of the ledger; `key` says what, with all that it depends on."""
        return self.house.kept.get(self.head, key, make)

    def titled(self, name: str) -> str:
        """Give what a question, a process or one of its states is called; an unknown name as is."""
        titles = self.kept("what each is called", self.book.titles)
        of, equals, state = name.partition("=")
        if of not in titles:
            return name
        return words.day_names(titles[of]) + (f": {state}" if equals else "")

    def quoted(self, name: str) -> str:
        """Give a title within quotation marks, for a note that may be read on another page."""
        return f"“{self.titled(name)}”"

    def by_title(self, message: str) -> str:
        """Name the questions and processes of a message by their titles, and no command."""
        titles = self.kept("what each is called", self.book.titles)
        message = message.replace(" (forecast watch lists them)", "")
        message = _LISTED.sub(
            lambda match: words.listed([self.quoted(name) for name in match[0].split(", ")]),
            message,
        )
        message = _TARGET.sub(
            lambda match: self.quoted(match[0]) if match[1] in titles else match[0], message
        )
        message = _ID.sub(
            lambda match: self.quoted(match[0]) if match[0] in titles else match[0], message
        )
        return words.day_names(words.times(message))

    def page(
        self, template: str, *, faults: tuple[Fault, ...] = (), part: bool = False, **context: Any
    ) -> Response:
        """Draw a page, or a `part` of the one that is shown; its status says of faults."""
        notes: list[Note] = []
        still = self.polls or part
        if not still:
            notes, self.session.notes = self.session.notes, []
        context |= {"visit": self, "notes": notes, "csrf": self.session.csrf, "faults": faults}
        text = render(template, astray=(), **context)
        if astray := [fault for fault in faults if not shows(text, fault)]:
            text = render(template, astray=astray, **context)
        if faults:
            text = unfolded(text)
        response = HTMLResponse(text, status_code=422 if faults else 200)
        if self.swaps and not self.polls:
            # Where a script put this page in place of another, its address goes with it.
            mine = (
                self.address and not part and not SILENT & {name for name, _ in self.query.fields}
            )
            response.headers["HX-Push-Url"] = self.address if mine else "false"
        return response

    def keep(self, response: Response, cookie: str, value: str, *, lasting: bool = True) -> None:
        """Let the browser keep a value: for a year, or until it is closed."""
        response.set_cookie(
            cookie,
            value,
            max_age=365 * 86_400 if lasting else None,
            httponly=True,
            samesite="strict",
            secure=self.house.secure,
            path="/",
        )

    def token(self) -> str:
        """Give a new form's token."""
        return secrets.token_urlsafe(16)

    def note(self, words: str, kind: str = "done", undo: Undo = None) -> None:
        """Say something on the next page, with the form that takes it back."""
        self.session.notes.append(Note(kind, words, undo))

    def to(self, place: str, **query: str) -> Response:
        """Send the browser to a page of ours; `place` is written by us, never taken from a form."""
        address = f"{place}?{urlencode(query)}" if query else place
        return RedirectResponse(address, status_code=303)

    def act(self) -> str:
        """Name the act of writing that a form is: sent a second time it is the same."""
        token = self.form.get("token")
        if not token or len(token) > 64:
            raise Refusal(400, "This form is not one of this app's. Open its page again.")
        typed = [part for pair in self.form.fields if pair[0] not in SILENT for part in pair]
        files = [part for name, up in self.form.files.items() for part in (name, up.digest)]
        return receipt_key(self.who, self.here, token, *typed, *files)

    def write[T](
        self,
        call: Callable[[PlainBook], T],
        *,
        then: str | Callable[[T], str],
        note: Callable[[T], str],
        again: Callable[[tuple[Fault, ...]], Response],
        undo: Callable[[T], Undo] = lambda result: None,
    ) -> Response:
        """Write once, whatever is sent twice, and go on to `then`; `again` shows the faults."""
        once = self.act()
        notes: list[str] = []
        book = self.house.book.speaking_as(self.who, once=once, tell=notes.append)
        try:
            if book.written():
                raise Repeated(book.written())
            result = call(book)
        except Repeated as repeated:
            return self.repeated(repeated.seq, then)
        except (InvalidInput, NotFound) as refused:
            # The same form, sent twice, may have been written by the other request meanwhile.
            if seq := book.written():
                return self.repeated(seq, then)
            fault = fault_of(refused, self.zone)
            # The question's id is not typed into the form, so its title can stand for it.
            named = fault.field == "question"
            return again((Fault(fault.field, self.by_title(fault.words)) if named else fault,))
        except ForecastingError as refused:
            return again((Fault("", fault_of(refused, self.zone).words),))
        self.note(note(result), undo=undo(result))
        for each in notes:
            self.note(f"{capitalize_first(self.by_title(each)).rstrip('.')}.", "info")
        return self.to(then(result) if callable(then) else then)

    def repeated(self, seq: int, then: str | Callable[[Any], str]) -> Response:
        """Say that a form was sent before, and go on."""
        self.note(f"This was saved already, as entry {seq}; it was not written twice.", "info")
        return self.to(then if isinstance(then, str) else "/")
