"""Requests as they are sent, and damage done to them: in bytes, and inside what is signed."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote_plus

from joserfc.jws import JWSRegistry

from tests.proofs import ProofKey
from tests.signing import ClientKey

NASTY: tuple[bytes, ...] = (
    *(b"", b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\x80", b"\xe2\x80\xae", b"\r\n", b"\\"),
    *(b"null", b"true", b"-1", b"0", b"1e999", b"NaN", b"9" * 400, b"0.1", b"{}", b"[]", b'""'),
    *(b"[" * 2000, b'{"a":' * 200, b'"\\ud800"', b"%", b"%00", b"%ff", b"&", b"=", b";", b"+"),
    *(b" ", b"'", b"..", b"//", b"#", b"?", b"@", b"http://[", b"http://a:99999/", b"A" * 5000),
    *(b".", b"..", b"....", b"e30", b"eyJhbGciOiJub25lIn0", b"alg", b"none", b"kid", b"jwk"),
    *(b'{"keys":[{}]}', b'"crit":["b64"],"b64":false', b"\xd9\x85", b"9007199254740993"),
)


@dataclass(frozen=True)
class Signed:
    """A JWT whose inside may be damaged before it is signed."""

    key: ClientKey | ProofKey
    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    def text(self, draw: Random | None = None) -> bytes:
        parts = [json.dumps(part).encode() for part in (self.header, self.claims)]
        if draw is not None:
            which = draw.randrange(2)
            parts[which] = damaged(parts[which], draw)
        signing = b".".join(_b64(part) for part in parts)
        private = self.key.key if isinstance(self.key, ProofKey) else self.key._jwk()
        return signing + b"." + _b64(JWSRegistry.algorithms[self.key.alg].sign(signing, private))


Value = str | Signed


@dataclass(frozen=True)
class Wire:
    """A request on its way: its path with query, its headers and body, all of them bytes."""

    method: str
    path: str
    query: bytes
    headers: Mapping[str, bytes]
    body: bytes
    content_type: str


@dataclass(frozen=True)
class Sound:
    """A request with nothing wrong in it. `body` is JSON; without one, `form` is sent."""

    method: str
    path: str
    query: Mapping[str, Value] = field(default_factory=dict)
    form: Mapping[str, Value] = field(default_factory=dict)
    headers: Mapping[str, Value] = field(default_factory=dict)
    body: bytes | None = None

    def spoiled(self, draw: Random) -> Wire:
        """The request with one to three things wrong, by a draw that can be repeated."""
        query, form, headers = ({n: (v, False) for n, v in p.items()} for p in self._parts())
        body = self.body
        fields = [(part, name) for part in (query, form, headers) for name in part]
        sent: dict[str, bytes] = {}
        for part, name in draw.sample(fields, min(len(fields), draw.randint(0, 2))):
            part[name] = (part[name][0], True)
        if body is not None:
            body = damaged(body, draw)
        sent = {name: _value(*said, draw) for name, said in headers.items()}
        line, encoded = (_form(part, draw) for part in (query, form))
        if draw.random() < 0.1:
            line = damaged(line, draw)
        if draw.random() < 0.1:
            encoded = damaged(encoded, draw)
        kind = "application/x-www-form-urlencoded" if body is None else "application/json"
        if draw.random() < 0.02:
            kind = draw.choice(("text/plain", "application/json", "multipart/form-data; boundary="))
        return Wire(self.method, self.path, line, sent, encoded if body is None else body, kind)

    def _parts(self) -> tuple[Mapping[str, Value], ...]:
        return self.query, self.form, self.headers


def damaged(sound: bytes, draw: Random) -> bytes:
    """The bytes after one to four accidents."""
    data = bytearray(sound)
    for _ in range(draw.randint(1, 4)):
        at = draw.randint(0, len(data))
        end = min(len(data), at + draw.randint(0, 8))
        accident = draw.randrange(6)
        if accident == 0 and data:
            data[at % len(data)] ^= 1 << draw.randrange(8)
        elif accident == 1:
            data[at:end] = b""
        elif accident == 2:
            data[at:at] = draw.randbytes(draw.randint(1, 8))
        elif accident == 3:
            data[at:end] = draw.choice(NASTY)
        elif accident == 4:
            data[at:at] = data[draw.randint(0, at) : end]
        else:
            data = bytearray(draw.choice(NASTY))
    return bytes(data)


def _value(value: Value, spoil: bool, draw: Random) -> bytes:
    if isinstance(value, Signed):
        if spoil and draw.random() < 0.7:
            return value.text(draw)
        text = value.text()
    else:
        text = value.encode()
    return damaged(text, draw) if spoil else text


def _form(part: Mapping[str, tuple[Value, bool]], draw: Random) -> bytes:
    said = [(name.encode(), _value(*value, draw)) for name, value in part.items()]
    if said and draw.random() < 0.05:
        said.append(draw.choice(said))
    pairs = (f"{quote_plus(name)}={quote_plus(value)}" for name, value in said)
    return "&".join(pairs).encode()


def _b64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
