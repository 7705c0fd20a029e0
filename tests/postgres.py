"""A PostgreSQL server of the tests' own: on a socket in a temporary folder, gone afterwards."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def programs() -> Path | None:
    """The folder of PostgreSQL's server programs, or None where they are not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def server() -> Iterator[str]:
    """The SQLAlchemy URL of an empty database named `postgres`."""
    folder = Path(tempfile.mkdtemp(prefix="miftah-pg-"))
    as_user = _unprivileged(folder)
    bin_ = programs()
    assert bin_ is not None
    data = folder / "data"
    try:
        _run(
            as_user, bin_ / "initdb", "-D", data, "-U", "miftah", "-A", "trust", "-N", "-E", "UTF8"
        )
        options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=60"
        _run(
            as_user, bin_ / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start"
        )
        try:
            yield f"postgresql+psycopg://miftah@/postgres?host={folder}"
        finally:
            _run(as_user, bin_ / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged(folder: Path) -> list[str]:
    # PostgreSQL refuses to run as root.
    if os.getuid() != 0:
        return []
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["runuser", "-u", "postgres", "--"]


def _run(as_user: list[str], *command: object) -> None:
    subprocess.run(
        [*as_user, *map(str, command)], check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=60
    )
