"""Metrics are declared once: what the declarations refuse, and what is written from them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest
import yaml

from retention_pipeline.errors import RetentionError
from retention_pipeline.metrics.declarations import definitions, read_marts
from retention_pipeline.metrics.models import metric_files
from retention_pipeline.metrics.values import newest_values, read_values, with_values

RATE = {"formula": "lost / opening", "unit": "share", "better": "lower", "source": "own definition"}


def column(name: str, metric: dict[str, str] | None = None) -> dict[str, object]:
    told = {"config": {"meta": {"metric": metric}}} if metric is not None else {}
    return {"name": name, "data_type": "double", "description": f"The {name}: it's in\nthe mart.", **told}


def mart(model: str, columns: list[dict[str, object]], **metrics: object) -> dict[str, object]:
    return {"name": model, "description": "A mart.", "columns": columns, "config": {"meta": {"metrics": metrics}}}


def by_month(name: str = "kpi", metric: dict[str, str] = RATE) -> dict[str, object]:
    names = ("month", "is_complete", "rate_numerator", "rate_denominator", "rate_low", "rate_high")
    return mart(name, [column("rate", metric), *map(column, names)], time="month", period="month")


def by_segment() -> dict[str, object]:
    names = ("month", "dimension", "segment")
    columns = [column("rate", RATE), column("other", {**RATE, "unit": "money"}), *map(column, names)]
    return mart("kpi_segments", columns, time="month", period="month", dimensions="long")


def by_plan_and_country() -> dict[str, object]:
    columns = [column("price", {**RATE, "unit": "money"}), *map(column, ("day", "plan", "country"))]
    return mart("prices", columns, time="day", period="day", dimensions={"plan": "plan", "country": "country"})


def by_name() -> dict[str, object]:
    names = ("month", "name", "campaign", "value", "numerator")
    meaning = {"definition": "What it is.", **RATE}
    told = {"time": "month", "period": "month", "name": "name", "dimensions": {"campaign": "campaign"}}
    return mart("indicators", [*map(column, names)], **told, named={"won": meaning, "lost": meaning})


def declared(folder: Path, *models: dict[str, object]) -> Path:
    for model in models:
        (folder / "retention").mkdir(exist_ok=True)
        text = yaml.safe_dump({"models": [model]}, sort_keys=False)
        (folder / "retention" / f"{model['name']}.yml").write_text(text, encoding="utf-8")
    return folder


def test_a_metric_is_defined_where_everybody_is_counted(tmp_path):
    marts = read_marts(declared(tmp_path, by_segment(), by_month()))
    assert [mart.name for mart in marts] == ["kpi", "kpi_segments"]
    found = definitions(marts)
    assert list(found) == ["other", "rate"]
    assert found["rate"].companions == ("numerator", "denominator", "low", "high")
    assert found["rate"].definition == "The rate: it's in the mart."


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"name": "kpi", "columns": [column("rate", RATE)]}, "without `config.meta.metrics`"),
        (mart("kpi", [column("rate", RATE), column("day")], time="day", period="year"), "period is 'year'"),
        (mart("kpi", [column("rate", RATE)], time="day", period="day"), "no column 'day'"),
        (
            mart("kpi", [column("rate", RATE), column("day")], time="day", period="day", dimensions="long"),
            "'dimension'",
        ),
        (by_month(metric={**RATE, "unit": "percent"}), "unit is 'percent'"),
        (by_month(metric={**RATE, "better": "up"}), "better is 'up'"),
        (by_month(metric={"formula": "x"}), "exactly formula, unit, better, source"),
        (by_month(metric={**RATE, "owner": "x"}), "exactly formula, unit, better, source"),
    ],
)
def test_what_a_declaration_must_say(tmp_path, model, message):
    with pytest.raises(RetentionError) as error:
        read_marts(declared(tmp_path, model))
    assert message in error.value.text()
    assert "kpi" in error.value.text()


def test_one_name_has_one_meaning(tmp_path):
    with pytest.raises(RetentionError, match="differ from kpi"):
        read_marts(declared(tmp_path, by_month(), by_month("kpi_b", {**RATE, "formula": "lost / closing"})))


def build(folder: Path, con: duckdb.DuckDBPyConnection, *models: dict[str, object]) -> None:
    """Run the written models without dbt: a reference is the name of its table."""
    for path, text in metric_files(read_marts(declared(folder, *models)), folder).items():
        for model in models:
            text = text.replace(f"{{{{ ref('{model['name']}') }}}}", str(model["name"]))
        con.execute(f"CREATE TABLE {path.stem} AS {text}")


def test_every_value_of_every_mart_is_one_row(tmp_path):
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE kpi AS FROM (VALUES"
            " (DATE '2024-01-01', true, 0.25, 1, 4, 0.05, 0.7), (DATE '2024-02-01', false, NULL, 0, 0, NULL, NULL))"
            " t(month, is_complete, rate, rate_numerator, rate_denominator, rate_low, rate_high)"
        )
        con.execute(
            "CREATE TABLE kpi_segments AS FROM (VALUES (DATE '2024-01-01', 'all', 'all', 0.25, 7.5),"
            " (DATE '2024-01-01', 'country', 'FR', 0.5, NULL)) t(month, dimension, segment, rate, other)"
        )
        con.execute(
            "CREATE TABLE prices AS SELECT DATE '2024-01-05' AS day, 'basic' AS plan, NULL AS country, 9 AS price"
        )
        con.execute(
            "CREATE TABLE indicators AS FROM (VALUES (DATE '2024-01-01', 'won', 'all', 0.5, 1),"
            " (DATE '2024-01-01', 'lost', 'spring', 0.4, 2)) t(month, name, campaign, value, numerator)"
        )
        build(tmp_path, con, by_month(), by_segment(), by_plan_and_country(), by_name())
        rows = con.execute(
            "SELECT day, period, metric, dimension, segment, numerator, denominator, value, low, high,"
            " is_complete, mart"
            " FROM metric_values ORDER BY mart, day, dimension, segment, metric"
        ).fetchall()
        january, february = date(2024, 1, 1), date(2024, 2, 1)
        assert rows == [
            (january, "month", "won", "all", "all", 1, None, 0.5, None, None, True, "indicators"),
            (january, "month", "lost", "campaign", "spring", 2, None, 0.4, None, None, True, "indicators"),
            (january, "month", "rate", "all", "all", 1, 4, 0.25, 0.05, 0.7, True, "kpi"),
            (february, "month", "rate", "all", "all", 0, 0, None, None, None, False, "kpi"),
            # What the first mart says of everybody is not told twice.
            (january, "month", "other", "all", "all", None, None, 7.5, None, None, True, "kpi_segments"),
            (january, "month", "rate", "country", "FR", None, None, 0.5, None, None, True, "kpi_segments"),
            (date(2024, 1, 5), "day", "price", "plan / country", "basic / (unknown)", None, None, 9.0, None, None, True,
             "prices"),
        ]  # fmt: skip
        told = con.execute("SELECT metric, unit, marts, periods FROM metrics ORDER BY metric").fetchall()
        assert told == [
            ("lost", "share", "indicators", "month"),
            ("other", "money", "kpi_segments", "month"),
            ("price", "money", "prices", "day"),
            ("rate", "share", "kpi, kpi_segments", "month"),
            ("won", "share", "indicators", "month"),
        ]


def test_the_newest_complete_value_is_kept_per_business(tmp_path):
    database = tmp_path / "serving.duckdb"
    with duckdb.connect(str(database)) as con:
        con.execute(
            "CREATE TABLE metric_values AS FROM (VALUES"
            " (DATE '2024-01-01', 'month', 'rate', 'all', 'all', 1/3, 0.1, 0.6, true, 'kpi'),"
            " (DATE '2024-02-01', 'month', 'rate', 'all', 'all', 0.5, 0.1, 0.6, false, 'kpi'),"
            " (DATE '2024-02-09', 'day', 'rate', 'all', 'all', 0.7, NULL, NULL, true, 'kpi_daily'),"
            " (DATE '2024-01-01', 'month', 'rate', 'country', 'FR', 0.9, NULL, NULL, true, 'kpi_segments'))"
            " t(day, period, metric, dimension, segment, value, low, high, is_complete, mart)"
        )
    values = newest_values("shop", database)
    assert [(value.metric, value.day, value.value, value.low) for value in values] == [
        ("rate", "2024-01-01", "0.333333", "0.1")
    ]
    kept = tmp_path / "values.csv"
    kept.write_text(with_values([], values), encoding="utf-8")
    assert read_values(kept) == values
    kept.write_text(with_values(read_values(kept), newest_values("baker", database)), encoding="utf-8")
    assert [value.business for value in read_values(kept)] == ["baker", "shop"]
    assert with_values(read_values(kept), values) == kept.read_text(encoding="utf-8")


FIELD = {
    "churn": {
        "customer_churn_rate", "customer_retention_rate", "voluntary_churn_rate", "involuntary_churn_rate",
        "early_churn_rate", "reactivation_rate",
    },
    "recurring revenue": {
        "mrr_new", "mrr_expansion", "mrr_contraction", "mrr_churned", "mrr_reactivation", "mrr_paused", "mrr_resumed",
        "mrr_fx", "gross_revenue_churn_rate", "net_revenue_retention", "gross_revenue_retention", "quick_ratio",
    },
    "cohorts and survival": {
        "survival_30d", "survival_365d", "median_lifetime_days", "hazard", "logrank_chi2",
        "cohort_classic_retention_rate_month_3", "cohort_revenue_retention_month_3",
    },
    "habits": {"stickiness", "purchase_frequency", "median_purchase_interval_days"},
    "messages": {
        "delivery_rate", "open_rate", "click_rate", "click_to_open_rate", "unsubscribe_rate", "bounce_rate",
        "conversion_rate",
    },
    "voice": {"nps", "csat", "ces", "complaint_rate"},
    "payments": {"failed_payment_rate", "recovery_rate"},
    "win-back": {"winback_rate"},
}  # fmt: skip
"""What every retention team asks for, by the names of the field."""


@pytest.mark.parametrize("names", FIELD.values(), ids=FIELD)
def test_the_metrics_of_the_field_are_declared(names):
    assert names <= set(definitions(read_marts()))
