"""What exports call the columns of the feeds, in several languages: the words of `synonyms.yaml`, compared as names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

WORDS = Path(__file__).parent / "synonyms.yaml"

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NO_WORD = re.compile(r"[^a-z0-9]+")
_NOISE = {"utc", "gmt", "the", "de", "du", "la", "le", "des", "der", "die", "das"}


@dataclass(frozen=True)
class Match:
    """A source column that is called like a canonical one.

    Attributes:
        likeness: From 0 to 1; 1 for the canonical name itself.
        language: The language of the word.
    """

    likeness: float
    language: str


@dataclass(frozen=True)
class FeedWords:
    """The words of one feed.

    Attributes:
        nouns: What one row is called; left out of names of columns (`ticket_created_at`), with the language.
        names: What its files are called.
        columns: Canonical column → word → its place and language.
    """

    nouns: frozenset[str]
    names: Mapping[str, str]
    columns: Mapping[str, Mapping[str, Match]]


def normalised(name: str) -> str:
    """A name in small letters without accents, its words separated by underscores."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss").replace("°", " ").replace("º", " "))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return _NO_WORD.sub("_", _CAMEL.sub("_", plain).lower()).strip("_")


@cache
def feed_words() -> Mapping[str, FeedWords]:
    """The words of every feed."""
    document = _document()
    found = {}
    for feed, entry in document["feeds"].items():
        columns: dict[str, dict[str, Match]] = {}
        for name, words in (*document["shared"].items(), *entry["columns"].items()):
            columns.setdefault(name, {}).update(_matches(words, penalty=0.0 if name in entry["columns"] else 0.05))
        for name, words in document["shared"].items():
            for word, match in _matches(words, penalty=0.0).items():
                columns[name].setdefault(word, match)
        for name in columns:
            columns[name][name] = Match(1.0, "en")
        found[feed] = FeedWords(
            nouns=frozenset(noun for nouns in entry["nouns"].values() for noun in nouns),
            names={word: language for language, words in entry["names"].items() for word in words},
            columns=columns,
        )
    return found


def value_words(column: str) -> Mapping[str, str]:
    """What exports write for the allowed values of a closed column: normalised word → value."""
    words = _document()["values"].get(column, {})
    return {normalised(word): value for value, spellings in words.items() for word in (value, *spellings)}


def matches(feed: str, canonical: str, name: str) -> Match | None:
    """How a source column called `name` matches a canonical column; None where it does not."""
    words = feed_words()[feed]
    known = words.columns.get(canonical, {})
    plain = normalised(name)
    best: Match | None = None
    for variant, factor in _variants(plain, words.nouns):
        match = known.get(variant)
        if match is not None and (best is None or match.likeness * factor > best.likeness):
            best = Match(match.likeness * factor, match.language)
    return best


def file_language(feed: str, where: str) -> str | None:
    """The language in which a file's name speaks of the feed; None where it does not."""
    words = feed_words()[feed]
    name = re.sub(r"[0-9]+", " ", where.rsplit("/", 1)[-1].split(".")[0])
    plain = normalised(name)
    tokens = plain.split("_")
    for word, language in words.names.items():
        if word == plain or word in tokens or ("_" in word and word in plain):
            return language
    return None


def _variants(name: str, nouns: frozenset[str]) -> Iterator[tuple[str, float]]:
    """The name, and shorter forms of it with how much each counts."""
    yield name, 1.0
    tokens = name.split("_")
    quiet = [token for token in tokens if token not in _NOISE]
    if quiet != tokens:
        yield "_".join(quiet), 0.97
    joined = "".join(tokens)
    yield joined, 0.95
    bare = [token for token in quiet if token not in nouns and token.rstrip("s") not in nouns]
    if bare and bare != quiet:
        yield "_".join(bare), 0.9


def _matches(words: Mapping[str, list[str]], penalty: float) -> dict[str, Match]:
    found: dict[str, Match] = {}
    for language, spellings in words.items():
        for place, word in enumerate(spellings):
            found.setdefault(word, Match(max(0.5, 0.98 - 0.01 * place - penalty), language))
    return found


@cache
def _document() -> dict:
    return yaml.load(WORDS.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
