"""Files of news: told apart by content, each bad row named, nothing expanded or fetched."""

import json

import pytest

from forecasting.domain.instants import iso, parse_instant
from forecasting.errors import InvalidInput
from forecasting.evidence import intake
from forecasting.evidence.intake import read

RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>Some wire</title>
<item><title>Talks &amp;amp; tea &lt;b&gt;in&lt;/b&gt;
 Geneva</title><link> https://x.org/1 </link>
<pubDate>Fri, 20 Nov 2026 09:00:00 +0200</pubDate></item>
<item><title>No time</title></item><item><title>Bad time</title><pubDate>soon</pubDate></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Atom wire</title><entry>
<title type="html">A &lt;i&gt;b&lt;/i&gt;</title><link rel="self" href="https://x.org/self"/>
<link href="https://x.org/a"/><updated>2026-11-21T00:00:00Z</updated>
<published>2026-11-20T10:00:00.5Z</published></entry></feed>"""


def _read(text, **more):
    return read(text.encode(), name="f", **more)


def test_rss():
    good, timeless, bad = _read(RSS)
    assert dict(good.fields) == {
        "title": "Talks & tea in Geneva",
        "source": "Some wire",
        "known_at": "2026-11-20T07:00:00+00:00",
        "url": "https://x.org/1",
    }
    assert timeless.fields["known_at"] == ""
    assert "soon" in bad.fault
    assert _read(RSS, source="mine")[0].fields["source"] == "mine"


def test_atom_knows_an_entry_from_its_publication_and_links_to_the_page():
    (row,) = _read(ATOM)
    assert iso(parse_instant(row.fields["known_at"])) == "2026-11-20T10:00:00.500000Z"
    assert (row.fields["title"], row.fields["url"]) == ("A b", "https://x.org/a")


@pytest.mark.parametrize(
    "declared",
    [
        '<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">',
        '<!ENTITY b SYSTEM "file:///some/file">',
        '<!ENTITY b SYSTEM "http://127.0.0.1/x">',
        '<!ENTITY % b SYSTEM "http://127.0.0.1/x"> %b;',
    ],
)
def test_no_entity_is_expanded_and_nothing_is_fetched(declared):
    feed = "<rss><channel><title>&b;</title></channel></rss>"
    bomb = f"<?xml version='1.0'?><!DOCTYPE r [{declared}]>{feed}"
    with pytest.raises(InvalidInput, match="entities"):
        _read(bomb)


def test_csv_and_json_lines_read_alike():
    fields = {"title": "A; “b”, c", "source": "w", "known_at": "2026-11-20", "on": "q=x2; p=+1"}
    table = 'title,source,known_at,on\n"A; “b”, c",w,2026-11-20,q=x2; p=+1\n'
    (by_csv,), (by_json,) = _read("\ufeff" + table), _read(json.dumps(fields))
    assert dict(by_csv.fields) == dict(by_json.fields) == fields
    (listed,) = _read(json.dumps(fields | {"on": ["q=x2", "p=+1"]}))
    assert listed.fields["on"] == "q=x2;p=+1"


def test_each_bad_row_is_named_by_its_line_and_the_good_ones_are_kept():
    table = 'title,source,known_at\nA,w,2026-11-20\nB,w\n\n"C\nc",w,2026-11-20\n'
    table += 'D,w,2026-11-20,x\n"E,w\n'
    rows = _read(table)
    assert [(row.line, bool(row.fault)) for row in rows] == [
        (2, False), (3, True), (5, False), (7, True), (8, True),
    ]  # fmt: skip
    assert "never closes" in rows[-1].fault
    lines = '{"title": "A"}\nnope\n3\n{"title": 3}\n{"other": "x"}\n' + "[" * 100_000 + "\n"
    rows = _read(lines)
    assert [(row.line, bool(row.fault)) for row in rows] == [
        (1, False), (2, True), (3, True), (4, True), (5, True), (6, True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("   \n", "is empty"),
        ("title,source\nA,w\n", "no known_at"),
        ("title,source,known_at,colour\n", "unknown colour"),
        ("title,title,source,known_at\n", "one twice"),
        ('[{"title": "A"}]', "JSON list"),
        ("<html><p>x</p></html>", "not an RSS or Atom"),
        ("<rss><channel>", "well-formed"),
        ("<?xml version='1.0' encoding='no-such'?><rss/>", "well-formed"),
    ],
)
def test_a_file_that_is_none_of_these_is_refused_whole(text, message):
    with pytest.raises(InvalidInput, match=message):
        _read(text)


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(InvalidInput, match="UTF-8"):
        read(b"title,source,known_at\n\xff\xfe\n", name="f")


def test_limits(monkeypatch):
    with pytest.raises(InvalidInput, match="bytes; at most 10,000,000"):
        read(b"x" * 10_000_001, name="f")
    long = "A" * 1_000_001
    rows = _read(f"title,source,known_at\n{long},w,2026-11-20\nB,w,2026-11-20\n")
    assert [(row.line, row.fault[:5]) for row in rows] == [(2, "line:"), (3, "")]
    rows = _read(f'{{"title": "{long}"}}\n{{"title": "B"}}\n')
    assert [(row.line, row.fault[:5]) for row in rows] == [(1, "line:"), (2, "")]
    monkeypatch.setattr(intake, "MOST_ROWS", 3)
    with pytest.raises(InvalidInput, match="more than 3 rows"):
        _read("title,source,known_at\n" + "A,w,2026-11-20\n" * 4)
