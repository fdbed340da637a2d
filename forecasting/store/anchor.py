"""Anchors: the head of a ledger in a few lines of text, to be kept where the ledger is not.

A chain inside a file proves nothing against whoever owns the file: he can cut its tail off or hash
everything anew. What was anchored elsewhere he cannot change, so up to there it is proved.

An anchor carries the time of the machine that wrote it. A time-stamp authority (RFC 3161) signs the
SHA-256 of the anchor's bytes together with its own time; the token lies beside the anchor, as
FILE.tsr, and is checked offline. Whether the authority is to be believed is for whoever names its
certificate to say.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting.domain.instants import iso, parse_instant, utc
from forecasting.errors import InvalidInput
from forecasting.fetch import Fetcher
from forecasting.files import read_plain, unreadable, written
from forecasting.store import Ledger, Verification

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

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
        raise InvalidInput(f"anchor ({len(lines)} lines): must have 6 lines", hint=_HINT)
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
    except OSError as fault:
        hint = "forecast anchor --out FILE"
        raise unreadable("anchor", file, fault, hint=hint) from fault
    except UnicodeDecodeError as fault:
        msg = f"anchor ({file}): cannot be read (not text)"
        raise InvalidInput(msg, hint="forecast anchor --out FILE") from fault
    try:
        return read_anchors(text)
    except InvalidInput as fault:
        raise InvalidInput(fault.message, hint=fault.hint, where=str(file)) from None


def write_anchor(item: Anchor, file: Path) -> None:
    """Write an anchor into a new file; one that is there is never replaced."""
    with written(file):
        try:
            with file.open("x", encoding="utf-8", newline="\n") as out:
                out.write(item.text)
        except FileExistsError:
            msg = f"file ({file}): already exists, and an anchor is never replaced"
            raise InvalidInput(msg, hint=f"out={file.stem}-2{file.suffix}") from None


def compared(ledger: Ledger, anchors: Sequence[Anchor] = ()) -> dict[str, Any]:
    """Walk the chain, compare it with what was kept elsewhere, and say what that proves."""
    verification = ledger.verify()
    anchored_to, first_bad, reason = None, verification.first_bad, verification.reason
    at = ""
    for item, earlier in zip(anchors, (None, *anchors), strict=False):
        seq, why = _first_difference(ledger, verification, item, earlier)
        if seq is not None:
            if first_bad is None or seq < first_bad:
                first_bad, reason = seq, why
            break
        if first_bad is None or item.entries < first_bad:
            anchored_to, at = item.entries, iso(item.at)
    return {
        "ok": first_bad is None,
        "entries": verification.entries,
        "head": verification.head_hash,
        "anchored_to": anchored_to,
        "first_bad": first_bad,
        "reason": reason,
        "proves": _proof(verification, first_bad, anchored_to, at),
        "sealed": verification.sealed,
        "unrevealed": verification.unrevealed,
        "redacted": verification.redacted,
    }


def _first_difference(
    ledger: Ledger, verification: Verification, item: Anchor, earlier: Anchor | None
) -> tuple[int | None, str]:
    """Compare with one anchor: give the first number that disagrees, and what is wrong there."""
    if not item.entries:
        return None, ""
    if verification.head_seq < item.entries:
        many = item.entries - verification.head_seq
        return (
            verification.head_seq + 1,
            f"the last {many} of {item.entries} anchored entries are missing",
        )
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


def _proof(
    verification: Verification, first_bad: int | None, anchored_to: int | None, at: str
) -> str:
    if not verification.entries:
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
    if anchored_to == verification.head_seq:
        return proved
    return (
        f"{proved}; entries {anchored_to + 1} to {verification.head_seq} agree with the chain, and "
        f"no anchor shows whether some were cut off or rewritten"
    )


#: Of a token and of a file of certificates.
MOST_STAMP_BYTES = 200_000
SHA256 = "2.16.840.1.101.3.4.2.1"
_GRANTED = 0
#: What the parser raises of bytes that are no token.
_BROKEN = (ValueError, KeyError, TypeError, OverflowError)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a token says of a file: the authority's time and name.

    `checked` says whether the signature leads to a certificate that the reader named, `fault` why
    the token proves nothing of this file (empty where it does).
    """

    at: dt.datetime
    by: str
    checked: bool
    fault: str = ""

    @property
    def says(self) -> str:
        """What the token proves, in one clause."""
        if self.fault:
            return f"stamp: {self.fault}"
        text = f"stamped at {iso(self.at)} by {self.by}"
        return text if self.checked else f"{text}: imprint and time read, the authority not checked"


