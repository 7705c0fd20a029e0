"""Every foreseen failure.

    BrokerError                 code, status
    ├── OAuthError              what RFC 6749 and OpenID Connect tell a client; may be redirected
    ├── EvidenceRejected        what a person presented proves nothing (422)
    ├── Malformed               the request makes no sense (400)
    ├── NotAllowed              understood, and refused (403)
    ├── NotFound                no such thing, or not yours (404)
    ├── Conflict                it was true when the page was made, it is not now (409)
    ├── TooLarge                more bytes than the door admits (413)
    ├── TooMany                 more tries than the door admits (429)
    ├── NotAcceptable           in no form that the caller would read (406)
    ├── PreconditionFailed      the caller saw an older state of it (412)
    ├── UnsupportedMediaType    a body of a kind that is not read here (415)
    ├── Unprocessable           well said, and it cannot be done (422)
    ├── PreconditionRequired    the caller must say which state of it they saw (428)
    ├── RecordUnavailable       what cannot be recorded is not done (503)
    └── UpstreamUnavailable     someone else does not answer (503)

`code` is stable: it is at once the audit reason, the key of the translated message and the
last segment of a problem's `type`. A code is public; `hint` is for the operator's log and
never holds personal data.
"""

from enum import StrEnum
from typing import ClassVar


class BrokerError(Exception):
    """A foreseen failure: `code` for everyone, `hint` for the operator's log."""

    status: ClassVar[int] = 500

    def __init__(self, code: str, hint: str = "") -> None:
        super().__init__(code, hint)
        self.code = code
        self.hint = hint


class OAuthCode(StrEnum):
    """Error codes of RFC 6749 §4.1.2.1 and §5.2 and OpenID Connect Core §3.1.2.6.

    And of RFC 6750 §3.1, 7009 §2.2.1, 7591 §3.2.2, 8707 §2, 9101 §7, 9396 §5, 9449 §12.2, 9470 §3.
    """

    ACCESS_DENIED = "access_denied"
    CONSENT_REQUIRED = "consent_required"
    INTERACTION_REQUIRED = "interaction_required"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    INSUFFICIENT_USER_AUTHENTICATION = "insufficient_user_authentication"
    INVALID_AUTHORIZATION_DETAILS = "invalid_authorization_details"
    INVALID_CLIENT = "invalid_client"
    INVALID_DPOP_PROOF = "invalid_dpop_proof"
    INVALID_CLIENT_METADATA = "invalid_client_metadata"
    INVALID_GRANT = "invalid_grant"
    INVALID_REDIRECT_URI = "invalid_redirect_uri"
    INVALID_REQUEST = "invalid_request"
    INVALID_REQUEST_OBJECT = "invalid_request_object"
    INVALID_REQUEST_URI = "invalid_request_uri"
    INVALID_SCOPE = "invalid_scope"
    INVALID_SOFTWARE_STATEMENT = "invalid_software_statement"
    INVALID_TARGET = "invalid_target"
    INVALID_TOKEN = "invalid_token"  # noqa: S105  an error code, not a secret
    LOGIN_REQUIRED = "login_required"
    REQUEST_NOT_SUPPORTED = "request_not_supported"
    REQUEST_URI_NOT_SUPPORTED = "request_uri_not_supported"
    REGISTRATION_NOT_SUPPORTED = "registration_not_supported"
    SERVER_ERROR = "server_error"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    UNAPPROVED_SOFTWARE_STATEMENT = "unapproved_software_statement"
    UNMET_AUTHENTICATION_REQUIREMENTS = "unmet_authentication_requirements"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    UNSUPPORTED_RESPONSE_TYPE = "unsupported_response_type"
    UNSUPPORTED_TOKEN_TYPE = "unsupported_token_type"  # noqa: S105  an error code
    USE_DPOP_NONCE = "use_dpop_nonce"


UNAUTHORIZED = frozenset(
    {
        OAuthCode.INVALID_CLIENT,
        OAuthCode.INVALID_TOKEN,
        OAuthCode.INSUFFICIENT_USER_AUTHENTICATION,
    }
)


class OAuthError(BrokerError):
    """A protocol error; `redirectable` once client and redirect_uri are proved (RFC 6749 §4.1.2.1).

    `hint` becomes `error_description`: ASCII, and nothing the sender did not already know.
    """

    def __init__(self, code: OAuthCode, hint: str = "", *, redirectable: bool = False) -> None:
        super().__init__(code.value, hint)
        self.redirectable = redirectable

    @property
    def http_status(self) -> int:
        """401 where a challenge is owed, 403 for a scope that is missing, 503 for now, else 400."""
        code = OAuthCode(self.code)
        if code is OAuthCode.TEMPORARILY_UNAVAILABLE:
            return 503
        if code is OAuthCode.INSUFFICIENT_SCOPE:
            return 403
        return 401 if code in UNAUTHORIZED else 400


class EvidenceRejected(BrokerError):
    """What was presented proves nothing; `code` says why and what to try next."""

    status = 422


class Malformed(BrokerError):
    """The request cannot be understood."""

    status = 400


class NotAllowed(BrokerError):
    """Understood, and refused."""

    status = 403


class NotFound(BrokerError):
    """No such thing, or not this browser's."""

    status = 404


class Conflict(BrokerError):
    """What the page was made for is no longer so."""

    status = 409


class TooLarge(BrokerError):
    """More bytes than this door admits."""

    status = 413


class TooMany(BrokerError):
    """More tries than this door admits."""

    status = 429


class NotAcceptable(BrokerError):
    """There is no answer in a form that the caller would read."""

    status = 406


class PreconditionFailed(BrokerError):
    """The caller saw an older state of the thing."""

    status = 412


class UnsupportedMediaType(BrokerError):
    """The body is of a kind that this door does not read."""

    status = 415


class Unprocessable(BrokerError):
    """Understood, and it cannot be done with what is there."""

    status = 422


class PreconditionRequired(BrokerError):
    """The caller must say which state of the thing they saw."""

    status = 428


class RecordUnavailable(BrokerError):
    """The database does not answer, or takes no entry: what cannot be recorded is not done."""

    status = 503


class UpstreamUnavailable(BrokerError):
    """Somebody whose answer is needed does not answer."""

    status = 503
