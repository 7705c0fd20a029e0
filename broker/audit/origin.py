"""The name under which the record signs, one a year where it is so configured."""

import re
from datetime import datetime

from broker.audit import note
from broker.web.tools import tools

_YEAR = "{year}"


def origin_at(now: datetime) -> str:
    """The name of the shard that this moment belongs to."""
    return _pattern().replace(_YEAR, f"{now.year:04d}")


def shards() -> re.Pattern[str]:
    """What the name of every shard of this log looks like, of whatever year."""
    return re.compile(re.escape(_pattern()).replace(re.escape(_YEAR), "[0-9]{4}"))


def signer(origin: str) -> note.VerifierKey:
    """What verifies the checkpoints that this broker signs under `origin`."""
    return note.verifier_key(origin, tools().keyring.checkpoint)


def opened(signed: str) -> note.Checkpoint:
    """A checkpoint of ours, of whichever shard. Raises NoteRejected."""
    return note.open_checkpoint(signed, signer(signed.partition("\n")[0]))


def _pattern() -> str:
    settings = tools().settings
    return settings.audit.origin or settings.rp_id
