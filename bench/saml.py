"""SAML answers judged per second: ours, pysaml2, and the bare check of the signature, in one run.

    python bench/saml.py [PYTHON_WITH_PYSAML2] [SECONDS]

The same answer for all: RSA-2048 over the response, the assertion in it encrypted (AES-256-GCM,
RSA-OAEP) or in clear. The bare check is canonicalisation, two digests and one RSA operation, by
lxml and cryptography, with no rule of SAML looked at: the floor of whoever verifies anything.
Create the other environment with `python -m venv` and `pip install pysaml2`; it needs xmlsec1.
"""

import base64
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from cryptography.hazmat.primitives import hashes  # noqa: E402
from cryptography.hazmat.primitives import serialization as s  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import padding  # noqa: E402
from lxml import etree  # noqa: E402

from broker.clock import utcnow  # noqa: E402
from broker.identity.verifier import Reply  # noqa: E402
from broker.verifiers.eidas import EidasVerifier  # noqa: E402
from tests.conftest import ISSUER  # noqa: E402
from tests.verifiers.eidas.conftest import Door, abroad  # noqa: E402
from tests.verifiers.eidas.node import DS, ENTITY, Answer, Node  # noqa: E402
from tests.verifiers.eidas.schemes import around, pem, rsa_key, scheme, self_signed  # noqa: E402
from tests.verifiers.eidas.test_metadata import entry  # noqa: E402


def rate(work: Callable[[], object], seconds: float) -> float:
    work()
    began, done = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        work()
        done += 1
    return done / (time.monotonic() - began)


def bare(document: bytes, node: Node) -> Callable[[], object]:
    """The octets under the one signature of the document, and nothing else."""
    public = node.certificate.public_key()

    def check() -> None:
        root = etree.fromstring(document)
        signature = root.find(f"{{{DS}}}Signature")
        info = signature.find(f"{{{DS}}}SignedInfo")
        value = base64.b64decode(signature.findtext(f"{{{DS}}}SignatureValue"))
        octets = etree.tostring(info, method="c14n", exclusive=True)
        public.verify(value, octets, padding.PKCS1v15(), hashes.SHA256())
        root.remove(signature)
        digest = hashlib.sha256(etree.tostring(root, method="c14n", exclusive=True)).digest()
        assert base64.b64encode(digest).decode() == info.findtext(f".//{{{DS}}}DigestValue")

    return check


def ours(door: Door, *, encrypted: bool) -> tuple[Callable[[], object], bytes, dict[str, str]]:
    now = utcnow()
    made = scheme("xa", saml=door.node.section | {"encrypted": encrypted})
    door.verifier = EidasVerifier(around(door.verifier.around.key_files, made))
    door.now = now
    attempt, _ = door.ask()
    acs = f"{ISSUER}/foreign/eidas/xa"
    sound = Answer(f"{acs}.xml", acs, attempt.remembered["request"], now)
    document = door.node.document(replace(sound, encrypt="oaep" if encrypted else ""))
    reply = Reply({"SAMLResponse": base64.b64encode(document).decode()})
    said = {"entity_id": f"{acs}.xml", "acs": acs, "request": sound.request}
    return lambda: door.verifier.close(attempt, reply), document, said


def theirs(python: str, document: bytes, said: dict[str, str], node: Node, seconds: float) -> str:
    with TemporaryDirectory() as name:
        folder = Path(name)
        keys = (node.certificate,)
        (folder / "idp.xml").write_text(entry(ENTITY, None, keys))
        (folder / "response.b64").write_text(base64.b64encode(document).decode())
        (folder / "said.json").write_text(json.dumps(said))
        (folder / "certificate.pem").write_text(pem(self_signed(rsa_key("ours"))))
        private = rsa_key("ours").private_bytes(
            s.Encoding.PEM, s.PrivateFormat.TraditionalOpenSSL, s.NoEncryption()
        )
        (folder / "key.pem").write_bytes(private)
        helper = [python, str(ROOT / "bench/saml_pysaml2.py"), name, str(seconds)]
        told = subprocess.run(helper, capture_output=True, text=True, check=False)
    if told.returncode == 0:
        return f"{float(told.stdout):8.0f}"
    return f"fails: {(told.stderr.strip().splitlines() or ['?'])[-1][:70]}"


def main() -> None:
    python = sys.argv[1] if len(sys.argv) > 1 else ""
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 5.0
    door = abroad()
    print("answers per second, one thread        encrypted   in clear")
    rows: dict[str, list[str]] = {}
    for encrypted in (True, False):
        close, document, said = ours(door, encrypted=encrypted)
        rows.setdefault("bare signature", []).append(
            f"{rate(bare(document, door.node), seconds):8.0f}"
        )
        rows.setdefault("ours, every rule", []).append(f"{rate(close, seconds):8.0f}")
        if python:
            rows.setdefault("pysaml2", []).append(
                theirs(python, document, said, door.node, seconds)
            )
    for name, found in rows.items():
        print(f"{name:36} {'   '.join(found)}")


if __name__ == "__main__":
    main()
