"""The page keeps to itself, says what it is, and has words for what it does not have."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from forecasting.errors import InvalidInput
from forecasting.review import Events, ReviewData, page, render, write

VOID = {"meta", "link", "br", "img", "hr", "input", "wbr"}


class Outline(HTMLParser):
    """Reads a document strictly: every element closed in its turn, no id used twice."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open = []
        self.faults = []
        self.tags = []
        self.text = []

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)


def outline(text):
    parser = Outline()
    parser.feed(text)
    parser.close()
    return parser


@pytest.fixture(scope="module")
def full_page(review_data):
    return render(review_data)


@pytest.fixture(scope="module")
def read(full_page):
    return outline(full_page)


def test_every_element_is_closed_and_every_id_is_used_once(read):
    assert not read.faults
    assert not read.open
    ids = [attrs["id"] for _, attrs in read.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_links_and_labels_inside_the_page_lead_somewhere(read):
    ids = {attrs["id"] for _, attrs in read.tags if "id" in attrs}
    wanted = set()
    for _, attrs in read.tags:
        if (attrs.get("href") or "").startswith("#"):
            wanted.add((attrs["href"] or "")[1:])
        wanted.update((attrs.get("aria-labelledby") or "").split())
    assert not wanted - ids


def test_no_request_leaves_the_page_and_no_script_stands_in_it(read, full_page):
    for tag, attrs in read.tags:
        assert tag not in ("script", "iframe", "object", "embed", "img", "form", "base")
        assert not [name for name in attrs if name.startswith("on")]
        assert "src" not in attrs
        assert "srcset" not in attrs
        href = attrs.get("href") or ""
        if tag == "link":
            assert href == "data:,"
        elif tag != "a":
            assert not href or href.startswith("#"), (tag, href)
        else:
            assert re.match(r"#|https?://", href), href
    assert not re.search(r"url\(\s*['\"]?(?!#)", full_page)
    assert "@import" not in full_page
    assert "default-src 'none'" in full_page


def test_hostile_words_are_shown_and_not_obeyed(full_page, read):
    assert "&lt;script&gt;alert" in full_page
    assert "{{ 7*7 }}" in full_page
    assert "49" not in re.findall(r"onerror=alert\(1\)&gt; (\S+)", full_page)
    assert "\u202e" not in full_page
    assert not [attrs for tag, attrs in read.tags if "javascript:" in (attrs.get("href") or "")]


def test_what_is_no_number_is_never_printed_as_one(read):
    words = re.findall(r"[A-Za-z]+", " ".join(read.text))
    assert not {"nan", "NaN", "None", "inf", "undefined"} & set(words)


def test_the_same_data_give_the_same_page(review_data, full_page):
    page._environment.cache_clear()
    assert render(review_data) == full_page


def test_each_picture_is_named_and_has_its_table_in_the_same_section(full_page):
    pictures = re.findall(r"<svg [^>]*>", full_page)
    assert len(pictures) > 20
    assert all('role="img"' in picture and 'aria-label="' in picture for picture in pictures)
    cards = re.findall(r"<article .*?</article>", full_page, flags=re.DOTALL)
    with_pictures = [card for card in cards if "<svg" in card]
    assert len(with_pictures) > 15
    for card in with_pictures:
        assert card.count("<table") >= card.count("<figure")
        assert card.count("<caption") == card.count("<table")


def test_tables_have_captions_and_scoped_heads(read, full_page):
    assert full_page.count("<table") == full_page.count("<caption")
    assert all("scope" in attrs for tag, attrs in read.tags if tag == "th")


def test_headings_never_skip_a_level(read):
    levels = [int(tag[1]) for tag, _ in read.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_a_replay_says_that_it_is_hindsight_and_shows_no_ranking(full_page):
    assert "This is a replay, written with hindsight." in full_page
    assert "not evidence that any forecaster on it has skill" in full_page
    assert "12 independent events" in full_page
    assert "No ranking is shown" in full_page


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("live", "These are live forecasts."),
        ("backdated", "recorded later than they were made"),
        ("imported", "imported from another system"),
    ],
)
def test_other_kinds_have_words_of_their_own(review_data, kind, words):
    few = ReviewData(replace(review_data.run, kind=kind))
    assert words in render(few)
    assert "hindsight" not in render(few)


