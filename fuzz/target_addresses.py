"""Address lists: what was read as a mailbox is read as the same mailbox when it stands alone."""

from paquebot.mail.address import addresses


def target(octets: bytes) -> None:
    """The octets are the value of a field."""
    read = addresses(octets)
    for mailbox in read.mailboxes:
        local, at, domain = mailbox.address.rpartition("@")
        assert at == "@"
        assert local
        assert domain.isascii()
        assert domain == domain.lower()
        alone = addresses(b"<%b>" % mailbox.address.encode())
        assert [each.address for each in alone.mailboxes] == [mailbox.address]
        assert not alone.faults
