"""Sharing what people decide for training, where the sender's MailDomain wants that."""

from collections.abc import Awaitable, Callable

from paquebot.mail.address import addresses
from paquebot.mail.header import split, value_of
from paquebot.mail.order import Action, Order
from paquebot.policy.values import Policy
from paquebot.queue.bodies import BodyLostError, load
from paquebot.queue.inspection import Waiting
from paquebot.queue.jetstream import JetStream
from paquebot.queue.policystore import read_policy
from paquebot.queue.replay import Shared, share

Told = Callable[[Waiting], Awaitable[None]]


async def content_of(js: JetStream, waiting: Waiting) -> bytes:
    """Return the content of what waits; b"" when it is lost."""
    if waiting.delivery.body is None:
        return waiting.content
    try:
        return await load(js, waiting.delivery, waiting.delivery.body)
    except BodyLostError:
        return b""


async def sharer(js: JetStream, order: Order) -> Told:
    """Return what is to be called before each message is decided about."""
    policy = await read_policy(js) or Policy()

    async def before(waiting: Waiting) -> None:
        delivery, is_wanted = waiting.delivery, order.action is Action.RELEASE
        if is_wanted and delivery.alarmed:
            return
        content = await content_of(js, waiting)
        if content and wants_sharing(policy, content, delivery.reverse_path):
            await share(js, Shared.of(delivery.id, delivery.tenant, content, is_wanted=is_wanted))

    return before


def wants_sharing(policy: Policy, content: bytes, reverse_path: str) -> bool:
    """Say whether the author's MailDomain, else the reverse-path's, shares its mail for training."""
    authors = addresses(value_of(split(content)[0], b"from") or b"").mailboxes
    author = authors[0].domain if authors else ""
    return policy.content_of(author, reverse_path.rpartition("@")[2]).share_for_training
