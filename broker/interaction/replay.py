"""What may be used only once, noted by one atomic statement: of two at once one hears yes."""

import hashlib
from datetime import datetime

from sqlalchemy.orm import Session

from broker import once
from broker.interaction.models import UsedOnce


def first_use(tx: Session, kind: str, owner: str, name: str, expires: datetime) -> bool:
    """Whether nobody used `name` of this kind and owner before; it is used from now on.

    `expires`: from when on the thing itself is refused for its age, so need not be remembered.
    """
    digest = hashlib.sha256(
        f"{kind}\x00{owner}\x00{name}".encode("utf-8", "surrogatepass")
    ).digest()
    return once.wrote(tx, UsedOnce, digest=digest, expires=expires)
