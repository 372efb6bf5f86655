import pytest

from cluster.platform import PLATFORM, RELEASE, Cluster


def test_helm_tries_the_installation_as_a_mail_client(cluster: Cluster) -> None:
    try:
        told = cluster.helm("test", RELEASE, "--timeout", "120s")
    except RuntimeError as failure:
        pytest.fail(f"{failure}: {cluster.why(PLATFORM, 'paquebot-test')}")
    assert "Phase:          Failed" not in told
