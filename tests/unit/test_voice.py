"""Labels of free texts: languages, rules, the classifier, and the tables that they fill."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest
from pydantic import ValidationError

from retention_pipeline.settings import PROJECT
from retention_pipeline.voice import evaluation
from retention_pipeline.voice.classifier import TextClassifier
from retention_pipeline.voice.corpus import Sentence, groups, held_out_sentences, training_sentences, vocabulary
from retention_pipeline.voice.labelling import Labeller, clean, labels_version
from retention_pipeline.voice.languages import LanguageTeller
from retention_pipeline.voice.normalising import phrase_words, sentiment_words
from retention_pipeline.voice.rules import cause_rules
from retention_pipeline.voice.tables import label_feeds
from retention_pipeline.voice.taxonomy import CAUSES, THEMES
from retention_pipeline.warehouse import create_layout, open_warehouse
from retention_pipeline.workspace.schema import Retention
from retention_pipeline.workspace.voice_settings import VoiceSettings

DOCUMENT = PROJECT / "docs" / "voice.md"


@pytest.fixture(scope="module")
def classifier() -> TextClassifier:
    return TextClassifier.fit(training_sentences())


@pytest.fixture(scope="module")
def labeller(classifier: TextClassifier) -> Labeller:
    return Labeller(cause_rules(VoiceSettings()), classifier, 0.4)


def test_the_figures_in_the_document_are_those_of_this_corpus_and_code(classifier: TextClassifier) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert f"`{evaluation.evaluation_version()}`" in text, (
        "python -m retention_pipeline.voice.evaluation --document docs/voice.md"
    )
    kept = evaluation.tell(classifier, held_out_sentences())
    for row in evaluation._overall("kept apart", kept):
        assert f"| {' | '.join(row)} |" in text
    assert re.search(r"<!-- figures: truth -->.*losses with a hidden cause.*<!-- end: truth -->", text, re.DOTALL)


def test_every_theme_is_learned_in_both_languages() -> None:
    for language in ("fr", "en"):
        counts = dict.fromkeys(THEMES, 0)
        for sentence in training_sentences():
            counts[sentence.theme] += sentence.language == language
        assert min(counts.values()) >= 20
    told = {sentence.text for sentence in training_sentences()}
    assert not told & {sentence.text for sentence in held_out_sentences()}


def test_near_duplicates_are_one_group() -> None:
    texts = ["the price is too high for us", "The price is too high, for us!", "nobody answers the phone"]
    first, second, third = groups([Sentence(text, "en", "price", "negative") for text in texts])
    assert first == second != third


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("C'est TROP CHER.", "price"),
        ("Ce n'est pas trop cher", None),
        ("Je ne reste pas. Trop cher", "price"),  # the negation belongs to another clause
        ("no bugs at all", None),
        ("it keeps crashing, and the card was declined twice", "payment_failure"),  # three words go before two
        ("Nous déménageons", "moved_or_closed"),
        ("We don't use it", "low_engagement"),  # the phrase is a negation itself
        ("expensively", None),  # whole words
        ("we can\u2019t afford it", "price"),
        ("", None),
    ],
)
def test_rules_find_whole_phrases_that_are_not_negated(text: str, cause: str | None) -> None:
    assert cause_rules(VoiceSettings()).matcher().cause(text) == cause


def test_a_business_adds_and_overrides_rules() -> None:
    settings = VoiceSettings(
        causes={"product_dissatisfaction": ("couleur délav*", "en panne"), "unknown": ("déménag*",)},
        reasons={"R-17": "price", "incident": "unknown"},
    )
    rules = cause_rules(settings)
    matcher = rules.matcher()
    assert matcher.cause("la couleur delavée") == "product_dissatisfaction"
    assert matcher.cause("toujours en panne") == "product_dissatisfaction"
    assert matcher.cause("nous déménageons") is None
    assert rules.cause_of_reason(" r-17 ") == "price"
    assert rules.cause_of_reason("incident") == "unknown"
    assert rules.cause_of_reason("Too_Expensive") == "price"
    assert labels_version(settings) != labels_version(VoiceSettings())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"causes": {"price": ["..."]}}, "at least one word"),
        ({"causes": {"price": ["ab*"]}}, "at least 3 letters"),
        ({"causes": {"price": ["dear"], "competitor": ["Déar"]}}, "stands under"),
        ({"causes": {"weather": ["rain"]}}, "Input should be"),
        ({"reasons": {"x": "weather"}}, "Input should be"),
    ],
)
def test_rules_that_cannot_hold_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        VoiceSettings.model_validate(given)


def test_words_are_without_accents_and_negations_reach_to_the_end_of_the_clause() -> None:
    assert phrase_words("  Délav* d'Œuvre ") == ("delav*", "d", "oeuvre")
    assert sentiment_words("Pas mal, bien")[:3] == ["pas", "not_mal", "bien"]
    assert "not_rapide" in sentiment_words("il n'est plus rapide")
    assert "not_rapide" not in sentiment_words("il est plus rapide")
    assert "not_good" in sentiment_words("it isn't good")
    assert {"zz_cross", "zz_loud", "zz_capitals"} <= set(sentiment_words("VRAIMENT nul !! 😡"))
    assert sentiment_words("sooooo")[0] == "soo"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Où est ma facture ?", "fr"),
        ("Where is my invoice?", "en"),
        ("Wo ist meine Rechnung?", "other"),
        ("¿Dónde está mi factura?", "other"),
        ("サービスが遅い", "other"),
        ("12345", "other"),
    ],
)
def test_languages(text: str, language: str) -> None:
    assert LanguageTeller(vocabulary(training_sentences())).tell(text) == language


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("Pas mal du tout !", "Pas terrible du tout."),
        ("I was never disappointed", "I was very disappointed"),
        ("Super 😍", "Super 😡"),
        ("Aucun problème", "Que des problèmes"),
        ("not bad", "not good"),
    ],
)
def test_sentiment_heeds_negations_and_emoji(labeller: Labeller, better: str, worse: str) -> None:
    first, second = labeller.label([better, worse]).sentiment_score
    assert first is not None
    assert second is not None
    assert first > second


def test_a_label_says_what_told_it(labeller: Labeller) -> None:
    labels = labeller.label(["It is too expensive", "Mon frère est décédé hier", "zu teuer geworden für uns", "qwrtz"])
    assert labels.cause[:2] == ["price", "deceased"]
    assert labels.cause_by[:2] == ["rule", "rule"]
    assert labels.confidence[0] == 1000
    assert labels.language[2:] == ["other", "other"]
    assert labels.sentiment[2] is None
    assert labels.cause_by[2:] == ["unknown", "unknown"]


def test_less_sure_than_asked_is_unknown(classifier: TextClassifier) -> None:
    texts = [sentence.text for sentence in held_out_sentences()]
    rules = cause_rules(VoiceSettings())
    strict, easy = (Labeller(rules, classifier, limit).label(texts) for limit in (1.0, 0.0))
    assert "classifier" not in strict.cause_by
    assert easy.cause_by.count("classifier") > 100
    assert set(easy.cause) <= {*CAUSES, "unknown"}


def test_markup_addresses_and_quotes_are_not_read() -> None:
    text = (
        "<p>Too <b>slow</b></p> see https://x.example/no me@x.example\n> earlier words\nOn Monday, somebody wrote:\nold"
    )
    assert clean(text).split() == ["Too", "slow", "see"]


def test_a_kept_classifier_says_the_same_and_holds_no_code(classifier: TextClassifier, tmp_path: Path) -> None:
    path = tmp_path / "voice.npz"
    classifier.save(path)
    texts = [sentence.text for sentence in held_out_sentences()]
    now, again = classifier.guess(texts), TextClassifier.load(path).guess(texts)
    assert now.themes == again.themes
    assert np.array_equal(now.scores, again.scores)
    np.savez(tmp_path / "evil.npz", named=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="pickle"):
        TextClassifier.load(tmp_path / "evil.npz")


def _config(*feeds: str) -> Retention:
    mapping = [{"files": "x.csv", "columns": {}}]
    return Retention.model_validate(
        {
            "business": "b", "title": "B", "kind": "transactional", "timezone": "UTC", "currency": "EUR",
            "salt": "a salt of sixteen letters", "first_day": "2024-01-01",
            "feeds": dict.fromkeys(("order_lines", *feeds), mapping),
        }
    )  # fmt: skip


def _deliver(con: duckdb.DuckDBPyConnection, batch: int, feed: str, columns: str, values: str) -> None:
    con.execute(f"INSERT INTO raw.{feed} (_batch_id, _line, {columns}) SELECT {batch}, 1, {values}")
    con.execute(
        "INSERT INTO raw.ledger (batch_id, feed, path, content_hash, size_bytes, rows_read, rows_loaded,"
        " rows_quarantined, rows_skipped, status, files, mapping_hash)"
        " VALUES (?, ?, 'x', '', 0, 0, 0, 0, 0, 'loaded', '', '')",
        [batch, feed],
    )


def test_only_new_texts_are_labelled(
    tmp_path: Path, classifier: TextClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TextClassifier, "fit", lambda _sentences: classifier)
    config = _config("tickets", "reviews", "subscriptions")
    with open_warehouse(tmp_path / "w.duckdb") as con:
        create_layout(con)
        _deliver(con, 1, "tickets", "ticket_id, subject, body, kind", "'t1', 'Hello', 'far too expensive', 'incident'")
        _deliver(con, 2, "reviews", "review_id, text", "'v1', ' far too expensive '")
        first = label_feeds(con, config, tmp_path / "models")
        assert (first.texts_new, first.texts, first.reasons) == (2, 2, 1)
        assert label_feeds(con, config, tmp_path / "models").texts_new == 0
        # A text that is there already, another one, and a reason that only a phrase tells.
        _deliver(con, 3, "reviews", "review_id, text", "'v2', 'far too expensive'")
        _deliver(con, 4, "reviews", "review_id, text", "'v3', 'bravo'")
        _deliver(con, 5, "subscriptions", "subscription_id, cancel_reason", "'s1', 'payment failed_twice'")
        again = label_feeds(con, config, tmp_path / "models")
        assert (again.texts_new, again.texts, again.reasons) == (1, 3, 2)
        rows = con.execute("SELECT cause, cause_by FROM voice.reason_labels ORDER BY 1").fetchall()
        assert rows == [("payment_failure", "rule"), ("technical_incident", "reason")]
        labels = con.execute(
            "SELECT text_hash, cause, cause_by FROM voice.text_labels WHERE cause = 'price'"
        ).fetchall()
        assert len(labels) == 2
        assert ("price", "rule") in {row[1:] for row in labels}
        stricter = config.model_copy(update={"voice": VoiceSettings(causes={"unknown": ("too expensive",)})})
        anew = label_feeds(con, stricter, tmp_path / "models")
        assert (anew.texts_new, anew.texts) == (3, 3)
        assert anew.version != first.version


def test_nothing_is_imported_or_declared_for_a_business_without_texts() -> None:
    code = (
        "import sys; from retention_pipeline.voice.tables import has_texts; import retention_pipeline.warehouse;"
        " assert not has_texts(['order_lines', 'usage']); assert not {'sklearn', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=PROJECT)
