"""Theme and sentiment of a text by two logistic regressions over its words and its groups of letters.

Fitted on the corpus that ships, in two seconds, and kept as arrays of numbers (`npz`, read without pickle) under the
digest of all that it was made from.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from retention_pipeline.voice.corpus import Sentence
from retention_pipeline.voice.normalising import folded, sentiment_words, words
from retention_pipeline.voice.taxonomy import NEGATIVE, POSITIVE

_DIGITS = 5
"""Coefficients are kept to so many decimals, so that a model read from its file labels as the one just fitted."""

Floats = NDArray[np.float64]

_WORDS: Mapping[str, Callable[[str], list[str]]] = {"words": words, "moods": sentiment_words}
_LETTERS = "letters"
_PARTS = (*_WORDS, _LETTERS)
"""Kinds of features: words, words with the reach of negations and with emoji, groups of 3 to 5 letters of a word."""


@dataclass(frozen=True)
class _Recipe:
    """How a head is fitted: the kinds of features that it looks at, and the inverse of its penalty."""

    parts: tuple[str, ...]
    inverse_penalty: float


_RECIPES = {"theme": _Recipe(("words", _LETTERS), 10.0), "sentiment": _Recipe(("moods", _LETTERS), 3.0)}


def _vectorizer(part: str, features: Sequence[str] | None = None) -> TfidfVectorizer:
    """Counts the features of one kind; those in `features` where they are given."""
    vocabulary = None if features is None else {feature: column for column, feature in enumerate(features)}
    options: dict[str, Any] = {"sublinear_tf": True, "vocabulary": vocabulary}
    if part == _LETTERS:
        return TfidfVectorizer(analyzer="char_wb", preprocessor=folded, ngram_range=(3, 5), min_df=2, **options)
    return TfidfVectorizer(
        tokenizer=_WORDS[part], token_pattern=None, lowercase=False, ngram_range=(1, 2), **options
    )  # fmt: skip


@dataclass(frozen=True)
class _Head:
    """A logistic regression: its classes, a row of weights for each, and their offsets."""

    classes: tuple[str, ...]
    weights: Floats
    offsets: Floats

    def probabilities(self, features: Any) -> Floats:
        """A row for each text, a column for each class."""
        totals = features @ self.weights.T + self.offsets
        likely = np.exp(totals - totals.max(axis=1, keepdims=True))
        shares: Floats = likely / likely.sum(axis=1, keepdims=True)
        return shares


@dataclass(frozen=True)
class Guesses:
    """What the classifier thinks of some texts, in their order.

    Attributes:
        themes: The likeliest theme of each.
        confidences: Its probability.
        sentiments: The likeliest sentiment of each.
        scores: Probability of positive minus that of negative, from -1 to 1.
    """

    themes: list[str]
    confidences: Floats
    sentiments: list[str]
    scores: Floats


class TextClassifier:
    """Tells theme and sentiment of French and English texts."""

    def __init__(self, vectorizers: Mapping[str, TfidfVectorizer], heads: Mapping[str, _Head]) -> None:
        self._vectorizers, self._heads = vectorizers, heads

    @classmethod
    def fit(cls, sentences: Sequence[Sentence]) -> TextClassifier:
        """Learn from labelled sentences."""
        from scipy.sparse import hstack

        texts = [sentence.text for sentence in sentences]
        vectorizers = {part: _vectorizer(part) for part in _PARTS}
        features = {part: vectorizer.fit_transform(texts) for part, vectorizer in vectorizers.items()}
        heads = {}
        for name, recipe in _RECIPES.items():
            labels = [getattr(sentence, name) for sentence in sentences]
            model = LogisticRegression(C=recipe.inverse_penalty, class_weight="balanced", max_iter=200, tol=3e-4)
            with threadpool_limits(1):
                model.fit(hstack([features[part] for part in recipe.parts]).tocsr(), labels)
            heads[name] = _Head(
                tuple(str(label) for label in model.classes_),
                np.round(model.coef_, _DIGITS),
                np.round(model.intercept_, _DIGITS),
            )
        return cls(vectorizers, heads)

    def guess(self, texts: Sequence[str]) -> Guesses:
        """Theme and sentiment of each text."""
        from scipy.sparse import hstack

        features = {part: vectorizer.transform(texts) for part, vectorizer in self._vectorizers.items()}
        themes, sentiments = (
            self._heads[name].probabilities(hstack([features[part] for part in recipe.parts]).tocsr())
            for name, recipe in _RECIPES.items()
        )
        of, moods = self._heads["theme"].classes, self._heads["sentiment"].classes
        return Guesses(
            [of[place] for place in themes.argmax(axis=1)],
            themes.max(axis=1),
            [moods[place] for place in sentiments.argmax(axis=1)],
            sentiments[:, moods.index(POSITIVE)] - sentiments[:, moods.index(NEGATIVE)],
        )

    def save(self, path: Path) -> None:
        """Write it as arrays of numbers: aside, then renamed."""
        named = {
            "features": {
                part: list(vectorizer.get_feature_names_out()) for part, vectorizer in self._vectorizers.items()
            },
            "classes": {name: head.classes for name, head in self._heads.items()},
        }
        arrays: dict[str, Any] = {
            "named": np.frombuffer(json.dumps(named, ensure_ascii=False).encode(), dtype=np.uint8)
        }
        arrays |= {f"rarity_{part}": vectorizer.idf_ for part, vectorizer in self._vectorizers.items()}
        for name, head in self._heads.items():
            arrays |= {f"weights_{name}": head.weights, f"offsets_{name}": head.offsets}
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(f".{os.getpid()}.part")
        with aside.open("wb") as file:
            np.savez_compressed(file, **arrays)
        aside.replace(path)

    @classmethod
    def load(cls, path: Path) -> TextClassifier:
        """Read what `save` wrote; a file with anything but numbers in it is refused.

        Raises:
            ValueError, KeyError, OSError: It is no such file.
        """
        with np.load(path, allow_pickle=False) as arrays:
            named = json.loads(arrays["named"].tobytes())
            vectorizers = {part: _vectorizer(part, named["features"][part]) for part in _PARTS}
            for part, vectorizer in vectorizers.items():
                vectorizer.idf_ = arrays[f"rarity_{part}"]
            heads = {
                name: _Head(tuple(named["classes"][name]), arrays[f"weights_{name}"], arrays[f"offsets_{name}"])
                for name in _RECIPES
            }
        return cls(vectorizers, heads)
