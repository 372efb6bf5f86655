"""Refusing content: the exception that carries the reply to the client."""

from typing import NoReturn

from paquebot.mail.reply import Reply


class ContentRefused(Exception):  # noqa: N818  (a refusal is an answer, not an error of ours)
    """The content cannot be sent as it is; `reply` tells the client why."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


def refuse(enhanced: str, text: str) -> NoReturn:
    """Refuse content for good, with 554 and an enhanced status (RFC 3463 §3.7)."""
    raise ContentRefused(Reply(554, enhanced, text))
