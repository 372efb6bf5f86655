"""Names in the queue are injective, safe, and spread."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from paquebot.queue.subjects import (
    PARTITIONS,
    SITE_MAX,
    SLICES,
    SPLIT,
    deferred_subject,
    partition_of,
    ready_filter,
    ready_subject,
    site_named,
    site_token,
    site_token_in,
    slice_of,
    slot_of,
    split_subject,
)
from queue_making import delivery


@given(st.text(max_size=300), st.text(max_size=300))
def test_sites_have_tokens_of_their_own(first: str, second: str) -> None:
    assert (site_token(first) == site_token(second)) == (first.lower() == second.lower())


@given(st.text(max_size=300))
def test_a_token_is_one_safe_part_of_a_subject(site: str) -> None:
    token = site_token(site)
    assert len(token) <= SITE_MAX
    assert not set(token) & set(". *>\t\r\n")
    assert token.isascii()


@given(st.text(max_size=30))
def test_a_token_tells_its_site_unless_that_is_too_long(site: str) -> None:
    assert site_named(site_token(site)) == site.lower()
    long = site_token("d" * 200 + site)
    assert site_named(long) == long


def test_subjects_tell_their_site() -> None:
    item = delivery(site="b_b.example")
    for subject in (deferred_subject(item), ready_subject(item)):
        assert site_named(site_token_in(subject)) == "b_b.example"
    assert site_token_in(split_subject(item)) == SPLIT


def test_sites_spread_over_partitions_and_partitions_over_streams() -> None:
    owned = Counter(partition_of(f"d{number}.example") for number in range(16_000))
    assert set(owned) == set(range(PARTITIONS))
    assert min(owned.values()) > 800
    assert Counter(slice_of(partition) for partition in range(PARTITIONS)) == dict.fromkeys(range(SLICES), 4)


def test_a_delivery_keeps_its_slot_and_slots_share_evenly() -> None:
    assert slot_of("m1.1", 1) == 0
    assert slot_of("m1.1", 4) == slot_of("m1.1", 4)
    shares = Counter(slot_of(f"m{number}.1", 4) for number in range(4000))
    assert sorted(shares) == [0, 1, 2, 3]
    assert min(shares.values()) > 900


def test_slots_of_a_site_may_lie_in_several_partitions() -> None:
    assert len({partition_of("gmail", slot) for slot in range(16)}) > 4


def test_the_consumer_of_a_lane_takes_ready_and_split_items_but_nothing_that_waits() -> None:
    item = delivery()
    prefix = ready_filter(item.pool, item.partition, item.lane).removesuffix(">")
    assert ready_subject(item).startswith(prefix)
    assert split_subject(item).startswith(prefix)
    assert not deferred_subject(item).startswith(prefix)
    assert deferred_subject(item).endswith(".b_example.m1.1")
