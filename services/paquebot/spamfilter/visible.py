"""What a reader of HTML sees, and what is hidden from them; by linear passes over the text, never by a tree.

A tree costs more than it tells here, and 100 KB of nested elements take a parser of the standard's rules over a second
(docs/decisions/20261126-no-tree-of-html.md). Each pattern below consumes what it has looked at.
"""

import html
import re
from dataclasses import dataclass
from typing import Final

HTML_MAX: Final = 131_072  # code points of a part
_SHOWN_MAX = 65_536  # of it, styles and comments aside
_VISIBLE_MAX = 32_768
_HIDDEN_MAX = 80  # elements; what follows counts as visible
_INSIDE_MAX = 200  # tags of the same name inside a hidden element
_TAG_MAX = 2_000
_ANCHORS_MAX = 300

_COMMENT = re.compile(r"<!--(?:.*?-->|.*+)", re.DOTALL)
_UNSHOWN = re.compile(r"<(style|script|title|template|noframes)\b.*?(?:</\1[^>]*+(?:>|\Z)|\Z)", re.DOTALL)
_INLINE = re.compile(r"</?+(?:b|i|u|s|em|font|strong|span|small|big|sup|sub|wbr|o:p)(?:[\s/][^<>]*+)?>")
_TAG = re.compile(r"<[^<>]*+>?")
_HIDING = re.compile(
    r"display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden|font-size\s{0,3}:\s{0,3}0*\.?0*(?:px|pt|em|%)?\s{0,3}[;\"']"
    r"|max-height\s{0,3}:\s{0,3}0|opacity\s{0,3}:\s{0,3}0(?:\.0+)?\s{0,3}[;\"']|mso-hide\s{0,3}:\s{0,3}all"
)
_NAME = re.compile(r"<([a-z][a-z0-9]{0,10})[\s/]")
_VOID = frozenset({"img", "br", "input", "meta", "link", "hr", "col", "area", "base", "embed"})
_IMAGE = re.compile(r"<img\b[^<>]{0,2000}+")
_PIXEL = re.compile(r"(?:width|height)\s{0,3}[=:]\s{0,3}[\"']?[01](?:px)?[\"';\s]")
_ANCHOR = re.compile(r"<a\s[^<>]{0,2000}+")
_BUTTON = re.compile(r"background|btn|button|padding\s{0,3}:")


@dataclass(frozen=True, slots=True)
class Page:
    """An HTML part: its text, and counts of what it is made of. `hidden` is the length of text that is not shown."""

    text: str
    hidden: int
    tags: int
    images: int
    remote_images: int
    pixels: int
    anchors: int
    buttons: int
    tables: int
    fonts: int
    forms: int

    @property
    def counts(self) -> tuple[int, ...]:
        """All but the text, in order."""
        return (
            self.hidden, self.tags, self.images, self.remote_images, self.pixels, self.anchors, self.buttons,
            self.tables, self.fonts, self.forms,
        )  # fmt: skip


NO_PAGE: Final = Page("", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


def page(source: str) -> Page:
    """Read HTML, of which at most HTML_MAX code points are looked at. The text is in lower case."""
    lowered = source[:HTML_MAX].lower()
    if "<!--" in lowered:
        lowered = _COMMENT.sub("", lowered)
    lowered = _UNSHOWN.sub(" ", lowered)[:_SHOWN_MAX]
    shown, hidden = _without_hidden(lowered)
    images = _IMAGE.findall(shown)
    anchors = _ANCHOR.findall(shown)[:_ANCHORS_MAX]
    return Page(
        text=_text(shown),
        hidden=hidden,
        tags=lowered.count("<"),
        images=len(images),
        remote_images=sum("http" in image for image in images),
        pixels=sum(_PIXEL.search(image) is not None for image in images),
        anchors=len(anchors),
        buttons=sum(_BUTTON.search(anchor) is not None for anchor in anchors),
        tables=lowered.count("<table"),
        fonts=lowered.count("<font"),
        forms=lowered.count("<form") + lowered.count("<input"),
    )


def _text(source: str) -> str:
    text = _TAG.sub(" ", _INLINE.sub("", source))
    text = " ".join(text.replace("&nbsp;", " ").split())[:_VISIBLE_MAX]
    return html.unescape(text) if "&" in text else text


def _without_hidden(source: str) -> tuple[str, int]:
    """Return the source without hidden elements, and how many letters of text they hold."""
    kept: list[str] = []
    done = hidden = 0
    for count, match in enumerate(_HIDING.finditer(source)):
        if count >= _HIDDEN_MAX:
            break
        if match.start() < done:
            continue
        begin = source.rfind("<", max(done, match.start() - _TAG_MAX), match.start())
        name = _NAME.match(source, begin) if begin >= 0 else None
        if name is None or name[1] in _VOID or ">" in source[begin : match.start()]:
            continue
        end = _element_end(source, name[1], match.end())
        kept.append(source[done:begin])
        hidden += len(_text(source[begin:end]))
        done = end
    kept.append(source[done:])
    return " ".join(kept) if done else source, hidden


def _element_end(source: str, name: str, position: int) -> int:
    """Return where an element ends whose tag ends after `position`; the end of its tag when nothing closes it."""
    tag_end = source.find(">", position) + 1 or len(source)
    depth = 1
    position = tag_end
    for _ in range(_INSIDE_MAX):
        close = source.find(f"</{name}", position)
        if close < 0:
            return tag_end
        opened = source.find(f"<{name}", position, close)
        if opened >= 0:
            depth, position = depth + 1, opened + 1
            continue
        depth, position = depth - 1, close + 1
        if depth == 0:
            return source.find(">", close) + 1 or len(source)
    return tag_end
