"""A question as somebody asks or edits it: the fields of a question file, read and written."""

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from io import StringIO
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from forecasting.bank.yaml_file import read_tree
from forecasting.domain.instants import day_begins, local_day, parse_day
from forecasting.domain.question import Condition, Question, lacks_criteria
from forecasting.domain.reading import day, day_word, outcome, quantity
from forecasting.errors import InvalidInput, nearest

#: Words that begin a title and tell it from no other.
_LEADING = ("will",), ("it", "this", "that", "there", "they", "he", "she", "we", "i"), ("be",)
HEAD = """\
# Save and close to record a new version; change nothing to leave the question as it is.
# Once somebody has forecast it, its options and its window cannot change.
"""


def slug_of(title: str) -> str:
    """Make a slug from a title: its words in lower case, without the first "will it be", cut at 60.

    A title of another script gives none, for the numbers in it would not tell it.

    >>> slug_of("Will the El Fasher pause hold to 31 January 2027?"), slug_of("Will it rain?")
    ('the-el-fasher-pause-hold-to-31-january-2027', 'rain')
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    for leading in _LEADING:
        if len(words) < 2 or words[0] not in leading:
            break
        words = words[1:]
    slug = ""
    for word in words:
        longer = f"{slug}-{word}" if slug else word[:60]
        if len(longer) > 60:
            break
        slug = longer
    if not any(letter.isalpha() for letter in title):
        if not title.strip():
            msg = "title: is empty, and a question is its title"
            raise InvalidInput(msg, hint='forecast ask "Will ...?" 35% --by 2027-01-31')
        raise InvalidInput(f"title ({title}): no slug can be made from it", hint="slug=a-few-words")
    return slug if any(letter.isalpha() for letter in slug) else ""


def dated(fields: Mapping[str, Any], zone: str, now: dt.datetime) -> dict[str, Any]:
    """Give fields of a question with their days as dates: ``tomorrow`` is a day of its zone."""
    result = dict(fields)
    for name in ("opens", "closes", "resolves_by", "ladder"):
        value = result.get(name)
        if isinstance(value, str):
            result[name] = day_word(value, zone=zone, now=now)
        elif isinstance(value, list | tuple):
            result[name] = [day_word(str(each), zone=zone, now=now) for each in value]
    return result


def _is_day(text: str) -> bool:
    """Whether a text is a day, and no number.

    >>> _is_day("2027-01-31"), _is_day("31 Jan 2027"), _is_day("5000"), _is_day("20270131")
    (True, True, False, False)
    """
    try:
        day(text)
    except InvalidInput:
        return False
    return not text.strip().isdecimal()


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is asked for, in words.

    `by` is its deadline, or `ladder` has several. At most one of `options`, `ordered` and `span`
    (``0..5000``) says that it is not a yes-no question. `base` says how often the event comes.
    `opens` is a day in the past (default: now): a number of since then can be logged as made then.
    `condition` (``QUESTION=OUTCOME``) is what must come about for it to count.
    """

    title: str
    by: str = ""
    ladder: Sequence[str] = ()
    options: Sequence[str] = ()
    ordered: Sequence[str] = ()
    span: str = ""
    unit: str = ""
    base: str = ""
    answer: str = ""
    tags: Sequence[str] = ()
    slug: str = ""
    zone: str = ""
    criteria: str = ""
    background: str = ""
    opens: str = ""
    resolves_by: str = ""
    condition: str = ""

    def fields(self, zone: str) -> dict[str, Any]:
        """Give the fields of its question file."""
        if bool(self.by) == bool(self.ladder):
            msg = "deadline: give one day, or the days of a ladder"
            raise InvalidInput(msg, hint="by=2027-01-31")
        if sum(map(bool, (self.options, self.ordered, self.span, self.ladder))) > 1:
            msg = "question: takes one of options, ordered options, a range and a ladder"
            raise InvalidInput(msg, hint="ask two questions")
        if self.base and (self.options or self.ordered or self.span):
            msg = "base: says how often an event happens, so it can answer only a yes-no question"
            raise InvalidInput(msg, hint="answer=PREDICATE, with a process of the bank")
        if self.unit and not self.span:
            msg = f"unit ({self.unit}): is of a number, and no range is given"
            raise InvalidInput(msg, hint="span=0..5000")
        fields: dict[str, Any] = {
            "slug": self.slug or slug_of(self.title),
            "title": self.title.strip(),
            "zone": self.zone or zone,
            "tags": [tag.strip() for tag in self.tags if tag.strip()],
            "answer": self.answer,
        }
        for name in ("criteria", "background", "opens", "resolves_by", "unit"):
            if getattr(self, name):
                fields[name] = getattr(self, name)
        if self.condition:
            name, _, result = (part.strip() for part in self.condition.partition("="))
            if not name:
                msg = f"condition ({self.condition}): names no question"
                raise InvalidInput(msg, hint="condition=QUESTION=OUTCOME")
            fields["links"] = {"condition": {"question": name, "outcome": result or "yes"}}
        if self.ladder:
            fields["ladder"] = [day.strip() for day in self.ladder]
        else:
            fields["closes"] = self.by.strip()
        if self.span:
            low, _, high = (part.strip() for part in self.span.partition(".."))
            if not (low and high):
                raise InvalidInput(f"range ({self.span}): must be two numbers", hint="0..5000")
            for end in (low, high):
                if _is_day(end):
                    msg = f"range ({self.span}): of days; when something happens is a ladder"
                    raise InvalidInput(msg, hint=f"ladder={low},{high}, and days between them")
                # No bounds are known yet that would tell which reading of a number is meant.
                quantity(end, name="range", within=(-inf, inf))
            fields |= {"type": "numeric", "lower": low, "upper": high}
        elif self.options or self.ordered:
            named = [option.strip() for option in self.options or self.ordered]
            fields |= {"type": "categorical" if self.options else "ordered", "options": named}
        return fields


