"""The group `paquebot spam`."""

import click

from paquebot.cli.spam.score import score


@click.group()
def spam() -> None:
    """Score mail, see why, and teach the filter."""


spam.add_command(score)
