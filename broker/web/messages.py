"""What a person is told about each code: what happened, and what to do now.

Codes of verifiers come with the verifier; all others stand in this table.
"""

from broker.identity.verifier import Message
from broker.web.locale import gettext
from broker.web.tools import tools

_BACK = "Go back to the service that sent you here and start again."

MESSAGES: dict[str, Message] = {
    "access_denied": Message("You declined to continue.", _BACK),
    "address_refused": Message(
        "A service named an address that we do not connect to.",
        "Its operator must publish it by https, on the public internet.",
    ),
    "client_unknown": Message(
        "We do not know the service that sent you here.",
        "Check that its address is right. Its operator must register it with us first.",
    ),
    "consent_required": Message("Your agreement is needed first.", _BACK),
    "evidence_unknown": Message(
        "We could not find this reading any more.",
        "Start again with a new photograph.",
    ),
    "form_expired": Message(
        "This page is too old to be sent.",
        "Go back, reload the page and send it again. Your browser must accept cookies.",
    ),
    "handover_over": Message(
        "This address is over, or it has been used.",
        "At the computer, ask for a new one.",
    ),
    "interaction_over": Message(
        "This visit is over, or it began in another browser.",
        _BACK,
    ),
    "interaction_required": Message("You must take part for this to go on.", _BACK),
    "insufficient_scope": Message("The access token does not allow this.", ""),
    "invalid_authorization_details": Message(
        "The service asked for something that it may not ask for.", _BACK
    ),
    "invalid_client": Message("The service did not prove who it is.", _BACK),
    "insufficient_user_authentication": Message(
        "A fresher or stronger sign-in is needed for this.", _BACK
    ),
    "invalid_dpop_proof": Message(
        "The service did not prove that the access token is its own.", _BACK
    ),
    "invalid_client_metadata": Message("The request cannot be accepted.", _BACK),
    "invalid_redirect_uri": Message("The request cannot be accepted.", _BACK),
    "invalid_software_statement": Message("The request cannot be accepted.", _BACK),
    "unapproved_software_statement": Message("The request cannot be accepted.", _BACK),
    "invalid_grant": Message("This code or token is no longer valid.", _BACK),
    "invalid_request": Message(
        "The service that sent you here made a request that we cannot accept.",
        "Tell the service's operator what you read here.",
    ),
    "invalid_request_object": Message(
        "The service that sent you here made a request that we cannot accept.",
        "Tell the service's operator what you read here.",
    ),
    "invalid_request_uri": Message(
        "The request that brought you here is over, or it is not this service's.", _BACK
    ),
    "invalid_scope": Message("The service asked for something that it may not ask for.", _BACK),
    "invalid_target": Message(
        "The service asked for access to a place that we do not know.", _BACK
    ),
    "invalid_token": Message("The access token is missing, wrong or too old.", ""),
    "key_known": Message(
        "This security key is already registered.",
        "Sign in with it, or register another one.",
    ),
    "key_model_weak": Message(
        "A weakness of this model of key is known, so we cannot register it.",
        "Take a key of another model.",
    ),
    "key_rejected": Message(
        "Your security key's answer could not be accepted.",
        "Try again. If it happens once more, try another key.",
    ),
    "key_too_late": Message(
        "The key's answer came too late, or it had been used already.",
        "Try again.",
    ),
    "key_unknown": Message(
        "We do not know this security key.",
        "Use the key that you registered here, or create your access anew.",
    ),
    "last_key": Message(
        "This is your only security key.",
        "Register another one before you remove it.",
    ),
    "login_required": Message("You must sign in first.", _BACK),
    "logout_hint_rejected": Message(
        "We cannot check which visit the service wants to end.",
        "You are still signed in. You can sign out on your account page.",
    ),
    "malformed": Message("We could not understand this request.", "Go back and try again."),
    "method_not_allowed": Message("This address does not answer this kind of request.", ""),
    "not_found": Message(
        "There is nothing at this address.",
        "Check the address, or go back to the service that you came from.",
    ),
    "not_signed_in": Message("You are not signed in.", "Sign in and try again."),
    "record_altered": Message(
        "The record contradicts itself.",
        "Somebody changed it beside this program. Tell the operator of this service.",
    ),
    "recovery_cooling": Message(
        "You came in by a recovery code: for now, your keys and codes stay as they are.",
        "Sign in with a key that you had before, or wait until the new one counts in full.",
    ),
    "recovery_rejected": Message(
        "This is not a recovery code of ours, or it was used already.",
        "Check it sign by sign, or take the next one on your sheet.",
    ),
    "redirect_uri_unknown": Message(
        "The service asked us to send you to an address that it has not registered.",
        "For your safety we stop here. Tell the service's operator.",
    ),
    "registration_not_supported": Message("The request cannot be accepted.", _BACK),
    "request_not_supported": Message("The request cannot be accepted.", _BACK),
    "request_uri_not_supported": Message("The request cannot be accepted.", _BACK),
    "server_error": Message(
        "Something went wrong on our side.",
        "Nothing was lost or half done. Try again in a few minutes.",
    ),
    "sign_in_again": Message(
        "You signed in too long ago for this.",
        "Sign in again with your security key, then repeat what you wanted to do.",
    ),
    "too_many_attempts": Message(
        "You have tried many times.",
        "Wait an hour, then try again.",
    ),
    "too_many_bytes": Message(
        "What you sent is too large.",
        "Send a file of at most 15 MB.",
    ),
    "too_many_tries": Message(
        "There were many tries from here.",
        "Nothing is locked. Wait a few minutes, then try again.",
    ),
    "unauthorized_client": Message("The service may not make this request.", _BACK),
    "unmet_authentication_requirements": Message(
        "The service asks for more than we can establish about you today.", _BACK
    ),
    "unsupported_grant_type": Message("The request cannot be accepted.", _BACK),
    "unsupported_media_type": Message("We cannot read this kind of content.", ""),
    "unsupported_response_type": Message("The request cannot be accepted.", _BACK),
    "upstream_unavailable": Message(
        "Another system that we need did not answer.", "Try again in a few minutes."
    ),
    "upstream_unusable": Message(
        "Another system that we need gave an answer that we cannot use.",
        "Try again in a few minutes.",
    ),
    "unsupported_token_type": Message("The request cannot be accepted.", _BACK),
    "use_dpop_nonce": Message(
        "The service must repeat its request with the number that we gave it.", _BACK
    ),
    "verifier_unknown": Message(
        "There is no such way to prove who you are.",
        "Choose one of the ways in the list.",
    ),
}


def message(code: str) -> Message:
    """The message of a code in the language of this answer."""
    found = MESSAGES.get(code)
    for verifier in tools().verifiers:
        found = found or verifier.refusals.get(code)
    if found is None:
        found = MESSAGES["malformed"]
    return Message(gettext(found.what), gettext(found.advice) if found.advice else "")
