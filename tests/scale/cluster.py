"""A PostgreSQL that can be stopped, restarted and followed by a standby, as on real machines."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests import postgres


@dataclass
class Cluster:
    """One server on a socket in its folder; commits are not flushed, which no test here needs."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://miftah@/postgres?host={self.folder}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def run(self, program: str, *words: object) -> None:
        bin_ = postgres.programs()
        assert bin_ is not None, "PostgreSQL is not installed: deploy/system-packages.sh test"
        postgres._run(postgres._unprivileged(self.folder), bin_ / program, *words)

    def control(self, *words: object) -> None:
        self.run("pg_ctl", "-D", self.data, "-w", "-t", "50", *words)

    def start(self) -> None:
        options = "".join(f" -c {name}={value}" for name, value in self.settings.items())
        self.control("-o", f"-k {self.folder}{options}", "-l", self.folder / "log", "start")

    def stop(self, mode: str = "immediate") -> None:
        self.control("-m", mode, "stop")

    def restart(self, mode: str) -> None:
        self.stop(mode)
        self.start()


QUICK = {"listen_addresses": "''", "fsync": "off", "max_connections": "100"}


@contextmanager
def cluster() -> Iterator[Cluster]:
    """An empty one, running."""
    folder = Path(tempfile.mkdtemp(prefix="miftah-pg-"))
    made = Cluster(folder, {**QUICK, "wal_level": "replica", "max_wal_senders": "4"})
    try:
        made.run("initdb", "-D", made.data, "-U", "miftah", "-A", "trust", "-N", "-E", "UTF8")
        made.start()
        yield made
    finally:
        with suppress(subprocess.CalledProcessError):
            made.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def standby(primary: Cluster) -> Iterator[Cluster]:
    """A copy that follows the primary by streaming, and may be read."""
    folder = Path(tempfile.mkdtemp(prefix="miftah-pg-"))
    made = Cluster(folder, dict(primary.settings))
    try:
        source = f"host={primary.folder} user=miftah"
        made.run("pg_basebackup", "-D", made.data, "-R", "-X", "stream", "-c", "fast", "-d", source)
        made.start()
        yield made
    finally:
        with suppress(subprocess.CalledProcessError):
            made.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def pooled(behind: Cluster, connections: int) -> Iterator[str]:
    """The URL of a pgbouncer in transaction mode that has so many of the cluster's connections."""
    folder = Path(tempfile.mkdtemp(prefix="miftah-pool-"))
    as_user = postgres._unprivileged(folder)
    (folder / "ini").write_text(
        f"""[databases]
postgres = host={behind.folder} user=miftah
[pgbouncer]
listen_addr =
unix_socket_dir = {folder}
listen_port = 5432
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 200
logfile = {folder}/log
"""
    )
    process = subprocess.Popen([*as_user, "pgbouncer", "-q", str(folder / "ini")], cwd="/")
    try:
        yield f"postgresql+psycopg://miftah@/postgres?host={folder}"
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)
