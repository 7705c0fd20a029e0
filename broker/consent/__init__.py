"""What a person agreed to share with a relying service (OpenID Connect Core §3.1.2.4)."""

from broker.consent import store
from broker.consent.panel import panel
from broker.consent.routes import pages
from broker.consent.step import ConsentStep
from broker.feature import Feature

feature = Feature("consent", pages=pages, step=ConsentStep(), panel=panel, erase=store.erase)
