"""Texts as words: without accents and case, with what emoji, capitals and negations say kept as words of their own."""

from __future__ import annotations

import re
import unicodedata

BREAK = "."
"""Stands for the end of a clause among words."""

SHORTEST_STEM = 3
"""Letters that a stem of a rule has at least."""

_WORD_OR_BREAK = re.compile(r"[a-z0-9]+|[.,;:!?()\n…]+")
_REPEATED = re.compile(r"([a-z])\1{2,}")
_CAPITALS = re.compile(r"\b[^\W\d_]{4,}\b")
_POSITIVE = frozenset("😀😃😄😁😆😊🙂😉😍🥰😘🤩😎👍👏🙏💪🎉❤💖💙💚⭐🌟✨💯🔥🥳😻🤗✅")
_NEGATIVE = frozenset("😞😟😠😡🤬😢😭😤😩😫😖😣☹🙁😒😕👎💔😱🤮🤢😑🙄😾❌😔😓")
_SMILES = re.compile(r"(?<!\w)[:;=]-?[)D](?!\w)|\^\^|<3")
_FROWNS = re.compile(r"(?<!\w)[:=]'?-?[(/](?!\w)")
_LIGATURES = str.maketrans({"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "ß": "ss"})
_BOMBS = re.compile(r"!!+|!\s+!")

_NEGATORS = frozenset({"pas", "jamais", "aucun", "aucune", "sans", "ni", "not", "no", "never", "without", "cannot",
                       "nor", "hardly", "barely", "rien", "nothing"})  # fmt: skip
_ENGLISH_STEMS = frozenset({"don", "doesn", "didn", "isn", "aren", "wasn", "weren", "won", "wouldn", "couldn", "can",
                            "hasn", "haven", "hadn", "shouldn", "ain"})  # fmt: skip
_SCOPE = 3


def folded(text: str) -> str:
    """The text in lower case and without accents."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.translate(_LIGATURES).lower())
    return "".join(char for char in parts if not unicodedata.combining(char))


def words_and_breaks(text: str) -> list[str]:
    """The words of a text in order, folded, with `BREAK` where a clause ends."""
    found = _WORD_OR_BREAK.findall(folded(text))
    return [BREAK if not word[0].isalnum() else word for word in found]


def words(text: str) -> list[str]:
    """The words of a text in order, folded."""
    return [word for word in words_and_breaks(text) if word != BREAK]


def phrase_words(phrase: str) -> tuple[str, ...]:
    """The words of a phrase of the rules; a word that ends in `*` is a stem.

    Raises:
        ValueError: There is no word in it, or a stem is shorter than three letters.
    """
    parts: list[str] = []
    for piece in folded(phrase).split():
        found = words(piece)
        if piece.endswith("*") and found:
            if len(found[-1]) < SHORTEST_STEM:
                raise ValueError(f"a stem has at least {SHORTEST_STEM} letters before *")
            found[-1] += "*"
        parts += found
    if not parts:
        raise ValueError("a phrase has at least one word")
    return tuple(parts)


def sentiment_words(text: str) -> list[str]:
    """Words that tell a mood: those within the reach of a negation are marked, emoji and emphasis become words."""
    marked: list[str] = []
    reach = 0
    found = words_and_breaks(_REPEATED.sub(r"\1\1", folded(text)))
    for place, word in enumerate(found):
        if word == BREAK:
            reach = 0
            continue
        marked.append(f"not_{word}" if reach else word)
        reach = max(0, reach - 1)
        if _negates(found, place):
            reach = _SCOPE
    return marked + _signs(text)


def _negates(found: list[str], place: int) -> bool:
    word = found[place]
    if word == "plus":
        # "plus rapide" is more, "n'est plus rapide" and "plus de place" are less.
        return any(other in ("n", "ne") for other in found[max(0, place - 3) : place])
    if word == "t":
        return place > 0 and found[place - 1] in _ENGLISH_STEMS
    return word in _NEGATORS


def _signs(text: str) -> list[str]:
    signs = []
    if not text.isascii():
        signs += ["zz_glad"] * sum(char in _POSITIVE for char in text)
        signs += ["zz_cross"] * sum(char in _NEGATIVE for char in text)
    if _SMILES.search(text):
        signs.append("zz_glad")
    if _FROWNS.search(text):
        signs.append("zz_cross")
    if _BOMBS.search(text):
        signs.append("zz_loud")
    if sum(word.isupper() for word in _CAPITALS.findall(text)) >= 1 and not text.isupper():
        signs.append("zz_capitals")
    if "?" in text:
        signs.append("zz_asks")
    return signs
