"""Manifest files become objects as `kubectl apply` would make them."""

from pathlib import Path

from paquebot.cli.manifests import compile_files

_MANIFESTS = """
apiVersion: paquebot.dev/v1alpha1
kind: SendingPool
metadata: {name: default, namespace: mail-system}
spec: {heloHostname: out.example, allowedNamespaces: {names: ["*"]}}
---
apiVersion: paquebot.dev/v1alpha1
kind: MailDomain
metadata: {name: main, namespace: shop}
spec: {domain: shop.example}
status: {dkim: {signing: [pq2-rsa]}}
"""


def test_a_status_in_a_file_counts_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(_MANIFESTS)
    located, policy, faults = compile_files([tmp_path])
    assert faults == []
    assert policy.domains["shop.example"].signing is None
    assert not any("status" in each.object for each in located)
