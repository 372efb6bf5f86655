"""What people shared goes into training as one collection that names nobody."""

from paquebot.cli.spam.retrain import SOURCE, labelled
from paquebot.queue.replay import Shared


def test_shared_mail_is_labelled_as_it_was_decided_and_its_tenant_is_not_named() -> None:
    mail = labelled([Shared.of("m1", "shop", b"\xff", is_wanted=True), Shared.of("m2", "shop", b"x", is_wanted=False)])
    assert [(each.ident, each.spam, each.source, each.content, each.held_out) for each in mail] == [
        ("m1", False, SOURCE, b"\xff", False),
        ("m2", True, SOURCE, b"x", False),
    ]
    assert "shop" not in repr(mail)
