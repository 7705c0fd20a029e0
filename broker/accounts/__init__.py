"""The subscriber account (NIST SP 800-63-4): its key, its sessions, its page and its erasure."""

from broker.accounts.routes import pages
from broker.feature import Feature

feature = Feature("accounts", pages=pages)
