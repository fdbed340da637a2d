"""Check a bank's questions against its world, and its world against the days of its questions."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from forecasting.bank.build import Place
from forecasting.bank.read import Bank
from forecasting.domain.instants import day_begins, iso, local_day
from forecasting.domain.predicate import Predicate
from forecasting.domain.predicate_check import check_predicate, processes_of
from forecasting.domain.predicate_text import parse_predicate
from forecasting.domain.process import ProcessSpec, ancestors, known_from, states_pace
from forecasting.domain.question import Question
from forecasting.errors import InvalidInput, Problem, nearest

WorldRule = Callable[[Bank], Iterator[Problem]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what it asks of the world, and what is wrong with that."""

    question: Question
    place: Place
    predicate: Predicate | None
    faults: tuple[tuple[str, str], ...] = ()


def asked(bank: Bank) -> list[Asked]:
    """Read each question's answer once; those without one are left out."""
    answers = []
    for question in bank.questions:
        if not question.answer:
            continue
        place = bank.places[question.ladder or question.id]
        try:
            predicate = parse_predicate(question.answer, zone=question.zone, world=bank.world)
        except InvalidInput as fault:
            answers.append(Asked(question, place, None, ((fault.message, fault.hint),)))
            continue
        if bank.broken.intersection(processes_of(predicate)):
            # What is wrong with its process is told already.
            answers.append(Asked(question, place, None))
            continue
        faults = check_predicate(
            predicate, bank.world, question.space, question.opens, question.closes
        )
        answers.append(Asked(question, place, predicate, tuple((fault, "") for fault in faults)))
    return answers


def _answers_fit(bank: Bank) -> Iterator[Problem]:
    """Refuse what an update would refuse."""
    seen: set[tuple[str, str]] = set()
    for each in asked(bank):
        slug = each.question.ladder or each.question.id
        for message, hint in each.faults:
            if (slug, message) not in seen:
                seen.add((slug, message))
                text = message if message.startswith("answer (") else f"answer: {message}"
                yield each.place.problem(("answer",), "answer", text, hint)


def _no_process_named_as_a_question(bank: Bank) -> Iterator[Problem]:
    """Refuse a process with the name of a question: an item on it would mean both."""
    for name, process in bank.world.processes.items():
        if name in bank.places:
            source, line = process.place
            message = f"process ({name}): a question has that name ({bank.places[name].source})"
            yield Problem(source, line, "name", message, f"{name}-process")


def _known_classes(bank: Bank) -> Iterator[Problem]:
    for process in bank.world.processes.values():
        references = {move.phrase.reference for move in process.moves} - {""}
        for reference in sorted(references - set(bank.classes)):
            source, line = process.place
            message = f"{process.name}: class ({reference}): not in reference/classes.csv"
            yield Problem(
                source, line, "unknown-reference", message, nearest(reference, bank.classes)
            )


def _priors_have_sources(bank: Bank) -> Iterator[Problem]:
    """Ask for the source and the date of a prior, in a bank whose questions are scored."""
    if not bank.resolutions:
        return
    for process in bank.world.processes.values():
        for move in process.moves:
            if move.phrase.form in {"count", "median"} and not (move.source and move.known_by):
                yield _unsourced(process.place, f"{process.name}: move ({move.name})")
    for link in bank.world.links:
        if not (link.source and link.known_by and link.because):
            yield _unsourced(link.place, f"link ({link.name})")


def _unsourced(place: tuple[str, int], what: str) -> Problem:
    message = f"{what}: needs because, source and known_by where questions are scored"
    return Problem(*place, "source", message, "because: ..., source: ..., known_by: 2025-02-28")


def _no_hindsight(bank: Bank) -> Iterator[Problem]:
    """Refuse a prior that was argued after the first question that it feeds had opened."""
    first = first_openings(bank)
    for process in bank.world.processes.values():
        if (opened := first.get(process.name)) is None:
            continue
        for known_by, what in (*_days_of_priors(process), *_days_of_class_priors(bank, process)):
            if known_by > local_day(opened.opens, opened.zone):
                yield _late(process.place, f"{process.name}: {what}", known_by, opened)
    for link in bank.world.links:
        opened = first.get(link.child)
        if opened and link.known_by and link.known_by > local_day(opened.opens, opened.zone):
            yield _late(link.place, f"link ({link.name})", link.known_by, opened)


def _days_of_priors(process: ProcessSpec) -> Iterator[tuple[dt.date, str]]:
    """Give each different day by which a prior of a process could be argued, with its moves."""
    for day in dict.fromkeys(move.known_by for move in process.moves):
        if day is not None:
            yield day, ", ".join(move.name for move in process.moves if move.known_by == day)


def _days_of_class_priors(bank: Bank, process: ProcessSpec) -> Iterator[tuple[dt.date, str]]:
    """Give the day by which each stated prior of the classes of a process could be argued."""
    references = {move.phrase.reference for move in process.moves} - {""}
    for each in bank.priors:
        if each.reference in references:
            stated = each.prior
            yield stated.known_by, f"class ({each.reference}) {stated.name}"


