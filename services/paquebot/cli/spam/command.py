"""The group `paquebot spam`. Each of its commands lives in its own module, loaded when it is asked for."""

import click

from paquebot.cli.lazy import LazyGroup

COMMANDS = {
    "explain": "paquebot.cli.spam.explain:explain",
    "refuse": "paquebot.cli.spam.hands:refuse",
    "release": "paquebot.cli.spam.hands:release",
    "review": "paquebot.cli.spam.review:review",
    "score": "paquebot.cli.spam.score:score",
}


@click.group(cls=LazyGroup, places=COMMANDS)
def spam() -> None:
    """Score mail, say why it was held, tagged or refused, and decide about what is held."""
