"""How good the labels are: cross-validated, on sentences kept apart, and on the texts of the simulator.

`python -m retention_pipeline.voice.evaluation --document docs/voice.md` writes the figures between
`<!-- figures: classifier -->` and `<!-- end: classifier -->`; without `--document` it prints them. The same corpus,
code and library give the same figures; `evaluation_version` stands in the document, so that a test sees old ones.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import product
from pathlib import Path

import numpy as np
from sklearn.metrics import precision_recall_fscore_support
from sklearn.model_selection import StratifiedGroupKFold

from retention_pipeline.churn.report_figures import replace_figures
from retention_pipeline.simulator import texts as simulated
from retention_pipeline.voice.classifier import TextClassifier
from retention_pipeline.voice.corpus import (
    HELD_OUT,
    OTHER_LANGUAGES,
    Sentence,
    foreign_sentences,
    groups,
    held_out_sentences,
    training_sentences,
    vocabulary,
)
from retention_pipeline.voice.labelling import Labeller, model_version
from retention_pipeline.voice.languages import LanguageTeller
from retention_pipeline.voice.rules import SHIPPED, cause_rules
from retention_pipeline.voice.taxonomy import (
    CAUSES,
    ENGLISH,
    FRENCH,
    NEGATIVE,
    NEUTRAL,
    OTHER,
    OTHER_LANGUAGE,
    POSITIVE,
    PRAISE,
    QUESTION,
    SENTIMENTS,
    THEMES,
    UNKNOWN,
)
from retention_pipeline.workspace.voice_settings import VoiceSettings

FOLDS, REPEATS = 5, 2
PLACE = "classifier"
_NAMES = {FRENCH: "French", ENGLISH: "English"}


@dataclass(frozen=True)
class Told:
    """A sentence and what was said of it.

    Attributes:
        sentence: The sentence with its true labels.
        theme: What the classifier alone says, without a limit of confidence.
        sentiment: What the classifier says.
        cause: What rules and classifier say together; `unknown` for no cause.
        by: What told the cause: `rule`, `classifier` or `unknown`.
    """

    sentence: Sentence
    theme: str
    sentiment: str
    cause: str
    by: str

    @property
    def true_cause(self) -> str:
        """The cause that is right; `unknown` for a text that tells none."""
        return self.sentence.theme if self.sentence.theme in CAUSES else UNKNOWN


def evaluation_version() -> str:
    """A digest of all on which the figures depend."""
    digest = sha256(model_version().encode())
    for path in (HELD_OUT, OTHER_LANGUAGES, SHIPPED, Path(__file__), Path(simulated.__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def tell(classifier: TextClassifier, sentences: Sequence[Sentence]) -> list[Told]:
    """What a classifier, and the rules that ship together with it, say of sentences."""
    settings = VoiceSettings()
    texts = [sentence.text for sentence in sentences]
    guesses = classifier.guess(texts)
    labels = Labeller(cause_rules(settings), classifier, settings.min_confidence).label(texts)
    rows = zip(sentences, guesses.themes, guesses.sentiments, labels.cause, labels.cause_by, strict=True)
    return [Told(*row) for row in rows]


def cross_validated(sentences: Sequence[Sentence]) -> list[Told]:
    """Each sentence as told by classifiers that learned from other folds, once for each repeat.

    Folds have the same mix of themes, and near-duplicates are never in two of them.
    """
    told: list[Told] = []
    themes, together = [sentence.theme for sentence in sentences], groups(list(sentences))
    for seed in range(REPEATS):
        folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
        for learned, tested in folds.split(np.zeros(len(themes)), themes, together):
            classifier = TextClassifier.fit([sentences[place] for place in learned])
            told += tell(classifier, [sentences[place] for place in tested])
    return told


def simulator_sentences() -> list[Sentence]:
    """Every different text that the simulator can write, with the theme for which it is written.

    Its tone is that of its opening and closing: bad for a cause, good for praise, plain for the rest.
    """
    themes = {
        **dict(enumerate(CAUSES)),
        simulated.PRAISE: PRAISE, simulated.QUESTION: QUESTION, simulated.PLAIN: OTHER,
    }  # fmt: skip
    grid = np.array(list(product(np.arange(0.05, 1, 0.1), np.arange(1 / 24, 1, 1 / 12), np.arange(0.05, 1, 0.1))))
    found: dict[tuple[str, str], Sentence] = {}
    for (code, theme), language in product(themes.items(), (FRENCH, ENGLISH)):
        codes = np.full(len(grid), code), np.full(len(grid), (FRENCH, ENGLISH).index(language))
        mood = POSITIVE if theme == PRAISE else NEGATIVE if theme in CAUSES else NEUTRAL
        for text in simulated.write(*codes, grid):
            found[language, text] = Sentence(text, language, theme, mood)
    return list(found.values())


def figures() -> str:
    """All figures as Markdown."""
    training, held_out = training_sentences(), held_out_sentences()
    crossed = cross_validated(training)
    classifier = TextClassifier.fit(training)
    kept, foreign = tell(classifier, held_out), tell(classifier, simulator_sentences())
    parts = [
        f"Corpus: {len(training):,} sentences ({_count_by_language(training)}); kept apart: {len(held_out)} "
        f"({_count_by_language(held_out)}). Version of the evaluation: `{evaluation_version()}`.",
        _table(
            ("", "texts", "theme: macro F1", "theme: accuracy", "sentiment: macro F1", "sentiment: accuracy"),
            [
                *_overall("cross-validation", crossed),
                *_overall("kept apart", kept),
                *_overall("simulator", foreign),
            ],
        ),
        "Causes by rules and classifier together, with the confidence asked for by default "
        f"({VoiceSettings().min_confidence:g}); a cause is *told* where it is not `unknown`.",
        _table(
            ("", "texts with a cause", "told", "of these right", "texts without a cause", "told one wrongly"),
            [_causes("cross-validation", crossed), _causes("kept apart", kept), _causes("simulator", foreign)],
        ),
        "By theme (classifier alone; F1 on the corpus is cross-validated).",
        _table(
            ("theme", "sentences", "F1 French", "F1 English", "F1 kept apart", "recall simulator"),
            [_theme_row(theme, crossed, kept, foreign) for theme in THEMES],
        ),
        "By sentiment.",
        _table(
            ("sentiment", "sentences", "F1 French", "F1 English", "F1 kept apart"),
            [_sentiment_row(sentiment, crossed, kept) for sentiment in SENTIMENTS],
        ),
        _languages(training, held_out),
    ]
    return "\n\n".join(parts)


def _count_by_language(sentences: Sequence[Sentence]) -> str:
    counts = {language: sum(s.language == language for s in sentences) for language in _NAMES}
    return ", ".join(f"{counts[language]} {name}" for language, name in _NAMES.items())


def _overall(name: str, told: Sequence[Told]) -> Iterable[tuple[str, ...]]:
    for language in (None, *_NAMES):
        chosen = [one for one in told if language in (None, one.sentence.language)]
        repeats = max(1, round(len(chosen) / len({one.sentence.text for one in chosen})))
        yield (
            f"{name}, {_NAMES[language]}" if language else f"**{name}**",
            f"{len(chosen) // repeats:,}",
            *_scores([one.sentence.theme for one in chosen], [one.theme for one in chosen]),
            *_scores([one.sentence.sentiment for one in chosen], [one.sentiment for one in chosen]),
        )


def _scores(true: Sequence[str], said: Sequence[str]) -> tuple[str, str]:
    labels = sorted(set(true))
    f1 = precision_recall_fscore_support(true, said, labels=labels, zero_division=0)[2]
    right = sum(a == b for a, b in zip(true, said, strict=True)) / len(true)
    return f"{float(np.mean(f1)):.3f}", f"{right:.3f}"


def _causes(name: str, told: Sequence[Told]) -> tuple[str, ...]:
    with_cause = [one for one in told if one.true_cause != UNKNOWN]
    without = [one for one in told if one.true_cause == UNKNOWN]
    named = [one for one in with_cause if one.cause != UNKNOWN]
    by_rule = [one for one in named if one.by == "rule"]
    return (
        name,
        f"{len(with_cause):,}",
        f"{len(named) / len(with_cause):.1%} ({len(by_rule) / len(with_cause):.1%} by a rule)",
        f"{_right(named)} (by a rule {_right(by_rule)})",
        f"{len(without):,}",
        f"{sum(one.cause != UNKNOWN for one in without) / len(without):.1%}",
    )


def _right(told: Sequence[Told]) -> str:
    return f"{sum(one.cause == one.true_cause for one in told) / len(told):.1%}" if told else "none"


def _f1(told: Sequence[Told], label: str, what: str) -> str:
    true = [getattr(one.sentence, what) == label for one in told]
    said = [getattr(one, what) == label for one in told]
    both = sum(a and b for a, b in zip(true, said, strict=True))
    return f"{2 * both / (sum(true) + sum(said)):.2f}" if any(true) or any(said) else ""


def _spoken(told: Sequence[Told], language: str) -> list[Told]:
    return [one for one in told if one.sentence.language == language]


def _theme_row(theme: str, crossed: Sequence[Told], kept: Sequence[Told], foreign: Sequence[Told]) -> tuple[str, ...]:
    written = [one for one in foreign if one.sentence.theme == theme]
    return (
        f"`{theme}`",
        str(sum(one.sentence.theme == theme for one in crossed) // REPEATS),
        _f1(_spoken(crossed, FRENCH), theme, "theme"),
        _f1(_spoken(crossed, ENGLISH), theme, "theme"),
        _f1(kept, theme, "theme"),
        f"{sum(one.theme == theme for one in written) / len(written):.2f}",
    )


def _sentiment_row(sentiment: str, crossed: Sequence[Told], kept: Sequence[Told]) -> tuple[str, ...]:
    return (
        sentiment,
        str(sum(one.sentence.sentiment == sentiment for one in crossed) // REPEATS),
        _f1(_spoken(crossed, FRENCH), sentiment, "sentiment"),
        _f1(_spoken(crossed, ENGLISH), sentiment, "sentiment"),
        _f1(kept, sentiment, "sentiment"),
    )


def _languages(training: Sequence[Sentence], held_out: Sequence[Sentence]) -> str:
    teller = LanguageTeller(vocabulary(training))
    texts = foreign_sentences()
    right = {
        language: [teller.tell(s.text) == language for s in held_out if s.language == language] for language in _NAMES
    }
    told = ", ".join(f"{sum(found)} of {len(found)} {_NAMES[language]}" for language, found in right.items())
    others = sum(teller.tell(text) == OTHER_LANGUAGE for text in texts)
    return f"Language, of sentences kept apart: {told} are told right, and {others} of {len(texts)} in other languages."


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures, or write them into a document."""
    parser = argparse.ArgumentParser(description="Evaluate the labels of texts.")
    parser.add_argument("--document", type=Path, help="Markdown file to write into; printed where not given")
    document: Path | None = parser.parse_args(arguments).document
    written = figures()
    if document is None:
        sys.stdout.write(f"{written}\n")
    else:
        document.write_text(replace_figures(document.read_text(encoding="utf-8"), PLACE, written), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
