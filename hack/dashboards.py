"""Generates the chart's Grafana dashboards; `--check` says whether what is committed is current.

A dashboard is rows of panels; a panel is a title, what a reader may conclude, and queries with their legends. Plain
dicts: the few fields of Grafana's format that we need are all here.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parents[1] / "charts" / "paquebot" / "files" / "dashboards"
WIDTH: Final = 24  # Grafana's columns
HEIGHT: Final = 8
SOURCE: Final = {"type": "prometheus", "uid": "${source}"}


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines over time. `queries` are pairs of an expression and its legend."""

    title: str
    tells: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"


def rate(metric: str, by: str, match: str = "") -> str:
    """Return a counter's rate a second."""
    return f"sum by ({by}) (rate({metric}{match}[$__rate_interval]))"


def quantile(share: float, metric: str, by: str = "") -> str:
    """Return a histogram's quantile."""
    labels = f"{by}, le" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket[$__rate_interval])))"


POOL: Final = '{pool=~"$pool"}'
GROUP: Final = '{pool=~"$pool", group=~"$group"}'
RECIPIENTS: Final = "paquebot_deliverer_recipients_total"
DELIVERED: Final = '{pool=~"$pool", group=~"$group", outcome="delivered"}'
LEGEND: Final = "{{pool}} {{group}}"

