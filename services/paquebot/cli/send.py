"""`paquebot send`: hands messages to a running platform over SMTP with TLS and AUTH."""

import smtplib
import ssl
import sys
from pathlib import Path

import click

from paquebot.cli.mailfiles import Fixed, mails
from paquebot.cli.place import STATE_OPTION, Place
from paquebot.smtp.dsn import mail_parameters


@click.command()
@click.argument("paths", type=click.Path(exists=True, path_type=Path), nargs=-1)
@click.option("--username", envvar="PAQUEBOT_USERNAME", required=True, help="<namespace>.<name> of an SMTPCredential.")
@click.option("--password", envvar="PAQUEBOT_PASSWORD", required=True, help="Better given as PAQUEBOT_PASSWORD.")
@click.option("--from", "reverse_path", required=True, help="The reverse-path: MAIL FROM.")
@click.option("--to", "recipients", multiple=True, required=True, help="A recipient; repeat for several.")
@click.option("--subject", default="A message from paquebot send", show_default=True)
@click.option("--envid", default="", help="A name for one message: sent again with it, it is stored once.")
@STATE_OPTION
def send(  # noqa: PLR0913, PLR0917  (one argument an option)
    paths: tuple[Path, ...],
    username: str,
    password: str,
    reverse_path: str,
    recipients: tuple[str, ...],
    subject: str,
    envid: str,
    place: Place,
) -> None:
    """Send the mail in PATHS (.eml, mbox, maildir, folders); without PATHS, standard input as plain text.

    Prints the reply to each. Exit 1 when any was refused.
    """
    if envid and mail_parameters("", envid) == "":
        raise click.BadParameter("is longer than 100 octets", param_hint="--envid")
    running = place.running_or_fail()
    texts = [message for path in paths for message in mails(path, reverse_path)] or [
        _typed(reverse_path, recipients, subject)
    ]
    if envid and len(texts) > 1:
        raise click.UsageError("--envid names one message: give one PATH with one message in it")
    refused = 0
    with smtplib.SMTP_SSL("localhost", running.smtps_port, context=trust(place), timeout=60) as client:
        try:
            client.login(username, password)
        except smtplib.SMTPAuthenticationError as refusal:
            raise click.ClickException(f"the platform refuses {username}: {_reply(refusal)}") from refusal
        for text in texts:
            accepted, reply = hand_over(client, reverse_path, recipients, text.content, envid)
            refused += not accepted
            click.echo(reply, err=not accepted)
    sys.exit(1 if refused else 0)


def trust(place: Place) -> ssl.SSLContext:
    """Return a TLS context that trusts the platform of a place."""
    return ssl.create_default_context(cafile=place.identity("smtp") / "ca.crt")


def hand_over(
    client: smtplib.SMTP, reverse_path: str, recipients: tuple[str, ...], content: bytes, envid: str = ""
) -> tuple[tuple[str, ...], str]:
    """Run one transaction; return the recipients that were accepted, and the reply that decided."""
    eight_bit = ["BODY=8BITMIME"] if any(octet > 127 for octet in content) else []  # noqa: PLR2004
    utf8 = [] if all(path.isascii() for path in (reverse_path, *recipients)) else ["SMTPUTF8"]
    if utf8:
        client.command_encoding = "utf-8"
    code, text = client.mail(reverse_path, [*eight_bit, *utf8, *mail_parameters("", envid).split()])
    if code != 250:  # noqa: PLR2004  (RFC 5321 §4.2.3)
        client.rset()
        return (), _line(code, text)
    replies = {recipient: client.rcpt(recipient) for recipient in recipients}
    accepted = tuple(recipient for recipient, (code, _text) in replies.items() if code in {250, 251})
    if not accepted:
        client.rset()
        return (), _line(*next(iter(replies.values())))
    code, text = client.data(content)
    return (accepted if code == 250 else ()), _line(code, text)  # noqa: PLR2004


def _typed(reverse_path: str, recipients: tuple[str, ...], subject: str) -> Fixed:
    body = sys.stdin.read()
    lines = [f"From: {reverse_path}", f"To: {', '.join(recipients)}", f"Subject: {subject}", "MIME-Version: 1.0"]
    lines += ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", "", *body.splitlines()]
    return Fixed("standard input", ("\r\n".join(lines) + "\r\n").encode(), ())


def _reply(refusal: smtplib.SMTPResponseException) -> str:
    return _line(refusal.smtp_code, refusal.smtp_error)


def _line(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(words.split())}"
