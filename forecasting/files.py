"""Files: read what somebody else made without waiting; write so that nobody sees a half."""

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forecasting.errors import InvalidInput

_KINDS = {
    stat.S_IFIFO: "a pipe, not a file",
    stat.S_IFSOCK: "a socket, not a file",
    stat.S_IFCHR: "a device, not a file",
    stat.S_IFBLK: "a device, not a file",
}
#: A spreadsheet runs a cell that begins so; an apostrophe before it makes it text.
_FORMULA = re.compile(r"'*[=+\-@\t\r\0]")


def read_plain(path: Path | str, *, most: int) -> bytes:
    """Read a plain file of at most so many bytes, through links; a pipe is not waited for."""
    place = os.fspath(path)
    # Opening a pipe for reading waits for its writer unless it is told not to.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(place, flags | getattr(os, "O_NOCTTY", 0))
    except ValueError as wrong:
        raise OSError(errno.EINVAL, f"not a file name ({wrong})", place) from None
    try:
        status = os.fstat(descriptor)
        kind = stat.S_IFMT(status.st_mode)
        if kind == stat.S_IFDIR:
            raise IsADirectoryError(errno.EISDIR, "a folder, not a file", place)
        if kind != stat.S_IFREG:
            raise OSError(errno.EINVAL, _KINDS.get(kind, "not a plain file"), place)
        parts: list[bytes] = []
        # Of a file that says how large it is nothing need be read; it may still grow meanwhile.
        room = 0 if status.st_size > most else most + 1
        while room and (part := os.read(descriptor, min(room, 1 << 20))):
            parts.append(part)
            room -= len(part)
    finally:
        os.close(descriptor)
    if not room:
        raise OSError(errno.EFBIG, f"larger than {most:,} bytes", place)
    return b"".join(parts)


def unreadable(
    what: str, path: Path | str, fault: OSError, *, hint: str, called: str = ""
) -> InvalidInput:
    """Say in one line why a file cannot be read; of one that is absent, which one may be meant."""
    if isinstance(fault, FileNotFoundError):
        return absent(what, path, hint=hint, called=called)
    msg = f"{what} ({called or path}): cannot be read ({fault.strerror or fault})"
    return InvalidInput(msg, hint=hint)


def absent(what: str, path: Path | str, *, hint: str, called: str = "") -> InvalidInput:
    """Say that a file is not there, with the name beside it that is most like it."""
    from difflib import get_close_matches

    place, msg = Path(path), f"{what} ({called or path}): does not exist"
    try:
        # A link that leads nowhere stands there itself.
        beside = [one.name for one in place.parent.iterdir() if one.name != place.name]
    except OSError:
        return InvalidInput(f"{msg}, nor does its folder", hint=hint)
    near = get_close_matches(place.name, beside, n=1, cutoff=0.75)
    return InvalidInput(msg, hint=str(place.parent / near[0]) if near else hint)


def check_folder(target: Path) -> None:
    """Refuse a file to be written whose folder is not there."""
    if not target.parent.exists():
        msg = f"folder ({target.parent}): does not exist"
        raise InvalidInput(msg, hint=f"mkdir -p {target.parent}")


@contextmanager
def written(target: Path) -> Iterator[None]:
    """Say in one line that a file which somebody asked for cannot be written, and why."""
    try:
        yield
    except OSError as fault:
        if isinstance(fault, FileNotFoundError):
            check_folder(target)
        msg = f"file ({target}): cannot be written ({fault.strerror or fault})"
        hint = "a folder that you can write to, with free space"
        raise InvalidInput(msg, hint=hint) from fault


@contextmanager
def drafted(target: Path, *, private: bool = False) -> Iterator[Path]:
    """Give a name to write under beside a file; what was written takes its place, or nothing."""
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}.partial")
    try:
        if private:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
            os.close(os.open(draft, flags, 0o600))
        yield draft
        settle(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def settle(draft: Path, target: Path) -> None:
    """Put a file in place: on the disk first, then under its name, then the name on the disk."""
    _sync(draft)
    draft.replace(target)
    if os.name == "posix":
        _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def neutral(text: str) -> str:
    """Write a text so that no spreadsheet runs it; :func:`restored` undoes it exactly."""
    return f"'{text}" if _FORMULA.match(text) else text


def restored(cell: str) -> str:
    """Read a text that :func:`neutral` wrote."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
