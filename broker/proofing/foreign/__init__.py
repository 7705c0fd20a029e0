"""The door for answers from abroad, and for what others must know of us."""

from broker.feature import Feature
from broker.proofing.foreign.routes import pages

feature = Feature("foreign", pages=pages)
