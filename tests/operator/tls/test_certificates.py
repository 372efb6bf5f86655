"""Certificates in a real API server: made from nothing, left alone where they are another's, changed without a gap."""

from datetime import UTC, datetime, timedelta

from kube_plane import Plane
from paquebot_operator.conditions import FALSE, TRUE
from paquebot_operator.kube.client import Kube
from paquebot_operator.names import SECRET
from paquebot_operator.tls.certificates import CERTIFICATES, Foreign, SelfManaged
from paquebot_operator.tls.identities import leaves, smtp_leaf
from paquebot_operator.tls.rotation import DAY_S, SETTLE_S, Issued
from paquebot_operator.tls.secrets import AUTHORITY_SECRET, read_issued


class Clock:
    """A wall clock that tests move. Certificates begin five minutes before they are made, so they are good now too."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC).replace(microsecond=0)

    def now(self) -> datetime:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def self_managed(kube: Kube, namespace: str) -> tuple[SelfManaged, Clock]:
    clock = Clock()
    wanted = (*leaves(namespace)[-3:], smtp_leaf(namespace, "smtp.example.net"))
    return SelfManaged(kube, namespace, wanted, clock.now), clock


async def issued(kube: Kube, certificates: SelfManaged) -> dict[str, Issued]:
    found = {
        leaf.secret: read_issued(await kube.get(SECRET, certificates.namespace, leaf.secret))
        for leaf in certificates.leaves
    }
    assert all(found.values())
    return {secret: each for secret, each in found.items() if each is not None}


async def test_from_nothing_every_leaf_is_made_in_one_look(kube: Kube, namespace: str) -> None:
    certificates, _ = self_managed(kube, namespace)
    assert await certificates.reconcile(CERTIFICATES) > 0
    assert certificates.condition.status == TRUE
    made = await issued(kube, certificates)
    assert made["paquebot-smtp-tls"].names[0] == "smtp.example.net"
    assert len({each.root for each in made.values()}) == 1
    entry = await kube.get(SECRET, namespace, "paquebot-smtp-tls")
    assert entry is not None
    assert entry["type"] == "kubernetes.io/tls"


async def test_what_is_there_and_good_is_not_written_again(kube: Kube, namespace: str) -> None:
    certificates, clock = self_managed(kube, namespace)
    await certificates.reconcile(CERTIFICATES)
    before = await issued(kube, certificates)
    clock.move(59 * DAY_S)
    await certificates.reconcile(CERTIFICATES)
    assert await issued(kube, certificates) == before
    clock.move(2 * DAY_S)
    await certificates.reconcile(CERTIFICATES)
    assert await issued(kube, certificates) != before


async def test_a_secret_that_somebody_else_made_is_left_alone(bare_plane: Plane, kube: Kube, namespace: str) -> None:
    theirs = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "paquebot-smtp-tls"}, "stringData": {"a": "b"}}
    bare_plane.apply(f"/api/v1/namespaces/{namespace}/secrets/paquebot-smtp-tls", theirs)
    certificates, _ = self_managed(kube, namespace)
    await certificates.reconcile(CERTIFICATES)
    entry = await kube.get(SECRET, namespace, "paquebot-smtp-tls")
    assert entry is not None
    assert set(entry["data"]) == {"a"}
    assert certificates.condition.status == TRUE


async def test_deleting_the_authority_changes_the_root_and_everybody_trusts_everybody_all_the_time(
    kube: Kube, namespace: str
) -> None:
    certificates, clock = self_managed(kube, namespace)
    await certificates.reconcile(CERTIFICATES)
    first = {each.root for each in (await issued(kube, certificates)).values()}
    await kube.delete(SECRET, namespace, AUTHORITY_SECRET)
    trusted = []
    in_use = list((await issued(kube, certificates)).values())
    for _ in range(4):
        await certificates.reconcile(CERTIFICATES)
        fresh = list((await issued(kube, certificates)).values())
        # Those who have read and those who have not yet: all of both.
        assert all(leaf.root in other.trusts for leaf in (*in_use, *fresh) for other in (*in_use, *fresh))
        trusted.append(max(len(each.trusts) for each in fresh))
        in_use = fresh
        clock.move(SETTLE_S)
    assert trusted == [2, 2, 1, 1]
    assert {each.root for each in in_use}.isdisjoint(first)


async def test_what_others_should_have_made_is_named(kube: Kube, namespace: str) -> None:
    looked = Foreign(kube, namespace, leaves(namespace), Clock().now, by_cert_manager=True)
    await looked.reconcile(CERTIFICATES)
    assert looked.condition.status == FALSE
    assert "Secret paquebot-submission-identity is not there" in looked.condition.message
    made = SelfManaged(kube, namespace, leaves(namespace), Clock().now)
    await made.reconcile(CERTIFICATES)
    await looked.reconcile(CERTIFICATES)
    assert looked.condition.status == TRUE
