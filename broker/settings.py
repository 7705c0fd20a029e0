"""Typed settings, read once from BROKER_* environment variables (docs/settings.md lists them)."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

PREFIX = "BROKER_"

_HERE = frozenset({"localhost", "127.0.0.1"})
_NEVER_REAL = (".test", ".example", ".localhost")  # RFC 6761 §6: no such name is ever delegated


class SettingsRejected(Exception):
    """A variable is unknown or wrong. The message names it and never repeats its value."""


def _issuer(url: str) -> str:
    """OpenID Connect Discovery §3: https without query or fragment; http only on this machine."""
    parts = urlsplit(url)
    local = parts.hostname in {"localhost", "127.0.0.1", "broker.test"}
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise ValueError("must be https (http is for localhost only)")
    if not parts.hostname or parts.query or parts.fragment or parts.path.rstrip("/"):
        raise ValueError("must be an origin: no path, query or fragment")
    return url.rstrip("/")


_Many = TypeVar("_Many")
_Listed = Annotated[_Many, BeforeValidator(lambda v: json.loads(v) if isinstance(v, str) else v)]
"""Several values: a list in JSON."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OidcSettings(_Section):
    """Lifetimes of what the OpenID desk mints."""

    interaction_lifetime: timedelta = timedelta(minutes=45)
    """How long a parked authorization request waits for its person; a slow network needs long."""
    pushed_lifetime: timedelta = Field(default=timedelta(seconds=90), lt=timedelta(minutes=10))
    """How long a pushed request waits to be opened (RFC 9126 §2.2; FAPI 2.0: under 10 minutes)."""
    code_lifetime: timedelta = timedelta(seconds=60)
    """RFC 6749 §4.1.2 recommends at most 10 minutes; FAPI 2.0 at most 60 seconds."""
    id_token_lifetime: timedelta = timedelta(minutes=10)
    """How long a relying service may take to accept an ID token."""
    access_token_lifetime: timedelta = timedelta(minutes=10)
    """Access tokens are opaque and short; a refresh token renews them."""
    refresh_token_lifetime: timedelta = timedelta(days=30)
    """Counted from the first; rotation does not prolong it."""
    refresh_grace: timedelta = timedelta(seconds=10)
    """How long the same answer is given to a client that repeats a refresh it did not hear."""


class AuthenticationSettings(_Section):
    """Sessions and WebAuthn ceremonies."""

    session_lifetime: timedelta = timedelta(hours=12)
    """From sign-in, whatever the activity (NIST SP 800-63B-4, AAL2: at most 24 h)."""
    session_idle: timedelta = timedelta(hours=1)
    """Without any request (NIST SP 800-63B-4, AAL2: 1 h)."""
    ceremony_lifetime: timedelta = timedelta(minutes=10)
    """How long a WebAuthn challenge may be answered; a slow network needs minutes."""
    metadata_root: Path | None = None
    """Certificate that the signature of FIDO metadata must lead to, PEM or DER."""
    metadata_signer: str = "mds.fidoalliance.org"
    """DNS name that the signer's certificate must bear; empty: any."""
    least_certification: Literal["L1", "L1plus", "L2", "L2plus", "L3", "L3plus"] = "L2"
    """FIDO level from which on an attested key of a model counts as such."""
    forbidden_models: _Listed[frozenset[UUID]] = frozenset()
    """AAGUIDs of models of keys that are not enrolled, and that prove little where they were."""
    allowed_models: _Listed[frozenset[UUID]] = frozenset()
    """AAGUIDs of the only models whose keys may count as attested; empty: any that FIDO knows."""
    recovery_cooling: timedelta = timedelta(hours=24)
    """From using a recovery code until a key that was enrolled by it counts in full."""


class ProofingSettings(_Section):
    """How a person may prove who they are."""

    attempt_lifetime: timedelta = timedelta(minutes=45)
    """From opening a door to confirming what was read; half an hour abroad must fit in."""
    attempts_per_hour: int = Field(default=30, ge=1)
    """Tries of one account, all doors together; reading pictures costs seconds."""
    handover_lifetime: timedelta = timedelta(minutes=10)
    """How long a telephone may send a picture for an attempt that was begun at a computer."""
    accept_specimens: bool = False
    """Admit specimen documents of no state (Utopia), for demonstrations; never in production."""


