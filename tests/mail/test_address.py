"""Addresses in header fields: what is read, and what is refused because two readers could differ."""

from email.headerregistry import Address
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.address import Mailbox, addresses


@pytest.mark.parametrize(
    ("value", "display", "address"),
    [
        (b" a@one.example", "", "a@one.example"),
        (b" <a@one.example>", "", "a@one.example"),
        (b" Ann <Ann.B@ONE.Example>", "Ann", "Ann.B@one.example"),
        (b' "Doe, Ann" <a@one.example>', "Doe, Ann", "a@one.example"),
        (b' "Ann \\"A\\" Doe" <a@one.example>', 'Ann "A" Doe', "a@one.example"),
        (b" =?utf-8?q?J=C3=BCrgen?= <a@one.example>", "Jürgen", "a@one.example"),
        (b" J. Doe [Sales] <a@one.example>", "J. Doe [Sales]", "a@one.example"),
        (b" a@one.example (Ann (of One) \\) Doe)", "", "a@one.example"),
        (b" (c) Ann (d) <a@one.example> (e)", "Ann", "a@one.example"),
        (b' "quoted local"@one.example', "", '"quoted local"@one.example'),
        (b' "a@b"@one.example', "", '"a@b"@one.example'),
        (b" a@[192.0.2.1]", "", "a@[192.0.2.1]"),
        (b" a @ one . example", "", "a@one.example"),  # RFC 5322 §4.4
        (b" Ann\r\n <a@one.example>", "Ann", "a@one.example"),
        (b" x@two.example <a@one.example>", "x@two.example", "a@one.example"),
        (" Änne <ä.ö@Bücher.example>".encode(), "Änne", "ä.ö@xn--bcher-kva.example"),
        (" a@BÜCHER.example".encode(), "", "a@xn--bcher-kva.example"),
        (' "ä b"@one.example'.encode(), "", '"ä b"@one.example'),
    ],
)
def test_one_mailbox_is_read(value: bytes, display: str, address: str) -> None:
    read = addresses(value)
    assert read.faults == ()
    assert read.mailboxes == (Mailbox(display, address),)
    assert read.mailboxes[0].domain == address.rpartition("@")[2]


def test_lists_and_groups_are_read_in_order() -> None:
    read = addresses(b' a@one.example, Team: "B" <b@two.example>, c@two.example; , d@three.example')
    assert read.faults == ()
    assert [(mailbox.address, mailbox.group) for mailbox in read.mailboxes] == [
        ("a@one.example", ""),
        ("b@two.example", "Team"),
        ("c@two.example", "Team"),
        ("d@three.example", ""),
    ]


def test_an_empty_group_names_nobody_and_is_no_fault() -> None:
    assert addresses(b"undisclosed-recipients:;") == addresses(b"")


@pytest.mark.parametrize(
    "value",
    [
        b"\xff@one.example",
        "a\u2028b@one.example".encode(),
        "a@ü..example".encode(),
        "a@-ü.example".encode(),
        "a@☃.example".encode(),
        b"nobody",
        b"Ann Doe",
        b"a@",
        b"@one.example",
        b"a b@one.example",
        b"a@one.example b@two.example",
        b"<a@one.example> <b@two.example>",
        b"<a@one.example> tail",
        b"<a@one.example",
        b"a@one.example>",
        b"<<a@one.example>>",
        b'"Ann <a@one.example>',
        b"(Ann <a@one.example>",
        b"Ann: <a@one.example>",
        b"<a@one.example>;",
        b"A: B: <a@one.example>;",
        b"<@relay.example:a@one.example>",
        b"Doe, Ann <a@one.example>",
        b"a..b@one.example",
        b"a@one.example\x00",
        b"(" * 21 + b")" * 21 + b"a@one.example",
    ],
)
def test_what_two_readers_could_read_differently_is_a_fault(value: bytes) -> None:
    assert addresses(value).faults


def test_too_many_mailboxes_are_a_fault() -> None:
    assert addresses(b"a@one.example," * 5_001).faults == ("There are too many addresses.",)
    assert addresses(b"a@one.example," * 5_000).faults == ()


@given(st.binary(max_size=200))
def test_garbage_raises_nothing(garbage: bytes) -> None:
    addresses(garbage)


@given(st.lists(st.sampled_from(list(b'<>()[]",:;@. ab\\\r\n\t')), max_size=60))
def test_a_mailbox_read_without_fault_holds_one_domain(octets: list[int]) -> None:
    read = addresses(bytes(octets))
    for mailbox in read.mailboxes:
        assert mailbox.address.count("@") >= 1
        assert not set(mailbox.domain) & set('<>",:;@ \r\n')


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30))
def test_any_display_name_quoted_by_the_standard_library_is_read_back(name: str) -> None:
    written = str(Address(name, "a", "one.example")).encode()
    read = addresses(written)
    assert read.faults == ()
    assert [mailbox.address for mailbox in read.mailboxes] == ["a@one.example"]


@pytest.mark.parametrize("piece", [b'\\"', b'"', b"(", b"[", b"<", b" ", b"a ", b'"\\', b",", b"=?a?q?", b"a.", b"(\\"])
def test_hostile_repetition_is_read_in_linear_time(piece: bytes) -> None:
    started = process_time()
    addresses(piece * (262_144 // len(piece)) + b"x")
    assert process_time() - started < 20  # quadratic reading takes hours
