"""Ourselves as a client: how we prove who we are to a provider, and with what keys."""

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote

from broker import entropy, jose
from broker.errors import EvidenceRejected
from broker.identity.verifier import Surroundings
from broker.keyring import SealBroken, unsealed
from broker.outbound import Answer
from broker.verifiers.upstream.provider import asked
from broker.verifiers.upstream.section import Section

ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIFETIME: Final = 60
SECRET_LIMIT: Final = 4096
_JSON: Final = {"Accept": "application/json"}
_CLAIMS: Final = {"Accept": "application/json, application/jwt"}


@dataclass(frozen=True, slots=True)
class Client:
    """What we are to every provider."""

    around: Surroundings

    def redirect_uri(self, scheme: str) -> str:
        """Where answers come back to: another address for each scheme (RFC 9700 §4.4.2)."""
        return f"{self.around.issuer}/foreign/upstream/{scheme}"

    def fresh(self) -> str:
        """An identifier that was never used."""
        return entropy.token(self.around.random, bits=128)

    def post(
        self,
        address: str,
        form: Mapping[str, str],
        section: Section,
        now: datetime,
    ) -> Answer:
        """Their answer to a form of ours, with proof that it is ours.

        Raises EvidenceRejected upstream_silent, upstream_not_as_agreed, upstream_unconfigured.
        """

        def sent(nonce: str) -> Answer:
            fields, headers = self._proof(address, section, now)
            if section.dpop:
                headers["DPoP"] = self.dpop("POST", address, section, now, nonce=nonce)
            whole = {**form, **fields}
            return asked(self.around.outbound, address, form=whole, headers={**_JSON, **headers})

        return _with_nonce(sent)

    def get(self, address: str, access_token: str, section: Section, now: datetime) -> Answer:
        """Their answer to whoever has the access token. Raises EvidenceRejected as `post`."""
        if not (access_token.isascii() and access_token.isprintable()):
            raise EvidenceRejected("upstream_not_as_agreed", "access token")
        hashed = hashlib.sha256(access_token.encode()).digest()
        token_hash = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode("ascii")

        def sent(nonce: str) -> Answer:
            headers = {**_CLAIMS, "Authorization": f"Bearer {access_token}"}
            if section.dpop:
                proof = self.dpop("GET", address, section, now, nonce=nonce, token_hash=token_hash)
                headers |= {"DPoP": proof, "Authorization": f"DPoP {access_token}"}
            return asked(self.around.outbound, address, headers=headers)

        return _with_nonce(sent)

    def dpop(  # noqa: PLR0913  what is proved: to whom, what, when, with which token
        self,
        method: str,
        address: str,
        section: Section,
        now: datetime,
        *,
        nonce: str = "",
        token_hash: str = "",
    ) -> str:
        """A proof that the token's key is ours (RFC 9449 §4.2)."""
        claims = {
            "htm": method,
            "htu": address.partition("?")[0],
            "iat": int(now.timestamp()),
            "jti": self.fresh(),
        }
        claims |= {"nonce": nonce} if nonce else {}
        claims |= {"ath": token_hash} if token_hash else {}
        return jose.prove(claims, self.around.keys(), section.signing_alg, now, "dpop+jwt")

    def decryption_keys(self, names: Iterable[str]) -> tuple[jose.DecryptionKey, ...]:
        """Our keys in these files. Raises EvidenceRejected upstream_unconfigured."""
        try:
            return tuple(
                jose.decryption_key(self._file(name), self.around.unlock) for name in names
            )
        except SealBroken as error:
            raise EvidenceRejected("upstream_unconfigured", str(error)) from None

    def _proof(
        self, address: str, section: Section, now: datetime
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Fields and headers that prove who we are (Core §9)."""
        if section.client_authentication == "private_key_jwt":
            assertion = self._assertion(address, section, now)
            fields = {"client_assertion_type": ASSERTION, "client_assertion": assertion}
            return {"client_id": section.client_id, **fields}, {}
        secret = self._secret(section.client_secret_file)
        if section.client_authentication == "client_secret_post":
            return {"client_id": section.client_id, "client_secret": secret}, {}
        both = f"{quote(section.client_id, safe='')}:{quote(secret, safe='')}"
        basic = base64.b64encode(both.encode()).decode("ascii")
        return {}, {"Authorization": f"Basic {basic}"}

    def _assertion(self, address: str, section: Section, now: datetime) -> str:
        moment = int(now.timestamp())
        claims = {
            "iss": section.client_id,
            "sub": section.client_id,
            "aud": section.issuer if section.assertion_audience == "issuer" else address,
            "iat": moment,
            "exp": moment + ASSERTION_LIFETIME,
            "jti": self.fresh(),
        }
        return jose.sign(claims, self.around.keys(), section.signing_alg, now)

    def _secret(self, name: str) -> str:
        try:
            return unsealed(self._file(name), name, self.around.unlock.passphrase).decode().strip()
        except (SealBroken, UnicodeDecodeError):
            raise EvidenceRejected("upstream_unconfigured", f"the secret in {name}") from None

    def _file(self, name: str) -> bytes:
        path = self.around.key_files / name
        try:
            with path.open("rb") as file:
                return file.read(SECRET_LIMIT * 4)
        except OSError:
            raise EvidenceRejected("upstream_unconfigured", f"no file {name}") from None


def _with_nonce(sent: Callable[[str], Answer]) -> Answer:
    """The answer; where they want a number of theirs in the proof, to a second try with it.

    RFC 9449 §8 and §9: asked once, given once.
    """
    answer = sent("")
    return sent(answer.nonce) if answer.status in {400, 401} and answer.nonce else answer
