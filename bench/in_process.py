"""`python bench/in_process.py [sqlite|sqlite-normal|postgres]`: what a request costs by itself.

One thread calls the application as a server would, with nothing around it: processor time of this
process an operation, the least of 25 times 40. Read beside `bench/flows`, it tells the
application's part from the server's.
"""

import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.flows import postgres
from bench.flows.contestant import CALLBACK, CLIENT_ID
from bench.flows.ours import OWN_SCOPE, Ours, run
from bench.flows.relying import asked, basic, challenge

ISSUER, HOST = "http://127.0.0.1:9", "127.0.0.1:9"
VERIFIER = "v" * 43
TIMES, OPERATIONS = 25, 40
_FORM = "application/x-www-form-urlencoded"

Ask = Callable[..., tuple[dict[str, str], bytes]]


def main(database: str) -> None:
    """Print a line of microseconds."""
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder, ours = Path(name), Ours(database, 1)
        folder.chmod(0o755)
        ours.prepare(folder)
        if database == "postgres":
            stack.enter_context(postgres.running(folder))
        environ = ours.environ(folder, ISSUER)
        os.environ.update(environ)
        cookie = json.loads(run(environ, "-m", "bench.flows.people", "1"))[0]
        secret = json.loads((folder / "secrets.json").read_text())[CLIENT_ID]
        from broker.app import create_app  # noqa: PLC0415  its settings stand only now

        least = _least(_asking(create_app()), cookie, basic(CLIENT_ID, secret))
        flow = sum(least[each] for each in ("authorize", "token", "userinfo"))
        parts = ", ".join(f"{each} {us:.0f}" for each, us in least.items())
        print(f"{database}: flow {flow:.0f} µs ({parts})")


def _least(ask: Ask, cookie: str, proof: str) -> dict[str, float]:
    """Operation → microseconds."""
    least: dict[str, float] = {}
    numbers = iter(range(10**9))

    def timed(operation: str, arguments: list[Any], do: Callable[[Any], Any]) -> list[Any]:
        began = time.process_time()
        made = [do(each) for each in arguments]
        us = (time.process_time() - began) / len(arguments) * 1e6
        least[operation] = min(us, least.get(operation, us))
        return made

    def query(_: int) -> str:
        number = next(numbers)
        more = {"state": f"s{number:042}", "nonce": f"n{number:042}"}
        return urlencode(asked(**more, code_challenge=challenge(VERIFIER)))

    tail = urlencode({"redirect_uri": CALLBACK, "code_verifier": VERIFIER})
    own = f"grant_type=client_credentials&{urlencode({'scope': OWN_SCOPE})}"

    def authorize(arguments: str) -> str:
        head, _ = ask("GET", "/authorize", arguments, HTTP_COOKIE=cookie)
        return head["Location"].partition("code=")[2].partition("&")[0]

    def token(code: str) -> str:
        body = f"grant_type=authorization_code&code={code}&{tail}"
        return str(json.loads(post("/token", body))["access_token"])

    def post(path: str, body: str) -> bytes:
        return ask("POST", path, "", body.encode(), HTTP_AUTHORIZATION=proof)[1]

    for _ in range(TIMES):
        codes = timed("authorize", [query(n) for n in range(OPERATIONS)], authorize)
        tokens = timed("token", codes, token)
        timed(
            "userinfo", tokens, lambda t: ask("GET", "/userinfo", HTTP_AUTHORIZATION=f"Bearer {t}")
        )
        timed("client credentials", codes, lambda _: post("/token", own))
        timed("introspection", tokens, lambda t: post("/introspect", f"token={t}"))
    return least


def _asking(app: Any) -> Ask:
    def ask(
        method: str, path: str, query: str = "", body: bytes = b"", **headers: str
    ) -> tuple[dict[str, str], bytes]:
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "9",
            "HTTP_HOST": HOST,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "SCRIPT_NAME": "",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.version": (1, 0),
            **({"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": _FORM} if body else {}),
            **headers,
        }
        heard: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, told: list[tuple[str, str]], *_error: object) -> None:
            heard.append((status, told))

        said = b"".join(_all(app(environ, start)))
        status, told = heard[-1]
        if status[0] not in "23":
            raise SystemExit(f"{method} {path}: {status} {said[:300]!r}")
        return dict(told), said

    return ask


def _all(answer: Any) -> Iterator[bytes]:
    yield from answer
    if hasattr(answer, "close"):
        answer.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sqlite-normal")
