"""docs/configuration.md says what the schema and the contracts say."""

from typing import Any

from pydantic import BaseModel

from retention_pipeline.feeds.contracts import CONTRACTS
from retention_pipeline.workspace.reference import PAGE, reference_page
from retention_pipeline.workspace.schema import Retention
from retention_pipeline.workspace.structure import keys_at, section_at, sections_below


def every_section(section: type[BaseModel] = Retention) -> list[type[BaseModel]]:
    return [section, *(found for _, inner, _ in sections_below(section) for found in every_section(inner))]


def test_the_page_in_the_repository_is_up_to_date():
    expected = reference_page()
    assert PAGE.read_text(encoding="utf-8") == expected, "run python -m retention_pipeline.workspace.reference"


def test_every_key_and_every_column_stands_on_the_page_with_its_description():
    page = reference_page()
    fields: list[tuple[str, Any]] = [item for section in every_section() for item in section.model_fields.items()]
    assert len(fields) > 50
    assert [name for name, info in fields if f"| `{name}` |" not in page or not info.description] == []
    columns = [column for contract in CONTRACTS.values() for column in contract.columns]
    assert [column.name for column in columns if column.description.replace("|", "\\|") not in page] == []


def test_keys_are_found_by_their_path():
    assert "horizon_days" in keys_at(("churn",))
    assert "delimiter" in keys_at(("feeds", "order_lines", 0))
    assert keys_at(("feeds", "order_lines", 0, "columns", "kind")) == ("sql",)
    assert "effect" in keys_at(("plays", "any", "offers", 1))
    assert section_at(("feeds",)) is None and keys_at(("nothing",)) == ()
