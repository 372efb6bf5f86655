"""`paquebot credential`: passwords for SMTPCredentials on this machine."""

import asyncio
import sys

import click

from paquebot.auth.password import hash_password, new_password
from paquebot.cli.place import STATE_OPTION, Place
from paquebot.queue.credentials import put_hash
from paquebot.queue.jetstream import JetStream
from paquebot.queue.policystore import read_policy


@click.group()
def credential() -> None:
    """Make passwords for the SMTPCredentials of your manifests."""


@credential.command("set")
@click.argument("username")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@STATE_OPTION
def set_password(username: str, password_stdin: bool, place: Place) -> None:  # noqa: FBT001  (click passes flags so)
    """Give USERNAME (<namespace>.<name> of an SMTPCredential) a new password and print it once.

    Only its argon2id hash is kept. A running platform takes the change at once.
    """
    if "." not in username:
        raise click.BadParameter("must be <namespace>.<name> of an SMTPCredential", param_hint="USERNAME")
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else new_password()
    if not password:
        raise click.ClickException("the password is empty")
    running = place.running()
    password_hash = hash_password(password.encode())
    if running is not None:
        asyncio.run(publish_hash(place, running.nats_url, username, password_hash))
    place.write_hash(username, password_hash)
    if not password_stdin:
        click.echo(password)


async def publish_hash(place: Place, nats_url: str, username: str, password_hash: str) -> None:
    """Hand a hash to the running platform, which must know the credential."""
    js = await JetStream.connect(nats_url, place.identity("publisher"), "credential")
    try:
        policy = await read_policy(js)
        if policy is not None and username not in policy.credentials:
            known = ", ".join(sorted(policy.credentials)) or "none"
            raise click.ClickException(f"no manifest declares the SMTPCredential {username}; known: {known}")
        await put_hash(js, username, password_hash)
    finally:
        await js.close()
