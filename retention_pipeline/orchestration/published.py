"""Which tables are published, with the descriptions that their declarations give."""

from collections.abc import Mapping
from typing import Any

from retention_pipeline.publish.tables import PublishedTable

DECISIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "churn_scores": ("Probability of churn of every active customer. One row per customer.", ("customer_key",)),
    "churn_model": ("The model behind the scores and how well it did on the newest observable dates. One row.", ()),
    "churn_calibration": ("Predicted against observed churn on the test dates. One row per bin.", ("bin",)),
    "feature_importance": ("What the model looks at. One row per feature.", ("feature",)),
    "campaign_targets": (
        "Who is on which list, in which arm. One row per play and customer.",
        ("play", "priority_rank"),
    ),
    "campaign_exclusions": (
        "Who qualifies for a play and is on no list, with the first reason. One row per play and customer.",
        ("play", "customer_key"),
    ),
    "campaign_summary": ("Counts, cost and expected profit of the day. One row per play.", ("play",)),
    "micro_segments": ("The segment of every active customer, by behaviour. One row per customer.", ("customer_key",)),
    "personas": ("What each segment by behaviour is, in words and numbers. One row per segment.", ("segment",)),
    "persona_traits": ("The numbers behind the personas. One row per segment and behaviour.", ("segment", "behaviour")),
    "quality_results": (
        "The checks of the day. One row per expectation.",
        ("table_name", "kind", "column_name", "expectation"),
    ),
}
"""Published tables that Python makes: description and order."""


def _marts(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    nodes = [n for n in manifest["nodes"].values() if n["resource_type"] == "model" and n["schema"] == "marts"]
    return sorted(nodes, key=lambda node: str(node["name"]))


def published_marts(manifest: Mapping[str, Any]) -> list[str]:
    """Names of the marts: all of them are published."""
    return [str(node["name"]) for node in _marts(manifest)]


def published_tables(manifest: Mapping[str, Any]) -> list[PublishedTable]:
    """Every mart of the dbt project, and the tables of decisions."""
    from retention_pipeline.campaigns.tables import TABLES as CAMPAIGNS
    from retention_pipeline.churn.scoring import TABLES as CHURN
    from retention_pipeline.quality.table import COLUMNS
    from retention_pipeline.segments.tables import TABLES as SEGMENTS

    columns = {**CHURN, **CAMPAIGNS, **SEGMENTS, "quality_results": COLUMNS}
    marts = [
        PublishedTable(
            source=f"marts.{node['name']}",
            name=str(node["name"]),
            description=str(node["description"]),
            column_descriptions={name: str(column["description"]) for name, column in node["columns"].items()},
            order_by=tuple(node["config"].get("meta", {}).get("grain", ())),
            by_month_of=str(node["config"].get("meta", {}).get("published_by_month_of", "")),
        )
        for node in _marts(manifest)
    ]
    decisions = [
        PublishedTable(
            source=f"decisions.{name}",
            name=name,
            description=text,
            column_descriptions={column: meaning for column, (_, meaning) in columns[name].items()},
            order_by=order,
        )
        for name, (text, order) in DECISIONS.items()
    ]
    return marts + decisions
