"""The process kubelet does what our tests take for granted of a kubelet."""

import itertools
import json
import os
import socket
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from cluster.kubelet import Kubelet
from cluster.waiting import until
from kube_fixtures import make_namespace
from kube_plane import Plane

_numbers = itertools.count(1)

SERVER = """
import http.server, os, signal, socket, sys, time
def end(*_):
    time.sleep(float(os.environ.get("DRAIN", "0")))
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if os.environ.get("STUBBORN") else end)
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/crash":
            os._exit(3)
        found = os.path.isfile(self.path)
        body = open(self.path).read() if found else socket.gethostname()
        self.send_response(404 if self.path != "/" and not found else 200)
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *_): print("asked", self.path, flush=True)
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Page).serve_forever()
"""


class Stand:
    """A namespace to try things in."""

    def __init__(self, plane: Plane, kubelet: Kubelet) -> None:
        self.plane, self.kubelet = plane, kubelet
        self.name = make_namespace(plane, f"stand-{next(_numbers)}")
        self.path = f"/api/v1/namespaces/{self.name}"
        accounts = f"{self.path}/serviceaccounts/default"
        until("the default ServiceAccount", lambda: plane.call("GET", accounts))

    def server(self, **more: Any) -> dict[str, Any]:
        container = {"name": "web", "image": "example/python:1", "args": ["-c", SERVER]}
        probe = {"httpGet": {"path": "/", "port": "http"}}
        return container | {"ports": [{"name": "http", "containerPort": 8080}], "readinessProbe": probe} | more

    def pod(self, name: str, *containers: dict[str, Any], **spec: Any) -> None:
        metadata = {"name": name, "labels": {"app": name}}
        whole = {"terminationGracePeriodSeconds": 5, "containers": list(containers), **spec}
        self.apply(f"{self.path}/pods/{name}", "v1", "Pod", {"metadata": metadata, "spec": whole})

    def apply(self, path: str, version: str, kind: str, rest: dict[str, Any]) -> None:
        self.plane.apply(path, {"apiVersion": version, "kind": kind, **rest})

    def status(self, name: str) -> dict[str, Any]:
        return dict(self.plane.call("GET", f"{self.path}/pods/{name}")["status"])

    def container(self, name: str) -> dict[str, Any]:
        return dict(self.status(name)["containerStatuses"][0])

    def ready(self, name: str) -> dict[str, Any]:
        return dict(until(f"{name} is ready", lambda: is_ready(self.status(name)) and self.status(name)))

    def config(self, kind: str, name: str, **entries: str) -> None:
        key = "stringData" if kind == "Secret" else "data"
        path = f"{self.path}/{kind.lower()}s/{name}"
        self.apply(path, "v1", kind, {"metadata": {"name": name}, key: entries})

    def deployment(self, replicas: int, container: dict[str, Any]) -> None:
        template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
        spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
        path = f"/apis/apps/v1/namespaces/{self.name}/deployments/web"
        self.apply(path, "apps/v1", "Deployment", {"metadata": {"name": "web"}, "spec": spec})

    def service(self, name: str, **more: Any) -> str:
        spec = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}], **more}
        self.apply(f"{self.path}/services/{name}", "v1", "Service", {"metadata": {"name": name}, "spec": spec})
        return str(self.plane.call("GET", f"{self.path}/services/{name}")["spec"]["clusterIP"])

    def names(self) -> list[str]:
        return [each["metadata"]["name"] for each in self.plane.call("GET", f"{self.path}/pods")["items"]]


def is_ready(status: dict[str, Any]) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions", ()))


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def get(host: str, port: int, path: str = "/") -> str:
    with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=5) as answer:
        return str(answer.read().decode())


@pytest.fixture
def stand(plane: Plane, kubelet: Kubelet) -> Stand:
    return Stand(plane, kubelet)


