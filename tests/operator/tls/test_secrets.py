"""What lies in Secrets is read back as it was written, and holds up in real handshakes."""

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from paquebot.runtime.authority import make_authority
from paquebot_operator.secretfiles import files_of
from paquebot_operator.tls.identities import Leaf
from paquebot_operator.tls.rotation import SETTLE_S, Authority, Write, next_step, with_root
from paquebot_operator.tls.secrets import (
    authority_manifest,
    is_ours,
    leaf_manifest,
    read_authority,
    read_issued,
    root_of,
    roots_manifest,
)

NOW = datetime.now(UTC).replace(microsecond=0)
ROUTER = Leaf("paquebot-router-identity", ("router", "router.example"))
NATS = Leaf("paquebot-nats-identity", ("nats", "127.0.0.1"))
FIRST = make_authority("first", 3650, NOW)
ALONE = with_root(Authority(), root_of(FIRST))
PAIRS = {ALONE.active: FIRST}


def folder(root: Path, secret: Mapping[str, Any]) -> Path:
    """Return a folder as a kubelet mounts a Secret."""
    into = root / secret["metadata"]["name"]
    into.mkdir()
    for name, content in files_of(secret).items():
        (into / name).write_bytes(content)
    return into


def test_a_leaf_is_read_back_as_it_was_written() -> None:
    issued = read_issued(leaf_manifest("mail-system", ROUTER, ALONE, PAIRS, NOW))
    assert issued is not None
    assert (issued.root, issued.trusts, issued.names) == (ALONE.active, ALONE.trusted, ROUTER.names)
    assert issued.written_s == int(NOW.timestamp())
    assert issued.ends_s == int((NOW + timedelta(days=90)).timestamp())


def test_nothing_is_lacking_once_all_is_written() -> None:
    issued = {leaf.secret: read_issued(leaf_manifest("m", leaf, ALONE, PAIRS, NOW)) for leaf in (ROUTER, NATS)}
    wanted = {leaf.secret: leaf.names for leaf in (ROUTER, NATS)}
    known = {secret: each for secret, each in issued.items() if each is not None}
    step = next_step(ALONE, wanted, known, int(NOW.timestamp()))
    assert (step.writes, step.make_root) == ((), False)


def test_an_authority_is_read_back_with_its_keys_and_in_its_order() -> None:
    authority, known = ALONE, PAIRS
    for name in ("second", "third", "fourth"):
        pair = make_authority(name, 3650, NOW)
        authority, known = with_root(authority, root_of(pair)), {**known, root_of(pair).id: pair}
    read, pairs = read_authority(authority_manifest("mail-system", authority, known), {})
    assert read == authority
    assert pairs == known


def test_a_lost_authority_is_found_in_what_it_issued_but_can_issue_no_more() -> None:
    secret = leaf_manifest("mail-system", ROUTER, ALONE, PAIRS, NOW)
    authority, _ = read_authority(None, {ROUTER.secret: secret})
    assert authority.trusted == ALONE.trusted
    assert authority.signer is None
    assert authority.active == ""


@pytest.mark.parametrize("file", ["ca.crt", "tls.crt", "tls.key"])
def test_a_secret_that_is_not_whole_is_as_if_it_were_not_there(file: str) -> None:
    secret = leaf_manifest("mail-system", ROUTER, ALONE, PAIRS, NOW)
    secret["data"][file] = "!"
    assert read_issued(secret) is None
    assert read_issued(None) is None


def test_secrets_of_others_are_told_from_ours() -> None:
    assert is_ours(leaf_manifest("mail-system", ROUTER, ALONE, PAIRS, NOW))
    assert not is_ours({"metadata": {"name": "paquebot-router-identity"}})


def test_leaves_of_both_roots_shake_hands_while_a_root_changes(tmp_path: Path) -> None:
    second = make_authority("second", 3650, NOW)
    both = with_root(ALONE, root_of(second))
    pairs = {**PAIRS, root_of(second).id: second}
    old = roots_manifest(leaf_manifest("m", ROUTER, ALONE, PAIRS, NOW), both, pairs, NOW + timedelta(hours=1))
    new = leaf_manifest("m", NATS, Authority(both.roots, root_of(second).id), pairs, NOW)
    moved = read_issued(old)
    assert moved is not None
    assert (moved.root, moved.trusts) == (ALONE.active, both.trusted)
    assert moved.written_s == int((NOW + timedelta(hours=1)).timestamp())
    _shake_hands(folder(tmp_path, old), "router", folder(tmp_path, new))
    _shake_hands(tmp_path / NATS.secret, "nats", tmp_path / ROUTER.secret)


def _shake_hands(server: Path, name: str, client: Path) -> None:
    """Both ends in memory, each with the roots and the leaf of its folder."""
    ends = []
    for place, purpose in ((server, ssl.Purpose.CLIENT_AUTH), (client, ssl.Purpose.SERVER_AUTH)):
        context = ssl.create_default_context(purpose, cafile=str(place / "ca.crt"))
        context.load_cert_chain(place / "tls.crt", place / "tls.key")
        context.verify_mode = ssl.CERT_REQUIRED
        ends.append(context)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    serving = ends[0].wrap_bio(there, back, server_side=True)
    asking = ends[1].wrap_bio(back, there, server_hostname=name)
    for _ in range(6):
        for end in (asking, serving):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert serving.getpeercert()
    assert asking.getpeercert()


def test_the_time_between_steps_begins_with_the_last_change() -> None:
    secret = leaf_manifest("m", ROUTER, ALONE, PAIRS, NOW)
    second = make_authority("second", 3650, NOW)
    both = with_root(ALONE, root_of(second))
    issued = read_issued(secret)
    assert issued is not None
    wanted = {ROUTER.secret: ROUTER.names}
    now_s = int(NOW.timestamp())
    assert next_step(both, wanted, {ROUTER.secret: issued}, now_s).writes == ((ROUTER.secret, Write.ROOTS),)
    written = read_issued(roots_manifest(secret, both, {**PAIRS, root_of(second).id: second}, NOW))
    assert written is not None
    assert next_step(both, wanted, {ROUTER.secret: written}, now_s + 1).wait_s == SETTLE_S - 1
