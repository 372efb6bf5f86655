"""Who shares mail for training: the author's domain, else the reverse-path's."""

import pytest

from paquebot.cli.spam.sharing import wants_sharing
from paquebot.policy.values import MailDomain, Policy, Thresholds

SHARES = MailDomain("shop", "one", "one.example", "p", content=Thresholds(share_for_training=True))
KEEPS = MailDomain("shop", "two", "two.example", "p")
POLICY = Policy(domains={each.domain: each for each in (SHARES, KEEPS)})


@pytest.mark.parametrize(
    ("author", "reverse_path", "shares"),
    [
        ("a@one.example", "b@two.example", True),
        ("a@two.example", "b@one.example", False),
        ("a@other.example", "b@one.example", True),
        ("a@other.example", "", False),
        ("", "b@one.example", True),
    ],
)
def test_the_authors_domain_decides_then_the_reverse_paths(author: str, reverse_path: str, shares: bool) -> None:
    content = f"From: {author}\r\n\r\nHi\r\n".encode()
    assert wants_sharing(POLICY, content, reverse_path) is shares
