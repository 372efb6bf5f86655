"""Links as readers see them and as browsers follow them."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.spamfilter.links import LINKS_MAX, Link, html_links, text_links


@pytest.mark.parametrize(
    ("anchor", "link"),
    [
        ('<a href="https://one.example/x">here</a>', Link("one.example")),
        ("<a class=b href='http://one.example:8080?q'>here</a>", Link("one.example")),
        ("<a href=https://one.example>https://two.example/y</a>", Link("one.example", "two.example")),
        ('<a href="https://one.example"><b>www.two.example</b></a>', Link("one.example", "two.example")),
        ('<a href="https://one.example"> two-shop.com </a>', Link("one.example", "two-shop.com")),
        ('<a href="https://one.example">see two-shop.com for more</a>', Link("one.example")),
        ('<a href="https://one.example">README.md</a>', Link("one.example")),
        ('<a href="https://one.example/?a=https://two.example">x</a>', Link("one.example")),
        ('<a href="https://bank.example@one.example/">x</a>', Link("one.example", has_user=True)),
        ('<a href="https:\\\\one.example\\x">x</a>', Link("one.example")),
        ('<a href="&#104;ttps&#58;//one.example">x</a>', Link("one.example")),
        ('<a\nhref="https://one.example">&#119;ww.two.example</a>', Link("one.example", "two.example")),
        ('<a href="javascript:run()">x</a>', Link("", scheme="javascript")),
        ('<a href="data:text/html;base64,eA==">x</a>', Link("", scheme="data")),
        ('<a href="https://[2001:db8::1]:80/">x</a>', Link("[2001:db8::1]")),
        ('<a href="https://one.example./">unclosed', Link("one.example")),
    ],
)
def test_an_anchor_tells_where_it_leads_and_what_it_shows(anchor: str, link: Link) -> None:
    assert html_links(anchor.encode()) == [link]


@pytest.mark.parametrize(
    "anchor",
    [
        '<a name="x">y</a>',
        '<a href="mailto:a@one.example">b@two.example</a>',
        '<a href="#top">www.x.example</a>',
        "<abbr href=https://one.example>x</abbr>",
    ],
)
def test_what_leads_to_no_host_is_no_link(anchor: str) -> None:
    assert html_links(anchor.encode()) == []


def test_the_same_link_counts_once_and_there_is_a_limit() -> None:
    same = b'<a href="https://one.example/">x</a>'
    assert len(html_links(same * 10)) == 1
    many = b"".join(b'<a href="https://h%d.example/">x</a>' % n for n in range(LINKS_MAX + 10))
    assert len(html_links(many)) == LINKS_MAX


def test_links_stand_in_plain_text_too() -> None:
    text = b"see https://one.example/x, <http://two.example> or (https://one.example/y) and https://u@three.example."
    assert text_links(text) == [Link("one.example"), Link("two.example"), Link("three.example", has_user=True)]
    assert text_links(b"none here") == []


@pytest.mark.parametrize(
    ("host", "numeric"),
    [
        ("192.0.2.1", True),
        ("[2001:db8::1]", True),
        ("0xc0000201", True),
        ("3221225985", True),
        ("1.one.example", False),
    ],
)
def test_addresses_instead_of_names_are_told(host: str, *, numeric: bool) -> None:
    assert Link(host).is_numeric is numeric


@given(
    st.lists(
        st.sampled_from(
            [
                "<a ",
                "href=",
                '"',
                "'",
                "https://",
                "one.example",
                ">",
                "</a",
                "&#",
                "&amp;",
                " ",
                "<",
                "@",
                "[",
                "\ud800",
            ]
        ),
        max_size=40,
    )
)
def test_garbage_raises_nothing(pieces: list[str]) -> None:
    octets = "".join(pieces).encode("utf-8", "surrogatepass")
    html_links(octets)
    text_links(octets)


@pytest.mark.parametrize(
    "piece", [b"<a href=", b"<a href=https://x>", b"<", b"<a >", b'<a href="', b"&#1;<a ", b"http://", b"a.", b"<a \n"]
)
def test_hostile_repetition_is_read_in_linear_time(piece: bytes) -> None:
    octets = piece * (131_072 // len(piece))
    started = process_time()
    html_links(octets)
    text_links(octets)
    html_links(b'<a href="https://x.example">' + octets)
    assert process_time() - started < 20  # quadratic reading takes much longer
