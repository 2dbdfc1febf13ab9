"""The tables of micro-segments, declared once: columns, types and meanings."""

from __future__ import annotations

from collections.abc import Mapping

from duckdb import DuckDBPyConnection

from retention_pipeline.quoting import identifier, literal

TABLES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "micro_segments": {
        "as_of": ("DATE NOT NULL", "Day at whose end the customer was looked at."),
        "customer_key": ("VARCHAR NOT NULL", "Pseudonymous key of the customer."),
        "segment": ("INTEGER NOT NULL", "Number of the segment; never given to another one."),
        "distance": (
            "DOUBLE NOT NULL",
            "How far the customer is from the middle of the segment, in standard deviations of the behaviours.",
        ),
        "since": ("DATE NOT NULL", "Day on which the customer came into the segment."),
    },
    "personas": {
        "as_of": ("DATE NOT NULL", "Day at whose end customers were looked at."),
        "segment": ("INTEGER NOT NULL", "Number of the segment; never given to another one."),
        "name": ("VARCHAR NOT NULL", "What sets the segment apart most, in a few words; kept while the segment is."),
        "description": ("VARCHAR NOT NULL", "What sets it apart today, with medians against those of all customers."),
        "customers": ("BIGINT NOT NULL", "Active customers in the segment."),
        "share": ("DOUBLE NOT NULL", "Their share of the active customers, 0 to 1, six digits."),
        "arrived": ("BIGINT NOT NULL", "Customers who came over from another segment on the day."),
        "lifecycle_mix": ("VARCHAR NOT NULL", "Lifecycle stages with their shares of the segment, the largest first."),
        "stability": (
            "VARCHAR",
            "highly stable (Jaccard from 0.85), stable (0.75), doubtful (0.6) or unstable; missing where there is one.",
        ),
        "jaccard": (
            "DOUBLE",
            "Mean Jaccard similarity to the most similar cluster in resampled customers when the segments were found.",
        ),
        "silhouette": (
            "DOUBLE NOT NULL",
            "How well all segments fit today, 0 to 1: mean of 1 - distance to the nearest centre / that to the second.",
        ),
        "shift": ("DOUBLE NOT NULL", "Population stability index of the shares against the day they were found."),
        "found_on": ("DATE NOT NULL", "Day on which the segments were found."),
    },
    "persona_traits": {
        "segment": ("INTEGER NOT NULL", "Number of the segment."),
        "behaviour": ("VARCHAR NOT NULL", "What is compared, as in segments.micro.excluded."),
        "difference": (
            "DOUBLE NOT NULL",
            "Mean of the segment minus mean of all active customers, in standard deviations, after taking logarithms.",
        ),
        "median": ("DOUBLE NOT NULL", "Median of the segment, in the unit of the behaviour."),
        "median_all": ("DOUBLE NOT NULL", "Median of all active customers."),
        "mean": ("DOUBLE NOT NULL", "Mean of the segment."),
        "mean_all": ("DOUBLE NOT NULL", "Mean of all active customers."),
    },
}
"""Table of schema `decisions` → column → type and meaning."""


def create_tables(con: DuckDBPyConnection) -> None:
    """Create the tables anew, without rows; to be called inside the transaction that fills them."""
    con.execute("CREATE SCHEMA IF NOT EXISTS decisions")
    for table, columns in TABLES.items():
        listed = ", ".join(f"{identifier(name)} {kind}" for name, (kind, _) in columns.items())
        con.execute(f"CREATE OR REPLACE TABLE decisions.{table} ({listed})")
        for name, (_, meaning) in columns.items():
            con.execute(f"COMMENT ON COLUMN decisions.{table}.{identifier(name)} IS {literal(meaning)}")
