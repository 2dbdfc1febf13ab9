"""What must hold for the segments of a day before they are published."""

from __future__ import annotations

from collections.abc import Mapping

from duckdb import DuckDBPyConnection

PARTITION, SIZES = "every_active_customer_in_one_segment", "sizes_add_up"

_BROKEN: Mapping[str, str] = {
    PARTITION: """
        SELECT (SELECT count(*) FROM (
            SELECT customer_key FROM marts.customer_360 WHERE is_active
            EXCEPT ALL SELECT customer_key FROM decisions.micro_segments
        )) + (SELECT count(*) FROM (
            SELECT customer_key FROM decisions.micro_segments
            EXCEPT ALL SELECT customer_key FROM marts.customer_360 WHERE is_active
        ))
    """,
    SIZES: """
        SELECT count(*)
        FROM (SELECT segment, count(*) AS customers FROM decisions.micro_segments GROUP BY segment) AS own
        FULL JOIN decisions.personas AS persona ON persona.segment = own.segment
        WHERE persona.customers IS DISTINCT FROM own.customers
            OR abs(persona.share - own.customers / (SELECT count(*) FROM decisions.micro_segments)) > 0.000001
    """,
}

SENTENCES: Mapping[str, str] = {
    PARTITION: "Every active customer is in exactly one segment, and nobody else.",
    SIZES: "The personas are the segments that have customers, with their sizes and shares.",
}
"""Check → what it says."""


def broken_rows(con: DuckDBPyConnection) -> dict[str, int]:
    """Check → customers or segments that break it."""
    return {check: int(con.execute(query).fetchall()[0][0]) for check, query in _BROKEN.items()}
