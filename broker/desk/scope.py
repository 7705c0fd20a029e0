"""What an auditor may be allowed, one value each."""

from typing import Final

READ: Final = "audit:read"
PROOF: Final = "audit:proof"
EXPORT: Final = "audit:export"
CASES: Final = "audit:case.write"
UNMASK: Final = "audit:unmask"
ADMIN: Final = "audit:admin"

ALL: Final = (READ, PROOF, EXPORT, CASES, UNMASK, ADMIN)
