"""Files that somebody hostile, or a broken program, could hand to a reader.

A row of the table is a name, how the file is made, and for each reader that it concerns what the
message must name. The readers stand in `reading.py`. Everything is made anew; nothing is kept.
"""

import gzip
import io
import json
import os
import sqlite3
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

#: Bytes, or a function that makes something other than a plain file.
type Maker = bytes | Callable[[Path], None]

HEADER = b"title,source,known_at,on\n"
ROW = b"Talks end,wire,2026-11-20,"
GOOD_JSON = {"title": "Talks end", "source": "wire", "known_at": "2026-11-20"}
RSS = "<rss><channel><title>w</title>{}</channel></rss>"
ITEM = "<item><title>{}</title><pubDate>Fri, 20 Nov 2026 09:00:00 GMT</pubDate></item>"
QUESTION = """\
schema: 1
slug: ships-sail-2026
title: Will ships sail?
type: binary
criteria: Yes if any ship leaves the harbour by the midnight that ends the last day, by its own log.
background: Ships have sailed before, and some stayed where they were.
opens: 2026-01-01
closes: 2026-12-31
topic: wider
event: ships
basis: {kind: context, texts: ["003"]}
model: {family: base-rate, reference: ships}
"""
ANCHOR = "forecast-anchor 1\nledger {0}\nentries {1}\nhead {0}\nat {2}\ncheck {0}\n"


@dataclass(frozen=True)
class Hostile:
    """One file: its name here, how it is made, and by reader the words that it must name."""

    name: str
    make: Maker
    words: Mapping[str, str]

    def write(self, path):
        if callable(self.make):
            self.make(path)
        else:
            path.write_bytes(self.make)
        return path


def everywhere(word="", **instead):
    """Every reader of text, with one word for all but some."""
    names = ("news", "question", "check", "table", "config", "anchor")
    words = {**dict.fromkeys(names, word), **instead}
    if "bank" in words:
        # What is neither a folder nor a file is no bank; `questions check` then has no listing.
        del words["check"]
    return words


def _lines(**fields):
    return json.dumps(GOOD_JSON | fields).encode()


def _raw(value, key="title"):
    return f'{{"source": "w", "known_at": "2026-11-20", "{key}": {value}}}\n'.encode()


def _question(old, new):
    assert old in QUESTION
    return QUESTION.replace(old, new).encode()


def _declared(what):
    return f"<?xml version='1.0'?><!DOCTYPE r {what}>{RSS.format('<b>&b;</b>')}".encode()


def _zip():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../news.csv", HEADER + b"x" * 1_000_000)
    return packed.getvalue()


def _fifo(path):
    os.mkfifo(path)


def _folder(path):
    path.mkdir()


def _link(target):
    return lambda path: path.symlink_to(target)


def _itself(path):
    path.symlink_to(path.name)


def _absent(path):
    assert not path.exists()


def _sparse(path):
    with path.open("wb") as file:
        file.truncate(50_000_000_000)


def _other_database(path):
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE entry (seq INTEGER); CREATE VIEW v AS SELECT load_extension('x');"
        "CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM entry; END;"
    )
    connection.close()


def _socket(path):
    import socket

    short = Path("s")
    here = Path.cwd()
    # The name of a socket has room for a hundred letters, so it is made from inside its folder.
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(short))
        short.rename(path.name)
    finally:
        os.chdir(here)


BILLION = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
ALIASES = "a: &a [x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
)
SHARED = {"news": "", "question": "", "check": "", "table": "", "config": "", "anchor": ""}

