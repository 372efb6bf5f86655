"""What people are advised to do can be done: the fields are fields of their kinds, the commands are there."""

import re
from pathlib import Path

import pytest

from cli.explain.golden import FOLDER
from cli.explain.situations import QUIET, delivery
from paquebot.cli.explain.cause import Cause
from paquebot.cli.explain.cures import cure
from paquebot.cli.hands import queue
from paquebot.cli.main import COMMANDS
from paquebot.cli.spam.command import COMMANDS as SPAM
from paquebot.policy.compile import compile_policy
from paquebot.policy.faults import PolicyFaults

FIELD = re.compile(r"`spec\.([A-Za-z.]+)` of (?:a |its )?([A-Z]\w+)")
COMMAND = re.compile(r"`paquebot (\w[\w-]*)")
TEXTS = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.txt"))}
FIELDS = sorted({found for text in TEXTS.values() for found in FIELD.findall(text)})


@pytest.mark.parametrize(("field", "kind"), FIELDS)
def test_a_field_that_is_named_is_a_field_of_its_kind(field: str, kind: str) -> None:
    spec: dict = {}
    inner = spec
    for name in field.split("."):
        inner[name] = inner = {}
    manifest = {"apiVersion": "paquebot.dev/v1alpha1", "kind": kind, "metadata": {"name": "x", "namespace": "x"}}
    with pytest.raises(PolicyFaults) as raised:
        compile_policy([manifest | {"spec": spec}])
    known = [fault for fault in raised.value.faults if "not a known field" not in str(fault)]
    assert known
    assert len(known) == len(raised.value.faults), f"{kind} has no spec.{field}"


def test_a_command_that_is_named_is_there() -> None:
    named = {name for text in TEXTS.values() for name in COMMAND.findall(text)}
    assert named <= set(COMMANDS)
    steering = {name for text in TEXTS.values() for name in re.findall(r"`paquebot queue (\S+) ", text)}
    assert steering <= set(queue.commands)
    deciding = {name for text in TEXTS.values() for name in re.findall(r"`paquebot spam (\w+)", text)}
    assert deciding <= set(SPAM)


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_a_cure(cause: Cause) -> None:
    assert cure(delivery(), cause, QUIET).endswith(".")


def test_the_texts_are_those_of_the_situations() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert [name for name in TEXTS if f'"{name}"' not in tests] == []
