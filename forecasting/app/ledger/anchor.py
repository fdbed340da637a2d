"""Anchors: the head of a ledger in a few lines of text, to be kept where the ledger is not.

A chain inside a file proves nothing against whoever owns the file: he can cut its tail off or hash
everything anew. What was anchored elsewhere he cannot change, so up to there it is proved.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecasting.domain.instants import iso, parse_instant, utc
from forecasting.errors import InvalidInput
from forecasting.files import read_plain
from forecasting.store import Ledger, Verification

_FORM = re.compile(
    r"forecast-anchor 1\n"
    r"ledger ([0-9a-f]{64})\nentries (0|[1-9]\d{0,17})\nhead ([0-9a-f]{64})\n"
    r"at (\d{4}-\d\d-\d\dT[0-9:.]{8,15}Z)\ncheck ([0-9a-f]{64})\n",
    re.ASCII,
)
#: Of a file of anchors: some thousands of them.
MOST_BYTES = 1_000_000
_HINT = "the file as `forecast anchor` wrote it"


@dataclass(frozen=True, slots=True)
class Anchor:
    """How a ledger stood at a moment by the machine's clock.

    `ledger` is the hash of its first entry, which tells one ledger from another (zeros for an empty
    one), `head` that of the last of its `entries`.
    """

    ledger: str
    entries: int
    head: str
    at: dt.datetime

    @property
    def text(self) -> str:
        """The anchor as it is written, with a last line that shows a slip in copying."""
        body = (
            f"forecast-anchor 1\nledger {self.ledger}\nentries {self.entries}\n"
            f"head {self.head}\nat {iso(self.at)}\n"
        )
        return f"{body}check {hashlib.sha256(body.encode()).hexdigest()}\n"


def anchor(ledger: Ledger, now: dt.datetime) -> Anchor:
    """Give the anchor of a ledger as it stands."""
    head = ledger.head()
    return Anchor(ledger.hash_at(1) or head.hash, head.seq, head.hash, utc(now))


def read_anchors(text: str) -> list[Anchor]:
    """Read anchors, one below the other, in rising order of their entries."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or len(lines) % 6:
        msg = f"anchor ({len(lines)} lines): must have 6 lines"
        raise InvalidInput(msg, hint=_HINT)
    anchors = []
    for start in range(0, len(lines), 6):
        block = "\n".join(lines[start : start + 6]) + "\n"
        if not (form := _FORM.fullmatch(block)):
            msg = f"anchor (line {start + 1}): must be ledger, entries, head, at and check"
            raise InvalidInput(msg, hint=_HINT)
        ledger, entries, head, at, check = form.groups()
        body = block[: block.rindex("check ")]
        if hashlib.sha256(body.encode()).hexdigest() != check:
            msg = f"anchor (line {start + 6}): the check does not match the lines above it"
            raise InvalidInput(msg, hint=_HINT)
        anchors.append(Anchor(ledger, int(entries), head, parse_instant(at)))
    return sorted(anchors, key=lambda item: item.entries)


def read_anchor_file(file: Path) -> list[Anchor]:
    """Read the anchors of a file."""
    try:
        text = read_plain(file, most=MOST_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "not text"
        msg = f"anchor ({file}): cannot be read ({reason})"
        raise InvalidInput(msg, hint="forecast anchor --out FILE") from fault
    try:
        return read_anchors(text)
    except InvalidInput as fault:
        raise InvalidInput(fault.message, hint=fault.hint, where=str(file)) from None


def write_anchor(made: Anchor, file: Path) -> None:
    """Write an anchor into a new file; one that is there is never replaced."""
    try:
        with file.open("x", encoding="utf-8", newline="\n") as out:
            out.write(made.text)
    except FileExistsError:
        msg = f"file ({file}): already exists, and an anchor is never replaced"
        raise InvalidInput(msg, hint=f"out={file.stem}-2{file.suffix}") from None
    except OSError as fault:
        msg = f"file ({file}): cannot be written ({fault.strerror})"
        raise InvalidInput(msg, hint="a folder that you can write to") from fault


def verify(ledger: Ledger, anchors: Sequence[Anchor] = ()) -> dict[str, Any]:
    """Walk the chain, compare it with what was kept elsewhere, and say what that proves.

    `anchored_to` is the last entry that an anchor proves, `first_bad` the first that is not what
    was recorded. Without an anchor only agreement from within is shown.
    """
    found = ledger.verify()
    anchored_to, first_bad, reason = None, found.first_bad, found.reason
    at = ""
    for item, earlier in zip(anchors, (None, *anchors), strict=False):
        seq, why = _against(ledger, found, item, earlier)
        if seq is not None:
            if first_bad is None or seq < first_bad:
                first_bad, reason = seq, why
            break
        if first_bad is None or item.entries < first_bad:
            anchored_to, at = item.entries, iso(item.at)
    return {
        "ok": first_bad is None,
        "entries": found.entries,
        "head": found.head_hash,
        "anchored_to": anchored_to,
        "first_bad": first_bad,
        "reason": reason,
        "proves": _proved(found, first_bad, anchored_to, at),
        "sealed": found.sealed,
        "unrevealed": found.unrevealed,
        "redacted": found.redacted,
    }


def _against(
    ledger: Ledger, found: Verification, item: Anchor, earlier: Anchor | None
) -> tuple[int | None, str]:
    """Compare with one anchor: give the first number that disagrees, and what is wrong there."""
    if not item.entries:
        return None, ""
    if found.head_seq < item.entries:
        many = item.entries - found.head_seq
        return found.head_seq + 1, f"the last {many} of {item.entries} anchored entries are missing"
    if ledger.hash_at(item.entries) == item.head:
        return None, ""
    since = earlier.entries + 1 if earlier is not None else 1
    if earlier is None and ledger.hash_at(1) != item.ledger:
        return (
            1,
            "the first entry is not the anchored one: this is another ledger, or all was rehashed",
        )
    where = f"entry {since}" if since == item.entries else f"one of the entries {since}"
    tail = "" if since == item.entries else f" to {item.entries}"
    return since, f"{where}{tail} was rewritten and the chain rehashed (anchored {iso(item.at)})"


def _proved(found: Verification, first_bad: int | None, anchored_to: int | None, at: str) -> str:
    if not found.entries:
        return "nothing: the ledger is empty"
    proved = "" if anchored_to is None else f"unaltered up to entry {anchored_to}, anchored at {at}"
    if first_bad is not None:
        until = first_bad - 1
        if anchored_to is not None:
            return f"{proved}; nothing is proved from entry {first_bad} on"
        return f"entries 1 to {until} agree with their chain" if until else "nothing"
    if anchored_to is None:
        return (
            "the entries agree with their chain; whoever holds the file could still have cut off "
            "its end or rewritten all of it, because no anchor was compared"
        )
    if anchored_to == found.head_seq:
        return proved
    return (
        f"{proved}; entries {anchored_to + 1} to {found.head_seq} agree with the chain, and no "
        f"anchor shows whether some were cut off or rewritten"
    )
