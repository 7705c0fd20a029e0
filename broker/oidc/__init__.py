"""The OpenID desk: an OpenID Provider, code flow only (OpenID Connect Core 1.0)."""

from broker.feature import Feature
from broker.oidc import store
from broker.oidc.commands import clients
from broker.oidc.routes import pages
from broker.oidc.token import read_token

feature = Feature(
    "oidc", pages=pages, erase=store.forget, revoke=store.revoke_service, commands=clients
)

__all__ = ["feature", "read_token"]
