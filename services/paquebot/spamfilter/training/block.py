"""A part of a story made concrete: what stands in one message. Both its HTML and its text are made of these."""

from dataclasses import dataclass

from paquebot.spamfilter.training.scene import Scene
from paquebot.spamfilter.training.story import As, Part, Story

_TOLD_BY = 0.5  # of quotes say who wrote them


@dataclass(frozen=True, slots=True)
class Item:
    """A product or an article."""

    title: str
    more: str = ""
    price: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """What one part says here. `rows` and `items` are there for their kinds alone."""

    kind: As
    text: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    items: tuple[Item, ...] = ()


def blocks(story: Story, scene: Scene) -> tuple[Block, ...]:
    """Return what a story's parts say in a scene, without those that chance leaves out."""
    said: list[Block] = []
    for part in story.parts:
        if part.chance < 1 and scene.rng.random() >= part.chance:
            continue
        if part.kind is As.QUOTE and scene.rng.random() < _TOLD_BY:
            said.append(Block(As.PARAGRAPH, _told_by(scene)))
        said.append(_block(part, scene))
    return tuple(said)


def _told_by(scene: Scene) -> str:
    """Return the line by which programs introduce earlier mail."""
    told = scene.rng.choice(scene.place.wrote)
    return told.format(date=scene.one("date"), time=scene.one("time"), person=scene.one("person"))


def _block(part: Part, scene: Scene) -> Block:
    rng = scene.rng
    if part.kind is As.ROWS:
        return Block(part.kind, rows=tuple((a.draw(rng, scene.fill), b.draw(rng, scene.fill)) for a, b in part.rows))
    if part.kind is As.ITEMS:
        count = rng.randint(*part.count)
        drawn = rng.sample(part.say, min(count, len(part.say)))
        drawn += [rng.choice(part.say) for _ in range(count - len(drawn))]
        return Block(part.kind, items=tuple(_item(each.draw(rng, lambda name: _fresh(scene, name))) for each in drawn))
    return Block(part.kind, rng.choice(part.say).draw(rng, scene.fill))


_FRESH = frozenset({"amount", "product", "percent", "time", "days", "size", "hours"})


def _fresh(scene: Scene, name: str) -> str:
    """Return a slot of a list: each of its entries has a price of its own."""
    return scene.one(name) if name in _FRESH else scene.fill(name)


def _item(text: str) -> Item:
    title, _, rest = text.partition(" — ")
    more, _, price = rest.partition(" — ")
    return Item(title.strip(), more.strip(), price.strip())
