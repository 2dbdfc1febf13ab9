"""Reads from the warehouse what the pictures of the report show, and draws them."""

from __future__ import annotations

from collections.abc import Callable, Collection

from duckdb import DuckDBPyConnection

from retention_pipeline.quoting import identifier
from retention_pipeline.report.collecting import table_columns
from retention_pipeline.report.plots import (
    active_customers_plot,
    calibration_plot,
    churn_rate_plot,
    cohort_heat_map,
    list_sizes_plot,
)

_SOURCES: tuple[tuple[str, Callable[..., bytes], str, tuple[str, ...], str], ...] = (
    (
        "active_customers",
        active_customers_plot,
        "marts.kpi_monthly",
        ("month_start", "customers_closing"),
        "WHERE is_complete",
    ),
    (
        "churn_rate",
        churn_rate_plot,
        "marts.kpi_monthly",
        ("month_start", "customer_churn_rate", "customer_churn_rate_low", "customer_churn_rate_high"),
        "WHERE is_complete",
    ),
    (
        "cohorts",
        cohort_heat_map,
        "marts.cohort_retention",
        ("cohort_start", "age", "retention_rate", "cohort_size"),
        "WHERE cohort_kind = 'first_active' AND cohort_unit = 'month' AND dimension = 'all'",
    ),
    ("calibration", calibration_plot, "decisions.churn_calibration", ("predicted", "observed", "customers"), ""),
    ("list_sizes", list_sizes_plot, "decisions.campaign_summary", ("play", "treatment", "control"), ""),
)
"""Name of the picture, what draws it, and the table, columns and rows that it shows."""

_RATES = frozenset({"retention_rate", "predicted", "observed", *_SOURCES[1][3][1:]})


def draw_pictures(con: DuckDBPyConnection, tables: Collection[str] | None = None) -> dict[str, bytes]:
    """The pictures of the report by name; one whose table is not there, or empty, is absent.

    Args:
        con: The warehouse.
        tables: Only those that show one of these tables, such as `marts.cohort_retention`; all by default.
    """
    pictures: dict[str, bytes] = {}
    for name, draw, table, columns, where in _SOURCES:
        if (tables is not None and table not in tables) or not set(columns) <= table_columns(con, table):
            continue
        shown = ", ".join(f"{identifier(column)}{'::DOUBLE' if column in _RATES else ''}" for column in columns)
        rows = con.execute(f"SELECT {shown} FROM {table} {where} ORDER BY ALL").fetchall()
        if rows:
            pictures[name] = draw(rows)
    return pictures
