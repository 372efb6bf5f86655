import random
from datetime import UTC, datetime
from pathlib import Path

from paquebot.spamfilter.training.block import Block, Item, blocks
from paquebot.spamfilter.training.place import place
from paquebot.spamfilter.training.scene import Scene
from paquebot.spamfilter.training.story import As, read

STORY = """
family = "note"
[[en]]
subject = ["x"]
parts = [
  { as = "paragraph", say = ["{amount} and {amount} and {amount_2}"] },
  { as = "small", say = ["seldom"], chance = 0.2 },
  { as = "items", say = ["{product} — new — {amount}"], count = [3, 3] },
  { as = "quote", say = ["Lunch?"] },
]
"""


def said(tmp_path: Path, seed: int) -> tuple[Block, ...]:
    path = tmp_path / "ham" / "note.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(STORY, "utf-8")
    (story,) = read(path)
    return blocks(story, Scene(random.Random(seed), place("en"), datetime(2025, 5, 1, tzinfo=UTC)))


def test_a_slot_has_one_value_in_a_message_and_another_with_a_number(tmp_path) -> None:
    first, second, other = said(tmp_path, 1)[0].text.split(" and ")
    assert first == second
    assert first != other


def test_entries_of_a_list_have_prices_of_their_own(tmp_path) -> None:
    (items,) = [block.items for block in said(tmp_path, 1) if block.kind is As.ITEMS]
    assert len({item.price for item in items}) == 3
    assert all(isinstance(item, Item) and item.more == "new" for item in items)


def test_a_part_is_there_as_often_as_its_chance_says(tmp_path) -> None:
    kinds = [{block.kind for block in said(tmp_path, seed)} for seed in range(300)]
    assert 30 < sum(As.SMALL in each for each in kinds) < 95


def test_some_quotes_say_who_wrote_them(tmp_path) -> None:
    before = [said(tmp_path, seed)[-2] for seed in range(40)]
    told = [block for block in before if block.kind is As.PARAGRAPH and "{" not in block.text]
    assert 8 < len(told) < 32
