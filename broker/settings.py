"""Typed settings, read once from BROKER_* environment variables (docs/settings.md lists them)."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "BROKER_"


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


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OidcSettings(_Section):
    """Lifetimes of what the OpenID desk mints."""

    interaction_lifetime: timedelta = timedelta(minutes=45)
    """How long a parked authorization request waits for its person; a slow network needs long."""
    code_lifetime: timedelta = timedelta(seconds=60)
    """RFC 6749 §4.1.2 recommends at most 10 minutes; FAPI 2.0 at most 60 seconds."""
    id_token_lifetime: timedelta = timedelta(minutes=10)
    """How long a relying service may take to accept an ID token."""
    access_token_lifetime: timedelta = timedelta(minutes=10)
    """Access tokens are opaque and short; a refresh token renews them."""
    refresh_token_lifetime: timedelta = timedelta(days=30)
    """Counted from the first; rotation does not prolong it."""


class AuthenticationSettings(_Section):
    """Sessions and WebAuthn ceremonies."""

    session_lifetime: timedelta = timedelta(hours=12)
    """From sign-in, whatever the activity (NIST SP 800-63B-4, AAL2: at most 24 h)."""
    session_idle: timedelta = timedelta(hours=1)
    """Without any request (NIST SP 800-63B-4, AAL2: 1 h)."""
    ceremony_lifetime: timedelta = timedelta(minutes=10)
    """How long a WebAuthn challenge may be answered; a slow network needs minutes."""


class ProofingSettings(_Section):
    """How a person may prove who they are."""

    attempt_lifetime: timedelta = timedelta(minutes=30)
    """From opening a door to confirming what was read."""
    attempts_per_hour: int = Field(default=30, ge=1)
    """Tries of one account, all doors together; reading pictures costs seconds."""
    accept_specimens: bool = False
    """Admit specimen documents of no state (Utopia), for demonstrations; never in production."""


class AuditSettings(_Section):
    """The record."""

    origin: str = ""
    """Name of the log on its checkpoints (C2SP tlog-checkpoint); empty: the issuer's host."""


class Settings(BaseSettings):
    """Everything that an operator may decide."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid"
    )

    issuer: Annotated[str, AfterValidator(_issuer)] = "http://localhost:8000"
    """The public origin of this broker; the `iss` of every token, and the WebAuthn origin."""
    database_url: str = "sqlite:///var/broker.sqlite3"
    """SQLAlchemy URL: SQLite by default, `postgresql+psycopg://…` in production."""
    keys_dir: Path = Path("keys")
    """Folder of the key files (keys/README.md)."""
    policy_file: Path | None = None
    """Assurance policy; unset: the one shipped in broker/identity/policy.yaml."""
    locale: str = Field(default="fr", pattern="^(fr|ar|en)$")
    """Language of last resort."""
    trusted_proxies: int = Field(default=0, ge=0, le=3)
    """Reverse proxies in front whose X-Forwarded-* headers are believed."""
    oidc: OidcSettings = OidcSettings()
    authentication: AuthenticationSettings = AuthenticationSettings()
    proofing: ProofingSettings = ProofingSettings()
    audit: AuditSettings = AuditSettings()

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
        return Settings()
    except ValidationError as error:
        wrong = (
            f"{PREFIX}{'__'.join(str(part) for part in e['loc']).upper()}: {e['msg']}"
            for e in error.errors(include_url=False, include_context=False, include_input=False)
        )
        raise SettingsRejected("; ".join(wrong)) from None
