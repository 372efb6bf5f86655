"""What submission counts."""

from prometheus_client import REGISTRY, Counter, Gauge, Histogram

from paquebot.submission import counts


def test_every_metric_bears_the_services_name_and_says_what_it_counts() -> None:
    kinds = (Counter, Gauge, Histogram)
    ours = {metric for metric in vars(counts).values() if isinstance(metric, kinds)}
    families = [family for metric in ours for family in metric.describe()]
    assert len(families) == 9
    assert all(family.name.startswith("paquebot_submission_") for family in families)
    assert all(family.documentation.endswith(".") for family in families)
    collected = {family.name for family in REGISTRY.collect()}
    assert {family.name for family in families} <= collected
