import base64
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from broker.authentication import store
from broker.authentication.metadata import WEAK, Blob, MetadataRejected, Model, read_blob
from broker.db import reading
from tests.authentication.authenticator import b64
from tests.authentication.maker import MODEL, Maker, Publisher, entry, party
from tests.authentication.test_sign_in import recorded
from tests.conftest import NOON, StoppedClock

PUBLISHER, MAKER = Publisher(), Maker()
SIGNER = "mds.fidoalliance.org"


def read(text: str, publisher: Publisher = PUBLISHER, **said: Any) -> Blob:
    return read_blob(text, publisher.root.certificate, NOON, **{"signer": SIGNER, **said})


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_a_signed_blob_is_read(alg: str) -> None:
    publisher = Publisher(alg)
    blob = read(publisher.blob(entry(MAKER.root)), publisher)
    (model,) = blob.models
    assert (blob.number, model.aaguid, model.name) == (7, MODEL, "Model One")
    assert model.anchors == (MAKER.root.der,)
    assert model.fresh_until == blob.next_update + timedelta(days=30)


def _changed(text: str) -> str:
    head, payload, signature = text.split(".")
    said = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return f"{head}.{b64(json.dumps({**said, 'no': 8}).encode())}.{signature}"


def _with_head(text: str, **said: Any) -> str:
    head, payload, signature = text.split(".")
    old = json.loads(base64.urlsafe_b64decode(head + "=="))
    return f"{b64(json.dumps({**old, **said}).encode())}.{payload}.{signature}"


def _der_signature(text: str) -> str:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    signed, _, _ = text.rpartition(".")
    private: Any = PUBLISHER.signer.private
    return f"{signed}.{b64(private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))}"


GOOD = PUBLISHER.blob(entry(MAKER.root))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b",
        "a.b.c",
        "é.é.é",
        _changed(GOOD),
        _with_head(GOOD, alg="none"),
        _with_head(GOOD, alg="HS256"),
        _with_head(GOOD, x5c=[]),
        _with_head(GOOD, x5c="x"),
        _with_head(GOOD, crit=["b64"]),
        _der_signature(GOOD),
        GOOD.rpartition(".")[0] + ".",
        PUBLISHER.blob(number="7"),
        PUBLISHER.blob(number=True),
        PUBLISHER.blob(next_update="soon"),
        Publisher().blob(),
        Publisher(root=PUBLISHER.root, dates=(NOON - timedelta(9), NOON - timedelta(1))).blob(),
        Publisher(root=PUBLISHER.root, name="example.org").blob(),
    ],
)
def test_a_blob_that_is_not_the_publishers_is_refused(text: str) -> None:
    with pytest.raises(MetadataRejected):
        read(text)


@given(st.text() | st.lists(st.text(alphabet="ab_-="), min_size=3, max_size=3).map(".".join))
def test_whatever_is_no_blob_is_refused(text: str) -> None:
    with pytest.raises(MetadataRejected):
        read(text)


def test_the_number_never_goes_back() -> None:
    assert read(GOOD, newest=6).number == 7
    for newest in (7, 8):
        with pytest.raises(MetadataRejected, match="number 7"):
            read(GOOD, newest=newest)


@pytest.mark.parametrize(
    "bad", [None, 3, {"aaguid": "x"}, {"aaguid": MODEL}, {"aaguid": MODEL, "statusReports": [3]}]
)
def test_an_entry_that_makes_no_sense_is_skipped_and_named(bad: Any) -> None:
    blob = read(PUBLISHER.blob(bad, entry(MAKER.root)))
    assert ([m.aaguid for m in blob.models], blob.skipped) == ([MODEL], (0,))


def test_unknown_fields_statuses_and_older_kinds_mean_nothing() -> None:
    strange = entry(MAKER.root, statuses=("FIDO_CERTIFIED_L2", "NEW_STATUS"), novelty=[1])
    blob = read(PUBLISHER.blob({"aaid": "4e4e#4005", "statusReports": []}, strange))
    assert blob.skipped == ()
    assert blob.models[0].reaches("L2")
    assert blob.models[0].weakness is None


def test_an_anchor_that_is_no_certificate_is_left_out() -> None:
    said = entry(MAKER.root)
    said["metadataStatement"]["attestationRootCertificates"].append("AAAA")
    assert len(read(PUBLISHER.blob(said)).models[0].anchors) == 1


def test_a_model_that_nobody_vouches_for_has_no_anchors() -> None:
    blob = read(PUBLISHER.blob(entry(MAKER.root, attestationTypes=["basic_surrogate"])))
    assert blob.models[0].anchors == ()