QUEUE: Final = (
    (
        Panel(
            "What waits",
            "Ready is due; deferred waits for its next try or is held.",
            ((f"sum by (pool, state) (paquebot_queue_messages{GROUP})", "{{pool}} {{state}}"),),
        ),
        Panel(
            "What waits, by destination",
            "Groups of DestinationPolicies; all others are `other`.",
            ((f"topk(10, sum by (pool, group) (paquebot_queue_messages{GROUP}))", LEGEND),),
        ),
    ),
    (
        Panel(
            "Due and not tried",
            "More than a few minutes: a destination's limits or the pool's size hold mail up.",
            ((f"max by (pool, group) (paquebot_queue_due_age_seconds{GROUP})", LEGEND),),
            "s",
        ),
        Panel(
            "Oldest",
            "Since acceptance, of what lies longest in each state.",
            ((f"max by (pool, group, state) (paquebot_queue_oldest_age_seconds{GROUP})", f"{LEGEND} {{{{state}}}}"),),
            "s",
        ),
    ),
    (
        Panel(
            "Storage",
            "Above 70 % nothing new is taken.",
            (
                ("max(paquebot_queue_store_used_bytes)", "used"),
                ("max(paquebot_queue_store_limit_bytes) * 0.7", "limit for new mail"),
                ("max(paquebot_queue_store_limit_bytes)", "limit"),
            ),
            "bytes",
        ),
        Panel(
            "Streams without a leader or a current copy",
            "Anything but 0 is a NATS server that is gone or behind.",
            (
                ("min by (stream) (paquebot_queue_stream_has_leader) < 1", "{{stream}} has no leader"),
                ('max by (stream) (paquebot_queue_stream_replicas{state="behind"}) > 0', "{{stream}} behind"),
            ),
        ),
    ),
)
DELIVERY: Final = (
    (
        Panel(
            "Outcomes",
            "Recipients a second, by what became of them.",
            ((rate(RECIPIENTS, "outcome", GROUP), "{{outcome}}"),),
            "ops",
        ),
        Panel(
            "Delivered at the first or a later try, by destination",
            "The share of attempts that delivered.",
            ((f"{rate(RECIPIENTS, 'pool, group', DELIVERED)} / {rate(RECIPIENTS, 'pool, group', GROUP)}", LEGEND),),
            "percentunit",
        ),
    ),
    (
        Panel(
            "Asked to slow down",
            "Answers 421 and 4.7.x of each destination in an hour.",
            ((f"sum by (pool, group) (increase(paquebot_deliverer_throttled_total{GROUP}[1h]))", LEGEND),),
        ),
        Panel(
            "An attempt takes",
            "Hosts tried and replies awaited.",
            (
                (quantile(0.5, "paquebot_deliverer_attempt_seconds", "pool"), "{{pool}} half within"),
                (quantile(0.95, "paquebot_deliverer_attempt_seconds", "pool"), "{{pool}} 95 % within"),
            ),
            "s",
        ),
    ),
    (
        Panel(
            "Sites",
            "By state; suspended ones are not tried.",
            ((f"sum by (state) (paquebot_deliverer_sites{POOL})", "{{state}}"),),
        ),
        Panel(
            "TLS to other hosts",
            "Attempts by TLS version.",
            ((rate("paquebot_deliverer_attempts_tls_total", "version", POOL), "{{version}}"),),
            "ops",
        ),
        Panel(
            "In doubt",
            "The reply to the final dot was lost: some of these recipients get mail twice.",
            ((rate("paquebot_deliverer_in_doubt_total", "pool", POOL), "{{pool}}"),),
            "ops",
        ),
    ),
)
SUBMISSION: Final = (
    (
        Panel(
            "Taken and refused",
            "Messages answered 250, and what refused the others.",
            (
                ("sum(rate(paquebot_submission_accepted_total[$__rate_interval]))", "taken"),
                (rate("paquebot_submission_refused_total", "why"), "refused: {{why}}"),
            ),
            "ops",
        ),
        Panel(
            "From the final dot to the 250",
            "What a client waits for: verdict, routes, and the disk.",
            (
                (quantile(0.5, "paquebot_submission_accept_seconds"), "half within"),
                (quantile(0.99, "paquebot_submission_accept_seconds"), "99 % within"),
            ),
            "s",
        ),
    ),
    (
        Panel(
            "Sessions",
            "Open ones, and why we ended some.",
            (
                ("sum(paquebot_submission_sessions)", "open"),
                (rate("paquebot_submission_sessions_ended_total", "why"), "ended a second: {{why}}"),
            ),
        ),
        Panel(
            "Logins",
            "By outcome; many failures are somebody who guesses.",
            ((rate("paquebot_auth_authentications_total", "outcome"), "{{outcome}}"),),
            "ops",
        ),
    ),
    (
        Panel(
            "Verdicts",
            "What the spam filter said.",
            (
                (rate("paquebot_spamfilter_verdicts_total", "action"), "{{action}}"),
                ("sum(rate(paquebot_submission_unscanned_total[$__rate_interval]))", "taken without one"),
            ),
            "ops",
        ),
        Panel(
            "Signatures",
            "By algorithm, and messages without one: no MailDomain, or no key that is verified and on disk.",
            (
                (rate("paquebot_router_signatures_total", "algorithm"), "{{algorithm}}"),
                (rate("paquebot_router_unsigned_total", "why"), "unsigned: {{why}}"),
            ),
            "ops",
        ),
    ),
)
PLATFORM: Final = (
    (
        Panel("Not ready", "Processes that say so.", (("paquebot_ready < 1", "{{instance}}"),)),
        Panel(
            "Certificates end in",
            "They are renewed with a third of their time left; 0 is one that is not there.",
            (("min by (secret) (paquebot_certificate_expiry_timestamp_seconds) - time()", "{{secret}}"),),
            "s",
        ),
        Panel(
            "Policy revisions in use",
            "More than one for more than a moment: a process does not follow.",
            (("count by (revision) (paquebot_policy_info)", "{{revision}}"),),
        ),
    ),
    (
        Panel(
            "Deliverers",
            "Pods of each pool that own something to send.",
            ((f"count by (pool) (paquebot_deliverer_partitions{POOL})", "{{pool}}"),),
        ),
        Panel(
            "Wanted and recommended",
            "Where they differ for long: `maxReplicas`, or somebody else scales.",
            (
                (f"max by (pool) (paquebot_pool_replicas{POOL})", "{{pool}} wanted"),
                (f"max by (pool) (paquebot_pool_recommended_replicas{POOL})", "{{pool}} recommended"),
            ),
        ),
        Panel(
            "Held up by destinations",
            "Share of the demand that they do not take: there more pods change nothing.",
            ((f"max by (pool) (paquebot_pool_held_up_ratio{POOL})", "{{pool}}"),),
            "percentunit",
        ),
    ),
    (
        Panel(
            "What may be sent now",
            "Deliveries that are due within a minute: what the scaler looks at.",
            ((f"max by (pool) (paquebot_pool_eligible_messages{POOL})", "{{pool}}"),),
        ),
        Panel(
            "How busy they are",
            "Attempts under way and connections; more pods help where these are at their limit.",
            (
                (f"sum by (pool) (paquebot_deliverer_in_flight{POOL})", "{{pool}} attempts"),
                (f"sum by (pool) (paquebot_deliverer_connections{POOL})", "{{pool}} connections"),
            ),
        ),
        Panel(
            "Partitions that change hands",
            "A rollout or a scaling moves some; a steady flow is deliverers that crash.",
            ((f"sum by (pool, kind) (increase(paquebot_queue_handovers_total{POOL}[5m]))", "{{pool}} {{kind}}"),),
        ),
    ),
    (
        Panel(
            "The operator's work",
            "Looks at objects a second.",
            ((rate("paquebot_operator_reconcile_total", "kind, result"), "{{kind}} {{result}}"),),
            "ops",
        ),
        Panel(
            "A look takes",
            "95 % of them.",
            ((quantile(0.95, "paquebot_operator_reconcile_seconds", "kind"), "{{kind}}"),),
            "s",
        ),
        Panel(
            "Who leads",
            "One process does the work.",
            (("paquebot_operator_leader", "{{pod}}"), ("max(paquebot_operator_queue_depth)", "waiting")),
        ),
    ),
)
BOARDS: Final = {
    "queue": ("Paquebot: mail that waits", QUEUE),
    "delivery": ("Paquebot: deliveries", DELIVERY),
    "submission": ("Paquebot: mail that comes in", SUBMISSION),
    "platform": ("Paquebot: the platform itself", PLATFORM),
}


