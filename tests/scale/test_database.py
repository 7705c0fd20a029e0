"""What may stand between the brokers and PostgreSQL, or take its place."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import create_engine, text

from tests import people
from tests.authentication.authenticator import SoftAuthenticator
from tests.deploy.running import until
from tests.scale.cluster import Cluster, pooled, standby
from tests.scale.load import faults, load, more
from tests.scale.machines import Machines, Wanderer, machines

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

CONNECTIONS = 4
"""Far fewer than the brokers' threads, so that every transaction gets another one."""


def enrol(at: Machines) -> None:
    browser: Any = Wanderer(at.at)
    people.enrol(
        browser, authenticator=SoftAuthenticator(at.issuer, urlsplit(at.issuer).hostname or "")
    )


def test_a_pooler_may_change_connections_between_transactions(
    database: Cluster, tmp_path: Path
) -> None:
    with pooled(database, CONNECTIONS) as url:
        said = {"BROKER_DATABASE_URL": url, "BROKER_DATABASE__POOLER": "true"}
        with machines(tmp_path, database.url, **said) as through:
            enrol(through)
            with load(through, threads=8) as going:
                more(going, 40)
            assert going.unfit == []
            assert {status for _, status in going.heard} == {200, 303}
            assert faults(through, going.handed) == []


def test_a_standby_takes_over_and_the_brokers_find_it_by_themselves(
    fresh: Cluster, tmp_path: Path
) -> None:
    with standby(fresh) as second:
        synchronous(fresh)
        url = f"{fresh.url}&host={second.folder}&target_session_attrs=read-write"
        with machines(tmp_path, url) as both:
            with load(both) as going:
                more(going)
                fresh.stop("immediate")
                second.control("promote")
                more(going)
            assert going.unfit == []
            assert faults(both, going.handed) == []


def test_the_record_is_verified_on_a_standby(fresh: Cluster, tmp_path: Path) -> None:
    with machines(tmp_path, fresh.url) as both, standby(fresh) as second:
        with load(both) as going:
            more(going, 5)
        assert faults(both, going.handed) == []
        until(lambda: entries(second) == entries(fresh))
        told = both.elsewhere(second.url, "audit", "verify")
        assert "The record holds." in told


def synchronous(primary: Cluster) -> None:
    """From here on nothing is committed before the standby has it."""
    engine = create_engine(primary.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("ALTER SYSTEM SET synchronous_standby_names = '*'"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()


def entries(at: Cluster) -> int:
    engine = create_engine(at.url)
    with engine.connect() as connection:
        found: int = connection.scalar(text("SELECT count(*) FROM audit_entry")) or 0
    engine.dispose()
    return found
