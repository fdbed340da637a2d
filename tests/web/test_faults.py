"""A fault stands beside its field, in sight, in every form; and no form is ever in an address."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import forecasting.web
from forecasting.web.view import render

NEVER_SHUT = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "path"}


class Page(HTMLParser):
    """The faults of a page: each with the folds around it that are shut, and its field."""

    def __init__(self, text):
        super().__init__()
        self.stack, self.faults = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag in ("input", "select", "textarea") and attributes.get("name"):
            for box in self.stack:
                box[2].append(attributes["name"])
        if tag in NEVER_SHUT:
            return
        self.stack.append((tag, attributes, []))
        if "fault" in (attributes.get("class") or "").split():
            shut = [s for t, s, _ in self.stack if t == "details" and "open" not in s]
            self.faults.append(["", shut, list(self.stack)])

    def handle_startendtag(self, tag, attrs):
        if tag == "input":
            self.handle_starttag(tag, attrs)

    def handle_data(self, data):
        if self.stack and self.faults and self.stack[-1] is self.faults[-1][2][-1]:
            self.faults[-1][0] += data

    def handle_endtag(self, tag):
        while self.stack:
            if self.stack.pop()[0] == tag:
                break

    def beside(self, number=0):
        """Give the fields in the nearest box around a fault that has any."""
        for box in reversed(self.faults[number][2]):
            if box[2]:
                return set(box[2])
        return set()


ASK = {"title": "Will the ferry sail?", "by": "2031-01-31"}
RANGE = ASK | {"kind": "number", "low": "0", "high": "20"}
OPTIONS = ASK | {"kind": "options", "options": "Egypt, Qatar"}
DAYS = {"title": ASK["title"], "kind": "ladder", "by": "", "ladder": "2031-01-31, 2031-06-30"}


@pytest.mark.parametrize(
    ("typed", "beside", "words"),
    [
        (ASK | {"answer": "talks=underway on close"}, "answer", ""),
        (ASK | {"answer": "nothing"}, "answer", ""),
        (ASK | {"slug": "Not A Slug"}, "slug", ""),
        (ASK | {"resolves_by": "2030-01-31"}, "resolves_by", ""),
        (ASK | {"base": "now and then"}, "base", ""),
        (ASK | {"by": "2020-01-31"}, "by", ""),
        (ASK | {"p": "0.5"}, "p", "is 50% meant"),
        (RANGE | {"low": "200", "high": "20"}, "low", "200, 20: the first must be the lower"),
        (RANGE | {"high": "some"}, "low", ""),
        (OPTIONS | {"options": "Egypt"}, "options", "two or more, all different"),
        (OPTIONS | {"options": "A; A; B"}, "options", "A, A, B: need two or more"),
        (DAYS | {"ladder": "2031-01-31"}, "ladder", "two deadlines or more"),
        (DAYS | {"ladder": "2031-06-30, 2031-01-31"}, "ladder", "two deadlines or more"),
        (DAYS | {"ladder": "tomorrow, never"}, "ladder", "never: is not a day"),
    ],
)
def test_what_is_wrong_with_a_new_question_stands_at_its_field(browser, typed, beside, words):
    browser.get("/ask")
    page = browser.send("/ask", **typed)
    assert page.status_code == 422
    seen = Page(page.text)
    ((fault, shut, _),) = seen.faults
    assert words in fault
    assert not shut, "a fault within a fold that is shut is no answer"
    assert beside in seen.beside()
    assert "lower < upper" not in page.text
    assert "ladder.0" not in page.text


def test_options_may_be_set_apart_as_in_a_table(browser, house):
    browser.get("/ask")
    browser.send("/ask", **OPTIONS | {"options": "Iwasawa; Xue; somebody, or nobody"})
    (asked,) = [one for one in house.book.questions() if one["title"] == ASK["title"]]
    space = house.book.asked(asked["id"])[0].space
    assert space.options == ("Iwasawa", "Xue", "somebody, or nobody")


@pytest.mark.parametrize("when", ["2020-01-31", "never", "2099-01-01"])
def test_a_moment_that_cannot_be_stands_at_the_moment(browser, house, when):
    here = f"/q/{house.book.ask(**ASK)['id']}"
    browser.get(here)
    page = browser.send(f"{here}/log", p="35", at=when)
    seen = Page(page.text)
    ((fault, shut, _),) = seen.faults
    assert not shut
    assert seen.beside() == {"at"}
    assert not re.search(r"T\d\d:\d\d:\d\d", fault)


def test_a_fault_that_no_form_has_a_place_for_stands_at_the_head(browser, house):
    """Somebody else resolved the question, and its form is gone: the fault is not."""
    question = house.book.ask(**ASK)
    here = f"/q/{question['id']}"
    browser.get(here)
    form = browser.forms(f"{here}/log")[0]
    house.book.resolve(question["id"], "yes", source="wire")
    page = browser.send(f"{here}/log", form, p="35")
    assert page.status_code == 422
    assert "resolved yes" in browser.faults()[0]


def test_a_ladder_that_falls_is_told_in_percent_as_it_was_typed(browser, house):
    question = house.book.ask(ASK["title"], ladder=["2031-01-31", "2031-06-30"])
    here = f"/q/{question['questions'][0]}"
    browser.get(here)
    browser.send(f"{here}/log", **{"p[2031-01-31]": "10", "p[2031-06-30]": "8"})
    (fault,) = browser.faults()
    assert "by 31 Jan 2031 10 %, by 30 Jun 2031 8 %" in fault
    assert "10 or more by 30 Jun 2031" in fault
    assert "0.1" not in fault


def test_no_part_of_a_page_pushes_an_address_and_none_holds_a_form(browser, house):
    question = house.book.ask("How many?", by="2031-01-31", span="0..20")
    here = f"/q/{question['id']}"
    browser.get(here)
    form = browser.forms(f"{here}/log")[0] | {"q[5]": "3", "q[95]": "9"}
    swaps = {"HX-Request": "true", "Origin": "http://127.0.0.1:8100"}
    part = browser.client.post(f"{here}/curve", data=form, headers=swaps)
    assert part.status_code == 200
    assert "<svg" in part.text
    assert part.headers["HX-Push-Url"] == "false"
    # An address that somebody made with a form in it is not pushed either.
    page = browser.client.get(here, params={"csrf": form["csrf"]}, headers=swaps)
    assert page.headers["HX-Push-Url"] == "false"
    assert browser.client.get(here, headers=swaps).headers["HX-Push-Url"] == here


def test_no_template_asks_for_a_page_with_a_form_in_its_address():
    for file in (Path(forecasting.web.__file__).parent / "templates").glob("*.j2"):
        for tag in re.findall(r"<[^>]*hx-get=[^>]*>", file.read_text()):
            assert "hx-include" not in tag, file.name


def test_an_address_that_leads_nowhere_still_leads_on(browser):
    page = browser.client.get("/q/nonsense", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert 'href="/questions"' in page.text
    assert re.search(r"<p[^>]*>No question named nonsense\.</p>", page.text)
    assert "csrf" not in render("fault.html.j2", status=404, text="x", stamp="s", inside=None)
