"""Settings: typed, read once, and never repeated in an error."""

import pytest

from broker.settings import Settings, SettingsRejected, read_settings


def read(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return read_settings(variables)


def test_without_any_variable_the_broker_is_local() -> None:
    settings = read_settings({})
    assert settings.issuer == "http://localhost:8000"
    assert settings.rp_id == "localhost"
    assert not settings.secure


def test_a_nested_duration_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, BROKER_OIDC__CODE_LIFETIME="PT30S")
    assert settings.oidc.code_lifetime.total_seconds() == 30


@pytest.mark.parametrize("name", ["BROKER_ISUER", "BROKER_OICD__CODE_LIFETIME"])
def test_an_unknown_variable_is_an_error_at_start(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with pytest.raises(SettingsRejected, match=name):
        read(monkeypatch, **{name: "x"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BROKER_ISSUER", "http://example.test/secret"),
        ("BROKER_ISSUER", "https://example.test/secret"),
        ("BROKER_ISSUER", "https://example.test?secret"),
        ("BROKER_ISSUER", "secret"),
        ("BROKER_LOCALE", "secret"),
        ("BROKER_TRUSTED_PROXIES", "secret"),
        ("BROKER_OIDC__CODE_LIFETIME", "secret"),
        ("BROKER_OIDC__CODE_LIFETIM", "secret"),
    ],
)
def test_a_wrong_value_is_named_and_never_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(SettingsRejected) as refused:
        read(monkeypatch, **{name: value})
    assert name in str(refused.value)
    assert "secret" not in str(refused.value)


def test_https_makes_cookies_secure(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, BROKER_ISSUER="https://miftah.example/")
    assert settings.issuer == "https://miftah.example"
    assert settings.secure
