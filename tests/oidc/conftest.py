"""A registered service and a person who has signed in and agreed."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.service import Person, Service, register, settle


@pytest.fixture
def service(app: Flask) -> Service:
    return register(app)


@pytest.fixture
def person(app: Flask, client: FlaskClient, service: Service) -> Person:
    return settle(app, client, agreed=("openid", "offline_access"))
