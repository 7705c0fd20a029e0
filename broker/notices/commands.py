"""The operator's command: `flask --app broker mail test ADDRESS`."""

import click
from flask.cli import AppGroup

from broker import entropy
from broker.errors import UpstreamUnavailable
from broker.notices import smtp
from broker.notices.letter import Letter
from broker.web.tools import tools

commands = AppGroup("mail", help="Notices to people.")


@commands.command("test")
@click.argument("address")
def send_test(address: str) -> None:
    """Send a letter to see whether the mail server takes it."""
    house = tools()
    if not house.settings.mail.host:
        raise click.ClickException("BROKER_MAIL__HOST names no server")
    name = entropy.token(house.random, bits=128)
    letter = Letter(name, address, "Miftah", f"{house.settings.issuer}\n", house.clock())
    try:
        smtp.send(letter, house.settings.mail)
    except UpstreamUnavailable as error:
        raise click.ClickException(f"not sent: {error.hint}") from error
    click.echo("sent")
