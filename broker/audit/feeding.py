"""Sending copies of entries on, in their order, each at least once."""

import ssl
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from broker.audit.copies import Form
from broker.audit.entry import read_leaf
from broker.audit.models import AuditEntry
from broker.audit.tree import octets
from broker.outbound import secure_line
from broker.web.tools import tools

BATCH = 500

Send = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Entries that were not sent yet, as many as go at once: index and leaf."""

    rows: Sequence[tuple[int, bytes]]


def waiting(tx: Session, position: Path) -> Waiting:
    """What comes after the place that the file remembers."""
    first = int(position.read_text()) if position.exists() else 0
    query = select(AuditEntry.idx, octets(AuditEntry.leaf)).where(AuditEntry.idx >= first)
    rows = tx.execute(query.order_by(AuditEntry.idx).limit(BATCH)).all()
    return Waiting([(row.idx, row.leaf) for row in rows])


def send_on(found: Waiting, position: Path, form: Form, send: Send) -> bool:
    """Whether there was anything; it was sent, and only then was the place remembered."""
    if not found.rows:
        return False
    issuer = tools().settings.issuer
    send(b"".join(form(index, read_leaf(leaf), issuer) for index, leaf in found.rows))
    draft = position.with_name(f"{position.name}.draft")
    draft.write_text(str(found.rows[-1][0] + 1))
    draft.replace(position)
    return True


@contextmanager
def target(to: str | None, authority: Path | None) -> Iterator[Send]:
    """Where copies go: a syslog server over TLS, or our own output. Raises OSError."""
    if to is None:
        yield _print
        return
    host, _, port = to.rpartition(":")
    with closing(secure_line(host, int(port), authority)) as line:
        yield line.sendall
        _end(line)


def _end(line: ssl.SSLSocket) -> None:
    # The server is told that this was all (RFC 5425 §4.4). What it said meanwhile, tickets of TLS
    # 1.3, is read on the way: closed unread, the line would be reset, and whatever the server had
    # not yet read would be lost.
    with suppress(OSError):  # a server that ends it without a word has read to the end
        line.unwrap()


def _print(content: bytes) -> None:
    sys.stdout.write(content.decode())
    sys.stdout.flush()
