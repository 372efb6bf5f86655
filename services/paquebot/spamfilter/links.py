"""Links in HTML and text: where they lead, and what host their text shows. One pass, within limits."""

import html
import re
from dataclasses import dataclass

LINKS_MAX = 300  # of a message; what follows is not looked at
_SHOWN_MAX = 600  # octets of an anchor's text
_TAG_MAX = 4_096  # octets of an anchor's tag

_ANCHOR = re.compile(rb"<a(?=[\s/])")
_HREF = re.compile(rb"\bhref\s*=\s*[\"']?+\s*+(?:https?:[/\\]*+([^/\\?#\s\"'>]++)|(javascript:|data:text/html))")
_TAG = re.compile(rb"<[^<>]*+>")
_SHOWN = re.compile(
    r"\W*(?:https?://(?:www\.)?|www\.)([\w.-]+\.\w{2,24})(?:[/?#:\s].*)?"
    r"|\W*([\w-]+(?:\.[\w-]+)*\.(?:com|net|org|info|biz|io|co|de|uk|fr|es|it|nl|pt|br|ch|at|pl|eu|ru|cn|jp|au|ca))/?\W*",
    re.DOTALL,
)
_IN_TEXT = re.compile(rb"https?://([^\s/\\?#<>\"')\]]{4,260})")
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|0x[0-9a-f]+|\d{8,10}")


@dataclass(frozen=True, slots=True)
class Link:
    """A link: the host it leads to, the host its text shows ("" when it shows none), all lower case."""

    host: str
    shown: str = ""
    has_user: bool = False  # https://shop.example@elsewhere.example/
    scheme: str = "https"  # javascript and data are no addresses

    @property
    def is_numeric(self) -> bool:
        """True when the host is an address instead of a name."""
        return self.host.startswith("[") or _IPV4.fullmatch(self.host) is not None


def html_links(lowered: bytes) -> list[Link]:
    """Return the links of anchors in lower-case HTML, each once."""
    found: dict[tuple[bytes, bytes], Link] = {}
    for piece in _ANCHOR.split(lowered, LINKS_MAX)[1:]:
        if b"&#" in piece:  # letters of an address may hide behind character references
            piece = html.unescape(piece.decode("utf-8", "replace")).encode("utf-8", "replace")  # noqa: PLW2901
        href = _HREF.search(piece, 0, _TAG_MAX)
        if href is None:
            continue
        begin = piece.find(b">", href.end()) + 1
        inside = piece[begin : min(piece.find(b"</a", begin), begin + _SHOWN_MAX)]
        authority, script = href[1] or b"", href[2]
        if script is not None:
            found[script, b""] = Link("", scheme=script.decode().partition(":")[0])
        elif (authority, inside) not in found:
            found[authority, inside] = _to(authority, _shown_host(inside))
    return list(found.values())


def text_links(lowered: bytes) -> list[Link]:
    """Return the links that stand in lower-case plain text, each once."""
    if b"http" not in lowered:
        return []
    return [_to(authority, "") for authority in dict.fromkeys(_IN_TEXT.findall(lowered)[:LINKS_MAX])]


def _to(authority: bytes, shown: str) -> Link:
    user, _, host = authority.decode("utf-8", "replace").rpartition("@")
    host = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    return Link(host.rstrip("."), shown, bool(user))


def _shown_host(inside: bytes) -> str:
    """Return the host that an anchor's text shows when the text is an address and nothing else."""
    if b"." not in inside:
        return ""
    text = (_TAG.sub(b"", inside) if b"<" in inside else inside).decode("utf-8", "replace").strip()
    shown = _SHOWN.fullmatch(html.unescape(text) if "&" in text else text)
    return (shown[1] or shown[2]).removeprefix("www.") if shown else ""
