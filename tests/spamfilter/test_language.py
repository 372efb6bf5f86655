import pytest

from paquebot.spamfilter.alphabet import letters
from paquebot.spamfilter.language import OTHER, SHORT, language


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The parcel is on its way to you and will be with you on Monday", "en"),
        ("Ihre Sendung ist unterwegs und wird am Montag bei Ihnen sein", "de"),
        ("Votre colis est en route et sera livré chez vous lundi", "fr"),
        ("Su paquete está en camino y llegará el lunes a su casa", "es"),
        ("O seu pacote está a caminho e não chega antes de segunda", "pt"),
        ("Uw pakket is onderweg en wordt maandag bij u bezorgd", "nl"),
        ("您的包裹正在路上，预计星期一送达您的地址，请注意查收", "zh"),  # noqa: RUF001
        ("お荷物は月曜日にお届けする予定です。よろしくお願いいたします。", "ja"),
        ("Ваша посылка уже в пути и будет доставлена в понедельник", "cyrillic"),
        ("طردك في الطريق وسيصل يوم الاثنين إلى عنوانك", "arabic"),
        ("Hi", SHORT),
        (" ".join(f"zq{chr(97 + i)}x" for i in range(26)), OTHER),
    ],
)
def test_languages_are_told_apart(text: str, expected: str) -> None:
    assert language(text, letters(text).points) == expected
