"""Pure: the names and three-letter codes of languages, for documents that have no language tag (BCP 47).

Codes: ISO 639-2, both its bibliographic and its terminological ones (https://www.loc.gov/standards/iso639-2/).
"""

from __future__ import annotations

_NAMES = (
    "en eng english anglais englisch inglés", "fr fra fre french français francais französisch",
    "de deu ger german deutsch allemand", "es spa spanish español espanol castellano espagnol",
    "pt por portuguese português portugues", "it ita italian italiano", "nl nld dut dutch nederlands",
    "ru rus russian русский russe", "uk ukr ukrainian українська", "be bel belarusian", "pl pol polish polski",
    "cs ces cze czech čeština", "sk slk slo slovak", "hu hun hungarian magyar", "ro ron rum romanian română",
    "bg bul bulgarian български", "sr srp serbian српски srpski", "hr hrv croatian hrvatski", "bs bos bosnian",
    "sl slv slovenian slovene", "mk mkd mac macedonian", "sq sqi alb albanian", "el ell gre greek ελληνικά",
    "tr tur turkish türkçe", "ar ara arabic العربية arabe", "fa fas per persian farsi فارسی", "he heb hebrew עברית",
    "ur urd urdu اردو", "ps pus pashto", "ku kur kurdish", "hi hin hindi हिन्दी", "bn ben bengali বাংলা", "ta tam tamil",
    "te tel telugu", "ml mal malayalam", "mr mar marathi", "gu guj gujarati", "pa pan punjabi", "ne nep nepali",
    "si sin sinhala", "my mya bur burmese", "th tha thai ไทย", "km khm khmer", "lo lao", "vi vie vietnamese",
    "id ind indonesian", "ms msa may malay", "tl tgl tagalog filipino", "zh zho chi chinese 中文 mandarin",
    "ja jpn japanese 日本語", "ko kor korean 한국어", "mn mon mongolian", "kk kaz kazakh", "uz uzb uzbek",
    "az aze azerbaijani",
    "ka kat geo georgian", "hy hye arm armenian", "sv swe swedish svenska", "no nor norwegian norsk",
    "da dan danish dansk",
    "fi fin finnish suomi", "et est estonian", "lv lav latvian", "lt lit lithuanian", "is isl ice icelandic",
    "ga gle irish", "cy cym wel welsh", "ca cat catalan català", "eu eus baq basque", "gl glg galician",
    "sw swa swahili kiswahili", "ha hau hausa", "am amh amharic", "so som somali", "yo yor yoruba", "ig ibo igbo",
    "zu zul zulu", "af afr afrikaans", "wo wol wolof", "bm bam bambara", "ff ful fula fulfulde",
)  # fmt: skip
_TAGS = {name: line.split()[0] for line in _NAMES for name in line.split()[1:]}


def tag_of(name: str) -> str:
    """The language's tag, of two letters; "" if the name, in lower case, is not known."""
    return _TAGS.get(name, "")
