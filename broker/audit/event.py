"""What the record may hold: every event, in one sentence, with its outcome."""

from collections.abc import Mapping
from types import MappingProxyType

EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "account.created": "A person's account was made, at their first security key.",
        "account.erased": "Everything personal about an account was destroyed for good.",
        "address.confirmed": "A person proved an address of theirs, for notices about the account.",
        "address.refused": "What proves an address was not accepted, and why.",
        "address.removed": "A person took back the address for notices about their account.",
        "auditor.appointed": "An operator let a person read the record, and how much of it.",
        "auditor.dismissed": "A person may no longer read the record.",
        "auditor.read": "Somebody read the record: who, what they asked for, how many they got.",
        "case.changed": "A review case was given another state or another auditor.",
        "case.commented": "An auditor added to a review case.",
        "case.opened": "An auditor opened a review case about an entry.",
        "client.changed": "The registration of a relying service was changed.",
        "client.invited": "An operator let somebody register relying services.",
        "client.registered": "A relying service was registered.",
        "client.removed": "A relying service was removed, and all that it was given with it.",
        "code.issued": "A relying service was sent an authorization code.",
        "code.refused": "An authorization request ended without a code.",
        "consent.declined": "A person did not agree to what a relying service asked for.",
        "consent.given": "A person agreed to share values with a relying service.",
        "consent.withdrawn": "A person took an agreement back.",
        "evidence.accepted": "What a person presented passed its checks and was filed.",
        "evidence.discarded": "A person did not confirm what was read, and nothing was filed.",
        "evidence.removed": "A person took back what was filed about them.",
        "evidence.refused": "What a person presented proved nothing, and why.",
        "identity.linked": "A foreign identity was linked to an account, and by what rule.",
        "identity.refused": "A foreign identity was not taken: another account's or person's.",
        "identity.unlinked": "A person took the link to a foreign identity away.",
        "export.made": "What an auditor had asked to take along was packed and signed.",
        "export.refused": "What an auditor had asked to take along could not be packed.",
        "export.requested": "An auditor asked for entries to take along.",
        "handover.offered": "A person asked to photograph something with another device.",
        "handover.used": "What another device sent was read for the person who had asked.",
        "key.enrolled": "A security key was added to an account.",
        "key.removed": "A security key was taken from an account.",
        "key.renamed": "A person gave a security key another name.",
        "key.weakened": "A weakness of a key's model became known; its owner's visits were ended.",
        "keys.rotated": "A signing key of this broker took over from another.",
        "log.pruned": "Entries below an index are no longer kept; their hashes are.",
        "logout.refused": "A relying service could not be told of a sign-out, and why.",
        "logout.told": "A relying service was told that a person had signed out.",
        "metadata.imported": "Newer FIDO metadata is in force: what is known of models of keys.",
        "notice.refused": "A notice to a person could not be delivered, and why.",
        "notice.told": "A person was told by mail of what happened to their account.",
        "operator.acted": "An operator did something to the record by hand, and what.",
        "policy.activated": "This version of the assurance policy decides from now on.",
        "recovery.confirmed": "A person proved again who they are: their new key counts in full.",
        "recovery.prepared": "A person was given a sheet of recovery codes; older ones are void.",
        "recovery.refused": "A recovery code was not accepted, and why.",
        "recovery.used": "A person came in by a recovery code; their other sessions were ended.",
        "search.dropped": "An auditor deleted a search that they had kept.",
        "search.kept": "An auditor kept a search under a name.",
        "session.ended": "A browser was signed out.",
        "sign_in.accepted": "A person signed in with a security key.",
        "sign_in.rehearsed": "A test person was signed in without a key, on a test system.",
        "sign_in.refused": "A security key's answer was not accepted, and why.",
        "subject.erased": "What linked entries to a person was destroyed; the entries stay.",
        "token.exchanged": "A service was given a token to act with for a person, at another.",
        "token.issued": "A relying service was given tokens for a code or a refresh token.",
        "token.refused": "A relying service asked for tokens and was given none, and why.",
        "token.repeated": "A service that had lost the answer to a refresh was given it again.",
        "token.revoked": "Tokens that were still good were made worthless.",
        "totp.enrolled": "An authenticator app was added to an account.",
        "totp.refused": "A code of an authenticator app was not accepted, and why.",
        "totp.removed": "The authenticator app was taken from an account.",
        "unmask.approved": "A second auditor agreed that a person be unmasked, for a time.",
        "unmask.declined": "A second auditor did not agree that a person be unmasked.",
        "unmask.read": "An auditor was told who the person is that an entry is about.",
        "unmask.requested": "An auditor asked who the person is that an entry is about.",
    }
)

REFUSED = "refused"
DONE = "done"
_REFUSALS = frozenset({"declined", "refused"})


def outcome(event: str) -> str:
    """`refused` for an event that says no, `done` for every other."""
    return REFUSED if event.rsplit(".", 1)[-1] in _REFUSALS else DONE
