"""Predicates as an analyst writes them: ``truce=on through close``, ``convoy count >= 3 by close``.

::

    predicate  asked ["given" truth]
    asked      truth | choice | amount
    truth      and/or/not and brackets over
               P=a|b by T, on T, through T, between T and T
               P by T, between T and T, count >= N by T
               P=a within 14d of Q=b
    choice     P on T [as state: option|option, ...]
               first of option: P=a, option: Q=b, else option
               highest of P by T
               highest of option: P=a, option: Q=b, else option
    amount     P total [by T] | P count [by T]
    T          close, a day (the midnight that ends it), or a moment

Names stand where a name belongs, so ``truce=on on close`` is a state called on, held at the close.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten

from forecasting.domain import predicate as ask
from forecasting.domain.instants import parse_when
from forecasting.domain.phrase import parse_span
from forecasting.domain.process import SCHEDULED_STATES, WorldSpec, target
from forecasting.errors import InvalidInput

NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
#: Words that begin something else where the name of a process could stand.
RESERVED = frozenset({"not", "first", "highest", "else", "given", "and", "or", "close"})
MOST_TEXT = 2_000
MOST_DEPTH = 40
#: The most characters of an answer that a fault quotes, in whole words.
MOST_SHOWN = 160
#: What an entry of ``first of`` and ``highest of`` cannot say.
_NOT_IN_ENTRIES = frozenset(
    {"count", "by", "on", "through", "between", "within", "total", "and", "or"}
)
#: Words that are none here, and the one that says what they mean.
_MEANT = {"at": "on", "until": "through", "till": "through", "throughout": "through"}
_CLOSE = ask.Moment()
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<moment>[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+(?:Z|[+-][0-9:]+)?)?(?![0-9a-zA-Z-]))
      | (?P<quoted>"[^"]*")
      | (?P<mark>>=|[=|(),:])
      | (?P<word>[^\s=|(),:"<>]+)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def parse_predicate(
    text: str, *, zone: str = "UTC", world: WorldSpec | None = None
) -> ask.Predicate:
    """Read what a question asks of the world; a day is the midnight that ends it in `zone`."""
    stated = " ".join(text.split())
    return _Parser(stated, _tokens(stated), zone, world).whole()


def parse_target(text: str) -> tuple[str, tuple[str, ...]]:
    """Read either end of a link, ``process`` or ``process=a|b``."""
    stated = " ".join(text.split())
    parser = _Parser(stated, _tokens(stated, "link"), "UTC", None, "link")
    result = parser.target()
    parser.end()
    return result


def _tokens(text: str, what: str = "answer") -> list[_Token]:
    if len(text) > MOST_TEXT:
        raise InvalidInput(f"{what} ({text[:40]}...): must have at most {MOST_TEXT:,} characters")
    tokens, place = [], 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            msg = f"{what} ({_begun(text)}): {text[place:].strip()[:10]} was not expected here"
            hint = "count >= 3" if text[place:].strip()[:1] in "<>" else ""
            if what == "link":
                # A move as `moves` writes it: a link means all of those into a state.
                move = re.fullmatch(r"([\w-]+) [\w-]+ ?> ?([\w-]+)", text)
                hint = "=".join(move.groups()) if move else ""
            raise InvalidInput(msg, hint=hint)
        kind = match.lastgroup or ""
        tokens.append(_Token(kind, match[kind]))
        place = match.end()
    return tokens


class _Parser:
    """Reads tokens from left to right; each method reads one rule of the grammar."""

    def __init__(
        self,
        text: str,
        tokens: Sequence[_Token],
        zone: str,
        world: WorldSpec | None,
        what: str = "answer",
    ) -> None:
        self.what = what
        self.text, self.tokens, self.zone, self.world = text, tokens, zone, world
        self.place = self.depth = 0

    def whole(self) -> ask.Predicate:
        event = self.asked()
        given = None
        if self.takes("given"):
            given = self.truth()
        self.end()
        return ask.Predicate(event, given, self.text)

    def end(self) -> None:
        """Refuse what is left over."""
        if self.place < len(self.tokens):
            msg = f"{self.tokens[self.place].text} comes after a complete predicate"
            raise self.fault(msg)

    def asked(self) -> ask.Event:
        if self.peek() == "first" and self.peek(1) == "of":
            self.place += 2
            return ask.FirstOf(*self.entries())
        if self.peek() == "highest" and self.peek(1) == "of":
            self.place += 2
            if self.peek(1) == ":":
                return ask.HighestAmong(*self.entries())
            process = self.name("a process")
            self.wants("by", "highest of guarantees by close")
            return ask.HighestOf(process, self.moment(), self.named())
        if NAME.fullmatch(self.peek()) and self.peek() not in RESERVED:
            word = self.peek(1)
            if word == "on":
                process = self.name("a process")
                self.place += 1
                return ask.StateOn(process, self.moment(), self.named())
            if word == "total" or (word == "count" and self.peek(2) != ">="):
                process = self.name("a process")
                self.place += 1
                when = self.moment() if self.takes("by") or self.takes("on") else _CLOSE
                return ask.Total(process, when, since_opening=word == "count")
        return self.truth()

    def entries(self) -> tuple[tuple[tuple[str, str, tuple[str, ...]], ...], str]:
        entries: list[tuple[str, str, tuple[str, ...]]] = []
        while self.peek() != "else" or self.peek(1) == ":":
            option = self.option()
            self.wants(":", "egypt: venue=egypt")
            process, states = self.target()
            entries.append((option, process, states))
            if self.peek() in _NOT_IN_ENTRIES:
                stated = target(process, states)
                msg = (
                    f"{option} is an option of `first of` or `highest of`, which takes PROCESS or "
                    f"PROCESS=STATE by the close and no `{self.peek()}`"
                )
                raise self.fault(msg, self.instead(option, stated))
            if not self.takes(","):
                break
        if not (entries and self.takes("else")):
            raise self.fault("needs an option for the remainder", "first of a: P=x, else none")
        return tuple(entries), self.option()

    def instead(self, option: str, stated: str) -> str:
        """Say what to ask where an entry states more than what is entered."""
        if self.peek() == "count":
            return f"a numeric question, answer: {stated} count"
        return f"{option}: {stated}"

    def named(self) -> tuple[tuple[str, str], ...]:
        """Read ``as weak: soft|vague, strong: firm`` into (state, option)."""
        pairs: list[tuple[str, str]] = []
        if not self.takes("as"):
            return ()
        while True:
            option = self.option()
            self.wants(":", "as weak: soft|vague, strong: firm")
            pairs += [(state, option) for state in self.states()]
            if not self.takes(","):
                break
        if len({state for state, _ in pairs}) < len(pairs):
            raise self.fault("gives one state to two options")
        return tuple(pairs)

    def truth(self) -> ask.Truth:
        left = self.both()
        while self.takes("or"):
            left = ask.Or(left, self.both())
        return left

    def both(self) -> ask.Truth:
        left = self.one()
        while self.takes("and"):
            left = ask.And(left, self.one())
        return left

    def one(self) -> ask.Truth:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            msg = f"is nested more than {MOST_DEPTH} deep"
            raise self.fault(msg)
        try:
            if self.takes("not"):
                return ask.Not(self.one())
            if self.takes("("):
                inner = self.truth()
                self.wants(")", "(a=x by close or b=y by close)")
                return inner
            return self.atom()
        finally:
            self.depth -= 1

    def atom(self) -> ask.Truth:
        process, states = self.target()
        if self.takes("within"):
            return self.within(process, states)
        if not states:
            return self.event(process)
        word = self.word()
        if word == "by":
            return ask.Entered(process, states, self.moment())
        if word == "on":
            return ask.At(process, states, self.moment())
        if word == "through":
            return ask.Through(process, states, self.moment())
        if word == "between":
            since, until = self.between()
            return ask.Entered(process, states, until, since)
        target = f"{process}={'|'.join(states)}"
        msg = f"{target} needs by, on, through, between or within{_then(word)}"
        raise self.fault(msg, f"{target} {_MEANT.get(word, 'by')} close")

    def event(self, process: str) -> ask.Truth:
        least = 1
        counts = self.takes("count")
        if counts:
            self.wants(">=", f"{process} count >= 3 by close")
            number = self.word()
            if not re.fullmatch("[0-9]{1,6}", number) or int(number) < 1:
                msg = f"count takes a whole number from 1{_then(number)}"
                raise self.fault(msg, "count >= 3")
            least = int(number)
        word = self.word()
        if word == "by":
            return self.occurred(process, self.moment(), least, None)
        if word == "between":
            since, until = self.between()
            return self.occurred(process, until, least, since)
        rule = f"{process} needs a state, or by, between, within, count{_then(word)}"
        raise self.fault(rule, f"{process} by close or {process}=STATE by close")

    def occurred(
        self, process: str, until: ask.Moment, least: int, since: ask.Moment | None
    ) -> ask.Truth:
        spec = self.world.processes.get(process) if self.world else None
        if spec is not None and spec.kind == "scheduled" and least == 1:
            return ask.Entered(process, SCHEDULED_STATES[1:], until, since)
        return ask.Occurred(process, until, least, since)

    def within(self, process: str, states: tuple[str, ...]) -> ask.Within:
        number = self.word()
        if re.fullmatch(r"[0-9.]+", number):
            number += self.word()
        try:
            days = parse_span(number)
        except InvalidInput as wrong:
            raise self.fault(wrong.message, "within 14d of strike") from wrong
        self.wants("of", "within 14d of strike")
        return ask.Within(process, states, days, *self.target())

    def between(self) -> tuple[ask.Moment, ask.Moment]:
        since = self.moment("begins")
        self.wants("and", "between 2026-01-01 and close")
        return since, self.moment()

    def target(self) -> tuple[str, tuple[str, ...]]:
        process = self.name("a process")
        return process, self.states() if self.takes("=") else ()

    def states(self) -> tuple[str, ...]:
        states = [self.name("a state")]
        while self.takes("|"):
            states.append(self.name("a state"))
        if len(set(states)) < len(states):
            raise self.fault("names the same state twice")
        return tuple(states)

    def name(self, what: str) -> str:
        text = self.peek()
        if not NAME.fullmatch(text) or (what == "a process" and text in RESERVED):
            msg = f"{what} was expected{self.where()}"
            raise self.fault(msg, "lower case with hyphens")
        self.place += 1
        return text

    def option(self) -> str:
        if self.place >= len(self.tokens) or self.tokens[self.place].kind == "mark":
            msg = f"an option was expected{self.where()}"
            raise self.fault(msg)
        text = self.word()
        return text[1:-1] if text.startswith('"') else text

    def moment(self, day_means: str = "ends") -> ask.Moment:
        text = self.word()
        if text == "close":
            return _CLOSE
        try:
            return ask.Moment(parse_when(text, zone_name=self.zone, day_means=day_means))
        except InvalidInput as wrong:
            rule = f"a time must be `close` or a day{_then(text)}"
            raise self.fault(rule, "by close or by 2026-12-31") from wrong

    def word(self) -> str:
        text = self.peek()
        self.place += 1
        return text

    def peek(self, ahead: int = 0) -> str:
        place = self.place + ahead
        return self.tokens[place].text if place < len(self.tokens) else ""

    def takes(self, word: str) -> bool:
        if self.peek() != word:
            return False
        self.place += 1
        return True

    def wants(self, word: str, example: str) -> None:
        if not self.takes(word):
            msg = f"{word} was expected{self.where()}"
            raise self.fault(msg, example)

    def where(self) -> str:
        """Say where the reading stands."""
        if self.place < len(self.tokens):
            return f" in place of {self.tokens[self.place].text}"
        return f" after {self.tokens[-1].text}" if self.tokens else ""

    def fault(self, rule: str, hint: str = "") -> InvalidInput:
        return InvalidInput(f"{self.what} ({_begun(self.text)}): {rule}", hint=hint)


def _begun(text: str) -> str:
    """Give a text, or so many of its first words as show which it is."""
    if len(text) <= MOST_SHOWN:
        return text
    start = shorten(text, MOST_SHOWN, placeholder=" ...")
    # One word may be longer than all that is shown.
    return start if start != "..." else f"{text[:MOST_SHOWN]}..."


def _then(word: str) -> str:
    return f", not {word}" if word else ""
