"""Causes by rules that a business edits: phrases that tell a cause in a text, and exact reasons of an export."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from retention_pipeline.plain_yaml import load_plain
from retention_pipeline.voice.normalising import BREAK, SHORTEST_STEM, phrase_words, words_and_breaks
from retention_pipeline.voice.taxonomy import CAUSES, UNKNOWN
from retention_pipeline.workspace.voice_settings import VoiceSettings

SHIPPED = Path(__file__).with_name("causes.yaml")
_NEGATORS = frozenset({"pas", "jamais", "aucun", "aucune", "not", "never", "no", "sans", "without", "isn", "aren",
                       "wasn", "weren"})  # fmt: skip
_REACH = 3


@dataclass
class _Node:
    """A place within phrases: what may follow, and the cause of the phrase that ends here."""

    following: dict[str, _Node] = field(default_factory=dict)
    cause: str | None = None
    words: int = 0
    letters: int = 0
    negates: bool = False


@dataclass(frozen=True)
class CauseRules:
    """The rules in force: those that ship, with those of the business over them.

    Attributes:
        phrases: Phrase as words (a stem ends in `*`) → cause; `unknown` takes a shipped phrase out of force.
        reasons: Reason of an export, trimmed and in lower case → cause.
    """

    phrases: Mapping[tuple[str, ...], str]
    reasons: Mapping[str, str]

    def matcher(self) -> PhraseMatcher:
        """Finds the phrases in texts."""
        return PhraseMatcher(self.phrases)

    def cause_of_reason(self, reason: str) -> str | None:
        """The cause of an exact reason; None where no rule names it."""
        return self.reasons.get(_plain(reason))


class PhraseMatcher:
    """Finds phrases as whole words, without regard to accents and case.

    The longest phrase wins (words, then letters), then the first in the text. A phrase right after a negation in the
    same clause ("pas trop cher") tells nothing, unless it begins with a negation itself.
    """

    def __init__(self, phrases: Mapping[tuple[str, ...], str]) -> None:
        self._root = _Node()
        for phrase, cause in sorted(phrases.items()):
            if cause != UNKNOWN:
                self._add(phrase, cause)

    def _add(self, phrase: tuple[str, ...], cause: str) -> None:
        node = self._root
        for word in phrase:
            node = node.following.setdefault(word, _Node())
        node.cause = cause
        node.words, node.letters = len(phrase), sum(map(len, phrase))
        node.negates = phrase[0] in _NEGATORS | {"n", "ne"} or "t" in phrase[:2]

    def cause(self, text: str) -> str | None:
        """The cause that a text tells by a rule; None where it tells none."""
        found = words_and_breaks(text)
        best: tuple[int, int, int] = (0, 0, 0)
        cause: str | None = None
        for place in range(len(found)):
            for node in self._ends(found, place):
                rank = (node.words, node.letters, -place)
                if rank > best and (node.negates or not _is_negated(found, place)):
                    best, cause = rank, node.cause
        return cause

    def _ends(self, found: list[str], place: int) -> list[_Node]:
        nodes, ended = [self._root], []
        while nodes and place < len(found):
            word = found[place]
            keys = [word, *(f"{word[:length]}*" for length in range(SHORTEST_STEM, len(word) + 1))]
            nodes = [node.following[key] for node in nodes for key in keys if key in node.following]
            ended += [node for node in nodes if node.cause is not None]
            place += 1
        return ended


def _is_negated(found: list[str], place: int) -> bool:
    for word in reversed(found[max(0, place - _REACH) : place]):
        if word == BREAK:
            return False
        if word in _NEGATORS:
            return True
    return False


def cause_rules(settings: VoiceSettings) -> CauseRules:
    """The rules that hold for a business."""
    shipped_phrases, shipped_reasons = _shipped()
    own = {phrase_words(phrase): cause for cause, phrases in settings.causes.items() for phrase in phrases}
    reasons = {_plain(reason): cause for reason, cause in settings.reasons.items()}
    return CauseRules({**shipped_phrases, **own}, {**shipped_reasons, **reasons})


def _plain(reason: str) -> str:
    return reason.strip().lower()


@lru_cache(maxsize=1)
def _shipped() -> tuple[dict[tuple[str, ...], str], dict[str, str]]:
    content: dict[str, Any] = load_plain(SHIPPED.read_text(encoding="utf-8"))
    phrases = _phrases(content["causes"].items())
    reasons = {_plain(str(reason)): str(cause) for reason, cause in content["reasons"].items()}
    unknown = ({*phrases.values()} | {*reasons.values()}) - {*CAUSES}
    if unknown:
        raise ValueError(f"{SHIPPED.name}: no such cause: {', '.join(sorted(unknown))}")
    return phrases, reasons


def _phrases(by_cause: Iterable[tuple[str, list[str]]]) -> dict[tuple[str, ...], str]:
    found: dict[tuple[str, ...], str] = {}
    for cause, phrases in by_cause:
        for phrase in phrases:
            key = phrase_words(str(phrase))
            if found.setdefault(key, cause) != cause:
                raise ValueError(f"{SHIPPED.name}: {phrase!r} stands under two causes")
    return found
