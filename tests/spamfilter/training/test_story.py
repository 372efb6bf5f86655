import re
from pathlib import Path

import pytest

from paquebot.spamfilter.names import WELL_KNOWN_WORDS
from paquebot.spamfilter.training.story import FOLDER, LABELS, As, StoryError, read, stories

FAMILIES_MIN = 8  # kinds of wanted mail in a language

GOOD = """
family = "parcel"
links = ["stranger"]

[[en]]
subject = ["Your parcel"]
forms = { html = 1 }
parts = [
  { as = "paragraph", say = ["It waits until {due}."], chance = 0.5 },
  { as = "rows", rows = [["Number", "{tracking}"]] },
  { as = "rows", say = ["Number: {tracking}"] },
  { as = "items", say = ["{product} — new — {amount}"], count = [1, 3] },
]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "spam" / "parcel.toml"
    path.parent.mkdir()
    path.write_text(text, "utf-8")
    return path


def test_a_story_has_what_it_says_and_the_defaults_of_its_family(tmp_path: Path) -> None:
    (story,) = read(written(tmp_path, GOOD))
    assert (story.label, story.family, story.language) == ("spam", "parcel", "en")
    assert story.links == ("stranger",)
    assert story.forms == {"html": 1}
    assert [part.kind for part in story.parts] == [As.PARAGRAPH, As.ROWS, As.ROWS, As.ITEMS]
    assert story.parts[1].rows == story.parts[2].rows
    assert story.parts[3].count == (1, 3)


@pytest.mark.parametrize(
    ("old", "new", "cure"),
    [
        ('family = "parcel"', 'family = "other"', 'write family = "parcel"'),
        ("[[en]]", "[en]", r"write \[\[en\]\]"),
        ("[[en]]", "[[tlh]]", "add tlh.toml there"),
        ('["stranger"]', '["elsewhere"]', "write a list of own"),
        ("{due}", "{deadline}", "no slot is called deadline: there are"),
        ("{due}", "[{due}", r"add \], or write"),
        ('"paragraph"', '"text"', "`as` is one of preheader"),
        ("chance = 0.5", "chance = 50", "write a number above 0"),
        ("count = [1, 3]", "count = [3, 1]", r"write \[least, most\]"),
        ('say = ["It waits until {due}."]', 'say = "It waits."', "a list with at least one text"),
        ('say = ["Number: {tracking}"]', 'say = ["Number"]', 'write "label: value"'),
        ("subject =", "topic =", "topic unknown"),
        ("parts = [", "parts = ", "is not TOML"),
    ],
)
def test_a_bad_story_is_refused_with_its_place_and_the_cure(tmp_path: Path, old: str, new: str, cure: str) -> None:
    assert old in GOOD
    with pytest.raises(StoryError, match=rf"^parcel.toml.*{cure}"):
        read(written(tmp_path, GOOD.replace(old, new)))


def test_every_story_can_be_read() -> None:
    files = [path for label in LABELS for path in (FOLDER / label).glob("*.toml")]
    assert {(story.label, story.family) for story in stories()} == {(path.parent.name, path.stem) for path in files}


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_every_kind_of_wanted_mail_is_told_in_the_languages_most_mail_is_in(language: str) -> None:
    assert {path.stem for path in (FOLDER / "ham").glob("*.toml")} == _families("ham", language)


def test_a_language_of_unwanted_mail_is_one_of_wanted_mail_too() -> None:
    """Else the language alone would tell: mail in it would be suspect to whoever learns from stories."""
    spoken = {story.language for story in stories() if story.label == "spam"}
    assert {language for language in spoken if len(_families("ham", language)) < FAMILIES_MIN} == set()


def _families(label: str, language: str) -> set[str]:
    return {story.family for story in stories() if (story.label, story.language) == (label, language)}


# Names that such mail borrows besides those the rules know, and ways to reach somebody: a story has slots for these.
BORROWED = re.compile(
    r"\b(western union|moneygram|viagra|cialis|rolex|interpol|europol|schufa|wechat|skype|gmail|outlook|iphone)\b"
    r"|微信|支付宝|楽天|佐川|ヤマト運輸"
)
REACHES = re.compile(r"https?://[^{\s]|[\w.]@[\w-]+\.\w|\b[\w-]{3,}\.(com|net|org|info|co\.uk)\b|\d{8}")


def test_no_story_names_a_real_company() -> None:
    named = {
        (path.name, word)
        for path in FOLDER.rglob("*.toml")
        for text in [path.read_text("utf-8").lower()]
        for word in {*(found[0] for found in BORROWED.finditer(text)), *filter(text.__contains__, WELL_KNOWN_WORDS)}
    }
    assert not named


def test_no_story_holds_an_address_or_a_number_to_call() -> None:
    held = {
        (path.name, found[0])
        for path in FOLDER.rglob("*.toml")
        for found in REACHES.finditer(path.read_text("utf-8").lower())
    }
    assert not held
