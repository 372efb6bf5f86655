"""What the API server signs for a ServiceAccount is what auth verifies, with the keys that the API server tells."""

import json
import time

from kube_plane import Plane
from paquebot.auth.token import Account, Unfit, Verifier
from paquebot.policy.compile import compile_policy


def verifier(plane: Plane) -> Verifier:
    found = plane.call("GET", "/.well-known/openid-configuration")
    spec = {"issuer": found["issuer"], "jwks": plane.call("GET", "/openid/v1/jwks")}
    metadata = {"name": "cluster"}
    manifest = {"apiVersion": "paquebot.dev/v1alpha1", "kind": "ClusterIdentity", "metadata": metadata, "spec": spec}
    identity = compile_policy([json.loads(json.dumps(manifest))]).cluster
    assert identity is not None
    return Verifier(identity)


def token(plane: Plane, namespace: str, *audience: str) -> bytes:
    return plane.kubectl("create", "token", "web", f"--namespace={namespace}", *audience).strip().encode()


def test_a_token_of_the_api_server_tells_its_account(bare_plane: Plane, namespace: str) -> None:
    bare_plane.kubectl("create", "serviceaccount", "web", f"--namespace={namespace}")
    known = verifier(bare_plane)
    shown = token(bare_plane, namespace, "--audience=paquebot")
    assert known.verify(shown, time.time()) == Account(namespace, "web")
    assert known.verify(shown, time.time() + 3600 + 61) == Unfit("token expired", is_signed=True)


def test_a_token_for_the_api_server_itself_is_not_for_us(bare_plane: Plane, namespace: str) -> None:
    bare_plane.kubectl("create", "serviceaccount", "web", f"--namespace={namespace}")
    shown = token(bare_plane, namespace)
    assert verifier(bare_plane).verify(shown, time.time()) == Unfit("token for another audience", is_signed=True)
