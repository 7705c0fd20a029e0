"""Identities of other countries: choosing one, the way there and back, and whose it is."""

from broker.feature import Feature
from broker.proofing.foreign import store
from broker.proofing.foreign.commands import schemes
from broker.proofing.foreign.panel import panel
from broker.proofing.foreign.routes import pages

feature = Feature("foreign", pages=pages, panel=panel, erase=store.erase, commands=schemes)
