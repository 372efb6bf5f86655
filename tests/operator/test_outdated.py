"""Custom resources of an earlier release are noticed."""

import pytest

from kube_plane import Plane
from paquebot_operator import metrics
from paquebot_operator.kube.client import Kube
from paquebot_operator.outdated import RELEASE, SCHEMAS, Schemas, is_older


@pytest.mark.parametrize(
    ("told", "older"), [("0.1.0", True), ("0.2.0", False), ("0.10.0", False), ("", False), ("0.2.0-rc1", False)]
)
def test_an_earlier_release_is_older(told: str, older: bool) -> None:
    assert is_older({"metadata": {"annotations": {RELEASE: told}}}, "0.2.0") is older
    assert not is_older({"metadata": {}}, "0.2.0")


async def test_the_metric_says_which(bare_plane: Plane) -> None:
    name = "transportroutes.paquebot.dev"
    bare_plane.kubectl("annotate", "crd", name, f"{RELEASE}=0.1.0", "--overwrite")
    kube = Kube.login(bare_plane.kubeconfig("admin"))
    await Schemas(kube, "0.3.0").reconcile(SCHEMAS)
    kube.close()
    bare_plane.kubectl("annotate", "crd", name, f"{RELEASE}-")
    assert metrics.OUTDATED.labels("TransportRoute")._value.get() == 1
    assert metrics.OUTDATED.labels("MailDomain")._value.get() == 0
