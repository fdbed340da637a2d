"""A process that writes to a ledger and acknowledges each batch once it is committed.

It imports the store alone and is forked from a server that has done so, which takes milliseconds.
"""

import multiprocessing
import os
import struct

from forecasting.store import Ledger
from tests.store.samples import NOW, one_of_each

ACKNOWLEDGED = struct.Struct("<q32s")
BATCH = len(one_of_each())


def forking():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def write(path, acknowledge, until=10**9):
    """Append batches of every kind of entry; write number and hash of each batch's last entry."""
    descriptor = acknowledge.fileno()
    with Ledger.open(path, create=True) as ledger:
        for _ in range(until):
            last = ledger.append(one_of_each(), recorded_at=NOW)[-1]
            os.write(descriptor, ACKNOWLEDGED.pack(last.seq, bytes.fromhex(last.hash)))


def acknowledged(descriptor):
    """Read what a process that is gone had acknowledged, as numbers with hashes."""
    output = b""
    while part := os.read(descriptor, 1 << 16):
        output += part
    whole = len(output) - len(output) % ACKNOWLEDGED.size
    return [(seq, digest.hex()) for seq, digest in ACKNOWLEDGED.iter_unpack(output[:whole])]
