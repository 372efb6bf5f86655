import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paquebot.smtp.grammar import CommandRefused, hello_name, is_mailbox, is_utf8_mailbox


@pytest.mark.parametrize(
    ("local", "domain", "fits"),
    [
        (64, 63, True),
        (65, 63, False),
        (1, 252, True),
        (1, 253, False),
        (64, 189, True),
        (64, 190, False),
    ],
)
def test_paths_have_the_lengths_of_the_rfc(local: int, domain: int, *, fits: bool) -> None:
    labels = ("d" * 62 + ".") * 10
    name = labels[: domain - 1] + "d"
    assert is_mailbox(f"{'l' * local}@{name}") == fits


def test_labels_are_63_octets_at_most() -> None:
    assert is_mailbox(f"a@{'d' * 63}.test")
    assert not is_mailbox(f"a@{'d' * 64}.test")


def test_a_hello_name_is_printable_and_bounded() -> None:
    assert hello_name(b"[192.0.2.1]") == "[192.0.2.1]"
    assert hello_name(b"under_score") == "under_score"
    for bad in (b"", b"two words", b"a" * 256, b"\xff"):
        with pytest.raises(CommandRefused):
            hello_name(bad)


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_any_hello_name_is_read_or_refused(argument: bytes) -> None:
    with contextlib.suppress(CommandRefused):
        assert hello_name(argument)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_mailbox_can_carry_a_command(text: str) -> None:
    if is_mailbox(text):
        assert text.isascii()
    for mailbox in (text, f"{text}@b.test"):
        if is_utf8_mailbox(mailbox):
            assert len((mailbox + "x").splitlines()) == 1
            assert not set("\0<>\x1b") & set(text.replace('"', "")) or text.startswith('"')
