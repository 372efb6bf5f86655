"""Octets of a text part to text, whatever charset was declared: the declared one, UTF-8, else a guess that never fails.

No decoder is used that could be slow or unsafe: only those of a list, and each of them is linear.
"""

import codecs
from functools import lru_cache

_NAME_MAX = 40
_FALLBACK = "cp1252"  # what mail of undeclared charset was mostly written in

# What mail declares and means: names that are missing in the standard library, or that promise less than is sent.
_MEANT = {
    "us-ascii": "utf-8", "ascii": "utf-8", "unknown-8bit": "utf-8", "8bit": "utf-8", "default": "utf-8",
    "iso-8859-1": "cp1252", "latin1": "cp1252", "iso-8859-9": "cp1254", "iso-8859-8-i": "iso-8859-8",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "ks_c_5601-1987": "cp949", "euc-kr": "cp949",
    "shift_jis": "cp932", "shift-jis": "cp932", "x-sjis": "cp932", "big5": "big5hkscs", "tis-620": "cp874",
    "iso-2022-jp": "iso2022_jp_ext", "windows-874": "cp874",
}  # fmt: skip
_ALLOWED = frozenset(
    {
        "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030", "cp949", "cp932", "big5hkscs", "euc_jp",
        "iso2022_jp", "iso2022_jp_ext", "iso2022_jp_2", "iso2022_kr", "hz", "johab", "koi8-r", "koi8-u", "mac-roman",
        "iso8859-2", "iso8859-3", "iso8859-4", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8", "iso8859-10",
        "iso8859-13", "iso8859-14", "iso8859-15", "iso8859-16", "cp437", "cp850", "cp852", "cp866", "cp874",
        "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258",
    }
)  # fmt: skip


def decode(octets: bytes, declared: bytes | str = b"") -> str:
    """Return text; octets that the charset does not have become U+FFFD, and a wrong charset is seen through."""
    if octets.isascii() and b"\x1b" not in octets and b"~{" not in octets and b"\0" not in octets:
        return octets.decode("ascii")
    name = _codec(declared if isinstance(declared, str) else declared[:_NAME_MAX].decode("latin-1"))
    if name in {"", "utf-8"}:
        try:
            return octets.decode("utf-8")
        except UnicodeDecodeError as fault:
            # A text that was cut in its last letter is still UTF-8; else it never was.
            if name and fault.reason == "unexpected end of data":
                return octets.decode("utf-8", "replace")
            return octets.decode(_FALLBACK, "replace")
    try:
        return octets.decode(name, "replace")
    except UnicodeError:  # a few decoders fail even when told to replace
        return octets.decode(_FALLBACK, "replace")


@lru_cache(maxsize=1024)
def _codec(declared: str) -> str:
    """Return the codec to use, "" when the name says nothing."""
    wanted = declared.strip().strip("\"'").lower()[:_NAME_MAX]
    wanted = _MEANT.get(wanted, wanted)
    if not wanted or not wanted.isascii() or "\0" in wanted:
        return ""
    try:
        found = codecs.lookup(wanted).name
    except LookupError:
        return ""
    return found if found in _ALLOWED else ""