def token_file(file: Path) -> Path:
    """Give the place of the token of an anchor."""
    return file.with_name(f"{file.name}.tsr")


def ask(content: bytes, address: str, *, fetcher: Fetcher | None = None) -> bytes:
    """Ask an authority for a token of some bytes; what is sent is their SHA-256 alone."""
    _check_installed()
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    request = TimestampRequestBuilder().data(content).hash_algorithm(HashAlgorithm.SHA256).build()
    answer = (fetcher or Fetcher(most=MOST_STAMP_BYTES)).post(
        address,
        request.as_bytes(),
        content_type="application/timestamp-query",
        types=("application/timestamp-reply",),
    )
    response = _decoded(answer.content, where=address)
    stamp = _stamp_in(response, content)
    nonce = getattr(response.tst_info, "nonce", None)
    if fault := stamp.fault or ("" if nonce == request.nonce else "answers another request"):
        raise InvalidInput(f"authority ({address}): {fault}", hint="another authority")
    return answer.content


def stamped(item: Anchor, file: Path, address: str, *, fetcher: Fetcher | None = None) -> Stamp:
    """Write an anchor and, beside it, an authority's token of it; both or neither."""
    beside = token_file(file)
    for each in (file, beside):
        if each.exists():
            msg = f"file ({each}): already exists, and an anchor is never replaced"
            raise InvalidInput(msg, hint=f"out={file.stem}-2{file.suffix}")
    token = ask(item.text.encode(), address, fetcher=fetcher)
    write_anchor(item, file)
    try:
        with beside.open("xb") as out:
            out.write(token)
    except OSError as fault:
        file.unlink()
        msg = f"file ({beside}): cannot be written ({fault.strerror})"
        raise InvalidInput(msg, hint="a folder that you can write to") from fault
    return _stamp_in(_decoded(token, where=address), item.text.encode())


def read_stamp(content: bytes, token: bytes, *, trusted: bytes = b"", where: str = "") -> Stamp:
    """Read a token (DER), and check it against the bytes and any certificates named (PEM)."""
    _check_installed()
    response = _decoded(token, where=where)
    stamp = _stamp_in(response, content)
    if stamp.fault or not trusted:
        return stamp
    from cryptography.x509 import load_pem_x509_certificates
    from rfc3161_client import VerificationError, VerifierBuilder

    try:
        roots = load_pem_x509_certificates(trusted)
        builder = VerifierBuilder()
        for root in roots:
            builder = builder.add_root_certificate(root)
    except ValueError as broken:
        msg = f"certificate: must be one or more in PEM ({str(broken).splitlines()[0][:100]})"
        raise InvalidInput(msg, hint="the file that the authority publishes") from broken
    try:
        builder.build().verify(response, hashlib.sha256(content).digest())
    except (VerificationError, *_BROKEN) as refused:
        why = _reason(str(refused))
        fault = f"the signature does not lead to the named certificate ({why})"
        return Stamp(stamp.at, stamp.by, False, fault)
    return Stamp(stamp.at, stamp.by, True)


