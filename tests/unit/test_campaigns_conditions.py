"""What a condition of a play may hold, and what is said of one that holds something else."""

from __future__ import annotations

import subprocess
import sys

import duckdb
import pytest
import yaml

from retention_pipeline.campaigns.columns import CUSTOMER_360, CUSTOMER_COLUMNS
from retention_pipeline.campaigns.conditions import check_condition, check_play, parse_condition
from retention_pipeline.settings import PROJECT
from retention_pipeline.workspace.schema import Play
from tests.unit.campaign_data import customer, play, warehouse

CUSTOMER_360_YML = PROJECT / "dbt_project" / "models" / "marts" / "core" / "customer_360.yml"


@pytest.mark.skipif(not CUSTOMER_360_YML.is_file(), reason="the dbt project is not there")
def test_declared_columns_are_those_of_the_mart() -> None:
    (model,) = yaml.safe_load(CUSTOMER_360_YML.read_text(encoding="utf-8"))["models"]
    declared = [(column["name"], column["data_type"].upper().replace(" ", "")) for column in model["columns"]]
    assert declared == list(CUSTOMER_360.items())


@pytest.mark.parametrize(
    "text",
    [
        "is_active",
        "IS_ACTIVE AND Churn_Probability > .3",
        "lifecycle_stage IN ('churned', 'completed') AND days_since_end BETWEEN 30 AND 240",
        "NOT is_at_risk OR overdue_ratio >= 1.5",
        "last_nps IS NULL OR coalesce(last_csat, 5) <= 2",
        "lower(country) LIKE 'fr%' AND starts_with(upper(plans), 'A') AND contains(plans, '|')",
        "next_start_on - as_of <= 21 AND active_since >= DATE '2011-01-01'",
        "greatest(orders_30d, least(orders_90d, 3)) > round(abs(-average_basket), 1)",
        "CASE WHEN is_active THEN orders_30d ELSE orders_90d END > 2",
        "orders_90d / orders_prior_90d < 0.5",
        "country = 'it''s; DROP TABLE customers --'",
    ],
)
def test_a_condition_is_accepted_and_runs(text: str) -> None:
    assert check_condition(text) == []
    condition = parse_condition(text)
    with warehouse([customer("a")]) as con:
        con.execute(
            f"SELECT {condition.sql}, {condition.if_scored} FROM marts.customer_360 JOIN decisions.churn_scores"
            " USING (customer_key, as_of)"
        ).fetchall()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("is_actve", "unknown column 'is_actve'; nearest: 'is_active'"),
        ("customer_id = '1'", "unknown column 'customer_id'; nearest: 'customer_key'"),
        ('risk_band = "high"', "unknown column 'high'; text stands in single quotes"),
        ("lowr(country) = 'fr'", "function 'lowr' is not allowed; nearest: 'lower'"),
        ("read_text('/etc/passwd') <> ''", "function 'read_text' is not allowed"),
        ("as_of < current_date", "function 'current_date' is not allowed"),
        ("random() < 0.5", "function 'rand' is not allowed"),
        ("orders_30d > (SELECT 1)", "a subquery is not allowed"),
        ("is_active AND EXISTS (SELECT 1 FROM raw.customers)", "a subquery is not allowed"),
        ("country IN (SELECT email FROM staging.stg_customers)", "a subquery is not allowed"),
        ("sum(orders_30d) OVER () > 1", "is not allowed in a condition"),
        ("raw.email = 'a'", "columns are written without a table"),
        ("orders_30d > ?", "'?' is not allowed"),
        ("orders_30d > $salt", "'$salt' is not allowed"),
        ("orders_30d::VARCHAR = '1'", "a cast is not allowed"),
        ("is_active; DROP TABLE raw.customers", "cannot be read from character 12 on, near 'DROP'"),
        ("is_active AND", "no condition"),
        ("", "no condition"),
        ("-- is_active", "no condition"),
        ("SELECT 1", "no condition"),
        ("orders_30d", "gives INTEGER and not true or false"),
        ("orders_30d > 'many'", "Could not convert string 'many'"),
        ("active_since > '31/01/2011'", "31/01/2011"),
        ("contains(plans, 3)", "No function matches"),
        ("(" * 3000 + "is_active" + ")" * 3000, "longer than 4000 characters"),
        ("(" * 1900 + "is_active" + ")" * 1900, "no condition"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    assert any(said in problem for problem in check_condition(text)), check_condition(text)
    with pytest.raises(ValueError, match=r".+"):
        parse_condition(text)


def test_only_the_tree_is_kept_of_the_text() -> None:
    condition = parse_condition("is_active /* a */ AND \"Risk_Band\" = 'high' -- b")
    assert condition.sql == '"is_active" AND "risk_band" = \'high\''
    assert condition.uses_score
    assert not parse_condition("is_active").uses_score


def test_a_division_by_zero_is_a_missing_value() -> None:
    condition = parse_condition("orders_30d / orders_90d > 0.5")
    with duckdb.connect() as con:
        found = con.execute(f"SELECT {condition.sql} FROM (SELECT 3 AS orders_30d, 0 AS orders_90d)").fetchall()
    assert found == [(None,)]


@pytest.mark.parametrize(
    ("text", "is_active", "could"),
    [
        ("is_active AND risk_band = 'high'", True, True),
        ("is_active AND risk_band = 'high'", False, False),
        ("is_active AND NOT risk_band = 'low'", True, True),
        ("is_active AND churn_probability > 0.3 AND risk_band NOT IN ('low', 'medium')", True, True),
        ("NOT (risk_band = 'low' OR NOT is_active)", True, True),
        ("NOT (risk_band = 'low' OR NOT is_active)", False, False),
    ],
)
def test_who_could_qualify_with_a_score(text: str, is_active: bool, could: bool) -> None:
    with duckdb.connect() as con:
        found = con.execute(f"SELECT {parse_condition(text).if_scored} FROM (SELECT ? AS is_active)", [is_active])
        assert found.fetchall() == [(could,)]


def test_a_play_is_checked_as_a_whole() -> None:
    wrong = Play.model_validate(
        play(who="is_actve", reasons={"late": "overdue > 1"}, personalisation=("country", "emial"))
    )
    assert [key for key, _ in check_play(wrong)] == ["who", "reasons.late", "personalisation"]
    assert check_play(Play.model_validate(play(personalisation=("country",)))) == []


def test_other_columns_can_be_given() -> None:
    assert check_condition("points > 3", {"points": "INTEGER"}) == []
    assert check_condition("is_active", {"points": "INTEGER"}) != []
    assert set(CUSTOMER_360) < set(CUSTOMER_COLUMNS)


def test_importing_the_checks_is_cheap() -> None:
    code = (
        "import sys, retention_pipeline.campaigns.conditions;"
        "print([m for m in ('duckdb', 'sklearn', 'pandas', 'dagster') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, check=True)
    assert found.stdout.strip() == "[]"
