"""What an item of news may do to a question: read, and held against what is known."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from forecasting.app.catalog import Catalog
from forecasting.domain.evidence import Effect, Evidence, parse_effect
from forecasting.domain.instants import iso
from forecasting.domain.question import Question
from forecasting.errors import InvalidInput
from forecasting.evidence import retracted
from forecasting.models.encoding import facts
from forecasting.models.encoding.priors import process_of
from forecasting.models.encoding.stances import check_stance

#: The outcome data that each kind of process reads; any other would be stored and do nothing.
READ: Mapping[str, tuple[str, ...]] = {
    "truces": ("ended", "violated"),
    "packages": ("begun", "delivered"),
}
_ONLY_THERE = {"violated": "a truce", "delivered": "an agreed exchange"}


class EffectCheck:
    """Reads effects and refuses those that contradict what stands in the ledger.

    Parameters
    ----------
    catalog : Catalog
        The questions and their outcomes.
    evidence : iterable of Evidence
        Every item, retractions among them; :meth:`take` adds the accepted items of a batch.
    """

    def __init__(self, catalog: Catalog, evidence: Iterable[Evidence]) -> None:
        self._catalog = catalog
        self._evidence = retracted(evidence)
        self._processes: dict[str, str] = {}
        for question in catalog.questions.values():
            self._processes[question.id] = process_of(question)
            if question.ladder:
                self._processes[question.ladder] = process_of(question)
        self._truces: dict[str, facts.Truce] | None = None
        self._packages: dict[str, facts.Package] | None = None
        self._more: dict[str, float] = {}

    def take(self, effects: Iterable[Effect]) -> None:
        """Count accepted deliveries, so that the next item of a batch is held against them."""
        for effect in effects:
            if effect.name == "delivered":
                process = self._processes[effect.target]
                more = self._more.get(process, 0.0) + float(effect.detail["value"])
                self._more[process] = more

    def effects(
        self, on: Sequence[str], *, known_at: dt.datetime, event_at: dt.datetime | None
    ) -> tuple[Effect, ...]:
        """Read ``QUESTION=EFFECT`` texts; ``QUESTION`` alone bears on it without an effect.

        Raises
        ------
        InvalidInput, NotFound
            An unknown question, a question that had closed, one named twice, an effect that its
            type or process cannot take, more delivered than agreed, a truce over before it began.
        """
        found = tuple(self._effect(text, known_at, event_at or known_at) for text in on)
        seen: dict[str, str] = {}
        for effect in found:
            process = self._processes[effect.target]
            # Two questions on one process share its data: the same datum twice counts twice.
            mark = f"{process} {effect.name}" if effect.form == "datum" else effect.target
            if mark in seen:
                same = effect.target == seen[mark]
                rule = "is named twice" if same else f"shares its process with {seen[mark]}"
                msg = f"question ({effect.target}): {rule}; one item says a thing once"
                raise InvalidInput(msg, hint=f"--on {seen[mark]}=... alone")
            seen[mark] = effect.target
        return found

    def _effect(self, text: str, known_at: dt.datetime, happened: dt.datetime) -> Effect:
        name, separator, stated = (part.strip() for part in text.partition("="))
        questions = self._catalog.find(name)
        if not separator:
            return Effect(name, "bears", {})
        effect = parse_effect(name, stated)
        check_stance(effect, questions)
        if effect.form == "likelihood" and not all(float(n) > 0 for n in effect.detail.values()):
            # Two tiny numbers can be above 0 and their product not: nothing could be computed.
            msg = f"likelihoods ({stated[:40]}): are too small to be told from 0"
            raise InvalidInput(msg, hint="0.6/0.2")
        without = f"--on {name} (bears on it, without an effect)"
        if all(self._catalog.ends(question) <= known_at for question in questions):
            ended = max(self._catalog.ends(question) for question in questions)
            msg = (
                f"question ({name}): had closed ({iso(ended)}) before the item was known "
                f"({iso(known_at)})"
            )
            raise InvalidInput(msg, hint=without)
        if effect.form != "datum":
            if any(question.type != "binary" for question in questions):
                msg = (
                    f"effect ({stated}): a {effect.form} needs a yes-no question; {name} is not one"
                )
                raise InvalidInput(msg, hint=without)
            return effect
        self._check_datum(effect, questions[0], happened)
        return effect

    def _check_datum(self, effect: Effect, question: Question, happened: dt.datetime) -> None:
        process = self._processes[effect.target]
        head, _, row = process.partition("/")
        readable = READ.get(head)
        if readable is not None and effect.name not in readable:
            msg = f"effect ({effect.stated}): {effect.target} takes {' or '.join(readable)}"
            raise InvalidInput(msg, hint=f"--on {effect.target} (bears on it, without an effect)")
        if readable is None and effect.name in _ONLY_THERE:
            needed = _ONLY_THERE[effect.name]
            msg = f"effect ({effect.stated}): needs a question on {needed}; {effect.target} is none"
            raise InvalidInput(msg, hint=f"--on {effect.target} (bears on it, without an effect)")
        if head == "truces":
            self._check_truce(row, effect, happened)
        elif head == "packages":
            self._check_package(process, effect, question, happened)

    def _check_truce(self, row: str, effect: Effect, happened: dt.datetime) -> None:
        if self._truces is None:
            self._truces = facts.truces(self._redirected())
        truce = self._truces.get(row)
        if truce is not None and happened < truce.start:
            msg = (
                f"truce ({row}): cannot be {effect.name} at {iso(happened)}, before it began "
                f"({iso(truce.start)})"
            )
            raise InvalidInput(msg, hint="--event-at TIME, when it happened")

    def _check_package(
        self, process: str, effect: Effect, question: Question, happened: dt.datetime
    ) -> None:
        if self._packages is None:
            self._packages = facts.packages(self._redirected())
        row = process.partition("/")[2]
        package = self._packages.get(row)
        if package is not None and happened < package.agreed:
            msg = (
                f"exchange ({row}): cannot have {effect.name} at {iso(happened)}, before it was "
                f"agreed ({iso(package.agreed)})"
            )
            raise InvalidInput(msg, hint="--event-at TIME, when it happened")
        if effect.name != "delivered":
            return
        size = package.size if package else question.model.settings.get("size")
        if not isinstance(size, int | float):
            return
        tranches = facts.data(self._redirected(), "packages", "delivered")
        before = self._more.get(process, 0.0) + sum(
            float(found.detail["value"]) for name, found, _ in tranches if name == row
        )
        value = float(effect.detail["value"])
        if before + value > size:
            msg = (
                f"delivered ({value:g}): with the {before:g} known before makes "
                f"{before + value:g} of the {size:g} agreed ({row})"
            )
            raise InvalidInput(msg, hint=f"at most delivered={max(0.0, size - before):g}")

    def _redirected(self) -> tuple[Evidence, ...]:
        return facts.redirect(self._evidence, self._processes)
