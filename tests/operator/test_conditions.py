"""A condition keeps its time while its status stays; Ready repeats the first that fails."""

from paquebot_operator.conditions import FALSE, TRUE, UNKNOWN, Condition, Report, status_of, summary

EARLIER, NOW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
ACCEPTED = Condition("Accepted", TRUE, "Accepted")
MISSING = Condition("DNSVerified", FALSE, "RecordMissing", "add TXT m1._domainkey.shop.example")
WAITING = Condition("Programmed", UNKNOWN, "WaitingForPods")


def written(status: dict[str, object], kind: str) -> dict[str, object]:
    return next(each for each in status["conditions"] if each["type"] == kind)  # type: ignore[union-attr, misc, attr-defined]


def test_ready_is_true_when_all_are() -> None:
    assert summary([ACCEPTED]) == Condition("Ready", TRUE, "Ready")


def test_ready_repeats_what_fails_before_what_is_unknown() -> None:
    assert summary([ACCEPTED, WAITING, MISSING]) == Condition("Ready", FALSE, "RecordMissing", MISSING.message)
    assert summary([WAITING]).status == UNKNOWN


def test_what_people_should_do_comes_before_what_passes_by_itself() -> None:
    late = Condition("Programmed", FALSE, "WaitingForPods", "on 1 of 2 pods")
    assert summary([late, MISSING]).reason == "RecordMissing"
    assert summary([late]).reason == "WaitingForPods"


def test_that_scaling_is_limited_takes_nothing_from_ready() -> None:
    assert summary([ACCEPTED, Condition("ScalingLimited", FALSE, "DesiredWithinRange")]).status == TRUE


def test_a_time_changes_with_the_status_alone() -> None:
    entry = {"metadata": {"generation": 1}}
    first = status_of(entry, [Report((ACCEPTED, MISSING))], EARLIER)
    again = Condition("DNSVerified", FALSE, "RecordMismatch", "another record")
    later = status_of({"metadata": {"generation": 2}, "status": first}, [Report((ACCEPTED, again))], NOW)
    assert written(later, "DNSVerified")["lastTransitionTime"] == EARLIER
    assert written(later, "DNSVerified")["reason"] == "RecordMismatch"
    verified = Condition("DNSVerified", TRUE, "Verified")
    last = status_of({"metadata": {"generation": 2}, "status": later}, [Report((ACCEPTED, verified))], NOW)
    assert written(last, "DNSVerified")["lastTransitionTime"] == NOW
    assert last["observedGeneration"] == 2
    assert written(last, "Ready")["observedGeneration"] == 2


def test_fields_of_all_reports_stand_side_by_side() -> None:
    reports = [Report(fields={"dkim": {"signing": ["m1"]}}), Report(fields={"dns": {"records": []}})]
    status = status_of({"metadata": {"generation": 1}}, reports, NOW)
    assert status["dkim"] == {"signing": ["m1"]}
    assert status["dns"] == {"records": []}
