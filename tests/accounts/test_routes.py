"""The account page, signing out, and erasing the account."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from broker.accounts.models import Account, AccountKey, Session
from broker.audit.models import AuditSubject
from broker.db import db
from tests.accounts.conftest import Room, entries, press, rows
from tests.conftest import ISSUER, StoppedClock
from tests.people import enrol, sign_in, visit

ERASE, SIGN_OUT, EVERYWHERE = (
    "/account/erase",
    "/account/sign-out",
    "/account/sign-out-everywhere",
)


def test_nobody_is_sent_to_sign_in(client: FlaskClient) -> None:
    answer = visit(client, "/account")
    assert (answer.status_code, answer.location) == (303, "/sign-in/account")


def test_a_person_sees_the_panel_of_every_room(app: Flask, client: FlaskClient, room: Room) -> None:
    enrol(client)
    page = visit(client, "/account")
    assert page.status_code == 200
    assert room.seen == [account.id for account in rows(app, Account)]
    # No mail is sent here: the room of notices has nothing to say.
    panels = sum(f.panel is not None for f in app.extensions["broker"].features) - 1
    assert page.text.count('<section class="panel">') == panels + 2


def test_being_here_keeps_the_session_awake(client: FlaskClient, clock: StoppedClock) -> None:
    enrol(client)
    for _ in range(3):
        clock.forward(minutes=50)
        assert visit(client, "/account").status_code == 200


def test_a_session_left_alone_for_an_hour_is_over(client: FlaskClient, clock: StoppedClock) -> None:
    enrol(client)
    clock.forward(minutes=60)
    assert visit(client, "/account").status_code == 303


def test_a_session_is_over_after_twelve_hours_whatever_happens(
    client: FlaskClient, clock: StoppedClock
) -> None:
    enrol(client)
    for _ in range(12):
        clock.forward(minutes=59)
        assert visit(client, "/account").status_code == 200
    clock.forward(minutes=12)
    assert visit(client, "/account").status_code == 303


def test_signing_out_ends_the_session_and_leaves_a_trace(app: Flask, client: FlaskClient) -> None:
    enrol(client)
    answer = press(client, "/account", SIGN_OUT)
    assert (answer.status_code, answer.location) == (303, "/account/signed-out")
    assert rows(app, Session) == []
    assert [facts["everywhere"] for facts in entries(app, "session.ended")] == [False]


def test_signing_out_takes_the_cookie_away(client: FlaskClient) -> None:
    enrol(client)
    press(client, "/account", SIGN_OUT)
    assert client.get_cookie("__Host-miftah_session", domain="broker.test") is None


def test_signing_out_leaves_other_browsers_alone(app: Flask, client: FlaskClient) -> None:
    key, other = enrol(client), app.test_client()
    sign_in(other, key)
    press(client, "/account", SIGN_OUT)
    assert visit(other, "/account").status_code == 200


def test_signing_out_twice_is_no_error_and_leaves_no_second_trace(
    app: Flask, client: FlaskClient
) -> None:
    enrol(client)
    page = visit(client, "/account")
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    for _ in range(2):
        answer = client.post(SIGN_OUT, data={"csrf_token": token}, base_url=ISSUER)
        assert answer.status_code == 303
    assert len(entries(app, "session.ended")) == 1


def test_signing_out_everywhere_ends_every_browser_s_session(
    app: Flask, client: FlaskClient
) -> None:
    key, other = enrol(client), app.test_client()
    sign_in(other, key)
    answer = press(client, "/account", EVERYWHERE)
    assert (answer.status_code, answer.location) == (303, "/account/signed-out")
    assert visit(other, "/account").status_code == 303
    [facts] = entries(app, "session.ended")[-1:]
    assert (facts["everywhere"], facts["sessions"]) == (True, 2)


def test_signing_out_everywhere_leaves_other_people_alone(app: Flask, client: FlaskClient) -> None:
    neighbour = app.test_client()
    enrol(client)
    enrol(neighbour)
    press(client, "/account", EVERYWHERE)
    assert visit(neighbour, "/account").status_code == 200


@pytest.mark.parametrize("door", [EVERYWHERE, ERASE])
def test_nobody_cannot_ask_for_it(client: FlaskClient, door: str) -> None:
    page = visit(client, "/sign-in/account")
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    answer = client.post(
        door, data={"csrf_token": token}, base_url=ISSUER, headers={"Accept-Language": "en"}
    )
    assert answer.status_code == 403
    assert "You are not signed in." in answer.text


@pytest.mark.parametrize("door", [SIGN_OUT, EVERYWHERE, ERASE])
def test_no_other_site_can_ask_for_it(app: Flask, client: FlaskClient, door: str) -> None:
    enrol(client)
    assert client.post(door, base_url=ISSUER).status_code == 403
    assert len(rows(app, Session)) == 1


@pytest.mark.parametrize("door", [SIGN_OUT, EVERYWHERE])
def test_looking_at_the_address_does_nothing(client: FlaskClient, door: str) -> None:
    enrol(client)
    assert visit(client, door).status_code == 405
    assert visit(client, "/account").status_code == 200


def test_the_erasing_page_sends_nobody_to_sign_in(client: FlaskClient) -> None:
    answer = visit(client, ERASE)
    assert (answer.status_code, answer.location) == (303, "/sign-in/account")


def test_the_erasing_page_explains_and_destroys_nothing(app: Flask, client: FlaskClient) -> None:
    enrol(client)
    page = visit(client, f"{ERASE}?ui_locales=en").text
    assert "What is destroyed" in page
    assert "What remains" in page
    assert len(rows(app, Account)) == 1


def test_erasing_leaves_nothing_of_the_account(app: Flask, client: FlaskClient, room: Room) -> None:
    enrol(client)
    [account] = rows(app, Account)
    answer = press(client, ERASE, ERASE)
    assert (answer.status_code, answer.location) == (303, "/account/erased")
    assert room.erased == [account.id]
    assert [rows(app, table) for table in (Account, AccountKey, Session)] == [[], [], []]


def test_no_table_names_an_erased_account(app: Flask, client: FlaskClient) -> None:
    enrol(client)
    [account] = rows(app, Account)
    press(client, ERASE, ERASE)
    with app.app_context(), db.session.begin():
        for table in db.metadata.sorted_tables:
            for row in db.session.execute(table.select()):
                assert account.id not in map(str, row), table.name


def test_erasing_leaves_an_entry_that_nobody_can_link(app: Flask, client: FlaskClient) -> None:
    enrol(client)
    press(client, ERASE, ERASE)
    assert len(entries(app, "account.erased")) == 1
    assert rows(app, AuditSubject) == []


def test_erasing_leaves_other_people_alone(app: Flask, client: FlaskClient) -> None:
    neighbour = app.test_client()
    enrol(neighbour)
    enrol(client)
    press(client, ERASE, ERASE)
    assert visit(neighbour, "/account").status_code == 200
    assert len(rows(app, AccountKey)) == 1


def test_erasing_takes_the_cookie_away_and_says_farewell(client: FlaskClient) -> None:
    enrol(client)
    press(client, ERASE, ERASE)
    assert client.get_cookie("__Host-miftah_session", domain="broker.test") is None
    assert "Your account is erased" in visit(client, "/account/erased?ui_locales=en").text


def test_a_sign_in_of_five_minutes_ago_erases_nothing(
    app: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    enrol(client)
    page = visit(client, ERASE)
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    clock.forward(minutes=5)
    answer = client.post(
        ERASE, data={"csrf_token": token}, base_url=ISSUER, headers={"Accept-Language": "en"}
    )
    assert answer.status_code == 403
    assert "Sign in again with your security key" in answer.text
    assert len(rows(app, Account)) == 1


def test_the_last_second_of_the_five_minutes_still_counts(
    app: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    enrol(client)
    clock.forward(seconds=299)
    press(client, ERASE, ERASE)
    assert rows(app, Account) == []


def test_a_stale_sign_in_is_offered_to_sign_in_again(
    client: FlaskClient, clock: StoppedClock
) -> None:
    enrol(client)
    clock.forward(minutes=5)
    page = visit(client, ERASE).text
    assert 'href="/sign-in/account?again=1"' in page
    assert f'action="{ERASE}"' not in page


def test_having_signed_in_again_the_person_can_erase(
    app: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    key = enrol(client)
    clock.forward(minutes=30)
    sign_in(client, key, query="?again=1")
    press(client, ERASE, ERASE)
    assert rows(app, Account) == []


def test_if_one_room_cannot_erase_nothing_is_erased(
    app: Flask, client: FlaskClient, room: Room
) -> None:
    enrol(client)
    room.jammed = True
    with pytest.raises(RuntimeError, match="jammed"):
        press(client, ERASE, ERASE)
    assert len(rows(app, AccountKey)) == 1
    assert entries(app, "account.erased") == []
