"""The record: what happened, in a tree that nobody can change unnoticed (RFC 9162, C2SP tlog)."""

from broker.audit import health
from broker.audit.commands import commands
from broker.audit.log import erase
from broker.audit.worker import keep_sequencing, sequence_next
from broker.feature import Feature

feature = Feature(
    "audit",
    erase=erase,
    work=sequence_next,
    steady=keep_sequencing,
    commands=commands,
    gauges=health.gauges,
    ready=health.is_sound,
)
