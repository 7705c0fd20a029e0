"""Metadata and keys as they lie in their folders, read again only when a file changes."""

import os
import tempfile
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from broker.keyring import Unlock
from broker.outbound import Outbound
from broker.verifiers.eidas.credentials import Credentials, load
from broker.verifiers.eidas.node import (
    METADATA_LIMIT,
    Node,
    NodeUnknown,
    configured,
    demand_current,
)
from broker.verifiers.eidas.node import read as read_metadata
from broker.verifiers.eidas.own_metadata import MEDIA_TYPE
from broker.verifiers.eidas.section import Section

Stamp = tuple[int, int]


def held_node(section: Section, folder: Path, now: datetime) -> Node:
    """The node, from the file that was fetched or put there. Raises NodeUnknown."""
    if section.metadata is None:
        return configured(section)
    path = folder / section.metadata
    return demand_current(_node(path, _stamp(path), section), now)


def held_credentials(section: Section, folder: Path, unlock: Unlock) -> Credentials:
    """Our keys for this scheme. Raises KeysMissing."""
    names = (section.signing_key, section.next_signing or "", *section.decryption_keys)
    stamps = tuple(_stamp(folder / name) if name else (0, 0) for name in names)
    return _credentials(section, folder, unlock, stamps)


def fetched(section: Section, folder: Path, outbound: Outbound, now: datetime) -> Node:
    """The node as its metadata say now, kept in the file for every process to read.

    Raises NodeUnknown, UpstreamUnavailable; the file is then as it was.
    """
    if section.metadata is None or section.metadata_url is None:
        raise NodeUnknown("nowhere to fetch from, or to keep it")
    document = outbound.get(section.metadata_url, limit=METADATA_LIMIT, accept=MEDIA_TYPE)
    node = demand_current(read_metadata(document, section), now)
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=f".{section.metadata}.")
    with os.fdopen(handle, "wb") as file:
        file.write(document)
    Path(name).replace(folder / section.metadata)
    return node


def _stamp(path: Path) -> Stamp:
    """What tells one state of the file from another; (0, 0) where there is none."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_ctime_ns, found.st_size


@lru_cache(maxsize=128)
def _node(path: Path, stamp: Stamp, section: Section) -> Node:
    if stamp == (0, 0):
        raise NodeUnknown(f"{path.name} is missing: fetch it, or put it there")
    with path.open("rb") as file:
        return read_metadata(file.read(METADATA_LIMIT + 1), section)


@lru_cache(maxsize=64)
def _credentials(
    section: Section, folder: Path, unlock: Unlock, stamps: tuple[Stamp, ...]
) -> Credentials:
    del stamps  # they only tell the states of the files apart
    return load(section, folder, unlock)