def fields_of(rungs: tuple[Question, ...]) -> dict[str, Any]:
    """Give a question, or the rungs of a ladder, as the fields of a question file."""
    first, last = rungs[0], rungs[-1]
    fields: dict[str, Any] = {"slug": first.ladder or first.id, "title": first.whole_title}
    if first.type != "binary":
        fields["type"] = first.type
    if first.space.options and first.type != "binary":
        fields["options"] = list(first.space.options)
    if first.type == "numeric":
        fields |= {"lower": first.space.lower, "upper": first.space.upper, "unit": first.space.unit}
    fields["opens"] = local_day(first.opens, first.zone).isoformat()
    if first.ladder:
        fields["ladder"] = [_last_day(rung.closes, rung.zone) for rung in rungs]
    else:
        fields["closes"] = _last_day(first.closes, first.zone)
    if last.resolves_by != last.closes:
        fields["resolves_by"] = _last_day(last.resolves_by, last.zone)
    fields["zone"] = first.zone
    fields["criteria"] = "" if lacks_criteria(first) else first.criteria
    for name in ("background", "answer", "topic"):
        if getattr(first, name):
            fields[name] = getattr(first, name)
    if first.event not in {fields["slug"], ""}:
        fields["event"] = first.event
    if first.tags:
        fields["tags"] = list(first.tags)
    links: dict[str, Any] = {"parent": first.parent} if first.parent else {}
    if (needs := first.condition) is not None:
        links["condition"] = {"question": needs.question, "outcome": needs.outcome}
    return fields | ({"links": links} if links else {})


def as_yaml(rungs: tuple[Question, ...]) -> str:
    """Write a question, or the rungs of a ladder, as YAML for an editor."""
    from ruamel.yaml import YAML

    yaml = YAML(pure=True)
    yaml.width = 100
    out = StringIO()
    yaml.dump(fields_of(rungs), out)
    return HEAD + out.getvalue()


def fields_of_yaml(text: str) -> dict[str, Any]:
    """Read YAML as a question file is read, so that every rule of those holds here too."""
    with TemporaryDirectory(prefix="forecast-") as folder:
        file = Path(folder) / "question.yaml"
        file.write_text(text, encoding="utf-8")
        tree, faults = read_tree(file, "the edited question")
    if tree is None:
        raise InvalidInput(faults[0].message, hint=faults[0].hint, where=f"line {faults[0].line}")
    return {str(key): value for key, value in tree.items()}


def with_condition(question: Question, questions: Mapping[str, Question]) -> Question:
    """Give a question with its condition as outcomes are recorded; refuse one that cannot come."""
    needs = question.condition
    if needs is None:
        return question
    other, why, hint, result = questions.get(needs.question), "", "", ""
    if other is None:
        rungs = [one.id for one in questions.values() if one.ladder == needs.question]
        why = f"{needs.question} is a ladder" if rungs else f"no question named {needs.question}"
        hint = ", ".join(rungs) or nearest(needs.question, questions) or "forecast questions list"
    elif other.id == question.id:
        why, hint = "is the question itself", "another question"
    elif other.type == "numeric":
        why, hint = "a number cannot be a condition", "a question of yes or no"
    else:
        options = other.space.options if other.type != "binary" else ("yes", "no")
        with suppress(InvalidInput):
            result = outcome(other.space, needs.outcome)
        if result not in options:
            why = f"is no outcome of {other.id}"
            hint = ", ".join(f"{other.id}={option}" for option in options)
    if why:
        raise InvalidInput(f"condition ({needs.question}={needs.outcome}): {why}", hint=hint)
    return replace(question, condition=Condition(needs.question, result))


def given_that(question: Question, other: Question) -> str:
    """Say in the words of an answer that a condition holds; empty where the paths cannot tell."""
    needs, answer = question.condition, other.answer
    plain = other.type == "binary" and other.zone == question.zone and other.condition is None
    if needs is None or not answer or not plain or "given" in answer.split():
        return ""
    text = re.sub(r"\bclose\b", _last_day(other.closes, other.zone), answer)
    return text if needs.outcome == "yes" else f"not ({text})"


def same_days(after: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Say whether the days of two states of a question are the same."""
    names = ("closes", "ladder", "resolves_by", "zone")
    return all(str(after.get(name, "")) == str(before.get(name, "")) for name in names)


def _last_day(moment: dt.datetime, zone: str) -> str:
    """Name the day that a deadline ends, or lies in."""
    day = local_day(moment, zone)
    if day_begins(day, zone) == moment:
        day -= dt.timedelta(days=1)
    return parse_day(day.isoformat()).isoformat()
