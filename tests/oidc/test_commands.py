"""Registering relying services from the command line."""

from pathlib import Path

import pytest
from flask import Flask

from broker.db import reading
from broker.oidc import store
from broker.oidc.client_metadata import redirect_uri_fault

REGISTER = ["client", "register", "--name", "fr=Essai", "--id", "essai"]


def run(app: Flask, *args: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=list(args))
    return result.exit_code, result.output


def test_the_secret_is_shown_once_and_kept_as_a_digest(app: Flask) -> None:
    code, told = run(app, *REGISTER, "--redirect-uri", "https://a.test/cb", "--scope", "openid")
    assert code == 0
    secret = told.split("client_secret ")[1].strip()
    with app.app_context(), reading() as tx:
        client = store.find_client(tx, "essai")
    assert client is not None
    assert client.secret == store.digest(secret)
    assert client.metadata.sector_host == "a.test"
    assert secret not in run(app, "client", "list")[1]


def test_a_new_secret_ends_the_old_one(app: Flask) -> None:
    _, told = run(app, *REGISTER, "--redirect-uri", "https://a.test/cb")
    _, again = run(app, "client", "secret", "essai")
    assert told.split("client_secret ")[1] != again.split("client_secret ")[1]


@pytest.mark.parametrize("name", ["-HoNo4X7", "--id-d", "-"])
def test_a_name_may_begin_with_a_hyphen(app: Flask, tmp_path: Path, name: str) -> None:
    run(app, *REGISTER[:-1], name, "--redirect-uri", "https://a.test/cb")
    code, shown = run(app, "client", "show", name)
    assert code == 0
    (tmp_path / "whole.json").write_text(shown)
    changed = ("client", "change", name, "--metadata", str(tmp_path / "whole.json"))
    for command in (changed, ("client", "secret", name), ("client", "remove", name)):
        assert run(app, *command)[0] == 0, command
    assert run(app, "client", "show", name)[0] == 2


@pytest.mark.parametrize(
    "uri",
    [
        "http://a.test/cb",
        "https://a.test/cb#x",
        "javascript:alert(1)",
        "https://",
        "/cb",
        "https://u@a.test/",
        "https://a.test/ b",
        "https://*.a.test/",
        "https://a.test\\@b.test/",
        "https://a.test:0/",
        "https://a.test:x/",
        "data:text/html,x",
        "https://é.test/",
    ],
)
def test_an_address_that_is_no_safe_place_to_answer_is_refused(app: Flask, uri: str) -> None:
    assert redirect_uri_fault(uri) is not None
    code, told = run(app, *REGISTER, "--redirect-uri", uri)
    assert code == 2
    assert "Error" in told


@pytest.mark.parametrize(
    "uri",
    [
        "https://a.test/cb",
        "http://localhost:8001/cb",
        "http://127.0.0.1/cb",
        "http://[::1]:9/cb",
        "https://a.test/?x=1",
    ],
)
def test_a_safe_address_is_accepted(uri: str) -> None:
    assert redirect_uri_fault(uri) is None


@pytest.mark.parametrize(
    "more",
    [
        [],
        ["--redirect-uri", "https://a.test/", "--redirect-uri", "https://b.test/"],
        ["--redirect-uri", "https://a.test/", "--scope", "openid everything"],
        ["--redirect-uri", "https://a.test/", "--name", "de=Versuch"],
    ],
)
def test_a_faulty_registration_leaves_nothing(app: Flask, more: list[str]) -> None:
    assert run(app, *REGISTER, *more)[0] == 2
    with app.app_context(), reading() as tx:
        assert store.find_client(tx, "essai") is None


def test_one_identifier_is_registered_once(app: Flask) -> None:
    args = (*REGISTER, "--redirect-uri", "https://a.test/cb")
    assert run(app, *args)[0] == 0
    assert run(app, *args)[0] == 2
