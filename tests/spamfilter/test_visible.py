import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paquebot.spamfilter.visible import page


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>One</p><p>two</p>", "one two"),
        ("V<b>ia</b>g<!-- x -->r<span class=a>a</span>", "viagra"),
        ("<style>p { color: red }</style><title>no</title><p>yes</p>", "yes"),
        ("caf&eacute;&nbsp;&#8364;5", "café €5"),
        ("seen <!-- never closed <p>unseen", "seen"),
        ("<p>a < b</p", "a"),
    ],
)
def test_the_text_is_what_a_reader_sees(source: str, text: str) -> None:
    assert page(source).text == text


@pytest.mark.parametrize(
    "style",
    [
        "display:none",
        "display : none !important",
        "font-size:0px;",
        "visibility:hidden",
        "max-height:0",
        "mso-hide:all",
    ],
)
def test_hidden_text_is_counted_and_not_read(style: str) -> None:
    read = page(f'<div style="{style}">secret <div>words</div></div><p>seen</p>')
    assert read.text == "seen"
    assert read.hidden == len("secret words")


def test_a_large_font_hides_nothing() -> None:
    assert page('<p style="font-size:10px;">seen</p>').text == "seen"


def test_what_it_is_made_of_is_counted() -> None:
    read = page(
        '<table><tr><td><a href="https://a.example" style="background:#06c">Pay</a>'
        '<a href="#">more</a></td></tr></table>'
        '<img src="https://a.example/b.png"><img src="cid:1" width="1" height="1"><font>x</font><form><input></form>'
    )
    assert (read.anchors, read.buttons, read.images, read.remote_images, read.pixels) == (2, 1, 2, 1, 1)
    assert (read.tables, read.fonts, read.forms) == (1, 1, 2)


@given(st.text(alphabet="<>/!-ab pstyle=\"'&#;:none", max_size=400))
@settings(max_examples=200, deadline=None)
def test_no_markup_fails(source: str) -> None:
    assert "<p" not in page(source).text or "&" in source


@pytest.mark.parametrize(
    "piece",
    [
        "<div>",
        "<!--",
        "</style",
        "<style</style",
        "<",
        "<a ",
        '<p style="display:none">',
        "<font x>",
        "&#65;",
        "display ",
    ],
)
def test_what_is_made_to_be_slow_is_read_within_bounds(piece: str) -> None:
    started = time.thread_time()
    page(piece * (200_000 // len(piece)))
    assert time.thread_time() - started < 2  # quadratic work takes minutes