def test_forecasters_stand_in_the_fixed_order_whatever_they_score(review_data):
    forwards = ReviewData(review_data.run, scores=review_data.scores)
    backwards = replace(forwards, scores=tuple(reversed(review_data.scores)))
    assert render(backwards) == render(forwards)
    table = render(backwards).split('id="board-binary"')[1].split("</table>")[0]
    names = re.findall(r'<th scope="row">(.*?)</th>', table)
    assert names[:5] == [
        "model",
        "model without links",
        "model without news",
        "prior alone",
        "base rate",
    ]


def test_sources_are_reviewed_and_of_few_events_nothing_is_said(full_page):
    table = full_page.split('id="reports-table"')[1].split("</table>")[0]
    few, whole = table.split("<tbody>")[1].split("</tr>")[:2]
    assert "too few: 3 of 8 events" in few
    assert "0.0" not in few
    assert "all reports" in whole
    assert "may be chance" in whole
    assert "News gain as learned" in full_page


def test_types_of_questions_are_never_in_one_table(full_page):
    for kind in ("binary", "ordered", "numeric"):
        assert full_page.count(f'id="board-{kind}"') == 1


def test_an_empty_review_has_words_for_every_part(empty_data):
    parsed = outline(render(empty_data))
    assert not parsed.faults
    text = " ".join(" ".join(parsed.text).split())
    for words in (
        "No question has a forecast yet",
        "Nothing that counts has resolved yet, so nothing is scored",
        *("nothing can be said about calibration", "No resolved question was open long enough"),
        *("There are no questions yet", "No text is on record", "No open question has a forecast"),
        *("No item moved the model", "No question is waiting for an outcome"),
        *("No world is on record", "No question is left out", "No fit was refused"),
        "no forecast rests on a prior",
    ):
        assert words in text
    assert "<svg" not in render(empty_data)


def test_one_forecaster_alone_is_said_to_have_no_one_to_compare_with(review_data):
    mine = [row for row in review_data.scores if row["forecaster"] == "model"]
    alone = ReviewData(review_data.run, scores=mine)
    assert "There is only one forecaster" in render(alone)


def test_questions_worse_than_the_base_rate_are_counted_from_the_rows(review_data, make_binary):
    question = make_binary(
        "q", "Q?", "2025-03-21", "2025-04-30", outcome="no", resolved="2025-04-30"
    )

    def scored(model, base, coverage=0.9):
        rows = {
            "model": {"mean": model, "coverage": coverage, "rule": "brier", "convention": "half"},
            "base-rate": {"mean": base, "coverage": 0.9, "rule": "brier", "convention": "half"},
        }
        return replace(question, id=f"q{model}-{base}", scores=rows)

    three = [scored(0.2, 0.1), scored(0.1, 0.2), scored(0.1, 0.1), scored(0.3, 0.1, 0.2)]
    text = render(ReviewData(review_data.run, questions=three, events=Events(1)))
    assert "worse than the base rate on <strong>2 of 4</strong>" in text
    assert "over different times: coverage 20" in text
    behind = text.split('id="behind-counts"')[1].split("</table>")[0]
    # The pair over other times is shown and not counted: 1 worse, 1 same, 1 better.
    assert re.findall(r'<td class="n">(\d+)</td>', behind) == ["1", "1", "1"]


def test_whoever_is_worse_than_the_uniform_forecast_is_named(review_data):
    rows = [
        {**row, "skill": -12.34 if row["forecaster"] == "model" else 0.1}
        for row in review_data.scores
        if row["type"] == "numeric"
    ]
    text = render(ReviewData(review_data.run, scores=rows))
    assert "worse even than the uniform forecast" in text
    assert "<strong>model</strong> by 12.3 (1 question in 1 event)" in text
    better = [{**row, "skill": 0.1} for row in rows]
    assert "worse even than" not in render(ReviewData(review_data.run, scores=better))