def _late(place: tuple[str, int], what: str, known_by: dt.date, opened: Question) -> Problem:
    message = f"{what}: known by {known_by}, after {opened.id} opened ({iso(opened.opens)})"
    return Problem(*place, "hindsight", message, "base it on what was known before")


def first_openings(bank: Bank) -> dict[str, Question]:
    """Give the first question that each process feeds, through links too."""
    first: dict[str, Question] = {}
    for each in asked(bank):
        if each.predicate is None:
            continue
        names = [name for name in processes_of(each.predicate) if name in bank.world.processes]
        for name in ancestors(bank.world.links, names):
            if name not in first or each.question.opens < first[name].opens:
                first[name] = each.question
    return first


def _codes_bear_on_something(bank: Bank) -> Iterator[Problem]:
    """Refuse a report on what is neither question nor process, nor a state of one."""
    questions = [name for q in bank.questions for name in (q.id, q.ladder) if name]
    for item in bank.evidence:
        source = f"questions ({item.stream})"
        for effect in item.effects:
            if effect.form not in {"likelihood", "stance"}:
                continue
            head, _, detail = effect.target.partition("=")
            process = bank.world.processes.get(head)
            if process is None and head not in questions:
                message = f"{item.key} reports on {head}: no such question or process"
                hint = nearest(head, [*questions, *bank.world.processes])
                yield Problem(source, 0, "unknown-target", message, hint)
            elif process is not None and detail:
                unknown = [state for state in detail.split("|") if state not in process.states]
                for state in unknown:
                    message = f"{item.key} reports on {effect.target}: {head} has no state {state}"
                    hint = nearest(state, process.states) or ", ".join(process.states)
                    yield Problem(source, 0, "unknown-target", message, hint)


def notes(bank: Bank) -> list[Problem]:
    """List what a bank rests on without stating it: no faults, and nothing is refused for them."""
    wide = []
    for process in bank.world.processes.values():
        if process.delivery is None or process.delivery.reference:
            continue
        what = "its pace and how large a part is are not stated, so they come"
        hint = "moves: {agreed > begun: median 30 d (10..90), begun > begun: 2 in 65 d}"
        if states_pace(process):
            what = "its pace is stated, but how large a part is and whether one brings all come"
            hint = "date each part that came with its size: 2026-08-15: 4000"
        message = (
            f"{process.name}: {what} from wide priors, for a delivery of any kind, with the weight "
            "of one or two parts until its own parts say more; forecast models priors lists them"
        )
        wide.append(Problem(*process.place, "wide", message, hint, note=True))
    return [
        *wide,
        *_not_known_yet(bank),
        *_models_without_answer(bank),
        *_conditions_not_answered(bank),
    ]


def _conditions_not_answered(bank: Bank) -> Iterator[Problem]:
    """Name the questions whose answer does not say that their condition holds."""
    for place in bank.places.values():
        condition, answer = place.file.links.condition, place.file.answer
        if condition is not None and answer and "given" not in answer.split():
            message = (
                f"answer: says nothing of its condition ({condition.question}="
                f"{condition.outcome}), so the model's number is the one without it"
            )
            fault = place.problem(("answer",), "condition", message, f"{answer} given ...")
            yield replace(fault, note=True)


def _models_without_answer(bank: Bank) -> Iterator[Problem]:
    """Say what an older question file should write instead of its model."""
    for place in bank.places.values():
        if (model := place.file.model) is not None and not place.file.answer:
            message = f"model ({model.family}): is ignored, because only `answer:` gives a forecast"
            fault = place.problem(("model",), "model", message, "answer: truce=on by close")
            yield replace(fault, note=True)


def _not_known_yet(bank: Bank) -> Iterator[Problem]:
    """Name the first question that opened before an agreement or a state that it rests on."""
    opened: dict[str, list[dt.datetime]] = {name: [] for name in bank.world.processes}
    for each in asked(bank):
        for name in opened.keys() & (processes_of(each.predicate) if each.predicate else ()):
            opened[name].append(each.question.opens)
    firsts = first_openings(bank)
    for name, process in bank.world.processes.items():
        known, first = known_from(process, opened[name]), firsts.get(name)
        if known is None or first is None or first.opens >= known:
            continue
        message = (
            f"{name}: is not known before {iso(known)}, and {first.id} opened before that "
            f"({iso(first.opens)}): as of then, what asks for {name} has no number, and its links "
            "do not act"
        )
        day = local_day(known, first.zone)
        day += dt.timedelta(days=day_begins(day, first.zone) < known)
        yield Problem(*process.place, "unknown-yet", message, f"opens: {day}", note=True)


WORLD_RULES: tuple[WorldRule, ...] = (
    _answers_fit,
    _no_process_named_as_a_question,
    _known_classes,
    _priors_have_sources,
    _no_hindsight,
    _codes_bear_on_something,
)
