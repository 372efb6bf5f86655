"""`helm upgrade` to newer custom resources while mail is sent: objects are as they were, and no mail is lost."""

import shutil
import smtplib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cluster.mailer import Mailer, mailer
from cluster.platform import CHART, PLATFORM, Cluster
from cluster.waiting import until

DEFINITION = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/maildomains.paquebot.dev"
FIELD = "{description: What people call it., type: string, maxLength: 100}"
PODS = f"/api/v1/namespaces/{PLATFORM}/pods"
PAUSE_S = 0.2
AFTER = 5  # messages sent after everything has rolled


def newer_chart(folder: Path) -> Path:
    """Return a copy of the chart in which MailDomains may have `spec.nickname`."""
    copy = Path(shutil.copytree(CHART, folder / "chart"))
    path = copy / "files" / "crds" / "maildomains.yaml"
    before = path.read_text()
    mark = "                poolRef:\n"
    assert before.count(mark) == 1
    path.write_text(before.replace(mark, f"                nickname: {FIELD}\n{mark}"))
    return copy


@contextmanager
def sending(roller: Mailer) -> Iterator[list[str]]:
    """Send all the time from another thread; yield the subjects of what was taken."""
    taken: list[str] = []
    enough = threading.Event()

    def send() -> None:
        while not enough.wait(PAUSE_S):
            try:
                taken.extend(roller.send("someone@accept.test", 1))
            except (smtplib.SMTPException, OSError):
                continue  # nobody has taken it: a client tries again

    thread = threading.Thread(target=send, name="sending")
    thread.start()
    try:
        yield taken
    finally:
        enough.set()
        thread.join()


def properties(cluster: Cluster) -> dict[str, Any]:
    (version,) = cluster.plane.call("GET", DEFINITION)["spec"]["versions"]
    return dict(version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"])


def all_rolled(cluster: Cluster, tag: str) -> bool:
    """Say whether all that runs of ours runs this image."""
    pods = cluster.plane.call("GET", PODS)["items"]
    images = [each["image"] for pod in pods for each in pod["spec"]["containers"]]
    ours = [image for image in images if image.startswith("paquebot:")]
    return bool(ours) and all(image == f"paquebot:{tag}" for image in ours)


def test_the_schema_is_newer_and_all_else_is_as_it_was(cluster: Cluster, tmp_path: Path) -> None:
    with mailer(cluster, "roller") as roller:
        cluster.wait_condition(roller.pool_place)
        domain = ("maildomains", roller.name, "main")
        before = cluster.get(*domain)
        assert "nickname" not in properties(cluster)
        with sending(roller) as taken:
            cluster.install("image.tag=next", chart=newer_chart(tmp_path))
            assert "nickname" in properties(cluster)
            until("all has rolled", lambda: all_rolled(cluster, "next"))
            cluster.wait_ready()
            count = len(taken)
            until("mail is taken after it", lambda: len(taken) >= count + AFTER)
        roller.wait_for_all(taken)

        after = cluster.get(*domain)
        assert (after["spec"], after["metadata"]["uid"]) == (before["spec"], before["metadata"]["uid"])
        roller.declare("MailDomain", "main", {**before["spec"], "nickname": "Rolly"})
        assert cluster.get(*domain)["spec"]["nickname"] == "Rolly"
