"""The tables of labels in the warehouse, and what fills them: every text once, by its hash."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from duckdb import DuckDBPyConnection

from retention_pipeline.quoting import identifier
from retention_pipeline.transactions import transaction

if TYPE_CHECKING:
    from retention_pipeline.voice.labelling import Labels
    from retention_pipeline.workspace.schema import Retention
    from retention_pipeline.workspace.voice_settings import VoiceSettings

TEXTS = {
    "tickets": "concat_ws(chr(10), subject, body)",
    "survey_responses": "comment",
    "reviews": '"text"',
}
"""Feed → the free text of a row. The models make the same hash of it (macro `text_hash`)."""

REASONS = (("subscriptions", "cancel_reason"), ("survey_responses", "reason"), ("tickets", "kind"))
"""Feed and column of the reasons that an export gives in a word or a few."""

FEEDS = tuple(dict.fromkeys([*TEXTS, *(feed for feed, _ in REASONS)]))
CHUNK = 20_000

TABLES: dict[str, dict[str, tuple[str, str]]] = {
    "text_labels": {
        "text_hash": ("VARCHAR NOT NULL", "SHA-256 of the text, trimmed."),
        "language": ("VARCHAR NOT NULL", "`fr`, `en` or `other`."),
        "sentiment": ("VARCHAR", "`negative`, `neutral` or `positive`; missing in another language."),
        "sentiment_score": ("DECIMAL(4,3)", "From -1, negative, to 1, positive; missing in another language."),
        "theme": ("VARCHAR NOT NULL", "A cause, `praise`, `question` or `unknown`."),
        "cause": ("VARCHAR NOT NULL", "The cause that the text tells, or `unknown`."),
        "cause_by": ("VARCHAR NOT NULL", "What told it: `rule`, `classifier` or `unknown`."),
        "confidence": ("DECIMAL(4,3)", "1 by a rule, else the probability of the likeliest theme."),
        "labels_version": ("VARCHAR NOT NULL", "Digest of the rules and of the classifier."),
    },
    "reason_labels": {
        "reason_hash": ("VARCHAR NOT NULL", "SHA-256 of the reason, trimmed."),
        "cause": ("VARCHAR NOT NULL", "The cause that the reason stands for, or `unknown`."),
        "cause_by": ("VARCHAR NOT NULL", "What told it: `reason`, `rule` or `unknown`."),
    },
}
"""Table → column → its type and what it holds."""

DESCRIPTIONS = {
    "text_labels": "Language, sentiment, theme and cause of every free text, by its hash. One row per text.",
    "reason_labels": "The cause of every reason that an export gives, by its hash. One row per reason.",
}


@dataclass(frozen=True)
class Labelling:
    """What came of labelling.

    Attributes:
        version: Digest of rules and classifier.
        texts_new: Texts labelled now.
        texts: Texts with a label.
        reasons: Reasons with a row.
    """

    version: str
    texts_new: int
    texts: int
    reasons: int


def create_voice_tables(con: DuckDBPyConnection) -> None:
    """Create what is missing of the schema `voice`."""
    con.execute("CREATE SCHEMA IF NOT EXISTS voice")
    for table, columns in TABLES.items():
        written = ", ".join(f"{name} {kind}" for name, (kind, _) in columns.items())
        con.execute(f"CREATE TABLE IF NOT EXISTS voice.{table} ({written})")
    con.execute(
        "CREATE TABLE IF NOT EXISTS voice.labelled_batches (feed VARCHAR NOT NULL, batch_id BIGINT NOT NULL,"
        " labels_version VARCHAR NOT NULL)"
    )


def has_texts(feeds: Iterable[str]) -> bool:
    """Whether a business has anything to label."""
    return any(feed in FEEDS for feed in feeds)


def label_feeds(
    con: DuckDBPyConnection, config: Retention, models: Path, on_progress: Callable[[str], None] | None = None
) -> Labelling:
    """Label the texts and reasons of the batches that have none of the labels in force.

    Args:
        con: The warehouse, with its layout and no open transaction.
        config: The business.
        models: Where the classifier is kept; nothing is fitted where no text is new.
        on_progress: Told a line after each chunk.
    """
    from retention_pipeline.voice.labelling import labels_version

    version = labels_version(config.voice)
    with transaction(con):
        for table in ("text_labels", "labelled_batches"):
            con.execute(f"DELETE FROM voice.{table} WHERE labels_version <> ?", [version])
    labelled = _label_texts(con, config, models, version, on_progress or (lambda _line: None))
    reasons = _label_reasons(con, config)
    counted = con.execute("SELECT count(*) FROM voice.text_labels").fetchall()
    return Labelling(version, labelled, counted[0][0], reasons)


def _label_texts(
    con: DuckDBPyConnection, config: Retention, models: Path, version: str, tell: Callable[[str], None]
) -> int:
    feeds = [feed for feed in TEXTS if feed in config.feeds]
    con.execute(
        "CREATE OR REPLACE TEMP TABLE new_batches AS SELECT batch.feed, batch.batch_id FROM raw.ledger AS batch"
        " WHERE batch.status = 'loaded' AND list_contains(?, batch.feed) AND NOT EXISTS (SELECT 1 FROM"
        " voice.labelled_batches AS done WHERE done.feed = batch.feed AND done.batch_id = batch.batch_id)",
        [feeds],
    )
    if not con.execute("SELECT 1 FROM new_batches LIMIT 1").fetchall():
        return 0
    rows = " UNION ALL ".join(
        f"SELECT trim({TEXTS[feed]}) AS text FROM raw.{identifier(feed)} WHERE _batch_id IN"
        f" (SELECT batch_id FROM new_batches WHERE feed = '{feed}')"
        for feed in feeds
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE new_texts AS SELECT row_number() OVER (ORDER BY text_hash) - 1 AS place, * FROM ("
        f" SELECT sha256(text) AS text_hash, min(text) AS text FROM ({rows}) WHERE text <> '' GROUP BY 1) AS found"
        " WHERE NOT EXISTS (SELECT 1 FROM voice.text_labels AS known WHERE known.text_hash = found.text_hash)"
    )
    total = int(con.execute("SELECT count(*) FROM new_texts").fetchall()[0][0])
    if total:
        _label_chunks(con, config.voice, models, version, total, tell)
    con.execute("INSERT INTO voice.labelled_batches SELECT feed, batch_id, ? FROM new_batches", [version])
    con.execute("DROP TABLE new_texts")
    return total


def _label_chunks(
    con: DuckDBPyConnection,
    settings: VoiceSettings,
    models: Path,
    version: str,
    total: int,
    tell: Callable[[str], None],
) -> None:
    from retention_pipeline.voice.labelling import labeller

    labels = labeller(settings, models)
    for first in range(0, total, CHUNK):
        found = con.execute(
            "SELECT text_hash, text FROM new_texts WHERE place >= ? AND place < ? ORDER BY place",
            [first, first + CHUNK],
        ).fetchall()
        _insert(con, [text_hash for text_hash, _ in found], labels.label([text for _, text in found]), version)
        tell(f"texts: {min(first + CHUNK, total):,} of {total:,}")


def _insert(con: DuckDBPyConnection, hashes: list[str], labels: Labels, version: str) -> None:
    """One chunk by column: lists are unnested side by side."""
    columns = [
        hashes, labels.language, labels.sentiment, labels.sentiment_score, labels.theme, labels.cause, labels.cause_by,
        labels.confidence,
    ]  # fmt: skip
    con.execute(
        "INSERT INTO voice.text_labels SELECT text_hash, language, sentiment,"
        " cast(sentiment_score AS DECIMAL(9,3)) / 1000, theme, cause, cause_by,"
        " cast(confidence AS DECIMAL(9,3)) / 1000, ? FROM (SELECT"
        " unnest(?::VARCHAR[]) AS text_hash, unnest(?::VARCHAR[]) AS language,"
        " unnest(?::VARCHAR[]) AS sentiment, unnest(?::INTEGER[]) AS sentiment_score, unnest(?::VARCHAR[]) AS theme,"
        " unnest(?::VARCHAR[]) AS cause, unnest(?::VARCHAR[]) AS cause_by, unnest(?::INTEGER[]) AS confidence)",
        [version, *columns],
    )


def _label_reasons(con: DuckDBPyConnection, config: Retention) -> int:
    """All reasons anew: there are few of them, and no classifier looks at them."""
    from retention_pipeline.voice.rules import cause_rules

    sources = [(feed, column) for feed, column in REASONS if feed in config.feeds]
    rows = " UNION ".join(
        f"SELECT DISTINCT trim({identifier(column)}) AS reason FROM raw.{identifier(feed)}" for feed, column in sources
    )
    found = con.execute(f"SELECT reason FROM ({rows}) WHERE reason <> '' ORDER BY 1").fetchall() if sources else []
    rules = cause_rules(config.voice)
    matcher = rules.matcher()
    reasons, causes, told_by = [], [], []
    for (reason,) in found:
        exact = rules.cause_of_reason(reason)
        cause = exact or matcher.cause(reason.replace("_", " ")) or "unknown"
        reasons.append(reason)
        causes.append(cause)
        told_by.append("unknown" if cause == "unknown" else "reason" if exact else "rule")
    with transaction(con):
        con.execute("DELETE FROM voice.reason_labels")
        con.execute(
            "INSERT INTO voice.reason_labels SELECT sha256(reason), cause, cause_by FROM (SELECT"
            " unnest(?::VARCHAR[]) AS reason, unnest(?::VARCHAR[]) AS cause, unnest(?::VARCHAR[]) AS cause_by)",
            [reasons, causes, told_by],
        )
    return len(reasons)
