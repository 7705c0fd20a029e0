"""What a request for verified claims must look like (Identity Assurance 1.0 §5.4–5.7): pure.

The rules are those of the schema that the specification publishes, in our own words, so that
nothing but the standard library stands between a stranger's JSON and our answer. Members that
the schema does not know are let through there as here; nobody answers them.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

EVIDENCE_TYPES: Final = ("document", "electronic_record", "electronic_signature", "vouch")
"""The types of evidence that the specification knows."""

Rule = Callable[[Any], str | None]
"""A JSON value → what is wrong with it, None if nothing is. Words of ours only, never theirs."""


def fault(element: Any) -> str | None:
    """What is wrong with the `verified_claims` of a request, or None.

    The text quotes nothing of the request: it may stand in an `error_description`.
    """
    if isinstance(element, list):
        return next(filter(None, map(_ELEMENT, element)), None)
    return _ELEMENT(element)


def _object(
    members: Mapping[str, Rule], *, needed: Iterable[str] = (), closed: bool = False
) -> Rule:
    def check(value: Any) -> str | None:
        if not isinstance(value, dict):
            return "must be an object"
        if missing := [name for name in needed if name not in value]:
            return f"lacks {missing[0]}"
        if closed and set(value) - set(members):
            return "has a member that does not belong there"
        faults = ((name, members[name](value[name])) for name in members if name in value)
        return next((f"{name}: {found}" for name, found in faults if found), None)

    return check


def _nullable(rule: Rule) -> Rule:
    return lambda value: None if value is None else rule(value)


def _list(rule: Rule) -> Rule:
    def check(value: Any) -> str | None:
        if not isinstance(value, list) or not value:
            return "must be a list with something in it"
        return next(filter(None, map(rule, value)), None)

    return check


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) else "must be a text"


def _switch(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _seconds(value: Any) -> str | None:
    # JSON has one kind of number: 60.0 is as whole as 60.
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole or value < 0:
        return "must be whole seconds, 0 or more"
    return None


def _claims(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not value:
        return "must be null or name a claim"
    return next(filter(None, map(_WANTED, value.values())), None)


def _evidence(value: Any) -> str | None:
    """One entry of `evidence`: which members are looked at depends on its type."""
    if found := _ENTRY(value):
        return found
    rule = _BY_TYPE.get(value["type"].get("value"))
    return rule(value) if rule else None


def _evidence_type(value: Any) -> str | None:
    return None if value in EVIDENCE_TYPES else "is no type of evidence"


_WANTED: Final = _nullable(_object({"essential": _switch}))
_LIMITED: Final = _nullable(_object({"essential": _switch, "value": _text, "values": _list(_text)}))
_DATED: Final = _nullable(_object({"essential": _switch, "max_age": _seconds}))

_PLACE: Final = dict.fromkeys(
    (
        "country",
        "country_code",
        "formatted",
        "jurisdiction",
        "locality",
        "name",
        "postal_code",
        "region",
        "street_address",
    ),
    _WANTED,
)
_VOUCHER: Final = {n: rule for n, rule in _PLACE.items() if n != "jurisdiction"} | {
    "birthdate": _DATED,
    "occupation": _WANTED,
    "organization": _WANTED,
}
_CHECKS: Final = _list(
    _object(
        {"check_id": _LIMITED, "check_method": _LIMITED, "organization": _LIMITED, "time": _DATED},
        needed=("check_method",),
    )
)
_DOCUMENT: Final = _object(
    {
        "type": _LIMITED,
        "date_of_expiry": _DATED,
        "date_of_issuance": _DATED,
        "document_number": _WANTED,
        "issuer": _object(_PLACE),
        "serial_number": _WANTED,
    }
)
_RECORD: Final = _object(
    {"type": _LIMITED, "created_at": _DATED, "date_of_expiry": _DATED, "source": _object(_PLACE)}
)
_ATTESTATION: Final = _object(
    {
        "type": _LIMITED,
        "date_of_expiry": _DATED,
        "date_of_issuance": _DATED,
        "reference_number": _WANTED,
        "voucher": _object(_VOUCHER),
    }
)
_SIGNATURE: Final = {
    "created_at": _DATED,
    "issuer": _WANTED,
    "serial_number": _WANTED,
    "signature_type": _WANTED,
}
_COMMON: Final = {"check_details": _CHECKS, "derived_claims": _claims}
_BY_TYPE: Final[Mapping[Any, Rule]] = {
    "document": _object(_COMMON | {"document_details": _DOCUMENT}),
    "electronic_record": _object(_COMMON | {"record": _RECORD}),
    "electronic_signature": _object(_SIGNATURE | {"derived_claims": _claims}),
    "vouch": _object(_COMMON | {"attestation": _ATTESTATION}),
}
_ENTRY: Final = _object(
    {"type": _object({"value": _evidence_type}), "attachments": _WANTED}, needed=("type",)
)
_REFERENCE: Final = _object(
    {
        "check_id": _LIMITED,
        "evidence_metadata": _object({"evidence_classification": _LIMITED}),
    },
    needed=("check_id",),
)
_DETAIL: Final = _object(
    {
        "assurance_classification": _LIMITED,
        "assurance_type": _LIMITED,
        "evidence_ref": _list(_REFERENCE),
    }
)
_PROCESS: Final = _object(
    {"assurance_details": _list(_DETAIL), "policy": _LIMITED, "procedure": _LIMITED}
)
_VERIFICATION: Final = _object(
    {
        "assurance_level": _LIMITED,
        "assurance_process": _PROCESS,
        "evidence": _list(_evidence),
        "time": _DATED,
        "trust_framework": _LIMITED,
        "verification_process": _WANTED,
    },
    needed=("trust_framework",),
)
_ELEMENT: Final = _object(
    {"claims": _claims, "verification": _VERIFICATION},
    needed=("verification", "claims"),
    closed=True,
)
