"""What is counted of histories."""

from prometheus_client import Counter, Gauge

from paquebot.spamfilter.history.standing import Step

ALARMS = Counter(
    "paquebot_spamfilter_alarms_total",
    "Alarms about accounts that do not act like themselves, by the step that the evidence allowed.",
    ["step"],
)
for _step in Step:  # there from the beginning: what begins with 1 has not grown
    ALARMS.labels(_step.name.lower())
IN_MEMORY = Gauge("paquebot_spamfilter_histories", "Histories of senders in memory.", ["kind"])
BEHIND = Gauge(
    "paquebot_spamfilter_reputation_behind_messages",
    "Messages of the event stream that reputation has not counted; only the replica that counts knows.",
)
WRITTEN = Counter(
    "paquebot_spamfilter_reputation_writes_total",
    "Writes of histories: done, or to be repeated because another replica was faster.",
    ["outcome"],
)
