"""A domain's keys rotate, and one of them is revoked; every letter on the way has a signature that is good.

Days do not pass in a test: what is kept of the keys is moved into the past (cluster/passing_time.py). Nothing else is
played: keys, Secrets, policy, router, deliverer, DNS and the stranger who verifies are what they are.
"""

from collections.abc import Iterator

import pytest

from cluster.letters import Letters, letters
from cluster.passing_time import let_pass
from cluster.platform import Cluster
from cluster.rotating import FIRST, HOUR_S, SECOND, Rotation, arrived, settled
from cluster.tenant import Tenant, is_true, tenant
from cluster.waiting import until


@pytest.fixture(scope="module")
def lagoon(cluster: Cluster) -> Iterator[Tenant]:
    with tenant(cluster, "lagoon") as found:
        settled(found)
        yield found


def signed_by(post: Letters, *selectors: str) -> bool:
    """Say whether the letters that are sent from now on carry good signatures of these and no others."""
    return all(each.verdicts == dict.fromkeys(selectors, True) for each in post.more(1))


def test_every_letter_verifies_while_the_keys_take_turns(lagoon: Tenant) -> None:
    rotation = Rotation(lagoon)
    with letters(lagoon, "turn") as post:
        assert signed_by(post, *FIRST)
        rotation.keys_are_made()
        assert signed_by(post, *FIRST), "the new ones cannot be looked up yet"
        rotation.keys_are_published()
        assert signed_by(post, *FIRST), "somebody may remember that the new ones were not there"
        rotation.keys_sign()
        until("the new keys sign", lambda: signed_by(post, *SECOND), lambda: post.come[-3:])
        rotation.old_keys_go()
        assert signed_by(post, *SECOND)
    assert all(each.verdicts and all(each.verdicts.values()) for each in post.come)
    assert set(post.counted.values()) == {1}


def test_a_revoked_key_signs_no_more_and_the_other_algorithm_stands_in(lagoon: Tenant) -> None:
    with letters(lagoon, "leak") as post:
        before = lagoon.signing()
        leaked = next(each for each in before if each.endswith("-rsa"))
        kept = next(each for each in before if each.endswith("-ed"))
        lagoon.merge(lagoon.places[1], {"dkim": {"revoke": [leaked]}})
        until("the leaked key signs no more", lambda: leaked not in lagoon.signing(), lagoon.status)
        until("that is in force", lambda: is_true(lagoon.cluster, lagoon.places[1], "Programmed"), lagoon.status)
        assert signed_by(post, kept)
        lagoon.publish()
        fresh = next(each for each in (FIRST[0], SECOND[0]) if each != leaked)
        name = f"{fresh}._domainkey.{lagoon.domain}"
        until("another key is asked for", lambda: name in lagoon.key_records(), lagoon.status)
        lagoon.publish()
        let_pass(lagoon, HOUR_S)
        arrived(lagoon, {fresh: "Published"})  # the name had another key before, which somebody may remember
        let_pass(lagoon, 2 * HOUR_S)
        arrived(lagoon, {fresh: "Active", kept: "Active", leaked: "Retired"})
        until("both sign", lambda: signed_by(post, fresh, kept), lambda: post.come[-3:])
    assert all(any(each.verdicts.values()) for each in post.come)
