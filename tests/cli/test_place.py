"""The state directory is private, and knows whether its platform runs."""

import os
import stat
from pathlib import Path

from paquebot.cli.place import IDENTITIES, Place, Running


def test_everything_in_it_is_private(tmp_path: Path) -> None:
    place = Place(tmp_path / "state")
    place.prepare("mail.example")
    place.write_hash("shop.web", "hash")
    assert stat.S_IMODE(place.root.stat().st_mode) == 0o700
    assert stat.S_IMODE(place.hashes.stat().st_mode) == 0o600
    assert all((place.identity(name) / "tls.crt").exists() for name in IDENTITIES)


def test_hashes_are_kept_by_user_name(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write_hash("a.b", "1")
    place.write_hash("c.d", "2")
    place.write_hash("a.b", "3")
    assert place.read_hashes() == {"a.b": "3", "c.d": "2"}


def test_a_platform_that_has_gone_is_not_running(tmp_path: Path) -> None:
    place = Place(tmp_path)
    assert place.running() is None
    place.announce(Running(os.getpid(), "tls://x", 1, 2, "mail.example", {}))
    assert place.running() is not None
    place.announce(Running(2**22 - 1, "tls://x", 1, 2, "mail.example", {}))
    assert place.running() is None
