"""Which sentences the pages say, and what the catalogues hold for them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

import broker
from broker import entropy
from broker.app import verifiers
from broker.clock import utcnow
from broker.desk import cases, story, unmasking
from broker.identity import words
from broker.identity.assurance import SHIPPED, read_policy
from broker.keyring import Keyring
from broker.settings import Settings
from broker.web.locale import po_files
from broker.web.messages import MESSAGES
from broker.web.pages import EVIDENCE_KINDS, IDENTITY_LEVELS
from broker.web.tools import Tools

HOUSE = Path(broker.__file__).parent
TRANSLATED = ("fr", "ar")


def _no_keys() -> Keyring:
    raise AssertionError("words need no keys")


DOORS = verifiers(Tools(Settings(), utcnow, entropy.system, _no_keys, read_policy(SHIPPED)))
_CALLS = {"_", "gettext", "ngettext", "Message"}


def sources(suffix: str) -> list[Path]:
    """The broker's own files; the demonstration is another house with words of its own."""
    return [p for p in sorted(HOUSE.rglob(f"*{suffix}")) if "demo" not in p.parts]


@cache
def used() -> dict[str, str]:
    """Msgid → where it is said: templates, calls in code, and the tables that pages read."""
    said = dict(_in_templates())
    said.update(_in_code())
    said.update(dict.fromkeys(_in_tables(), "a table"))
    said.pop("", None)
    return said


@cache
def mentioned() -> frozenset[str]:
    """Every text that stands in our code or templates, said or not."""
    texts = {
        node.value
        for path in sources(".py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return frozenset(texts | set(used()))


@cache
def catalogues(language: str) -> dict[Path, Catalog]:
    """Path → the catalogue of one room."""
    read = {}
    for path in po_files(language):
        with path.open("rb") as file:
            read[path] = read_po(file, locale=language, abort_invalid=True)
    return read


def _in_templates() -> Iterator[tuple[str, str]]:
    for path in sources(".html"):
        with path.open("rb") as file:
            for _line, _call, message, _comments in babel_extract(file, tuple(_CALLS), [], {}):
                msgid = message if isinstance(message, str) else message and message[0]
                if msgid:  # nothing where a variable is translated: the tables hold its texts
                    yield msgid, path.name


def _in_code() -> Iterator[tuple[str, str]]:
    for path in sources(".py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) in _CALLS:
                texts = node.args[:2] if _name(node.func) == "Message" else node.args[:1]
                for text in texts:
                    if isinstance(text, ast.Constant) and isinstance(text.value, str):
                        yield text.value, path.name


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else ""


def _in_tables() -> Iterator[str]:
    for message in MESSAGES.values():
        yield from (message.what, message.advice)
    for verifier in DOORS:
        yield from (verifier.title, verifier.summary)
        for message in verifier.refusals.values():
            yield from (message.what, message.advice)
    policy = read_policy(SHIPPED)
    yield from (level.label for level in policy.identity_levels.values())
    yield from (level.label for level in policy.authenticator_levels.values())
    yield from (*IDENTITY_LEVELS.values(), *EVIDENCE_KINDS.values())
    yield from (*words.CLAIMS.values(), *words.VALUES.values())
    for table in (story.OUTCOMES, story.EVENTS, story.CHECKS, cases.WORDS, unmasking.WORDS):
        yield from table.values()
    for label, meaning in words.LEVELS.values():
        yield from (label, meaning)
