"""What may be used once is used once, on either database, however many try at one moment."""

import threading
from datetime import timedelta

from flask import Flask

from broker.db import transaction
from broker.interaction.replay import first_use
from tests.conftest import NOON

LATER = NOON + timedelta(minutes=5)


def test_one_of_fifty_hears_yes(disk_app: Flask) -> None:
    heard: list[bool] = []

    def use() -> None:
        with disk_app.app_context(), transaction() as tx:
            heard.append(first_use(tx, "assertion", "client", "jti", LATER))

    threads = [threading.Thread(target=use) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(heard) == [False] * 49 + [True]


def test_kinds_and_owners_do_not_get_in_each_others_way(app: Flask) -> None:
    with app.app_context(), transaction() as tx:
        assert first_use(tx, "assertion", "a", "x", LATER)
        assert first_use(tx, "assertion", "b", "x", LATER)
        assert first_use(tx, "proof", "a", "x", LATER)
        assert not first_use(tx, "proof", "a", "x", LATER)
