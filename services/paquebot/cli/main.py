"""The `paquebot` command. Each subcommand lives in its own module, loaded when it is asked for."""

import click

from paquebot.cli.lazy import LazyGroup

COMMANDS = {
    "check": "paquebot.cli.check:check",
    "credential": "paquebot.cli.credential:credential",
    "demo": "paquebot.cli.demo.command:demo",
    "dkim": "paquebot.cli.dkim:dkim",
    "explain": "paquebot.cli.explain.command:explain",
    "orders": "paquebot.cli.orders:orders",
    "queue": "paquebot.cli.hands:queue",
    "resume": "paquebot.cli.orders:resume",
    "sandbox": "paquebot.cli.sandbox:sandbox",
    "send": "paquebot.cli.send:send",
    "suspend": "paquebot.cli.orders:suspend",
    "spam": "paquebot.cli.spam.command:spam",
    "suppression": "paquebot.cli.suppression:suppression",
    "top": "paquebot.cli.top.command:top",
    "smarthost": "paquebot.cli.smarthost:smarthost",
    "trace": "paquebot.cli.trace:trace",
    "up": "paquebot.cli.up:up",
}


@click.group(cls=LazyGroup, places=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="paquebot")
def main() -> None:
    """Paquebot: outbound mail that is kept, sent once, and can always say why it waits."""