def verify(
    ledger: Ledger, file: Path | None = None, *, certificate: Path | None = None
) -> dict[str, Any]:
    """Walk the chain, compare it with a file of anchors, and read the token beside that."""
    anchors = [] if file is None else read_anchor_file(file)
    stamp = None if file is None else _stamp_of(file, certificate)
    if certificate is not None and stamp is None:
        msg = f"stamp ({'' if file is None else token_file(file)}): does not exist"
        raise InvalidInput(
            msg, hint="forecast anchor --stamp URL --out FILE, then forecast verify --anchor FILE"
        )
    report = compared(ledger, anchors)
    if isinstance(stamp, str):
        report |= {"stamp": stamp, "stamped_at": None, "stamped_by": None}
    elif stamp is not None:
        report |= {"stamp": stamp.says, "stamped_at": stamp.at, "stamped_by": stamp.by}
        if stamp.fault:
            reason = f"{report['reason']}; {stamp.says}" if report["reason"] else stamp.says
            report |= {"ok": False, "reason": reason, "stamped_at": None, "stamped_by": None}
    return report


def _stamp_of(file: Path, certificate: Path | None) -> Stamp | str | None:
    beside = token_file(file)
    if not beside.exists():
        return None
    try:
        _check_installed()
    except InvalidInput as absent:
        if certificate is not None:
            raise
        return f"not read: {absent}"
    token = _content(beside, "stamp")
    trusted = b"" if certificate is None else _content(certificate, "certificate")
    content = read_plain(file, most=MOST_BYTES)
    return read_stamp(content, token, trusted=trusted, where=str(beside))


def _content(file: Path, what: str) -> bytes:
    try:
        content = read_plain(file, most=MOST_STAMP_BYTES)
    except OSError as fault:
        hint = "forecast anchor --stamp URL --out FILE"
        raise unreadable(what, file, fault, hint=hint) from fault
    if not content:
        msg = f"{what} ({file}): is empty"
        raise InvalidInput(msg, hint="forecast anchor --stamp URL --out FILE")
    return content


def _check_installed() -> None:
    try:
        import rfc3161_client  # noqa: F401
    except ModuleNotFoundError:
        msg = "stamp: reading and asking for time stamps needs the package rfc3161-client"
        raise InvalidInput(msg, hint="pip install 'scenario-forecasting[stamp]'") from None


def _decoded(token: bytes, *, where: str) -> "TimeStampResponse":
    from rfc3161_client import decode_timestamp_response

    try:
        response = decode_timestamp_response(token)
        if response.status == _GRANTED:
            # Parsed on access: a grant without its token is no answer.
            _ = response.tst_info.gen_time
            return response
        reason = " ".join(response.status_string) or f"status {response.status}"
    except _BROKEN as broken:
        msg = f"stamp: is not an answer from a time-stamp authority ({_reason(str(broken))})"
        raise InvalidInput(msg, hint="another authority", where=where) from broken
    msg = f"stamp: was not granted ({reason[:100]})"
    raise InvalidInput(msg, hint="another authority", where=where)


def _stamp_in(response: "TimeStampResponse", content: bytes) -> Stamp:
    info = response.tst_info
    at, by = utc(info.gen_time), _authority(response)
    imprint = info.message_imprint
    if imprint.hash_algorithm.dotted_string != SHA256:
        return Stamp(at, by, False, "the imprint must be by SHA-256")
    if imprint.message != hashlib.sha256(content).digest():
        return Stamp(at, by, False, "the time stamp is of other bytes than the anchor's")
    return Stamp(at, by, False)


def _authority(response: "TimeStampResponse") -> str:
    """Give the authority's name, from the token or else from who signed it."""
    try:
        value: Any = getattr(response.tst_info.name, "value", None)
        if value is None:
            signers = response.signed_data.signer_infos
            return f"an authority known to {next(iter(signers)).issuer.rfc4514_string()}"
        return value.rfc4514_string() if hasattr(value, "rfc4514_string") else str(value)
    except (*_BROKEN, StopIteration, AttributeError):
        return "an authority without a name"


def _reason(message: str) -> str:
    """Take from a library's message what a person can use."""
    for phrase in ("certificate has expired", "certificate is not yet valid", "EKU", "Mismatch"):
        if phrase in message:
            return phrase
    return (
        message.rpartition("Verify error: ")[2].splitlines()[0].strip('" }])')[:100] or "unreadable"
    )
