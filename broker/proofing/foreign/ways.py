"""Which scheme would help whom: of what country, by which door, up to which level. Pure."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from broker.identity.assurance import Policy, reachable, reaches
from broker.identity.scheme import Scheme
from broker.identity.verifier import SchemeVerifier, Verifier


@dataclass(frozen=True, slots=True)
class Way:
    """A scheme for the people of a country: the best identity level, and the least to ask for.

    `least` is of `scheme.ORDER`, "" where nothing in particular is asked.
    """

    kind: str
    scheme: Scheme
    country: str
    level: str
    least: str


def ways(verifiers: Iterable[Verifier], policy: Policy, wanted: str | None) -> tuple[Way, ...]:
    """Every way that reaches what is wanted; where none does, every way there is.

    A level below what is asked may still be what the person goes on with.
    """
    every = tuple(_every(verifiers, policy, wanted))
    enough = tuple(w for w in every if wanted is None or reaches(w.level, wanted, policy))
    return enough or every


def find(every: Iterable[Way], kind: str, scheme: str, country: str) -> Way | None:
    """The way of this name, None where it is not among them.

    Without a country: the only one that the scheme has.
    """
    mine = [w for w in every if (w.kind, w.scheme.id) == (kind, scheme)]
    if not country:
        return mine[0] if len(mine) == 1 else None
    return next((w for w in mine if w.country == country), None)


def matching(every: Iterable[Way], query: str, names: Mapping[str, Iterable[str]]) -> list[Way]:
    """The ways whose country or scheme is called so, in any language of ours.

    `names` are a country's names by its code. Marks over letters and their case do not count.
    """
    wanted = folded(query)
    return [
        way
        for way in every
        if any(
            wanted in folded(text)
            for text in (
                way.country,
                *names.get(way.country, ()),
                *way.scheme.name.model_dump().values(),
            )
        )
    ]


def folded(text: str) -> str:
    """The text as it is compared: no marks, no case, one space; Arabic without its variants."""
    bare = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(sign for sign in bare if not unicodedata.combining(sign))
    return " ".join(letters.replace("ى", "ي").replace("ة", "ه").replace("ـ", "").split())


def _every(verifiers: Iterable[Verifier], policy: Policy, wanted: str | None) -> Iterator[Way]:
    for verifier in verifiers:
        if not isinstance(verifier, SchemeVerifier):
            continue
        for scheme in verifier.schemes.values():
            for country in scheme.countries:
                rows = scheme.of(country)
                best = reachable((row.evidence for row in rows), policy)
                least = next(
                    (
                        row.means
                        for row in rows
                        if wanted and reaches(reachable([row.evidence], policy), wanted, policy)
                    ),
                    "",
                )
                yield Way(verifier.kind, scheme, country, best, least)
