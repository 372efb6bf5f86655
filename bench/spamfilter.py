"""What the spam filter's rules do to labelled mail, and what they cost.

    python bench/spamfilter.py FILE.jsonl.xz ...

Each line of a file is JSON with `raw` (the message, one code point an octet), `label` (ham or spam) and
`source`. Printed for each source: what finishing refuses, the actions at default thresholds, the rules that
spoke most, and the CPU time of finish and verdict a message.
"""

import json
import lzma
import re
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "services"))

from paquebot.mail.envelope import Envelope
from paquebot.mail.finish import Finishing, finish
from paquebot.mail.principal import Principal
from paquebot.mail.refusal import ContentRefused
from paquebot.policy.values import Thresholds
from paquebot.spamfilter.facts import gather
from paquebot.spamfilter.judge import judge

_LINE_END = re.compile(rb"\r\n?|\n")
_ENVELOPE = Envelope("", ("b@two.example",))
_PRINCIPAL = Principal("bench", "bench", any_sender=True)
_FINISHING = Finishing(0, "id", "one.example", "a@one.example")


class Tally:
    """What happened to the messages of one source."""

    def __init__(self) -> None:
        self.actions: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.rules: Counter[str] = Counter()
        self.finish_ns = 0
        self.judge_ns = 0

    def take(self, content: bytes) -> None:
        """Finish and judge one message; what finishing refuses is judged as it came."""
        started = time.process_time_ns()
        try:
            content = finish(content, _FINISHING).content
        except ContentRefused as refused:
            self.refusals[refused.reply.text[:60]] += 1
        finished = time.process_time_ns()
        verdict = judge(gather(content, _ENVELOPE, _PRINCIPAL), Thresholds())
        self.finish_ns += finished - started
        self.judge_ns += time.process_time_ns() - finished
        self.actions[verdict.action.value] += 1
        self.rules.update(reason.rule for reason in verdict.reasons)

    def show(self, name: str) -> None:
        """Print the tally."""
        count = sum(self.actions.values())
        print(f"{name}: {count} messages, {dict(self.actions)}")
        print(f"  finish {self.finish_ns / count / 1e3:.0f} us, verdict {self.judge_ns / count / 1e3:.0f} us of CPU")
        print(f"  refused by finish: {dict(self.refusals.most_common(5))}")
        print("  rules: " + ", ".join(f"{rule} {hits / count:.1%}" for rule, hits in self.rules.most_common(8)))


def main() -> None:
    """Read the files and print a tally for each label and source."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    for path in sys.argv[1:]:
        with lzma.open(path, "rt", encoding="utf-8", newline="\n") as lines:
            for line in lines:
                record = json.loads(line)
                content = _LINE_END.sub(b"\r\n", record["raw"].encode("latin-1"))
                tallies[f"{record['label']} {record['source']}"].take(content)
    for name in sorted(tallies):
        tallies[name].show(name)


if __name__ == "__main__":
    main()
