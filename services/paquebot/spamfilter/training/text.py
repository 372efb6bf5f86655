"""The plain text of a message, in the ways in which programs and people write it."""

import random
import re
import textwrap
import unicodedata
from collections.abc import Sequence

from paquebot.spamfilter.training.block import Block
from paquebot.spamfilter.training.sender import Links
from paquebot.spamfilter.training.story import As

_INLINE = re.compile(r"<<(.+?)>>")
_LINKED = ("{text}\n{href}", "{text}: {href}", "{text} ( {href} )", "[{text}]({href})", "{text} <{href}>", "{href}")
_HEADINGS = ("{text}", "{text}", "** {text}", "*{text}*", "# {text}", "{upper}", "{text}\n{line}")
_ROWS = ("{label}: {value}", "{label}:\t{value}", "* {label}: {value}", "{label}\n{value}")
_RULES = ("", "", "-" * 40, "=" * 60, "_" * 30, "--", "* * *")


def plain(blocks: Sequence[Block], links: Links, rng: random.Random) -> str:
    """Return the text of a message, with LF line ends."""
    linked, heading, row = rng.choice(_LINKED), rng.choice(_HEADINGS), rng.choice(_ROWS)
    width = rng.choice((0, 0, 0, 72, 76, 78))
    pieces: list[str] = []
    for block in blocks:
        match block.kind:
            case As.ATTACHMENT | As.HIDDEN | As.PREHEADER:
                continue
            case As.BUTTON | As.LINK:
                pieces.append(linked.format(text=block.text, href=links.main))
            case As.HEADING:
                line = "-" * min(60, len(block.text))
                pieces.append(heading.format(text=block.text, upper=block.text.upper(), line=line))
            case As.ROWS:
                pieces.append("\n".join(row.format(label=label, value=value) for label, value in block.rows))
            case As.ITEMS:
                lines = (" ".join(filter(None, (item.title, item.more, item.price))) for item in block.items)
                pieces.append("\n".join(f"- {line}" for line in lines))
            case As.PICTURE | As.QR:
                pieces.append(rng.choice((f"[{block.text}]", "", f"[image: {block.text}]", links.main)))
            case As.QUOTE:
                pieces.append("\n".join(f"> {line}" for line in block.text.splitlines()))
            case _:
                pieces.append(_wrapped(block.text, width))
    if any(block.kind is As.SMALL for block in blocks) and len(pieces) > 1:
        pieces.insert(len(pieces) - sum(block.kind is As.SMALL for block in blocks), rng.choice(_RULES))
    text = rng.choice(("\n\n", "\n\n", "\n\n", "\n")).join(filter(None, pieces))
    return _INLINE.sub(lambda found: rng.choice(_LINKED[1:5]).format(text=found[1], href=links.second), text) + "\n"


def _wrapped(text: str, width: int) -> str:
    """Return a text in lines of at most that many columns; scripts without spaces are left as they are."""
    if not width or any(unicodedata.east_asian_width(letter) == "W" for letter in text[:40]):
        return text
    return "\n".join(
        textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False) for line in text.split("\n")
    )
