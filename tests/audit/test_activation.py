"""Which assurance policy decides: told to the record once, by whoever grades first."""

from dataclasses import replace

from flask import Flask

from tests.service import register, settle
from tests.visits import entries


def activated(app: Flask) -> list[tuple[str, str | None]]:
    found = (e["facts"] for e in entries(app) if e["event"] == "policy.activated")
    return [(facts["policy"], facts["previous"]) for facts in found]


def test_the_policy_that_grades_is_recorded_once_and_again_when_it_changes(app: Flask) -> None:
    service, client = register(app), app.test_client()
    settle(app, client, agreed=("openid",))
    for _ in range(3):
        service.ask(client)
    house = app.extensions["broker"]
    first = house.policy.version
    assert activated(app) == [(first, None)]
    policy = house.policy.model_copy(update={"version": "2027-01-01.1"})
    app.extensions["broker"] = replace(house, policy=policy)
    service.ask(client)
    assert activated(app) == [(first, None), ("2027-01-01.1", first)]
