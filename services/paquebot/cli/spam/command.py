"""The group `paquebot spam`. Each of its commands lives in its own module, loaded when it is asked for."""

import click

from paquebot.cli.lazy import LazyGroup

COMMANDS = {
    "eval": "paquebot.cli.spam.evaluate:evaluate",
    "explain": "paquebot.cli.spam.explain:explain",
    "forget": "paquebot.cli.spam.forget:forget",
    "left-out": "paquebot.cli.spam.evaluate:left_out",
    "models": "paquebot.cli.spam.models:models",
    "refuse": "paquebot.cli.spam.hands:refuse",
    "release": "paquebot.cli.spam.hands:release",
    "retrain": "paquebot.cli.spam.retrain:retrain",
    "review": "paquebot.cli.spam.review:review",
    "score": "paquebot.cli.spam.score:score",
    "store": "paquebot.cli.spam.models:store",
    "train": "paquebot.cli.spam.train:train",
    "use": "paquebot.cli.spam.models:use",
}


@click.group(cls=LazyGroup, places=COMMANDS)
def spam() -> None:
    """Score mail, say why it was held, tagged or refused, decide about what is held, and train the filter."""
