import pytest
from flask import Flask

from broker.web.messages import message

CODES = ("key_model_weak", "recovery_cooling", "recovery_rejected", "too_many_tries")


@pytest.mark.parametrize("code", CODES)
def test_each_refusal_of_this_room_is_told_in_three_languages(app: Flask, code: str) -> None:
    told = set()
    for language in ("fr", "ar", "en"):
        with app.test_request_context(f"/?ui_locales={language}"):
            told.add(message(code))
    assert len(told) == 3
    assert all(said.what and said.advice for said in told)
