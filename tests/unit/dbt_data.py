"""A small business with rows in every feed, written straight into `raw`: what the models are built on in tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from retention_pipeline.feeds.contracts import CONTRACTS
from retention_pipeline.quoting import identifier, literal
from retention_pipeline.warehouse import create_layout, open_warehouse, write_score_settings
from retention_pipeline.workspace.segment_settings import SegmentSettings

CUSTOMERS = 60
FIRST_DAY = date(2023, 1, 1)
LAST_DAY = date(2024, 6, 30)
DAYS = (LAST_DAY - FIRST_DAY).days

# Every number is a hash of what it belongs to: the same rows each time. `c` is a customer, `n` one of its rows.
_DRAW = "(hash(c, n, '{what}') % {below})::INTEGER"
_ROWS = f"FROM range({CUSTOMERS}) customers(c), range({{each}}) rows(n)"
_AT = "TIMESTAMP '2023-01-01 09:00:00' + to_days({day}) + to_minutes({minute})"


# Texts and reasons with the labels that they would get: text, language, sentiment, thousandths, theme.
_TEXTS = (
    ("far too expensive", "en", "negative", -900, "price"),
    ("toujours en panne", "fr", "negative", -800, "technical_incident"),
    ("works very well", "en", "positive", 900, "praise"),
    ("wo ist die Rechnung", "other", None, None, "unknown"),
    ("we found another supplier", "en", "neutral", -50, "competitor"),
)
_REASONS = {"too_expensive": "price", "unused": "low_engagement", "other": "unknown", "incident": "technical_incident"}


def _draw(what: str, below: int) -> str:
    return _DRAW.format(what=what, below=below)


def _rows(each: int) -> str:
    return _ROWS.format(each=each)


def _picked(what: str, texts: Iterable[str], without: int = 0) -> str:
    """One of the texts; none for the last `without` draws."""
    listed = [literal(text) for text in texts]
    return f"list_value({', '.join(listed)})[1 + {_draw(what, len(listed) + without)}]"


def _day(what: str) -> str:
    """A day of the customer's life: it begins and stops at days of its own."""
    begins, lasts = f"(hash(c, 'begins') % {DAYS // 2})", f"(30 + hash(c, 'lasts') % {DAYS})"
    return f"least({begins} + hash(c, n, '{what}') % {lasts}, {DAYS})::INTEGER"


def _at(what: str) -> str:
    return _AT.format(day=_day(what), minute=_draw(f"{what} minute", 600))


# Every six weeks some customers are contacted to be won back, or kept aside, whether they are lost or not.
_CONTACTS = (
    f"(SELECT c, n, (DATE '2023-03-01' + (n * 42)::INTEGER) AS day,"
    " CASE WHEN hash(c, 'arm') % 3 = 0 THEN 'control' ELSE 'treatment' END AS arm"
    f" {_rows(11)} WHERE {_draw('contact', 2)} = 0) contact"
)

