"""A parked request is found in its own browser, for its own time, by its exact handle."""

import pytest
from flask import Flask

from tests.service import Service, register

ODD = ["%00", "a%00b", "%0a", "..%2f", "é", "x" * 3000, "account%00"]


@pytest.mark.parametrize("handle", ODD)
@pytest.mark.parametrize("path", ["/authorize/{}", "/sign-in/{}", "/prove/{}", "/consent/{}"])
def test_an_odd_handle_is_answered_with_404_on_either_database(
    disk_app: Flask, path: str, handle: str
) -> None:
    assert disk_app.test_client().get(path.format(handle)).status_code == 404


def test_a_request_is_parked_without_any_cookie_of_ours_being_readable_by_scripts(
    app: Flask,
) -> None:
    service: Service = register(app)
    response = service.ask(app.test_client())
    for cookie in response.headers.getlist("Set-Cookie"):
        assert "HttpOnly" in cookie
        assert "Secure" in cookie
        assert "SameSite=Lax" in cookie