class TlsSettings(_Section):
    """What the proxy in front says of a client's certificate; believed with trusted_proxies."""

    client_certificate_header: str = ""
    """Header with the certificate as URL-encoded PEM (nginx: $ssl_client_escaped_cert)."""
    client_verified_header: str = ""
    """Header that says SUCCESS where the chain was verified (nginx: $ssl_client_verify)."""
    mtls_origin: str = Field(default="", pattern="^(https://[^/?#]+)?$")
    """Where certificates are asked for (RFC 8705 §5); empty: at the issuer's own address."""


class DatabaseSettings(_Section):
    """How the broker's processes talk to PostgreSQL."""

    connections: int = Field(default=12, ge=1, le=200)
    """Kept by each worker: as many as it has threads (deploy/serve.py)."""
    pooler: bool = False
    """A pooler that changes connections between transactions stands before it (pgbouncer)."""


class KeysSettings(_Section):
    """Signing keys and what opens their files (keys/README.md)."""

    retire_after: timedelta = timedelta(days=1)
    """How long a key stays published after another took over: longer than anything it signed."""
    passphrase_file: Path | None = None
    """File with the passphrase of the key files, 20 bytes at least; unset: they are in clear."""
    pkcs11_module: Path | None = None
    """PKCS#11 library of a security module; needed only where a key file names one."""
    pkcs11_pin_file: Path | None = None
    """File with the PIN of its token."""


class MailSettings(_Section):
    """The server that sends notices to people; without a host there are none."""

    host: str = ""
    """Name of the SMTP server; empty: no mail."""
    port: int = Field(default=587, ge=1, le=65535)
    """Its port: 587 for submission with STARTTLS, 465 for TLS from the start."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is secured; `none` only for a server on this very machine."""
    user: str = ""
    """Name to log in with; empty: no login."""
    password_file: Path | None = None
    """File with its password."""
    sender: str = "Miftah <no-reply@localhost>"
    """From."""

    @model_validator(mode="after")
    def _in_clear_only_here(self) -> Self:
        if self.host and self.security == "none" and self.host not in _HERE:
            raise ValueError("security none is for localhost only")
        return self


class AuditSettings(_Section):
    """The record."""

    origin: str = ""
    """Name of the log on its checkpoints (C2SP tlog-checkpoint); empty: the issuer's host.

    `{year}` in it begins a new shard every year.
    """
    mark: Path | None = None
    """File outside the database with the newest checkpoint ever signed; unset: beside SQLite's."""
    witnesses: _Listed[tuple[str, ...]] = ()
    """Who cosigns: each a verifier key, a space and an address that ends in add-checkpoint."""
    quorum: int = Field(default=0, ge=0, le=32)
    """How many witnesses must have cosigned."""
    unseen_limit: timedelta = Field(default=timedelta(hours=4), gt=timedelta(0))
    """How long the quorum may be missing before nothing above P1 is issued."""


class MetricsSettings(_Section):
    """What Prometheus may ask (docs/observability.md)."""

    token_file: Path | None = None
    """File with the token that opens /metrics; unset: nothing is measured, and no such door."""
    directory: Path = Path("var/metrics")
    """Where the processes of this machine share what they count."""


class TracesSettings(_Section):
    """Spans for the operator's own OpenTelemetry collector."""

    endpoint: str = Field(default="", pattern="^(https?://[^?#]+)?$")
    """Where it takes them (OTLP over HTTP); empty: there are none."""
    share: float = Field(default=1.0, ge=0, le=1)
    """How many of the traces are kept."""


