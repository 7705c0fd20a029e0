"""Every measure of the broker, and the closed sets of its labels (docs/observability.md)."""

from typing import Final

from broker.measuring.measure import Kind, Label, Measure

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
STATUS: Final = frozenset({"1xx", "2xx", "3xx", "4xx", "5xx"})
GRANTS: Final = frozenset(
    {
        "authorization_code",
        "client_credentials",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    }
)

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_TOKEN = (0.00025, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5)
_SLOW = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 40)

_ROUTE = Label("route", house="routes")
_WAY = Label("route", house="ways")


def _one_of(name: str, *values: str) -> Label:
    return Label(name, frozenset(values))


REQUESTS = Measure(
    Kind.HISTOGRAM,
    "broker_http_request_seconds",
    "Requests: from their arrival until the head of the answer was ready.",
    (_ROUTE, Label("method", METHODS), Label("status", STATUS)),
    _FAST,
)
ERRORS = Measure(
    Kind.COUNTER,
    "broker_errors_total",
    "Requests that ended in a refusal or a failure, by its code.",
    (Label("code", house="codes"),),
)
LIMITS = Measure(
    Kind.COUNTER,
    "broker_limits_hit_total",
    "Requests that were refused because there had been too many.",
    (_ROUTE,),
)
LOGINS = Measure(
    Kind.COUNTER,
    "broker_logins_total",
    "Visits for a service that ended with a code, or without one (acr: none).",
    (Label("acr", house="acr"), _one_of("result", "accepted", "refused")),
)
TOKENS = Measure(
    Kind.HISTOGRAM,
    "broker_token_issue_seconds",
    "Answering a token request with tokens, its commit included.",
    (Label("grant", GRANTS),),
    _TOKEN,
)
PROOFING = Measure(
    Kind.HISTOGRAM,
    "broker_proofing_seconds",
    "Looking at what a person presented, by the way of proving; accepted or not.",
    (_WAY,),
    _SLOW,
)
PROOFS = Measure(
    Kind.COUNTER,
    "broker_proofings_total",
    "What persons presented, by the way of proving and by what came of it.",
    (_WAY, _one_of("result", "accepted", "refused", "failed")),
)
PICTURES = Measure(
    Kind.HISTOGRAM,
    "broker_picture_seconds",
    "Reading the pictures of one request, the wait for a reading process included.",
    (_one_of("result", "read", "refused", "busy", "too_costly", "failed"),),
    _SLOW,
)
READERS_KILLED = Measure(
    Kind.COUNTER,
    "broker_readers_killed_total",
    "Reading processes that were replaced: too slow, or gone by themselves.",
    (_one_of("reason", "late", "gone"),),
)
UPSTREAM = Measure(
    Kind.NEWEST,
    "broker_upstream_up",
    "1 where the last contact with a foreign scheme went well, 0 where it did not.",
    (Label("scheme", house="schemes"),),
)
OUTBOUND = Measure(
    Kind.HISTOGRAM,
    "broker_outbound_seconds",
    "Asking other machines by HTTP.",
    (_one_of("result", "answered", "address_refused", "upstream_unavailable",
             "upstream_unusable"),),
    _SLOW,
)  # fmt: skip
CONNECTIONS = Measure(
    Kind.HELD,
    "broker_database_connections",
    "Connections to the database: open, and those of them that are in use.",
    (_one_of("state", "open", "in_use"),),
)
DATABASE_UP = Measure(
    Kind.LOOKED_UP,
    "broker_database_up",
    "1 where the database answered when the metrics were asked for.",
)
PROCESSES = Measure(
    Kind.LOOKED_UP,
    "broker_processes",
    "Processes of the broker that live and measure.",
)
RECORD_ENTRIES = Measure(
    Kind.LOOKED_UP, "broker_record_entries", "Entries of the record, those included that wait."
)
RECORD_LAG = Measure(
    Kind.LOOKED_UP,
    "broker_record_lag_seconds",
    "How long the oldest entry has waited that no checkpoint covers; 0 where all are covered.",
)
CHECKPOINT_AGE = Measure(
    Kind.LOOKED_UP, "broker_record_checkpoint_age_seconds", "Age of the newest checkpoint."
)
KEY_AGE = Measure(
    Kind.LOOKED_UP,
    "broker_key_age_seconds",
    "How long the key has signed that signs now.",
    (Label("alg", house="algorithms"),),
)
QUEUE = Measure(
    Kind.LOOKED_UP,
    "broker_queue_length",
    "What waits to be told: letters to people, sign-outs to services.",
    (_one_of("queue", "mail", "sign_out"),),
)
QUEUE_AGE = Measure(
    Kind.LOOKED_UP,
    "broker_queue_age_seconds",
    "How long the oldest of it has waited; 0 where nothing waits.",
    (_one_of("queue", "mail", "sign_out"),),
)

MEASURES: Final = (
    REQUESTS, ERRORS, LIMITS, LOGINS, TOKENS, PROOFING, PROOFS, PICTURES, READERS_KILLED,
    UPSTREAM, OUTBOUND, CONNECTIONS, DATABASE_UP, PROCESSES, RECORD_ENTRIES, RECORD_LAG,
    CHECKPOINT_AGE, KEY_AGE, QUEUE, QUEUE_AGE,
)  # fmt: skip
"""All of them."""

BY_NAME: Final = {measure.name: measure for measure in MEASURES}
