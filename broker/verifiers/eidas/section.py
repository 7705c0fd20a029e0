"""What a scheme's file says to this verifier alone: its `[saml]` section."""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from broker.identity.scheme import Country, Scheme, SchemeRejected, settle

Url = Annotated[str, Field(pattern=r"^https?://[^\s]+$", max_length=1024)]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]


class Section(BaseModel):
    """How one SAML identity provider is spoken to, and what it must do to be believed.

    `profile` is "eidas" for a node of the eIDAS network (its person identifiers, its scripts, its
    representatives), "plain" for any other provider. `signed` is what must bear the provider's
    signature; `encrypted`, whether assertions in clear are refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: Literal["eidas", "plain"] = "eidas"
    entity_id: Annotated[str, Field(min_length=1, max_length=1024)]
    """The name of the other side, the Issuer of all it says."""

    metadata: FileName | None = None
    """File of the other side's metadata, in the folder of the schemes."""
    metadata_url: Url | None = None
    """Where `schemes fetch` gets that file, ahead of time."""
    metadata_signers: tuple[str, ...] = ()
    """PEM certificates, one of which must have signed it; none: the file is trusted as it lies."""
    sso: Url | None = None
    """Without metadata: where people are sent."""
    certificates: tuple[str, ...] = ()
    """Without metadata: PEM certificates of the keys that sign; several during a rollover."""

    signed: Literal["response", "assertion", "both"] = "response"
    encrypted: bool = True
    comparison: Literal["minimum", "exact"] = "minimum"
    """How the asked level is meant; "exact" names every level that will do."""
    binding: Literal["redirect", "post"] = "post"
    """How our request travels: as a form, signed inside, or in the address, signed beside."""
    rsa: Literal["pss", "pkcs1"] | None = None
    """Padding of our own RSA signatures; else as the profile demands: "pss" in eIDAS."""
    sp_type: Literal["public", "private", ""] = "public"
    """SPType of the relying services; empty: not said, as in plain SAML."""
    node_country: Country = "MA"
    """For which country the other side makes its person identifiers: ours."""
    attribute_index: int | None = Field(default=None, ge=0, le=65535)
    """Index of the attribute service in our metadata, where a provider wants it in the request."""
    strict_names: bool = False
    """As SPID has it: the assertion's Issuer says its Format, its NameID is a transient one."""
    skew: int = Field(default=60, ge=0, le=300)
    """Seconds by which clocks may differ."""
    fresh: bool = True
    """Whether the person must sign in there now (ForceAuthn), not earlier."""

    signing_key: FileName = "saml-signing.pem"
    """Key and certificate that sign our requests and metadata, in the folder of the keys."""
    next_signing: FileName | None = None
    """The one that takes over, published beforehand."""
    decryption_keys: tuple[FileName, ...] = ("saml-encryption.pem",)
    """Keys that open assertions, the first the one that is published."""

    organization: str = Field(default="", max_length=200)
    contact: str = Field(default="", pattern=r"^([^@\s]+@[^@\s]+)?$", max_length=200)
    """Who runs this broker and whom to write to, for our metadata; nodes of eIDAS want both."""

    our_entity_id: Url | None = None
    """The name by which the other side knows us; else the address of our metadata."""
    our_acs: Url | None = None
    """Where answers are sent; else the address of this scheme."""

    @model_validator(mode="after")
    def _known_somehow(self) -> Self:
        if (self.metadata is None) == (self.sso is None or not self.certificates):
            raise ValueError("needs `metadata`, or both `sso` and `certificates`")
        if self.metadata_url and not self.metadata_signers:
            raise ValueError("metadata_url without metadata_signers: anybody could have written it")
        return self

    @property
    def signs_with_pss(self) -> bool:
        """Whether our own signatures are RSA-PSS, where the key is RSA."""
        return (self.rsa or ("pss" if self.profile == "eidas" else "pkcs1")) == "pss"


EIDAS_PREFIX: Final = "http://eidas.europa.eu/attributes/"


def section_of(scheme: Scheme) -> Section:
    """The section, judged. Raises SchemeRejected."""
    section = settle(Section, scheme)
    foreign = [name for name in scheme.claims.values() if not name.startswith(EIDAS_PREFIX)]
    if section.profile == "eidas" and foreign:
        raise SchemeRejected(f"{scheme.id}.toml: claims: no attributes of eIDAS")
    return section
