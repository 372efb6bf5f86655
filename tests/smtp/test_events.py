from paquebot.mail.envelope import Envelope
from paquebot.smtp.events import AuthAttempt, Content


def test_neither_passwords_nor_content_reach_a_log_by_repr() -> None:
    assert "secret" not in repr(AuthAttempt("PLAIN", "alice", b"secret"))
    assert "secret" not in repr(Content(Envelope("", ()), b"secret"))
