"""External metrics for HorizontalPodAutoscalers: what the operator itself tells, as others' adapters hand it on.

In a cluster this is Prometheus with its adapter, or KEDA. The API server asks here as it asks them, over HTTPS.
"""

import base64
import json
import ssl
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from prometheus_client.parser import text_string_to_metric_families

from cluster.mailer import found
from cluster.operators import pods
from cluster.platform import ADMIN_PORT, PLATFORM, Cluster
from cluster.waiting import condition, until
from paquebot.runtime.authority import issue
from paquebot_operator.times import written

NAME = "v1beta1.external.metrics.k8s.io"
SERVED = "external.metrics.k8s.io/v1beta1"
SERVICE = "external-metrics"
REGISTRATION = f"/apis/apiregistration.k8s.io/v1/apiservices/{NAME}"
Manifest = dict[str, Any]


@contextmanager
def external_metrics(cluster: Cluster, folder: Path) -> Iterator[None]:
    """Have the cluster's external metrics API for a while; nothing of it stays."""
    issue(cluster.plane.root / "authority", SERVICE, folder, (f"{SERVICE}.{PLATFORM}.svc",))
    trust = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trust.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Answers, cluster)) as server:
        server.socket = trust.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, name=SERVICE, daemon=True).start()
        try:
            _register(cluster, server.server_port, (folder / "ca.crt").read_bytes())
            yield
        finally:
            _withdraw(cluster)
            server.shutdown()


class _Answers(BaseHTTPRequestHandler):
    """One question of the API server's: which metrics there are, or the values of one."""

    def __init__(self, cluster: Cluster, *rest: Any) -> None:
        self._cluster = cluster
        super().__init__(*rest)

    def do_GET(self) -> None:
        """Answer; of the rest that an API could have, such as its schema, there is nothing."""
        asked = urlsplit(self.path)
        place, _, metric = asked.path.partition(f"/apis/{SERVED}/namespaces/{PLATFORM}/")
        labels = dict(pair.split("=", 1) for pair in parse_qs(asked.query).get("labelSelector", []))
        if metric:
            self._say(200, _values(self._cluster, metric, labels))
        elif place.rstrip("/") == f"/apis/{SERVED}":
            self._say(200, {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": SERVED, "resources": []})
        else:
            self._say(404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404})

    def log_message(self, *_: object) -> None:
        """Say nothing: whoever reads the tests' output has asked for none of it."""

    def _say(self, code: int, body: Manifest) -> None:
        content = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _values(cluster: Cluster, metric: str, labels: dict[str, str]) -> Manifest:
    """Return the samples of a metric with these labels, as they are at this moment."""
    told = {"metricName": metric, "metricLabels": labels, "timestamp": written(time.time())}
    items = [
        told | {"value": f"{sample.value:.0f}"}
        for pod in pods(cluster)
        for family in text_string_to_metric_families(_metrics(cluster, pod))
        for sample in family.samples
        if sample.name == metric and labels.items() <= sample.labels.items()
    ]
    return {"kind": "ExternalMetricValueList", "apiVersion": SERVED, "metadata": {}, "items": items}


def _metrics(cluster: Cluster, pod: str) -> str:
    """Return what a pod tells Prometheus."""
    address = cluster.plane.call("GET", f"/api/v1/namespaces/{PLATFORM}/pods/{pod}")["status"]["podIP"]
    with urllib.request.urlopen(f"http://{address}:{ADMIN_PORT}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


def _register(cluster: Cluster, port: int, authority: bytes) -> None:
    """Have the API server ask us; return when it says that it can."""
    service = {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]}
    manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": SERVICE}, "spec": service}
    cluster.plane.apply(f"/api/v1/namespaces/{PLATFORM}/services/{SERVICE}", manifest)
    group, version = SERVED.split("/")
    spec = {
        "group": group,
        "version": version,
        "service": {"name": SERVICE, "namespace": PLATFORM, "port": port},
        "caBundle": base64.b64encode(authority).decode(),
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
    }
    kind = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService"}
    cluster.plane.apply(REGISTRATION, kind | {"metadata": {"name": NAME}, "spec": spec})
    until("external metrics are served", lambda: _available(cluster)["status"] == "True")


def _available(cluster: Cluster) -> Manifest:
    return {"status": "", **condition(found(cluster, REGISTRATION) or {}, "Available")}


def _withdraw(cluster: Cluster) -> None:
    """Leave nothing: an API that is announced and not served would keep every namespace from ending."""
    cluster.plane.kubectl("delete", "apiservice", NAME)
    cluster.plane.kubectl("delete", "service", SERVICE, f"--namespace={PLATFORM}")
