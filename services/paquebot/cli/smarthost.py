"""`paquebot smarthost`: logins at the smarthosts that TransportRoutes name, on this machine."""

import sys

import click

from paquebot.cli.place import STATE_OPTION, Place
from paquebot.policy.compile import PLATFORM_NAMESPACE
from paquebot.policy.faults import Unfit
from paquebot.policy.names import label


@click.group()
def smarthost() -> None:
    """Keep the logins that `credentialsSecretRef` of TransportRoutes names."""


@smarthost.command("set")
@click.argument("name")
@click.option("--username", prompt="User name", help="Who we are to the smarthost.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, without asking.")
@STATE_OPTION
def set_login(name: str, username: str, password_stdin: bool, place: Place) -> None:  # noqa: FBT001  (click passes flags so)
    """Keep a login as Secret NAME, or <namespace>.<name> of a tenant's; ask for the password without showing it.

    It stays in the state directory, readable by you alone, and counts from the next attempt on.
    """
    secret = name if "." in name else f"{PLATFORM_NAMESPACE}.{name}"
    try:
        for part in secret.split(".", 1):
            label(part)
    except Unfit as fault:
        raise click.BadParameter(f"{fault.text}: {fault.cure}", param_hint="NAME") from fault
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else click.prompt("Password", hide_input=True)
    if not username or not password:
        raise click.ClickException("the user name or the password is empty")
    place.write_login(secret, username, password)
    click.echo(f"Secret {secret.replace('.', '/', 1)} is kept in {place.smarthosts / secret}")
