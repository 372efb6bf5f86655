"""`paquebot spam release|refuse`: decide about mail that the spam filter holds, one message or many."""

from dataclasses import replace

import click

from paquebot.cli.hands import ALARMED_OPTION, EVERYTHING, Manner, let_go, run, takes_manner
from paquebot.cli.people import OPTIONAL_REASON, REASON_OPTION, new_order
from paquebot.cli.spam.sharing import sharer
from paquebot.mail.order import Action
from paquebot.mail.selector import Selector
from paquebot.mail.verdict import HELD_BY_FILTER


def _release(selector: Selector, manner: Manner, author: str, reason: str, *, despite_alarm: bool) -> None:
    """Let mail go that the spam filter holds: it is tried at once.

    What was held while its account did not act like itself goes only with --despite-alarm.
    """
    let_go(
        manner, new_order(Action.RELEASE, _meant(selector, manner), author, reason), sharer, despite_alarm=despite_alarm
    )


def _refuse(selector: Selector, manner: Manner, author: str, reason: str) -> None:
    """Refuse mail that the spam filter holds: its sender gets a report, without the reason that is given here."""
    run(manner, new_order(Action.REFUSE, _meant(selector, manner), author, reason), sharer)


def _meant(selector: Selector, manner: Manner) -> Selector:
    if selector.is_empty and not manner.everything:
        raise click.UsageError(EVERYTHING)
    return of_filter(selector)


def of_filter(selector: Selector) -> Selector:
    """Return a selector for what it means, as far as the spam filter holds it."""
    return replace(selector, replies=tuple(f"{HELD_BY_FILTER}*{each}" for each in selector.replies or ("",)))


release = click.command("release")(takes_manner(_release, ALARMED_OPTION, OPTIONAL_REASON))
refuse = click.command("refuse")(takes_manner(_refuse, REASON_OPTION))
