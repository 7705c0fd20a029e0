"""What a person does on the development pages of npm oidc-provider."""

from urllib.parse import urljoin

import requests

from tests.people import forms


def walk(browser: requests.Session, url: str) -> str:
    """Sign in as `person`, agree to everything; the address that the browser is sent to."""
    home = url.split("/auth", maxsplit=1)[0]
    answer = browser.get(url, allow_redirects=False, timeout=10)
    for _ in range(12):
        if answer.is_redirect:
            target = urljoin(answer.url, answer.headers["Location"])
            if not target.startswith(home):
                return target
            answer = browser.get(target, allow_redirects=False, timeout=10)
            continue
        form = forms(answer.text)[0]
        fields = form.fields | (
            {"login": "person", "password": "x"} if "login" in form.fields else {}
        )
        action = urljoin(answer.url, form.action)
        answer = browser.post(action, data=fields, allow_redirects=False, timeout=10)
    raise AssertionError(f"no way out of {answer.url}")
