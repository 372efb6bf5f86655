"""The HTML of a message: blocks laid out by a hand, with the head, logo, footer and pixel that such mail has.

What differs between two messages is drawn: the same layouts and hands write wanted and unwanted mail.
"""

import html
import random
import re
import string
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from string import Template

from paquebot.spamfilter.training import invented
from paquebot.spamfilter.training.block import Block, Item
from paquebot.spamfilter.training.look import Look, look
from paquebot.spamfilter.training.place import Place
from paquebot.spamfilter.training.sender import Links
from paquebot.spamfilter.training.story import As

BRICKS = Path(__file__).parent / "bricks.toml"

_INLINE = re.compile(r"&lt;&lt;(.+?)&gt;&gt;")
_ADDRESS = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")
_BLANKS = ("", "", "&nbsp;&zwnj;" * 12, "&#847; &zwnj; &nbsp; " * 8, "\u00a0" * 20)
_MSO_OPEN = '<!--[if (gte mso 9)|(IE)]><table width="600" align="center"><tr><td><![endif]-->'
_MSO_CLOSE = "<!--[if (gte mso 9)|(IE)]></td></tr></table><![endif]-->"
_DOCTYPES = (
    "<!DOCTYPE html>\n<html>",
    '<!DOCTYPE html>\n<html lang="$language">',
    (
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" '
        '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n<html xmlns="http://www.w3.org/1999/xhtml">'
    ),
    (
        '<!doctype html><html xmlns="http://www.w3.org/1999/xhtml" xmlns:v="urn:schemas-microsoft-com:vml" '
        'xmlns:o="urn:schemas-microsoft-com:office:office">'
    ),
    '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN">\n<HTML>',
    "<html>",
)
_META = (
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta http-equiv="X-UA-Compatible" content="IE=edge">',
    '<meta name="x-apple-disable-message-reformatting">',
    '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">',
    '<meta name="format-detection" content="telephone=no,address=no,email=no,date=no,url=no">',
    (
        "<!--[if mso]><noscript><xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch>"
        "</o:OfficeDocumentSettings></xml></noscript><![endif]-->"
    ),
)
_TEXTUAL = {As.GREETING: "paragraph", As.CLOSING: "paragraph", As.SIGNATURE: "paragraph", As.LINK: "paragraph"}


@dataclass(slots=True)
class Press:
    """What lays out one message: its look, its links, and the bricks it has chosen."""

    look: Look
    links: Links
    place: Place
    brand: str
    rng: random.Random
    chosen: dict[str, Template]
    code_ident: str = ""  # Content-ID of the picture of a code, when it comes with the message

    def brick(self, name: str, **values: str) -> str:
        """Return a brick with its places filled; each brick is chosen once a message."""
        if name not in self.chosen:
            self.chosen[name] = self.rng.choice(_choices(self.look.hand, name))
        return self.chosen[name].safe_substitute(_Names(self, values))

    def inline(self, text: str) -> str:
        """Return text for HTML: escaped, with line breaks, and with links where it has them."""
        escaped = html.escape(text, quote=False).replace("\n", "<br>\n")
        escaped = _ADDRESS.sub(lambda found: self.brick("anchor", text=found[0], href=found[0]), escaped)
        return _INLINE.sub(lambda found: self.brick("anchor", text=found[1], href=self.links.second), escaped)


