"""py_webauthn, behind one door: with all that it needs it takes a fourteenth of the start.

So nobody imports this module before there is a ceremony to judge.
"""

from collections.abc import Iterable

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import (
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    encode_cbor,
    parse_cbor,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    RegistrationCredential,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from broker.authentication.client_data import Expected
from broker.authentication.message import UnverifiedAssertion, UnverifiedAttestation, base64url

__all__ = [
    "decode_credential_public_key",
    "decoded_public_key_to_cryptography",
    "encode_cbor",
    "parse_cbor",
    "verify_authentication",
    "verify_registration",
]


def verify_registration(
    answer: UnverifiedAttestation, expected: Expected, algorithms: Iterable[int]
) -> VerifiedRegistration:
    """What the library makes of a new key (§7.1). Raises whatever it raises."""
    return verify_registration_response(
        credential=RegistrationCredential(
            id=base64url(answer.credential_id),
            raw_id=answer.credential_id,
            response=AuthenticatorAttestationResponse(
                client_data_json=answer.client_data, attestation_object=answer.attestation_object
            ),
        ),
        expected_challenge=expected.challenge,
        expected_rp_id=expected.rp_id,
        expected_origin=expected.origin,
        require_user_presence=expected.attended,
        require_user_verification=expected.attended,
        supported_pub_key_algs=[COSEAlgorithmIdentifier(a) for a in algorithms],
    )


def verify_authentication(
    answer: UnverifiedAssertion, public_key: bytes, expected: Expected
) -> VerifiedAuthentication:
    """What the library makes of a signature by a known key (§7.2). Raises whatever it raises."""
    return verify_authentication_response(
        credential=AuthenticationCredential(
            id=base64url(answer.credential_id),
            raw_id=answer.credential_id,
            response=AuthenticatorAssertionResponse(
                client_data_json=answer.client_data,
                authenticator_data=answer.authenticator_data,
                signature=answer.signature,
            ),
        ),
        expected_challenge=expected.challenge,
        expected_rp_id=expected.rp_id,
        expected_origin=expected.origin,
        credential_public_key=public_key,
        credential_current_sign_count=0,
        require_user_verification=True,
    )
