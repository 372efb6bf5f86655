"""A cluster on this machine, with Paquebot installed from its chart, and a shell whose kubectl shows it at work.

Run it inside hack/in_namespace.py, as `make cluster` does. The control plane is real; nodes are played by
tests/cluster/kubelet.py; mail goes to the sandbox's small internet. Ctrl-D ends everything, and nothing stays.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
# In place of this folder, where we ourselves would be `cluster`.
sys.path[:1] = [str(ROOT / name) for name in ("tests", "services", "operator", "")]

from hack import helm, kube_assets  # noqa: E402

from cluster.kubelet import Kubelet, inside  # noqa: E402  (found by the line above)
from cluster.platform import Cluster  # noqa: E402
from cluster.programs import images  # noqa: E402
from cluster.world import World  # noqa: E402
from kube_plane import Plane  # noqa: E402
from paquebot.sandbox.mxhost import Received  # noqa: E402

RECORDS_S: Final = 2.0
POOL: Final = ("sendingpools", "mail-system", "default")
SHELL: Final = """
PS1='cluster \\$ '
alias k=kubectl
logs() {{ tail -n "${{2:-40}}" {logs}/*/"$1"*/*.log; }}
inbox() {{ ls {inbox}; }}
"""
WELCOME: Final = """
kubectl speaks to it:   kubectl get mail -A      kubectl -n mail-system get pods      kubectl explain maildomain.spec
`logs POD [LINES]` stands in for kubectl logs; `inbox` lists what the small internet has received. DNS records that
a domain's status asks for are published by themselves. Ctrl-D ends it all.
"""


def main() -> int:
    """Bring everything up, serve the shell, and end everything; return the exit code."""
    if not inside():
        return _sorry("run it as `make cluster`: it needs namespaces of its own")
    try:
        assets = kube_assets.find()
        helm.find()
    except (kube_assets.MissingAssetsError, helm.NoHelmError) as missing:
        return _sorry(str(missing))
    say = _clock()
    root = Path(tempfile.mkdtemp(prefix="paquebot-cluster-"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        with _cluster(root, assets, say) as cluster:
            _bring_up(cluster, root, say)
            return _shell(cluster, root)
    except (RuntimeError, KeyboardInterrupt) as failure:
        return _sorry(str(failure) or "interrupted")
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextlib.contextmanager
def _cluster(root: Path, assets: Path, say: Callable[[str], None]) -> Iterator[Cluster]:
    def arrived(received: Received) -> None:
        envelope = received.envelope
        say(f"{received.host} received mail from {envelope.reverse_path or '<>'} for {', '.join(envelope.recipients)}")

    plane = Plane(assets, root / "plane")
    world = World(root / "inbox", arrived)
    kubelet = Kubelet(plane, root / "node", images())
    for folder in ("inbox", "home"):
        (root / folder).mkdir()
    try:
        plane.start()
        plane.start_controllers()
        say("a Kubernetes control plane is up")
        kubelet.start()
        world.start()
        say("a node is ready; a small internet stands around it")
        yield Cluster(plane, kubelet, world, root / "home", say)
    finally:
        say("ending")
        kubelet.stop()
        world.stop()
        plane.stop()


def _bring_up(cluster: Cluster, root: Path, say: Callable[[str], None]) -> None:
    cluster.connect()
    cluster.install()
    say("the chart is installed")
    cluster.wait_ready()
    cluster.apply(ROOT / "examples")
    say("examples/ is applied")
    threading.Thread(target=_keep_records, args=(cluster, root), daemon=True).start()
    cluster.wait_condition(POOL)
    say("the pool is ready")


def _keep_records(cluster: Cluster, root: Path) -> None:
    """Be whoever keeps the tenants' DNS, until the cluster ends."""
    while root.exists():
        with contextlib.suppress(Exception):  # the API is away for a moment, or for good
            cluster.publish_records()
        time.sleep(RECORDS_S)


def _shell(cluster: Cluster, root: Path) -> int:
    """Serve a shell on the terminal, or what standard input says; return how it ended."""
    profile = root / "profile"
    profile.write_text(SHELL.format(logs=cluster.kubelet.logs, inbox=root / "inbox"))
    print(WELCOME)
    print(cluster.plane.kubectl("get", "mail", "--all-namespaces"))
    environ = os.environ | {"KUBECONFIG": str(cluster.plane.kubeconfig("admin")), "BASH_ENV": str(profile)}
    terminal = ["--rcfile", str(profile), "-i"] if sys.stdin.isatty() else []
    before = signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is the shell's
    try:
        return subprocess.run(["bash", "--noprofile", *terminal], env=environ, check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)


def _clock() -> Callable[[str], None]:
    began = time.monotonic()
    return lambda line: print(f"{time.monotonic() - began:6.1f} s  {line}", flush=True)


def _sorry(why: str) -> int:
    sys.stderr.write(f"{why}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
