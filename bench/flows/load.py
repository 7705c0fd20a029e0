"""The load: wrk with a script, a closed loop of so many connections, each on a thread of its own.

wrk is written in C and its scripts run in LuaJIT: it costs a tenth of what the providers do.
"""

import json
import os
import resource
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import token_hex, token_urlsafe
from time import perf_counter
from typing import Any
from urllib.parse import urlencode, urlsplit

from bench.flows import proc
from bench.flows.contestant import (
    CALLBACK,
    CLIENT_ID,
    DISCOVERY,
    FLOW,
    INTROSPECTION,
    BenchFailed,
    Own,
    Served,
)
from bench.flows.relying import asked, basic, challenge, flow

LUA = Path(__file__).with_name("lua")
CONCURRENCY = 8
_REQUESTS = {FLOW: 3}
"""Requests of one operation; else 1."""


@dataclass(frozen=True)
class Figures:
    """One run of one operation.

    Microseconds of the processor an operation, milliseconds of the wall, loads in processors.
    """

    operation: str
    done: float
    failed: int
    per_second: float
    cpu_us: float
    p50: float
    p95: float
    p99: float
    generator: float
    foreign: float

    def as_json(self) -> dict[str, Any]:
        """For the raw results."""
        return asdict(self)


def run(served: Served, operation: str, folder: Path, seconds: float, warm_up: float) -> Figures:
    """The figures of one run, after a warm-up that is not measured. Raises BenchFailed.

    `folder` is where the plan is written.
    """
    plan, script = folder / "plan.lua", "flow.lua" if operation == FLOW else "single.lua"
    plan.write_text("return " + _lua(_plan(served, operation)))
    host = served.metadata["issuer"]
    if warm_up:
        _wrk(script, plan, host, warm_up)
    with _costs(served) as spent:
        told = _wrk(script, plan, host, seconds)
    if told["failed"]:
        raise BenchFailed(f"{operation}: {told['failed']} failed, the last one: {told['why']}")
    if not told["requests"]:
        raise BenchFailed(f"{operation}: not one answer in {seconds} s")
    done = told["requests"] / _REQUESTS.get(operation, 1)
    wall = spent["wall"]
    return Figures(
        operation=operation,
        done=done,
        failed=told["failed"],
        per_second=done / (told["us"] / 1e6),
        cpu_us=spent["cpu"] / done,
        p50=told["p50"],
        p95=told["p95"],
        p99=told["p99"],
        generator=spent["generator"] / wall,
        foreign=(spent["busy"] - spent["cpu"] - spent["generator"]) / wall,
    )


@contextmanager
def _costs(served: Served) -> Iterator[dict[str, float]]:
    """What was spent in the block, in microseconds: by the server, by us, by the machine."""
    roots, spent = [*served.servers, *served.helpers], dict[str, float]()
    before = (perf_counter() * 1e6, proc.cpu_us(roots), _own(), proc.busy_us())
    yield spent
    after = (perf_counter() * 1e6, proc.cpu_us(roots), _own(), proc.busy_us())
    names = ("wall", "cpu", "generator", "busy")
    spent |= {n: b - a for n, a, b in zip(names, before, after, strict=True)}


def _own() -> float:
    children, own = (
        resource.getrusage(w) for w in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)
    )
    return 1e6 * sum(used.ru_utime + used.ru_stime for used in (children, own))


def _wrk(script: str, plan: Path, host: str, seconds: float) -> dict[str, Any]:
    shape = [
        f"-t{CONCURRENCY}",
        f"-c{CONCURRENCY}",
        f"-d{max(1, round(seconds))}s",
        "--timeout=30s",
    ]
    command = ["wrk", *shape, "-s", str(LUA / script), host, "--", str(plan)]
    environ = {**os.environ, "BENCH_LUA": str(LUA)}
    told = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    line = next((x for x in told.stdout.splitlines() if x.startswith("BENCH ")), None)
    if line is None:
        raise BenchFailed(f"wrk: {told.stdout} {told.stderr}")
    found: dict[str, Any] = json.loads(line.removeprefix("BENCH "))
    return found


def _plan(served: Served, operation: str) -> dict[str, Any]:
    if operation == FLOW:
        return _flow_plan(served)
    if operation in served.own:
        own = served.own[operation]
        form = {"grant_type": "client_credentials", **own.form}
        return {"request": _post(served, "token_endpoint", own, form), "holds": '"access_token"'}
    if operation == INTROSPECTION:
        token = flow(served, served.cookies[0]).tokens["access_token"]
        asker = Own(CLIENT_ID, served.secret)
        request = _post(served, "introspection_endpoint", asker, {"token": token})
        return {"request": request, "holds": '"active":true'}
    return {"path": DISCOVERY if operation == "discovery" else _path(served, "jwks_uri")}


def _flow_plan(served: Served) -> dict[str, Any]:
    verifiers = [token_urlsafe(48) for _ in range(256)]
    return {
        "host": _host(served),
        "threads": CONCURRENCY,
        "mark": token_hex(8),
        "cookies": served.cookies[:-1],  # the last one's session was spoilt (relying.verify)
        "pairs": [[v, challenge(v)] for v in verifiers],
        "authorize": f"{_path(served, 'authorization_endpoint')}?{urlencode(asked())}",
        "token": _path(served, "token_endpoint"),
        "userinfo": _path(served, "userinfo_endpoint"),
        "basic": basic(CLIENT_ID, served.secret),
        "form": urlencode({"grant_type": "authorization_code", "redirect_uri": CALLBACK}),
    }


def _post(served: Served, door: str, client: Own, form: dict[str, str]) -> str:
    body = urlencode(form)
    head = [
        f"POST {_path(served, door)} HTTP/1.1",
        f"Host: {_host(served)}",
        f"Authorization: {basic(client.client_id, client.secret)}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*head, "", body])


def _host(served: Served) -> str:
    return urlsplit(str(served.metadata["issuer"])).netloc


def _path(served: Served, door: str) -> str:
    return urlsplit(str(served.metadata[door])).path


def _lua(value: object) -> str:
    """The value as a Lua expression; texts are ASCII (JSON's escapes of those are Lua's too)."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {_lua(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "{" + ", ".join(_lua(v) for v in value) + "}"
    return json.dumps(value)