def test_models_alone_did_worse_than_the_base_rate_and_none_could_where_none_was_scored(
    review_data,
):
    (row, *_) = [
        row
        for row in review_data.scores
        if row["type"] == "numeric" and row["forecaster"] == "model"
    ]
    worse = {**row, "difference": 0.2, "skill": -0.3}
    person = render(ReviewData(review_data.run, scores=[{**worse, "forecaster": "ana"}]))
    assert "No resolved question has both" in person
    assert "no model was worse" not in person
    assert "<strong>ana</strong>" not in person.split('id="behind"')[1].split("</section>")[0]
    model = render(ReviewData(review_data.run, scores=[worse]))
    alone = render(ReviewData(review_data.run, scores=[{**worse, "difference": None}]))
    assert "none can be worse" in alone
    assert "none can be worse" not in model
    assert "<strong>model</strong>" in model.split('id="behind"')[1].split("</section>")[0]
    better = render(ReviewData(review_data.run, scores=[{**worse, "difference": -0.2}]))
    assert "no model was worse" in better


def test_one_table_writes_its_scores_with_the_same_decimals(review_data):
    model = next(row for row in review_data.scores if row["type"] == "numeric")
    rows = [model, {**model, "forecaster": "prior", "mean": 63.7, "difference": 2.4641}]
    table = render(ReviewData(review_data.run, scores=rows)).split('id="board-numeric"')[1]
    assert "+2.5" in table.split("</table>")[0]


def test_a_question_too_soon_is_shown_and_said_to_be_left_out(full_page):
    left_out = full_page.split('id="left-out"')[1].split("</table>")[0]
    assert "energy-truce-2025-observed" in left_out
    assert "within two days of its opening" in left_out
    card = full_page.split('id="q-energy-truce-2025-observed"')[1].split("</article>")[0]
    assert "Left out of means" in card
    assert "Does not fit its own class" in card


def test_a_page_of_the_real_size_stays_small(review_data, make_binary):
    many = [
        make_binary(
            f"q-{i}", "Q?", "2025-03-21", "2026-08-20", outcome="no", resolved="2026-08-20",
            seed=i, evidence=22, topic=f"topic {i % 5}",
        )
        for i in range(6)
    ]  # fmt: skip
    empty = len(render(ReviewData(review_data.run)).encode())
    each = (len(render(ReviewData(review_data.run, questions=many)).encode()) - empty) / len(many)
    assert 48 * each < 3.5e6


def test_writing_replaces_the_page_and_leaves_nothing_else(tmp_path, review_data, empty_data):
    folder = tmp_path / "new" / "review"
    first = write(empty_data, folder)
    assert first == folder / "index.html"
    assert first.read_text(encoding="utf-8") == render(empty_data)
    assert first.stat().st_mode & 0o777 == 0o644
    write(ReviewData(review_data.run), folder)
    assert "replay" in first.read_text(encoding="utf-8")
    assert [path.name for path in folder.iterdir()] == ["index.html"]


def test_a_page_that_cannot_be_written_leaves_the_old_one(tmp_path, empty_data, monkeypatch):
    path = write(empty_data, tmp_path)
    before = path.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(InvalidInput, match="No space"):
        write(empty_data, tmp_path)
    assert path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_refused_fits_are_counted_and_folded_and_what_is_due_has_its_day(review_data):
    questions = [replace(one, title="Will it? (by 2026-12-31)") for one in review_data.questions]
    refused = [{"forecaster": "model", "fit": "world", "verdict": f"error .0{n}"} for n in (1, 2)]
    text = render(replace(review_data, questions=questions, refused=refused))
    assert "<summary>2 fits refused by the gate, over all steps</summary>" in text
    assert text.count("error .0") == 1
    assert re.search(r'id="due">What is due on \d+ \w{3} 20\d\d<', text)
    assert "(by 31 Dec 2026)" in text
    assert "(by 2026-12-31)" not in text