def queries() -> Iterator[str]:
    """Yield every expression, with an interval that Prometheus itself can read."""
    for _title, rows in BOARDS.values():
        for row in rows:
            for panel in row:
                for expression, _legend in panel.queries:
                    yield expression.replace("$__rate_interval", "5m")


def boards() -> dict[str, dict[str, Any]]:
    """Return each dashboard as Grafana reads it."""
    return {name: _board(name, title, rows) for name, (title, rows) in BOARDS.items()}


def _board(name: str, title: str, rows: Sequence[Sequence[Panel]]) -> dict[str, Any]:
    panels: list[dict[str, Any]] = []
    for height, row in enumerate(rows):
        width = WIDTH // len(row)
        for number, panel in enumerate(row):
            place = {"x": number * width, "y": height * HEIGHT, "w": width, "h": HEIGHT}
            panels.append(_panel(panel, len(panels) + 1, place))
    return {
        "uid": f"paquebot-{name}",
        "title": title,
        "tags": ["paquebot"],
        "editable": False,
        "schemaVersion": 41,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_source(), _choice("pool"), _choice("group")]},
        "panels": panels,
    }


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.tells,
        "gridPos": place,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + each), "datasource": SOURCE, "expr": expression, "legendFormat": legend}
            for each, (expression, legend) in enumerate(panel.queries)
        ],
    }


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _choice(label: str) -> dict[str, Any]:
    query = f"label_values(paquebot_queue_messages, {label})"
    return {
        "name": label,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": label},
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
        "refresh": 2,
    }


if __name__ == "__main__":
    pages = {FOLDER / f"{name}.json": json.dumps(board, indent=1) + "\n" for name, board in boards().items()}
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text() != text]
    if "--check" not in sys.argv:
        for path in stale:
            path.write_text(pages[path])
    elif stale:
        sys.exit(f"not current: {', '.join(path.name for path in stale)}; run `make docs`")
