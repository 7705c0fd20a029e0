"""Asking witnesses to cosign (C2SP tlog-witness), and what follows where too few have."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from broker import serving
from broker.audit import merkle, note, numbering
from broker.audit.entry import to_milliseconds
from broker.audit.models import AuditAhead, AuditCheckpoint, AuditCosignature
from broker.audit.origin import opened
from broker.audit.tree import StoredNodes
from broker.errors import UpstreamUnavailable
from broker.outbound import Outbound
from broker.web.tools import tools

COSIGNED, CONFLICT = 200, 409
RELY = timedelta(minutes=1)
"""How long a process relies on what it knows of the witnesses."""

_TRUSTED = "audit_trusted"
_SIZE_LENGTH = 20


@dataclass(frozen=True, slots=True)
class Witness:
    """Somebody else who remembers our heads: their key, and where to ask."""

    key: note.VerifierKey
    url: str


@dataclass(frozen=True, slots=True)
class Question:
    """What a witness is asked: to cosign `signed`, whose tree begins with that of `old` entries."""

    signed: str
    old: int
    path: tuple[str, ...]

    def body(self) -> bytes:
        """The request of add-checkpoint."""
        return ("\n".join((f"old {self.old}", *self.path)) + "\n\n" + self.signed).encode()


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; status 0 where nothing did."""

    status: int
    text: str


def configured() -> tuple[Witness, ...]:
    """The witnesses of the settings. Raises NoteRejected where one makes no sense."""
    return tuple(_parse(line) for line in tools().settings.audit.witnesses)


def question(tx: Session, witness: Witness, old: int | None = None) -> Question | None:
    """What to ask of the witness now, None where it has seen everything there is.

    `old` is how many entries it says it has seen; without it, as many as we know of.
    """
    newest = _newest(tx)
    if newest is None:
        return None
    head = opened(newest)
    known = _known(tx, witness, head.origin)
    if old is None and known == head.size:
        return None
    base = known if old is None else old
    if base > head.size:
        return None
    nodes = StoredNodes(tx.connection())
    path = merkle.consistency_proof(nodes, base, head.size)
    return Question(newest, base, tuple(note.encode(each) for each in path))


def ask(outbound: Outbound, witness: Witness, asked: Question) -> Reply:
    """The witness's answer; no transaction should be open meanwhile."""
    try:
        status, body = outbound.ask(witness.url, asked.body(), "text/plain; charset=utf-8")
    except UpstreamUnavailable as error:
        return Reply(0, error.code)
    return Reply(status, body.decode("utf-8", "replace"))


def settle(
    tx: Session, witness: Witness, asked: Question, reply: Reply, now: datetime
) -> int | None:
    """Keep what was said; how many entries it wants us to begin from, None where that is all.

    A witness that has seen more of our log than there is proves that a backup was restored:
    from then on nothing is signed under this name.
    """
    head = opened(asked.signed)
    if reply.status == COSIGNED:
        _keep(tx, witness, asked.signed, head.size, reply.text, now)
        return None
    seen = reply.text.strip()
    if reply.status != CONFLICT or not seen.isdecimal() or len(seen) > _SIZE_LENGTH:
        return None
    if int(seen) <= head.size:
        return int(seen) if int(seen) != asked.old else None
    row = {"origin": head.origin, "witness": str(witness.key), "size": int(seen), "time": now}
    held = select(AuditAhead.size).where(
        AuditAhead.origin == head.origin, AuditAhead.witness == str(witness.key)
    )
    # Our own commit may have been slower than its memory: only what we never signed counts.
    if tx.scalar(held) is None and int(seen) > (_largest(tx) or 0):
        tx.execute(insert(AuditAhead), row)
    return None


def trusted(tx: Session, now: datetime) -> bool:
    """Whether enough witnesses have seen a head not longer ago than the settings admit.

    True where no quorum is asked for, and where nothing has waited for so long. A yes is good
    until what waits now would have waited too long, since nothing older comes; a process relies
    on it for a minute at most. A no is asked for again each time.
    """
    settings = tools().settings.audit
    if not settings.quorum:
        return True
    asked, until = serving.extensions().get(_TRUSTED, (now, now))
    if asked <= now < until:
        return True
    since = _unseen_since(tx)
    until = (now if since is None else since) + settings.unseen_limit
    serving.extensions()[_TRUSTED] = now, min(until, now + RELY)
    return now < until


def _unseen_since(tx: Session) -> datetime | None:
    """Since when something waits to be seen by a quorum: a checkpoint, or a staged leaf."""
    keys = [str(witness.key) for witness in configured()]
    enough = (
        select(AuditCosignature.size)
        .where(AuditCosignature.witness.in_(keys))
        .group_by(AuditCosignature.size)
        .having(func.count() >= tools().settings.audit.quorum)
        .order_by(AuditCosignature.size.desc())
        .limit(1)
    )
    seen = tx.scalar(enough)
    unseen = select(func.min(AuditCheckpoint.time))
    if seen is not None:
        unseen = unseen.where(AuditCheckpoint.size > seen)
    signed, staged = tx.scalar(unseen), numbering.oldest(tx.connection())
    # Where the sequencer stands still no checkpoint is made, and what waits is the leaf.
    waiting = (signed, staged and datetime.fromisoformat(staged))
    return min((moment for moment in waiting if moment), default=None)


def _parse(line: str) -> Witness:
    key, space, url = line.strip().partition(" ")
    parsed = note.parse_verifier_key(key)
    if not space or not url.startswith(("https://", "http://")) or parsed.kind != note.COSIGNATURE:
        raise note.NoteRejected("a witness: its cosigning key, a space, its address")
    return Witness(parsed, url.strip())


def _keep(  # noqa: PLR0913  what, by whom, when
    tx: Session, witness: Witness, signed: str, size: int, lines: str, now: datetime
) -> None:
    for line in lines.splitlines(keepends=True):
        try:
            note.cosigned_at(signed + line, witness.key)
        except note.NoteRejected:
            continue
        held = tx.get(AuditCosignature, (size, str(witness.key)))
        if held is None:
            row = {"size": size, "witness": str(witness.key), "line": line}
            tx.execute(insert(AuditCosignature), {**row, "time": to_milliseconds(now)})
        return


def _newest(tx: Session) -> str | None:
    query = select(AuditCheckpoint.note).order_by(AuditCheckpoint.size.desc()).limit(1)
    return tx.scalar(query)


def _largest(tx: Session) -> int | None:
    return tx.scalar(select(func.max(AuditCheckpoint.size)))


def _known(tx: Session, witness: Witness, origin: str) -> int:
    """How many entries of the log under this name it has cosigned."""
    query = (
        select(AuditCheckpoint.size, AuditCheckpoint.note)
        .join(AuditCosignature, AuditCosignature.size == AuditCheckpoint.size)
        .where(AuditCosignature.witness == str(witness.key))
        .order_by(AuditCheckpoint.size.desc())
        .limit(1)
    )
    row = tx.execute(query).first()
    return row.size if row and row.note.partition("\n")[0] == origin else 0
