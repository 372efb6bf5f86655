from pathlib import Path

import pytest

from paquebot.spamfilter.training.material import Ask, composed, files_of, material
from paquebot.spamfilter.training.refusal import TrainingRefused


def test_a_folder_without_labelled_mail_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingRefused, match="jsonl"):
        files_of(tmp_path)


def test_composed_mail_is_a_source_for_each_family() -> None:
    found = list(composed(Ask(seed=2, of_each_label=20)))
    assert {each.spam for each in found} == {True, False}
    assert all(each.source.startswith(f"stories-{'spam' if each.spam else 'ham'}-") for each in found)


def test_a_family_can_be_left_out_and_a_wrong_one_is_refused() -> None:
    without = list(composed(Ask(2, 40, frozenset({"mailbox_full"}))))
    assert not any("mailbox_full" in each.source for each in without)
    with pytest.raises(TrainingRefused, match=r"known: .*mailbox_full"):
        list(composed(Ask(2, 40, frozenset({"mailbox_fool"}))))


def test_files_come_first_and_progress_is_told() -> None:
    heard: list[str] = []
    assert len(list(material([], Ask(1, 510), heard.append))) == 1_020
    assert heard == ["1000 messages read"]
