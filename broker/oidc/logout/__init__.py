"""Signing out: asked for by a service, told to the others.

OpenID Connect RP-Initiated Logout 1.0 and Back-Channel Logout 1.0.
"""

from broker.feature import Feature
from broker.oidc.logout.queue import gauges
from broker.oidc.logout.routes import pages
from broker.oidc.logout.telling import tell
from broker.oidc.logout.worker import deliver_next

feature = Feature("logout", pages=pages, signed_out=tell, work=deliver_next, gauges=gauges)
