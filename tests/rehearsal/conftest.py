"""A test system."""

from dataclasses import replace

import pytest

from broker.web.tools import Tools


@pytest.fixture
def rehearsing(tools: Tools) -> Tools:
    """Tools of a system that admits the test sign-in."""
    settings = tools.settings.model_copy(update={"rehearsal": True})
    return replace(tools, settings=settings)
