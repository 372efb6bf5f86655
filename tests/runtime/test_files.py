"""A private file is whole at any moment, and nobody else's to read."""

from pathlib import Path

import pytest

from paquebot.runtime.files import write_private


def test_it_takes_the_place_of_another_and_only_its_user_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "tls.key"
    path.write_bytes(b"old, and longer")
    path.chmod(0o644)
    write_private(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["tls.key"]


def test_what_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "tls.key"
    path.write_bytes(b"old")
    (tmp_path / "tls.key.new").mkdir()  # in the way
    with pytest.raises(OSError, match=r"tls\.key\.new"):
        write_private(path, b"new")
    assert path.read_bytes() == b"old"