_FEEDS: dict[str, str] = {
    "customers": (
        "SELECT 'c' || c AS customer_id,"
        " CASE WHEN c % 3 = 0 THEN TIMESTAMP '2023-01-01' + to_days((c * 3)::INTEGER) END AS created_at,"
        " CASE c % 2 WHEN 0 THEN 'FR' ELSE 'DE' END AS country, c % 30 = 29 AS is_test,"
        " 'person' || c || '@example.com' AS email"
        f" FROM range({CUSTOMERS + 3}) t(c)"
        " UNION ALL SELECT 'crm:' || c, TIMESTAMP '2023-01-01', 'IT', NULL, 'Person' || c || '@example.com '"
        f" FROM range(0, {CUSTOMERS}, 4) t(c)"
    ),
    "identities": (
        "SELECT 'c' || c AS customer_id, 'support' AS source, c AS source_id, TIMESTAMP '2023-01-02' AS linked_at"
        f" FROM range(0, {CUSTOMERS}, 2) t(c)"
    ),
    "order_lines": (
        "SELECT 'o' || c || '-' || n // 2 AS order_id, CASE WHEN c % 20 <> 19 THEN 'c' || c END AS customer_id,"
        f" {_AT.format(day=_day('order').replace('n,', 'n // 2,'), minute='n % 2')} AS ordered_at, 'sku' AS sku,"
        f" CASE WHEN {_draw('kind', 9)} = 0 THEN -1 ELSE 1 + {_draw('quantity', 5)} END AS quantity,"
        f" ({_draw('price', 9000)} / 100)::DECIMAL(18,4) AS unit_price,"
        f" CASE WHEN {_draw('currency', 6)} = 0 THEN 'USD' ELSE 'EUR' END AS currency {_rows(16)} WHERE c % 4 <> 0"
    ),
    "subscriptions": (
        "SELECT 's' || c || '-' || n AS subscription_id, 'c' || c AS customer_id,"
        f" TIMESTAMP '2023-01-01' + to_days((n * 170 + {_draw('sold', 90)})::INTEGER) AS version_at,"
        " 'plan' || n AS plan, version_at + to_days(10) AS started_at, 10 + n AS price,"
        " CASE c % 6 WHEN 0 THEN 'USD' ELSE 'EUR' END AS currency,"
        " CASE n WHEN 1 THEN 'year' ELSE 'month' END AS \"interval\","
        " CASE WHEN c % 10 = 0 THEN started_at + to_days(14) END AS trial_ends_at,"
        " CASE WHEN c % 8 = 0 THEN version_at + to_days(50) END AS paused_at, paused_at + to_days(30) AS resumes_at,"
        " CASE WHEN c % 4 = 2 THEN 2 END AS discount, version_at + to_days(90) AS discount_ends_at,"
        f" CASE WHEN {_draw('leaves', 3)} = 0 THEN version_at + to_days(5 + {_draw('asks', 60)}) END"
        " AS cancel_requested_at,"
        f" CASE WHEN cancel_requested_at IS NOT NULL THEN {_picked('reason', _REASONS, 2)} END AS cancel_reason,"
        " coalesce(cancel_requested_at + to_days(7), version_at + to_days(160)) AS ended_at"
        f" {_rows(3)} WHERE c % 2 = 0"
    ),
    "invoices": (
        "SELECT 'i' || c || '-' || n AS invoice_id, 'c' || c AS customer_id, 's' || c || '-' || n AS subscription_id,"
        f" {_at('invoice')} AS issued_at, 10 AS amount_due, 'EUR' AS currency {_rows(3)} WHERE c % 2 = 0"
    ),
    "payment_attempts": (
        "SELECT 'p' || c || '-' || n AS attempt_id, 'i' || c || '-' || n % 3 AS invoice_id, 'c' || c AS customer_id,"
        f" {_at('payment')} AS attempted_at, 10 AS amount,"
        f" CASE WHEN {_draw('paid', 3)} = 0 THEN 'failed' ELSE 'succeeded' END AS outcome,"
        f" CASE WHEN {_draw('paid', 3)} = 0 THEN 'code' || {_draw('code', 2)} END AS failure_code,"
        f" last_day(DATE '2023-01-01' + to_months({_draw('card', 18)})) AS card_expires_on {_rows(6)} WHERE c % 2 = 0"
    ),
    "usage": (
        f"SELECT DISTINCT 'c' || c AS customer_id, DATE '2023-01-01' + {_day('use')} AS used_on,"
        f" 'feature' || {_draw('feature', 3)} AS feature, 3 AS events, 1.5 AS minutes {_rows(40)}"
    ),
    "events": (
        f"SELECT 'e' || c || '-' || n AS event_id, 'c' || c AS customer_id, {_at('event')} AS occurred_at,"
        " list_value('login', 'help_viewed', 'cancel_viewed', 'cart_added', 'cart_checked_out', 'milestone_reached')"
        "[1 + n % 6] AS name, json_object('milestone', 'step' || n % 12) AS properties"
        f" {_rows(24)} WHERE c % 5 = 0"
    ),
    "tickets": (
        f"SELECT 't' || c || '-' || n AS ticket_id, 'support:' || c AS customer_id, {_at('ticket')} AS opened_at,"
        f" opened_at + to_days({_draw('solved', 20)}) AS solved_at,"
        f" opened_at + to_minutes({_draw('answered', 900)}) AS first_response_at,"
        f" {_draw('reopened', 4)} // 3 AS reopened_count, {_picked('mood', ('good', 'bad', '5'), 2)} AS satisfaction,"
        f" {_picked('kind', ('question', 'incident', 'complaint', 'billing', 'other'))} AS kind,"
        f" {_picked('ticket text', (text for text, *_ in _TEXTS), 1)} AS body {_rows(2)}"
    ),
    "survey_responses": (
        "SELECT 'r' || c || '-' || n AS response_id, 'c' || c AS customer_id,"
        f" CASE n % 2 WHEN 0 THEN 'nps' ELSE 'csat' END AS survey, {_at('answer')} AS answered_at,"
        f" 1 + {_draw('score', 5)} AS score, {_picked('comment', (text for text, *_ in _TEXTS), 3)} AS comment"
        f" {_rows(4)}"
        " UNION ALL SELECT 'x' || c || '-' || n, 'c' || c,"
        f" CASE n WHEN 0 THEN 'ces' WHEN 1 THEN 'nps' ELSE 'exit' END, {_at('asked why')},"
        f" CASE n WHEN 0 THEN 1 + {_draw('effort', 7)} WHEN 1 THEN {_draw('points', 11)} END,"
        f" {_picked('why', (text for text, *_ in _TEXTS), 3)} {_rows(3)} WHERE c % 2 = 0"
    ),
    "reviews": (
        f"SELECT 'v' || c AS review_id, 'c' || c AS customer_id, {_at('review')} AS posted_at, 'shop' AS source,"
        f" 1 + {_draw('stars', 5)} AS rating, {_picked('review text', (text for text, *_ in _TEXTS))} AS text"
        f" {_rows(1)} WHERE c % 3 = 0"
    ),
    # Sent, and what follows: refused, opened by a machine after 3 seconds or by a human after an hour, clicked, left.
    "messages": (
        "SELECT 'm' || c || '-' || n AS message_id, 'c' || c AS customer_id, 'email' AS channel,"
        f" strftime({_at('message')}, 'newsletter_%Y-%m') AS campaign, NULL AS list_id,"
        f" {_at('message')} + to_seconds(told.after) AS occurred_at, told.event {_rows(7)},"
        " (VALUES ('sent', 0, 0, 10), ('delivered', 60, 1, 10), ('bounced', 60, 0, 1), ('opened', 63, 1, 3),"
        " ('opened', 3660, 3, 7), ('clicked', 3720, 5, 7), ('unsubscribed', 4000, 9, 10))"
        " told(event, after, above, below)"
        f" WHERE {_draw('answer', 10)} >= told.above AND {_draw('answer', 10)} < told.below"
        " UNION ALL SELECT 'a' || c, 'c' || c, 'email', 'Win-back by agency', NULL,"
        f" TIMESTAMP '2023-09-01' + to_days((hash(c, 'agency') % 250)::INTEGER), 'sent' FROM range({CUSTOMERS}) t(c)"
        " UNION ALL SELECT 'w' || c || '-' || n, 'c' || c, 'email', 'play_winback', 'winback-' || day,"
        " day + to_hours(33), 'delivered' FROM " + _CONTACTS + " WHERE arm = 'treatment'"
    ),
    "consents": (
        f"SELECT 'c' || c AS customer_id, 'email' AS channel, 'marketing' AS purpose, {_at('consent')} AS changed_at,"
        f" CASE {_draw('consent status', 3)} WHEN 0 THEN 'withdrawn' ELSE 'granted' END AS status {_rows(2)}"
    ),
    "suppressions": (
        "SELECT 'person' || c || '@example.com' AS email, 'email' AS channel, 'bounced' AS reason,"
        f" TIMESTAMP '2024-01-02' AS suppressed_at FROM range(0, {CUSTOMERS}, 9) t(c)"
    ),
    "loyalty": (
        f"SELECT 'l' || c || '-' || n AS entry_id, 'c' || c AS customer_id, {_at('points')} AS occurred_at,"
        f" {_draw('points', 100)} - 30 AS points, CASE WHEN points > 0 THEN (occurred_at + to_days(365))::DATE END"
        f" AS expires_on {_rows(5)}"
    ),
    "marketing_costs": (
        "SELECT 'Win-back by agency' AS campaign, DATE '2023-01-15' + to_months(n::INTEGER) AS day, 20 AS amount,"
        " 'EUR' AS currency FROM range(18) t(n)"
    ),
    "fx_rates": (
        "SELECT DATE '2022-12-01' + (n * 20)::INTEGER AS day, 'USD' AS currency, 0.9 + n / 1000 AS rate_to_business"
        " FROM range(30) t(n)"
    ),
    "erasure_requests": "SELECT 'c7' AS customer_id, TIMESTAMP '2024-05-05 10:00:00' AS requested_at",
}  # fmt: skip


