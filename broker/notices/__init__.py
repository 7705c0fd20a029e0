"""Notices: a person is told by mail of every change to what their account rests on."""

from broker.feature import Feature
from broker.notices import store
from broker.notices.address import panel
from broker.notices.commands import commands
from broker.notices.posting import listen
from broker.notices.routes import pages
from broker.notices.worker import send_next

feature = Feature(
    "notices",
    pages=pages,
    panel=panel,
    erase=store.erase,
    recorded=listen,
    work=send_next,
    commands=commands,
    gauges=store.gauges,
)
