"""The names are written so that the rules find them."""

import pytest

from paquebot.spamfilter import names


@pytest.mark.parametrize(
    "known",
    [
        names.WELL_KNOWN_DOMAINS,
        names.WELL_KNOWN_WORDS,
        names.FREE_MAIL_DOMAINS,
        names.RUNNABLE_EXTENSIONS,
        names.DOCUMENT_EXTENSIONS,
    ],
)
def test_names_are_lower_case_ascii_without_dots_at_their_ends(known: frozenset[str]) -> None:
    assert known
    assert all(name == name.lower().strip(" .") and name.isascii() for name in known)


def test_what_is_run_is_no_document() -> None:
    assert not names.RUNNABLE_EXTENSIONS & names.DOCUMENT_EXTENSIONS
