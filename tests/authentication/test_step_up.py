from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from broker.db import transaction
from broker.interaction.models import Interaction
from tests.authentication.authenticator import SoftAuthenticator, unb64
from tests.authentication.maker import entry
from tests.authentication.test_metadata import PUBLISHER, put_in_force, rooted
from tests.authentication.test_recovery import make, use
from tests.authentication.test_sign_in import park, recorded
from tests.authentication.test_standing import MAKER
from tests.conftest import ISSUER, StoppedClock
from tests.people import add_key, answer, ceremony, enrol, new_key, sign_in, visit

__all__ = ["rooted"]
PHRH = (f"{ISSUER}/acr/verified-phrh", f"{ISSUER}/acr/contact")


@pytest.fixture
def house(rooted: Flask, tmp_path: Path) -> Flask:
    """The application with metadata that knows our maker."""
    put_in_force(rooted, tmp_path, PUBLISHER.blob(entry(MAKER.root)))
    return rooted


def _two_keys(client: FlaskClient) -> tuple[SoftAuthenticator, SoftAuthenticator]:
    """A person with a key that anybody could have made, and one that its maker vouches for."""
    plain, vouched = enrol(client), new_key().with_wrong(**MAKER.wrong())
    add_key(client, vouched)
    return plain, vouched


def test_a_better_key_is_asked_for_and_no_other(house: Flask, clock: StoppedClock) -> None:
    client = house.test_client()
    _, vouched = _two_keys(client)
    clock.forward(minutes=10)
    handle = park(house, client, acr_values=PHRH)
    page = visit(client, f"/sign-in/{handle}?ui_locales=en")
    assert "asks for a better key" in page.text
    form = ceremony(page)
    allowed = [unb64(key["id"]) for key in form.options["allowCredentials"]]
    assert allowed == [vouched.credentials[0].credential_id]
    assert answer(client, form, vouched.get(form.options)).location == f"/authorize/{handle}"
    assert recorded(house, "sign_in.accepted")[-1]["authenticator"] == "key_attested"
    assert visit(client, f"/sign-in/{handle}").location == f"/authorize/{handle}"


def test_nobody_else_s_key_steps_up_for_a_person(house: Flask, clock: StoppedClock) -> None:
    client, other = house.test_client(), house.test_client()
    _two_keys(client)
    _, foreign = _two_keys(other)
    clock.forward(minutes=10)
    handle = park(house, client, acr_values=PHRH)
    form = ceremony(visit(client, f"/sign-in/{handle}"))
    response = answer(client, form, foreign.get({**form.options, "allowCredentials": []}))
    assert response.status_code == 422
    assert recorded(house, "sign_in.refused")[-1]["reason"] == "another_account"


def test_a_key_that_reaches_less_is_told_so(house: Flask) -> None:
    client = house.test_client()
    plain = enrol(house.test_client())
    handle = park(house, client, acr_values=PHRH)
    assert sign_in(client, plain, handle).location == f"/sign-in/{handle}/level"
    page = visit(client, f"/sign-in/{handle}/level?ui_locales=en").text
    assert "This key proves less than the service asks for" in page
    for way in (f"/sign-in/{handle}?again=1", f"/enrol/{handle}", f"/authorize/{handle}"):
        assert f'href="{way}"' in page


def test_a_code_reaches_less_and_offers_no_further_key(house: Flask) -> None:
    client = house.test_client()
    enrol(client)
    use(client, make(client)[0])
    handle = park(house, client, acr_values=PHRH)
    page = visit(client, f"/sign-in/{handle}/level?ui_locales=en").text
    assert "by a recovery code" in page
    assert f'href="/enrol/{handle}"' not in page


def test_a_key_that_reaches_it_sees_no_such_page(house: Flask) -> None:
    client = house.test_client()
    handle = park(house, client)
    assert visit(client, f"/sign-in/{handle}/level").location == f"/authorize/{handle}"
    enrol(client)
    assert visit(client, f"/sign-in/{handle}/level").location == f"/authorize/{handle}"


@pytest.mark.parametrize("prompt", ["", "none"])
def test_who_has_no_better_key_or_may_see_no_page_is_not_asked(
    house: Flask, clock: StoppedClock, prompt: str
) -> None:
    client = house.test_client()
    if prompt:
        _two_keys(client)
        client.delete_cookie("__Host-miftah_session", domain="broker.test")
    enrol(client)
    clock.forward(minutes=10)
    handle = park(house, client, prompt, acr_values=PHRH)
    assert visit(client, f"/sign-in/{handle}").location == f"/authorize/{handle}"


def test_prompt_none_shows_no_page_to_one_who_has_a_better_key(
    house: Flask, clock: StoppedClock
) -> None:
    client = house.test_client()
    _two_keys(client)
    clock.forward(minutes=10)
    handle = park(house, client, "none", acr_values=PHRH)
    assert visit(client, f"/sign-in/{handle}").location == f"/authorize/{handle}"


def test_a_challenge_belongs_to_one_session(app: Flask, client: FlaskClient) -> None:
    key = enrol(client)
    form = ceremony(visit(client, "/sign-in/account?again=1"))
    client.delete_cookie("__Host-miftah_session", domain="broker.test")
    sign_in(client, key)
    response = answer(client, form, key.get(form.options))
    assert response.status_code == 422
    assert recorded(app, "sign_in.refused")[-1]["reason"] == "another_session"


def test_a_challenge_for_one_who_signed_out_is_over(app: Flask, client: FlaskClient) -> None:
    key = enrol(client)
    form = ceremony(visit(client, "/sign-in/account?again=1"))
    client.delete_cookie("__Host-miftah_session", domain="broker.test")
    assert answer(client, form, key.get(form.options)).status_code == 422


def test_a_challenge_belongs_to_what_one_visit_asks(house: Flask, clock: StoppedClock) -> None:
    client = house.test_client()
    _, vouched = _two_keys(client)
    clock.forward(minutes=10)
    handle = park(house, client, acr_values=PHRH)
    form = ceremony(visit(client, f"/sign-in/{handle}"))
    with house.app_context(), transaction() as tx:
        row = tx.get(Interaction, handle)
        assert row is not None
        tx.add(
            Interaction(
                handle="other",
                browser=row.browser,
                asked=row.asked,
                request={},
                began=row.began,
                expires=row.expires + timedelta(days=1),
            )
        )
    form.action = form.action.replace(handle, "other")
    assert answer(client, form, vouched.get(form.options)).status_code == 422
