import pytest

from app_notifications.sms import fits, one_sms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a" * 160, True),
        ("a" * 161, False),
        ("€" * 80, True),  # twice one of the extension table
        ("€" * 81, False),
        ("a" * 159 + "[", False),
        ("é" * 160, True),
        ("김" * 70, True),
        ("김" * 71, False),
        ("a" * 69 + "김", True),
        ("a" * 70 + "김", False),
        ("😀" * 35, True),  # two UTF-16 units each
        ("😀" * 36, False),
        ("`" * 71, False),  # ASCII, but in no GSM table
        ("", True),
    ],
)
def test_one_sms_holds_160_characters_of_gsm_or_70_of_ucs2(text, expected):
    assert fits(text) is expected


@pytest.mark.parametrize("letter", ["a", "€", "김", "😀", "`"])
def test_a_longer_text_is_cut_with_a_mark_so_that_it_just_fits(letter):
    text = one_sms(letter * 300)

    assert text.endswith("...")
    assert fits(text)
    assert not fits(text + letter)


def test_a_text_is_put_on_one_line():
    assert one_sms("Payment\n of  KRW 1\n") == "Payment of KRW 1"
