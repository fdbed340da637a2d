"""Check a bank as a whole: a list of small rules, each giving every fault it finds."""

from collections.abc import Callable, Iterator

from forecasting import clock
from forecasting.bank.asked import with_condition
from forecasting.bank.build import Place
from forecasting.bank.read import Bank, text_speaks_at
from forecasting.bank.world_check import WORLD_RULES
from forecasting.bank.world_file import ahead
from forecasting.domain.instants import iso
from forecasting.domain.prior import CLASS_PRIORS
from forecasting.domain.question import Question
from forecasting.errors import InvalidInput, Problem, nearest

Rule = Callable[[Bank], Iterator[Problem]]


def check(bank: Bank) -> list[Problem]:
    """List every fault of a bank, by file and line: all that an update would refuse."""
    rules = (*RULES, *WORLD_RULES)
    problems = [
        *bank.problems,
        *ahead(bank.past, clock.now()),
        *(fault for rule in rules for fault in rule(bank)),
    ]
    return sorted(problems, key=lambda fault: (fault.source, fault.line, fault.rule))


def _place(bank: Bank, question: Question) -> Place:
    return bank.places[question.ladder or question.id]


def _each_file(bank: Bank) -> Iterator[tuple[Question, Place]]:
    seen: set[str] = set()
    for question in bank.questions:
        slug = question.ladder or question.id
        if slug not in seen:
            seen.add(slug)
            yield question, bank.places[slug]


def _known_links(bank: Bank) -> Iterator[Problem]:
    by_id = {question.id: question for question in bank.questions}
    known = {q.id for q in bank.questions} | {q.ladder for q in bank.questions if q.ladder}
    for question, place in _each_file(bank):
        if question.parent is not None and question.parent not in known:
            message = f"parent ({question.parent}): no such question"
            hint = nearest(question.parent, known)
            yield place.problem(("links", "parent"), "unknown-parent", message, hint)
        field = ("links", "condition", "question")
        try:
            checked = with_condition(question, by_id)
        except InvalidInput as fault:
            yield place.problem(field, "unknown-condition", fault.message, fault.hint)
            continue
        if (right := checked.condition) is not None and right != question.condition:
            message = f"condition ({right.question}): its outcome is written {right.outcome}"
            yield place.problem(field, "unknown-condition", message, right.outcome)


def _known_texts(bank: Bank) -> Iterator[Problem]:
    texts = {text.id: text for text in bank.texts}
    if not texts:
        return
    for question, place in _each_file(bank):
        for name in question.basis.texts:
            if name not in texts:
                message = f"text ({name}): no such file in questions/texts"
                yield place.problem(("basis", "texts"), "unknown-text", message)
                continue
            numbers = question.basis.sentences.get(name, ())
            if any(not 1 <= number <= texts[name].sentences for number in numbers):
                message = f"sentences {list(numbers)}: text {name} has {texts[name].sentences}"
                yield place.problem(("basis", "sentences"), "sentence", message)


def _outcome_after_opening(bank: Bank) -> Iterator[Problem]:
    questions = {question.id: question for question in bank.questions}
    for resolution in bank.resolutions:
        question = questions[resolution.question]
        if resolution.resolved_at <= question.opens:
            day = question.day
            field = ("resolutions", day) if day else ("resolution", "known")
            message = (
                f"outcome known at {iso(resolution.resolved_at)}, at or before the opening "
                f"({iso(question.opens)}): a scored question must still have been open"
            )
            hint = "open it earlier, or drop it"
            yield _place(bank, question).problem(field, "hindsight", message, hint)


def _ladders_never_fall(bank: Bank) -> Iterator[Problem]:
    outcomes = {resolution.question: resolution.outcome for resolution in bank.resolutions}
    earlier: dict[str, str] = {}
    for question in sorted(bank.questions, key=lambda q: (q.ladder or "", q.closes)):
        if question.ladder is None:
            continue
        outcome = outcomes.get(question.id)
        if outcome == "no" and earlier.get(question.ladder) == "yes":
            field = ("resolutions", question.day)
            message = f"{question.id} is no although an earlier rung is yes"
            yield _place(bank, question).problem(field, "ladder", message)
        if outcome is not None:
            earlier[question.ladder] = outcome


def _claims_fit(bank: Bank) -> Iterator[Problem]:
    questions = {question.id: question for question in bank.questions}
    outcomes = {resolution.question: resolution for resolution in bank.resolutions}
    for text in bank.texts:
        source = f"questions/texts/{text.id}.yaml"
        spoken = text_speaks_at(text)
        for claim in text.claims:
            question = questions.get(claim.question)
            if question is None:
                message = f"claim {claim.id} ({claim.question}): no such question"
                yield Problem(
                    source, 0, "unknown-question", message, nearest(claim.question, questions)
                )
                continue
            if question.type != "binary":
                message = (
                    f"claim {claim.id} ({claim.question}): claims are made on binary questions"
                )
                yield Problem(source, 0, "claim-type", message)
            known = outcomes.get(claim.question)
            knowable = known is not None and known.resolved_at <= spoken
            window = question.opens <= spoken < question.closes
            if (knowable or not window) and not claim.shown_only:
                message = (
                    f"claim {claim.id} ({claim.question}): scored only if made inside the window "
                    "and before the outcome was known"
                )
                yield Problem(source, 0, "claim-time", message, "say why under shown_only")


def _priors_for_every_class(bank: Bank) -> Iterator[Problem]:
    have = {row.reference for row in bank.priors}
    for row in bank.priors:
        place, prior = "questions/reference/priors.csv", row.prior
        if row.reference not in bank.classes:
            message = f"reference ({row.reference}): no such class"
            yield Problem(place, 0, "unknown-reference", message)
            continue
        known = CLASS_PRIORS.get(bank.classes[row.reference].kind, {})
        if known and known.get(prior.name) != prior.distribution:
            message = f"class ({row.reference}): has no {prior.distribution} prior {prior.name}"
            hint = ", ".join(f"{name} {kind}" for name, kind in known.items())
            yield Problem(place, 0, "unknown-prior", message, hint)
    for reference in bank.classes.values():
        if reference.id not in have and reference.kind not in {"rungs", "stage"}:
            message = f"class ({reference.id}): has no prior in reference/priors.csv"
            yield Problem("questions/reference/classes.csv", 0, "no-prior", message)


def _evidence_bears_on_questions(bank: Bank) -> Iterator[Problem]:
    known = {q.id for q in bank.questions} | {q.ladder for q in bank.questions if q.ladder}
    for item in bank.evidence:
        for effect in item.effects:
            if effect.form == "bears" and effect.target not in known:
                message = f"{item.key} bears on {effect.target}: no such question"
                hint = nearest(effect.target, known)
                yield Problem(f"questions ({item.stream})", 0, "unknown-question", message, hint)


RULES: tuple[Rule, ...] = (
    _known_links,
    _known_texts,
    _outcome_after_opening,
    _ladders_never_fall,
    _claims_fit,
    _priors_for_every_class,
    _evidence_bears_on_questions,
)
