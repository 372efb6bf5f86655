import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.reply import Reply
from paquebot.smtp.events import AuthAttempt
from paquebot.smtp.grammar import CommandRefused
from paquebot.smtp.sasl import WITH_PASSWORD, WITH_TOKEN, AuthExchange, LostExchange, error_challenge


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


ALL = WITH_PASSWORD + WITH_TOKEN
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl-_"
PAIRS = b"host=mx.test\x01port=465\x01auth=Bearer " + TOKEN.encode() + b"\x01\x01"


@pytest.mark.parametrize("mechanism", WITH_TOKEN)
def test_mechanisms_for_tokens_are_served_only_where_tokens_are_taken(mechanism: str) -> None:
    with pytest.raises(CommandRefused) as caught:
        AuthExchange(mechanism)
    assert str(caught.value.reply) == "504 5.5.4 Mechanisms are PLAIN and LOGIN"
    assert str(AuthExchange(mechanism, ALL).first_prompt()) == "334"


def test_where_tokens_are_taken_the_refusal_names_all_mechanisms() -> None:
    with pytest.raises(CommandRefused) as caught:
        AuthExchange("CRAM-MD5", ALL)
    assert str(caught.value.reply) == "504 5.5.4 Mechanisms are PLAIN, LOGIN, OAUTHBEARER and XOAUTH2"


@pytest.mark.parametrize(
    ("header", "username"),
    [(b"n,,", ""), (b"y,,", ""), (b"n,a=shop.web,", "shop.web"), (b"n,a=a=2Cb=3Dc,", "a,b=c")],
)
def test_oauthbearer_takes_a_token_and_perhaps_a_user_name(header: bytes, username: str) -> None:
    attempt = AuthExchange("OAUTHBEARER", ALL).take(b64(header + b"\x01" + PAIRS))
    assert attempt == AuthAttempt("OAUTHBEARER", username, b"", TOKEN.encode())
    assert TOKEN not in repr(attempt)


def test_the_example_of_rfc_7628_is_read() -> None:
    word = (
        b"bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9NTg3AWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52"
        b"YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
    )
    attempt = AuthExchange("OAUTHBEARER", ALL).take(word)
    assert attempt == AuthAttempt("OAUTHBEARER", "user@example.com", b"", b"vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==")


@pytest.mark.parametrize(("user", "username"), [(b"user=shop.web\x01", "shop.web"), (b"user=\x01", ""), (b"", "")])
def test_xoauth2_takes_the_same_without_a_header(user: bytes, username: str) -> None:
    attempt = AuthExchange("XOAUTH2", ALL).take(b64(user + b"auth=bearer " + TOKEN.encode() + b"\x01\x01"))
    assert attempt == AuthAttempt("XOAUTH2", username, b"", TOKEN.encode())


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x01",
        PAIRS,
        b"p=tls-unique,,\x01" + PAIRS,
        b"n,a=,\x01" + PAIRS,
        b"n,a=x=y,\x01" + PAIRS,
        b"n,a=\xff,\x01" + PAIRS,
        b"n,,\x01",
        b"n,,\x01\x01",
        b"n,,\x01host=mx.test\x01\x01",
        b"n,,\x01" + PAIRS[:-1],
        b"n,,\x01" + PAIRS + b"\x01",
        b"n,,\x01" + PAIRS[:-1] + PAIRS,
        b"n,,\x01auth=Basic abc\x01\x01",
        b"n,,\x01auth=Bearer \x01\x01",
        b"n,,\x01auth=Bearer a b\x01\x01",
        b"n,,\x01=x\x01" + PAIRS,
    ],
)
def test_malformed_bearers_are_refused(message: bytes) -> None:
    assert refused(AuthExchange("OAUTHBEARER", ALL), b64(message)) == "501 5.5.2"


@pytest.mark.parametrize("message", [b"", b"user=x\x01\x01", b"n,,\x01" + PAIRS, b"user=\xff\x01" + PAIRS])
def test_malformed_xoauth2_is_refused(message: bytes) -> None:
    assert refused(AuthExchange("XOAUTH2", ALL), b64(message)) == "501 5.5.2"


@given(st.sampled_from(ALL), st.binary(max_size=80))
def test_random_octets_give_an_attempt_a_prompt_or_a_refusal(mechanism: str, octets: bytes) -> None:
    try:
        step = AuthExchange(mechanism, ALL).take(b64(octets) or b"=")
    except CommandRefused:
        return
    assert isinstance(step, AuthAttempt | Reply)


@pytest.mark.parametrize(("mechanism", "status"), [("OAUTHBEARER", "invalid_token"), ("XOAUTH2", "401")])
def test_who_showed_a_token_is_told_why_before_it_is_refused(mechanism: str, status: str) -> None:
    refusal = Reply(535, "5.7.8", "No")
    challenge = error_challenge(mechanism, refusal)
    assert challenge is not None
    assert challenge.code == 334
    assert json.loads(base64.b64decode(challenge.text)) == {"status": status, "schemes": "bearer"}
    for word in (b"AQ==", b"", b"*", b"!"):
        with pytest.raises(CommandRefused) as caught:
            LostExchange(refusal).take(word)
        assert caught.value.reply is refusal


@pytest.mark.parametrize(
    ("mechanism", "reply"),
    [
        ("PLAIN", Reply(535, "5.7.8", "No")),
        ("OAUTHBEARER", Reply(235, "2.7.0", "Yes")),
        ("OAUTHBEARER", Reply(454, "4.7.0", "Later")),
        ("XOAUTH2", Reply(421, "4.7.0", "Bye")),
    ],
)
def test_others_hear_their_reply_at_once(mechanism: str, reply: Reply) -> None:
    assert error_challenge(mechanism, reply) is None
