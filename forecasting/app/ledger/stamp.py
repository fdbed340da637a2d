"""Time stamps of anchors by RFC 3161: somebody else's word for when an anchor was there.

An anchor carries the time of the machine that wrote it. A time-stamp authority signs the SHA-256
of the anchor's bytes together with its own time; the token lies beside the anchor, as FILE.tsr,
and is checked offline. Whether the authority is to be believed is for whoever names its
certificate to say.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting.app.ledger import anchor as anchors
from forecasting.domain.instants import iso, utc
from forecasting.errors import InvalidInput
from forecasting.fetch import Fetcher
from forecasting.files import read_plain
from forecasting.store import Ledger

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

#: Of a token and of a file of certificates.
MOST_BYTES = 200_000
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
        said = f"stamped at {iso(self.at)} by {self.by}"
        return said if self.checked else f"{said}: imprint and time read, the authority not checked"


def token_file(file: Path) -> Path:
    """Give the place of the token of an anchor."""
    return file.with_name(f"{file.name}.tsr")


def ask(content: bytes, address: str, *, fetcher: Fetcher | None = None) -> bytes:
    """Ask an authority for a token of some bytes; what is sent is their SHA-256 alone."""
    _installed()
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    request = TimestampRequestBuilder().data(content).hash_algorithm(HashAlgorithm.SHA256).build()
    answer = (fetcher or Fetcher(most=MOST_BYTES)).post(
        address,
        request.as_bytes(),
        content_type="application/timestamp-query",
        types=("application/timestamp-reply",),
    )
    found = _decoded(answer.content, where=address)
    stamp = _read(found, content)
    nonce = getattr(found.tst_info, "nonce", None)
    if fault := stamp.fault or ("" if nonce == request.nonce else "answers another request"):
        msg = f"authority ({address}): {fault}"
        raise InvalidInput(msg, hint="another authority")
    return answer.content


def stamped(
    made: anchors.Anchor, file: Path, address: str, *, fetcher: Fetcher | None = None
) -> Stamp:
    """Write an anchor and, beside it, an authority's token of it; both or neither."""
    beside = token_file(file)
    for each in (file, beside):
        if each.exists():
            msg = f"file ({each}): already exists, and an anchor is never replaced"
            raise InvalidInput(msg, hint=f"out={file.stem}-2{file.suffix}")
    token = ask(made.text.encode(), address, fetcher=fetcher)
    anchors.write_anchor(made, file)
    try:
        with beside.open("xb") as out:
            out.write(token)
    except OSError as fault:
        file.unlink()
        msg = f"file ({beside}): cannot be written ({fault.strerror})"
        raise InvalidInput(msg, hint="a folder that you can write to") from fault
    return _read(_decoded(token, where=address), made.text.encode())


def read_stamp(content: bytes, token: bytes, *, trusted: bytes = b"", where: str = "") -> Stamp:
    """Read a token (DER), and check it against the bytes and any certificates named (PEM)."""
    _installed()
    found = _decoded(token, where=where)
    stamp = _read(found, content)
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
        builder.build().verify(found, hashlib.sha256(content).digest())
    except (VerificationError, *_BROKEN) as refused:
        why = _reason(str(refused))
        fault = f"the signature does not lead to the named certificate ({why})"
        return Stamp(stamp.at, stamp.by, False, fault)
    return Stamp(stamp.at, stamp.by, True)


