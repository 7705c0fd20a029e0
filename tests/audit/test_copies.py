"""Copies for SIEMs and collectors, and a syslog server that takes them over TLS."""

import json
import re
import socket
import ssl
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask

from broker.audit import feeding
from broker.audit.copies import FORMS, cloud_event, ocsf, open_telemetry, syslog
from broker.audit.entry import compose, read_leaf
from broker.audit.event import EVENTS
from broker.db import reading
from tests.audit.conftest import fill
from tests.conftest import ISSUER, NOON


def entry(event: str, **facts: object) -> dict:
    return read_leaf(compose(event, facts, NOON, "n"))


def test_every_event_has_a_copy_in_every_form() -> None:
    for event in EVENTS:
        for form in FORMS.values():
            assert form(7, entry(event, client="é\n"), ISSUER)


@pytest.mark.parametrize(
    ("event", "class_uid", "type_uid", "status"),
    [
        ("sign_in.accepted", 3002, 300201, 1),
        ("sign_in.refused", 3002, 300201, 2),
        ("session.ended", 3002, 300202, 1),
        ("account.created", 3001, 300101, 1),
        ("client.removed", 3004, 300404, 1),
        ("token.issued", 6003, 600399, 1),
        ("consent.declined", 6003, 600399, 2),
    ],
)
def test_an_event_has_its_class_in_ocsf(
    event: str, class_uid: int, type_uid: int, status: int
) -> None:
    told = ocsf(7, entry(event))
    assert (told["class_uid"], told["type_uid"], told["status_id"]) == (class_uid, type_uid, status)
    assert told["category_uid"] == class_uid // 1000
    assert told["time"] == int(NOON.timestamp()) * 1000


def test_a_cloud_event_is_one_line_that_names_its_index() -> None:
    line = cloud_event(7, entry("sign_in.refused", reason="a\nb"), ISSUER)
    assert line.count(b"\n") == 1
    told = json.loads(line)
    assert (told["specversion"], told["id"], told["source"]) == ("1.0", "7", ISSUER)
    assert told["type"] == "miftah.record.sign_in.refused"


def test_a_syslog_frame_counts_its_octets() -> None:
    frame = syslog(7, entry("sign_in.refused", reason="é"), ISSUER)
    length, _, message = frame.partition(b" ")
    assert int(length) == len(message)
    head = (
        r"<109>1 2026-11-23T12:00:00\.000Z broker\.test miftah - sign_in\.refused \[miftah@32473 "
    )
    assert re.match(head, message.decode())


def test_otlp_is_a_line_that_a_collector_reads() -> None:
    (found,) = json.loads(open_telemetry(7, entry("code.issued"), ISSUER))["resourceLogs"]
    (record,) = found["scopeLogs"][0]["logRecords"]
    assert record["timeUnixNano"] == str(int(NOON.timestamp()) * 10**9)


def feed(app: Flask, *words: str) -> str:
    done = app.test_cli_runner().invoke(args=["audit", "feed", *words, "--once"])
    assert done.exit_code == 0, done.output
    return done.output


def test_entries_are_copied_once_and_the_next_time_only_new_ones(
    app: Flask, tmp_path: Path
) -> None:
    place = str(tmp_path / "position")
    fill(app, 600)
    assert [json.loads(line)["id"] for line in feed(app, place).splitlines()] == [
        str(n) for n in range(600)
    ]
    fill(app, 2)
    assert len(feed(app, place).splitlines()) == 2
    assert feed(app, place) == ""


def test_what_could_not_be_sent_is_sent_again(app: Flask, tmp_path: Path) -> None:
    fill(app, 3)
    position = tmp_path / "position"

    def fail(_: bytes) -> None:
        raise ConnectionError

    with app.app_context():
        with reading() as tx:
            found = feeding.waiting(tx, position)
        with pytest.raises(ConnectionError):
            feeding.send_on(found, position, cloud_event, fail)
        sent: list[bytes] = []
        with reading() as tx:
            found = feeding.waiting(tx, position)
        assert feeding.send_on(found, position, cloud_event, sent.append)
        assert sent[0].count(b"\n") == 3


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOON - timedelta(days=3650))
        .not_valid_after(NOON + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        # Python 3.13 holds certificates to RFC 5280.
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "ca.pem").write_bytes(pem)
    (folder / "server.pem").write_bytes(private + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return folder / "ca.pem", context


def test_a_syslog_server_gets_them_over_tls(app: Flask, tmp_path: Path) -> None:
    authority, context = certificate(tmp_path)
    fill(app, 3)
    received: list[bytes] = []
    gone = threading.Event()
    with socket.create_server(("localhost", 0)) as listening:

        def take() -> None:
            plain, _ = listening.accept()
            with context.wrap_socket(plain, server_side=True) as line:
                gone.wait(0.3)  # a server that is slower than the line
                while piece := line.recv(65536):
                    received.append(piece)

        thread = threading.Thread(target=take)
        thread.start()
        port = listening.getsockname()[1]
        words = ["--to", f"localhost:{port}", "--authority", str(authority)]
        assert feed(app, str(tmp_path / "position"), *words) == ""
        gone.set()
        thread.join(timeout=10)
    assert b"".join(received).count(b"code.issued") == 3