FILES = (
    # Not a plain file: no command may wait for it or read it without end.
    Hostile("absent", _absent, {"news": "does not exist", "question": "does not exist",
            "anchor": "does not exist", "restore": "does not exist"}),
    Hostile("folder", _folder, {"news": "folder", "anchor": "folder", "config": "folder",
            "table": "folder"}),
    Hostile("fifo", _fifo, everywhere("pipe", question="does not exist", bank="must be",
            restore="must be a file")),
    Hostile("socket", _socket, {"news": "cannot be read", "anchor": "cannot be read",
            "restore": "must be a file"}),
    Hostile("link-to-zero", _link("/dev/zero"), everywhere("device", question="does not exist",
            bank="must be", restore="must be a file")),
    Hostile("link-to-itself", _itself, {"news": "symbolic", "anchor": "symbolic",
            "table": "symbolic", "restore": "cannot"}),
    Hostile("link-to-nothing", _link("nothing-there"), {"news": "does not exist",
            "anchor": "does not exist", "table": "No such"}),
    Hostile("fifty-gigabytes", _sparse, everywhere("larger than", restore="not an SQLite")),
    # No text, or another encoding.
    Hostile("empty", b"", {"news": "empty", "question": "missing", "check": "missing",
            "table": "column", "anchor": "6 lines"}),
    Hostile("blank", b" \n\t\n \n", {"news": "empty", "question": "", "check": "",
            "table": "column", "anchor": "6 lines"}),
    Hostile("zeros", bytes(5000), everywhere(restore="not an SQLite")),
    Hostile("random", bytes((i * 197 + i // 7) % 256 for i in range(5000)),
            everywhere(restore="not an SQLite")),
    Hostile("utf-16", (HEADER + ROW).decode().encode("utf-16"), everywhere("UTF-8",
            anchor="not text", table="cannot be read")),
    Hostile("utf-16-without-mark", QUESTION.encode("utf-16-le"), everywhere("")),
    Hostile("utf-32", QUESTION.encode("utf-32"), everywhere("")),
    Hostile("latin-1", "title,source,known_at\né,w,2026-11-20\n".encode("latin-1"),
            everywhere("UTF-8", anchor="not text", table="cannot be read")),
    Hostile("overlong-utf-8", b"title,source,known_at\n\xc0\xaf,w,2026-11-20\n",
            everywhere("UTF-8", anchor="not text", table="cannot be read")),
    Hostile("surrogate-in-utf-8", b"title: \xed\xa0\x80\n", everywhere("UTF-8",
            anchor="not text", table="cannot be read")),
    Hostile("gzip", gzip.compress(HEADER + ROW), everywhere("", news="UTF-8",
            restore="not an SQLite")),
    Hostile("gzip-bomb", gzip.compress(bytes(20_000_000)), everywhere("", news="UTF-8")),
    Hostile("bzip2", b"BZh91AY&SY", everywhere("", news="")),
    Hostile("xz", b"\xfd7zXZ\x00\x00", everywhere("", news="")),
    Hostile("a-workbook-of-old", b"\xd0\xcf\x11\xe0\xa1\xb1", everywhere("", news="")),
    Hostile("parquet", b"PAR1\x15\x04", everywhere("", news="")),
    Hostile("utf-16-big-end-first", b"\xfe\xff" + HEADER.decode().encode("utf-16-be"),
            everywhere("", news="")),
    Hostile("zip-with-a-way-out", _zip(), everywhere("", news="")),
    Hostile("one-long-line", b"x" * 9_000_000, {"news": "column", "question": "larger",
            "check": "larger", "config": "larger", "anchor": "larger", "table": ""}),
    Hostile("line-feeds", b"\n" * 9_500_000, {"news": "lines", "question": "larger",
            "anchor": "larger", "config": "larger", "table": "column"}),
    Hostile("carriage-returns", b"title,source,known_at" + b"\r" * 5_000_000, {"news": "lines"}),
    Hostile("html", b"<!doctype html><html><body><p>x</body></html>", everywhere("", news="XML")),
    # CSV.
    Hostile("csv-no-columns", b"1,2,3\n4,5,6\n", {"news": "no table", "table": "column"}),
    Hostile("csv-semicolons", b"title;source;known_at\nA;w;2026-11-20\n", {"news": "commas",
            "table": "column"}),
    Hostile("csv-two-columns-of-one-name", b"title,title,source,known_at\nA,B,w,2026-11-20\n",
            {"news": "twice"}),
    Hostile("csv-columns-with-escapes", b"title,source,known_at,\x1b[2J\xe2\x80\xae\n",
            {"news": "unknown"}),
    Hostile("csv-nul-in-columns", b"title,source,known\0_at\n", {"news": "unknown"}),
    Hostile("csv-quote-in-columns", b'"title,source,known_at\n' * 3, {"news": "columns"}),
    Hostile("csv-wide-header", b"title,source,known_at" + b",x" * 200_000, {"news": "columns"}),
    Hostile("csv-short-rows", HEADER + b"x\n" * 450_000, {"news": "rows"}),
    Hostile("csv-ragged", HEADER + ROW + b",,,\nA\n", {"rows": "cells"}),
    Hostile("csv-doubled-rows", HEADER + b"A,w,2027-01-01,\n" * 50, {"rows": "future"}),
    Hostile("csv-field-too-large", HEADER + b'"' + b"x" * 140_000 + b'",w,2026-11-20,\n',
            {"rows": "field"}),
    Hostile("csv-open-quote", HEADER + b'"A,w,2026-11-20,\n' * 3, {"rows": "never closes"}),
    Hostile("csv-mixed-ends", HEADER + b"A,w\r\nB,w\rC,w\n", {"rows": "cells"}),
    Hostile("csv-nul-in-a-cell", HEADER + b"A\0B,w,2026-11-20,\n", {"rows": "NUL"}),
    Hostile("csv-decimal-comma", HEADER + b'A,w,2026-11-20,"leaders=0,6/0,2"\n',
            {"rows": "leaders"}),
    Hostile("csv-effect-nan", HEADER + ROW + b"quays-open-2026=xnan\n", {"rows": "effect"}),
    Hostile("csv-effect-infinite", HEADER + ROW + b"quays-open-2026=x1e999\n", {"rows": "effect"}),
    Hostile("csv-effect-long", HEADER + ROW + b"quays-open-2026=x" + b"9" * 5000,
            {"rows": "effect"}),
    Hostile("csv-effect-arabic", HEADER + ROW + "quays-open-2026=x٣\n".encode(),
            {"rows": "effect"}),
    Hostile("csv-effect-underscore", HEADER + ROW + b"quays-open-2026=x1_0\n",
            {"rows": "effect"}),
    Hostile("csv-time-arabic", HEADER + "A,w,٢٠٢٦-١١-٢٠,\n".encode(), {"rows": "day"}),
    Hostile("csv-time-without-zone", HEADER + b"A,w,2026-11-20T12:00,\n", {"rows": "zone"}),
    Hostile("csv-time-at-the-end", HEADER + b"B,w,9999-12-31,\nC,w,0001-01-01,\n"
            + b"D,w,0001-01-01T00:00+14:00,\nE,w,9999-12-31T23:59-14:00,\n", {"rows": "day"}),
    Hostile("csv-title-long", HEADER + b"x" * 100_000 + b",w,2026-11-20,\n", {"rows": "at most"}),
    Hostile("csv-grade", b"title,source,known_at,grade\nA,w,2026-11-20,Z\n", {"rows": "grade"}),
    # JSON and JSON lines.
    Hostile("json-list", json.dumps([GOOD_JSON]).encode(), {"news": "JSON list"}),
    Hostile("json-nan", _raw("NaN"), {"rows": "must be text"}),
    Hostile("json-infinity", _raw("-Infinity"), {"rows": "must be text"}),
    Hostile("json-1e999", _raw("1e999"), {"rows": "must be text"}),
    Hostile("json-long-integer", _raw("9" * 5000), {"rows": "not a JSON"}),
    Hostile("json-long-integer-as-time", _raw("9" * 4000, "known_at"), {"rows": "twice"}),
    Hostile("json-doubled-key", _raw('"A", "title": "B"'), {"rows": "twice"}),
    Hostile("json-depth", b'{"title": ' + b"[" * 200_000 + b"\n", {"rows": "not a JSON"}),
    Hostile("json-depth-of-objects", b'{"a":' * 150_000 + b"\n", {"rows": "not a JSON"}),
    Hostile("json-surrogate", _raw('"\\ud800"'), {"rows": "surrogate"}),
    Hostile("json-nul", _raw('"A\\u0000B"'), {"rows": "NUL"}),
    Hostile("json-wrong-types", _lines(title={"a": 1}) + b"\n" + _lines(on=[1]) + b"\n"
            + _lines(url=True), {"rows": "must be text"}),
    Hostile("json-unknown-key", _lines(**{"\x1b[2J": "x"}), {"rows": "must be one of"}),
    Hostile("json-lines-of-others", b'{"title": "A"\n"x"\n3\nnull\n', {"rows": "not a JSON"}),
    Hostile("json-half", _lines()[:-9], {"rows": "not a JSON"}),
    Hostile("json-long-line", b'{"title": "' + b"x" * 1_500_000 + b'"}', {"rows": "characters"}),
    # RSS, Atom and what only looks like it.
    Hostile("xml-billion-laughs", _declared(f'[<!ENTITY a "aaaaaaaaaa">{BILLION}]'),
            {"news": "entities"}),
    Hostile("xml-quadratic", _declared(f'[<!ENTITY b "{"x" * 100_000}">]'), {"news": "entities"}),
    Hostile("xml-file-entity", _declared('[<!ENTITY b SYSTEM "file:///etc/hostname">]'),
            {"news": "entities"}),
    Hostile("xml-web-entity", _declared('[<!ENTITY b SYSTEM "http://127.0.0.1:9/x">]'),
            {"news": "entities"}),
    Hostile("xml-parameter-entity", _declared(
            '[<!ENTITY % b SYSTEM "http://127.0.0.1:9/x"> %b;]'), {"news": "entities"}),
    Hostile("xml-external-dtd", _declared('SYSTEM "http://127.0.0.1:9/x.dtd"'),
            {"news": "well-formed"}),
    Hostile("xml-cut-off", RSS.format(ITEM)[:50].encode(), {"news": "well-formed"}),
    Hostile("xml-depth", b"<rss>" + b"<a>" * 300_000, {"news": "deep"}),
    Hostile("xml-depth-closed", b"<rss>" + b"<a>" * 150_000 + b"</a>" * 150_000 + b"</rss>",
            {"news": "deep"}),
    Hostile("xml-many-tags", b"<rss>" + b"<a/>" * 1_500_000 + b"</rss>", {"news": "tags"}),
    Hostile("xml-many-attributes", b"<rss " + b" ".join(b"a%d=''" % n for n in range(200_000))
            + b"></rss>", {"rows": ""}),
    Hostile("xml-doubled-attribute", b"<rss a='1' a='2'/>", {"news": "well-formed"}),
    Hostile("xml-unknown-encoding", b"<?xml version='1.0' encoding='utf-7'?><rss/>",
            {"news": "well-formed"}),
    Hostile("xml-lies-about-encoding", "<?xml version='1.0' encoding='utf-8'?><rss>é</rss>".encode(
            "latin-1"), {"news": "well-formed"}),
    Hostile("xml-nul", b"<rss>\0</rss>", {"news": "well-formed"}),
    Hostile("xml-no-feed", b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>",
            {"news": "not an RSS"}),
    Hostile("xml-namespaced-names", b"<x:rss xmlns:x='" + b"u" * 100_000 + b"'><x:item/></x:rss>",
            {"rows": "known_at"}),
    Hostile("rss-brackets", RSS.format(ITEM.format("&lt;" * 200_000)).encode(),
            {"rows": "at most"}),
    Hostile("rss-long-reference", RSS.format(ITEM.format("&amp;#" + "9" * 6000 + ";")).encode(),
            {"rows": "at most"}),
    Hostile("rss-ampersands", RSS.format(ITEM.format("&amp;" * 300_000)).encode(),
            {"rows": "at most"}),
    Hostile("rss-empty-title", RSS.format(ITEM.format("&lt;script&gt;")).encode(),
            {"rows": "title"}),
    Hostile("rss-dates", RSS.format("".join(
            f"<item><title>A</title><pubDate>{when}</pubDate></item>" for when in (
                "9" * 5000, "Fri, 99 Nov 2026 99:99:99 GMT", "Fri, 20 Nov 99999 00:00 GMT", ",",
                "Fri, 20 Nov 2026 09:00:00 +999999999", "NaN", "-",
            ))).encode(), {"rows": "not a day or a moment"}),
    # YAML.
    Hostile("yaml-aliases", ALIASES.encode(), {"question": "aliases", "check": "aliases"}),
    Hostile("yaml-alias-of-itself", b"&a [*a]", {"question": "aliases", "check": "aliases"}),
    Hostile("yaml-merge", b"a: &a {x: 1}\nb:\n  <<: *a\n", {"question": "aliases"}),
    Hostile("yaml-python-object", b"title: !!python/object/apply:os.system ['exit 1']\n",
            {"question": "field", "check": "field"}),
    Hostile("yaml-own-tag", b"!x {title: !y z}", {"question": ""}),
    Hostile("yaml-binary", b"title: !!binary '*'\n", {"question": ""}),
    Hostile("yaml-depth", b"a: " + b"[" * 90_000, {"question": "levels"}),
    Hostile("yaml-depth-by-dashes", b"- " * 90_000, {"question": "levels"}),
    Hostile("yaml-depth-by-maps", b"".join(b" " * n + b"a:\n" for n in range(400)),
            {"question": "levels"}),
    Hostile("yaml-many-items", b"tags:\n" + b"- a\n" * 40_000, {"question": "items"}),
    Hostile("yaml-many-keys", b"".join(b"k%d: 1\n" % n for n in range(15_000)),
            {"question": "items"}),
    Hostile("yaml-doubled-key", QUESTION.encode() + b"slug: other\n", {"question": "is there twice",
            "check": "is there twice"}),
    Hostile("yaml-tab", _question("slug: ", "slug:\t"), {"question": "tab", "check": "tab"}),
    Hostile("yaml-two-documents", QUESTION.encode() + b"---\n" + QUESTION.encode(),
            {"question": "another document"}),
    Hostile("yaml-list", b"- a\n- b\n", {"question": "mapping", "check": "mapping"}),
    Hostile("yaml-unknown-field", QUESTION.encode() + b"colour: red\n", {"question": "colour"}),
    Hostile("yaml-number-for-text", _question("Will ships sail?", "3.5"), {"question": "title"}),
    Hostile("yaml-list-for-text", _question("Will ships sail?", "[a, b]"), {"question": "title"}),
    Hostile("yaml-nan", _question("base-rate, ", "base-rate, settings: {a: .nan}, "),
            {"question": "settings"}),
    Hostile("yaml-infinite-bound", _question("type: binary", "type: numeric\nlower: -.inf"),
            {"question": "lower"}),
    Hostile("yaml-long-integer", _question("schema: 1", "schema: " + "9" * 5000),
            {"question": "yaml"}),
    Hostile("yaml-arabic-day", _question("2026-01-01", "٢٠٢٦-٠١-٠١"), {"question": "day"}),
    Hostile("yaml-no-such-day", _question("2026-12-31", "2026-02-31"), {"question": ""}),
    Hostile("yaml-year-10000", _question("2026-12-31", "9999-12-31"), {"question": ""}),
    Hostile("yaml-zone-with-a-way-out", QUESTION.encode() + b"zone: ../../etc/passwd\n",
            {"question": "zone"}),
    Hostile("yaml-nul-in-text", _question("Will ships sail?", '"Will ships\\0sail?"'),
            {"question": "NUL"}),
    Hostile("yaml-control-characters", b"title: \x1b[2J\n", {"question": "yaml"}),
    Hostile("yaml-many-faults", b"".join(b"\"\\e[2Jk%d\": [1]\n" % n for n in range(1000)),
            {"question": ""}),
    # Tables of a bank.
    Hostile("table-no-source", b"class,date\nx,2026-01-01\n", {"table": "column"}),
    Hostile("table-ragged", b"source,certainty\na\nb,high,x\n", {"table": "cells"}),
    Hostile("table-certainty", b"source,certainty\na,\x1b[2J\n", {"table": "certainty"}),
    Hostile("table-doubled-column", b"source,source\na,b\n", {"table": "once"}),
    Hostile("table-open-quote", b'source,certainty\n"a,high\n', {"table": "cannot be read"}),
    Hostile("table-field-too-large", b"source\n" + b"x" * 140_000 + b"\n",
            {"table": "cannot be read"}),
    # config.toml.
    Hostile("toml-wrong-type", b"database = 3\n", {"config": "quotes"}),
    Hostile("toml-unknown-key", b'databse = "x"\n', {"config": "database"}),
    Hostile("toml-key-with-escapes", b'"\\u001b[2J" = "x"\n', {"config": "key"}),
    Hostile("toml-long-integer", b"database = " + b"9" * 5000, {"config": "setting is text"}),
    Hostile("toml-depth", b"database = " + b"[" * 9000, {"config": "setting is text"}),
    Hostile("toml-depth-of-keys", b"a." * 40_000 + b"b = 1", {"config": ""}),
    Hostile("toml-doubled-key", b'database = "a"\ndatabase = "b"\n', {"config": "TOML"}),
    Hostile("toml-nan", b"database = nan\n", {"config": "quotes"}),
    Hostile("toml-nul", b'database = "a\\u0000b"\n', {"config": "control"}),
    Hostile("toml-other-database", b'database = "mysql://x:secret@y/z"\n', {"config": "SQLite"}),
    # Anchors, and what should be a backup.
    Hostile("anchor-check", ANCHOR.format("0" * 64, 3, "2026-01-01T00:00:00Z").encode(),
            {"anchor": "check"}),
    Hostile("anchor-arabic-entries", ANCHOR.format("0" * 64, "1٢", "2026-01-01T00:00:00Z").encode(),
            {"anchor": "must be"}),
    Hostile("anchor-long-entries", ANCHOR.format("0" * 64, "9" * 5000, "x").encode(),
            {"anchor": "must be"}),
    Hostile("anchor-five-lines", b"forecast-anchor 1\n" * 5, {"anchor": "6 lines"}),
    Hostile("anchor-many-lines", b"forecast-anchor 1\n" * 50_000, {"anchor": "lines"}),
    Hostile("anchor-separators", "\u2028".join(ANCHOR.splitlines()).encode(),
            {"anchor": "must be"}),
    Hostile("sqlite-of-another-program", _other_database, {"restore": "another program"}),
    Hostile("sqlite-header-alone", b"SQLite format 3\0" + bytes(84), {"restore": ""}),
    Hostile("sqlite-header-and-junk", b"SQLite format 3\0" + b"\xff" * 20_000, {"restore": ""}),
)  # fmt: skip
