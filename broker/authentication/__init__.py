"""Security keys: enrolling them, signing in with them, keeping them (WebAuthn Level 3)."""

from broker.authentication.keeping import erase, panel
from broker.authentication.routes import pages
from broker.authentication.step import SignInStep
from broker.feature import Feature

feature = Feature(
    "authentication",
    pages=pages,
    step=SignInStep(),
    panel=panel,
    erase=erase,
)
