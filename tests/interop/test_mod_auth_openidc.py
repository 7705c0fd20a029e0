"""Debian's libapache2-mod-auth-openidc, a certified relying party, in front of a page."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.interop.conftest import Town
from tests.people import forms
from tests.service import Person, Service, register, settle
from tests.visits import events

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


@dataclass
class Visit:
    """A person who has come in through apache, in a browser of their own."""

    origin: str
    town: Town
    service: Service
    person: Person
    browser: requests.Session
    log: Path

    @property
    def at_the_broker(self) -> dict[str, str]:
        return {"Cookie": f"miftah_session={self.person.session_secret}"}

    def come_in(self) -> requests.Response:
        away = self.knock()
        assert away.headers["Location"].startswith(f"{self.town.issuer}/authorize?"), away.text
        back = requests.get(
            away.headers["Location"],
            headers=self.at_the_broker,
            allow_redirects=False,
            timeout=10,
        )
        return self.browser.get(back.headers["Location"], timeout=10)

    def knock(self) -> requests.Response:
        return self.browser.get(f"{self.origin}/inside/", allow_redirects=False, timeout=10)


@pytest.fixture
def visit(town: Town, folder: Path) -> Iterator[Visit]:
    port = free_port()
    origin = f"http://localhost:{port}"
    service = register(
        town.app,
        Service("apache", "a secret", f"{origin}/inside/callback"),
        backchannel_logout_uri=f"{origin}/inside/callback?logout=backchannel",
        backchannel_logout_session_required=True,
        post_logout_redirect_uris=[f"{origin}/bye.html"],
    )
    person = settle(town.app, town.app.test_client(), agreed=("openid",), service="apache")
    said = {"issuer": town.issuer, "client_id": "apache", "secret": service.secret, "more": ""}
    with apache(folder, port, **said), requests.Session() as browser:
        yield Visit(origin, town, service, person, browser, folder / "error.log")


def test_a_person_is_let_in_under_the_pairwise_subject(visit: Visit) -> None:
    inside = visit.come_in()
    assert (inside.status_code, inside.text) == (200, "the inside"), visit.log.read_text()
    assert len(inside.headers["X-Remote-User"].split("@")[0]) == 43


@pytest.mark.parametrize("everywhere", [False, True], ids=["here", "everywhere"])
def test_signing_out_at_the_broker_ends_the_visit_at_apache(visit: Visit, everywhere: bool) -> None:
    visit.come_in()
    assert visit.knock().status_code == 200
    path = "/account/sign-out-everywhere" if everywhere else "/account/sign-out"
    issuer, session = visit.town.issuer, requests.Session()
    session.cookies.set("miftah_session", visit.person.session_secret)
    page = session.get(f"{issuer}/account", timeout=10)
    form = next(form for form in forms(page.text) if form.action == path)
    sent = session.post(f"{issuer}{path}", form.fields, allow_redirects=False, timeout=10)
    assert sent.status_code == 303, sent.text
    assert visit.knock().status_code == 200  # it has not been told yet
    told = visit.town.app.test_cli_runner().invoke(args=["work", "--once"])
    assert told.exit_code == 0, told.output
    assert "logout.told" in events(visit.town.app), visit.log.read_text()
    assert visit.knock().headers["Location"].startswith(f"{issuer}/authorize?")


def test_signing_out_at_apache_signs_out_at_the_broker_and_leads_back(visit: Visit) -> None:
    visit.come_in()
    bye = f"{visit.origin}/bye.html"
    away = visit.browser.get(
        f"{visit.origin}/inside/callback",
        params={"logout": bye},
        allow_redirects=False,
        timeout=10,
    )
    address = away.headers["Location"]
    assert address.startswith(f"{visit.town.issuer}/logout?"), visit.log.read_text()
    assert "id_token_hint=" in address
    back = requests.get(address, headers=visit.at_the_broker, allow_redirects=False, timeout=10)
    assert (back.status_code, back.headers["Location"]) == (303, bye)
    account = requests.get(
        f"{visit.town.issuer}/account",
        headers=visit.at_the_broker,
        allow_redirects=False,
        timeout=10,
    )
    assert account.status_code == 303
    assert visit.knock().headers["Location"].startswith(f"{visit.town.issuer}/authorize?")
