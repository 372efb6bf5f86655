import pytest

from paquebot.smtp.table import (
    FIXED,
    NOT_SERVED,
    OUT_OF_SEQUENCE,
    VERBS,
    line_fault,
    speaks_otherwise,
)


def test_every_state_that_reads_commands_says_what_comes_next() -> None:
    assert VERBS.keys() == OUT_OF_SEQUENCE.keys()
    assert {reply.code for reply in OUT_OF_SEQUENCE.values()} == {503}


def test_a_verb_has_one_meaning() -> None:
    known = frozenset().union(*VERBS.values())
    assert not known & FIXED.keys()
    assert not known & NOT_SERVED.keys()


@pytest.mark.parametrize(
    ("verb", "length", "reply"),
    [
        (b"NOOP", 511, None),
        (b"NOOP", 512, None),
        (b"NOOP", 513, "500 5.5.2"),
        (b"MAIL", 1_181, None),
        (b"MAIL", 1_182, "500 5.5.2"),
        (b"RCPT", 1_048, None),
        (b"RCPT", 1_049, "500 5.5.2"),
        (b"AUTH", 12_288, None),
        (b"AUTH", 12_289, "500 5.5.6"),
    ],
)
def test_lines_have_the_lengths_of_the_rfcs(verb: bytes, length: int, reply: str | None) -> None:
    fault = line_fault(verb, (verb + b" ").ljust(length - 2, b"x") + b"\r\n")
    assert (str(fault)[:9] if fault else None) == reply


@pytest.mark.parametrize("line", [b"NOOP\n", b"NOOP\r\r\n", b"NO\0OP\r\n", b"NOOP\x7f\r\n", b"NO\x1b[mOP\r\n"])
def test_a_command_is_printable_text_ended_by_crlf(line: bytes) -> None:
    fault = line_fault(b"NOOP", line)
    assert fault is not None
    assert str(fault).startswith("500 5.5.2")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"GET / HTTP/1.1\r\n", "HTTP"),
        (b"post /x HTTP/2\r\n", "HTTP"),
        (b"Host: mx.test\r\n", "HTTP"),
        (b"\x16\x03\x01\n", "TLS"),
    ],
)
def test_other_protocols_are_recognised(line: bytes, what: str) -> None:
    found = speaks_otherwise(line)
    assert found is not None
    assert what in found.text


@pytest.mark.parametrize("line", [b"EHLO host\r\n", b"HELP HTTP/1.1\r\n", b"\r\n", b"GET\r\n"])
def test_smtp_is_not_taken_for_another_protocol(line: bytes) -> None:
    assert speaks_otherwise(line) is None
