"""The `paquebot` command. Each subcommand lives in its own module, loaded when it is asked for."""

from importlib import import_module

import click

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


class LazyGroup(click.Group):
    """A group that imports a subcommand only to run it or to tell its help: the command starts at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, sorted."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, or None for an unknown name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101  (the table above is ours)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="paquebot")
def main() -> None:
    """Paquebot: outbound mail that is kept, sent once, and can always say why it waits."""
