"""Objects travel by the hash of what matters, and the objects alone decide the revision."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.policy.compile import compile_policy
from paquebot.policy.encode import decode_index, decode_object, encode_object, revision_of
from paquebot.policy.manifests import parse

EXAMPLES = Path(__file__).parents[2] / "examples"
OBJECTS = [found.object for path in sorted(EXAMPLES.glob("*.yaml")) for found in parse(path.read_text(), path.name)]


def test_what_is_published_compiles_to_the_same_policy() -> None:
    read = [decode_object(encode_object(entry)[1]) for entry in OBJECTS]
    assert compile_policy(read) == compile_policy(OBJECTS)


def test_status_and_other_metadata_do_not_change_the_key() -> None:
    entry: dict[str, Any] = OBJECTS[0]
    seen = entry | {"status": {"ready": True}, "metadata": entry["metadata"] | {"uid": "7", "labels": {}}}
    assert encode_object(seen) == encode_object(entry)


def test_which_selectors_may_sign_is_all_that_travels_of_a_status() -> None:
    entry: dict[str, Any] = next(each for each in OBJECTS if each["kind"] == "MailDomain")
    status = {"observedGeneration": 3, "dkim": {"signing": ["pq2-rsa"], "nextRotation": "2027-01-01T00:00:00Z"}}
    key, encoded = encode_object(entry | {"status": status})
    assert decode_object(encoded)["status"] == {"dkim": {"signing": ["pq2-rsa"]}}
    assert key != encode_object(entry)[0]
    others = [each for each in OBJECTS if each is not entry]
    policy = compile_policy([*others, decode_object(encoded)])
    assert policy.domains[entry["spec"]["domain"]].signing == ("pq2-rsa",)


def test_a_key_is_a_prefix_and_32_digits_of_a_hash() -> None:
    key, _ = encode_object(OBJECTS[0])
    assert key.startswith("o.")
    assert len(key) == 34
    assert set(key[2:]) <= set("0123456789abcdef")


def test_the_revision_names_every_object_and_does_not_depend_on_order() -> None:
    revision, index = revision_of(OBJECTS)
    assert revision_of(OBJECTS[::-1]) == (revision, index)
    read = decode_index(index)
    assert read.revision == revision
    pool = next(entry for entry in OBJECTS if entry["kind"] == "SendingPool")
    assert read.objects["SendingPool/mail-system/default"] == encode_object(pool)[0]
    assert len(read.objects) == len(OBJECTS)
    assert sum(name.startswith("DestinationPolicy//") for name in read.objects) == 1


def test_a_changed_spec_changes_the_revision() -> None:
    changed = [*OBJECTS[:-1], OBJECTS[-1] | {"spec": OBJECTS[-1]["spec"] | {"paused": True}}]
    assert revision_of(changed)[0] != revision_of(OBJECTS)[0]


@given(encoded=st.binary() | st.sampled_from([b"[]", b"1", b'{"revision":1}', b'{"revision":"a","objects":{"x":"y"}}']))
def test_other_octets_are_refused_as_values_that_are_wrong(encoded: bytes) -> None:
    with pytest.raises(ValueError, match="this is no"):
        decode_index(encoded)


@pytest.mark.parametrize("encoded", [b"", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_refused(encoded: bytes) -> None:
    with pytest.raises(ValueError, match=r"no JSON|not a mapping"):
        decode_object(encoded)
