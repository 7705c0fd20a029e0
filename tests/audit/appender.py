"""A process that records, one entry a transaction, and says each one's name once it is committed.

    python -m tests.audit.appender DATABASE_URL FOLDER COUNT [early | sequence | stall]

`early` is the control of the tests: it says the name before the commit, as a program would that
forgot what a promise is. `sequence` is a sequencer instead, for ever; `stall` one that falls
silent in the middle of a batch, after saying so.
"""

import sys
import time
from pathlib import Path

from flask import Flask

from broker import clock, db, entropy, keyring
from broker.audit import sequencer, turn
from broker.audit.log import record
from broker.audit.worker import sequence_next
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


def append(count: int, mode: str) -> None:
    """Record until `count` entries are said, or somebody kills this process."""
    me = entropy.token(entropy.system, bits=64)
    for n in range(count):
        name = f"{me}.{n}"
        with db.transaction() as tx:
            record(tx, "session.ended", {"session": name}, clock.utcnow())
            if mode == "early":
                print(name, flush=True)
                time.sleep(0.2)
        if mode != "early":
            print(name, flush=True)


def stall() -> None:
    """Take the lead, sequence a batch, and never commit it."""
    with db.transaction() as tx:
        turn.never_idle(tx.connection())
        assert turn.is_free(tx.connection())
        print(sequencer.sequence(tx, clock.utcnow()), flush=True)
        time.sleep(600)


def main(url: str, folder: str, count: str, mode: str = "") -> None:
    """Do as asked."""
    with house(url, Path(folder)).app_context():
        if mode == "stall":
            stall()
        while mode == "sequence":
            if not sequence_next():
                time.sleep(0.02)
        append(int(count), mode)


if __name__ == "__main__":
    main(*sys.argv[1:])