def test_a_rollout_becomes_available_and_services_reach_its_pods_by_name_and_address(stand: Stand) -> None:
    address = stand.service("web")
    stand.service("each", clusterIP="None")
    stand.deployment(2, stand.server())
    path = f"/apis/apps/v1/namespaces/{stand.name}/deployments/web"
    until("two are available", lambda: stand.plane.call("GET", path)["status"].get("availableReplicas") == 2)
    hosts = until("both answer at the ClusterIP", lambda: len({get(address, 80) for _ in range(4)}) == 2)
    assert hosts
    assert get(f"web.{stand.name}.svc", 80) in stand.names()
    name = f"each.{stand.name}.svc.cluster.local"
    found = until("a headless name gives both", lambda: len(resolve(name)) == 2 and resolve(name))
    assert {get(each, 8080) for each in found} == set(stand.names())
    with pytest.raises(socket.gaierror):
        resolve(f"none.{stand.name}.svc.cluster.local")
    stand.plane.call("PATCH", path, {"spec": {"replicas": 0}}, content_type="application/merge-patch+json")
    until("nobody listens at the ClusterIP", lambda: refuses(address, 80))


def resolve(name: str) -> set[str]:
    return {str(each[4][0]) for each in socket.getaddrinfo(name, 80, socket.AF_INET, socket.SOCK_STREAM)}


def refuses(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 1).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_pod_is_not_ready_before_its_probe_says_so_nor_after_it_says_no(stand: Stand) -> None:
    probe = {"exec": {"command": ["test", "-e", "/shared/ready"]}, "periodSeconds": 1, "failureThreshold": 1}
    shared = {"name": "shared", "emptyDir": {}}
    mount = {"volumeMounts": [{"name": "shared", "mountPath": "/shared"}]}
    stand.pod("slow", stand.server(readinessProbe=probe, **mount), volumes=[shared])
    until("it runs", lambda: stand.status("slow")["phase"] == "Running")
    assert not is_ready(stand.status("slow"))
    marker = stand.kubelet.scratch / stand.plane.call("GET", f"{stand.path}/pods/slow")["metadata"]["uid"]
    (marker / "volumes" / "shared" / "ready").touch()
    stand.ready("slow")
    (marker / "volumes" / "shared" / "ready").unlink()
    until("it is not ready", lambda: not is_ready(stand.status("slow")))


def test_a_deleted_pod_has_its_grace_and_no_more(stand: Stand) -> None:
    drain = [{"name": "DRAIN", "value": "1.5"}]
    stand.pod("drains", stand.server(env=drain))
    stand.pod("stubborn", stand.server(env=[{"name": "STUBBORN", "value": "1"}]), terminationGracePeriodSeconds=2)
    for name in ("drains", "stubborn"):
        stand.ready(name)
    pids = [stand.kubelet.processes(stand.name, name)["web"] for name in ("drains", "stubborn")]
    began = time.monotonic()
    for name in ("drains", "stubborn"):
        stand.plane.call("DELETE", f"{stand.path}/pods/{name}")
    until("the first is gone", lambda: "drains" not in stand.names())
    assert time.monotonic() - began >= 1.5
    until("the other is gone", lambda: "stubborn" not in stand.names())
    assert time.monotonic() - began >= 2
    assert not [pid for pid in pids if is_there(pid)]


def test_a_pod_deleted_by_force_is_killed(stand: Stand) -> None:
    stand.pod("forced", stand.server(env=[{"name": "STUBBORN", "value": "1"}]), terminationGracePeriodSeconds=600)
    stand.ready("forced")
    pid = stand.kubelet.processes(stand.name, "forced")["web"]
    stand.plane.call("DELETE", f"{stand.path}/pods/forced", {"gracePeriodSeconds": 0})
    until("its process is gone", lambda: not is_there(pid))


def test_pre_stop_comes_before_the_signal(stand: Stand) -> None:
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "echo stopping > /kept/said"]}}}
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    stand.apply(
        f"{stand.path}/persistentvolumeclaims/kept",
        "v1",
        "PersistentVolumeClaim",
        {"metadata": {"name": "kept"}, "spec": claim},
    )
    volume = {"name": "kept", "persistentVolumeClaim": {"claimName": "kept"}}
    mounts = [{"name": "kept", "mountPath": "/kept"}]
    stand.pod("hooked", stand.server(lifecycle=hook, volumeMounts=mounts), volumes=[volume])
    stand.ready("hooked")
    stand.plane.call("DELETE", f"{stand.path}/pods/hooked")
    until("it is gone", lambda: "hooked" not in stand.names())
    stand.pod("after", stand.server(volumeMounts=mounts), volumes=[volume])
    address = stand.ready("after")["podIP"]
    assert get(address, 8080, "/kept/said") == "stopping\n"
    assert not Path("/kept").exists()


