"""Logins come from files, and what is missing is said with its cure."""

from pathlib import Path

import pytest

from paquebot.deliverer.logins import LENGTH_MAX, Logins
from paquebot.smtp.client_auth import Login


def kept(folder: Path, **words: str) -> Logins:
    (folder / "mail-system.partner").mkdir()
    for name, word in words.items():
        (folder / "mail-system.partner" / name).write_text(word)
    return Logins(folder)


def test_a_login_is_read_without_the_line_end_of_editors(tmp_path: Path) -> None:
    assert kept(tmp_path, username="us\n", password=" p \r\n").read("mail-system.partner") == Login("us", " p ")


def test_one_secret_may_hold_the_logins_of_many(tmp_path: Path) -> None:
    (tmp_path / "mail-system.partner.username").write_text("us")
    (tmp_path / "mail-system.partner.password").write_text("p")
    assert Logins(tmp_path).read("mail-system.partner") == Login("us", "p")
    assert isinstance(Logins(tmp_path).read("mail-system.part"), str)


@pytest.mark.parametrize("words", [{}, {"username": "us"}, {"username": "us", "password": "\n"}])
def test_what_is_missing_is_said_with_its_cure(tmp_path: Path, words: dict[str, str]) -> None:
    assert kept(tmp_path, **words).read("mail-system.partner") == (
        "Secret mail-system/partner is not here with a username and a password: "
        "`paquebot smarthost set mail-system.partner` stores one on this machine, docs/routes.md says how in a cluster"
    )


def test_a_word_has_a_longest_length(tmp_path: Path) -> None:
    assert isinstance(kept(tmp_path, username="u", password="x" * LENGTH_MAX).read("mail-system.partner"), Login)
    (tmp_path / "mail-system.partner" / "password").write_text("x" * (LENGTH_MAX + 1))
    assert isinstance(Logins(tmp_path).read("mail-system.partner"), str)


def test_without_a_folder_it_says_which_setting_is_missing() -> None:
    assert Logins().read("shop.relay") == "Secret shop/relay is not here: the deliverer's SMARTHOST_DIR is not set"
