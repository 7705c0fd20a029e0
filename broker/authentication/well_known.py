"""Where others find this house's keys: two documents at fixed addresses."""

from typing import Any

from flask import Blueprint

from broker.web.tools import tools

pages = Blueprint("well_known", __name__, url_prefix="/.well-known")


@pages.get("/passkey-endpoints")
def passkey_endpoints() -> dict[str, Any]:
    """Where a key is enrolled and where keys are kept (W3C Passkey Endpoints)."""
    issuer = tools().settings.issuer
    return {"enroll": f"{issuer}/enrol/account", "manage": f"{issuer}/account"}


@pages.get("/webauthn")
def related_origins() -> dict[str, Any]:
    """The origins that may use our keys: ours alone (WebAuthn Level 3 §5.11)."""
    return {"origins": [tools().settings.issuer]}