@contextmanager
def small_warehouse(path: Path, kind: str = "hybrid") -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse with the raw rows of all feeds; the day is set by `set_day`."""
    with open_warehouse(path) as con:
        create_layout(con)
        con.execute(
            "INSERT INTO control.run (as_of, business, kind, timezone, currency, salt, week_starts_on, first_day,"
            " inactivity_days, horizon_days, early_days, history_days, term_end_is_churn, involuntary_reasons,"
            " gross_margin, has_consents, primary_source, joins_sources, rhythm_percentile, rhythm_min_intervals)"
            " VALUES (?, 'small', ?, 'Europe/Paris', 'EUR', 'a salt of a test', 1, ?, 45, 30, 60, 90, false,"
            " ['deceased'], 0.5, true, 'billing', true, 90, 3)",
            [LAST_DAY, kind, FIRST_DAY],
        )
        con.execute("INSERT INTO control.sources VALUES ('billing', 0), ('crm', 1), ('support', 2)")
        write_score_settings(con, SegmentSettings())
        for batch, feed in enumerate(CONTRACTS, start=1):
            con.execute("INSERT INTO control.feeds VALUES (?, ?)", [feed, feed in _FEEDS])
            if feed in _FEEDS:
                _insert(con, feed, batch)
        con.execute("INSERT INTO control.survey_campaigns SELECT 'nps', 'newsletter_2024-0' || n FROM range(2, 5) t(n)")
        _label(con)
        con.execute(
            "INSERT INTO control.contacts SELECT day, 'winback', left(sha256('a salt of a test:c' || c), 24), arm,"
            " CASE n % 2 WHEN 0 THEN 'news' ELSE 'discount' END, 'email', 'winback-1', 'winback-' || day, 'win_back',"
            f" 0.5, CASE n % 2 WHEN 0 THEN 0 ELSE 0.1 END FROM {_CONTACTS} ORDER BY ALL"
        )
        yield con


def _label(con: duckdb.DuckDBPyConnection) -> None:
    for text, language, sentiment, thousandths, theme in _TEXTS:
        cause = "unknown" if theme == "praise" else theme
        con.execute(
            "INSERT INTO voice.text_labels VALUES (sha256(?), ?, ?, ?::DECIMAL(9,3) / 1000, ?, ?, ?, 1, 'test')",
            [text, language, sentiment, thousandths, theme, cause, "unknown" if cause == "unknown" else "rule"],
        )
    for reason, cause in _REASONS.items():
        con.execute(
            "INSERT INTO voice.reason_labels VALUES (sha256(?), ?, ?)",
            [reason, cause, "unknown" if cause == "unknown" else "reason"],
        )


def _insert(con: duckdb.DuckDBPyConnection, feed: str, batch: int) -> None:
    contract = CONTRACTS[feed]
    con.execute(f"CREATE OR REPLACE TEMP TABLE made AS SELECT * FROM ({_FEEDS[feed]}) ORDER BY ALL")
    named = [row[0] for row in con.execute("DESCRIBE made").fetchall()]
    known = f"(\"{contract.time}\" AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Paris')::DATE"
    if contract.time is None or contract.column(contract.time).type.value == "DATE":
        known = contract.time or "NULL"
    columns = ", ".join(map(identifier, named))
    con.execute(
        f"INSERT INTO raw.{identifier(feed)} (_batch_id, _line, _known_on, _line_id, {columns})"
        f" SELECT ?, row_number() OVER (), {known}, row_number() OVER (), * FROM made",
        [batch],
    )
    con.execute(
        "INSERT INTO raw.ledger (batch_id, feed, path, content_hash, size_bytes, rows_read, rows_loaded,"
        " rows_quarantined, rows_skipped, status, files, mapping_hash)"
        " VALUES (?, ?, ?, '', 0, 0, 0, 0, 0, 'loaded', '', '')",
        [batch, feed, f"{feed}.csv"],
    )


def set_day(path: Path, day: date) -> None:
    """Let the next build compute `day`."""
    with open_warehouse(path) as con:
        con.execute("UPDATE control.run SET as_of = ?", [day])
