import re

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import text

from broker.audit import checkpoint
from broker.audit.note import open_checkpoint, parse_verifier_key
from broker.db import transaction
from tests.audit.conftest import fill
from tests.conftest import NOON
from tests.recording import recorded


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["audit", *arguments])


def tamper(app: Flask, *statements: str) -> None:
    with app.app_context(), transaction() as tx:
        for statement in statements:
            tx.execute(text(statement))


@pytest.fixture
def signed(app: Flask) -> Flask:
    """A record of 300 entries with checkpoints at 256 (owed), 280 and 300 (asked for)."""
    fill(app, 280)
    assert run(app, "checkpoint").exit_code == 0
    fill(app, 20)
    assert run(app, "checkpoint").exit_code == 0
    return app


def test_the_checkpoint_can_be_had_from_the_command_line(app: Flask) -> None:
    fill(app, 3)
    result = run(app, "checkpoint")
    key = parse_verifier_key(run(app, "key").output)
    assert open_checkpoint(result.output, key).size == 3


def test_an_honest_record_holds(signed: Flask) -> None:
    result = run(signed, "verify")
    assert (result.exit_code, result.output) == (
        0,
        "300 entries, 3 checkpoints\nThe record holds.\n",
    )


def test_an_empty_record_holds(app: Flask) -> None:
    run(app, "checkpoint")
    assert run(app, "verify").output == "0 entries, 1 checkpoints\nThe record holds.\n"


def test_a_record_holds_when_a_person_was_erased(signed: Flask) -> None:
    from broker.audit import feature

    assert feature.erase is not None
    with signed.app_context(), transaction() as tx:
        feature.erase(tx, "person-17")
    assert run(signed, "verify").exit_code == 0


_SWAP = (
    "UPDATE audit_entry SET idx = 1000 WHERE idx = 17",
    "UPDATE audit_entry SET idx = 17 WHERE idx = 18",
    "UPDATE audit_entry SET idx = 18 WHERE idx = 1000",
    "DELETE FROM audit_subject",
)

# what an operator does by hand → the first entry that the check must name, and what it says
TAMPERING: dict[str, tuple[tuple[str, ...], int, str]] = {
    "a leaf changed": (
        ("UPDATE audit_entry SET leaf = replace(leaf, 'P0', 'P3'), level = 'P3' WHERE idx = 17",),
        17,
        "not the one that was hashed",
    ),
    "a leaf made unreadable": (
        ("UPDATE audit_entry SET leaf = x'00' WHERE idx = 17",),
        17,
        "cannot be read",
    ),
    "only the index columns changed": (
        ("UPDATE audit_entry SET client = 'client-9' WHERE idx = 17",),
        17,
        "index columns",
    ),
    "only the time in the index columns changed": (
        ("UPDATE audit_entry SET time = 'yesterday' WHERE idx = 17",),
        17,
        "index columns",
    ),
    "only the stored hash changed": (
        ("UPDATE audit_entry SET leaf_hash = zeroblob(32) WHERE idx = 299",),
        299,
        "not the one that was hashed",
    ),
    "a leaf deleted": (("DELETE FROM audit_entry WHERE idx = 17",), 17, "missing"),
    "the first leaf deleted": (("DELETE FROM audit_entry WHERE idx = 0",), 0, "missing"),
    "two leaves swapped": (_SWAP, 17, "another hash"),
    "two leaves swapped and the tile taken away": (
        (*_SWAP, "DELETE FROM audit_tile"),
        0,
        "checkpoint 256 has another root",
    ),
    "the tail cut below a checkpoint": (
        ("DELETE FROM audit_entry WHERE idx >= 290",),
        290,
        "entries that a checkpoint covers are missing",
    ),
    "the tail cut below a tile": (
        ("DELETE FROM audit_entry WHERE idx >= 250", "DELETE FROM audit_checkpoint"),
        250,
        "the entries of tile 0/0 are missing",
    ),
    "a tile changed": (
        ("UPDATE audit_tile SET hashes = zeroblob(32) || substr(hashes, 33)",),
        0,
        "tile 0/0 holds another hash",
    ),
    "a tile cut short": (
        ("UPDATE audit_tile SET hashes = substr(hashes, 1, 8160)",),
        255,
        "tile 0/0 has another length",
    ),
    "a tile's root changed": (
        ("UPDATE audit_tile SET root = zeroblob(32)",),
        0,
        "0-255: tile 0/0 has another length or root",
    ),
    "a tile taken away": (("DELETE FROM audit_tile",), 0, "0-255: tile 0/0 is missing"),
    "an entry linked to another person": (
        ("UPDATE audit_subject SET account_id = 'person-0' WHERE idx = 17",),
        17,
        "linked to an account",
    ),
    "a checkpoint's stored root changed": (
        ("UPDATE audit_checkpoint SET root = zeroblob(32) WHERE size = 300",),
        299,
        "checkpoint 300 is not what was signed",
    ),
    "a checkpoint's note changed": (
        ("UPDATE audit_checkpoint SET note = replace(note, '280', '281') WHERE size = 280",),
        279,
        "checkpoint 280",
    ),
    "a checkpoint under another size": (
        ("UPDATE audit_checkpoint SET size = 281 WHERE size = 280",),
        280,
        "checkpoint 281 is not what was signed",
    ),
}