def _model(*statuses: str, protection: tuple[str, ...] = ("hardware",)) -> Model:
    return Model(MODEL, "", statuses, protection, (), NOON)


@pytest.mark.parametrize(
    ("model", "level", "reaches"),
    [
        (_model("FIDO_CERTIFIED_L2"), "L2", True),
        (_model("FIDO_CERTIFIED_L1", "FIDO_CERTIFIED_L2plus"), "L2", True),
        (_model("FIDO_CERTIFIED_L1plus"), "L2", False),
        (_model("FIDO_CERTIFIED"), "L1", True),
        (_model("NOT_FIDO_CERTIFIED"), "L1", False),
        (_model(), "L1", False),
        (_model("FIDO_CERTIFIED_L3", protection=("software",)), "L1", False),
        (_model("FIDO_CERTIFIED_L3", protection=("hardware", "software")), "L1", False),
        (_model("FIDO_CERTIFIED_L3", protection=("remote_handle",)), "L1", False),
        (_model("FIDO_CERTIFIED_L3", protection=()), "L1", False),
        (_model("FIDO_CERTIFIED_L3", protection=("tee", "remote_handle")), "L1", True),
    ],
)
def test_a_model_reaches_a_level_by_certificate_and_hardware(
    model: Model, level: str, reaches: bool
) -> None:
    assert model.reaches(level) is reaches


@pytest.mark.parametrize("status", sorted(WEAK))
def test_a_weakness_is_one_whatever_was_certified(status: str) -> None:
    assert _model("FIDO_CERTIFIED_L3", status, "FIDO_CERTIFIED_L3").weakness == status


# The operator's command


@pytest.fixture
def rooted(app: Flask, tmp_path: Path) -> Flask:
    """The application with the publisher's root in its settings."""
    path = tmp_path / "root.pem"
    path.write_bytes(PUBLISHER.root.certificate.public_bytes(Encoding.PEM))
    held = app.extensions["broker"]
    section = held.settings.authentication.model_copy(update={"metadata_root": path})
    settings = held.settings.model_copy(update={"authentication": section})
    app.extensions["broker"] = replace(held, settings=settings)
    return app


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["mds", *words])


def put_in_force(app: Flask, folder: Path, text: str) -> Result:
    (folder / "blob.jwt").write_text(text)
    return run(app, "import", str(folder / "blob.jwt"))


def test_the_command_puts_a_blob_in_force_on_record(rooted: Flask, tmp_path: Path) -> None:
    result = put_in_force(rooted, tmp_path, PUBLISHER.blob(entry(MAKER.root), 3))
    assert (result.exit_code, result.output) == (
        0,
        "number 7, 1 models\nskipped entry 1: it makes no sense\n",
    )
    assert recorded(rooted, "metadata.imported") == [{"number": 7, "models": 1, "skipped": 1}]
    with rooted.app_context(), reading() as tx:
        model = store.model_of(tx, MODEL)
        assert model is not None
        assert model.anchors == (MAKER.root.der,)
    assert run(rooted, "show").exit_code == 0


def test_a_newer_blob_replaces_the_older_and_an_older_one_does_not(
    rooted: Flask, tmp_path: Path
) -> None:
    assert put_in_force(rooted, tmp_path, GOOD).exit_code == 0
    assert put_in_force(rooted, tmp_path, PUBLISHER.blob(number=8)).exit_code == 0
    with rooted.app_context(), reading() as tx:
        assert store.model_of(tx, MODEL) is None
    refused = put_in_force(rooted, tmp_path, GOOD)
    assert (refused.exit_code, "number 7 is not above 8" in refused.output) == (1, True)


def test_a_blob_past_its_day_raises_the_alarm(
    rooted: Flask, tmp_path: Path, clock: StoppedClock
) -> None:
    assert run(rooted, "show").exit_code == 1
    assert put_in_force(rooted, tmp_path, GOOD).exit_code == 0
    clock.forward(days=8)
    assert run(rooted, "show").exit_code == 1
    late = put_in_force(rooted, tmp_path, PUBLISHER.blob(number=9))
    assert "a newer one was due" in late.output


def test_without_a_root_nothing_is_imported(app: Flask, tmp_path: Path) -> None:
    result = put_in_force(app, tmp_path, GOOD)
    assert (result.exit_code, "METADATA_ROOT" in result.output) == (1, True)


def test_a_stranger_s_blob_changes_nothing(rooted: Flask, tmp_path: Path) -> None:
    stranger = Publisher(root=party("MDS Root", ca=True))
    assert put_in_force(rooted, tmp_path, stranger.blob(entry(MAKER.root))).exit_code == 1
    assert recorded(rooted, "metadata.imported") == []
