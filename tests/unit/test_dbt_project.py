"""What holds for every model of the dbt project, read from its files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from retention_pipeline.churn.features import FEATURES
from retention_pipeline.dbt_runner import DBT_PROJECT
from retention_pipeline.feeds.contracts import CONTRACTS
from retention_pipeline.feeds.staging_models import staging_files
from retention_pipeline.metrics.declarations import read_marts
from retention_pipeline.metrics.models import metric_files
from retention_pipeline.metrics.reference import REFERENCE, metrics_reference
from retention_pipeline.publish.tables import refuse_personal_columns

MODELS = DBT_PROJECT / "models"
MARTS = sorted((MODELS / "marts").rglob("*.sql"))
READS = {
    "staging": {"raw", "control"},
    "intermediate": {"staging", "intermediate", "control", "voice"},
    "marts": {"intermediate", "marts"},
}
"""Layer → what its models may read."""

_REF = re.compile(r"ref\('(\w+)'\)")
_SOURCE = re.compile(r"\bsource\('(\w+)'")
_CLOCK = re.compile(r"\b(current_date|current_timestamp|current_time|now|today|getdate|random|uuid)\b", re.IGNORECASE)
_UNORDERED = re.compile(r"\b(array_agg|list|string_agg|listagg|first|last|arbitrary)\s*\(", re.IGNORECASE)


def _layer(path: Path) -> str:
    return path.relative_to(MODELS).parts[0]


def _models() -> list[Path]:
    return sorted(MODELS.rglob("*.sql"))


def _documented() -> dict[str, dict[str, Any]]:
    """Every model that a YAML file describes, by name."""
    found = {}
    for path in sorted(MODELS.rglob("*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            found[model["name"]] = model
    return found


DOCUMENTED = _documented()


def _test_named(model: dict[str, Any], test: str) -> dict[str, Any]:
    return next(entry[test] for entry in model["data_tests"] if test in entry)


def test_staging_is_what_the_contracts_say() -> None:
    files = staging_files()
    names = {f"stg_{feed}.sql" for feed in CONTRACTS} | {"stg_customer_ids.sql"}
    assert {path.name for path in (MODELS / "staging").glob("stg_*.sql")} == names
    for path, text in files.items():
        assert path.read_text(encoding="utf-8") == text, (
            f"{path.name}: python -m retention_pipeline.feeds.staging_models"
        )


def test_metric_models_are_what_the_marts_declare() -> None:
    for path, text in metric_files(read_marts()).items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: python -m retention_pipeline.metrics.models"


def test_metrics_reference_is_up_to_date() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == metrics_reference(), (
        "python -m retention_pipeline.metrics.reference"
    )


@pytest.mark.parametrize("path", _models(), ids=lambda path: path.stem)
def test_a_layer_reads_only_the_layers_before_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    layers = {model.stem: _layer(model) for model in _models()}
    read = {layers[name] for name in _REF.findall(text)} | set(_SOURCE.findall(text))
    if "current_batches(" in text:
        read.add("raw")
    assert read <= READS[_layer(path)]
    assert read or path.stem == "metrics", "a model reads something"


IDENTITY_MODELS = frozenset({
    "int_sources", "int_identity_links", "int_customer_emails", "int_canonical_ids", "int_customer_records",
    "int_source_ids", "int_stated_consents", "int_suppressions", "int_changed_orders",
})  # fmt: skip
"""Models that read the ids as the sources know them: what comes after them reads canonical ids."""


@pytest.mark.parametrize("path", _models(), ids=lambda path: path.stem)
def test_ids_of_feeds_are_resolved_where_they_are_read(path: Path) -> None:
    if _layer(path) == "staging" or path.stem in IDENTITY_MODELS:
        return
    by_customer = {
        f"stg_{feed.name}" for feed in CONTRACTS.values() if any(c.name == "customer_id" for c in feed.columns)
    }
    text = path.read_text(encoding="utf-8")
    raw = re.sub(r"resolved\(ref\('\w+'\)\)", "", text)
    # An invoice is only asked for its subscription.
    assert set(_REF.findall(raw)) & by_customer <= {"stg_invoices"}


@pytest.mark.parametrize("path", _models(), ids=lambda path: path.stem)
def test_no_model_reads_a_clock_or_depends_on_order(path: Path) -> None:
    code = re.sub(r"--.*|{#.*?#}|'[^']*'", "", path.read_text(encoding="utf-8"))
    assert not _CLOCK.search(code)
    assert not _UNORDERED.search(code)
    assert not re.search(r"select\s+distinct\s+on", code, re.IGNORECASE)


@pytest.mark.parametrize("path", _models(), ids=lambda path: path.stem)
def test_every_model_and_column_is_described(path: Path) -> None:
    model = DOCUMENTED[path.stem]
    assert re.search(r"One row( per [^.]+)?\.$", model["description"].strip()), "the description ends with the grain"
    assert all(str(column.get("description", "")).strip() for column in model["columns"])


@pytest.mark.parametrize("path", MARTS, ids=lambda path: path.stem)
def test_a_mart_has_its_yaml_contract_grain_and_test(path: Path) -> None:
    assert path.with_suffix(".yml").is_file()
    model = DOCUMENTED[path.stem]
    assert re.search(r"One row per [^.]+\.$", model["description"].strip())
    assert all(column["data_type"] for column in model["columns"])
    grain = model["config"]["meta"]["grain"]
    assert set(grain) <= {column["name"] for column in model["columns"]}
    dates = {column["name"] for column in model["columns"] if column["data_type"] == "date"}
    assert {model["config"]["meta"].get("published_by_month_of")} <= {None, *dates}
    assert _test_named(model, "unique_grain")["arguments"]["columns"] == grain


@pytest.mark.parametrize("path", MARTS, ids=lambda path: path.stem)
def test_no_mart_shows_a_person(path: Path) -> None:
    columns = [(column["name"], column["data_type"]) for column in DOCUMENTED[path.stem]["columns"]]
    refuse_personal_columns(path.stem, columns)
    assert not {"gender", "birth_year", "customer_id", "email"} & {name for name, _ in columns}


def test_contracts_are_enforced_and_comments_kept_on_all_marts() -> None:
    marts = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["models"]["retention"][
        "marts"
    ]
    assert marts["+contract"] == {"enforced": True}
    assert marts["+persist_docs"] == {"relation": True, "columns": True}
    assert not any("contract" in str(DOCUMENTED[path.stem].get("config", {})) for path in MARTS)


def test_features_of_the_model_are_the_columns_of_the_mart() -> None:
    names = [column["name"] for column in DOCUMENTED["customer_features"]["columns"]]
    assert names == ["as_of", "customer_key", *(feature.name for feature in FEATURES), "has_given_notice"]
    in_360 = [column["name"] for column in DOCUMENTED["customer_360"]["columns"]]
    assert {feature.name for feature in FEATURES} <= set(in_360)


def test_every_rate_comes_with_its_parts_and_interval() -> None:
    names = {column["name"] for column in DOCUMENTED["kpi_monthly"]["columns"]}
    for rate in ("customer_churn_rate", "customer_retention_rate"):
        assert {rate, *(f"{rate}_{part}" for part in ("numerator", "denominator", "low", "high"))} <= names
