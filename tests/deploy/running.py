"""The servers as they are shipped, running on this machine."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROBE = "tests.deploy.probe:create_app"
BROKER = "broker:create_app"


@dataclass(frozen=True)
class Running:
    """A server, its port, and the file with all that it has said."""

    process: subprocess.Popen[bytes]
    port: int
    said: Path

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def workers(self) -> set[int]:
        return children(self.process.pid)


def children(pid: int, thread: int = 0) -> set[int]:
    """The processes that this one, or a thread of it, has started."""
    told = Path(f"/proc/{pid}/task/{thread or pid}/children")
    return {int(word) for word in told.read_text().split()} if told.exists() else set()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def command(kind: str, application: str, port: int, workers: int) -> list[str]:
    """How `kind`, granian or gunicorn, is started."""
    count = ("--workers", str(workers), "--bind", f"127.0.0.1:{port}")
    if kind == "granian":
        return [sys.executable, str(ROOT / "deploy" / "serve.py"), application, *count]
    config = str(ROOT / "deploy" / "gunicorn.conf.py")
    return [sys.executable, "-m", "gunicorn", "--config", config, *count, f"{application}()"]


def start(
    folder: Path,
    application: str = PROBE,
    *,
    kind: str = "granian",
    port: int = 0,
    workers: int = 1,
    environ: Mapping[str, str] | None = None,
) -> Running:
    """A server that answers; its folder is its own, as on another machine."""
    port = port or free_port()
    folder.mkdir(exist_ok=True)
    with (folder / "said").open("ab") as said:
        process = subprocess.Popen(
            command(kind, application, port, workers),
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})},
            cwd=folder,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    running = Running(process, port, folder / "said")
    until(lambda: answers(port) or process.poll() is not None, 60)
    assert process.poll() is None, running.said.read_text()
    return running


def stop(running: Running) -> None:
    """End it and all that it started, whatever state they are in."""
    with suppress(ProcessLookupError):
        os.killpg(running.process.pid, signal.SIGKILL)
    running.process.wait()


@contextmanager
def serving(folder: Path, application: str = PROBE, **how: object) -> Iterator[Running]:
    """A server until the block ends."""
    running = start(folder, application, **how)  # type: ignore[arg-type]  # start's own
    try:
        yield running
    finally:
        stop(running)


def answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as asked:
        asked.sendall(b"GET /jwks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return asked.recv(5) == b"HTTP/"
    return False


def until(holds: object, seconds: float = 10) -> None:
    """Wait for it, looking twenty times a second."""
    assert callable(holds)
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)


def raw(port: int, request: bytes, timeout: float = 20) -> bytes:
    """All that is answered to these bytes."""
    heard = b""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as asked:
        with suppress(OSError):  # refused before all was sent
            asked.sendall(request)
        with suppress(ConnectionResetError):
            while said := asked.recv(65536):
                heard += said
    return heard
