import email
import email.policy
import hashlib
import os
import random
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from itertools import chain

from paquebot.mail.mime import walk
from paquebot.spamfilter.facts import LIMITS
from paquebot.spamfilter.training.composer import Composed, compose, sample, stories
from paquebot.spamfilter.training.story import LAYOUTS, LINKS, Story, read

NOW_S = 1_780_000_000
KEPT_FOR_EXAMPLES = (".example", ".test", ".invalid")


def composed(story: Story, seed: int = 1) -> Composed:
    return compose(story, random.Random(seed), NOW_S)


def faults_of(content: bytes) -> list[object]:
    message = email.message_from_bytes(content, policy=email.policy.compat32)
    defects = list(chain.from_iterable(part.defects for part in message.walk()))
    return [*defects, *walk(content, LIMITS).faults]


def test_every_story_becomes_a_message_without_a_fault() -> None:
    for story in stories():
        content = composed(story).content
        assert not faults_of(content), (story.family, story.language)
        assert max(map(len, content.split(b"\r\n"))) <= 998, (story.family, story.language)
        assert content.replace(b"\r\n", b"").count(b"\n") == 0, (story.family, story.language)
        assert b"{" not in content.partition(b"\r\n\r\n")[0], (story.family, story.language)


def test_one_story_has_many_faces() -> None:
    story = stories()[0]
    assert len({composed(story, seed).content for seed in range(50)}) == 50


def test_the_label_changes_nothing_in_a_message() -> None:
    for story in stories()[::7]:
        other = replace(story, label="ham" if story.label == "spam" else "spam")
        assert composed(story, 5).content == composed(other, 5).content


def test_every_layout_and_every_way_of_linking_composes() -> None:
    story = replace(stories()[0], forms={"html": 1.0})
    for layout in LAYOUTS:
        for seed in range(12):
            each = replace(story, layouts=(layout,), links=(LINKS[seed % len(LINKS)],))
            content = composed(each, seed).content
            assert not faults_of(content)
            html = email.message_from_bytes(content).get_payload(decode=True)
            assert not re.search(rb"\$\{?[a-z_]", html), layout


def test_recipients_are_in_domains_that_nobody_has() -> None:
    for story in stories()[::5]:
        to = email.message_from_bytes(composed(story).content)["To"]
        assert to.rstrip(">").endswith(KEPT_FOR_EXAMPLES) or to == "undisclosed-recipients:;"


def test_the_same_seed_gives_the_same_octets_in_another_process() -> None:
    program = (
        "import hashlib; from paquebot.spamfilter.training.composer import sample;"
        "print(hashlib.sha256(b''.join(c.content for c in sample(7, {'spam': 40, 'ham': 40}))).hexdigest())"
    )
    elsewhere = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        env=os.environ | {"PYTHONHASHSEED": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
    ).stdout.decode()
    here = hashlib.sha256(b"".join(each.content for each in sample(7, {"spam": 40, "ham": 40}))).hexdigest()
    assert elsewhere.strip() == here


def test_a_sample_has_so_many_of_each_label_and_the_languages_of_both() -> None:
    one = replace(stories()[0], language="en", label="spam", family="a")
    known = [
        one,
        replace(one, family="b"),
        replace(one, language="de"),
        replace(one, label="ham"),
        replace(one, label="ham", language="de"),
        replace(one, language="fr"),  # French for one label alone would tell the label
    ]
    drawn = list(sample(3, {"spam": 120, "ham": 80}, known))
    assert Counter(each.label for each in drawn) == {"spam": 120, "ham": 80}
    for label, count in (("spam", 120), ("ham", 80)):
        languages = Counter(each.language for each in drawn if each.label == label)
        assert set(languages) == {"en", "de"}
        assert min(languages.values()) > count / 4
    families = Counter(each.family for each in drawn if each.label == "spam" and each.language == "en")
    assert min(families.values()) > 15


def test_stories_are_read_from_the_folders_of_labels(tmp_path) -> None:
    (tmp_path / "ham").mkdir()
    path = tmp_path / "ham" / "note.toml"
    path.write_text('family = "note"\n[[en]]\nsubject = ["Hi"]\nparts = [{ as = "paragraph", say = ["Lunch?"] }]\n')
    (story,) = read(path)
    message = composed(story)
    assert (message.label, message.family, message.language) == ("ham", "note", "en")
    assert b"Subject: Hi\r\n" in message.content
