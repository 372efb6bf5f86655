"""The schema refuses what the chart would not heed, and says where."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

CHART = Path(__file__).parents[2] / "charts" / "paquebot"
Render = Callable[..., list[dict[str, Any]]]

REFUSED = {
    "sumbission.replicas=2": "additional properties 'sumbission' not allowed",
    "submission.replica=2": "at '/submission': additional properties 'replica' not allowed",
    "auth.replicas=2": "at '/auth': additional properties 'replicas' not allowed",
    "submission.replicas=-1": "at '/submission/replicas': minimum: got -1, want 0",
    "nats.nodes=2": "at '/nats/nodes': value must be one of 1, 3",
    "nats.storage.sizeGi=1": "at '/nats/storage/sizeGi': minimum: got 1, want 2",
    "nats.external.url=nats://n:4222": "at '/nats/external/url': 'nats://n:4222' does not match pattern",
    "tls.mode=none": "at '/tls/mode': value must be one of 'selfManaged', 'certManager', 'existingSecret'",
    "tls.issuerRef.nam=x": "at '/tls/issuerRef': additional properties 'nam' not allowed",
    "image.digest=sha256:12": "at '/image/digest': 'sha256:12' does not match pattern",
    "image.pullPolicy=Sometimes": "at '/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'",
    "hostname=Mail_Example": "at '/hostname': 'Mail_Example' does not match pattern",
    "crds.keep=maybe": "at '/crds/keep': got string, want boolean",
    "logLevel=loud": "at '/logLevel': value must be one of 'debug', 'info', 'warning', 'error'",
    "submission.proxyPeers={10.0.0.1}": "at '/submission/proxyPeers/0': '10.0.0.1' does not match pattern",
    "dns.delegatedZones={Dkim.example.}": "at '/dns/delegatedZones/0': 'Dkim.example.' does not match pattern",
    "router.tolerations[0].efect=NoExecute": "at '/router/tolerations/0': additional properties 'efect' not allowed",
    "sandbox.mxPort=70000": "at '/sandbox/mxPort': maximum: got 70,000, want 65,535",
    "monitoring.rules.enable=true": "at '/monitoring/rules': additional properties 'enable' not allowed",
}


@pytest.mark.parametrize("value", REFUSED)
def test_a_value_that_nobody_would_heed_is_refused_where_it_stands(
    value: str, render: Render, refused: type[Exception]
) -> None:
    with pytest.raises(refused) as failure:
        render(value)
    assert REFUSED[value] in str(failure.value)


def test_every_value_has_a_default_and_every_default_is_known() -> None:
    schema = yaml.safe_load((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())

    def compare(section: dict[str, Any], known: dict[str, Any], path: str) -> list[str]:
        known = schema["$defs"][known["$ref"].rsplit("/", 1)[1]] if "$ref" in known else known
        if "properties" not in known or path.endswith("/resources"):
            return []
        assert known["additionalProperties"] is False, path
        strays = [f"{path}/{name}" for name in set(section) ^ (set(known["properties"]) - {"global"})]
        both = set(section) & set(known["properties"])
        return strays + [
            stray
            for name in both
            if isinstance(section[name], dict)
            for stray in compare(section[name], known["properties"][name], f"{path}/{name}")
        ]

    assert compare(values, schema, "") == []
