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
    "address_malformed": Message(
        "This does not look like an e-mail address.", "Write it as in name@example.org."
    ),
    "address_code_rejected": Message(
        "This is not the code that we sent, or it is too old.",
        "Look at the newest message from us, or have another one sent.",
    ),
    "client_unknown": Message(
        "We do not know the service that sent you here.",
        "Check that its address is right. Its operator must register it with us first.",
    ),
    "consent_required": Message("Your agreement is needed first.", _BACK),
    "database_unavailable": Message(
        "Our database does not answer just now.",
        "Nothing was lost or half done. Wait a moment, then load this page again.",
    ),
    "evidence_unknown": Message(
        "We could not find this reading any more.",
        "Start again with a new photograph.",
    ),
    "evidence_replayed": Message(
        "This answer has been used already.",
        "Begin again: your country must answer anew each time.",
    ),
    "foreign_answer_lost": Message(
        "We do not know what this answer belongs to: the visit is over, or it began elsewhere.",
        "Go back to the service that sent you here and start again, in one window.",
    ),
    "answer_from_elsewhere": Message(
        "This answer came from elsewhere than the country that you chose.",
        "Begin again, and choose the country whose identity you will use.",
    ),
    "form_expired": Message(
        "This page is too old to be sent.",
        "Go back, reload the page and send it again. Your browser must accept cookies.",
    ),
    "identity_elsewhere": Message(
        "This identity already belongs to another access here.",
        "Sign in with the key of that access, or unlink the identity there first.",
    ),
    "identity_of_another": Message(
        "The names or the date of birth are not those of what you have shown before.",
        "If what you showed before is wrong, remove it on your account page, then try again.",
    ),
    "identity_unknown": Message(
        "This identity is not linked to your access.",
        "Look at your account page again: it may be gone already.",
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
    "reader_gone": Message(
        "The program that reads pictures does not run at this moment.",
        "Your picture is not to blame. Send it again in a few minutes, or choose another way.",
    ),
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
    "totp_rejected": Message(
        "These are not the six digits that the app shows now.",
        "Wait for the next ones, and see that your device's clock is right.",
    ),
    "temporarily_unavailable": Message(
        "Nothing of this kind can be confirmed just now.",
        "Nothing was lost. Try again in a few hours.",
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
    "case_state": Message(
        "The case cannot pass into this state from where it is.",
        "Load it again: another auditor may have changed it.",
    ),
    "export_not_ready": Message(
        "The bundle is not packed, or it could not be.", "Ask where it stands."
    ),
    "idempotency_key_reused": Message(
        "Another request came with this Idempotency-Key.", "Take a new key for every new request."
    ),
    "nobody_known": Message("The entry is about nobody, or about somebody who was erased.", ""),
    "not_acceptable": Message(
        "There is no answer in a form that you would accept.", "Ask for application/json."
    ),
    "not_an_auditor": Message("You are not one of the auditors.", "An operator appoints them."),
    "not_your_request": Message("Only the auditor who asked is told.", ""),
    "out_of_sight": Message("This holds entries that you may not see.", ""),
    "own_request": Message("You asked for this yourself.", "A second auditor must decide."),
    "people_only": Message("Only a person may do this, no program.", ""),
    "precondition_failed": Message("It was changed since you saw it.", "Load it again."),
    "precondition_required": Message(
        "Say which state of it you saw.", "Send its ETag in If-Match."
    ),
    "record_unavailable": Message(
        "The record cannot be read or written now.",
        "What cannot be recorded is not shown. Try again in a moment.",
    ),
    "too_many_kept": Message(
        "You have as many of these as one auditor may have.",
        "Delete one, or wait until one is done.",
    ),
    "too_many_requests": Message(
        "You asked too often in this minute.", "Wait as long as Retry-After says."
    ),
    "unmasking_over": Message("The request is not open for this.", "Look where it stands."),
}


def message(code: str) -> Message:
    """The message of a code in the language of this answer."""
    found = MESSAGES.get(code)
    for verifier in tools().verifiers:
        found = found or verifier.refusals.get(code)
    if found is None:
        found = MESSAGES["malformed"]
    return Message(gettext(found.what), gettext(found.advice) if found.advice else "")
