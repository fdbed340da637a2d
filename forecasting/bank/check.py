"""Check a bank as a whole: a list of small rules, each giving every fault it finds."""

import datetime as dt
import difflib
from collections.abc import Callable, Iterator, Mapping

from forecasting.bank.read import Bank, Place, text_speaks_at
from forecasting.domain.instants import iso, local_day
from forecasting.domain.question import Question
from forecasting.errors import Problem

#: A question that resolves this soon after its opening is shown and left out of means (rule 7).
TOO_SOON = dt.timedelta(days=2)
Families = Mapping[str, frozenset[str]]
Rule = Callable[[Bank, Families], Iterator[Problem]]


def check(bank: Bank, families: Families) -> list[Problem]:
    """List every fault of a bank, by file and line.

    Parameters
    ----------
    families : mapping
        Model family to the question types it can answer, from the registry.
    """
    found = [*bank.problems, *(fault for rule in RULES for fault in rule(bank, families))]
    return sorted(found, key=lambda fault: (fault.source, fault.line, fault.rule))


def nearest(name: str, known: Mapping[str, object] | set[str]) -> str:
    """Give the known name most like a mistyped one, or nothing."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)), "")


def _place(bank: Bank, question: Question) -> Place:
    return bank.places[question.ladder or question.id]


def _each_file(bank: Bank) -> Iterator[tuple[Question, Place]]:
    seen: set[str] = set()
    for question in bank.questions:
        slug = question.ladder or question.id
        if slug not in seen:
            seen.add(slug)
            yield question, bank.places[slug]


def _known_family(bank: Bank, families: Families) -> Iterator[Problem]:
    for question, place in _each_file(bank):
        model = place.file.model
        line = place.line("model", "family")
        if model.family not in families and model.stand_in is None:
            hint = nearest(model.family, families) or "stand_in: base-rate, until it is installed"
            yield Problem(
                place.source, line, "unknown-family", f"family ({model.family}): unknown", hint
            )
        fitted = question.model.fitted
        if fitted in families and question.type not in families[fitted]:
            message = f"family ({fitted}): cannot answer a question of type {question.type}"
            yield Problem(place.source, line, "family-type", message)
        elif model.stand_in is not None and fitted not in families:
            where = place.line("model", "stand_in")
            message = f"stand_in ({fitted}): unknown"
            yield Problem(
                place.source, where, "unknown-family", message, nearest(fitted, set(families))
            )


def _known_reference(bank: Bank, families: Families) -> Iterator[Problem]:
    for question, place in _each_file(bank):
        if question.model.reference not in bank.classes:
            message = (
                f"reference ({question.model.reference}): no such class in reference/classes.csv"
            )
            hint = nearest(question.model.reference, bank.classes)
            yield Problem(
                place.source, place.line("model", "reference"), "unknown-reference", message, hint
            )


def _known_links(bank: Bank, families: Families) -> Iterator[Problem]:
    known = {q.id for q in bank.questions} | {q.ladder for q in bank.questions if q.ladder}
    for question, place in _each_file(bank):
        if question.parent is not None and question.parent not in known:
            message = f"parent ({question.parent}): no such question"
            line = place.line("links", "parent")
            yield Problem(
                place.source, line, "unknown-parent", message, nearest(question.parent, known)
            )
        if question.condition is not None and question.condition.question not in known:
            message = f"condition ({question.condition.question}): no such question"
            line = place.line("links", "condition", "question")
            hint = nearest(question.condition.question, known)
            yield Problem(place.source, line, "unknown-condition", message, hint)


def _known_texts(bank: Bank, families: Families) -> Iterator[Problem]:
    texts = {text.id: text for text in bank.texts}
    if not texts:
        return
    for question, place in _each_file(bank):
        for name in question.basis.texts:
            if name not in texts:
                message = f"text ({name}): no such file in questions/texts"
                yield Problem(place.source, place.line("basis", "texts"), "unknown-text", message)
                continue
            numbers = question.basis.sentences.get(name, ())
            if any(not 1 <= number <= texts[name].sentences for number in numbers):
                message = f"sentences {list(numbers)}: text {name} has {texts[name].sentences}"
                line = place.line("basis", "sentences")
                yield Problem(place.source, line, "sentence", message)


def _outcome_after_opening(bank: Bank, families: Families) -> Iterator[Problem]:
    questions = {question.id: question for question in bank.questions}
    for resolution in bank.resolutions:
        question = questions[resolution.question]
        if resolution.resolved_at <= question.opens:
            place = _place(bank, question)
            day = question.id.partition("@")[2]
            line = place.line("resolutions", day) if day else place.line("resolution", "known")
            message = (
                f"outcome known at {iso(resolution.resolved_at)}, at or before the opening "
                f"({iso(question.opens)}): a scored question must still have been open"
            )
            yield Problem(place.source, line, "hindsight", message, "open it earlier, or drop it")


def _ladders_never_fall(bank: Bank, families: Families) -> Iterator[Problem]:
    outcomes = {resolution.question: resolution.outcome for resolution in bank.resolutions}
    held: dict[str, str] = {}
    for question in sorted(bank.questions, key=lambda q: (q.ladder or "", q.closes)):
        if question.ladder is None:
            continue
        outcome = outcomes.get(question.id)
        if outcome == "no" and held.get(question.ladder) == "yes":
            place = _place(bank, question)
            line = place.line("resolutions", question.id.partition("@")[2])
            message = f"{question.id} is no although an earlier rung is yes"
            yield Problem(place.source, line, "ladder", message)
        if outcome is not None:
            held[question.ladder] = outcome


def _claims_fit(bank: Bank, families: Families) -> Iterator[Problem]:
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


def _worldviews_change_real_priors(bank: Bank, families: Families) -> Iterator[Problem]:
    known = {(row.reference, row.parameter) for row in bank.priors}
    for worldview in bank.worldviews:
        source = f"questions/worldviews/{worldview.id}.yaml"
        for change in worldview.changes:
            if (change.reference, change.parameter) not in known:
                message = (
                    f"prior ({change.reference} {change.parameter}): not in reference/priors.csv"
                )
                yield Problem(source, 0, "unknown-prior", message)


def _priors_for_every_class(bank: Bank, families: Families) -> Iterator[Problem]:
    have = {row.reference for row in bank.priors}
    for row in bank.priors:
        if row.reference not in bank.classes:
            message = f"reference ({row.reference}): no such class"
            yield Problem("questions/reference/priors.csv", 0, "unknown-reference", message)
    for reference in bank.classes.values():
        if reference.id not in have and reference.kind not in {"rungs", "stage"}:
            message = f"class ({reference.id}): has no prior in reference/priors.csv"
            yield Problem("questions/reference/classes.csv", 0, "no-prior", message)


def _evidence_bears_on_questions(bank: Bank, families: Families) -> Iterator[Problem]:
    known = {q.id for q in bank.questions} | {q.ladder for q in bank.questions if q.ladder}
    for item in bank.evidence:
        for effect in item.effects:
            if effect.form == "bears" and effect.target not in known:
                message = f"{item.key} bears on {effect.target}: no such question"
                hint = nearest(effect.target, known)
                yield Problem(f"questions ({item.stream})", 0, "unknown-question", message, hint)


def _scenario_questions_name_their_node(bank: Bank, families: Families) -> Iterator[Problem]:
    graphs = {graph.id: graph for graph in bank.scenarios}
    for question, place in _each_file(bank):
        if question.model.fitted != "scenario":
            continue
        settings = question.model.settings
        name = str(settings.get("scenario", ""))
        line = place.line("model", "settings", "scenario")
        if name not in graphs:
            message = f"scenario ({name}): no such file in questions/scenarios"
            yield Problem(place.source, line, "unknown-scenario", message, nearest(name, graphs))
            continue
        nodes = {node.id: node for node in graphs[name].nodes}
        asked = str(settings.get("node", ""))
        if asked not in nodes:
            message = f"node ({asked}): scenario {name} has none of that name"
            line = place.line("model", "settings", "node")
            yield Problem(place.source, line, "unknown-node", message, nearest(asked, nodes))
            continue
        options = question.space.options or ("yes", "no")
        if not set(options) <= set(nodes[asked].states):
            message = f"node ({asked}): its states must have the question's {', '.join(options)}"
            line = place.line("model", "settings", "node")
            yield Problem(place.source, line, "node-states", message)
        if nodes[asked].known_by > local_day(question.opens):
            message = (
                f"node ({asked}): known by {nodes[asked].known_by}, after the opening: a scored "
                "question rests on what could be argued before"
            )
            yield Problem(place.source, line, "hindsight", message, "date the rows as argued then")


RULES: tuple[Rule, ...] = (
    _known_family,
    _known_reference,
    _known_links,
    _known_texts,
    _outcome_after_opening,
    _ladders_never_fall,
    _claims_fit,
    _worldviews_change_real_priors,
    _priors_for_every_class,
    _evidence_bears_on_questions,
    _scenario_questions_name_their_node,
)
