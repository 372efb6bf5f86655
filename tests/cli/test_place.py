"""The state directory is private, and knows whether its platform runs."""

import json
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


def test_what_an_older_or_newer_release_announced_is_understood(tmp_path: Path) -> None:
    old = {"pid": os.getpid(), "nats_url": "tls://x", "smtps_port": 1, "smtp_port": 2, "hostname": "h", "metrics": {}}
    (tmp_path / "running.json").write_text(json.dumps(old))
    assert Place(tmp_path).running() == Running(os.getpid(), "tls://x", 1, 2, "h", {})
    (tmp_path / "running.json").write_text(json.dumps(old | {"deliverers": {"d": 7}, "more": 1}))
    assert Place(tmp_path).running() == Running(os.getpid(), "tls://x", 1, 2, "h", {}, {"d": 7})
