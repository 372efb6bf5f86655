import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paquebot.mail.envelope import Envelope
from paquebot.mail.principal import Principal
from paquebot.spamfilter.facts import Facts, gather
from paquebot.spamfilter.reading import read

Compose = Callable[..., Facts]
_PRINCIPAL = Principal("a", "b", any_sender=True)


def test_plain_and_html_of_the_same_words_read_the_same(facts_of: Compose, html_of: Compose) -> None:
    plain, html = read(facts_of("Your parcel waits")), read(html_of("<p>Your <b>parcel</b> waits</p>"))
    assert set(plain.words) == set(html.words)


def test_transfer_encodings_and_charsets_make_no_difference(facts_of: Compose) -> None:
    plain = read(facts_of("Grüße"))
    coded = read(facts_of("R3L8w59l", Content_Type="text/plain; charset=utf-8", Content_Transfer_Encoding="base64"))
    quoted = read(
        facts_of("Gr=FC=DFe", Content_Type="text/plain; charset=latin1", Content_Transfer_Encoding="quoted-printable")
    )
    assert set(plain.words) == set(quoted.words)
    assert set(plain.words) != set(coded.words)  # that one is another text


def test_an_encoded_subject_reads_as_what_it_says(facts_of: Compose) -> None:
    assert set(read(facts_of(Subject="=?utf-8?b?R3LDvMOfZQ==?=")).words) == set(read(facts_of(Subject="Grüße")).words)


def test_hosts_are_not_words(facts_of: Compose) -> None:
    assert set(read(facts_of("go to http://one.example/a")).words) == set(
        read(facts_of("go to https://two.example")).words
    )


@pytest.mark.parametrize("kind", ["plain", "html"])
@pytest.mark.parametrize(
    "piece", ["<div>", "a" * 997 + "\r\n", "=C3", "\u0301", "<a href=http://a.example>", "\ufdfa", "&amp;"]
)
def test_hostile_content_is_read_within_bounds(facts_of: Compose, kind: str, piece: str) -> None:
    facts = facts_of(
        piece * (400_000 // len(piece)),
        Content_Type=f"text/{kind}; charset=utf-8",
        Content_Transfer_Encoding="quoted-printable",
    )
    started = time.thread_time()
    read(facts)
    assert time.thread_time() - started < 2  # quadratic work takes minutes


@given(
    st.binary(max_size=600),
    st.sampled_from([b"text/html", b"text/plain; charset=hz", b"multipart/mixed; boundary=b", b"message/rfc822"]),
)
@settings(max_examples=150, deadline=None)
def test_no_content_fails(body: bytes, kind: bytes) -> None:
    content = b"Subject: =?x?q?" + body[:40].replace(b"\n", b"") + b"?=\r\nContent-Type: " + kind + b"\r\n\r\n" + body
    reading = read(gather(content, Envelope("", ()), _PRINCIPAL))
    assert reading.words.dtype == np.uint32
