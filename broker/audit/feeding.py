"""Sending copies of entries on, in their order, each at least once."""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import select

from broker.audit.copies import Form
from broker.audit.entry import read_leaf
from broker.audit.models import AuditEntry
from broker.audit.tree import octets
from broker.db import reading
from broker.outbound import secure_line
from broker.web.tools import tools

BATCH = 500

Send = Callable[[bytes], object]


def copy_next(position: Path, form: Form, send: Send) -> bool:
    """Whether there was anything; it was sent, and only then was the place remembered."""
    first = int(position.read_text()) if position.exists() else 0
    query = select(AuditEntry.idx, octets(AuditEntry.leaf)).where(AuditEntry.idx >= first)
    with reading() as tx:
        rows = tx.execute(query.order_by(AuditEntry.idx).limit(BATCH)).all()
    if not rows:
        return False
    issuer = tools().settings.issuer
    send(b"".join(form(row.idx, read_leaf(row.leaf), issuer) for row in rows))
    draft = position.with_name(f"{position.name}.draft")
    draft.write_text(str(rows[-1].idx + 1))
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


def _print(content: bytes) -> None:
    sys.stdout.write(content.decode())
    sys.stdout.flush()
