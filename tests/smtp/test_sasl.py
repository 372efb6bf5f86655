import base64

import pytest

from paquebot.smtp.events import AuthAttempt
from paquebot.smtp.grammar import CommandRefused
from paquebot.smtp.sasl import AuthExchange


def b64(octets: bytes) -> bytes:
    return base64.b64encode(octets)


def refused(exchange: AuthExchange, word: bytes) -> str:
    with pytest.raises(CommandRefused) as caught:
        exchange.take(word)
    return str(caught.value.reply)[:9]


@pytest.mark.parametrize("message", [b"\0alice\0pass", b"alice\0alice\0pass"])
def test_plain_takes_one_word(message: bytes) -> None:
    exchange = AuthExchange("PLAIN")
    assert str(exchange.first_prompt()) == "334"
    assert exchange.take(b64(message)) == AuthAttempt("PLAIN", "alice", b"pass")


def test_login_asks_twice() -> None:
    exchange = AuthExchange("LOGIN")
    assert base64.b64decode(exchange.first_prompt().text) == b"Username:"
    prompt = exchange.take(b64("älice".encode()))
    assert not isinstance(prompt, AuthAttempt)
    assert (prompt.code, base64.b64decode(prompt.text)) == (334, b"Password:")
    assert exchange.take(b64(b"\xff")) == AuthAttempt("LOGIN", "älice", b"\xff")


@pytest.mark.parametrize(
    ("word", "reply"),
    [
        (b"*", "501 5.7.0"),
        (b"=", "501 5.5.2"),
        (b"!!!", "501 5.5.2"),
        (b"YQ", "501 5.5.2"),
        (b64(b"alice\0pass"), "501 5.5.2"),
        (b64(b"\0alice\0pa\0ss"), "501 5.5.2"),
        (b64(b"\0\xff\0pass"), "501 5.5.2"),
        (b64(b"bob\0alice\0pass"), "535 5.7.8"),
        (b64(b"\0alice\0"), "535 5.7.8"),
        (b64(b"\0\0pass"), "535 5.7.8"),
    ],
)
def test_plain_is_refused(word: bytes, reply: str) -> None:
    assert refused(AuthExchange("PLAIN"), word) == reply


def test_an_empty_login_name_is_refused_not_read_as_bad_base64() -> None:
    assert refused(AuthExchange("LOGIN"), b"=") == "535 5.7.8"
    assert refused(AuthExchange("LOGIN"), b"") == "535 5.7.8"


def test_other_mechanisms_are_504() -> None:
    with pytest.raises(CommandRefused) as caught:
        AuthExchange("CRAM-MD5")
    assert str(caught.value.reply).startswith("504 5.5.4")


def test_a_password_of_one_character_is_a_password() -> None:
    assert AuthExchange("PLAIN").take(b64(b"\0alice\0x")) == AuthAttempt("PLAIN", "alice", b"x")
