"""The high-water mark: the newest checkpoint that was ever signed, in a file beside the database.

A restored backup has fewer entries than the mark says. Going on with it under the same name
would give one size two roots, so nothing is appended or signed until the log has a new name.
"""

import fcntl
import os
import re
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from broker.audit import note
from broker.audit.origin import opened, shards
from broker.audit.tree import RecordAltered
from broker.settings import Settings
from broker.web.tools import tools

_PENDING = "audit_mark"


def place() -> Path | None:
    """Where the mark is kept, None where it is kept nowhere (a database in memory)."""
    return place_of(tools().settings)


def place_of(settings: Settings) -> Path | None:
    """The same, before there is an application."""
    if settings.audit.mark is not None:
        return settings.audit.mark
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or url.database in {None, "", ":memory:"}:
        return None
    return Path(f"{url.database}.mark")


def read() -> note.Checkpoint | None:
    """The mark of this log; None where there is none, or another log's.

    Raises RecordAltered where it is not what this broker signed: whoever spoils it must not
    be able to make it forget.
    """
    path = place()
    if path is None or not path.exists():
        return None
    signed = path.read_text(encoding="utf-8", errors="replace")
    if not shards().fullmatch(signed.partition("\n")[0]):
        return None
    try:
        return opened(signed)
    except (note.NoteRejected, ValueError) as error:
        raise RecordAltered(f"{path.name} is not a checkpoint of ours: {error}") from error


def raise_after_commit(tx: Session, signed: str) -> None:
    """Keep this checkpoint as the mark, once the transaction that holds it is on the disk."""
    if (path := place()) is not None:
        tx.info[_PENDING] = (path, signed, shards())


@event.listens_for(Session, "after_commit")
def _raise(tx: Session) -> None:
    if (pending := tx.info.pop(_PENDING, None)) is not None:
        _write(*pending)


@event.listens_for(Session, "after_rollback")
def _forget(tx: Session) -> None:
    tx.info.pop(_PENDING, None)


def _write(path: Path, signed: str, ours: re.Pattern[str]) -> None:
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        # Another process may have signed meanwhile: the mark never falls.
        held = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        if ours.fullmatch(held.partition("\n")[0]) and _size(held) > _size(signed):
            return
        draft = path.with_name(f"{path.name}.draft")
        with draft.open("w", encoding="utf-8") as file:
            file.write(signed)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


def _size(signed: str) -> int:
    lines = signed.split("\n")
    return int(lines[1]) if len(lines) > 1 and lines[1].isdecimal() else 0
