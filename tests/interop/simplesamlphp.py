"""Debian's SimpleSAMLphp as a SAML identity provider on this machine, configured for one visit."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.verifiers.eidas.schemes import LOA, NATURAL, pem, rsa_key, self_signed

HOME = Path("/usr/share/simplesamlphp")
PERSON = {
    "PersonIdentifier": "FR/MA/02635542Y",
    "CurrentFamilyName": "Onases",
    "CurrentGivenName": "Sarah",
    "DateOfBirth": "1975-04-20",
}

CONFIG = """<?php $config = [
  'baseurlpath' => '{origin}/',
  'certdir' => '{folder}/cert/', 'loggingdir' => '{folder}/log/', 'datadir' => '{folder}/data/',
  'tempdir' => '{folder}/tmp', 'metadatadir' => '{folder}/metadata',
  'secretsalt' => 'known-to-this-test-alone', 'auth.adminpassword' => 'known-to-this-test-alone',
  'technicalcontact_name' => 'nobody', 'technicalcontact_email' => 'na@example.org',
  'timezone' => 'UTC', 'logging.handler' => 'file', 'logging.level' => 7,
  'enable.saml20-idp' => true,
  'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true],
  'session.cookie.secure' => false, 'session.phpsession.savepath' => '{folder}/tmp',
  'store.type' => 'phpsession', 'language.default' => 'en',
  'metadata.sources' => [['type' => 'flatfile']], 'metadata.sign.enable' => true,
  'metadata.sign.privatekey' => 'idp.pem', 'metadata.sign.certificate' => 'idp.crt',
];"""

SOURCES = (
    """<?php $config = ['people' => ['exampleauth:UserPass', 'sarah:secret' => [{attributes}]]];"""
)

HOSTED = """<?php $metadata['{origin}/idp'] = [
  'host' => '__DEFAULT__', 'privatekey' => 'idp.pem', 'certificate' => 'idp.crt',
  'auth' => 'people', 'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri',
  'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'authproc' => [
    90 => ['class' => 'saml:AuthnContextClassRef', 'AuthnContextClassRef' => '{level}'],
  ],
];"""

REMOTE = """<?php $metadata['{entity_id}'] = [
  'AssertionConsumerService' => '{acs}', 'validate.authnrequest' => true,
  'certData' => '{certificate}', 'saml20.sign.response' => true, 'saml20.sign.assertion' => true,
  'NameIDFormat' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient',
];"""


@contextmanager
def provider(
    folder: Path, port: int, entity_id: str, acs: str, level: str = f"{LOA}substantial"
) -> Iterator[str]:
    """The address of a provider that knows Sarah, vouches at this level, and us as this entity.

    It checks the signatures of our requests, and signs both response and assertion.
    """
    origin = f"http://127.0.0.1:{port}"
    for name in ("cert", "log", "data", "tmp", "metadata", "config"):
        (folder / name).mkdir(parents=True)
    key = rsa_key("simplesamlphp")
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    (folder / "cert/idp.pem").write_bytes(private)
    (folder / "cert/idp.crt").write_text(pem(self_signed(key, "idp")))
    told = ", ".join(f"'{NATURAL}/{name}' => ['{value}']" for name, value in PERSON.items())
    ours = "".join(pem(self_signed(rsa_key("ours-signing"))).splitlines()[1:-1])
    files = {
        "config/config.php": CONFIG.format(origin=origin, folder=folder),
        "config/authsources.php": SOURCES.format(attributes=told),
        "metadata/saml20-idp-hosted.php": HOSTED.format(origin=origin, level=level),
        "metadata/saml20-sp-remote.php": REMOTE.format(
            entity_id=entity_id, acs=acs, certificate=ours
        ),
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    server = subprocess.Popen(
        ["php", "-d", "error_reporting=0", "-S", f"127.0.0.1:{port}", "-t", "."],
        cwd=HOME / "www",
        env={"SIMPLESAMLPHP_CONFIG_DIR": str(folder / "config"), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(origin)
        yield origin
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def metadata(origin: str) -> bytes:
    """What the provider publishes of itself."""
    answer = requests.get(f"{origin}/saml2/idp/metadata.php", timeout=20)
    assert answer.status_code == requests.codes.ok, answer.text
    return answer.content


def _wait(origin: str) -> None:
    for _ in range(100):
        try:
            requests.get(f"{origin}/", timeout=5, allow_redirects=False)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("SimpleSAMLphp did not start")
