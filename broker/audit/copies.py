"""Entries as other people's systems read them: OCSF in CloudEvents, RFC 5424, OpenTelemetry. Pure.

Copies, never the record: they carry no proof, and whoever alters one alters nothing.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from broker.audit.event import EVENTS, REFUSED, outcome

OCSF_VERSION = "1.6.0"
PRODUCT = {"name": "Miftah", "vendor_name": "Miftah"}
ENTERPRISE = "miftah@32473"
"""SD-ID of our syslog data; 32473 is the number for documentation (RFC 5612)."""

_AUTHENTICATION, _ACCOUNT, _ENTITY, _API = 3002, 3001, 3004, 6003
_CLASSES: Mapping[str, int] = MappingProxyType(
    {
        "account": _ACCOUNT,
        "client": _ENTITY,
        "key": _ACCOUNT,
        "keys": _ENTITY,
        "log": _ENTITY,
        "logout": _AUTHENTICATION,
        "metadata": _ENTITY,
        "policy": _ENTITY,
        "recovery": _AUTHENTICATION,
        "session": _AUTHENTICATION,
        "sign_in": _AUTHENTICATION,
        "subject": _ACCOUNT,
    }
)
"""First word of an event → class of OCSF; whatever is not here is API activity."""

_OTHER = 99
_ACTIVITIES: Mapping[tuple[int, str], int] = MappingProxyType(
    {
        (_AUTHENTICATION, "accepted"): 1,
        (_AUTHENTICATION, "refused"): 1,
        (_AUTHENTICATION, "rehearsed"): 1,
        (_AUTHENTICATION, "used"): 1,
        (_AUTHENTICATION, "ended"): 2,
        (_AUTHENTICATION, "told"): 2,
        (_ACCOUNT, "created"): 1,
        (_ACCOUNT, "erased"): 6,
        (_ENTITY, "registered"): 1,
        (_ENTITY, "changed"): 3,
        (_ENTITY, "removed"): 4,
        (_API, "read"): 2,
    }
)
_INFORMATIONAL, _LOW = 1, 2
_NOTICE, _INFO = 5, 6
_LOG_AUDIT = 13
"""Facility of RFC 5424 §6.2.1."""

Entry = Mapping[str, Any]
Form = Callable[[int, Entry, str], bytes]
"""(index, entry as `read_leaf` gives it, issuer) → one line with its newline, or one frame."""


def ocsf(index: int, entry: Entry) -> dict[str, Any]:
    """The entry as an event of the Open Cybersecurity Schema Framework."""
    area, _, deed = entry["event"].partition(".")
    class_uid = _CLASSES.get(area, _API)
    activity = _ACTIVITIES.get((class_uid, deed), _OTHER)
    failed = _failed(entry)
    return {
        "activity_id": activity,
        "activity_name": entry["event"],
        "category_uid": class_uid // 1000,
        "class_uid": class_uid,
        "type_uid": class_uid * 100 + activity,
        "severity_id": _LOW if failed else _INFORMATIONAL,
        "status_id": 2 if failed else 1,
        "message": EVENTS[entry["event"]],
        "time": _milliseconds(entry["time"]),
        "metadata": {
            "version": OCSF_VERSION,
            "product": PRODUCT,
            "uid": str(index),
            "log_name": "record",
        },
        "unmapped": dict(entry["facts"]),
    }


def cloud_event(index: int, entry: Entry, issuer: str) -> bytes:
    """A CloudEvents 1.0 line in JSON, its data the event of OCSF."""
    return _line(
        {
            "specversion": "1.0",
            "id": str(index),
            "source": issuer,
            "type": f"miftah.record.{entry['event']}",
            "time": entry["time"],
            "datacontenttype": "application/json",
            "data": ocsf(index, entry),
        }
    )


def syslog(index: int, entry: Entry, issuer: str) -> bytes:
    """A frame of RFC 5425: its length, a space, a message of RFC 5424."""
    level = _NOTICE if _failed(entry) else _INFO
    host = issuer.partition("://")[2].partition("/")[0].partition(":")[0] or "-"
    data = f'[{ENTERPRISE} index="{index}" outcome="{outcome(entry["event"])}"]'
    head = f"<{_LOG_AUDIT * 8 + level}>1 {entry['time']} {host} miftah - {entry['event']} {data}"
    facts = json.dumps(entry["facts"], ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    message = f"{head} \ufeff{facts}".encode()
    return f"{len(message)} ".encode() + message


def open_telemetry(index: int, entry: Entry, issuer: str) -> bytes:
    """A line of OTLP in JSON (LogsData), as collectors read it from files."""
    severity = (13, "WARN") if _failed(entry) else (9, "INFO")
    attributes = {"event.name": entry["event"], "miftah.record.index": index}
    record = {
        "timeUnixNano": str(_milliseconds(entry["time"]) * 1_000_000),
        "severityNumber": severity[0],
        "severityText": severity[1],
        "body": {"stringValue": json.dumps(entry["facts"], ensure_ascii=False, sort_keys=True)},
        "attributes": _attributes(attributes),
    }
    scope = {"scope": {"name": "miftah.record"}, "logRecords": [record]}
    resource = {"attributes": _attributes({"service.name": "miftah", "service.namespace": issuer})}
    return _line({"resourceLogs": [{"resource": resource, "scopeLogs": [scope]}]})


FORMS: Mapping[str, Form] = MappingProxyType(
    {"cloudevents": cloud_event, "otlp": open_telemetry, "syslog": syslog}
)


def _failed(entry: Entry) -> bool:
    return outcome(entry["event"]) == REFUSED


def _milliseconds(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1000)


def _attributes(values: Mapping[str, str | int]) -> list[dict[str, Any]]:
    return [
        {"key": k, "value": {"intValue": str(v)} if isinstance(v, int) else {"stringValue": v}}
        for k, v in values.items()
    ]


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
