"""What the exports look like: for each feed its file, format, columns, and the SQL that writes them from numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retention_pipeline.quoting import identifier, literal
from retention_pipeline.simulator import vocabulary as words


@dataclass(frozen=True)
class ExportFeed:
    """One family of export files.

    Attributes:
        stem: How the file names begin; the delivery day follows.
        columns: Column of the export, and the SQL of its value.
        format: csv, semicolon (as French office programs write it), parquet or jsonl.
        cadence: How often a file comes by default.
        comes_late: Whether some rows come late or twice.
        key: The column of numbers that names a record; a file holds each record once, as it stands on delivery.
    """

    stem: str
    columns: tuple[tuple[str, str], ...]
    format: str = "csv"
    cadence: str = "day"
    comes_late: bool = False
    key: str = ""


def code(column: str, names: Sequence[str]) -> str:
    """SQL of the name of a code; null for -1."""
    own = identifier(column)
    return f"CASE WHEN {own} >= 0 THEN ([{', '.join(map(literal, names))}])[{own}::INTEGER + 1] END"


def moment(column: str) -> str:
    """SQL of a UTC time; null for -1."""
    own = identifier(column)
    return f"CASE WHEN {own} >= 0 THEN replace(make_timestamp({own} * 1000000)::VARCHAR, ' ', 'T') || 'Z' END"


def stamp(column: str) -> str:
    """SQL of a timestamp for Parquet; null for -1."""
    return f"CASE WHEN {identifier(column)} >= 0 THEN make_timestamp({identifier(column)} * 1000000) END"


def day(column: str) -> str:
    """SQL of a date; null for -1."""
    return f"CASE WHEN {identifier(column)} >= 0 THEN DATE '1970-01-01' + {identifier(column)}::INTEGER END"


def money(column: str) -> str:
    """SQL of an amount in ten-thousandths."""
    return f"({identifier(column)}::BIGINT / 10000)::DECIMAL(18,4)"


def numbered(prefix: str, column: str, digits: int = 7) -> str:
    """SQL of an id; null for -1."""
    own = identifier(column)
    return f"CASE WHEN {own} >= 0 THEN {literal(prefix)} || lpad({own}::VARCHAR, {digits}, '0') END"


CUSTOMER = numbered("C", "customer")
BILLING_ID = f"CASE WHEN other_id THEN {numbered('cus_', 'customer')} ELSE {CUSTOMER} END"
SUPPORT_ID = f"CASE WHEN other_id THEN {numbered('S', 'customer')} ELSE {CUSTOMER} END"
_FIRST_NAMES = ("camille", "leo", "ines", "hugo", "zoe", "adam", "lina", "noah", "emma", "jules", "sara", "louis")
_LAST_NAMES = (
    "martin",
    "bernard",
    "smith",
    "dubois",
    "jones",
    "petit",
    "brown",
    "moreau",
    "taylor",
    "laurent",
    "garcia",
)
_PRODUCTS = ("template pack", "training hour", "extra storage", "priority setup", "data import", "seat pack", "e-book")
_GOODS = ("mug", "notebook", "lamp", "cushion", "tea box", "candle", "poster", "backpack", "vase", "blanket", "clock")
_CATEGORIES = ("digital", "services", "home", "office")
EMAIL = (
    f"(({[*_FIRST_NAMES]!r})[customer % {len(_FIRST_NAMES)} + 1] || '.' || "
    f"({[*_LAST_NAMES]!r})[customer % {len(_LAST_NAMES)} + 1] || customer::VARCHAR || '@example.com')"
)
PHONE = "'+33 6 39 98 ' || lpad((customer % 10000)::VARCHAR, 4, '0')"

FEEDS: dict[str, ExportFeed] = {
    "customers": ExportFeed(
        "crm_customers",
        (
            ("customer_id", CUSTOMER),
            ("created_at", moment("at")),
            ("country", code("country", words.COUNTRIES)),
            ("language", "CASE WHEN language = 0 THEN 'fr' ELSE 'en' END"),
            ("birth_year", "birth_year"),
            ("gender", code("gender", words.GENDERS)),
            ("acquisition_channel", code("acquisition", words.ACQUISITION)),
            ("company_size", code("size", words.COMPANY_SIZES)),
            ("industry", code("industry", words.INDUSTRIES)),
            ("preferred_channel", code("channel", words.CHANNELS)),
            ("email", EMAIL),
            ("phone", PHONE),
            ("referred_by", numbered("C", "referrer")),
            ("is_test", "is_test"),
            ("newsletter_topic", "(['product', 'tips', 'offers'])[customer % 3 + 1]"),
        ),
        cadence="week",
        key="customer",
    ),
    "identities": ExportFeed(
        "id_links",
        (
            ("customer_id", CUSTOMER),
            ("source", code("source", ("billing", "support"))),
            (
                "source_id",
                f"CASE WHEN source = 0 THEN {numbered('cus_', 'customer')} ELSE {numbered('S', 'customer')} END",
            ),
            ("linked_at", moment("at")),
        ),
        cadence="month",
    ),
    "order_lines": ExportFeed(
        "shop_order_lines",
        (
            ("order_id", numbered("O", "order_id")),
            ("customer_id", CUSTOMER),
            ("ordered_at", stamp("at")),
            ("sku", "'SKU-' || product::VARCHAR"),
            (
                "description",
                "CASE WHEN product < 0 THEN 'shipping' WHEN product < 100"
                f" THEN ({[*_PRODUCTS]!r})[product % {len(_PRODUCTS)} + 1]"
                f" ELSE ({[*_GOODS]!r})[product % {len(_GOODS)} + 1] END",
            ),
            (
                "category",
                f"({[*_CATEGORIES]!r})[CASE WHEN product < 100 THEN product % 2 ELSE 2 + product % 2 END + 1]",
            ),
            ("quantity", "quantity"),
            ("unit_price", money("unit_price")),
            ("discount", money("discount")),
            ("tax", money("tax")),
            ("unit_cost", money("unit_cost")),
            ("currency", code("currency", words.CURRENCIES)),
            ("kind", code("kind", words.LINE_KINDS)),
        ),
        format="parquet",
        cadence="month",
        comes_late=True,
    ),
    "subscriptions": ExportFeed(
        "billing_subscriptions",
        (
            ("subscription_id", numbered("sub_", "subscription")),
            ("version_at", moment("at")),
            ("customer_id", CUSTOMER),
            ("plan", code("plan", words.PLANS)),
            ("price", money("price")),
            ("currency", code("currency", words.CURRENCIES)),
            ("seats", "seats"),
            ("billed_every", "CASE WHEN months = 12 THEN 'year' ELSE 'month' END"),
            ("started_at", moment("started")),
            ("trial_ends_at", moment("trial_ends")),
            ("current_period_ends_at", moment("next_bill")),
            ("paused_at", moment("paused")),
            ("resumes_at", moment("resumes")),
            ("cancel_requested_at", moment("requested")),
            ("cancel_reason", code("reason", words.REASON_CODES)),
            ("ended_at", moment("ended")),
            ("contract_ends_at", moment("contract_ends")),
            ("discount", money("discount")),
            ("discount_ends_at", moment("discount_ends")),
        ),
    ),
    "invoices": ExportFeed(
        "billing_invoices",
        (
            ("invoice_id", numbered("in_", "invoice", 8)),
            ("customer_id", BILLING_ID),
            ("subscription_id", numbered("sub_", "subscription")),
            ("issued_at", moment("at")),
            ("due_at", moment("due")),
            ("amount_due", money("amount")),
            ("amount_paid", f"CASE WHEN paid >= 0 THEN {money('amount')} ELSE 0 END"),
            ("currency", code("currency", words.CURRENCIES)),
            ("status", code("status", ("open", "paid", "uncollectible"))),
            ("paid_at", moment("paid")),
        ),
        cadence="week",
        key="invoice",
    ),
    "payment_attempts": ExportFeed(
        "billing_attempts",
        (
            ("attempt_id", numbered("ch_", "attempt", 8)),
            ("invoice_id", numbered("in_", "invoice", 8)),
            ("customer_id", BILLING_ID),
            ("attempted_at", moment("at")),
            ("amount", money("amount")),
            ("currency", code("currency", words.CURRENCIES)),
            ("outcome", "CASE WHEN code < 0 THEN 'succeeded' ELSE 'failed' END"),
            ("failure_code", code("code", words.DECLINES)),
            ("method", "'card'"),
            ("card_expires_on", day("card_expires")),
        ),
        cadence="week",
    ),
    "usage": ExportFeed(
        "app_usage",
        (
            ("customer_id", CUSTOMER),
            ("used_on", day("day")),
            ("feature", code("feature", words.FEATURES)),
            ("events", "events"),
            ("minutes", "minutes::DOUBLE"),
        ),
        format="parquet",
        cadence="month",
        comes_late=True,
    ),
    "events": ExportFeed(
        "app_events",
        (
            ("event_id", numbered("e", "event", 9)),
            ("customer_id", CUSTOMER),
            ("occurred_at", stamp("at")),
            ("name", code("name", words.EVENTS)),
            (
                "properties",
                "CASE name WHEN 6 THEN json_object('milestone', (['first_project', 'first_report', 'team_invited'])"
                "[number::INTEGER]) WHEN 4 THEN json_object('value', number)"
                " WHEN 7 THEN json_object('feature', 'reports')"
                " ELSE '{}' END::VARCHAR",
            ),
        ),
        format="parquet",
        cadence="month",
        comes_late=True,
    ),
    "tickets": ExportFeed(
        "support_tickets",
        (
            ("ticket_id", numbered("T", "ticket", 8)),
            ("customer_id", SUPPORT_ID),
            ("opened_at", moment("at")),
            ("first_response_at", moment("answered")),
            ("solved_at", moment("solved")),
            ("reopened_count", "reopened"),
            ("channel", "CASE WHEN ticket % 3 = 0 THEN 'chat' ELSE 'email' END"),
            ("kind", code("kind", words.TICKET_KINDS)),
            ("priority", code("priority", words.PRIORITIES)),
            ("satisfaction", code("satisfaction", ("bad", "good"))),
            ("subject", "subject"),
            ("body", "body"),
        ),
        cadence="week",
        key="ticket",
    ),
    "survey_responses": ExportFeed(
        "survey_answers",
        (
            ("response_id", numbered("R", "response", 8)),
            ("respondent", f"{{'customer_id': {CUSTOMER}}}"),
            ("survey", code("survey", words.SURVEYS)),
            ("asked_at", moment("asked")),
            ("answered_at", moment("at")),
            ("score", "CASE WHEN score >= 0 THEN score END"),
            ("reason", code("reason", words.REASON_CODES)),
            ("comment", "comment"),
        ),
        format="jsonl",
        cadence="month",
    ),
    "reviews": ExportFeed(
        "public_reviews",
        (
            ("review_id", numbered("V", "review")),
            ("customer_id", f"CASE WHEN known THEN {CUSTOMER} END"),
            ("posted_at", moment("at")),
            ("source", "(['appfinder', 'reviewhub'])[review % 2 + 1]"),
            ("rating", "rating"),
            ("text", "comment"),
        ),
        cadence="month",
    ),
    "messages": ExportFeed(
        "mail_events",
        (
            ("message_id", numbered("m", "message", 9)),
            ("customer_id", CUSTOMER),
            ("campaign", "campaign"),
            ("list_id", "nullif(list_id, '')"),
            ("channel", code("channel", words.CHANNELS)),
            ("event", code("event", words.MESSAGE_EVENTS)),
            ("occurred_at", stamp("at")),
        ),
        format="parquet",
        cadence="month",
        comes_late=True,
    ),
    "consents": ExportFeed(
        "consent_changes",
        (
            ("customer_id", CUSTOMER),
            ("channel", code("channel", words.CHANNELS)),
            ("purpose", "CASE WHEN purpose = 0 THEN 'marketing' ELSE 'service' END"),
            ("status", "CASE WHEN granted THEN 'granted' ELSE 'withdrawn' END"),
            ("changed_at", moment("at")),
            ("source", "CASE WHEN granted THEN 'signup form' ELSE 'preference page' END"),
        ),
        cadence="month",
    ),
    "loyalty": ExportFeed(
        "points_ledger",
        (
            ("entry_id", numbered("p", "entry", 8)),
            ("customer_id", CUSTOMER),
            ("occurred_at", moment("at")),
            ("points", "points"),
            ("reason", code("reason", words.POINT_REASONS)),
            ("expires_on", day("expires")),
        ),
        cadence="month",
    ),
    "marketing_costs": ExportFeed(
        "marketing_costs",
        (
            ("campagne", "campaign"),
            ("jour", f"strftime({day('day')}, '%d/%m/%Y')"),
            ("montant", f"replace({money('amount')}::DECIMAL(18,2)::VARCHAR, '.', ',')"),
        ),
        format="semicolon",
        cadence="month",
    ),
    "fx_rates": ExportFeed(
        "fx_rates",
        (
            ("day", day("day")),
            ("currency", code("currency", words.CURRENCIES)),
            ("rate_to_business", "rate / 100000000"),
        ),
        cadence="month",
    ),
    "erasure_requests": ExportFeed(
        "erasure_requests", (("customer_id", CUSTOMER), ("requested_at", moment("at"))), cadence="month"
    ),
    "suppressions": ExportFeed(
        "mail_suppressions",
        (
            ("email", EMAIL),
            ("channel", code("channel", words.CHANNELS)),
            ("reason", code("reason", ("bounced", "complained", "unsubscribed"))),
            ("suppressed_at", moment("at")),
        ),
        cadence="month",
    ),
}
"""Feed → its export files."""
