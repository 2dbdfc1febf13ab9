"""What a pipeline reports beside what really happened: every loss of every customer, by kind, day and money."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb

from retention_pipeline.quoting import literal
from retention_pipeline.simulator.vocabulary import MOVEMENTS

UNDECIDED_CAUSES = ("administrative_error", "moved_or_closed", "deceased")
"""Causes for which a request to cancel is no decision of the customer: such a loss is involuntary."""


@dataclass(frozen=True)
class Pair:
    """Losses that the truth calls one thing and the pipeline another, or the same.

    Attributes:
        truth: The kind of end that really happened; `none` where nothing did.
        reported: The kind of end that the pipeline reports; `none` where it reports nothing.
        losses: How many.
        early_differs: Of how many only one side says that they were early.
        known_differs: Of how many the day differs from which they are known.
        largest_difference: The largest difference of the monthly revenue lost, in business currency.
    """

    truth: str
    reported: str
    losses: int
    early_differs: int
    known_differs: int
    largest_difference: Decimal

    @property
    def agrees(self) -> bool:
        """Whether both sides say the same of all of them; money may differ in the last digit."""
        same = self.truth == self.reported and self.early_differs == 0 and self.known_differs == 0
        return same and self.largest_difference <= Decimal("0.0005")


def confusion(warehouse: Path, truth: Path) -> list[Pair]:
    """The confusion table of churn: truth against `marts.fct_churn_events`, customer by customer and day by day.

    A loss is the same on both sides where customer and day are. Customers of the truth are those of the exports, so the
    warehouse's own list of ids joins the two.

    Args:
        warehouse: The DuckDB file of a pipeline that ran on the exports, as of their last day.
        truth: The folder of the truth.
    """
    undecided = ", ".join(map(literal, UNDECIDED_CAUSES))
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"ATTACH {literal(str(warehouse))} AS warehouse (READ_ONLY)")
        rows = con.execute(
            "WITH truth AS (SELECT customer_id, happened_on, known_on, is_early, mrr_lost,"
            f" CASE WHEN end_kind = 'cancelled' AND cause IN ({undecided}) THEN 'involuntary' ELSE end_kind END AS kind"
            " FROM read_parquet(?)),"
            " reported AS (SELECT person.customer_id, event.happened_on, event.known_on, event.is_early,"
            " coalesce(event.mrr_lost, 0) AS mrr_lost, event.end_kind AS kind"
            " FROM warehouse.marts.fct_churn_events AS event"
            " JOIN warehouse.intermediate.int_customers AS person USING (customer_key))"
            " SELECT coalesce(truth.kind, 'none'), coalesce(reported.kind, 'none'), count(*),"
            " count(*) FILTER (WHERE truth.is_early <> reported.is_early),"
            " count(*) FILTER (WHERE truth.known_on <> reported.known_on),"
            " coalesce(max(abs(truth.mrr_lost - reported.mrr_lost)), 0)"
            " FROM truth FULL JOIN reported"
            " ON reported.customer_id = truth.customer_id AND reported.happened_on = truth.happened_on"
            " GROUP BY ALL ORDER BY ALL",
            [str(truth / "endings" / "*.parquet")],
        ).fetchall()
    return [Pair(*row) for row in rows]


def revenue_differences(warehouse: Path, truth: Path) -> tuple[int, list[tuple[object, ...]]]:
    """Monthly recurring revenue of each day: the books against `marts.mrr_daily`, to the ten-thousandth.

    Args:
        warehouse: The DuckDB file of a pipeline that ran on the exports, as of their last day.
        truth: The folder of the truth.

    Returns:
        How many days the books have, and (day, figure, in the books, reported) of every figure that differs: opening,
        movements, closing and paying customers.
    """
    figures = {name: f"mrr_{name}" for name in ("opening", *MOVEMENTS, "closing")} | {"customers": "paying_customers"}
    with duckdb.connect() as con:
        con.execute(f"ATTACH {literal(str(warehouse))} AS warehouse (READ_ONLY)")
        con.execute(
            "CREATE TEMP TABLE both_sides AS SELECT coalesce(told.day, reported.day) AS day, told, reported"
            f" FROM read_parquet({literal(str(truth / 'mrr_by_day' / '*.parquet'))}) AS told"
            " FULL JOIN warehouse.marts.mrr_daily AS reported"
            " ON reported.day = told.day"
        )
        rows = con.execute(
            " UNION ALL ".join(
                f"SELECT day, '{told}', told.{told}, reported.{reported} FROM both_sides"
                f" WHERE told.{told} IS DISTINCT FROM reported.{reported}"
                for told, reported in figures.items()
            )
            + " ORDER BY ALL"
        ).fetchall()
        days = con.execute("SELECT count(told) FROM both_sides").fetchall()[0][0]
    return days, rows


def books_from_exports(exports: Path) -> list[tuple[str, Decimal]]:
    """Monthly recurring revenue at the end of each day, worked out from the exported subscriptions and rates alone.

    A subscription counts from the end of its trial to its end and not while it is paused, net of a running discount, at
    the rate of the day; test accounts do not count.

    Returns:
        Day and MRR in business currency.
    """
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        for name in ("billing_subscriptions", "fx_rates", "crm_customers"):
            con.execute(
                f"CREATE VIEW {name} AS SELECT DISTINCT * FROM read_csv({literal(str(exports / name))} || '_*.csv.zst',"
                " all_varchar = true)"
            )
        # Whole ten-thousandths: nothing is lost in rounding.
        con.execute(
            "CREATE MACRO monthly(amount, rate, months) AS ((amount * 10000)::HUGEINT * (rate * 100000000)::HUGEINT"
            " + months * 50000000) // (months * 100000000)"
        )
        return [(day, Decimal(int(mrr)) / 10_000) for day, mrr in con.execute(_BOOKS_SQL).fetchall()]


_BOOKS_SQL = """
WITH versions AS (
    SELECT
        subscription_id, currency, price::DECIMAL(18,4) * seats::BIGINT AS gross, discount::DECIMAL(18,4) AS discount,
        CASE billed_every WHEN 'year' THEN 12 ELSE 1 END AS months, version_at[:10]::DATE AS valid_from,
        started_at[:10]::DATE AS started_on, trial_ends_at[:10]::DATE AS trial_ends_on, ended_at[:10]::DATE AS ended_on,
        paused_at[:10]::DATE AS paused_on, discount_ends_at[:10]::DATE AS discount_ends_on,
        lead(version_at[:10]::DATE) OVER (PARTITION BY subscription_id ORDER BY version_at) AS valid_to
    FROM billing_subscriptions
    WHERE customer_id NOT IN (SELECT customer_id FROM crm_customers WHERE is_test = 'true')
),
days AS (
    SELECT unnest(generate_series(min(day::DATE), (SELECT max(valid_from) FROM versions), INTERVAL 1 DAY))::DATE AS day
    FROM fx_rates
),
rates AS (
    SELECT day, 'EUR' AS currency, 1::DECIMAL(18,8) AS rate FROM days
    UNION ALL
    SELECT days.day, fx.currency, fx.rate_to_business::DECIMAL(18,8)
    FROM days ASOF JOIN (SELECT day::DATE AS day, currency, rate_to_business FROM fx_rates WHERE currency = 'USD') AS fx
        ON fx.day <= days.day
    UNION ALL
    SELECT days.day, fx.currency, fx.rate_to_business::DECIMAL(18,8)
    FROM days ASOF JOIN (SELECT day::DATE AS day, currency, rate_to_business FROM fx_rates WHERE currency = 'GBP') AS fx
        ON fx.day <= days.day
    UNION ALL
    SELECT days.day, fx.currency, fx.rate_to_business::DECIMAL(18,8)
    FROM days ASOF JOIN (SELECT day::DATE AS day, currency, rate_to_business FROM fx_rates WHERE currency = 'CHF') AS fx
        ON fx.day <= days.day
)
SELECT
    days.day::VARCHAR,
    coalesce(sum(
        monthly(versions.gross, rates.rate, versions.months)
        - CASE WHEN versions.discount_ends_on > days.day
            THEN monthly(versions.discount, rates.rate, versions.months) ELSE 0 END
    ), 0)::HUGEINT AS mrr
