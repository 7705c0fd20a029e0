"""One handler, three forms: a page for people, OAuth JSON and problem+json for programs."""

import logging

import pytest
from flask import Flask
from flask.testing import FlaskClient

from broker.app import REQUEST_LIMIT
from tests.conftest import ISSUER
from tests.web.conftest import see


@pytest.mark.parametrize(
    ("why", "status", "told"),
    [
        ("not_allowed", 403, "You signed in too long ago for this."),
        ("not_found", 404, "We could not find this reading any more."),
        ("conflict", 409, "This visit is over, or it began in another browser."),
        ("too_large", 413, "What you sent is too large."),
        ("too_many", 429, "You have tried many times."),
        ("upstream", 503, "Something went wrong on our side."),
        ("client", 401, "The service did not prove who it is."),
    ],
)
def test_a_person_is_told_what_happened_and_what_to_do(
    client: FlaskClient, why: str, status: int, told: str
) -> None:
    answer = see(client, f"/page/{why}")
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert f">{told}</h1>" in answer.text


def test_the_hint_for_the_operator_is_not_on_the_page(client: FlaskClient) -> None:
    assert "a hint" not in see(client, "/page/not_allowed").text


def test_the_page_speaks_the_language_of_the_person(client: FlaskClient) -> None:
    assert "Vous avez fait de nombreux essais." in see(client, "/page/too_many", "fr").text


@pytest.mark.parametrize("why", ["not_allowed", "not_found", "too_many"])
def test_a_program_at_the_api_is_told_by_problem_json(client: FlaskClient, why: str) -> None:
    answer = see(client, f"/api/test/{why}")
    assert answer.content_type == "application/problem+json"
    problem = answer.get_json()
    assert problem["status"] == answer.status_code
    assert problem["type"].startswith("https://broker.test/problems/")
    assert set(problem) == {"type", "title", "status", "detail"}


@pytest.mark.parametrize("door", ["/api/nothing", "/api/v1/nothing"])
def test_an_unknown_api_address_is_a_problem_too(client: FlaskClient, door: str) -> None:
    answer = see(client, door)
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


@pytest.mark.parametrize("door", ["/.well-known/nothing", "/token/nothing/at/all"])
def test_an_unknown_machine_door_answers_in_json(client: FlaskClient, door: str) -> None:
    answer = see(client, door)
    assert (answer.status_code, answer.mimetype) == (404, "application/json")
    assert answer.get_json() == {"error": "invalid_request"}


@pytest.mark.parametrize(
    ("why", "status", "body"),
    [
        (
            "client",
            401,
            {"error": "invalid_client", "error_description": "who are you"},
        ),
        (
            "scope",
            403,
            {"error": "insufficient_scope", "error_description": "not that"},
        ),
        ("upstream", 503, {"error": "server_error"}),
        ("not_allowed", 403, {"error": "invalid_request"}),
    ],
)
def test_a_client_is_told_in_the_words_of_oauth(
    client: FlaskClient, why: str, status: int, body: dict[str, str]
) -> None:
    answer = see(client, f"/token/test/{why}")
    assert (answer.status_code, answer.get_json()) == (status, body)
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_refused_client_is_challenged_for_its_password(client: FlaskClient) -> None:
    challenge = see(client, "/api/test/token").headers["WWW-Authenticate"]
    assert challenge == 'Bearer realm="miftah"'


def test_a_refused_token_is_challenged_with_its_fault(client: FlaskClient) -> None:
    answer = see(client, "/userinfo/test/token", Authorization="Bearer x")
    expected = 'Bearer realm="miftah", error="invalid_token", error_description="worn out"'
    assert answer.headers["WWW-Authenticate"] == expected


def test_a_request_without_a_token_learns_no_error_code(client: FlaskClient) -> None:
    answer = see(client, "/userinfo/test/token")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="miftah"'


