"""The `[oidc]` section of a scheme's file: how we and this provider talk."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

PROTOCOL: Final = "oidc"

INSIDE: Final = " > "
"""Between the name of a claim and that of a member of it; no claim of anybody's has it."""

Signing = Literal["ES256", "PS256", "RS256", "EdDSA"]


class Least(StrEnum):
    """The least protection with which an answer is accepted."""

    NONE = "none"
    PLAIN = "plain"
    SIGNED = "signed"
    ENCRYPTED = "encrypted"


def _https(url: str) -> str:
    """As `outbound` will demand it; plain http is for a provider on this very machine."""
    parts = urlsplit(url)
    here = parts.hostname in {"localhost", "127.0.0.1"}
    if not parts.hostname or parts.scheme not in ({"http", "https"} if here else {"https"}):
        raise ValueError("must be an https address")
    if parts.fragment or "@" in parts.netloc:
        raise ValueError("must have neither fragment nor user")
    return url


Address = Annotated[str, Field(max_length=2000), AfterValidator(_https)]


class Section(BaseModel):
    """`issuer` is compared letter for letter. An address given here goes before what is published.

    `id_token` and `userinfo` are the least protection that is accepted; userinfo `none`: all
    claims are in the ID token. `issuer_parameter` (RFC 9207): demanded, or demanded where the
    provider's metadata promises it. `claims_parameter` asks for claims one by one (Core §5.5).
    `max_age` is in seconds. Files lie in the folder of the keys.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: Address
    client_id: Annotated[str, Field(min_length=1, max_length=200)]
    authorization_endpoint: Address | None = None
    token_endpoint: Address | None = None
    userinfo_endpoint: Address | None = None
    jwks_uri: Address | None = None
    pushed_authorization_request_endpoint: Address | None = None

    scopes: tuple[str, ...] = ("openid", "profile")
    claims_parameter: bool = False
    parameters: Mapping[str, str] = {}
    """Further parameters of the authorization request, as the provider wants them."""
    max_age: Annotated[int, Field(ge=0, le=86_400)] | None = None

    client_authentication: Literal[
        "private_key_jwt", "client_secret_basic", "client_secret_post"
    ] = "private_key_jwt"
    client_secret_file: str = Field(default="", max_length=100)
    assertion_audience: Literal["issuer", "endpoint"] = "issuer"
    signing_alg: Signing = "ES256"
    """What we sign with: client assertions, request objects, DPoP proofs."""
    pushed: bool = False
    request_object: bool = False
    dpop: bool = False

    algorithms: tuple[Signing, ...] = ("ES256", "PS256", "RS256", "EdDSA")
    """What their signatures may be made with."""
    id_token: Literal[Least.SIGNED, Least.ENCRYPTED] = Least.SIGNED
    userinfo: Least = Least.PLAIN
    decryption_key_files: tuple[str, ...] = ()
    at_hash: bool = False
    issuer_parameter: Literal["demanded", "as_published"] = "as_published"
    skew: Annotated[int, Field(ge=0, le=300)] = 60
    """Seconds by which their clock may differ from ours."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if "openid" not in self.scopes:
            raise ValueError("scopes must have openid")
        secret = self.client_authentication != "private_key_jwt"
        if secret != bool(self.client_secret_file):
            raise ValueError("client_secret_file belongs to authentication by a secret")
        if Least.ENCRYPTED in {self.id_token, self.userinfo} and not self.decryption_key_files:
            raise ValueError("decryption_key_files are needed to read what is encrypted")
        if strangers := set(self.parameters) & RESERVED:
            raise ValueError(f"parameters are ours: {', '.join(sorted(strangers))}")
        return self

    def published(self) -> dict[str, Any]:
        """The addresses that this file gives."""
        given = {name: getattr(self, name) for name in ENDPOINTS}
        return {name: address for name, address in given.items() if address}


ENDPOINTS: Final = (
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
    "pushed_authorization_request_endpoint",
)

RESERVED: Final = frozenset(
    {
        "acr_values", "claims", "client_id", "code_challenge", "code_challenge_method", "max_age",
        "nonce", "redirect_uri", "request", "request_uri", "response_type", "scope", "state",
    }
)  # fmt: skip
