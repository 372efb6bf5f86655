"""The composed messages are many, different, and fit for SMTP."""

import email
from datetime import UTC, datetime

from paquebot.cli.demo.compose import compose
from paquebot.mail.finish import Finishing, finish

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_a_thousand_different_messages_need_nothing_added() -> None:
    messages = list(compose(1000, 1, NOW))
    assert len({message.content for message in messages}) == 1000
    assert len({message.shape for message in messages}) >= 10
    assert len({message.username for message in messages}) >= 2
    for message in messages[:200]:
        finished = finish(message.content, Finishing(0, "id", "shop.test", message.reverse_path))
        assert finished.content == message.content


def test_the_same_seed_composes_the_same() -> None:
    recipients = [[message.recipients for message in compose(50, seed, NOW)] for seed in (1, 1, 2)]
    assert recipients[0] == recipients[1] != recipients[2]


def test_they_are_mime_that_others_can_read() -> None:
    for message in compose(100, 3, NOW):
        parsed = email.message_from_bytes(message.content)
        assert not parsed.defects
        assert parsed["Message-ID"]
