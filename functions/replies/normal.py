"""Texts in the one form in which they are compared: without case, accents, typographic quotes and invisible letters."""

import unicodedata

_SAME = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "`": "'",
        "´": "'",
        "ʼ": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "«": '"',
        "»": '"',
        "\t": " ",
        "\r": " ",
        "\xa0": " ",
        "\u202f": " ",
        "\u3000": " ",
        "ß": "ss",
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ı": "i",
        "أ": "ا",
        "إ": "ا",
        "آ": "ا",
        "ى": "ي",
        "ة": "ه",
        "ـ": None,
    }
)
_VOICED = "\u3099\u309a"
"""Marks that make another letter of a kana; without them it would be another word."""
_SKIN_TONES = range(0x1F3FB, 0x1F400)


def normal(text: str) -> str:
    """The text to compare; the same number of lines, about the same number of letters."""
    if text.isascii():
        return text.translate(_SAME).casefold()
    # Spread first: some capitals are letters only after that.
    spread = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).translate(_SAME).casefold())
    kept = "".join(letter for letter in spread if _counts(letter))
    return unicodedata.normalize("NFC", kept).translate(_SAME)


def _counts(letter: str) -> bool:
    if letter in _VOICED or letter == "\n":
        return True
    return unicodedata.category(letter) not in {"Mn", "Cf", "Cc", "Cs"} and ord(letter) not in _SKIN_TONES
