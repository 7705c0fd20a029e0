"""The operator's commands: `flask --app broker schemes check | reload`."""

import click
from flask.cli import AppGroup

from broker.identity.scheme_folder import mark
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


@schemes.command("reload")
def reload() -> None:
    """Have every server process read the files again, once they have been found right."""
    mark(tools().settings.schemes_dir)
    click.echo(f"{len(tools().foreign)} schemes come into force within seconds.")