def test_a_crash_is_counted_and_its_last_words_kept(stand: Stand) -> None:
    words = "echo alas > /dev/termination-log; exit 7"
    stand.pod("crashes", {"name": "web", "image": "none", "command": ["sh", "-c", words]})
    seen = until("it restarts", lambda: stand.container("crashes")["restartCount"] and stand.container("crashes"))
    ended = seen["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"], ended["message"]) == (7, "Error", "alas\n")
    stand.pod("serves", stand.server())
    address = stand.ready("serves")["podIP"]
    os.kill(stand.kubelet.processes(stand.name, "serves")["web"], 9)
    until("it was restarted", lambda: stand.container("serves")["restartCount"] == 1)
    stand.ready("serves")
    assert stand.container("serves")["lastState"]["terminated"]["exitCode"] == 137
    assert get(address, 8080) == "serves"


def test_liveness_restarts_and_startup_gives_time(stand: Stand) -> None:
    shared = {"name": "shared", "emptyDir": {}}
    quick = {"periodSeconds": 1, "failureThreshold": 1}
    alive = {"exec": {"command": ["test", "!", "-e", "/shared/dead"]}, **quick}
    begun = {"exec": {"command": ["test", "-e", "/shared/begun"]}, "periodSeconds": 1, "failureThreshold": 60}
    mount = {"volumeMounts": [{"name": "shared", "mountPath": "/shared"}]}
    stand.pod("lives", stand.server(livenessProbe=alive, startupProbe=begun, **mount), volumes=[shared])
    until("it runs", lambda: stand.status("lives")["phase"] == "Running")
    uid = stand.plane.call("GET", f"{stand.path}/pods/lives")["metadata"]["uid"]
    folder = stand.kubelet.scratch / uid / "volumes" / "shared"
    assert not is_ready(stand.status("lives"))
    (folder / "begun").touch()
    stand.ready("lives")
    (folder / "dead").touch()
    until("it was restarted", lambda: stand.container("lives")["restartCount"] >= 1)
    (folder / "dead").unlink()
    stand.ready("lives")


def test_starting_is_given_its_time_and_what_never_starts_is_killed_after_its_grace(stand: Stand) -> None:
    never = {"exec": {"command": ["false"]}, "periodSeconds": 2, "failureThreshold": 2}
    stubborn = [{"name": "STUBBORN", "value": "1"}]
    stand.pod("never", stand.server(startupProbe=never, env=stubborn), terminationGracePeriodSeconds=1)
    began = time.monotonic()
    until("it was restarted", lambda: stand.container("never")["restartCount"])
    assert time.monotonic() - began >= 2 + 1  # a period between the failures, and the grace
    assert stand.container("never")["lastState"]["terminated"]["exitCode"] == 137


def test_a_pod_waits_for_its_secret_and_sees_each_change_of_it_at_once(stand: Stand) -> None:
    volume = {"name": "keys", "secret": {"secretName": "keys"}}
    mounts = [{"name": "keys", "mountPath": "/etc/paquebot/keys", "readOnly": True}]
    stand.pod("keeper", stand.server(volumeMounts=mounts), volumes=[volume])
    waits = until("it waits", lambda: stand.container("keeper")["state"]["waiting"].get("message"))
    assert waits == 'secret "keys" not found'
    stand.config("Secret", "keys", first="one", second="two")
    address = stand.ready("keeper")["podIP"]
    assert get(address, 8080, "/etc/paquebot/keys/first") == "one"
    stand.config("Secret", "keys", first="three", third="four")
    until("the change is seen", lambda: get(address, 8080, "/etc/paquebot/keys/first") == "three")
    assert get(address, 8080, "/etc/paquebot/keys/third") == "four"


def test_init_containers_come_first_and_hand_over_in_a_volume(stand: Stand) -> None:
    shared = {"name": "shared", "emptyDir": {}}
    mounts = [{"name": "shared", "mountPath": "/shared"}]
    first = {
        "name": "first",
        "image": "none",
        "command": ["sh", "-c", "echo made > /shared/made"],
        "volumeMounts": mounts,
    }
    stand.pod("initialized", stand.server(volumeMounts=mounts), volumes=[shared], initContainers=[first])
    assert get(stand.ready("initialized")["podIP"], 8080, "/shared/made") == "made\n"


