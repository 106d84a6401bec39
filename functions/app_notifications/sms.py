"""Text that fits into one SMS.

140 octets hold 160 characters of the GSM 7-bit alphabet, those of its extension table counting twice, or, as soon as one character
is in neither, 70 UTF-16 code units. A longer text is sent, and paid, as several.
https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html
"""

LONGEST_GSM = 160
LONGEST_UCS2 = 70
CUT = "..."

# 3GPP TS 23.038, 6.2.1: the default alphabet, without its escape character, and the extension table.
GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = frozenset("\f^{}\\[~]|€")


def fits(text: str) -> bool:
    """Whether the text goes into one SMS."""
    if GSM.union(GSM_EXTENSION).issuperset(text):
        return len(text) + sum(character in GSM_EXTENSION for character in text) <= LONGEST_GSM
    return len(text.encode("utf-16-le", errors="replace")) // 2 <= LONGEST_UCS2


def one_sms(text: str) -> str:
    """The text on one line, cut with a mark when one SMS does not hold it."""
    line = " ".join(text.split())
    if fits(line):
        return line
    while not fits(line + CUT):
        line = line[:-1]
    return line + CUT
