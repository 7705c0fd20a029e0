"""Security keys: enrolling them, signing in with them, keeping them (WebAuthn Level 3)."""

from broker.authentication.commands import commands
from broker.authentication.keeping import erase, panel
from broker.authentication.recovery_pages import pages as recovery_pages
from broker.authentication.reproof import listen
from broker.authentication.routes import pages
from broker.authentication.saving_pages import pages as saving_pages
from broker.authentication.step import SignInStep
from broker.authentication.totp_pages import pages as totp_pages
from broker.authentication.well_known import pages as well_known_pages
from broker.feature import Feature

pages.register_blueprint(recovery_pages)
pages.register_blueprint(saving_pages)
pages.register_blueprint(totp_pages)
pages.register_blueprint(well_known_pages)

feature = Feature(
    "authentication",
    pages=pages,
    step=SignInStep(),
    panel=panel,
    erase=erase,
    recorded=listen,
    commands=commands,
)
