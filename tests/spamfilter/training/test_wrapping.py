import email
import email.policy
import io
import random
import zipfile

import pytest

from paquebot.spamfilter.training.place import languages, place
from paquebot.spamfilter.training.wrapping import Entity, charset_for, file_part, multipart, text_part

LONG = "Grüße aus Köln — 7 €\n" + "x" * 1500 + "\n.\nFrom here\n"


def content_of(entity: Entity) -> str:
    return email.message_from_bytes(entity.octets, policy=email.policy.default).get_content()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("text", [LONG, "short\n", "Grüße\n"])
def test_a_text_comes_out_as_it_went_in_and_its_lines_are_short(text: str, seed: int) -> None:
    entity = text_part("plain", text, "utf-8", random.Random(seed))
    assert content_of(entity).split() == text.split()
    assert max(map(len, entity.octets.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("name", ["a.pdf", "b.docx", "c.ics", "d.png", "e.svg", "f.eml", "g.html", "請求書.xlsx", "h"])
def test_attachments_are_what_their_names_say(name: str) -> None:
    part = email.message_from_bytes(file_part(name, "https://x.example/", random.Random(3)).octets)
    assert part.get_content_disposition() == "attachment"
    assert not part.defects


def test_an_archive_can_be_opened() -> None:
    part = email.message_from_bytes(file_part("papers.zip", "", random.Random(3)).octets)
    octets = part.get_payload(decode=True)
    assert zipfile.ZipFile(io.BytesIO(octets)).namelist() == ["papers.pdf"]


def test_one_part_stays_alone_and_two_have_a_boundary() -> None:
    rng = random.Random(1)
    one, two = (text_part("plain", text, "utf-8", rng) for text in ("one\n", "two\n"))
    assert multipart("mixed", [one], rng) is one
    both = email.message_from_bytes(multipart("mixed", [one, two], rng).octets)
    assert [part.get_payload(decode=True).strip() for part in both.get_payload()] == [b"one", b"two"]


@pytest.mark.parametrize("language", sorted(languages()))
def test_every_charset_of_a_language_is_known_and_takes_its_months_or_gives_way(language: str) -> None:
    stock = place(language)
    text = " ".join(stock.months)
    for seed in range(20):
        text.encode(charset_for(text, stock, random.Random(seed)))
    assert all("a".encode(charset) for charset in stock.charsets)
