"""`make run`: prepare this machine, then serve the broker and the demonstration until Ctrl-C."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / "var" / "demo.json"
BROKER_PORT = int(os.environ.get("PORT", "8000"))
DEMO_PORT = int(os.environ.get("DEMO_PORT", "8001"))
MAIL_PORT = int(os.environ.get("MAIL_PORT", "8025"))
MAIL = ROOT / "var" / "mail"
DEMO_URL = f"http://localhost:{DEMO_PORT}"
PYTHON = sys.executable

REGISTER = [
    *("--name", "fr=Télédéclaration — démonstration"),
    *("--name", "ar=التصريح عن بُعد — عرض تجريبي"),
    *("--name", "en=Online declaration — demonstration"),
    *("--purpose", "fr=Savoir qui dépose les déclarations de salaires d’une entreprise."),
    *("--purpose", "ar=معرفة من يودع تصريحات أجور المقاولة."),
    *("--purpose", "en=To know who files a company’s wage declarations."),
    *("--scope", "openid profile assurance"),
]


def main() -> int:
    """Exit status of the pair of servers: 0 after Ctrl-C."""
    os.chdir(ROOT)
    environ = {
        "BROKER_ISSUER": f"http://localhost:{BROKER_PORT}",
        # So that the demonstration can be tried without a passport at hand.
        "BROKER_PROOFING__ACCEPT_SPECIMENS": "true",
        # Letters go no further than this machine.
        "BROKER_MAIL__HOST": "localhost",
        "BROKER_MAIL__PORT": str(MAIL_PORT),
        "BROKER_MAIL__SECURITY": "none",
        **os.environ,
    }
    environ["PYTHONPATH"] = str(ROOT)
    for task in ("keys", "database"):
        subprocess.run([PYTHON, "-m", "broker.setup", task], env=environ, check=True)  # noqa: S603
    demo = environ | _demo_environment(environ)
    servers = [
        _serve("broker:create_app", BROKER_PORT, environ, workers=2),
        # The demonstration keeps its visitors in memory: one process.
        _serve("broker.demo.app:create_app", DEMO_PORT, demo, workers=1),
        # Tells relying services of sign-outs, and people of changes (decision 0023).
        subprocess.Popen(_flask("work"), env=environ),  # noqa: S603
    ]
    if environ["BROKER_MAIL__PORT"] == str(MAIL_PORT):
        servers.append(_catch_mail(environ))
    _until_answering(servers)
    print(  # noqa: T201
        f"\n  Miftah, the broker        {environ['BROKER_ISSUER']}"
        f"\n  Relying service (demo)    {DEMO_URL}   <- begin here"
        f"\n  Specimen passport to try  {ROOT / 'broker/demo/static/specimen-passport.jpg'}"
        f"\n  Mail that it would send   {MAIL}/new"
        "\n\n  Ctrl-C stops all of it.\n",
        flush=True,
    )
    return _wait(servers)


def _catch_mail(environ: dict[str, str]) -> subprocess.Popen[bytes]:
    MAIL.parent.mkdir(exist_ok=True)
    listen = ("-n", "-l", f"localhost:{MAIL_PORT}", "-c", "aiosmtpd.handlers.Mailbox", str(MAIL))
    return subprocess.Popen([PYTHON, "-m", "aiosmtpd", *listen], env=environ)  # noqa: S603


def _demo_environment(environ: dict[str, str]) -> dict[str, str]:
    state = json.loads(STATE.read_text("utf-8")) if STATE.exists() else {}
    if state.get("DEMO_URL") != DEMO_URL or not _is_registered(state, environ):
        state = _register(environ)
        STATE.parent.mkdir(exist_ok=True)
        STATE.touch(mode=0o600)
        STATE.write_text(json.dumps(state), "utf-8")
    return {**state, "DEMO_ISSUER": environ["BROKER_ISSUER"]}


def _is_registered(state: dict[str, str], environ: dict[str, str]) -> bool:
    # The database may have been emptied, or be another one than the last time.
    told = _client(environ, "list")
    return any(line.startswith(state["DEMO_CLIENT_ID"]) for line in told.splitlines())


def _register(environ: dict[str, str]) -> dict[str, str]:
    told = _client(environ, "register", *REGISTER, "--redirect-uri", f"{DEMO_URL}/callback")
    words = dict(line.split(" ", 1) for line in told.splitlines() if " " in line)
    return {
        "DEMO_URL": DEMO_URL,
        "DEMO_CLIENT_ID": words["client_id"],
        "DEMO_CLIENT_SECRET": words["client_secret"],
        "DEMO_COOKIE_KEY": os.urandom(32).hex(),
    }


def _client(environ: dict[str, str], *args: str) -> str:
    command = _flask("client", *args)
    told = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)  # noqa: S603
    return told.stdout


def _flask(*args: str) -> list[str]:
    return [PYTHON, "-m", "flask", "--app", "broker", *args]


def _serve(
    application: str, port: int, environ: dict[str, str], *, workers: int
) -> subprocess.Popen[bytes]:
    command = [
        *(PYTHON, str(ROOT / "deploy" / "serve.py"), application),
        *("--bind", f"localhost:{port}", "--workers", str(workers)),
    ]
    return subprocess.Popen(command, env=environ)  # noqa: S603


def _until_answering(servers: list[subprocess.Popen[bytes]]) -> None:
    # An address is worth printing once somebody answers there.
    for port in (BROKER_PORT, DEMO_PORT):
        for _ in range(300):
            if any(server.poll() is not None for server in servers):
                return
            with socket.socket() as probe:
                if probe.connect_ex(("localhost", port)) == 0:
                    break
            time.sleep(0.1)


def _wait(servers: list[subprocess.Popen[bytes]]) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        os.wait()  # one of them has ended by itself: end the others
        status = 1
    except KeyboardInterrupt:
        status = 0
    for server in servers:
        server.terminate()
    for server in servers:
        server.wait()
    return status


if __name__ == "__main__":
    sys.exit(main())
