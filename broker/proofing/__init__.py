"""Running a Verifier for a person and filing its Evidence (OpenID Identity Assurance 1.0)."""

from broker.feature import Feature
from broker.proofing import store
from broker.proofing.account import panel
from broker.proofing.claims import claims, metadata
from broker.proofing.routes import pages
from broker.proofing.step import ProofingStep

feature = Feature(
    "proofing",
    pages=pages,
    step=ProofingStep(),
    claims=claims,
    metadata=metadata,
    evidence=store.outlines,
    panel=panel,
    erase=store.erase,
)
