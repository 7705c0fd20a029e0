"""After fifty people were erased, nothing on the disk names one of them; every proof holds."""

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from broker.audit import checkpoint
from broker.audit.log import record
from broker.audit.models import AuditSubject
from broker.db import reading, scrub, transaction
from broker.identity.evidence import Claim, Evidence
from broker.proofing import store as proofing
from broker.web import cookies
from miftah_verify.__main__ import main
from tests.audit.test_mark import Start, start
from tests.conftest import ISSUER, NOON
from tests.people import forms, visit
from tests.service import Service, register, settle

__all__ = ["start"]

PEOPLE = 50
NAMES = ("family_name", "given_name", "document_number", "personal_number")


def seed(app: Flask, service: Service, n: int) -> tuple[FlaskClient, list[str]]:
    """A person with evidence, a session, an agreement and an assertion; all that names them."""
    client = app.test_client()
    person = settle(app, client, agreed=("openid", "profile", "document"))
    with app.test_request_context():
        name = cookies.name_of(cookies.SESSION)
    client.set_cookie(name, person.session_secret, domain="broker.test")
    said = [f"SEED{name.upper()}{n:04d}" for name in NAMES]
    claims = tuple(Claim(name, value, "data") for name, value in zip(NAMES, said, strict=True))
    with app.app_context(), transaction() as tx:
        filing = proofing.file(tx, person.account_id, Evidence("mrz_photo", claims, (), NOON), NOON)
        facts = {"account": person.account_id, "kind": "mrz_photo", "evidence": filing.id}
        record(tx, "evidence.accepted", {**facts, "digest": filing.digest}, NOON)
    tokens = service.tokens(client)
    told = client.get("/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    return client, [*said, person.account_id, told.get_json()["sub"]]


def erase(client: FlaskClient) -> None:
    (form,) = (f for f in forms(visit(client, "/account/erase").text) if "erase" in f.action)
    done = client.post(form.action, data=form.fields, base_url=ISSUER)
    assert done.location == "/account/erased"


def found(folder: Path, seeds: list[str], *texts: str) -> set[str]:
    """Which of the seeds stand anywhere below the folder, or in the texts."""
    held = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    whole = b"\n".join([*held, *(text.encode() for text in texts)])
    return {seed for seed in seeds if seed.encode() in whole}


def test_nothing_names_the_erased_and_every_old_proof_holds(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = start()
    service = register(app)
    people = [seed(app, service, n) for n in range(PEOPLE)]
    seeds = [each for _, named in people for each in named]
    assert len(set(seeds)) == 6 * PEOPLE
    runner = app.test_cli_runner()
    assert runner.invoke(args=["audit", "proof", "3", str(tmp_path / "proofs")]).exit_code == 0
    accounts = [named[4] for _, named in people]
    assert found(tmp_path, accounts) == set(accounts)  # the search does find what is there
    for client, _ in people:
        erase(client)
    with app.app_context():
        assert scrub()
        key = str(checkpoint.log_key())
        with reading() as tx:
            assert tx.scalar(select(func.count()).select_from(AuditSubject)) == 0
    assert runner.invoke(args=["audit", "publish", str(tmp_path / "mirror")]).exit_code == 0
    assert found(tmp_path, seeds, caplog.text) == set()
    assert "The record holds" in runner.invoke(args=["audit", "verify"]).output
    proof = [str(tmp_path / "proofs" / f"3.{kind}") for kind in ("tlog-proof", "entry")]
    assert main(["proof", *proof, "--key", key]) == 0
    assert main(["log", str(tmp_path / "mirror"), "--key", key]) == 0


def test_without_the_scrubbing_the_log_beside_the_database_still_names_them(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = start()
    client, named = seed(app, register(app), 0)
    monkeypatch.setattr("broker.accounts.routes.scrub", lambda: False)
    erase(client)
    assert found(tmp_path, named[4:5]) == set(named[4:5])
    with app.app_context():
        assert scrub()
    assert found(tmp_path, named) == set()


def test_a_reader_in_the_way_is_told(start: Start) -> None:
    app = start()
    with app.app_context(), transaction() as tx:
        record(tx, "session.ended", {}, NOON)
    other = app.test_cli_runner()
    assert other
    with app.app_context(), reading() as tx:
        tx.scalar(select(func.count()).select_from(AuditSubject))
        import sqlite3

        url = app.config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///")
        with sqlite3.connect(url) as writer:
            writer.execute("UPDATE audit_tile SET number = number")
            writer.execute("CREATE TABLE more (x)")
        writer.close()
        assert scrub() is False
