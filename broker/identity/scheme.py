"""A foreign scheme: an identity that another state or trust service vouches for, as configured."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal, Self, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from broker.identity.assurance import Policy

Means = Literal["low", "substantial", "high"]
ORDER: Final[tuple[str, ...]] = get_args(Means)
"""The levels of Regulation (EU) 2015/1502, weakest first: what every scheme's own are read as."""

CLAIMS: Final = frozenset(
    {
        "name", "family_name", "given_name", "birth_family_name", "preferred_username",
        "birthdate", "gender", "nationalities", "place_of_birth", "country_of_birth",
        "birthplace_code", "birthcountry_code", "document_number", "personal_number",
    }
)  # fmt: skip
"""What a scheme may tell us of a person, by our names; nothing else is ever read from it."""

SIZE_LIMIT: Final = 64 * 1024
_ID = re.compile(r"[a-z][a-z0-9-]{0,39}")

Text = Annotated[str, Field(min_length=1, max_length=400)]
Short = Annotated[str, Field(min_length=1, max_length=80)]
Country = Annotated[str, Field(pattern="^[A-Z]{2}$")]


class SchemeRejected(ValueError):
    """A scheme's file is wrong. The message names the file and the place, and repeats no value."""


_Section = TypeVar("_Section", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Texts(_Strict):
    """A text of the scheme's in the three languages of our pages."""

    fr: Text
    ar: Text
    en: Text


class LevelRow(_Strict):
    """One level as the scheme says it, what it means, and which evidence of the policy it makes.

    `told` is how relying services hear it in `verified_claims`; empty: as the scheme says it.
    """

    says: Short
    means: Means
    evidence: Short
    told: str = Field(default="", max_length=80)


class Scheme(_Strict):
    """One scheme, frozen. `section` is for the verifier of its protocol alone, which judges it.

    `claims` names the scheme's claim or attribute for each of ours; `identifier` the one that is
    stable for a person. `reach` is the best level of a country, where not every one has the best.
    """

    id: str
    enabled: bool = False
    protocol: Annotated[str, Field(pattern="^[a-z][a-z0-9]*$")]
    framework: Short
    countries: Annotated[tuple[Country, ...], Field(min_length=1)]
    reach: Mapping[Country, Means] = {}
    name: Texts
    about: Texts
    levels: Annotated[tuple[LevelRow, ...], Field(min_length=1)]
    identifier: Short
    claims: Mapping[str, Short]
    required: tuple[str, ...] = ("family_name", "given_name", "birthdate")
    section: Mapping[str, Any]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if strangers := set(self.claims) - CLAIMS:
            raise ValueError(f"claims we have no use for: {', '.join(sorted(strangers))}")
        if missing := set(self.required) - set(self.claims):
            raise ValueError(f"required, but not mapped: {', '.join(sorted(missing))}")
        if strangers := set(self.reach) - set(self.countries):
            raise ValueError(f"reach of other countries: {', '.join(sorted(strangers))}")
        if len({row.says for row in self.levels}) != len(self.levels):
            raise ValueError("a level is said twice")
        ranks = [ORDER.index(row.means) for row in self.levels]
        if ranks != sorted(ranks):
            raise ValueError("levels must stand weakest first")
        return self

    def level(self, says: object) -> LevelRow | None:
        """The level that the scheme calls so, letter for letter; None: refuse what it vouches."""
        return next((row for row in self.levels if row.says == says), None)

    def at_least(self, means: str) -> tuple[LevelRow, ...]:
        """The levels that are as good as `means` or better, weakest first; "": all of them."""
        floor = ORDER.index(means) if means else 0
        return tuple(row for row in self.levels if ORDER.index(row.means) >= floor)

    def of(self, country: str) -> tuple[LevelRow, ...]:
        """The levels that people of this country can have, weakest first; "": all of them."""
        best = self.reach.get(country, ORDER[-1])
        return tuple(row for row in self.levels if ORDER.index(row.means) <= ORDER.index(best))


def parse(name: str, text: bytes) -> Scheme:
    """The scheme in a TOML file called `name`.toml. Raises SchemeRejected."""
    if not _ID.fullmatch(name):
        raise SchemeRejected(f"{name}.toml: a scheme is named by small letters, digits and hyphens")
    if len(text) > SIZE_LIMIT:
        raise SchemeRejected(f"{name}.toml: above {SIZE_LIMIT} bytes")
    try:
        told = tomllib.loads(text.decode("utf-8"))
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError are both
        raise SchemeRejected(f"{name}.toml: no TOML: {error}") from None
    section = told.pop(str(told.get("protocol")), None)
    if not isinstance(section, dict):
        raise SchemeRejected(f"{name}.toml: needs a `protocol` and a section of that name")
    try:
        return Scheme.model_validate(told | {"id": name, "section": section})
    except ValidationError as error:
        raise SchemeRejected(f"{name}.toml: {_where(error)}") from None


def settle(model: type[_Section], scheme: Scheme) -> _Section:
    """The scheme's own section as its verifier's model reads it. Raises SchemeRejected."""
    try:
        return model.model_validate(dict(scheme.section))
    except ValidationError as error:
        raise SchemeRejected(f"{scheme.id}.toml: {scheme.protocol}.{_where(error)}") from None


def key_files(scheme: Scheme) -> tuple[str, ...]:
    """The files of the keys' folder that its section names: in `…_file` and in `…_files`."""
    named: list[str] = []
    for name, value in scheme.section.items():
        if name.endswith("_file") and isinstance(value, str):
            named.append(value)
        if name.endswith("_files") and isinstance(value, list):
            named += [file for file in value if isinstance(file, str)]
    return tuple(filter(None, named))


def graded(schemes: Iterable[Scheme], policy: Policy) -> None:
    """Raises SchemeRejected where a level is evidence that the policy grades otherwise, or not."""
    for scheme in schemes:
        for row in scheme.levels:
            kind = policy.evidence.get(row.evidence)
            if kind is None or kind.upstream is None or kind.level != row.means:
                where = f"{scheme.id}.toml: levels: {row.evidence}"
                raise SchemeRejected(f"{where} is not upstream evidence of level {row.means}")


def _where(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in faults)
