import numpy as np

from paquebot.spamfilter.alphabet import letters
from paquebot.spamfilter.grams import AUTHOR, BODY, SLOTS, SUBJECT, letter_slots, word_slots


def words(text: str, field: int = BODY) -> list[int]:
    return word_slots(letters(text).points, field).tolist()


def test_a_word_has_one_slot_wherever_it_stands() -> None:
    first, second = words("buy now cheap"), words("you may buy now")
    assert first[0] == second[2]
    assert first[1] == second[3]
    assert first[3] == second[-1]  # the pair "buy now"


def test_pairs_know_their_order() -> None:
    assert words("buy now")[2] != words("now buy")[2]


def test_fields_are_told_apart() -> None:
    assert len({words("invoice", field)[0] for field in (BODY, SUBJECT, AUTHOR)}) == 3


def test_an_ideograph_is_a_word() -> None:
    assert len(words("账户通知")) == 4 + 3


def test_slots_are_the_same_on_every_platform() -> None:
    assert words("buy now cheap") == [2651439, 1397541, 1939772, 1141535, 1336528]


def test_letters_make_twos_threes_and_fours() -> None:
    slots = letter_slots(letters("abc").points)
    assert len(slots) == 4 + 3 + 2
    assert int(slots.max()) < SLOTS


def test_few_letters_are_few_slots() -> None:
    assert letter_slots(letters("").points).size == 0
    assert words("") == []


def test_hashes_spread_evenly() -> None:
    text = " ".join(f"w{chr(97 + i % 26)}{chr(97 + i // 26 % 26)}{chr(97 + i // 676)}" for i in range(4_000))
    slots = word_slots(letters(text).points, BODY)
    assert len(np.unique(slots)) > 0.99 * slots.size