class _Names(dict[str, str]):
    """What a brick may name: its own values first, then classes, links, and what the look has."""

    def __init__(self, press: Press, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self._press = press

    def __missing__(self, name: str) -> str:
        press = self._press
        if name.startswith("c_"):
            return press.look.class_name(name.removeprefix("c_"))
        known: Mapping[str, Callable[[], str]] = {
            "href": lambda: html.escape(press.links.main),
            "second": lambda: html.escape(press.links.second),
            "pictures": lambda: press.links.pictures,
            "brand": lambda: html.escape(press.brand),
            "language": lambda: press.place.language,
            "align": lambda: press.look.align,
            "token": lambda: invented.token(press.rng, 10, string.ascii_lowercase + string.digits),
            "beacon": lambda: f"{press.links.pictures}{invented.token(press.rng, 40)}.gif",
            "blanks": lambda: press.rng.choice(_BLANKS),
        }
        return known[name]() if name in known else press.look.values.get(name, "")


@lru_cache(maxsize=512)
def _choices(hand: str, name: str) -> tuple[Template, ...]:
    """Return the bricks of a name that a hand has, or that it takes instead."""
    bricks = _bricks()
    for owner, wanted in ((hand, name), ("any", name), ("divs", name), (hand, "paragraph")):
        if wanted in bricks[owner]:
            return tuple(Template(text) for text in bricks[owner][wanted])
    raise AssertionError(f"no brick {name} for {hand}")


@lru_cache(maxsize=1)
def _bricks() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(BRICKS.read_text("utf-8"))


def page(blocks: Sequence[Block], press: Press, subject: str, charset: str) -> str:
    """Return the HTML of a message, as its body part has it."""
    own = press.look
    body = "".join(_laid(block, press) for block in blocks if block.kind not in {As.PREHEADER, As.SMALL, As.ATTACHMENT})
    foot = "".join(
        _row(press.brick("small", text=_small(block.text, press)), press) for block in blocks if block.kind is As.SMALL
    )
    top = "" if own.is_plain or press.rng.random() < 0.25 else _row(press.brick("logo"), press)  # noqa: PLR2004
    mso = not own.is_plain and press.rng.random() < 0.4  # noqa: PLR2004
    name = f"page_{own.layout}" if f"page_{own.layout}" in _bricks()[own.hand] and press.rng.random() < 0.6 else "page"  # noqa: PLR2004
    laid = press.brick(
        name, top=top, body=body, foot=foot, mso_open=_MSO_OPEN if mso else "", mso_close=_MSO_CLOSE if mso else ""
    )
    before = "".join(
        press.brick("preheader", text=press.inline(block.text)) for block in blocks if block.kind is As.PREHEADER
    )
    pixel = press.brick("pixel") if not own.is_plain and press.rng.random() < 0.4 else ""  # noqa: PLR2004
    return _spaced(_framed(before + laid + pixel, press, subject, charset), press.rng)


def press_for(layout: str, links: Links, place: Place, brand: str, rng: random.Random) -> Press:
    """Return what lays out a message in that layout."""
    return Press(look(layout, rng), links, place, brand, rng, {})


def _laid(block: Block, press: Press) -> str:
    """Return a block in its row."""
    return _row(_inner(block, press), press)


def _row(inner: str, press: Press) -> str:
    return press.brick("row", inner=inner) if inner else ""


def _inner(block: Block, press: Press) -> str:
    match block.kind:
        case As.ROWS:
            entries = (press.brick("entry", label=press.inline(a), value=press.inline(b)) for a, b in block.rows)
            return press.brick("rows", inner="".join(entries))
        case As.ITEMS:
            return press.brick("items", inner="".join(_item(item, press) for item in block.items))
        case As.LINK:
            return press.brick("paragraph", text=press.brick("anchor", text=press.inline(block.text)))
        case As.QR if press.code_ident:
            return f'<img src="cid:{press.code_ident}" alt="{html.escape(block.text)}" width="200" height="200">'
        case As.PICTURE | As.QR:
            return press.brick("picture", text=html.escape(block.text))
        case _:
            return press.brick(_TEXTUAL.get(block.kind, block.kind.value), text=press.inline(block.text))


def _item(item: Item, press: Press) -> str:
    return press.brick(
        "item", text=press.inline(item.title), more=press.inline(item.more), price=press.inline(item.price)
    )


def _small(text: str, press: Press) -> str:
    """Return a footer's text, in which the words that footers link are links in most mail."""
    shown = press.inline(text)
    if "<a " in shown or press.rng.random() < 0.3:  # noqa: PLR2004
        return shown
    for word in press.place.stop:
        at = shown.lower().find(word.lower())
        if at >= 0 and len(shown.lower()) == len(shown):
            linked = press.brick("anchor", text=shown[at : at + len(word)], href=html.escape(press.links.second))
            return shown[:at] + linked + shown[at + len(word) :]
    return shown


def _framed(body: str, press: Press, subject: str, charset: str) -> str:
    """Return the body in a document, or as it is, as some programs send it."""
    rng = press.rng
    if press.look.hand in {"webmail", "breaks"} and rng.random() < 0.7:  # noqa: PLR2004
        return body
    start = Template(rng.choice(_DOCTYPES)).safe_substitute(language=press.place.language)
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={charset}">'
    metas = [meta, *(each for each in _META if not press.look.is_plain and rng.random() < 0.4)]  # noqa: PLR2004
    title = rng.choice(("", "<title></title>", f"<title>{html.escape(subject)}</title>"))
    styles = _styles(press)
    return f"{start}\n<head>\n" + "\n".join((*metas, title)) + f"{styles}\n</head>\n<body>\n{body}\n</body>\n</html>"


def _styles(press: Press) -> str:
    count = 0 if press.look.is_plain else press.rng.randint(0, 3)
    if press.look.hand == "builder":
        count += 2
    choices = _choices("any", "style")
    sheets = press.rng.sample(choices, min(count, len(choices)))
    return "".join(f'\n<style type="text/css">{sheet.safe_substitute(_Names(press, {}))}</style>' for sheet in sheets)


def _spaced(text: str, rng: random.Random) -> str:
    """Return HTML with its tags each on a line, some of them, or all in a row."""
    style = rng.random()
    if style < 0.4:  # noqa: PLR2004
        return re.sub(r"(</(?:td|tr|p|div|table|li|h1|h2|h3)>)(?=<)", r"\1\n", text)
    if style < 0.6:  # noqa: PLR2004
        indent = rng.choice(("  ", "    ", "\t", "\n"))
        return re.sub(r">(<(?:table|tr|td|div|p|ul|li|h\d|a|img)\b)", rf">\n{indent}\1", text)
    return text
