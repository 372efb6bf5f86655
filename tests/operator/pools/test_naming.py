"""Names fit where Kubernetes puts them, and no two pools share one."""

import re

from hypothesis import given
from hypothesis import strategies as st

from paquebot_operator.pools.naming import pool_label, workload_name

LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)
DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?\Z")
LABEL_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?\Z")


def test_a_pool_of_the_platform_has_a_name_that_people_can_guess() -> None:
    assert workload_name("mail-system", "default", "mail-system") == "deliverer-mail-system-default"
    assert pool_label("mail-system", "default") == "mail-system_default"


def test_pools_whose_names_run_together_are_told_apart() -> None:
    assert workload_name("a-b", "c", "mail-system") != workload_name("a", "b-c", "mail-system")


@given(namespace=LABELS, name=LABELS)
def test_every_pools_names_fit(namespace: str, name: str) -> None:
    for platform in (namespace, "another"):
        workload = workload_name(namespace, name, platform)
        assert len(workload) <= 46
        assert DNS_LABEL.match(workload)
    label = pool_label(namespace, name)
    assert len(label) <= 63
    assert LABEL_VALUE.match(label)


@given(pools=st.sets(st.tuples(LABELS, LABELS), min_size=2, max_size=8))
def test_no_two_pools_share_a_name(pools: set[tuple[str, str]]) -> None:
    assert len({workload_name(*pool, "mail-system") for pool in pools}) == len(pools)
    assert len({pool_label(*pool) for pool in pools}) == len(pools)
