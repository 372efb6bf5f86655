import json
from pathlib import Path

import pytest

from model_fixtures import composed, write_small_model
from paquebot.spamfilter.content import Model
from paquebot.spamfilter.training.refusal import TrainingRefused
from paquebot.spamfilter.training.scoring import answers_of


def test_all_messages_or_those_kept_from_training_are_judged(tmp_path: Path) -> None:
    write_small_model(tmp_path / "model.npz")
    model = Model.load(tmp_path / "model.npz")
    mail = tmp_path / "mail.jsonl"
    lines = [
        {"id": each.ident, "label": "spam", "source": "a", "split": split, "raw": each.content.decode("latin-1")}
        for each, split in zip(composed(5, 2), ("val", "train", "train", "val"), strict=True)
    ]
    mail.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert answers_of(model, [mail]).spam.tolist() == [True] * 4
    assert len(answers_of(model, [mail], "val").logits) == 2
    mail.write_text("")
    with pytest.raises(TrainingRefused, match="no message"):
        answers_of(model, [mail])
