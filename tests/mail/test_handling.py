"""A sender says lane and tags in header fields of ours; they are taken out, and unfit ones are named."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.delivery import Lane
from paquebot.mail.handling import AS_USUAL, TAGS_MAX, Handling, lane_of, tags_of, take_out
from paquebot.mail.refusal import ContentRefused

FROM = b"From: ann@shop.example\r\n"


def taken(section: bytes) -> tuple[bytes, Handling]:
    names = re.findall(rb"^([!-9;-~]+):", section.lower(), re.MULTILINE)
    return take_out(section, names)


def refusal(section: bytes) -> str:
    with pytest.raises(ContentRefused) as refused:
        taken(section)
    return str(refused.value.reply)


def test_lane_and_tags_are_read_and_taken_out() -> None:
    section = b"Paquebot-Tags: class=transactional,\r\n Campaign=Spring/26\r\n" + FROM + b"paquebot-lane: Bulk\r\n"
    left, handling = taken(section)
    assert left == FROM
    assert handling == Handling(Lane.BULK, {"class": "transactional", "campaign": "Spring/26"})


def test_without_them_nothing_is_changed() -> None:
    left, handling = taken(FROM)
    assert left is FROM
    assert handling is AS_USUAL


def test_what_only_looks_like_one_stays() -> None:
    other = b"X-Was: Paquebot-Lane: bulk\r\nX-Folded: a\r\n Paquebot-Lane: bulk\r\n"
    assert taken(other + b"Paquebot-Lane: bulk\r\n") == (other, Handling(Lane.BULK))


@pytest.mark.parametrize("name", [b"DKIM-Signature", b"ARC-Message-Signature"])
def test_a_field_that_a_signature_covers_is_read_and_stays(name: bytes) -> None:
    signature = name + b": v=1; d=other.example;\r\n h=From :\r\n\tPaquebot-Tags:Subject; b=x\r\n"
    whole = signature + FROM + b"Paquebot-Tags: a=b\r\nPaquebot-Lane: bulk\r\n"
    left, handling = taken(whole)
    assert left == whole.removesuffix(b"Paquebot-Lane: bulk\r\n")
    assert handling == Handling(Lane.BULK, {"a": "b"})


def test_a_signature_over_other_fields_keeps_nothing() -> None:
    signature = b"DKIM-Signature: v=1; bh=paquebot-lane; h=from:to; b=x\r\n"
    assert taken(signature + b"Paquebot-Lane: bulk\r\n")[0] == signature


@pytest.mark.parametrize(
    ("field", "told"),
    [
        (b"Paquebot-Lane: fast", "554 5.6.0 Paquebot-Lane is 'fast': write normal, bulk or urgent"),
        (b"Paquebot-Lane:", "Paquebot-Lane is ''"),
        (b"Paquebot-Lane: bulk\r\nPaquebot-Lane: bulk", "Paquebot-Lane is there more than once"),
        (b"Paquebot-Tags: spring", "Paquebot-Tags: 'spring' is no tag: write name=value"),
        (b"Paquebot-Tags: a b=c", "Paquebot-Tags: 'a b' is no name"),
        (b"Paquebot-Tags: \xe9=c", "Paquebot-Tags: '\\xe9' is no name"),
        (b"Paquebot-Tags: " + b"x" * 33 + b"=c", "is no name: 1 to 32"),
        (b"Paquebot-Tags: a=", "the value of a is unfit"),
        (b"Paquebot-Tags: a=" + b"x" * 65, "the value of a is unfit: 1 to 64"),
        (b"Paquebot-Tags: a=1, A=2", "Paquebot-Tags: a is there more than once"),
        (b"Paquebot-Tags: " + b",".join(b"t%d=x" % n for n in range(TAGS_MAX + 1)), "has 11 tags: at most 10"),
    ],
)
def test_an_unfit_field_is_refused_by_name(field: bytes, told: str) -> None:
    text = refusal(FROM + field + b"\r\n")
    assert told in text
    assert text.isascii()


def test_as_many_tags_and_octets_as_are_allowed_are_kept() -> None:
    tags = {f"{'n' * 31}{number}": "v" * 64 for number in range(TAGS_MAX)}
    assert tags_of(tags.items(), "tags") == tags


@given(st.text())
def test_any_word_is_a_lane_or_refused(word: str) -> None:
    if word.strip().upper() in Lane.__members__:
        assert lane_of(word, "lane") in Lane
    else:
        with pytest.raises(ContentRefused):
            lane_of(word, "lane")


@given(
    st.lists(st.sampled_from([b"Paquebot-Lane: bulk\r\n", b"Paquebot-Tags: a=b\r\n", b"X: Paquebot-Lane: a\r\n", FROM]))
)
def test_exactly_our_fields_go(lines: list[bytes]) -> None:
    section = b"".join(lines)
    try:
        left, _ = taken(section)
    except ContentRefused:
        return
    assert left == b"".join(line for line in lines if not line.startswith(b"Paquebot"))
