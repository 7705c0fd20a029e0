"""A standby: it takes the primary's place, and spares it the long readings (make scale)."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.deploy.running import until
from tests.scale.cluster import Cluster, standby
from tests.scale.load import faults, load, more
from tests.scale.machines import LONG, machines

pytestmark = [pytest.mark.slow, pytest.mark.postgres, LONG]


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
