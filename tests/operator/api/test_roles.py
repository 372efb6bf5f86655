"""Who may do what with our kinds, asked of the API server as it decides."""

from typing import Any

import pytest
import yaml

from crd_support import CRDS, ROOT
from kube_plane import Plane

ROLES = list(yaml.safe_load_all((ROOT / "charts/paquebot/files/roles.yaml").read_text()))
TENANTS = {"maildomains", "smtpcredentials", "suppressionlists"}
ALL = {crd["spec"]["names"]["plural"] for crd in CRDS.values()}
READ, WRITE = {"get", "list", "watch"}, {"create", "update", "patch", "delete", "deletecollection"}


@pytest.fixture(scope="module")
def bound(bare_plane: Plane) -> Plane:
    """Bind each role to a user of its name: in the namespace `roles`, the destinations' everywhere."""
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    bare_plane.apply(
        "/api/v1/namespaces/roles", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "roles"}}
    )
    for role in ROLES:
        name = role["metadata"]["name"]
        bare_plane.apply(f"{rbac}/clusterroles/{name}", role)
        everywhere = name == "paquebot-destinations"
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding" if everywhere else "RoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}],
        }
        place = "clusterrolebindings" if everywhere else "namespaces/roles/rolebindings"
        bare_plane.apply(f"{rbac}/{place}/{name}", binding)
    return bare_plane


def may(plane: Plane, user: str, namespace: str = "roles") -> set[tuple[str, str]]:
    """Return what a user may do with our kinds in a namespace: plurals and verbs."""
    return {
        (plural, verb)
        for plural in ALL | {"sendingpools/scale", "maildomains/status"}
        for verb in READ | WRITE
        if _is_allowed(plane, user, namespace, plural, verb)
    }


def _is_allowed(plane: Plane, user: str, *what: str) -> bool:
    namespace, (resource, _, subresource), verb = what[0], what[1].partition("/"), what[2]
    asked: dict[str, Any] = {"namespace": namespace, "verb": verb, "group": "paquebot.dev", "resource": resource}
    spec = {"user": user, "resourceAttributes": asked | {"subresource": subresource}}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    answer = plane.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    return bool(answer["status"]["allowed"])


def each(plurals: set[str], verbs: set[str]) -> set[tuple[str, str]]:
    return {(plural, verb) for plural in plurals for verb in verbs}


def test_who_views_a_namespace_reads_and_who_edits_it_declares_what_is_a_tenants(bound: Plane) -> None:
    assert may(bound, "paquebot-view") == each(ALL, READ)
    assert may(bound, "paquebot-edit") == each(TENANTS, WRITE)
    assert may(bound, "paquebot-edit", "elsewhere") == set()


def test_the_platform_team_has_its_namespace_and_the_destinations(bound: Plane) -> None:
    scale = each({"sendingpools/scale"}, {"get", "update", "patch"})
    assert may(bound, "paquebot-platform") == each(ALL - {"destinationpolicies"}, READ | WRITE) | scale
    assert may(bound, "paquebot-platform", "elsewhere") == set()
    assert may(bound, "paquebot-destinations", "") == each({"destinationpolicies"}, READ | WRITE)


def test_kubernetes_own_roles_take_in_what_is_a_tenants_alone() -> None:
    prefix = "rbac.authorization.k8s.io/aggregate-to-"
    labels = {role["metadata"]["name"]: role["metadata"]["labels"] for role in ROLES}
    aggregated = {name: [label for label in given if label.startswith(prefix)] for name, given in labels.items()}
    assert {name: into for name, into in aggregated.items() if into} == {
        "paquebot-view": [f"{prefix}view"],
        "paquebot-edit": [f"{prefix}edit"],
    }
