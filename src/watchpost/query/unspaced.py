"""Still: what keeps a term in a script without spaces from being found inside longer names.

Chinese and Japanese names have no space around them, so a term is found wherever its characters stand: 马里 (Mali)
in 马里乌波尔 (Mariupol), マリ in ソマリア (Somalia). Two rules take the worst of that away from bare terms:

- A katakana term of fewer than four characters stands alone: no katakana touches it. Foreign names are written in
  katakana, and what surrounds them mostly is not.
- A term of `LONGER` is not found inside the names listed with it: names and words with another meaning, which
  alphabets write as another word.

A phrase is taken as it is: "马里" finds the characters anywhere. For all other names there is UNLESS.
"""

from __future__ import annotations

from functools import lru_cache

from watchpost.query.words import Step, steps

SHORT_KATAKANA = 4
"""From this many characters on, a katakana term may be a part of a longer word."""

LONGER: dict[str, str] = {
    # Mali: Somalia, Mariupol and Marius, Maryland, Mario, Mariana, Marion, Maribor, Camari
    "马里": "索马里 马里乌 马里兰 马里奥 马里亚 马里昂 马里博尔 卡马里",
    "馬里": "索馬里 馬里烏 馬里蘭 馬里奧 馬里亞 馬里昂 馬里博爾 卡馬里",
    # Gao: to take part in the Olympics
    "加奥": "参加奥",
    "加奧": "參加奧",
    # Haiti: the Shanghai region, coasts and seas as places
    "海地": "上海地 海地区 海地區 海地理 北海地 南海地 东海地 東海地 沿海地",
    # India: the Indian Ocean, Indonesia, Indochina
    "印度": "印度洋 印度尼西亚 印度尼西亞 印度支那",
    # Oman: Amanda, Amanpour
    "阿曼": "阿曼达 阿曼達 阿曼普尔",
}


def stands_alone(asked: tuple[Step, ...]) -> bool:
    """Whether a term of these steps is so short a katakana word that it must not touch other katakana."""
    return len(asked) < SHORT_KATAKANA and all(step.folded and is_kana(step.folded) for step in asked)


def is_kana(folded: str) -> bool:
    """Whether a folded word of one character is katakana or its long mark; "" is not."""
    return len(folded) == 1 and ("ァ" <= folded <= "ヺ" or folded == "ー")


@lru_cache(maxsize=1_000)
def longer_names(asked: tuple[Step, ...]) -> tuple[tuple[Step, ...], ...]:
    """The steps of the names that a term of these steps is not found in."""
    names = LONGER.get("".join(step.folded for step in asked), "")
    return tuple(steps(name) for name in names.split())
