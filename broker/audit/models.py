"""Tables: staged leaves, entries, the tiles of their tree, checkpoints, whom an entry was about."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from broker.db import Base, UtcDateTime

_Count = BigInteger().with_variant(Integer, "sqlite")  # SQLite: INTEGER makes it the row's own id


_TOLD, _REFUSED = "assertion IS NOT NULL", "assertion = 'refused'"


def _some(name: str, *columns: str, only: str) -> Index:
    """An index of the entries of which `only` holds: the others cost nothing by it."""
    those = text(only)
    return Index(name, *columns, "idx", sqlite_where=those, postgresql_where=those)


class AuditStaged(Base):
    """A leaf that was committed with its fact and waits for its place in the tree.

    `account_id`, `salt` and `subject` are as in AuditSubject, and as easily forgotten.
    """

    __tablename__ = "audit_staged"

    id: Mapped[int] = mapped_column(_Count, primary_key=True)
    leaf: Mapped[bytes] = mapped_column(LargeBinary)
    account_id: Mapped[str | None] = mapped_column(String(43))
    salt: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    subject: Mapped[str | None] = mapped_column(String(255))


class AuditRefusal(Base):
    """That the sequencer refuses to go on, and why: while its one row stands, nothing is staged."""

    __tablename__ = "audit_refusal"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    hint: Mapped[str] = mapped_column(Text)
    time: Mapped[datetime] = mapped_column(UtcDateTime)


class AuditEntry(Base):
    """One entry: its exact bytes, and columns derived from them that only serve to find it.

    `time` is the entry's own text, whose order is that of time. Whatever is searched by comes
    in the order of the index, so each index column is followed by it. `latest` is the latest
    `time` of this entry and all before it: it never falls, so that a moment is found in the
    order of the index by halving. The entries that came late, after another with a later time,
    stand in an index of their own.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("audit_entry_event", "event", "idx"),
        _some("audit_entry_client", "client", only="client IS NOT NULL"),
        _some("audit_entry_grant", "grant_id", only="grant_id IS NOT NULL"),
        _some("audit_entry_evidence", "evidence", only="evidence IS NOT NULL"),
        _some("audit_entry_reason", "reason", only="reason IS NOT NULL"),
        _some("audit_entry_late", "time", only="time < latest"),
        # What services were told of people: half of all entries, and one of fifty a refusal.
        _some("audit_entry_told_client_level", "client", "level", only=_TOLD),
        _some("audit_entry_told_level", "level", only=_TOLD),
        _some("audit_entry_told_kind", "kind", only=_TOLD),
        _some("audit_entry_refused", only=_REFUSED),
        _some("audit_entry_refused_client", "client", only=_REFUSED),
    )

    idx: Mapped[int] = mapped_column(_Count, primary_key=True, autoincrement=False)
    leaf: Mapped[bytes] = mapped_column(LargeBinary)
    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    time: Mapped[str] = mapped_column(String(24))
    event: Mapped[str] = mapped_column(String(40))
    client: Mapped[str | None] = mapped_column(String(255))
    level: Mapped[str | None] = mapped_column(String(255))
    outcome: Mapped[str] = mapped_column(String(10))
    grant_id: Mapped[str | None] = mapped_column(String(255))
    evidence: Mapped[str | None] = mapped_column(String(255))
    kind: Mapped[str | None] = mapped_column(String(255))
    reason: Mapped[str | None] = mapped_column(String(255))
    assertion: Mapped[str | None] = mapped_column(String(10))
    latest: Mapped[str] = mapped_column(String(24), server_default="")


class AuditTile(Base):
    """256 neighbouring hashes of the tree at height 8 × level (C2SP tlog-tiles), and their root.

    Only full tiles stand here; what follows the last one of a level is read from the level
    below: the entries' own hashes, or the roots of the tiles there.
    """

    __tablename__ = "audit_tile"

    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(_Count, primary_key=True, autoincrement=False)
    hashes: Mapped[bytes] = mapped_column(LargeBinary(8192))
    root: Mapped[bytes] = mapped_column(LargeBinary(32))


class AuditCheckpoint(Base):
    """A signed head of the tree; the primary key is why no size ever has two roots."""

    __tablename__ = "audit_checkpoint"

    size: Mapped[int] = mapped_column(_Count, primary_key=True, autoincrement=False)
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    note: Mapped[str] = mapped_column(Text)
    time: Mapped[datetime] = mapped_column(UtcDateTime)


class AuditSubject(Base):
    """Whom an entry was about, until they are erased; the entry holds salted digests only.

    `subject` is the name by which the client of the entry knows the person.
    """

    __tablename__ = "audit_subject"
    __table_args__ = (_some("audit_subject_subject", "subject", only="subject IS NOT NULL"),)

    idx: Mapped[int] = mapped_column(_Count, primary_key=True, autoincrement=False)
    account_id: Mapped[str] = mapped_column(String(43), index=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary(32))
    subject: Mapped[str | None] = mapped_column(String(255))


class AuditCosignature(Base):
    """That a witness has seen a checkpoint: the line it put under it."""

    __tablename__ = "audit_cosignature"

    size: Mapped[int] = mapped_column(_Count, primary_key=True, autoincrement=False)
    witness: Mapped[str] = mapped_column(String(255), primary_key=True)
    line: Mapped[str] = mapped_column(Text)
    time: Mapped[datetime] = mapped_column(UtcDateTime)


class AuditAhead(Base):
    """A witness that has seen more of a log than there is: a backup was restored."""

    __tablename__ = "audit_ahead"

    origin: Mapped[str] = mapped_column(String(255), primary_key=True)
    witness: Mapped[str] = mapped_column(String(255), primary_key=True)
    size: Mapped[int] = mapped_column(_Count)
    time: Mapped[datetime] = mapped_column(UtcDateTime)


class AuditSuccession(Base):
    """A closed shard: its origin signs nothing more, and `note` says which one follows."""

    __tablename__ = "audit_succession"

    origin: Mapped[str] = mapped_column(String(255), primary_key=True)
    successor: Mapped[str] = mapped_column(String(255))
    note: Mapped[str] = mapped_column(Text)
    time: Mapped[datetime] = mapped_column(UtcDateTime)


class AuditPruning(Base):
    """That entries below `minimum` are no longer kept; `note` is the signed statement."""

    __tablename__ = "audit_pruning"

    minimum: Mapped[int] = mapped_column(_Count, primary_key=True, autoincrement=False)
    note: Mapped[str] = mapped_column(Text)
    time: Mapped[datetime] = mapped_column(UtcDateTime)


class AuditPolicy(Base):
    """An assurance policy that has graded something, from when on."""

    __tablename__ = "audit_policy"

    version: Mapped[str] = mapped_column(String(100), primary_key=True)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
