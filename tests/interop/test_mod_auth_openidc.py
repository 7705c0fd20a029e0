"""Debian's libapache2-mod-auth-openidc, a certified relying party, in front of a page."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.interop.conftest import Town
from tests.service import Service, register, settle

pytestmark = pytest.mark.interop

MODULES = Path("/usr/lib/apache2/modules")

CONFIG = """
ServerRoot {folder}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {folder}/pid
ErrorLog {folder}/error.log
DocumentRoot {folder}/pages
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule dir_module {modules}/mod_dir.so
LoadModule headers_module {modules}/mod_headers.so
LoadModule auth_openidc_module {modules}/mod_auth_openidc.so
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCClientSecret "{secret}"
OIDCRedirectURI {origin}/inside/callback
OIDCCryptoPassphrase something-that-only-this-test-knows
OIDCPKCEMethod S256
OIDCScope "openid"
OIDCIDTokenSignedResponseAlg ES256
OIDCSSLValidateServer Off
OIDCRemoteUserClaim sub
{more}
<Location /inside>
  AuthType openid-connect
  Require valid-user
  Header set X-Remote-User "expr=%{{REMOTE_USER}}"
</Location>
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    # apache drops its rights to an account that must be able to reach the pages.
    place = Path("/tmp") / f"miftah-apache-{os.getpid()}"  # noqa: S108  outside pytest's 0700
    (place / "pages/inside").mkdir(parents=True)
    (place / "pages/inside/index.html").write_text("the inside")
    shutil.chown(place, pwd.getpwuid(os.getuid()).pw_name)
    return place


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def apache(folder: Path, port: int, **said: str) -> Iterator[str]:
    origin = f"http://localhost:{port}"
    text = CONFIG.format(folder=folder, port=port, modules=MODULES, origin=origin, **said)
    (folder / "apache.conf").write_text(text)
    command = ["apache2", "-f", str(folder / "apache.conf"), "-DFOREGROUND"]
    server = subprocess.Popen(command)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield origin
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_person_is_let_in_under_the_pairwise_subject(town: Town, folder: Path) -> None:
    port = free_port()
    service = register(
        town.app, Service("apache", "a secret", f"http://localhost:{port}/inside/callback")
    )
    person = settle(town.app, town.app.test_client(), agreed=("openid",), service="apache")
    said = {"issuer": town.issuer, "client_id": "apache", "secret": service.secret, "more": ""}
    with apache(folder, port, **said) as origin, requests.Session() as browser:
        away = browser.get(f"{origin}/inside/", allow_redirects=False, timeout=10)
        assert away.headers["Location"].startswith(f"{town.issuer}/authorize?"), away.text
        session = {"Cookie": f"miftah_session={person.session_secret}"}
        back = requests.get(
            away.headers["Location"], headers=session, allow_redirects=False, timeout=10
        )
        inside = browser.get(back.headers["Location"], timeout=10)
        log = (folder / "error.log").read_text()
        assert (inside.status_code, inside.text) == (200, "the inside"), log
        assert len(inside.headers["X-Remote-User"].split("@")[0]) == 43
