"""A SendingPool from its declaration to its end, against a real API server and a real queue."""

from datetime import timedelta

from paquebot_operator.names import FINALIZER, Key
from paquebot_operator.pools.reconcile import POOLS
from pool_desk import Desk

AVAILABLE = {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1, "updatedReplicas": 1}
SAID = {"conditions": [{"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable", "message": ""}]}


async def test_a_pool_gets_its_workload_and_says_how_it_is(desk: Desk) -> None:
    desk.apply()
    await desk.look()
    assert desk.deployment()["spec"]["template"]["spec"]["containers"][0]["args"] == ["deliverer"]
    assert desk.get()["metadata"]["finalizers"] == [FINALIZER]
    status = desk.get()["status"]
    assert status["selector"] == f"app.kubernetes.io/component=deliverer,paquebot.dev/pool={desk.namespace}_default"
    assert desk.condition("Accepted")["status"] == "True"
    assert desk.condition("Available")["reason"] == "Updating"
    desk.status_of_deployment({**AVAILABLE, **SAID})
    await desk.look()
    assert desk.condition("Available")["status"] == "True"
    assert desk.get()["status"]["readyReplicas"] == 1


async def test_a_pools_least_size_is_written_once_and_stays_over_other_changes(desk: Desk) -> None:
    desk.apply(scaling={"mode": "DrainTime", "minReplicas": 2, "maxReplicas": 4})
    await desk.look()
    assert desk.deployment()["spec"]["replicas"] == 2
    desk.plane.kubectl(
        "scale", "deployment", f"deliverer-{desk.namespace}-default", "-n", desk.namespace, "--replicas=3"
    )
    desk.apply(
        scaling={"mode": "DrainTime", "minReplicas": 2, "maxReplicas": 4},
        template={"resources": {"requests": {"cpu": "2"}}},
    )
    await desk.look()
    deployment = desk.deployment()
    assert deployment["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "2"
    assert deployment["spec"]["replicas"] == 3


async def test_kubectl_scale_sizes_a_pool_whose_size_is_set_by_hand(desk: Desk) -> None:
    desk.apply(scaling={"mode": "Manual"}, replicas=1)
    await desk.look()
    desk.plane.kubectl("scale", "sendingpool", "default", "-n", desk.namespace, "--replicas=4")
    await desk.look()
    assert desk.deployment()["spec"]["replicas"] == 4
    desk.plane.kubectl("scale", "sendingpool", "default", "-n", desk.namespace, "--replicas=0")
    await desk.look()
    assert desk.deployment()["spec"]["replicas"] == 0


async def test_what_keeps_a_pod_from_running_is_in_the_status(desk: Desk) -> None:
    desk.apply()
    await desk.look()
    template = desk.deployment()["spec"]["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {**template["metadata"], "name": "one"}}
    path = f"/api/v1/namespaces/{desk.namespace}/pods/one"
    desk.plane.apply(path, {**pod, "spec": template["spec"]})
    message = "0/3 nodes are available: 3 Insufficient cpu."
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    merge = "application/merge-patch+json"
    desk.plane.call("PATCH", f"{path}/status", {"status": {"conditions": [condition]}}, content_type=merge)
    desk.status_of_deployment({"replicas": 1, "unavailableReplicas": 1})
    await desk.look()
    said = desk.condition("Available")
    assert said["status"] == "False"
    assert said["message"].startswith(f"0 of 1 deliverers are ready: Unschedulable: {message} (give the cluster room")


async def test_an_empty_pool_goes_with_all_that_was_its_own(desk: Desk) -> None:
    desk.apply()
    desk.apply("other")
    await desk.look("other")
    await desk.look()
    desk.delete()
    await desk.look()
    await desk.look()
    assert desk.get() is None
    assert desk.deployment() is None
    assert desk.deployment("other") is not None
    assert desk.publishing.accepted is not None
    assert list(desk.publishing.accepted.policy.pools) == [f"{desk.namespace}_other"]
    js = await desk.pools.queue.connected()
    streams = (await js.request("STREAM.NAMES", {}))["streams"]
    assert not [name for name in streams if name.startswith(f"MQ_{desk.namespace}_default_")]


async def test_a_pool_with_mail_waits_and_tells_for_how_much(desk: Desk) -> None:
    desk.apply(scaling={"mode": "Manual"}, replicas=0)
    await desk.look()
    await desk.put_mail()
    desk.delete()
    await desk.look()
    assert desk.condition("Drained")["message"].startswith("1 delivery still waits; `paquebot queue list`")
    assert desk.condition("Ready")["reason"] == "MailWaits"
    assert desk.deployment()["spec"]["replicas"] == 1  # somebody must send it
    await desk.take_mail()
    await desk.look()
    assert desk.get() is None
    assert desk.deployment() is None


async def test_after_ten_minutes_the_object_may_go_but_its_deliverers_stay_with_its_mail(desk: Desk) -> None:
    desk.apply()
    await desk.look()
    await desk.put_mail()
    desk.delete()
    await desk.look()
    assert desk.get() is not None
    desk.later = timedelta(minutes=11)
    await desk.look()
    assert desk.get() is None
    await desk.look()
    assert desk.deployment() is not None
    events = desk.plane.call("GET", f"/apis/events.k8s.io/v1/namespaces/{desk.namespace}/events")["items"]
    assert [each["note"] for each in events if each["reason"] == "DrainTimeout"] == [
        "1 delivery still waits after 10 minutes; its deliverers stay until all mail has gone"
    ]
    await desk.take_mail()
    await desk.look()
    assert desk.deployment() is None


async def test_a_queue_that_cannot_be_asked_holds_no_object_for_longer_than_ten_minutes(desk: Desk) -> None:
    desk.apply()
    await desk.look()
    desk.delete()
    desk.publishing.accepted = None  # as after a start while the queue is away
    await desk.hear()
    key = Key("SendingPool", desk.namespace, "default")
    await desk.pools.reconcile(key)
    assert desk.get() is not None
    desk.later = timedelta(minutes=11)
    await desk.pools.reconcile(key)
    await desk.pools.reconcile_all(POOLS)
    assert desk.get() is None
    assert desk.deployment() is not None


async def test_a_pool_that_comes_back_while_it_drains_goes_on(desk: Desk) -> None:
    desk.apply()
    await desk.look()
    await desk.put_mail()
    desk.delete()
    desk.later = timedelta(minutes=11)
    await desk.look()
    assert desk.get() is None
    desk.apply()
    await desk.look()
    await desk.take_mail()
    await desk.look()
    assert desk.get() is not None
    assert desk.deployment() is not None
    assert desk.condition("Accepted")["status"] == "True"


async def test_a_workload_that_no_pool_has_is_removed_and_others_are_not(desk: Desk) -> None:
    desk.apply()
    await desk.look()
    orphan = desk.deployment()
    for name, labels in (("deliverer-gone", orphan["metadata"]["labels"]), ("theirs", {"app": "theirs"})):
        path = f"/apis/apps/v1/namespaces/{desk.namespace}/deployments/{name}"
        metadata = {"name": name, "labels": labels}
        spec = {key: orphan["spec"][key] for key in ("selector", "template")}
        desk.plane.apply(path, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})
    await desk.look()
    left = desk.plane.call("GET", f"/apis/apps/v1/namespaces/{desk.namespace}/deployments")["items"]
    assert {each["metadata"]["name"] for each in left} == {f"deliverer-{desk.namespace}-default", "theirs"}
