"""What a head kept elsewhere proves, and what nothing proves after it."""

import shutil
from datetime import timedelta

import pytest

from forecasting.errors import InvalidInput
from forecasting.store import Ledger
from forecasting.store.anchor import anchor, compared, read_anchor_file, read_anchors, write_anchor
from tests.store import attacks
from tests.store.samples import DAY, NOW, binary, one_of_each
from tests.store.test_tamper import rehashed

ENTRIES, ANCHORED = 31, 21
EDIT = "UPDATE forecast SET entered = '[\"0.99\"]', probability = 0.99 WHERE seq = {}"


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A ledger of 31 entries, anchored at 11 and at 21; give its file and the two anchors."""
    file = tmp_path_factory.mktemp("book") / "ledger.db"
    anchors = []
    with Ledger.open(str(file), create=True) as ledger:
        for batch in ([*one_of_each()], *2 * [[binary(f"0.{n}1") for n in range(10)]]):
            ledger.append(batch, recorded_at=NOW)
            anchors.append(anchor(ledger, NOW + len(anchors) * DAY))
        assert ledger.head().seq == ENTRIES
    return file, anchors[:2]


@pytest.fixture
def tampered(book, path):
    """A copy of it; give a function that edits the copy and verifies it against the anchors."""
    shutil.copy(book[0], path)

    def edit(*statements, anchors=book[1][1:]):
        attacks.past_the_triggers(path, *statements)
        with Ledger.open(str(path)) as ledger:
            return compared(ledger, anchors)

    return edit


def cut(after):
    return [
        f"DELETE FROM {table} WHERE seq > {after}"
        for table in ("forecast", "entry")
        if after >= 11 or table == "entry"
    ]


def test_an_untouched_ledger_is_proved_up_to_its_anchor_and_says_so(tampered):
    report = tampered()
    assert report["ok"]
    assert (report["entries"], report["anchored_to"], report["first_bad"]) == (
        ENTRIES,
        ANCHORED,
        None,
    )
    assert report["proves"].startswith(
        "unaltered up to entry 21, anchored at 2026-01-03T03:04:05.678901Z; entries 22 to 31 "
    )


def test_without_an_anchor_nothing_is_said_to_be_proved_but_agreement(tampered):
    report = tampered(anchors=[])
    assert report["ok"]
    assert report["anchored_to"] is None
    assert "could still have cut off its end or rewritten all of it" in report["proves"]


def test_a_tail_cut_off_below_the_anchor_is_found(tampered):
    assert tampered(anchors=[])["ok"]
    report = tampered(*cut(15))
    assert not report["ok"]
    assert (report["first_bad"], report["anchored_to"]) == (16, None)
    assert report["reason"] == "the last 6 of 21 anchored entries are missing"


def test_an_edit_hashed_anew_below_the_anchor_is_found(tampered, path):
    tampered(EDIT.format(15))
    report = tampered(*rehashed(path, *range(15, ENTRIES + 1)))
    assert not report["ok"]
    assert report["first_bad"] == 1
    assert "one of the entries 1 to 21 was rewritten" in report["reason"]


def test_an_earlier_anchor_says_from_where_on(tampered, path, book):
    tampered(EDIT.format(15))
    report = tampered(*rehashed(path, *range(15, ENTRIES + 1)), anchors=book[1])
    assert (report["anchored_to"], report["first_bad"]) == (11, 12)
    assert "one of the entries 12 to 21 was rewritten" in report["reason"]
    assert report["proves"] == (
        "unaltered up to entry 11, anchored at 2026-01-02T03:04:05.678901Z; "
        "nothing is proved from entry 12 on"
    )


@pytest.mark.parametrize("attack", ["cut", "rewrite"])
def test_after_the_anchor_nothing_is_found_and_nothing_is_claimed(tampered, path, attack):
    """By design, and said: what is promised ends at the last anchor."""
    if attack == "cut":
        report = tampered(*cut(25))
    else:
        tampered(EDIT.format(25))
        report = tampered(*rehashed(path, *range(25, ENTRIES + 1)))
    assert report["ok"]
    assert report["anchored_to"] == ANCHORED
    assert "no anchor shows whether some were cut off or rewritten" in report["proves"]


def test_an_edit_without_new_hashes_is_named_and_the_anchor_above_it_proves_nothing(tampered):
    report = tampered(EDIT.format(15))
    assert (report["first_bad"], report["anchored_to"]) == (15, None)
    assert report["proves"] == "entries 1 to 14 agree with their chain"


def test_an_edit_after_the_anchor_leaves_what_was_anchored_proved(tampered):
    report = tampered(EDIT.format(25))
    assert (report["ok"], report["first_bad"], report["anchored_to"]) == (False, 25, ANCHORED)


def test_the_anchor_of_another_ledger_is_told_apart(tampered):
    with Ledger.open("sqlite:///:memory:", create=True) as other:
        other.append([binary()], recorded_at=NOW)
        theirs = anchor(other, NOW)
    report = tampered(anchors=[theirs])
    assert (report["ok"], report["first_bad"]) == (False, 1)
    assert "another ledger" in report["reason"]


@pytest.mark.deep
def test_every_edit_below_the_anchor_is_found(tampered, path, book):
    """Nine kinds of attack on the file, twenty places each: none passes below the anchor."""
    from tests.store.test_tamper import FOUND

    for at in range(1, ANCHORED):
        shutil.copy(book[0], path)
        assert not tampered(*cut(at))["ok"]
    for at in range(12, ANCHORED + 1):
        for statements in (
            [EDIT.format(at)],
            [f"UPDATE forecast SET issued_at = '2020-01-01T00:00:00.000000Z' WHERE seq = {at}"],
            [f"UPDATE forecast SET forecaster = 'zoe' WHERE seq = {at}"],
            [f"UPDATE forecast SET kind = 'imported' WHERE seq = {at}"],
            [f"UPDATE entry SET recorded_at = '2025-01-02T03:04:05.678901Z' WHERE seq = {at}"],
            [f"DELETE FROM {table} WHERE seq = {at}" for table in ("forecast", "entry")],
            [
                f"UPDATE {table} SET seq = {new} WHERE seq = {old}"
                for table in ("entry", "forecast")
                for old, new in ((at, 99), (at + 1, at), (99, at + 1))
            ],
        ):
            shutil.copy(book[0], path)
            assert not tampered(*statements)["ok"]
            assert not tampered(anchors=[])["ok"]
        shutil.copy(book[0], path)
        tampered(EDIT.format(at))
        assert not tampered(*rehashed(path, *range(at, ENTRIES + 1)))["ok"]
    assert len(FOUND) > 30


def test_an_anchor_reads_back_and_a_slip_in_it_is_named(book, tmp_path):
    written = book[1][1]
    file = tmp_path / "a.anchor"
    write_anchor(written, file)
    assert read_anchor_file(file) == [written]
    assert read_anchors(written.text.replace("\n", "\r\n") + "\n\n") == [written]
    assert read_anchors(written.text + book[1][0].text) == book[1]
    with pytest.raises(InvalidInput, match="never replaced"):
        write_anchor(written, file)
    slips = [
        written.text.replace("entries 21", "entries 20"),
        written.text.replace("2026-01-03", "2026-01-02"),
        written.text.replace(written.head, written.ledger),
        written.text.replace("entries 21\n", ""),
        written.text.replace("anchor 1", "anchor 2"),
        "",
        "entries 21",
        written.text + "more\n",
    ]
    for slip in slips:
        with pytest.raises(InvalidInput, match="anchor"):
            read_anchors(slip)
    (tmp_path / "b").write_bytes(b"\xff\xfe\x00")
    for file in (tmp_path / "b", tmp_path / "none", tmp_path):
        with pytest.raises(InvalidInput, match="cannot be read"):
            read_anchor_file(file)


def test_an_empty_ledger_has_an_anchor_that_proves_nothing(memory):
    empty = anchor(memory, NOW)
    assert empty.entries == 0
    report = compared(memory, [empty])
    assert report["ok"]
    assert report["proves"] == "nothing: the ledger is empty"
    memory.append([binary()], recorded_at=NOW + timedelta(days=1))
    assert compared(memory, [empty])["anchored_to"] == 0
