"""Tables: who audits, what they are looking into, and what they asked for."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from broker.db import Base, UtcDateTime

_Count = BigInteger().with_variant(Integer, "sqlite")


class Auditor(Base):
    """A person who may read the record; `id` is their name in it, which says nothing of them.

    `clients` are the services to whose entries they are limited; null: no limit.
    """

    __tablename__ = "desk_auditor"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), unique=True)
    scope: Mapped[list[str]] = mapped_column(JSON)
    clients: Mapped[list[str] | None] = mapped_column(JSON)
    since: Mapped[datetime] = mapped_column(UtcDateTime)


class Case(Base):
    """Something about one entry that an auditor looks into; `client` is the entry's own."""

    __tablename__ = "desk_case"

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    entry: Mapped[int] = mapped_column(_Count, index=True)
    client: Mapped[str | None] = mapped_column(String(255), index=True)
    title: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(10))
    assignee: Mapped[str | None] = mapped_column(String(100))
    opened_by: Mapped[str] = mapped_column(String(100))
    opened: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    version: Mapped[int]


class Comment(Base):
    """What an auditor added to a case, for good; the record has its hash."""

    __tablename__ = "desk_comment"

    case_id: Mapped[str] = mapped_column(ForeignKey("desk_case.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    author: Mapped[str] = mapped_column(String(100))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Unmasking(Base):
    """A question who the person of one entry is; whom it is about is found anew at every look."""

    __tablename__ = "desk_unmasking"

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    entry: Mapped[int] = mapped_column(_Count)
    client: Mapped[str | None] = mapped_column(String(255))
    reason: Mapped[str] = mapped_column(Text)
    minutes: Mapped[int]
    requested_by: Mapped[str] = mapped_column(String(100))
    requested: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    decided_by: Mapped[str | None] = mapped_column(String(100))
    decided: Mapped[datetime | None] = mapped_column(UtcDateTime)
    approved: Mapped[bool | None]


class Export(Base):
    """Entries that an auditor asked to take along, and the bundle once it is packed."""

    __tablename__ = "desk_export"

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    owner: Mapped[str] = mapped_column(String(100), index=True)
    format: Mapped[str] = mapped_column(String(10))
    query: Mapped[dict[str, Any]] = mapped_column(JSON)
    sight: Mapped[list[str] | None] = mapped_column(JSON)
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    due: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    made: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fault: Mapped[str | None] = mapped_column(String(40))
    rows: Mapped[int | None]
    sha256: Mapped[str | None] = mapped_column(String(64))
    bundle: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)


class Search(Base):
    """A search that an auditor kept under a name."""

    __tablename__ = "desk_search"

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    owner: Mapped[str] = mapped_column(String(100), index=True)
    name: Mapped[str] = mapped_column(String(100))
    query: Mapped[dict[str, Any]] = mapped_column(JSON)
    created: Mapped[datetime] = mapped_column(UtcDateTime)


class KeptAnswer(Base):
    """The answer to a request with an Idempotency-Key, for a caller that did not hear it."""

    __tablename__ = "desk_kept_answer"

    caller: Mapped[str] = mapped_column(String(100), primary_key=True)
    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    asked: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    headers: Mapped[dict[str, str]] = mapped_column(JSON)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    expires: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