def verify(
    ledger: Ledger, file: Path | None = None, *, certificate: Path | None = None
) -> dict[str, Any]:
    """Walk the chain, compare it with a file of anchors, and read the token beside that file.

    A token that proves nothing of the file is a fault.
    """
    kept = [] if file is None else anchors.read_anchor_file(file)
    stamp = None if file is None else _stamp_of(file, certificate)
    if certificate is not None and stamp is None:
        msg = f"stamp ({'' if file is None else token_file(file)}): does not exist"
        raise InvalidInput(
            msg, hint="forecast anchor --stamp URL --out FILE, then forecast verify --anchor FILE"
        )
    found = anchors.verify(ledger, kept)
    if isinstance(stamp, str):
        found |= {"stamp": stamp, "stamped_at": None, "stamped_by": None}
    elif stamp is not None:
        found |= {"stamp": stamp.says, "stamped_at": stamp.at, "stamped_by": stamp.by}
        if stamp.fault:
            reason = f"{found['reason']}; {stamp.says}" if found["reason"] else stamp.says
            found |= {"ok": False, "reason": reason, "stamped_at": None, "stamped_by": None}
    return found


def _stamp_of(file: Path, certificate: Path | None) -> Stamp | str | None:
    beside = token_file(file)
    if not beside.exists():
        return None
    try:
        _installed()
    except InvalidInput as absent:
        if certificate is not None:
            raise
        return f"not read: {absent}"
    token = _content(beside, "stamp")
    trusted = b"" if certificate is None else _content(certificate, "certificate")
    content = read_plain(file, most=anchors.MOST_BYTES)
    return read_stamp(content, token, trusted=trusted, where=str(beside))


def _content(file: Path, what: str) -> bytes:
    try:
        content = read_plain(file, most=MOST_BYTES)
    except OSError as fault:
        msg = f"{what} ({file}): cannot be read ({fault.strerror})"
        raise InvalidInput(msg, hint="forecast anchor --stamp URL --out FILE") from fault
    if not content:
        msg = f"{what} ({file}): is empty"
        raise InvalidInput(msg, hint="forecast anchor --stamp URL --out FILE")
    return content


def _installed() -> None:
    try:
        import rfc3161_client  # noqa: F401
    except ModuleNotFoundError:
        msg = "stamp: reading and asking for time stamps needs the package rfc3161-client"
        raise InvalidInput(msg, hint="pip install 'scenario-forecasting[stamp]'") from None


def _decoded(token: bytes, *, where: str) -> "TimeStampResponse":
    from rfc3161_client import decode_timestamp_response

    try:
        found = decode_timestamp_response(token)
        if found.status == _GRANTED:
            # Parsed on access: a grant without its token is no answer.
            _ = found.tst_info.gen_time
            return found
        said = " ".join(found.status_string) or f"status {found.status}"
    except _BROKEN as broken:
        msg = f"stamp: is not an answer from a time-stamp authority ({_reason(str(broken))})"
        raise InvalidInput(msg, hint="another authority", where=where) from broken
    msg = f"stamp: was not granted ({said[:100]})"
    raise InvalidInput(msg, hint="another authority", where=where)


def _read(found: "TimeStampResponse", content: bytes) -> Stamp:
    info = found.tst_info
    at, by = utc(info.gen_time), _name(found)
    imprint = info.message_imprint
    if imprint.hash_algorithm.dotted_string != SHA256:
        return Stamp(at, by, False, "the imprint must be by SHA-256")
    if imprint.message != hashlib.sha256(content).digest():
        return Stamp(at, by, False, "the time stamp is of other bytes than the anchor's")
    return Stamp(at, by, False)


def _name(found: "TimeStampResponse") -> str:
    """Give the authority's name, from the token or else from who signed it."""
    try:
        value: Any = getattr(found.tst_info.name, "value", None)
        if value is None:
            signers = found.signed_data.signer_infos
            return f"an authority known to {next(iter(signers)).issuer.rfc4514_string()}"
        return value.rfc4514_string() if hasattr(value, "rfc4514_string") else str(value)
    except (*_BROKEN, StopIteration, AttributeError):
        return "an authority without a name"


def _reason(said: str) -> str:
    """Take from a library's message what a person can use."""
    for known in ("certificate has expired", "certificate is not yet valid", "EKU", "Mismatch"):
        if known in said:
            return known
    return said.rpartition("Verify error: ")[2].splitlines()[0].strip('" }])')[:100] or "unreadable"
