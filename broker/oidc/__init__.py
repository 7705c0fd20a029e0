"""The OpenID desk: an OpenID Provider, code flow only (OpenID Connect Core 1.0)."""

from broker.feature import Feature
from broker.oidc import (
    introspection,
    possession,
    registration_routes,
    request_routes,
    revocation,
    store,
)
from broker.oidc.access import read_token
from broker.oidc.commands import clients
from broker.oidc.routes import pages

pages.register_blueprint(request_routes.pages)
for child in (possession, introspection, revocation, registration_routes):
    pages.register_blueprint(child.pages)

feature = Feature(
    "oidc", pages=pages, erase=store.forget, revoke=store.revoke_service, commands=clients
)

__all__ = ["feature", "read_token"]