def test_a_container_sees_what_its_spec_says_of_its_surroundings(stand: Stand) -> None:
    stand.config("ConfigMap", "settings", level="high")
    stand.config("Secret", "password", word="secret")
    show = "import json, os; print(json.dumps(dict(os.environ)))"
    env = [
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "ADDRESS", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "level"}}},
        {"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "password", "key": "word"}}},
        {"name": "BOTH", "value": "$(POD)-$(LEVEL)-$$(POD)-$(NONE)"},
        {"name": "ABSENT", "valueFrom": {"secretKeyRef": {"name": "none", "key": "none", "optional": True}}},
    ]
    container = {"name": "web", "image": "python", "args": ["-c", show], "env": env}
    every = [{"prefix": "ALL_", "configMapRef": {"name": "settings"}}]
    stand.pod("shows", container | {"envFrom": every}, restartPolicy="Never")
    until("it is done", lambda: stand.status("shows")["phase"] == "Succeeded")
    seen = json.loads(stand.kubelet.log(stand.name, "shows", "web"))
    assert (seen["POD"], seen["LEVEL"], seen["WORD"], seen["ALL_level"]) == ("shows", "high", "secret", "high")
    assert seen["ADDRESS"] == stand.status("shows")["podIP"]
    assert seen["BOTH"] == "shows-high-$(POD)-$(NONE)"
    assert "ABSENT" not in seen


def test_a_pod_speaks_to_the_api_with_the_token_that_it_is_given(stand: Stand) -> None:
    ask = """
import ssl, urllib.request
given = "/var/run/secrets/kubernetes.io/serviceaccount/"
trust = ssl.create_default_context(cafile=given + "ca.crt")
bearer = {"Authorization": "Bearer " + open(given + "token").read()}
request = urllib.request.Request("https://kubernetes.default.svc/apis", headers=bearer)
print(urllib.request.urlopen(request, context=trust).status, open(given + "namespace").read())
"""
    stand.pod("asks", {"name": "web", "image": "python", "args": ["-c", ask]}, restartPolicy="Never")
    until("it is done", lambda: stand.status("asks")["phase"] in {"Succeeded", "Failed"})
    assert stand.kubelet.log(stand.name, "asks", "web").split() == ["200", stand.name]


def test_a_stateful_set_has_names_and_volumes_that_stay(stand: Stand) -> None:
    stand.service("web", clusterIP="None")
    mounts = [{"name": "store", "mountPath": "/store"}]
    begin = f"echo $HOSTNAME >> /store/starts; exec python3 -c '{SERVER}'"
    container = stand.server(volumeMounts=mounts) | {"command": ["sh", "-c", begin], "args": []}
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    spec = {
        "serviceName": "web",
        "replicas": 2,
        "podManagementPolicy": "Parallel",
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
        "volumeClaimTemplates": [{"metadata": {"name": "store"}, "spec": claim}],
    }
    path = f"/apis/apps/v1/namespaces/{stand.name}/statefulsets/web"
    stand.apply(path, "apps/v1", "StatefulSet", {"metadata": {"name": "web"}, "spec": spec})
    until("both are ready", lambda: stand.plane.call("GET", path)["status"].get("readyReplicas") == 2)
    name = f"web-1.web.{stand.name}.svc"
    assert until("it answers", lambda: get(name, 8080, "/store/starts")) == "web-1\n"
    stand.plane.call("DELETE", f"{stand.path}/pods/web-1")
    until("it has begun again", lambda: get(name, 8080, "/store/starts") == "web-1\nweb-1\n")


def test_the_api_servers_restart_is_survived(stand: Stand) -> None:
    stand.pod("before", stand.server())
    address = stand.ready("before")["podIP"]
    stand.plane.kill("kube-apiserver")
    assert get(address, 8080) == "before"
    stand.plane.start_server()
    stand.pod("after", stand.server())
    stand.ready("after")
    stand.plane.call("DELETE", f"{stand.path}/pods/before")
    until("the first is gone", lambda: "before" not in stand.names())


def test_what_is_not_served_is_said(stand: Stand) -> None:
    stand.pod("odd", {"name": "web", "image": "unknown:1"})
    waiting = until("it waits", lambda: stand.container("odd")["state"]["waiting"].get("message"))
    assert waiting == "no program stands for the image 'unknown', and there is no command"
