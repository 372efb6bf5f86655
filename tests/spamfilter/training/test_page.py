import random

import pytest

from paquebot.spamfilter.training.block import Block, Item
from paquebot.spamfilter.training.look import HANDS
from paquebot.spamfilter.training.page import Press, page, press_for
from paquebot.spamfilter.training.place import place
from paquebot.spamfilter.training.sender import Links
from paquebot.spamfilter.training.story import As

LINKS = Links("https://a.example/go?x=1&y=2", "https://a.example/stop", "https://a.example/i/")
BLOCKS = (
    Block(As.PREHEADER, "Seen in the list"),
    Block(As.HEADING, "A < B & C"),
    Block(As.PARAGRAPH, "Read <<our terms>> or $100 at https://b.example/x."),
    Block(As.ROWS, rows=(("Order", "17"),)),
    Block(As.ITEMS, items=(Item("Lamp", "blue", "$5"),)),
    Block(As.BUTTON, "Start here"),
    Block(As.SMALL, "Unsubscribe"),
    Block(As.ATTACHMENT, "x.pdf"),
)


def press(seed: int, layout: str = "notice") -> Press:
    return press_for(layout, LINKS, place("en"), "Velunaro", random.Random(seed))


@pytest.mark.parametrize("layout", sorted(HANDS))
def test_every_layout_says_all_of_it_and_nothing_of_attachments(layout: str) -> None:
    for seed in range(15):
        html = page(BLOCKS, press(seed, layout), "Subject", "utf-8")
        for said in ("A &lt; B &amp; C", "$100", "17", "Lamp", "Start here", "nsubscribe"):
            assert said in html or said.upper() in html, (seed, said)
        assert 'href="https://a.example/go?x=1&amp;y=2"' in html
        assert ">our terms<" in html
        assert '"https://b.example/x"' in html
        assert "x.pdf" not in html
        assert "\\n" not in html


def test_classes_are_named_alike_within_a_message_and_differently_between_messages() -> None:
    one = press(1).look
    assert one.class_name("wrap") == one.class_name("wrap")
    assert len({press(seed).look.class_name("wrap") for seed in range(40)}) > 10
