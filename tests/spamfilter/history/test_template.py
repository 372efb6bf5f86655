"""Texts that differ in a name or a number have templates close to each other."""

from paquebot.spamfilter.history.template import TEXT_MIN_BYTES, near, template_of

PARCEL = (
    b"dear ann, your parcel number 4711 could not be delivered. please confirm your address and pay the fee of 2.99. "
)
MINUTES = (
    b"hello team, here are the minutes of our meeting on monday; we moved the release to friday because of the tests. "
)
WORDS = b"alder birch cedar elder hazel holly larch maple olive pine rowan spruce walnut willow yew".split()
FOREST = b" ".join(WORDS[at * at % 13] + WORDS[at * 7 % 15] for at in range(300))


def test_a_text_with_another_name_and_number_is_near() -> None:
    other = PARCEL.replace(b"ann", b"bartholomew").replace(b"4711", b"99123")
    assert near(template_of(PARCEL * 3), template_of(other * 3))
    assert near(template_of(PARCEL + FOREST), template_of(other + FOREST))


def test_another_text_is_far() -> None:
    assert not near(template_of(PARCEL * 3), template_of(MINUTES * 3))


def test_tags_and_white_space_make_no_difference() -> None:
    dressed = b"<style>p { color: red }</style><p class='x'>" + PARCEL.replace(b" ", b" \r\n ") + b"</p>"
    assert near(template_of(PARCEL), template_of(dressed.replace(b"p { color: red }", b"")))


def test_too_little_text_has_no_template() -> None:
    assert template_of(b"a" * (TEXT_MIN_BYTES - 1)) == 0
    assert template_of(b"x" + FOREST[:TEXT_MIN_BYTES]) != 0
    assert not near(0, 0)


def test_a_flood_of_tags_is_read_within_limits() -> None:
    assert template_of(b"<" * 1_000_000) >= 0
    assert template_of(b"<style>" * 200_000) == 0
