"""The program `miftah-witness`: makes a witness's key, and answers logs that ask it to cosign."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from miftah_verify.note import COSIGNATURE, Key, parse_key
from miftah_verify.refused import Refused
from miftah_verify.witness import REQUEST_LIMIT, Answer, Witness

_ABOUT = """A witness for tamper-evident records (C2SP tlog-witness).

It remembers the newest head of each log it watches, and cosigns a newer one only where that
one continues it. A log that has two witnesses cannot show two histories to two people.

  miftah-witness init FOLDER witness.example.ma/w1     makes the key, prints its public line
  miftah-witness run FOLDER --log KEY --listen 0.0.0.0:8100

Put a proxy with TLS in front of it. Keep FOLDER: a witness that forgets is no witness."""

_WAIT_S = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 when told to stop, 2 where nothing could be started."""
    parser = argparse.ArgumentParser(
        "miftah-witness",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_subparsers(required=True, metavar="WHAT")
    init = what.add_parser("init", help="make the key and print its public line")
    init.add_argument("folder", type=Path)
    init.add_argument("name", help="a name for this witness: an address without https://")
    init.set_defaults(do=_init)
    run = what.add_parser("run", help="answer logs")
    run.add_argument("folder", type=Path)
    run.add_argument("--log", action="append", required=True, metavar="KEY")
    run.add_argument("--listen", default="127.0.0.1:8100", metavar="HOST:PORT")
    run.set_defaults(do=_run)
    try:
        asked = parser.parse_args(arguments)
        asked.do(asked)
    except SystemExit as stop:
        return 2 if stop.code else 0
    except (Refused, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        pass
    return 0


def open_witness(folder: Path, log_keys: Sequence[str]) -> Witness:
    """The witness that `init` made in `folder`. Raises Refused or OSError."""
    key = Ed25519PrivateKey.from_private_bytes((folder / "witness.key").read_bytes())
    logs: dict[str, list[Key]] = {}
    for line in log_keys:
        log = parse_key(line)
        logs.setdefault(log.name, []).append(log)
    return Witness(
        (folder / "witness.name").read_text().strip(), key, logs, folder / "seen.sqlite3"
    )


def server(witness: Witness, address: tuple[str, int]) -> ThreadingHTTPServer:
    """The witness behind HTTP: POST /add-checkpoint."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = _WAIT_S

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isascii() or not length.isdecimal() or int(length) > REQUEST_LIMIT:
                self.close_connection = True
                self._answer(Answer(413, "a request too long, or of no length\n"))
                return
            body = self.rfile.read(int(length))
            if self.path.rstrip("/").endswith("/add-checkpoint"):
                self._answer(witness.add_checkpoint(body, int(time.time())))
            else:
                self._answer(Answer(404, "POST /add-checkpoint\n"))

        def _answer(self, answer: Answer) -> None:
            content = answer.body.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    return ThreadingHTTPServer(address, Handler)


def _init(asked: argparse.Namespace) -> None:
    asked.folder.mkdir(parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    public = Key(asked.name, COSIGNATURE, key.public_key().public_bytes_raw())
    parse_key(str(public))
    path = asked.folder / "witness.key"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key.private_bytes_raw())
    (asked.folder / "witness.name").write_text(asked.name + "\n")
    sys.stdout.write(f"{public}\n")


def _run(asked: argparse.Namespace) -> None:
    host, _, port = asked.listen.rpartition(":")
    witness = open_witness(asked.folder, asked.log)
    sys.stdout.write(f"{witness.key}\nlistening on {asked.listen}\n")
    sys.stdout.flush()
    server(witness, (host, int(port))).serve_forever()


if __name__ == "__main__":
    sys.exit(main())