@pytest.mark.parametrize("door", ["/userinfo/test/quoting", "/api/test/quoting"])
def test_no_hint_can_break_out_of_its_header(client: FlaskClient, door: str) -> None:
    answer = see(client, door, Authorization="Bearer x")
    challenge = answer.headers["WWW-Authenticate"]
    assert answer.status_code == 401
    assert "X-Evil" not in answer.headers
    assert challenge.count('"') == 6
    assert challenge.isascii()
    assert challenge.isprintable()


@pytest.mark.parametrize(
    "door", ["/page/broken", "/api/test/broken", "/token/test/broken", "/userinfo/test/broken"]
)
def test_what_nobody_foresaw_tells_nothing_of_the_inside(client: FlaskClient, door: str) -> None:
    answer = see(client, door)
    assert answer.status_code == 500
    for inside in ("Traceback", "RuntimeError", "Fatima", "_break", ".py"):
        assert inside not in answer.text


def test_the_reference_on_the_page_finds_the_place_in_the_log(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "broker"):
        page = see(client, "/page/broken").text
    [entry] = [r.getMessage() for r in caplog.records if r.name == "broker"]
    assert entry.startswith("unforeseen RuntimeError at ")
    assert entry.rsplit("reference ", 1)[1] in page


def test_no_value_of_a_person_reaches_the_log(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        see(client, "/page/broken")
    assert "Fatima" not in caplog.text


def test_a_refusal_is_logged_with_its_code_and_its_hint(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "broker"):
        see(client, "/page/not_allowed")
    assert "refused: sign_in_again at page_refuse (a hint)" in caplog.text


@pytest.mark.parametrize(
    ("door", "kind"),
    [
        ("/page/not_found", "text/html"),
        ("/api/test/not_found", "application/problem+json"),
        ("/sent", "text/html"),
    ],
)
def test_more_bytes_than_any_door_admits_are_refused(
    client: FlaskClient, door: str, kind: str
) -> None:
    answer = client.post(
        door,
        data=b"x" * 32,
        base_url=ISSUER,
        content_type="application/x-www-form-urlencoded",
        environ_overrides={"CONTENT_LENGTH": str(REQUEST_LIMIT + 1)},
    )
    if door == "/sent":
        assert answer.status_code == 413
    assert answer.status_code < 500
    assert answer.content_type.startswith(kind)


def test_fields_longer_than_any_form_of_ours_are_refused(client: FlaskClient) -> None:
    field = b'--x\r\nContent-Disposition: form-data; name="said"\r\n\r\n'
    answer = client.post(
        "/sent",
        data=field + b"x" * 600_000 + b"\r\n--x--\r\n",
        base_url=ISSUER,
        content_type="multipart/form-data; boundary=x",
    )
    assert answer.status_code == 413


def test_a_method_that_a_door_does_not_know_is_told_the_ones_it_knows(
    client: FlaskClient,
) -> None:
    answer = client.delete("/policy", base_url=ISSUER)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_an_error_that_werkzeug_alone_knows_is_a_page_of_ours(app: Flask) -> None:
    app.add_url_rule("/teapot", "teapot", lambda: app.aborter(418))
    answer = see(app.test_client(), "/teapot")
    assert answer.status_code == 418
    assert "We could not understand this request." in answer.text


def test_a_redirect_of_werkzeug_is_no_error(app: Flask) -> None:
    app.add_url_rule("/folder/", "folder", lambda: "")
    assert see(app.test_client(), "/folder").status_code == 308


@pytest.mark.parametrize(
    ("door", "told"),
    [
        ("/page/away", "Our database does not answer just now."),
        ("/token/test/away", '{"error":"temporarily_unavailable"}'),
        ("/api/test/away", '"https://broker.test/problems/database_unavailable"'),
    ],
)
def test_a_database_that_is_away_is_said_to_be_away_for_a_moment(
    client: FlaskClient, door: str, told: str
) -> None:
    answer = see(client, door)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert told in answer.text
    assert "Fatima" not in answer.text


def test_a_mistake_of_ours_in_a_statement_is_no_absence(client: FlaskClient) -> None:
    assert see(client, "/token/test/misspelt").status_code == 500
