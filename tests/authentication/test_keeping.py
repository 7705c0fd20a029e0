import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from broker.accounts.models import Session
from broker.authentication.keeping import erase, panel
from broker.authentication.models import Authenticator, Challenge
from broker.db import db, reading, transaction
from tests.authentication.test_sign_in import count, recorded
from tests.conftest import ISSUER, NOON, StoppedClock
from tests.people import add_key, enrol, forms, new_key, sign_in, visit


def _key_ids(client: FlaskClient) -> list[str]:
    page = visit(client, "/account?ui_locales=en")
    return re.findall(r'href="/keys/([^/]+)/name"', page.text)


def _send(client: FlaskClient, path: str, **fields: str) -> int:
    token = forms(visit(client, "/account").text)[0].fields["csrf_token"]
    data = {"csrf_token": token, **fields}
    return client.post(path, data=data, base_url=ISSUER).status_code


# Seeing


def test_the_account_page_lists_keys_with_their_kind_and_dates(
    client: FlaskClient, clock: StoppedClock
) -> None:
    key = enrol(client, authenticator=new_key(synced=True))
    clock.forward(days=1)
    sign_in(client, key)
    page = visit(client, "/account?ui_locales=en").text
    assert "Clé de sécurité 1, 23 novembre 2026" in page  # named in the language of that day
    assert "synchronised" in page
    assert "last used on 24 November 2026" in page
    assert "This is your only key" in page


def test_keys_get_numbers_and_device_bound_ones_say_so(client: FlaskClient) -> None:
    enrol(client)
    add_key(client, new_key())
    page = visit(client, "/account?ui_locales=en").text
    assert "Clé de sécurité 2, 23 novembre 2026" in page
    assert page.count("this device only") == 2
    assert "This is your only key" not in page


def test_the_panel_is_of_one_account_only(app: Flask, client: FlaskClient) -> None:
    enrol(client)
    enrol(app.test_client())
    assert len(_key_ids(client)) == 1


# Renaming


def test_a_key_gets_the_name_it_is_given_and_it_is_stored_sealed(
    app: Flask, client: FlaskClient
) -> None:
    enrol(client)
    (key_id,) = _key_ids(client)
    assert visit(client, f"/keys/{key_id}/name").status_code == 200
    assert _send(client, f"/keys/{key_id}/name", name="  Clé de  <Fatima> ") == 303
    assert "Clé de &lt;Fatima&gt;" in visit(client, "/account").text
    with app.app_context(), reading() as tx:
        assert b"Fatima" not in tx.scalars(select(Authenticator.name)).one()
    (renamed,) = recorded(app, "key.renamed")
    assert renamed.keys() == {"account", "key"}


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\x00b", "a\u202eb"])
def test_a_name_that_is_none_is_refused(app: Flask, client: FlaskClient, name: str) -> None:
    enrol(client)
    (key_id,) = _key_ids(client)
    assert _send(client, f"/keys/{key_id}/name", name=name) == 400
    assert recorded(app, "key.renamed") == []


# Removing


def test_a_removed_key_opens_nothing_any_more(app: Flask, client: FlaskClient) -> None:
    first = enrol(client)
    add_key(client, new_key())
    lost, _ = _key_ids(client)
    assert visit(client, f"/keys/{lost}/removal").status_code == 200
    assert _send(client, f"/keys/{lost}/removal") == 303
    assert len(_key_ids(client)) == 1
    with pytest.raises(AssertionError):
        sign_in(app.test_client(), first)
    (removed,) = recorded(app, "key.removed")
    assert removed["key"] == lost


def test_removing_a_key_signs_every_other_browser_out(app: Flask, client: FlaskClient) -> None:
    first = enrol(client)
    add_key(client, new_key())
    thief = app.test_client()
    sign_in(thief, first)
    _send(client, f"/keys/{_key_ids(client)[0]}/removal")
    assert count(app, Session) == 1
    assert visit(client, "/account").status_code == 200
    assert visit(thief, "/account").status_code == 303


def test_the_last_key_stays(app: Flask, client: FlaskClient) -> None:
    enrol(client)
    (key_id,) = _key_ids(client)
    assert "/removal" not in visit(client, "/account").text
    assert f'action="/keys/{key_id}/removal"' not in visit(client, f"/keys/{key_id}/removal").text
    assert _send(client, f"/keys/{key_id}/removal") == 409
    assert count(app, Authenticator) == 1


def test_removing_a_key_needs_a_recent_sign_in(
    app: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    enrol(client)
    add_key(client, new_key())
    key_id = _key_ids(client)[0]
    clock.forward(minutes=5)
    assert visit(client, f"/keys/{key_id}/removal").location == "/sign-in/account?again=1"
    assert _send(client, f"/keys/{key_id}/removal") == 403
    assert count(app, Authenticator) == 2


@pytest.mark.parametrize("deed", ["name", "removal"])
def test_another_persons_key_is_not_found(app: Flask, client: FlaskClient, deed: str) -> None:
    enrol(client)
    other = app.test_client()
    enrol(other)
    add_key(other, new_key())
    theirs = _key_ids(other)[0]
    assert visit(client, f"/keys/{theirs}/{deed}").status_code == 404
    assert _send(client, f"/keys/{theirs}/{deed}", name="mine") == 404
    assert count(app, Authenticator) == 3


@pytest.mark.parametrize("deed", ["name", "removal"])
def test_nobody_has_no_keys(app: Flask, client: FlaskClient, deed: str) -> None:
    enrol(client)
    (key_id,) = _key_ids(client)
    stranger = app.test_client()
    assert visit(stranger, f"/keys/{key_id}/{deed}").status_code == 404
    token = forms(visit(stranger, "/sign-in/account").text)[0].fields["csrf_token"]
    response = stranger.post(f"/keys/{key_id}/{deed}", data={"csrf_token": token}, base_url=ISSUER)
    assert response.status_code == 404


# Erasing


def test_erasing_leaves_nothing_of_the_account_in_this_room(
    app: Flask, client: FlaskClient
) -> None:
    enrol(client)
    visit(client, "/sign-in/account?again=1")
    enrol(app.test_client())
    with app.test_request_context(), transaction() as tx:
        mine = tx.scalars(select(Authenticator.account_id)).first()
        assert mine is not None
        erase(tx, mine)
    assert count(app, Authenticator) == 1
    with app.app_context(), reading() as tx:
        assert tx.scalars(select(Challenge.account_id)).all() == [None] * count_open(app)


def count_open(app: Flask) -> int:
    return db.session.query(Challenge).count()


def test_the_panel_shows_nothing_of_an_account_without_keys(app: Flask) -> None:
    with app.test_request_context(), reading() as tx:
        assert panel(tx, "nobody", NOON).context["keys"] == []


@pytest.mark.parametrize("deed", ["name", "removal"])
def test_an_address_that_is_no_key_is_not_found(client: FlaskClient, deed: str) -> None:
    enrol(client)
    assert visit(client, f"/keys/nothing/{deed}").status_code == 404
    assert visit(client, f"/keys/%00/{deed}").status_code == 404
