"""A real meter in a folder of the test's own, and what it has counted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from flask import Flask

from broker import entropy
from broker.app import create_app
from broker.db import db
from broker.measuring.folder import gathered, parts
from broker.measuring.shared import SharedMeter
from broker.web.tools import Tools

TOKEN = "a token of the operator's own"


def metered(tools: Tools, folder: Path) -> Tools:
    """The tools with metrics on; `TOKEN` opens /metrics."""
    folder.mkdir(exist_ok=True)
    (folder / "token").write_text(f"{TOKEN}\n")
    metrics = tools.settings.metrics.model_copy(
        update={"token_file": folder / "token", "directory": folder / "metrics"}
    )
    settings = tools.settings.model_copy(update={"metrics": metrics})
    meter = SharedMeter(metrics.directory, tools.clock, entropy.system)
    return replace(tools, settings=settings, meter=meter)


@contextmanager
def measured(tools: Tools) -> Iterator[Flask]:
    """The application over an empty database in memory."""
    app = create_app(tools)
    with app.app_context():
        db.create_all()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def seen(folder: Path) -> dict[tuple[str, ...], float]:
    """Every number that there is, by measure, part of it and labels."""
    values = gathered(folder / "metrics")[0]
    return {(parts(k)[0], parts(k)[1], *parts(k)[2]): value for k, (value, _) in values.items()}
