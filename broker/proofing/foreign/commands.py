"""The operator's commands: `flask --app broker schemes check | fetch | reload`."""

import click
from flask.cli import AppGroup

from broker.identity.scheme_folder import mark
from broker.identity.verifier import Fetches
from broker.web.locale import LANGUAGES
from broker.web.tools import tools

schemes = AppGroup("schemes", help="Foreign schemes: look at them, put changed files in force.")


@schemes.command("check")
def check() -> None:
    """List the schemes in force. A mistake in a file has stopped the command before this."""
    held = tools().foreign
    for name, scheme in sorted(held.items()):
        levels = ", ".join(f"{row.says} = {row.means}" for row in scheme.levels)
        click.echo(f"{name}: {scheme.protocol}, {' '.join(scheme.countries)}; {levels}")
    click.echo(f"{len(held)} in force, pages in {', '.join(LANGUAGES)}")


@schemes.command("fetch")
def fetch() -> None:
    """Get the documents of others that must lie here ahead of time; run it every day."""
    house = tools()
    for verifier in house.verifiers:
        if isinstance(verifier, Fetches):
            for name, became in verifier.fetch(house.clock()):
                click.echo(f"{name}: {became}")


@schemes.command("reload")
def reload() -> None:
    """Have every server process read the files again, once they have been found right."""
    mark(tools().settings.schemes_dir)
    click.echo(f"{len(tools().foreign)} schemes come into force within seconds.")