class Settings(_Section):
    """Everything that an operator may decide."""

    issuer: Annotated[str, AfterValidator(_issuer)] = "http://localhost:8000"
    """The public origin of this broker; the `iss` of every token, and the WebAuthn origin."""
    database_url: str = "sqlite:///var/broker.sqlite3"
    """SQLAlchemy URL: SQLite by default, `postgresql+psycopg://…` in production."""
    database_synchronous: Literal["FULL", "NORMAL"] = "FULL"
    """SQLite only: FULL survives a power cut, NORMAL may forget the last moments before it."""
    keys_dir: Path = Path("keys")
    """Folder of the key files (keys/README.md)."""
    schemes_dir: Path = Path("schemes")
    """Folder of the foreign schemes, a TOML file each (schemes/README.md)."""
    policy_file: Path | None = None
    """Assurance policy; unset: the one shipped in broker/identity/policy.yaml."""
    limits_url: str = Field(default="", pattern="^((redis|rediss|unix)://.+)?$")
    """Redis or Valkey server that counts tries for all workers together; empty: each by itself."""
    locale: str = Field(default="fr", pattern="^(fr|ar|en)$")
    """Language of last resort."""
    trusted_proxies: int = Field(default=0, ge=0, le=3)
    """Reverse proxies in front whose X-Forwarded-* headers are believed."""
    database: DatabaseSettings = DatabaseSettings()
    keys: KeysSettings = KeysSettings()
    rehearsal_issuer: str = ""
    """The issuer again, to say that it is a test system although its name does not show it."""
    rehearsal: bool = False
    """The test sign-in: anybody may come in as a test person. Refused on any real system."""
    oidc: OidcSettings = OidcSettings()
    authentication: AuthenticationSettings = AuthenticationSettings()
    proofing: ProofingSettings = ProofingSettings()
    audit: AuditSettings = AuditSettings()
    mail: MailSettings = MailSettings()
    tls: TlsSettings = TlsSettings()
    metrics: MetricsSettings = MetricsSettings()
    traces: TracesSettings = TracesSettings()
    log: Literal["plain", "json"] = "plain"
    """What is written to stderr: warnings in words, or an object a line, one for each request."""

    @model_validator(mode="after")
    def _published_long_enough(self) -> Self:
        # A service that fetches our keys anew must still find the one that signed its token.
        longest = max(self.oidc.id_token_lifetime, self.oidc.access_token_lifetime)
        if self.keys.retire_after < longest + timedelta(minutes=10):
            raise ValueError("BROKER_KEYS__RETIRE_AFTER must outlast every token by ten minutes")
        return self

    @field_validator("rehearsal")
    @classmethod
    def _only_in_rehearsals(cls, wanted: bool, info: ValidationInfo) -> bool:  # noqa: FBT001  its value
        issuer = info.data.get("issuer", "")
        host = urlsplit(issuer).hostname or ""
        named = issuer and issuer == info.data.get("rehearsal_issuer", "").rstrip("/")
        if wanted and not (named or host in _HERE or host.endswith(_NEVER_REAL)):
            raise ValueError(
                "only on a test system: on localhost, under .test, .example or .localhost, or "
                "where BROKER_REHEARSAL_ISSUER repeats the issuer"
            )
        return wanted

    @property
    def secure(self) -> bool:
        """Whether browsers reach us by https, so cookies may be Secure and __Host- prefixed."""
        return self.issuer.startswith("https:")

    @property
    def rp_id(self) -> str:
        """The WebAuthn relying party identifier: the issuer's host."""
        return urlsplit(self.issuer).hostname or ""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from the environment.

    Raises SettingsRejected, naming every variable that is unknown or wrong.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    given = [name for name in environ if name.upper().startswith(PREFIX)]
    unknown = sorted(n for n in given if n.upper().split("__")[0] not in known)
    if unknown:
        raise SettingsRejected(f"unknown settings: {', '.join(unknown)}")
    try:
        return Settings.model_validate(_nested({name: environ[name] for name in given}))
    except ValidationError as error:
        wrong = (
            f"{PREFIX}{'__'.join(str(part) for part in e['loc']).upper()}: {e['msg']}"
            for e in error.errors(include_url=False, include_context=False, include_input=False)
        )
        raise SettingsRejected("; ".join(wrong)) from None


def _nested(given: Mapping[str, str]) -> dict[str, Any]:
    """The values by section and name: `BROKER_OIDC__CODE_LIFETIME` is code_lifetime in oidc."""
    told: dict[str, Any] = {}
    for name in sorted(given, reverse=True):  # so that a whole section overrides what is in it
        *sections, last = name.lower().removeprefix(PREFIX.lower()).split("__")
        place = told
        for section in sections:
            place = place.setdefault(section, {})
        place[last] = given[name]
    return told