@pytest.mark.parametrize(("statements", "index", "what"), TAMPERING.values(), ids=TAMPERING)
def test_tampering_is_noticed_and_its_place_named(
    signed: Flask, statements: tuple[str, ...], index: int, what: str
) -> None:
    tamper(signed, *statements)
    result = run(signed, "verify")
    assert result.exit_code == 1
    assert f"first bad index: {index}\n" in result.output
    assert what in result.output


def test_a_leaf_changed_with_its_hash_is_found_between_two_checkpoints(app: Flask) -> None:
    import hashlib

    fill(app, 10)
    run(app, "checkpoint")
    fill(app, 10)
    run(app, "checkpoint")
    with app.app_context(), transaction() as tx:
        row = tx.execute(text("SELECT leaf FROM audit_entry WHERE idx = 15")).one()
        leaf = row.leaf.replace(b'"P0"', b'"P3"')
        tx.execute(
            text("UPDATE audit_entry SET leaf = :leaf, leaf_hash = :h, level='P3' WHERE idx = 15"),
            {"leaf": leaf, "h": hashlib.sha256(b"\x00" + leaf).digest()},
        )
    result = run(app, "verify")
    assert result.exit_code == 1
    assert "first bad index: 10\n  10-19: checkpoint 20 has another root\n" in result.output


def test_an_entry_changed_with_every_hash_above_it_contradicts_the_checkpoint(
    signed: Flask,
) -> None:
    from broker.audit.merkle import leaf_hash
    from broker.audit.tree import complete_tiles, growing

    with signed.app_context(), transaction() as tx:
        connection = tx.connection()
        (leaf,) = connection.exec_driver_sql("SELECT leaf FROM audit_entry WHERE idx = 17").one()
        leaf = leaf.replace(b'"P0"', b'"P3"')
        connection.exec_driver_sql(
            "UPDATE audit_entry SET leaf = ?, leaf_hash = ?, level = 'P3' WHERE idx = 17",
            (leaf, leaf_hash(leaf)),
        )
        connection.exec_driver_sql("DELETE FROM audit_tile")
        complete_tiles(connection, 0, growing(connection, 0, 0))
    result = run(signed, "verify")
    assert result.exit_code == 1
    assert "0-255: checkpoint 256 has another root" in result.output


def test_a_checkpoint_signed_with_another_key_is_named(signed: Flask) -> None:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    from broker.audit.note import Checkpoint, sign

    with signed.app_context(), transaction() as tx:
        held = checkpoint.latest(tx, NOON)
        head = open_checkpoint(held, checkpoint.log_key())
        other = ed25519.Ed25519PrivateKey.from_private_bytes(b"o" * 32)
        forged = sign(Checkpoint(head.origin, head.size, head.root).text(), head.origin, other)
        tx.execute(
            text("UPDATE audit_checkpoint SET note = :n WHERE size = :s"),
            {"n": forged, "s": head.size},
        )
    assert "checkpoint 300: not signed by the known key" in run(signed, "verify").output


def test_many_faults_are_counted_not_listed(signed: Flask) -> None:
    tamper(signed, "UPDATE audit_entry SET outcome = 'refused'")
    output = run(signed, "verify").output
    assert "first bad index: 0\n" in output
    assert re.search(r"and 280 more\n$", output)


def test_the_record_goes_on_after_a_check(signed: Flask) -> None:
    run(signed, "verify")
    with signed.app_context(), transaction() as tx:
        assert recorded(tx, "session.ended", {}, NOON) == 300
