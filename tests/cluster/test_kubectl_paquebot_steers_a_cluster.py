"""Who has the Role of docs/platform-team.md asks and steers the platform; who has not is told so."""

import os
import subprocess
import sys

from cluster.platform import PLATFORM, ROOT, Cluster
from docs.test_manifests_in_docs import manifests
from kubectl_support import ENTRY

PERSON = "tenant"
FORBIDDEN = "you may not read Secret paquebot-admin-identity"


def paquebot(cluster: Cluster, *words: str) -> str:
    """Run the plugin as a person, at the cluster's own addresses; return all that it printed."""
    kubeconfig = f"--kubeconfig={cluster.plane.kubeconfig(PERSON)}"
    clean = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    command = [sys.executable, "-c", ENTRY, kubeconfig, "--direct", *words]
    done = subprocess.run(command, capture_output=True, text=True, env=clean, timeout=120, check=False)
    return done.stdout + done.stderr


def test_the_role_in_the_docs_is_enough_and_is_needed(cluster: Cluster) -> None:
    cluster.apply(ROOT / "examples")
    assert FORBIDDEN in paquebot(cluster, "queue", "list")

    (role,) = [each for each in manifests(ROOT / "docs" / "platform-team.md") if each["kind"] == "Role"]
    at = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{PLATFORM}"
    name = role["metadata"]["name"]
    cluster.plane.apply(f"{at}/roles/{name}", role)
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": PLATFORM},
        "roleRef": reference,
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": PERSON}],
    }
    cluster.plane.apply(f"{at}/rolebindings/{name}", binding)

    cluster.wait_condition(("sendingpools", PLATFORM, "default"))
    assert "owns 16 of 16 partitions" in paquebot(cluster, "explain", "mail-system/default")
    assert "mail-system/default" in paquebot(cluster, "top", "--once")
    cluster.wait_condition(("smtpcredentials", "shop", "web"))
    ident = cluster.send(("shop", "web"), "orders@shop.example", "someone@accept.test", "asked")
    assert "accepted" in paquebot(cluster, "trace", ident)
    assert "someone@accept.test" in paquebot(cluster, "explain", ident)
    assert "is on mail-system/never" in paquebot(cluster, "suppression", "add", "mail-system/never", "eve@accept.test")
    suspended = paquebot(cluster, "suspend", "tenant", "news", "--reason", "incident 42", "--author", "ann")
    assert "tenant news is suspended until" in suspended
    assert "incident 42" in paquebot(cluster, "orders")
    assert "tenant news is resumed" in paquebot(cluster, "resume", "tenant", "news")
