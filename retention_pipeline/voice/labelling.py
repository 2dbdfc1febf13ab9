"""Labels of free texts: language, sentiment, theme and cause, by rules first and then by the classifier."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from retention_pipeline.voice.corpus import TRAINING, training_sentences, vocabulary
from retention_pipeline.voice.languages import LanguageTeller
from retention_pipeline.voice.rules import SHIPPED, CauseRules, cause_rules
from retention_pipeline.voice.taxonomy import CAUSES, OTHER, OTHER_LANGUAGE, UNKNOWN
from retention_pipeline.workspace.voice_settings import VoiceSettings

if TYPE_CHECKING:
    from retention_pipeline.voice.classifier import TextClassifier

_LONGEST = 4000
"""Letters of a text that are looked at."""

_PACKAGE = Path(__file__).parent
_CODE = ("classifier.py", "corpus.py", "labelling.py", "languages.py", "normalising.py", "rules.py", "taxonomy.py")
_TAG = re.compile(r"<[a-zA-Z/!][^<>]{0,500}>")
_ADDRESS = re.compile(r"https?://\S+|www\.\S+|\S+@\S+\.\S+")
_QUOTED = re.compile(r"^\s*>.*$", re.MULTILINE)
_EARLIER = re.compile(
    r"^\s*(-{2,}\s*(original message|message d'origine|message original).*|on .{5,120} wrote:|le .{5,120} a écrit\s?:)",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True)
class Labels:
    """The labels of some texts, by column, in their order.

    Attributes:
        language: `fr`, `en` or `other`.
        sentiment: `negative`, `neutral` or `positive`; None in another language.
        sentiment_score: From -1 to 1, in thousandths; None in another language.
        theme: A cause, `praise`, `question` or `unknown`.
        cause: A cause or `unknown`.
        cause_by: `rule`, `classifier` or `unknown`.
        confidence: In thousandths: 1000 by a rule, else that of the likeliest theme; None in another language.
    """

    language: list[str]
    sentiment: list[str | None]
    sentiment_score: list[int | None]
    theme: list[str]
    cause: list[str]
    cause_by: list[str]
    confidence: list[int | None]


class Labeller:
    """Labels texts by the rules and the classifier of a business.

    Args:
        rules: The rules in force.
        classifier: Tells theme and sentiment of French and English texts.
        min_confidence: A theme of which the classifier is less sure is unknown.
    """

    def __init__(self, rules: CauseRules, classifier: TextClassifier, min_confidence: float) -> None:
        self._matcher, self._classifier, self._min_confidence = rules.matcher(), classifier, min_confidence
        self._teller = LanguageTeller(vocabulary(training_sentences()))

    def label(self, texts: Sequence[str]) -> Labels:
        """The labels of each text."""
        cleaned = [clean(text) for text in texts]
        told = [self._matcher.cause(text) for text in cleaned]
        languages = [self._teller.tell(text) for text in cleaned]
        known = [place for place, language in enumerate(languages) if language != OTHER_LANGUAGE]
        labels = Labels(
            languages, [None] * len(texts), [None] * len(texts), [cause or UNKNOWN for cause in told],
            [cause or UNKNOWN for cause in told], ["rule" if cause else UNKNOWN for cause in told],
            [1000 if cause else None for cause in told],
        )  # fmt: skip
        if known:
            self._guess(labels, [cleaned[place] for place in known], known)
        return labels

    def _guess(self, labels: Labels, texts: list[str], places: list[int]) -> None:
        guesses = self._classifier.guess(texts)
        scores = np.rint(guesses.scores * 1000).astype(int).tolist()
        confidences = np.rint(guesses.confidences * 1000).astype(int).tolist()
        sure = (guesses.confidences >= self._min_confidence).tolist()
        for row, place in enumerate(places):
            labels.sentiment[place] = guesses.sentiments[row]
            labels.sentiment_score[place] = scores[row]
            if labels.cause_by[place] == "rule":
                continue
            labels.confidence[place] = confidences[row]
            theme = guesses.themes[row]
            if not sure[row] or theme == OTHER:
                continue
            labels.theme[place] = theme
            if theme in CAUSES:
                labels.cause[place], labels.cause_by[place] = theme, "classifier"


def clean(text: str) -> str:
    """What the customer wrote, without markup, addresses and quoted messages; the first few thousand letters."""
    cut = text[: 2 * _LONGEST]
    if "<" in cut:
        cut = _TAG.sub(" ", cut)
    if "@" in cut or "://" in cut or "www." in cut:
        cut = _ADDRESS.sub(" ", cut)
    if ">" in cut:
        cut = _QUOTED.sub("", cut)
    if "\n" in cut:
        earlier = _EARLIER.search(cut)
        if earlier and earlier.start() > 0:
            cut = cut[: earlier.start()]
    return cut[:_LONGEST]


def model_version() -> str:
    """A digest of all that the classifier is made from: corpus, code and library."""
    from sklearn import __version__

    digest = sha256(__version__.encode())
    for path in (*TRAINING, *(_PACKAGE / name for name in _CODE)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def labels_version(settings: VoiceSettings) -> str:
    """A digest of all on which labels depend: the classifier, the rules that ship, those of the business."""
    digest = sha256(model_version().encode())
    digest.update(SHIPPED.read_bytes())
    digest.update(settings.model_dump_json(include={"causes", "reasons", "min_confidence"}).encode())
    return digest.hexdigest()[:16]


def kept_classifier(models: Path) -> TextClassifier:
    """The classifier in the folder of models, fitted now where it is not there or cannot be read."""
    from retention_pipeline.voice.classifier import TextClassifier

    path = models / f"voice-{model_version()}.npz"
    if path.is_file():
        try:
            return TextClassifier.load(path)
        except (ValueError, KeyError, OSError, EOFError):
            path.unlink()
    classifier = TextClassifier.fit(training_sentences())
    for older in models.glob("voice-*.npz"):
        older.unlink()
    classifier.save(path)
    return classifier


def labeller(settings: VoiceSettings, models: Path) -> Labeller:
    """What labels the texts of a business."""
    return Labeller(cause_rules(settings), kept_classifier(models), settings.min_confidence)
