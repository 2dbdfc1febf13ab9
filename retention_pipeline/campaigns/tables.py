"""The tables of decisions, declared once: columns, types and meanings."""

from __future__ import annotations

from collections.abc import Mapping

from duckdb import DuckDBPyConnection

from retention_pipeline.quoting import identifier, literal

_MONEY = "DECIMAL(18,2)"

TABLES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "campaign_targets": {
        "as_of": ("DATE NOT NULL", "Day at whose end was decided."),
        "play": ("VARCHAR NOT NULL", "The play, as named in retention.yaml."),
        "customer_key": ("VARCHAR NOT NULL", "Pseudonymous key of the customer."),
        "offer": ("VARCHAR NOT NULL", "The most profitable offer of the play for this customer."),
        "channel": ("VARCHAR NOT NULL", "Channel of the message."),
        "language": (
            "VARCHAR NOT NULL",
            "Language of the message, that of the business where the customer's is unknown.",
        ),
        "send_at": ("TIMESTAMP NOT NULL", "When to send, local time of the business."),
        "expires_on": ("DATE NOT NULL", "Last day on which the offer holds."),
        "reason_codes": ("VARCHAR NOT NULL", "Codes of the reasons that hold, in alphabetical order, separated by |."),
        "churn_probability": (
            "DOUBLE",
            "Probability of being lost within the horizon, 0 to 1, six digits; missing for who is not scored.",
        ),
        "value_at_stake": (_MONEY, "What is lost with the customer over the value horizon, in business currency."),
        "expected_uplift": ("DOUBLE NOT NULL", "Customers kept or brought back per customer contacted, 0 to 1."),
        "expected_profit": (f"{_MONEY} NOT NULL", "Uplift times value minus cost, in business currency."),
        "cost": (f"{_MONEY} NOT NULL", "Expected cost of contacting with this offer, in business currency."),
        "priority_rank": ("INTEGER NOT NULL", "Rank within the play by expected profit, 1 the highest, both arms."),
        "arm": ("VARCHAR NOT NULL", "treatment: is on the list; control: would be, and is not contacted."),
        "experiment_id": ("VARCHAR NOT NULL", "Play and digest of its definition: what may be measured together."),
        "personalisation": ("VARCHAR NOT NULL", "Fields for the text of the message, a JSON object."),
    },
    "campaign_exclusions": {
        "as_of": ("DATE NOT NULL", "Day at whose end was decided."),
        "play": ("VARCHAR NOT NULL", "The play for which the customer qualifies."),
        "customer_key": ("VARCHAR NOT NULL", "Pseudonymous key of the customer."),
        "reason": ("VARCHAR NOT NULL", "The first reason for which the customer is on no list of the play."),
    },
    "campaign_summary": {
        "as_of": ("DATE NOT NULL", "Day at whose end was decided."),
        "play": ("VARCHAR NOT NULL", "The play, as named in retention.yaml."),
        "eligible": ("BIGINT NOT NULL", "Customers who qualify: treatment + control + excluded."),
        "treatment": ("BIGINT NOT NULL", "Customers on the list."),
        "control": ("BIGINT NOT NULL", "Customers selected and not contacted."),
        "excluded": ("BIGINT NOT NULL", "Customers who qualify and were left out."),
        "cost": (f"{_MONEY} NOT NULL", "Expected cost of the treatment arm, in business currency."),
        "expected_profit": (f"{_MONEY} NOT NULL", "Expected profit of the treatment arm, in business currency."),
        "note": ("VARCHAR NOT NULL", "What a person should know of the list; empty where all is as usual."),
    },
}
"""Table of schema `decisions` → column → type and meaning."""


def column_definitions(table: str) -> str:
    """The columns of `table` as in CREATE TABLE."""
    return ", ".join(f"{identifier(name)} {kind}" for name, (kind, _) in TABLES[table].items())


def create_tables(con: DuckDBPyConnection) -> None:
    """Create the tables anew, without rows; to be called inside the transaction that fills them."""
    con.execute("CREATE SCHEMA IF NOT EXISTS decisions")
    for table, columns in TABLES.items():
        con.execute(f"CREATE OR REPLACE TABLE decisions.{table} ({column_definitions(table)})")
        for name, (_, meaning) in columns.items():
            con.execute(f"COMMENT ON COLUMN decisions.{table}.{identifier(name)} IS {literal(meaning)}")
