"""What of a file may be kept, given what a ledger holds: the same for every order of the lines."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter

from forecasting.domain import Imported, Question, Resolution, Value, Withdrawal
from forecasting.domain.forecast import options_value, quantiles_value
from forecasting.domain.instants import iso
from forecasting.domain.ladder import falls
from forecasting.domain.outcome import NO, YES, OutcomeSpace
from forecasting.domain.reading import Ambiguous, Damaged, Manner, outcome, plainly
from forecasting.domain.resolution import outcomes
from forecasting.errors import InvalidInput
from forecasting.exchange import questions
from forecasting.exchange.record import WITHDRAWN, Facts, Refused, Said, Settled, Statements
from forecasting.exchange.text_file import stop

type Key = tuple[str, str, dt.datetime]

#: The source of an outcome where the file does not name one.
SOURCE = "imported track record"
#: The source of the withdrawal of an outcome that a mistaken import brought.
UNDONE = "import undone"
#: What is said of forecasts that a platform took outside the window of their question.
_OUTSIDE = {
    "opens": "made before the opening; kept as said, and scored from the opening on",
    "closed": "made after the close; kept as said, and scored by no window",
    "resolved": "made after the outcome was known; kept as said, and scored by no window",
}


@dataclass(frozen=True, slots=True)
class Held:
    """What a ledger holds already.

    Attributes
    ----------
    questions
        The latest version of each, by id.
    resolutions
        Every version of every outcome, in the order of recording.
    forecasts
        By question, forecaster and moment the labels and decimals; replays are not among them.
    withdrawals
        By question, forecaster and moment.
    vacant
        Questions that only imports made, all of which were undone: another file may state them
        anew.
    imported
        Questions on which only imports have spoken: another file may complete what was left open.
    """

    questions: Mapping[str, Question] = field(default_factory=dict)
    resolutions: Sequence[Resolution] = ()
    forecasts: Mapping[Key, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    withdrawals: frozenset[Key] = frozenset()
    vacant: frozenset[str] = frozenset()
    imported: frozenset[str] = frozenset()


@dataclass(slots=True)
class Plan:
    """What will be recorded, in one canonical order, and what becomes of each line."""

    questions: list[Question] = field(default_factory=list)
    forecasts: list[Imported] = field(default_factory=list)
    withdrawals: list[Withdrawal] = field(default_factory=list)
    resolutions: list[Resolution] = field(default_factory=list)
    added: int = 0
    duplicates: int = 0
    refused: list[Refused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _About:
    """Everything that a file states about one question."""

    facts: list[Facts] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)

    def lines(self) -> Iterable[int]:
        yield from (one.own_line for one in self.facts if one.own_line)
        yield from (one.line for one in self.said)
        yield from (one.line for one in self.settled)


def plan(
    statements: Statements,
    held: Held,
    *,
    now: dt.datetime,
    name: str,
    manner: Manner | None = None,
    platform: bool = False,
) -> Plan:
    """Decide what becomes of each line.

    A question whose lines disagree among themselves or with the ledger is refused whole; so are
    forecasts of one person on one question at one instant that differ. Everything else is judged
    line by line, and nothing by the order of the lines.

    Parameters
    ----------
    statements : Statements
        What was read.
    held : Held
        What the ledger holds.
    now : datetime
        Nothing can have been said, or have come out, later.
    name : str
        The file, for messages.
    manner : Manner, optional
        How the file writes numbers and probabilities, and where its days are days.
    platform : bool
        Whether another platform wrote the file. What it took is kept and said: forecasts outside
        the window, an outcome before the opening, a deadline that had passed. Where it says
        something else of a question than before, the ledger's wording stays and the outcome that
        became known later stands, whichever file comes first.

    Raises
    ------
    InvalidInput
        A number that is none, or a spelling with two meanings; nothing may be written.
    """
    made = Plan(refused=list(statements.refused), notes=list(statements.notes))
    about: dict[str, _About] = defaultdict(_About)
    for facts in statements.facts:
        about[facts.question].facts.append(facts)
    for said in statements.said:
        about[said.question].said.append(said)
    for settled in statements.settled:
        about[settled.question].settled.append(settled)
    versions: dict[str, list[Resolution]] = defaultdict(list)
    for version in held.resolutions:
        versions[version.question].append(version)
    counts: Counter[str] = Counter()
    moments: dict[str, list[dt.datetime]] = defaultdict(list)
    for question, _, at in held.forecasts:
        moments[question].append(at)
    how = manner or Manner()
    came = _ladders_that_came(statements, held)
    outside: Counter[str] = Counter()
    for question in sorted(about):
        ladder, _, day = question.partition("@")
        earlier = [at for rung, at in came[ladder] if day and rung < day]
        work = _Question(
            about=about[question],
            held=held,
            made=made,
            notes=counts,
            now=now,
            name=name,
            manner=how,
            moments=moments[question],
            earlier=earlier,
            platform=platform,
            outside=outside,
        )
        work.decide(question, versions[question])
    made.notes += [
        f"{count:,} forecast{'s' * (count > 1)} {_OUTSIDE[what]}"
        for what, count in sorted(outside.items())
    ]
    made.notes += _flags(made, held)
    made.forecasts.sort(key=attrgetter("issued_at", "question", "forecaster"))
    made.withdrawals.sort(key=lambda one: (one.withdrawn_at, one.question, one.forecaster))
    made.refused.sort(key=lambda one: (one.line, one.reason))
    made.notes += [
        f"{count} question{'s' * (count > 1)}: {what}" for what, count in sorted(counts.items())
    ]
    return made


def _ladders_that_came(
    statements: Statements, held: Held
) -> dict[str, list[tuple[str, dt.datetime]]]:
    """Give of each ladder the rungs that came out yes, by the day in their name, and when."""
    found: dict[str, list[tuple[str, dt.datetime]]] = defaultdict(list)
    said = [
        (one.question, one.outcome, one.resolved_at) for one in outcomes(held.resolutions).values()
    ]
    said += [
        (one.question, one.outcome, one.resolved_at) for one in statements.settled if not one.status
    ]
    said += [
        (one.question, str(one.stated["outcome"]), one.stated["resolved_at"])
        for one in statements.facts
        if {"outcome", "resolved_at"} <= one.stated.keys()
    ]
    for question, came, at in said:
        ladder, rung, day = question.partition("@")
        try:
            yes = bool(rung) and outcome(OutcomeSpace.binary(), came) == YES
        except InvalidInput:
            continue
        if yes:
            found[ladder].append((day, at))
    return found


def _flags(made: Plan, held: Held) -> list[str]:
    """Say what was really said and is kept, though no other door would take it."""
    flags = []
    questions = {**held.questions, **{question.id: question for question in made.questions}}
    steps: dict[tuple[str, str], dict[str, list[tuple[dt.datetime, Decimal | None]]]] = {}
    new: dict[tuple[str, str], list[dt.datetime]] = defaultdict(list)

    ladders = {name: one.ladder for name, one in questions.items() if one.ladder}

    def step(question: str, who: str, at: dt.datetime, p: Decimal | None) -> None:
        rungs = steps.setdefault((ladders[question], who), {})
        rungs.setdefault(question, []).append((at, p))

    for one in made.forecasts if ladders else ():
        if one.question in ladders:
            step(one.question, one.forecaster, one.issued_at, Decimal(one.value.entered[0]))
            new[ladders[one.question], one.forecaster].append(one.issued_at)
    for (question, who, at), (labels, entered) in held.forecasts.items() if new else ():
        if (ladders.get(question), who) in new and labels == ("yes",):
            step(question, who, at, Decimal(entered[0]))
    for taken in made.withdrawals:
        if taken.question in ladders:
            step(taken.question, taken.forecaster, taken.withdrawn_at, None)
    found = 0
    for about, rungs in steps.items():
        # The day of a rung's name sorts as its deadline does.
        ordered = {rung: rungs[rung] for rung in sorted(rungs)}
        found += sum(fall.at in new[about] for fall in falls(ordered))
    if found:
        flags.append(
            f"{found} forecast{'s' * (found > 1)} of a ladder fall from an earlier deadline to a "
            "later one; kept as stated"
        )
    nothing = _take_nothing_back(made, held)
    if nothing:
        flags.append(
            f"{nothing} withdrawal{'s' * (nothing > 1)} of a forecast that was not in force; kept "
            "as stated"
        )
    return flags


def _take_nothing_back(made: Plan, held: Held) -> int:
    concerned = {(one.question, one.forecaster) for one in made.withdrawals}
    if not concerned:
        return 0
    events: dict[tuple[str, str], list[tuple[dt.datetime, bool, bool]]] = defaultdict(list)
    for f in made.forecasts:
        events[f.question, f.forecaster].append((f.issued_at, True, True))
    for w in made.withdrawals:
        events[w.question, w.forecaster].append((w.withdrawn_at, False, True))
    for keys, speaks in ((held.forecasts, True), (held.withdrawals, False)):
        for question, who, at in keys:
            if (question, who) in concerned:
                events[question, who].append((at, speaks, False))
    count = 0
    for about in concerned:
        stands = False
        for _, speaks, new in sorted(events[about]):
            count += new and not speaks and not stands
            stands = speaks
    return count


@dataclass(slots=True)
class _Question:
    about: _About
    held: Held
    made: Plan
    notes: Counter[str]
    now: dt.datetime
    name: str
    manner: Manner
    moments: Sequence[dt.datetime]
    earlier: Sequence[dt.datetime]
    platform: bool
    outside: Counter[str]

    def decide(self, name: str, versions: list[Resolution]) -> None:
        held, notes = self.held.questions.get(name), Counter[str]()
        try:
            question = self._question(name, held, versions, notes)
            beside = self._outcome_beside(question, versions, notes)
        except (Ambiguous, Damaged) as damaged:
            line = min(self.about.lines())
            raise stop(self.name, line, damaged.message, damaged.hint) from damaged
        except InvalidInput as wrong:
            self._refuse(self.about.lines(), str(wrong))
            return
        settled = self._settle(question, versions)
        settled += [] if beside is None else [(beside, [])]
        standing = outcomes([*versions, *(one for one, _ in settled)]).get(name)
        # A yes on an earlier rung of its ladder settles a question too.
        ends = [*self.earlier, *([] if standing is None else [standing.resolved_at])]
        kept = self._say(question, min(ends, default=None))
        own = [one for one in self.about.facts if one.own_line]
        if held is None and not (kept or own):
            # The outcome of a question that nothing else is kept of would stand in the air.
            for _, lines in settled:
                self._refuse(lines, f"question ({name}): every row of it was refused")
            return
        self.notes.update(notes)
        new = question is not held
        if new:
            self.made.questions.append(question)
            self.made.added += bool(own)
        self.made.duplicates += len(own) - (new and bool(own))
        for resolution, lines in settled:
            self.made.resolutions.append(resolution)
            self.made.added += bool(lines)
            self.made.duplicates += max(len(lines) - 1, 0)

    def _refuse(self, lines: Iterable[int], reason: str) -> None:
        self.made.refused += [Refused(line, reason) for line in lines]

    def _question(
        self,
        name: str,
        held: Question | None,
        versions: Sequence[Resolution],
        notes: Counter[str],
    ) -> Question:
        facts = questions.merged(self.about.facts)
        zone = self.manner.zone or "UTC"
        resolved_at = facts.get("resolved_at") or self._first_settled()
        said = [one.issued_at for one in self.about.said if one.said != WITHDRAWN]
        if held is not None and name not in self.held.vacant:
            if self.platform:
                if not held.source and name in self.held.imported:
                    # A file of forecasts alone came first, which said nothing of the question.
                    held = questions.completed(
                        held, facts, before=self.moments, said=said,
                        resolved_at=(_when(outcomes(versions).get(name)), resolved_at),
                        notes=notes, outside=True,
                    )  # fmt: skip
                questions.check_same(held, facts, notes, wording_stays=True)
                return held
            if name not in self.held.imported:
                questions.check_same(held, facts, notes)
                return held
            standing = outcomes(versions).get(name)
            completed = questions.completed(
                held,
                facts,
                before=self.moments,
                said=said,
                resolved_at=(None if standing is None else standing.resolved_at, resolved_at),
                notes=notes,
            )
            questions.check_same(completed, facts, notes)
            return held if completed == held else completed
        if self.platform and not facts:
            msg = f"question ({name}): neither this file nor the ledger says what was asked"
            raise InvalidInput(msg, hint="the file of the questions first, or both in one zip")
        if (whole := next((one.whole for one in self.about.facts if one.whole), None)) is not None:
            return whole
        made = questions.made(
            name,
            facts,
            self.about.said,
            notes,
            zone=zone,
            resolved_at=resolved_at,
            platform=self.platform,
        )
        return held if held is not None and made == held else made

    def _first_settled(self) -> dt.datetime | None:
        moments = [one.resolved_at for one in self.about.settled if not one.status]
        return min(moments, default=None)

    def _outcome_beside(
        self, question: Question, versions: list[Resolution], notes: Counter[str]
    ) -> Resolution | None:
        """Give the outcome that rows of a table state beside their forecasts, where it is new."""
        facts = questions.merged(self.about.facts)
        stated, at = facts.get("outcome"), facts.get("resolved_at")
        if stated is None:
            if at is not None:
                msg = "resolved_at: is given without an outcome"
                raise InvalidInput(msg, hint="add the outcome")
            return None
        last = outcomes(versions).get(question.id)
        dated = at is not None
        if at is None:
            if last is not None and last.outcome == outcome(
                question.space, stated, manner=self.manner
            ):
                return None
            notes["no resolved_at is stated: taken from when they close"] += 1
            at = question.closes
        found = Resolution(
            question=question.id,
            outcome=self._read_outcome(question, stated, at, notes),
            resolved_at=at,
            source=facts.get("source") or SOURCE,
            note=facts.get("note", ""),
            version=1 + max((one.version for one in versions), default=0),
        )
        if found.outcome == NO and dated and "closes" in facts and at < question.closes:
            notes["resolved no before they closed; kept as stated"] += 1
        if self._known(found, versions):
            return None
        if last is not None and not (
            # The first import had no day of the outcome, and took the closing for it.
            last.source == SOURCE
            and last.outcome == found.outcome
            and dated
            and last.resolved_at == self._closed_by_default(question)
        ):
            msg = (
                f"outcome ({found.outcome} at {iso(found.resolved_at)}): question {question.id} is "
                f"in the ledger as {last.outcome} at {iso(last.resolved_at)}"
            )
            raise InvalidInput(msg, hint=f"forecast resolve {question.id}, if that was corrected")
        return found

    def _closed_by_default(self, question: Question) -> dt.datetime | None:
        held = self.held.questions.get(question.id)
        return None if held is None else held.closes

    def _read_outcome(
        self, question: Question, stated: str, at: dt.datetime, notes: Counter[str]
    ) -> str:
        if at > self.now:
            msg = f"resolved_at ({iso(at)}): lies in the future (now {iso(self.now)})"
            raise InvalidInput(msg)
        if at <= question.opens and not self.platform:
            msg = f"resolved_at ({iso(at)}): must come after opens ({iso(question.opens)})"
            raise InvalidInput(msg)
        found = outcome(question.space, stated, manner=self.manner)
        if question.type == "numeric" and found[:1] in ("<", ">") and stated[:1] not in "<>":
            notes[f"an outcome beyond the bounds is recorded as {found}"] += 1
        return found

    @staticmethod
    def _known(found: Resolution, versions: list[Resolution]) -> bool:
        # What an undone import had said may be said again.
        undone = max((n for n, one in enumerate(versions) if one.source == UNDONE), default=-1)
        return any(_same(found, one) for one in versions[undone + 1 :])

    def _settle(
        self, question: Question, versions: list[Resolution]
    ) -> list[tuple[Resolution, list[int]]]:
        """Give the outcomes to add, of records that state one version each, with their lines."""
        if self.platform:
            return self._latest(question, versions)
        by_version: dict[int, list[tuple[int, Resolution]]] = defaultdict(list)
        for one in self.about.settled:
            try:
                found = self._version(question, one)
            except (Ambiguous, Damaged) as damaged:
                raise stop(self.name, one.line, damaged.message, damaged.hint) from damaged
            except InvalidInput as wrong:
                self._refuse([one.line], str(wrong))
            else:
                by_version[one.version].append((one.line, found))
        taken = max((one.version for one in versions), default=0)
        added: list[tuple[Resolution, list[int]]] = []
        for version, group in sorted(by_version.items()):
            lines = [line for line, _ in group]
            first = min((one for _, one in group), key=lambda one: (one.source, one.note))
            if any(not _same(first, one) for _, one in group):
                reason = f"version ({version}): lines disagree on question {question.id}"
                self._refuse(lines, reason)
            elif self._known(first, versions):
                self.made.duplicates += len(lines)
            elif version <= taken:
                reason = (
                    f"version ({version}): question {question.id} has another outcome in the "
                    "ledger under that number"
                )
                self._refuse(lines, reason)
            else:
                added.append((first, lines))
        return added

    def _latest(
        self, question: Question, versions: list[Resolution]
    ) -> list[tuple[Resolution, list[int]]]:
        """Give the outcome that a platform made known last, where the ledger lacks it."""
        found: list[tuple[int, Resolution]] = []
        for one in self.about.settled:
            try:
                found.append((one.line, self._version(question, one)))
            except InvalidInput as wrong:
                self._refuse([one.line], str(wrong))
        if not found:
            return []
        _, last = max(found, key=lambda pair: (pair[1].resolved_at, pair[1].outcome, pair[1].note))
        standing = outcomes(versions).get(question.id)
        if self._known(last, versions) or (
            standing is not None and standing.resolved_at > last.resolved_at
        ):
            self.made.duplicates += len(found)
            return []
        if standing is not None:
            self.notes["an earlier file said another outcome; the later one stands"] += 1
        number = 1 + max((one.version for one in versions), default=0)
        return [(replace(last, version=number), [line for line, _ in found])]

    def _version(self, question: Question, one: Settled) -> Resolution:
        return Resolution(
            question=question.id,
            outcome=self._read_outcome(question, one.outcome, one.resolved_at, self.notes),
            resolved_at=one.resolved_at,
            source=one.source or SOURCE,
            certainty=one.certainty,
            note=one.note,
            version=one.version,
            status=one.status,
        )

    def _say(self, question: Question, resolved_at: dt.datetime | None) -> int:
        """Keep the forecasts and withdrawals that may be kept; give how many stand afterwards."""
        digest, opens = question.wording_hash, question.opens
        ends = min(filter(None, (question.closes, resolved_at, self.now)))
        first: dict[tuple[str, dt.datetime], tuple[Said, Value | None]] = {}
        more: dict[tuple[str, dt.datetime], list[tuple[Said, Value | None]]] = {}
        for one in self.about.said:
            try:
                value = None if one.said == WITHDRAWN else self._value(question, one)
                if not opens <= one.issued_at < ends:
                    self._in_time(question, one, resolved_at)
            except (Ambiguous, Damaged) as damaged:
                raise stop(self.name, one.line, damaged.message, damaged.hint) from damaged
            except InvalidInput as wrong:
                self.made.refused.append(Refused(one.line, str(wrong)))
                continue
            key, pair = (one.forecaster, one.issued_at), (one, value)
            if (before := first.setdefault(key, pair)) is not pair:
                more.setdefault(key, [before]).append(pair)
        # Of a million forecasts nearly all are alone at their instant, and in no ledger yet.
        alone = not (self.moments or self.held.withdrawals)
        stand = 0
        for key, (one, value) in first.items():
            if alone and key not in more:
                self._keep(digest, one, value)
                stand += 1
            else:
                group = more.get(key) or [(one, value)]
                stand += self._at_one_instant(digest, (question.id, *key), group)
        return stand

    def _value(self, question: Question, one: Said) -> Value:
        if isinstance(one.said, Value):
            return one.said
        if isinstance(one.said, str) and question.space.type == "binary":
            return _binary(one.said, one.stated)
        return value_of(question.space, one.said, manner=self.manner)

    def _at_one_instant(self, digest: str, key: Key, group: list[tuple[Said, Value | None]]) -> int:
        there = self.held.forecasts.get(key)
        if self.platform and len(group) > 1 and any(value is not None for _, value in group):
            # Where a new forecast follows at once, the end of the one before it is no withdrawal.
            ends = [pair for pair in group if pair[1] is None]
            self.made.duplicates += len(ends)
            group = [pair for pair in group if pair[1] is not None]
        if self.platform and there is not None and all(value is None for _, value in group):
            self.made.duplicates += len(group)
            return 1
        only_ended = self.platform and there is None and group[0][1] is not None
        if there is not None or (key in self.held.withdrawals and not only_ended):
            stands = None if there is None else _numbers(*there)
            other = [one.line for one, value in group if _exact(value) != stands]
            self._refuse(other, f"forecast ({_named(key)}): the ledger has another at that instant")
            self.made.duplicates += len(group) - len(other)
            return 1
        if len(group) > 1 and len({_exact(value) for _, value in group}) > 1:
            lines = sorted(one.line for one, _ in group)
            shown = ", ".join(map(str, lines[:5])) + (", ..." if len(lines) > 5 else "")
            reason = f"forecast ({_named(key)}): lines {shown} disagree at that instant"
            self._refuse(lines, reason)
            return 0
        one, value = group[0]
        if len(group) > 1:
            one, value = min(group, key=lambda pair: (pair[0].stated, pair[0].because))
        self.made.duplicates += len(group) - 1
        self._keep(digest, one, value)
        return 1

    def _keep(self, digest: str, one: Said, value: Value | None) -> None:
        made = self.made
        made.added += 1
        if value is None:
            made.withdrawals.append(Withdrawal(one.question, one.forecaster, one.issued_at))
            return
        if one.stated != value.stated:
            value = Value(value.shape, value.labels, value.entered, one.stated)
        made.forecasts.append(
            Imported(one.question, digest, one.forecaster, value, one.issued_at, one.because)
        )

    def _in_time(self, question: Question, one: Said, resolved_at: dt.datetime | None) -> None:
        at = one.issued_at
        if at > self.now:
            rule = f"lies in the future (now {iso(self.now)})"
        elif at < question.opens:
            rule = f"question {question.id} opens at {iso(question.opens)}"
        elif resolved_at is not None and at >= resolved_at:
            rule = f"question {question.id} had resolved at {iso(resolved_at)}"
        elif at >= question.closes:
            rule = f"question {question.id} had closed at {iso(question.closes)}"
        else:
            return
        if (self.platform or one.outside) and at <= self.now:
            self.outside[rule.rpartition(" at ")[0].rpartition(" ")[2]] += 1
            return
        msg = f"issued_at ({iso(at)}): {rule}"
        raise InvalidInput(msg)


def _when(standing: Resolution | None) -> dt.datetime | None:
    return None if standing is None else standing.resolved_at


def _same(one: Resolution, other: Resolution) -> bool:
    what = (one.outcome, one.resolved_at, one.status)
    return what == (other.outcome, other.resolved_at, other.status)


def _named(key: Key) -> str:
    return f"{key[1]} on {key[0]} at {iso(key[2])}"


def _exact(value: Value | None) -> tuple[tuple[str, Decimal], ...] | None:
    return None if value is None else _numbers(value.labels, value.entered)


@lru_cache(maxsize=65536)
def _binary(entered: str, stated: str) -> Value:
    """Give a probability; the thousands who say the same share one value."""
    return Value("binary", ("yes",), (entered,), stated)


@lru_cache(maxsize=65536)
def _numbers(labels: tuple[str, ...], entered: tuple[str, ...]) -> tuple[tuple[str, Decimal], ...]:
    return tuple(zip(labels, map(Decimal, entered), strict=True))


def value_of(
    space: OutcomeSpace,
    said: str | tuple[tuple[str, str], ...],
    *,
    manner: Manner | None = None,
) -> Value:
    """Give the value of a forecast on a question of some outcome space.

    A text is the decimal of a probability that was read already; pairs are read here, where it is
    known what they are.

    Raises
    ------
    InvalidInput
        A number where options are wanted or the other way round, options that do not sum to 1,
        quantiles that fall.

    Examples
    --------
    >>> value_of(OutcomeSpace("ordered", ("none", "some")), (("some", "0.2"), ("none", "80%")))
    ... # doctest: +ELLIPSIS
    Value(shape='options', labels=('none', 'some'), entered=('0.8', '0.2'), ...)
    """
    if space.type == "binary":
        if not isinstance(said, str):
            names = plainly(", ".join(label for label, _ in said))
            msg = f"forecast ({names}): the question is yes or no, and takes one probability"
            raise InvalidInput(msg, hint="0.35")
        return Value("binary", ("yes",), (said,))
    if isinstance(said, str):
        hint = "5=1;50=2;95=4" if space.type == "numeric" else "a=0.2;b=0.8"
        msg = f"forecast ({said}): the question is {space.type}, and takes a number for each"
        raise InvalidInput(msg, hint=hint)
    if space.type == "numeric":
        return quantiles_value(space, dict(said), manner=manner)
    found = options_value(space, dict(said), manner=manner)
    return Value(found.shape, found.labels, found.entered)
