"""The auditors' API on a real port, with a token for whoever asks: for a fuzzer.

python -m tests.desk.serving PORT
"""

import sys
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from broker import clock, entropy
from broker.accounts import store as accounts
from broker.app import create_app
from broker.audit import checkpoint
from broker.audit.log import record
from broker.db import transaction
from broker.desk import auditor, pace
from broker.desk.scope import ALL
from broker.errors import OAuthCode, OAuthError
from broker.identity.assurance import SHIPPED, read_policy
from broker.settings import Settings
from broker.web.tools import Caller, Presented, Tools
from tests.conftest import _KEYS, ISSUER, lay_migrated

AMINA = Caller("desk", frozenset(ALL), None, "a" * 43, "C2")


def read_token(_tx: Session, brought: Presented, _now: datetime) -> Caller:
    if brought.unverified_token != "good":
        raise OAuthError(OAuthCode.INVALID_TOKEN, "unknown")
    return AMINA


def build(folder: Path) -> Flask:
    """A broker whose record has 300 entries, and Amina, who may do everything."""
    pace.QUOTA = 10**9  # a fuzzer does not wait
    url = f"sqlite:///{folder}/broker.sqlite3"
    lay_migrated(url)  # or /readyz would not say that it is ready
    house = Tools(
        settings=Settings(issuer=ISSUER, database_url=url),
        clock=clock.utcnow,
        random=entropy.system,
        keys=lambda: _KEYS,
        policy=read_policy(SHIPPED),
        read_token=read_token,
    )
    app = create_app(house)
    now = clock.utcnow()
    with app.app_context(), transaction() as tx:
        accounts.create(tx, _KEYS.wrapping, now, entropy.system, "a" * 43)
        auditor.appoint(tx, "a" * 43, frozenset(ALL), None, now, entropy.system)
        for n in range(300):
            facts = {"client": f"client-{n % 3}", "grant": f"grant-{n}", "acr": "basic"}
            record(tx, "token.issued", facts | {"account": "a" * 43}, now)
        checkpoint.latest(tx, now)
    return app


def main(port: int) -> None:
    """Serve until somebody stops it."""
    with TemporaryDirectory() as folder:
        make_server("127.0.0.1", port, build(Path(folder)), threaded=True).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
