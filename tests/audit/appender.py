"""A process that appends, one entry a transaction, and says each index once it is committed.

    python -m tests.audit.appender DATABASE_URL FOLDER COUNT [early]

`early` is the control of the tests: it says the index before the commit, as a program would
that forgot what a promise is.
"""

import sys
import time
from pathlib import Path

from flask import Flask

from broker import clock, db, entropy, keyring
from broker.audit.log import record
from broker.identity.assurance import SHIPPED, read_policy
from broker.settings import AuditSettings, Settings
from broker.web.tools import Tools


def house(url: str, folder: Path) -> Flask:
    """As little of the broker as an entry needs."""
    app = Flask("appender")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    keys = keyring.load(folder / "keys")
    audit = AuditSettings(mark=folder / "record.mark")
    settings = Settings(issuer="https://broker.test", database_url=url, audit=audit)
    tools = Tools(settings, clock.utcnow, entropy.system, lambda: keys, read_policy(SHIPPED))
    app.extensions["broker"] = tools
    db.install(app)
    return app


def main(url: str, folder: str, count: str, mode: str = "") -> None:
    """Append until `count` entries are said, or somebody kills this process."""
    with house(url, Path(folder)).app_context():
        for n in range(int(count)):
            with db.transaction() as tx:
                index = record(tx, "session.ended", {"n": n}, clock.utcnow())
                if mode == "early":
                    print(index, flush=True)
                    time.sleep(0.2)
            if mode != "early":
                print(index, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
