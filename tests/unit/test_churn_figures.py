"""The figures in documents are those of the card, and the features are those of the mart."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest
import yaml

from retention_pipeline.churn.features import FEATURES
from retention_pipeline.churn.model import train
from retention_pipeline.churn.registry import save_model
from retention_pipeline.churn.report_figures import figures, main, replace_figures
from retention_pipeline.errors import RetentionError
from retention_pipeline.settings import PROJECT, STATE_VARIABLE
from tests.pipelines import ONLINE_RETAIL
from tests.unit.churn_data import SETTINGS, Process, build_marts

MART = PROJECT / "dbt_project" / "models" / "marts" / "churn" / "customer_features.yml"
NOT_FEATURES = {"as_of", "customer_key", "has_given_notice"}


@pytest.fixture(scope="module")
def model():
    with duckdb.connect() as con:
        build_marts(con, Process())
        return train(con, Process().day, SETTINGS)


def test_the_features_are_the_columns_of_the_mart():
    columns = [column["name"] for column in yaml.safe_load(MART.read_text())["models"][0]["columns"]]
    assert [feature.name for feature in FEATURES] == [name for name in columns if name not in NOT_FEATURES]


def test_the_figures_are_those_of_the_card(model):
    text = figures(model.card)
    chosen = model.card["metrics"][model.card["algorithm"]]
    assert model.model_id in text
    assert re.search(rf"\| AUC \| {chosen['auc']:.4f} \|", text)
    assert f"| Brier score | {chosen['brier']:.4f}" in text
    assert text.count("\n| 2") >= len(model.card["metrics_by_test_date"])


def test_writing_twice_gives_the_same_document(model):
    document = (
        "before\n<!-- figures: shop -->\nold\n<!-- end: shop -->\nafter <!-- figures: other --><!-- end: other -->\n"
    )
    once = replace_figures(document, "shop", figures(model.card))
    assert "old" not in once
    assert once.startswith("before\n")
    assert once.endswith("after <!-- figures: other --><!-- end: other -->\n")
    assert replace_figures(once, "shop", figures(model.card)) == once


@pytest.mark.parametrize("document", ["", "<!-- figures: shop -->", "<!-- end: shop --><!-- figures: shop -->"])
def test_a_document_without_a_place_is_left_alone(document):
    with pytest.raises(RetentionError, match="no place"):
        replace_figures(document, "shop", "text")


def test_the_command_writes_the_newest_model_into_the_document(model, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path))
    document = tmp_path / "model.md"
    document.write_text("<!-- figures: online_retail -->\n<!-- end: online_retail -->\n")
    arguments = ["--business", str(ONLINE_RETAIL), "--document", str(document)]
    assert main(arguments) == 1
    assert "has no model" in capsys.readouterr().err
    save_model(model, tmp_path / "online_retail" / "models")
    assert main(arguments) == 0
    assert model.model_id in document.read_text()


def test_the_document_of_the_model_has_a_place_for_every_shipped_business():
    text = (PROJECT / "docs" / "model.md").read_text()
    for folder in sorted(path.name for path in Path(PROJECT / "data").iterdir() if path.is_dir()):
        assert re.search(
            rf"<!-- figures: {folder} -->.*Model `[0-9a-f]{{16}}`.*<!-- end: {folder} -->", text, re.DOTALL
        )
