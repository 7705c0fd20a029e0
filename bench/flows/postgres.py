"""A PostgreSQL of a contestant's own: its files in the contestant's folder, durable commits."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER = "bench"
_OPTIONS = "-c listen_addresses='' -c fsync=on -c synchronous_commit=on -c max_connections=60"


def programs() -> Path:
    """The folder of PostgreSQL's server programs. Raises ValueError where there is none."""
    return max(Path("/usr/lib/postgresql").glob("*/bin/initdb")).parent


def socket_of(folder: Path) -> Path:
    """The folder with the server's socket."""
    return folder / "pg"


def url(folder: Path, database: str) -> str:
    """SQLAlchemy's address of the database."""
    return f"postgresql+psycopg://{USER}@/{database}?host={socket_of(folder)}"


def make(folder: Path, database: str) -> None:
    """A new cluster with one empty database."""
    socket_of(folder).mkdir()
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        user = pwd.getpwnam("postgres")
        os.chown(socket_of(folder), user.pw_uid, user.pw_gid)
        for above in (folder, *folder.parents):
            if above.owner() == "root" and above.stat().st_mode & 0o011 == 0:
                above.chmod(0o711)
    _run("initdb", "-D", _data(folder), "-U", USER, "-A", "trust", "-E", "UTF8")
    with running(folder):
        _run("createdb", "-h", socket_of(folder), "-U", USER, database)


@contextmanager
def running(folder: Path) -> Iterator[int]:
    """The process that all of the server's descend from."""
    options = f"-k {socket_of(folder)} {_OPTIONS}"
    log = socket_of(folder) / "log"
    _run("pg_ctl", "-D", _data(folder), "-o", options, "-l", log, "-w", "start")
    try:
        yield int((_data(folder) / "postmaster.pid").read_text().split("\n")[0])
    finally:
        _run("pg_ctl", "-D", _data(folder), "-m", "fast", "-w", "stop")


def _data(folder: Path) -> Path:
    return socket_of(folder) / "data"


def _run(program: str, *said: object) -> None:
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    command = [*as_user, str(programs() / program), *map(str, said)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=120)