FROM days
LEFT JOIN versions
    ON versions.valid_from <= days.day AND (versions.valid_to IS NULL OR versions.valid_to > days.day)
    AND greatest(versions.started_on, versions.trial_ends_on) <= days.day
    AND (versions.ended_on IS NULL OR versions.ended_on > days.day)
    AND versions.paused_on IS NULL
LEFT JOIN rates ON rates.day = days.day AND rates.currency = versions.currency
GROUP BY days.day
ORDER BY days.day
"""


_MESSAGES = ("delivered", "opened", "clicked", "bounced", "unsubscribed", "complained")


def message_differences(warehouse: Path, truth: Path) -> tuple[int, list[tuple[object, ...]]]:
    """How many months were compared, and the channels whose counts in `marts.email_monthly` differ from the truth.

    Args:
        warehouse: The DuckDB file of a pipeline that ran on the exports, as of their last day, with no late rows.
        truth: The folder of the truth.
    """
    counted = ", ".join(f"count(*) FILTER (WHERE {event}) AS {event}" for event in _MESSAGES)
    return _differences(
        warehouse,
        f"SELECT date_trunc('month', day)::DATE AS month_start, channel, count(*) AS sent, {counted}"
        " FROM read_parquet(?) ANTI JOIN (SELECT customer_id FROM read_parquet(?) WHERE is_test) USING (customer_id)"
        " GROUP BY ALL",
        f"SELECT month_start, channel, sent, {', '.join(_MESSAGES)} FROM warehouse.marts.email_monthly"
        " WHERE channel <> 'all'",
        [str(truth / "messages" / "*.parquet"), str(truth / "customers.parquet")],
    )


def payment_differences(warehouse: Path, truth: Path) -> tuple[int, list[tuple[object, ...]]]:
    """How many months were compared, and those whose failures and recoveries differ, in `payment_recovery_monthly`.

    An invoice is recovered by a try that succeeds after a first one that failed, valued at the rate of the failure.

    Args:
        warehouse: The DuckDB file of a pipeline that ran on the exports, as of their last day.
        truth: The folder of the truth.
    """
    return _differences(
        warehouse,
        "WITH invoices AS (SELECT invoice, min(day) FILTER (WHERE is_first) AS day,"
        " bool_or(is_first AND is_failed) AS failed, bool_or(NOT is_failed) AS paid,"
        " max(value) FILTER (WHERE is_first) AS amount FROM read_parquet(?)"
        " ANTI JOIN (SELECT customer_id FROM read_parquet(?) WHERE is_test) USING (customer_id) GROUP BY invoice)"
        " SELECT date_trunc('month', day)::DATE AS month_start, count(*), count(*) FILTER (WHERE failed),"
        " count(*) FILTER (WHERE failed AND paid), coalesce(sum(amount) FILTER (WHERE failed), 0)::DECIMAL(18,4),"
        " coalesce(sum(amount) FILTER (WHERE failed AND paid), 0)::DECIMAL(18,4) FROM invoices GROUP BY ALL",
        "SELECT month_start, first_attempts, failed_payment_rate_numerator, invoice_recovery_rate_numerator,"
        " recovery_rate_denominator, recovery_rate_numerator FROM warehouse.marts.payment_recovery_monthly"
        " WHERE dimension = 'all'",
        [str(truth / "payments" / "*.parquet"), str(truth / "customers.parquet")],
    )


def _differences(warehouse: Path, told: str, reported: str, files: list[str]) -> tuple[int, list[tuple[object, ...]]]:
    """How many rows are told, and the rows that only one side has."""
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"ATTACH {literal(str(warehouse))} AS warehouse (READ_ONLY)")
        ours = con.execute(told, files).fetchall()
        theirs = con.execute(reported).fetchall()
    return len(ours), sorted(set(ours) ^ set(theirs), key=str)
