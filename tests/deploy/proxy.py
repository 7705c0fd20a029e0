"""The shipped nginx configuration, running here: other ports, other files, the same rules."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import servers
from tests.deploy.running import ROOT, answers, free_port, until

SHIPPED = ROOT / "deploy" / "nginx" / "miftah.conf"
UPSTREAM = ROOT / "deploy" / "nginx" / "upstream.conf"


def configured(folder: Path, port: int, brokers: list[int], *, unlimited: bool = False) -> Path:
    """The whole configuration; rates are raised where a test asks more than a person would."""
    certificate, key = servers._made()
    for name, content in (
        ("fullchain", certificate),
        ("privkey", key),
        ("services-ca", certificate),
    ):
        (folder / f"{name}.pem").write_bytes(content)
    (folder / "log").mkdir(exist_ok=True)
    shipped = SHIPPED.read_text("utf-8")
    for old, new in (
        (r"    listen \[::\].*\n", ""),
        (r"listen 80;", f"listen 127.0.0.1:{free_port()};"),
        (r"listen 443", f"listen 127.0.0.1:{port}"),
        (r"/etc/ssl/miftah/", f"{folder}/"),
        (r"/var/log/nginx/", f"{folder}/log/"),
        (r"/var/lib/miftah/", f"{folder}/"),
        *([(r"rate=\d+r/[sm]", "rate=9000r/s")] if unlimited else []),
    ):
        shipped = re.sub(old, new, shipped)
    members = "".join(
        f"    server 127.0.0.1:{broker} max_fails=1 fail_timeout=2s;\n" for broker in brokers
    )
    upstream = re.sub(r"    server .*\n", members, UPSTREAM.read_text("utf-8"))
    made = folder / "nginx.conf"
    made.write_text(
        f"pid {folder}/pid;\nerror_log {folder}/log/start.log;\nworker_processes 1;\nuser root;\n"
        f"events {{}}\nhttp {{\nclient_body_temp_path {folder}/body;\n"
        f"proxy_temp_path {folder}/proxy;\nfastcgi_temp_path {folder}/f;\n"
        f"uwsgi_temp_path {folder}/u;\nscgi_temp_path {folder}/s;\n{upstream}\n{shipped}\n}}\n",
        "utf-8",
    )
    return made


@contextmanager
def proxying(
    folder: Path, brokers: list[int], port: int = 0, *, unlimited: bool = False
) -> Iterator[int]:
    """The port (TLS) of an nginx in front of these ports."""
    port = port or free_port()
    folder.mkdir(exist_ok=True)
    made = configured(folder, port, brokers, unlimited=unlimited)
    process = subprocess.Popen(
        ["nginx", "-c", str(made), "-p", str(folder), "-g", "daemon off;"],
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: answers(port) or process.poll() is not None)
        assert process.poll() is None, f"see {folder}/log"
        yield port
    finally:
        process.terminate()
        process.wait()
