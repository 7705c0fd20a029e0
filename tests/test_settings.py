"""Settings: typed, read once, and never repeated in an error."""

from uuid import UUID

import pytest

from broker.settings import SettingsRejected, read_settings


def test_without_any_variable_the_broker_is_local() -> None:
    settings = read_settings({})
    assert settings.issuer == "http://localhost:8000"
    assert settings.rp_id == "localhost"
    assert not settings.secure


def test_a_nested_duration_is_read() -> None:
    settings = read_settings({"BROKER_OIDC__CODE_LIFETIME": "PT30S"})
    assert settings.oidc.code_lifetime.total_seconds() == 30


def test_several_values_are_a_list_in_json() -> None:
    model = "9c835346-796b-4c27-8898-d6032f515cc5"
    settings = read_settings(
        {
            "BROKER_AUTHENTICATION__FORBIDDEN_MODELS": f'["{model}"]',
            "BROKER_AUDIT__WITNESSES": '["one key/add-checkpoint", "another"]',
        }
    )
    assert settings.authentication.forbidden_models == {UUID(model)}
    assert settings.audit.witnesses == ("one key/add-checkpoint", "another")


def test_a_name_may_be_in_small_letters() -> None:
    assert read_settings({"broker_oidc__code_lifetime": "PT30S"}).oidc.code_lifetime.seconds == 30


@pytest.mark.parametrize("name", ["BROKER_ISUER", "BROKER_OICD__CODE_LIFETIME"])
def test_an_unknown_variable_is_an_error_at_start(name: str) -> None:
    with pytest.raises(SettingsRejected, match=name):
        read_settings({name: "x"})


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
        ("BROKER_OIDC", "secret"),
        ("BROKER_AUDIT__WITNESSES", "secret"),
        ("BROKER_AUDIT__WITNESSES", '{"a": "secret"}'),
    ],
)
def test_a_wrong_value_is_named_and_never_repeated(name: str, value: str) -> None:
    with pytest.raises(SettingsRejected) as refused:
        read_settings({name: value})
    assert name in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_section_where_a_value_belongs_is_refused() -> None:
    with pytest.raises(SettingsRejected, match="BROKER_OIDC__CODE_LIFETIME"):
        read_settings({"BROKER_OIDC__CODE_LIFETIME__MORE": "secret"})


def test_https_makes_cookies_secure() -> None:
    settings = read_settings({"BROKER_ISSUER": "https://miftah.example/"})
    assert settings.issuer == "https://miftah.example"
    assert settings.secure
