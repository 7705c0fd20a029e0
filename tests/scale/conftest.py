"""One PostgreSQL and two machines for all tests of a module."""

from collections.abc import Iterator

import pytest

from tests import postgres
from tests.scale.cluster import Cluster, cluster
from tests.scale.machines import Machines, machines


@pytest.fixture(scope="module")
def database() -> Iterator[Cluster]:
    assert postgres.programs(), "PostgreSQL is not installed: deploy/system-packages.sh test"
    with cluster() as running:
        yield running


@pytest.fixture
def fresh() -> Iterator[Cluster]:
    """One for a single test."""
    assert postgres.programs(), "PostgreSQL is not installed: deploy/system-packages.sh test"
    with cluster() as running:
        yield running


@pytest.fixture(scope="module")
def both(database: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with machines(tmp_path_factory.mktemp("machines"), database.url) as running:
        yield running
