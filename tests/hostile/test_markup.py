"""News as somebody else marked it up: kept as it was sent, shown without what it could do."""

import html
import json
import re
from html.parser import HTMLParser

import pytest

from forecasting.app.book import Book
from forecasting.cli import run
from forecasting.cli.output import printable
from forecasting.review.filters import SILENCED, TAGS, markup
from tests.hostile.corpus import QUESTION

#: What each would do, and what must not be left of it.
PROBES = {
    "<script>alert(1)</script>": "alert",
    '<img src="http://tracker.test/1.gif" onerror="alert(1)">': "tracker",
    '<a href="javascript:alert(1)">x</a>': "alert",
    '<a href="data:text/html,<script>alert(1)</script>">x</a>': "alert",
    '<svg onload="alert(1)"><animate href="http://tracker.test/"/></svg>': "alert",
    '<iframe src="http://tracker.test/"></iframe>': "tracker",
    '<p style="background:url(http://tracker.test/)" onclick="alert(1)">x</p>': "tracker",
    "<style>@import 'http://tracker.test/';</style>": "tracker",
    '<meta http-equiv="refresh" content="0;url=http://tracker.test/">': "tracker",
    '<link rel="stylesheet" href="http://tracker.test/x.css">': "tracker",
    '<form action="http://tracker.test/"><button formaction="x">x</button></form>': "tracker",
    '<video src="http://tracker.test/"><source src="http://tracker.test/"></video>': "tracker",
    '<object data="http://tracker.test/"></object><embed src="http://tracker.test/">': "tracker",
    '<base href="http://tracker.test/">': "tracker",
    '<input type="image" src="http://tracker.test/" autofocus onfocus=alert(1)>': "alert",
    '<math><mtext></p><style><img src=x onerror="alert(1)"></style></math>': "alert(1)",
    "<svg><p><style><img src=x onerror=alert(1)></style></p></svg>": "alert(1)",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>": "onerror",
    '<a href=" &#x6A;avascript:alert(1)">x</a>': "alert",
    '<a href="java\tscript:alert(1)">x</a>': "alert",
    '<a href="//tracker.test/">x</a>': "tracker",
    '<a href="#main" id="main" name="main" class="skip">x</a>': "main",
    '<a href="vbscript:x" ping="http://tracker.test/" target="_top">x</a>': "tracker",
    "<!-- <script>alert(1)</script> --><!--[if IE]>alert<![endif]-->": "alert",
    "&#x202e;&#8238;gpj.exe\u202e": "\u202e",
    "<h1>Scoreboard</h1>": "<h1",
    "<p title='Outcome: yes' lang=ar dir=rtl>x</p>": "Outcome",
    "</div></li></ol></details></article><p id=x>": "</article",
    "<textarea><img src=x onerror=alert(1)></textarea>": "onerror",
    "<xmp><script>alert(1)</script></xmp>": "alert",
    "<table><tr><td background='http://tracker.test/'>x": "tracker",
    "<b " + "x" * 10_000 + "='http://tracker.test/'>": "tracker",
}
SCRIPT = "<script>alert('title')</script>"
FEED = """<rss><channel><title>A wire</title><item><title>{title}</title>
<link>https://example.org/1</link><pubDate>Fri, 20 Nov 2026 09:00:00 GMT</pubDate>
<description>{summary}</description></item></channel></rss>"""


class Loads(HTMLParser):
    """What a document would load, run or lead to."""

    def __init__(self):
        super().__init__()
        self.parts = []
        self.open = []

    def handle_starttag(self, tag, attrs):
        self.parts += [(tag, name, value or "") for name, value in attrs]
        self.parts.append((tag, "", ""))
        self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open:
            self.open.remove(tag)


def loads(text):
    reader = Loads()
    reader.feed(text)
    reader.close()
    return reader


def harmless(text):
    for tag, name, value in loads(text).parts:
        assert tag in TAGS
        assert (tag, name) in {(tag, ""), ("a", "href"), ("a", "rel")}
        if name == "href":
            assert re.match(r"https?://", value), value
        if name == "rel":
            assert value == "noopener noreferrer"


@pytest.mark.parametrize("probe", PROBES)
def test_nothing_of_a_probe_runs_loads_or_imitates(probe):
    shown = str(markup(f"before {probe} after"))
    harmless(shown)
    assert PROBES[probe] not in shown
    assert shown.startswith("before")


