"""The test sign-in: anybody may come in as a fixed test person, on a test system only.

For certification suites, which drive pages without JavaScript and hold no security key.
`Settings.rehearsal` says when this room is hung at all.
"""

from broker.feature import Feature
from broker.rehearsal.routes import pages

feature = Feature("rehearsal", pages=pages)
