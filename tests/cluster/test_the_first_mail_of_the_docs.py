"""Who follows docs/install.md to its end has mail accepted: the pod there, with the Secret that the operator made."""

import shutil
import time

import pytest

from cluster.platform import ROOT, Cluster
from docs.test_manifests_in_docs import manifests

PLACE = "/api/v1/namespaces/shop/pods/first-mail"
WAIT_MAX_S = 120.0


@pytest.mark.skipif(shutil.which("curl") is None, reason="the pod of docs/install.md runs curl")
def test_the_pod_of_docs_install_sends_its_mail(cluster: Cluster) -> None:
    cluster.apply(ROOT / "examples")
    cluster.wait_condition(("smtpcredentials", "shop", "web"))
    (pod,) = [each for each in manifests(ROOT / "docs" / "install.md") if each["kind"] == "Pod"]
    cluster.plane.apply(PLACE, pod)
    try:
        deadline = time.monotonic() + WAIT_MAX_S
        while (phase := cluster.plane.call("GET", PLACE)["status"].get("phase")) not in {"Succeeded", "Failed"}:
            assert time.monotonic() < deadline, cluster.why("shop", "first-mail")
            time.sleep(0.2)
        words = " ".join(log.read_text() for log in (cluster.kubelet.logs / "shop" / "first-mail").glob("*.log"))
        assert phase == "Succeeded", words
        assert "250 2.0.0 Ok: queued as" in words
    finally:
        cluster.plane.kubectl("delete", "pod", "first-mail", "--namespace=shop", "--wait=false")
