"""Only a flag and a name that cannot be taken for a real one let the test sign-in in."""

from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from broker.app import FEATURES, create_app, features
from broker.settings import Settings, SettingsRejected, read_settings
from broker.web.tools import Tools

REAL = "https://identity.example.com"


def read(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return read_settings(variables)


@pytest.mark.parametrize(
    "issuer",
    [
        "http://localhost:8000",
        "https://localhost",
        "http://127.0.0.1:8000",
        "https://broker.test",
        "https://op.suite.example",
        "https://a.localhost",
    ],
)
def test_a_name_that_is_never_real_may_rehearse(
    monkeypatch: pytest.MonkeyPatch, issuer: str
) -> None:
    assert read(monkeypatch, BROKER_ISSUER=issuer, BROKER_REHEARSAL="true").rehearsal


@pytest.mark.parametrize(
    "issuer",
    [
        REAL,
        "https://localhost.evil.ma",
        "https://test",
        "https://example",
        "https://broker.test.ma",
        "https://brokertest",
        "https://192.0.2.1",
    ],
)
def test_a_real_name_refuses_the_start_and_says_why(
    monkeypatch: pytest.MonkeyPatch, issuer: str
) -> None:
    with pytest.raises(SettingsRejected, match=r"BROKER_REHEARSAL: .*only on a test system"):
        read(monkeypatch, BROKER_ISSUER=issuer, BROKER_REHEARSAL="true")


def test_a_real_name_may_rehearse_where_it_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"BROKER_ISSUER": REAL, "BROKER_REHEARSAL": "true"}
    assert read(monkeypatch, **said, BROKER_REHEARSAL_ISSUER=REAL).rehearsal


@pytest.mark.parametrize("named", ["https://another.example.com", "true", "", "*"])
def test_any_other_name_repeated_does_not_help(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    said = {"BROKER_ISSUER": REAL, "BROKER_REHEARSAL": "true"}
    with pytest.raises(SettingsRejected, match="BROKER_REHEARSAL"):
        read(monkeypatch, **said, BROKER_REHEARSAL_ISSUER=named)


def test_the_name_alone_lets_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not read(monkeypatch, BROKER_ISSUER="https://broker.test").rehearsal
    assert features(Settings()) == FEATURES


def test_without_the_flag_there_is_no_such_page_no_link_and_no_banner(
    client: FlaskClient,
) -> None:
    assert client.get("/rehearsal/account").status_code == 404
    assert client.post("/rehearsal/account", data={"person": "verified"}).status_code == 404
    page = client.get("/sign-in/account").text
    assert "rehearsal" not in page


def test_one_application_that_rehearses_does_not_open_the_door_of_another(
    app: Flask, tools: Tools
) -> None:
    settings = tools.settings.model_copy(update={"rehearsal": True})
    assert create_app(replace(tools, settings=settings)).view_functions.get("rehearsal.be")
    assert app.view_functions.get("rehearsal.be") is None
    assert "rehearsal" not in app.test_client().get("/").text
