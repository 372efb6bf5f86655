"""Hashes are argon2id of the strength we state, and nothing else is checked."""

import pytest
from argon2 import PasswordHasher, Type

from paquebot.auth import password


def test_a_hash_holds_its_password_alone() -> None:
    stored = password.hash_password(b"correct horse")
    assert password.verify(stored, b"correct horse")
    assert not password.verify(stored, b"correct horse ")


def test_a_hash_is_argon2id_of_19_mib_and_three_passes() -> None:
    assert password.hash_password(b"x").startswith("$argon2id$v=19$m=19456,t=3,p=1$")


def test_passwords_of_no_and_too_many_octets_are_refused() -> None:
    password.hash_password(b"x" * 512)
    for given in (b"", b"x" * 513):
        with pytest.raises(ValueError, match="1 to 512 octets"):
            password.hash_password(given)


def test_what_is_no_hash_matches_nothing() -> None:
    for stored in ("", "x", "$argon2id$v=19$m=19456,t=3,p=1$"):
        assert not password.verify(stored, b"x")
        assert not password.is_fit(stored)


def test_other_kinds_and_too_costly_hashes_are_unfit() -> None:
    assert password.is_fit(password.hash_password(b"x"))
    assert not password.is_fit(PasswordHasher(1, 64, 1, type=Type.I).hash(b"x"))
    costly = password.hash_password(b"x").replace("m=19456", "m=4194304")
    assert not password.is_fit(costly)


def test_new_passwords_differ_and_have_32_characters() -> None:
    drawn = {password.new_password() for _ in range(10)}
    assert {len(each) for each in drawn} == {32}
    assert len(drawn) == 10


def test_nobody_knows_the_password_of_nobody() -> None:
    assert password.is_fit(password.NOBODY)
    assert not password.verify(password.NOBODY, b"")
