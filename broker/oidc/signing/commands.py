"""`flask --app broker keys status`: where every signing key stands in its life."""

from datetime import datetime, timedelta

import click
from flask.cli import AppGroup

from broker import keyring
from broker.db import transaction
from broker.jose import thumbprint
from broker.keyring import SigningKey, State
from broker.oidc.signing import takeover
from broker.web.tools import tools

commands = AppGroup("keys", help="The signing keys: where each stands.")


@commands.command()
def status() -> None:
    """List the signing keys, and record every takeover that no token has told of yet."""
    house, now = tools(), tools().clock()
    with transaction() as tx:
        for alg in house.keyring.algorithms(now):
            takeover.note(tx, house.keyring, alg, now)
    settings = house.settings
    every = keyring.load(settings.keys_dir, keyring.unlock(settings.keys)).signing
    for key in sorted(every, key=lambda k: (k.alg, k.since)):
        click.echo(_line(key, every, now, settings.keys.retire_after))


def _line(
    key: SigningKey, every: tuple[SigningKey, ...], now: datetime, retire_after: timedelta
) -> str:
    standing = keyring.state(key, every, now, retire_after)
    told = f"{key.alg}\t{thumbprint(key)}\t{standing}\tsince {key.since:%Y-%m-%dT%H:%M:%SZ}"
    superseded = keyring.superseded_at(key, every)
    if superseded is None:
        return told
    moment = superseded + retire_after if standing is not State.SIGNING else superseded
    word = {State.SIGNING: "until", State.VERIFYING: "retires", State.RETIRED: "retired"}
    return f"{told}\t{word.get(standing, 'retires')} {moment:%Y-%m-%dT%H:%M:%SZ}"
