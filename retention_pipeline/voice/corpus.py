"""The sentences from which the classifier learns and those on which it is tested, with their labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from retention_pipeline.voice.normalising import words
from retention_pipeline.voice.taxonomy import ENGLISH, FRENCH, LANGUAGES, NEGATIVE, NEUTRAL, POSITIVE, THEMES

FOLDER = Path(__file__).with_name("corpus")
TRAINING = (FOLDER / "fr.txt", FOLDER / "en.txt")
HELD_OUT = FOLDER / "held_out.txt"
OTHER_LANGUAGES = FOLDER / "other_languages.txt"

_SENTIMENT = {"-": NEGATIVE, "0": NEUTRAL, "+": POSITIVE}
BOTH = "both"
"""Stands for a word that both languages have."""

_NEAR = 0.6
"""Sentences that share so many of their words are near-duplicates (Jaccard index)."""


@dataclass(frozen=True)
class Sentence:
    """A labelled sentence.

    Attributes:
        text: What it says.
        language: `fr` or `en`.
        theme: A cause, `praise`, `question` or `other`.
        sentiment: `negative`, `neutral` or `positive`.
    """

    text: str
    language: str
    theme: str
    sentiment: str


def training_sentences() -> list[Sentence]:
    """The sentences from which the classifier learns."""
    return [sentence for path in TRAINING for sentence in _read(path, path.stem)]


def held_out_sentences() -> list[Sentence]:
    """Sentences that nothing is learned from."""
    return list(_read(HELD_OUT, ""))


def foreign_sentences() -> list[str]:
    """Sentences that are neither French nor English."""
    lines = OTHER_LANGUAGES.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _read(path: Path, language: str) -> Iterator[Sentence]:
    theme = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        if line.startswith("== "):
            *spoken, theme = line[3:].split()
            language = spoken[0] if spoken else language
            if theme not in THEMES or language not in LANGUAGES:
                raise ValueError(f"{path.name}:{number}: no such theme or language")
            continue
        mark, _, text = line.partition(" ")
        if mark not in _SENTIMENT or not text:
            raise ValueError(f"{path.name}:{number}: a sentence begins with -, 0 or +")
        yield Sentence(text, language, theme, _SENTIMENT[mark])


def vocabulary(sentences: Iterable[Sentence]) -> dict[str, str]:
    """Word → the language whose sentences have it, or `BOTH`."""
    seen: dict[str, set[str]] = {}
    for sentence in sentences:
        for word in words(sentence.text):
            if len(word) > 2 and not re.fullmatch(r"\d+", word):
                seen.setdefault(word, set()).add(sentence.language)
    return {word: languages.pop() if len(languages) == 1 else BOTH for word, languages in sorted(seen.items())}


def groups(sentences: list[Sentence]) -> list[int]:
    """A number for each sentence; near-duplicates have the same, so that a split never parts them."""
    bags = [frozenset(words(sentence.text)) for sentence in sentences]
    parent = list(range(len(sentences)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    by_word: dict[str, list[int]] = {}
    for place, bag in enumerate(bags):
        shared: dict[int, int] = {}
        for word in bag:
            for other in by_word.setdefault(word, []):
                shared[other] = shared.get(other, 0) + 1
            by_word[word].append(place)
        for other, common in shared.items():
            if common >= _NEAR * len(bag | bags[other]):
                parent[root(place)] = root(other)
    return [root(place) for place in range(len(sentences))]


assert {FRENCH, ENGLISH} == {path.stem for path in TRAINING}  # noqa: S101 -- the files are named after their language
