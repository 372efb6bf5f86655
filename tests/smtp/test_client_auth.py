"""Logging in: one line for PLAIN, word by word for LOGIN, and whatever else a server says."""

import base64

import pytest

from paquebot.mail.reply import Reply
from paquebot.smtp.client import BrokenSession, ClientSession
from paquebot.smtp.client_auth import COMMAND_MAX, Login, authenticate, mechanism_of

LOGIN = Login("ann@shop.example", "päss word")


def encoded(text: str) -> bytes:
    return base64.b64encode(text.encode()) + b"\r\n"


def run(login: Login, extensions: dict[str, str], *answers: bytes) -> tuple[Reply, list[bytes], ClientSession]:
    session = ClientSession(tls=True)
    session.extensions = extensions
    dialogue = authenticate(session, login)
    said: list[bytes] = []
    left = list(answers)
    try:
        next(dialogue)
        while True:
            said.append(session.data_to_send())
            session.receive_data(left.pop(0))
            next(dialogue)
    except StopIteration as done:
        return done.value, said, session


def test_plain_goes_with_the_command_and_the_session_is_free_afterwards() -> None:
    reply, said, session = run(LOGIN, {"AUTH": "LOGIN PLAIN"}, b"235 2.7.0 ok\r\n")
    assert reply == Reply(235, "2.7.0", "ok")
    assert said == [b"AUTH PLAIN " + encoded("\0ann@shop.example\0päss word")]
    assert session.reusable


def test_login_says_each_word_when_it_is_asked() -> None:
    reply, said, _ = run(LOGIN, {"AUTH": "LOGIN XOAUTH2"}, b"334 VXNlcm5hbWU6\r\n", b"334 UGFz\r\n", b"235 ok\r\n")
    assert reply.code == 235
    assert said == [b"AUTH LOGIN\r\n", encoded("ann@shop.example"), encoded("päss word")]


@pytest.mark.parametrize("longer", [0, 1])
def test_what_does_not_fit_in_a_command_line_waits_to_be_asked_for(longer: int) -> None:
    fits = (COMMAND_MAX - len("AUTH PLAIN ")) // 4 * 3 - 2  # octets of the longest password with its two NULs
    login = Login("", "x" * (fits + longer))
    answers = (b"334 \r\n", b"235 ok\r\n") if longer else (b"235 ok\r\n",)
    _, said, _ = run(login, {"AUTH": "PLAIN"}, *answers)
    assert len(said) == 1 + longer
    assert len(said[0]) <= COMMAND_MAX + 2


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_refusal_is_a_reply_and_ends_it(mechanism: str) -> None:
    reply, said, session = run(LOGIN, {"AUTH": mechanism}, b"535 5.7.8 no\r\n")
    assert (str(reply), len(said), session.reusable) == ("535 5.7.8 no", 1, True)


def test_a_server_that_asks_on_is_cancelled() -> None:
    reply, said, _ = run(LOGIN, {"AUTH": "PLAIN"}, b"334 more\r\n", b"501 5.7.0 cancelled\r\n")
    assert (reply.code, said[-1]) == (501, b"*\r\n")


def test_a_connection_that_ends_in_between_is_broken() -> None:
    session = ClientSession(tls=True)
    session.extensions = {"AUTH": "PLAIN"}
    dialogue = authenticate(session, LOGIN)
    next(dialogue)
    session.receive_eof()
    with pytest.raises(BrokenSession, match="waiting for the auth reply"):
        next(dialogue)


@pytest.mark.parametrize(
    ("extensions", "mechanism"),
    [
        ({"AUTH": "CRAM-MD5 LOGIN PLAIN"}, "PLAIN"),
        ({"AUTH": "login"}, "LOGIN"),
        ({"AUTH=LOGIN": "NTLM"}, "LOGIN"),
        ({"AUTH": "XOAUTH2"}, ""),
        ({}, ""),
    ],
)
def test_plain_is_preferred_and_old_servers_are_understood(extensions: dict[str, str], mechanism: str) -> None:
    assert mechanism_of(extensions) == mechanism


def test_a_login_never_shows_its_password() -> None:
    assert repr(LOGIN) == "Login('ann@shop.example')"