def test_plain_tags_and_links_to_the_web_stay():
    assert markup("<p>A <b>b</b> &amp; c</p><ul><li>d</ul>") == (
        "<p>A <b>b</b> &amp; c</p><ul><li>d</li></ul>"
    )
    assert markup('<a href="https://example.org/">x</a>') == (
        '<a href="https://example.org/" rel="noopener noreferrer">x</a>'
    )
    assert markup("3 < 4 & 5") == "3 &lt; 4 &amp; 5"
    assert not TAGS & SILENCED
    assert not TAGS & {"img", "picture", "video", "audio", "source", "style", "link", "input"}


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A ledger with one open question, one forecast, and news of every probe that bears on it."""
    folder = tmp_path_factory.mktemp("markup")
    (folder / "q.yaml").write_text(QUESTION + "answer: strike by close\n", encoding="utf-8")
    summary = html.escape("<p>Talks <i>end</i></p>" + "".join(PROBES))
    title = html.escape("&lt;script&gt;alert(1)&lt;/script&gt; \x9b31m red")
    (folder / "feed.xml").write_text(FEED.format(title=title, summary=summary), encoding="utf-8")
    database = ("--db", str(folder / "book.db"), "--as", "ana")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORECASTING_NOW", "2026-11-22T12:00:00Z")
        Book.open(database[1], create=True).close()
        for words in (
            ("questions", "add", str(folder / "q.yaml")),
            ("log", "ships-sail-2026", "0.3"),
            ("news", "import", str(folder / "feed.xml"), "--on", "ships-sail-2026=x2"),
            (
                "news",
                "add",
                SCRIPT,
                "--source",
                SCRIPT,
                "--known-at",
                "2026-11-20T09:00Z",
                "--on",
                "ships-sail-2026=x2",
                "--url",
                "javascript:alert(1)",
                "--because",
                SCRIPT,
            ),
            ("review", "--out", str(folder / "review")),
        ):
            assert run([*database, *words]) == 0
    return folder


def test_a_summary_is_kept_as_it_was_sent(book):
    with Book.open(str(book / "book.db")) as opened:
        item = opened.ledger.evidence()[0]
    assert item.note.startswith("<p>Talks <i>end</i></p><script>alert(1)</script>")
    assert "javascript:alert(1)" in item.note


def test_the_review_page_shows_it_and_loads_nothing(book):
    page = (book / "review" / "index.html").read_text(encoding="utf-8")
    assert "<p>Talks <i>end</i></p>" in page
    body = re.search(r'<div class="said">(.*?)</div></li>', page, re.DOTALL)
    assert body
    harmless(body[1])
    # What a title says stands there as text.
    assert "&lt;script&gt;alert(&#39;title&#39;)&lt;/script&gt;" in page
    assert "javascript:" not in page
    assert "\x9b" not in page
    for tag, name, value in loads(page).parts:
        assert tag not in {"script", "img", "iframe", "object", "embed", "form", "base", "video"}
        assert not name.startswith("on")
        assert name not in {"src", "srcset", "background", "action", "poster", "ping"}
        if name == "href" and tag not in {"a", "link"}:
            assert value.startswith("#")
    assert not re.search(r"src\s*=\s*[\"']?\s*(https?:)?//", page)
    assert not re.search(r"url\(\s*[\"']?\s*(https?:)?//", page)
    assert "@import" not in page
    assert "default-src 'none'" in page
    assert "tracker" not in page
    assert re.search(r'<a href="https://example\.org/1" rel="noopener noreferrer">', page)


def test_the_page_prints_the_head_of_the_ledger(book):
    with Book.open(str(book / "book.db")) as opened:
        head, digest = opened.ledger.head(), opened.ledger.content_digest()
    page = (book / "review" / "index.html").read_text(encoding="utf-8")
    assert head.hash in page
    assert digest in page


HOSTILE_TITLE = "red \x1b[31m \x1b]0;owned\x07 \x9b2J \u202egpj.exe \x7f \u2066x"


@pytest.mark.parametrize("form", ["table", "json", "nl"])
def test_no_title_commands_a_terminal(tmp_path, capsys, form):
    database = ("--db", str(tmp_path / "book.db"))
    Book.open(database[1], create=True).close()
    form_option = () if form == "table" else (f"--{form}",)
    news = ("--source", "w\x1b[1m", "--known-at", "2025-11-20T09:00Z", "--because", HOSTILE_TITLE)
    capsys.readouterr()
    assert run([*database, *form_option, "news", "add", HOSTILE_TITLE, *news]) == 0
    assert run([*database, *form_option, "news", "add", HOSTILE_TITLE + " too", *news]) == 0
    assert run([*database, *form_option, "news", "list"]) == 0
    assert run([*database, *form_option, "news", "show", "1"]) == 0
    assert run([*database, *form_option, "news", "show", HOSTILE_TITLE]) == 4
    out, err = capsys.readouterr()
    for text in (out, err):
        assert text.replace("\n", "").isprintable()
    if form == "nl":
        # The escapes of JSON say the same: what was recorded is what is read back.
        assert json.loads(out.splitlines()[0])["title"] == HOSTILE_TITLE


def test_what_may_be_sent_is_sent_as_it_is():
    assert printable("Zelenśkyj – „Gespräche“\n\tЗеленський 你好 é 🙂") == (
        "Zelenśkyj – „Gespräche“\n\tЗеленський 你好 é 🙂"
    )
    assert printable("\x1b\x00\ud800") == "␛␀\N{REPLACEMENT CHARACTER}"


def test_cleaning_what_is_clean_changes_nothing():
    for text in ("<l>\ufeff</details></article><p id=x>", "\ufeff\ufeff<b>x</b>", "a\ufeffb"):
        once = markup(text)
        assert markup(str(once)) == once
