"""A person at another provider's own pages: signs in and agrees, whatever is asked."""

from collections.abc import Mapping
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

from bench.flows.contestant import CALLBACK, BenchFailed

_PAGES = 12


class _Form(HTMLParser):
    """The last form of a page that is sent by POST: its address and its fields."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect."""
        said = {name: value or "" for name, value in attrs}
        if tag == "form" and said.get("method", "").lower() == "post":
            self.action, self.fields = said.get("action", ""), {}
        elif tag in {"input", "button"} and self.action is not None and "name" in said:
            self.fields.setdefault(said["name"], said.get("value", ""))


def sign_in(url: str, said: Mapping[str, str]) -> str:
    """The Cookie header of a new browser once it was sent back with a code.

    `said` is what the person types, by the names of the fields. Raises BenchFailed.
    """
    browser = requests.Session()
    answer = browser.get(url, allow_redirects=False, timeout=30)
    for _ in range(_PAGES):
        if answer.is_redirect:
            target = urljoin(answer.url, answer.headers["Location"])
            if target.startswith(CALLBACK):
                return "; ".join(f"{c.name}={c.value}" for c in browser.cookies if c.path == "/")
            answer = browser.get(target, allow_redirects=False, timeout=30)
            continue
        form = _Form()
        form.feed(answer.text)
        if form.action is None:
            break
        fields = form.fields | {k: v for k, v in said.items() if k in form.fields}
        action = urljoin(answer.url, form.action or answer.url)
        answer = browser.post(action, data=fields, allow_redirects=False, timeout=30)
    raise BenchFailed(f"no way out of {answer.url}: {answer.status_code} {answer.text[:500]}")
