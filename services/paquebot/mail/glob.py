"""Patterns with `*` for any run of characters, without regard to case. Pure; time is linear in the text."""

PATTERN_MAX = 200


def matches(pattern: str, text: str) -> bool:
    """Say whether the whole text is as the pattern says."""
    head, *rest = pattern.casefold().split("*")
    text = text.casefold()
    if not rest:
        return text == head
    *middle, tail = rest
    if len(text) < len(head) + len(tail) or not (text.startswith(head) and text.endswith(tail)):
        return False
    at, end = len(head), len(text) - len(tail)
    for piece in middle:  # the first place of each piece leaves the most for those behind it
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True
